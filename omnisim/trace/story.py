"""A lived day in words: what met the person, what was needed, where it led, what came after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Literal

import numpy as np

from omnisim.comparison import capitalised
from omnisim.contacts import CLAIMS, CLICKS, CONTACTS, LAST_TOUCH
from omnisim.journeys.books import (
    CENTS,
    DROPPED,
    INCIDENTS,
    INVITATIONS,
    LATE,
    NEEDS,
    NEW,
    ORDERS,
    TALK,
    TOLD,
    VISITS,
)
from omnisim.language import Language, message
from omnisim.people import CUSTOMER, MAIL
from omnisim.simulation.crowd import Crowd
from omnisim.trace.again import Lived
from omnisim.trace.way import Touch

Kind = Literal["contact", "click", "need", "touchpoint", "order", "afterwards", "friends"]
FADED = 0.999  # rounding takes less from goodwill
ENDS = {
    "gets on": message("gets on."),
    "does not get on": message("does not get on and will try again."),
    "is lost": message("gives up here."),
    "orders": message("orders."),
}
# ours, searched for by name
NOWHERE = {
    (True, True): message(
        "{stage}: looks for our name, but another's advertisement takes the visit"
    ),
    (True, False): message("{stage}: looks for our name, but it is closed"),
    (False, True): message(
        "{stage}: looks for the rival's name, but another's advertisement takes the visit"
    ),
    (False, False): message("{stage}: looks for the rival's name, but it is closed"),
}
REACHED = {
    (True, True): message("{stage} in {channel}, found by our name"),
    (True, False): message("{stage} in {channel}"),
    (False, True): message("{stage} in {channel} (a rival's), found by name"),
    (False, False): message("{stage} in {channel} (a rival's)"),
}


@dataclass(frozen=True)
class Event:
    """One thing that happened: of which kind, on whose lane, in a sentence, how often."""

    kind: Kind
    lane: str
    words: str
    count: int = 1


def told(
    crowd: Crowd, day: Lived, way: Sequence[Touch], ids: np.ndarray, words: Language
) -> Iterator[Event]:
    """Yield what happened on a day, in the order in which it is told; `ids` of all rows."""
    yield from _letters(crowd, day, words)
    yield from _media(crowd, day, words)
    yield from _moved(crowd, day, words)
    yield from _looks_around(crowd, day, way, words)
    yield from _need(crowd, day, words)
    for touch in way:
        yield _touch(touch, bool(day.after.ours), words)
    yield from _order(crowd, day, words)
    yield from _afterwards(day, way, words)
    yield from _writes(day, ids, words)


def _letters(crowd: Crowd, day: Lived, words: Language) -> Iterator[Event]:
    if day.heard[TALK]:
        felt = words.with_sign(float(day.heard[TALK] / TOLD), 2)
        said = words.say("Friends tell of what they bought ({felt}).", felt=felt)
        yield Event("friends", "friends", said)
    for m, name in enumerate(crowd.media):
        if (int(day.heard[INVITATIONS]) >> m) & 1:
            said = words.say("A friend invites by {medium}.", medium=words.name(name))
            yield Event("friends", "friends", said)


def _media(crowd: Crowd, day: Lived, words: Language) -> Iterator[Event]:
    """Yield a sentence per medium that met the person: noticed, clicked, where it led."""
    # goodwill fades first; a click adds its own; what is left was noticed
    faded = day.felt * crowd.decay
    clicks = day.media[: len(crowd.media), CLICKS]
    noticed = day.feels - faded - clicks * crowd.world.media["click_goodwill"]
    for m, name in enumerate(crowd.media):
        contacts = int(day.media[m, CONTACTS])
        if not contacts and not clicks[m]:
            continue
        said = [_contacts(name, contacts, max(0.0, float(noticed[m])), words)]
        if clicks[m]:
            lands = int(crowd.world.media[m].lands_on)
            said.append(_clicks(crowd.channels[lands] if lands >= 0 else "", words))
        goodwill = words.number(float(day.feels[m]), 2)
        said.append(words.say("goodwill {goodwill}.", goodwill=goodwill))
        kind: Kind = "click" if clicks[m] else "contact"
        yield Event(kind, name, "; ".join(said), contacts or int(clicks[m]))


def _contacts(name: str, count: int, noticed: float, words: Language) -> str:
    medium, seen = words.name(name), words.number(noticed, 2)
    if count == 0:
        return words.say("{medium}: 0 contacts", medium=medium)
    if count == 1:
        return words.say("{medium}: 1 contact, {noticed} noticed", medium=medium, noticed=seen)
    return words.say(
        "{medium}: {count} contacts, {noticed} noticed", medium=medium, count=count, noticed=seen
    )


def _clicks(lands_on: str, words: Language) -> str:
    if not lands_on:
        return words.say("clicks")
    return words.say("clicks and lands in {channel}", channel=words.name(lands_on))


def _moved(crowd: Crowd, day: Lived, words: Language) -> Iterator[Event]:
    if (day.feels < day.felt * crowd.decay * FADED).any():
        said = words.say("Moves away; a newcomer takes the place.")
        yield Event("afterwards", "afterwards", said)
    if day.before.consent & MAIL and not day.after.consent & MAIL:
        said = words.say("Unsubscribes: no more messages.")
        yield Event("afterwards", "afterwards", said)


def _looks_around(
    crowd: Crowd, day: Lived, way: Sequence[Touch], words: Language
) -> Iterator[Event]:
    """Yield a visit out of curiosity: one that neither a click nor a walk has brought."""
    lands = crowd.world.media["lands_on"] >= 0
    landed = int(day.media[: len(crowd.media), CLICKS][lands].sum())
    walked = sum(touch.channel != "" for touch in way) * int(day.after.ours)
    if day.channels[:, VISITS].sum() > landed + walked:
        site = crowd.channels[int(crowd.world.rules[0].browses_on)]
        said = words.say("Looks around in {channel}, in need of nothing.", channel=words.name(site))
        yield Event("touchpoint", site, said)


def _need(crowd: Crowd, day: Lived, words: Language) -> Iterator[Event]:
    if not day.company[NEEDS]:
        return
    goods = list(crowd.market.goods)
    chance = words.percent(float(day.after.walk_us))
    if len(goods) == 1:
        need = words.say("Has a need; turns to us with {chance}", chance=chance)
    else:
        category = words.name(goods[day.after.category])
        need = words.say(
            "Has a need of {goods}; turns to us with {chance}", goods=category, chance=chance
        )
    walks = words.say("walks with us.") if day.after.ours else words.say("walks with a rival.")
    yield Event("need", "walk", f"{need}: {walks}")


def _touch(touch: Touch, ours: bool, words: Language) -> Event:
    stage = capitalised(words.name(touch.stage))
    if not touch.channel:
        said = words.say(NOWHERE[ours, touch.searched], stage=stage)
        if touch.end == "is lost":
            return Event(
                "touchpoint", "walk", words.say("{said}, and the person with it.", said=said)
            )
        return Event("touchpoint", "walk", f"{said}.")
    name = words.name(touch.channel)
    parts = [words.say(REACHED[ours, touch.searched], stage=stage, channel=name)]
    parts += _met(touch, words)
    ordered_there = touch.end == "orders" and not ours
    parts.append(words.say("orders there.") if ordered_there else words.say(ENDS[touch.end]))
    return Event("touchpoint", touch.channel, "; ".join(parts))


def _met(touch: Touch, words: Language) -> Iterator[str]:
    """Yield what helped or hindered at a contact."""
    came_from = words.name(touch.came_from)
    if touch.came_from and touch.kept:
        yield words.say("the hand-over from {channel} is handed over", channel=came_from)
    elif touch.came_from:
        yield words.say(
            "the hand-over from {channel} is missed: a stage back, told twice", channel=came_from
        )
    if touch.phone is not None:
        helps = touch.phone
        yield (
            words.say("the phone in hand helps")
            if helps
            else words.say("the phone in hand confuses")
        )
    if touch.coupon and touch.found:
        yield words.say("looks for a coupon and finds one")
    elif touch.coupon:
        yield words.say("looks for a coupon and finds none")


def _order(crowd: Crowd, day: Lived, words: Language) -> Iterator[Event]:
    """Yield the order: where, what, for how much, and who takes credit for it."""
    rows = np.flatnonzero(day.channels[:, ORDERS])
    if not len(rows):
        return
    c, k = divmod(int(rows[0]), len(crowd.market.goods))
    name, goods = crowd.channels[c], list(crowd.market.goods)
    amount = words.euros(float(day.channels[:, CENTS].sum() / 100))
    said = [words.say("Orders in {channel} for {amount}", channel=words.name(name), amount=amount)]
    along = [goods[o % len(goods)] for o in np.flatnonzero(day.channels[:, CENTS]) if o != rows[0]]
    if len(goods) > 1:
        said.append(reduce(partial(_and, words), [words.name(one) for one in (goods[k], *along)]))
    if crowd.world.prices[c] != 1:
        price = words.percent(float(crowd.world.prices[c]))
        said.append(words.say("at {share} of the usual price", share=price))
    is_new = day.channels[:, NEW].any()
    said.append(words.say("as a new customer") if is_new else words.say("as a customer"))
    yield Event("order", name, f"{', '.join(said)}. {_credit(crowd, day, words)}")


def _and(words: Language, first: str, last: str) -> str:
    return words.say("{first} and {last}", first=first, last=last)


def _credit(crowd: Crowd, day: Lived, words: Language) -> str:
    book = day.media[: len(crowd.media)]
    last = [words.name(crowd.media[m]) for m in np.flatnonzero(book[:, LAST_TOUCH])]
    claimed = [words.name(crowd.media[m]) for m in np.flatnonzero(book[:, CLAIMS])]
    by = words.say("Last touch: {medium}", medium=last[0]) if last else words.say("No last touch")
    if claimed:
        return f"{by}; " + words.say("claimed by {media}.", media=", ".join(claimed))
    return f"{by}; " + words.say("claimed by nobody.")


def _afterwards(day: Lived, way: Sequence[Touch], words: Language) -> Iterator[Event]:
    for said in _what_came(day, way, words):
        yield Event("afterwards", "afterwards", said)


def _what_came(day: Lived, way: Sequence[Touch], words: Language) -> Iterator[str]:
    if day.channels[:, LATE].any():
        yield words.say("The delivery is late.")
    if day.channels[:, INCIDENTS].any():
        yield words.say("Something is wrong with what was delivered.")
    if day.channels[:, ORDERS].any():
        yield words.say(
            "Satisfaction moves from {before} to {after}.",
            before=words.with_sign(float(day.before.satisfaction), 2),
            after=words.with_sign(float(day.after.satisfaction), 2),
        )
        if day.after.consent & MAIL and not day.before.consent & MAIL:
            yield words.say("Opts in to messages.")
    if day.before.stage and not day.after.stage and not way:
        yield words.say("Has looked for too long and gives up.")
    if day.company[DROPPED] and day.before.status == CUSTOMER:
        yield words.say("Drops out: a prospect again, satisfaction forgotten.")
    elif day.company[DROPPED]:
        yield words.say("Drops out: no customer, satisfaction forgotten.")


def _writes(day: Lived, ids: np.ndarray, words: Language) -> Iterator[Event]:
    for row in np.flatnonzero(day.wrote[TALK]) if day.wrote.size else ():
        said = words.say("Tells person {person} of the order.", person=ids[row])
        yield Event("friends", "friends", said)
    for row in np.flatnonzero(day.wrote[INVITATIONS]) if day.wrote.size else ():
        yield Event("friends", "friends", words.say("Invites person {person}.", person=ids[row]))
