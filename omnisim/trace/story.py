"""A lived day in words: what met the person, what was needed, where it led, what came after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

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
from omnisim.people import CUSTOMER, MAIL
from omnisim.simulation.crowd import Crowd
from omnisim.trace.again import Lived
from omnisim.trace.way import Touch

Kind = Literal["contact", "click", "need", "touchpoint", "order", "afterwards", "friends"]
FADED = 0.999  # rounding takes less from goodwill
ENDS = {
    "gets on": "gets on",
    "does not get on": "does not get on and will try again",
    "is lost": "gives up here",
    "orders": "orders",
}


@dataclass(frozen=True)
class Event:
    """One thing that happened: of which kind, on whose lane, in a sentence, how often."""

    kind: Kind
    lane: str
    words: str
    count: int = 1


def told(crowd: Crowd, day: Lived, way: Sequence[Touch], ids: np.ndarray) -> Iterator[Event]:
    """Yield what happened on a day, in the order in which it is told; `ids` of all rows."""
    yield from _letters(crowd, day)
    yield from _media(crowd, day)
    yield from _moved(crowd, day)
    yield from _looks_around(crowd, day, way)
    yield from _need(crowd, day)
    for touch in way:
        yield _touch(touch, ours=bool(day.after.ours))
    yield from _order(crowd, day)
    yield from _afterwards(day, way)
    yield from _writes(crowd, day, ids)


def _letters(crowd: Crowd, day: Lived) -> Iterator[Event]:
    if day.heard[TALK]:
        felt = day.heard[TALK] / TOLD
        yield Event("friends", "friends", f"Friends tell of what they bought ({felt:+.2f}).")
    for m, name in enumerate(crowd.media):
        if (int(day.heard[INVITATIONS]) >> m) & 1:
            yield Event("friends", "friends", f"A friend invites by {name}.")


def _media(crowd: Crowd, day: Lived) -> Iterator[Event]:
    """Yield a sentence per medium that met the person: noticed, clicked, where it led."""
    # goodwill fades first; a click adds its own; what is left was noticed
    faded = day.felt * crowd.decay
    clicks = day.media[: len(crowd.media), CLICKS]
    noticed = day.feels - faded - clicks * crowd.world.media["click_goodwill"]
    for m, name in enumerate(crowd.media):
        contacts = int(day.media[m, CONTACTS])
        if not contacts and not clicks[m]:
            continue
        words = f"{name}: {_times(contacts, 'contact')}"
        if contacts:
            seen = max(0.0, float(noticed[m]))
            words += f", {seen:.2f} noticed"
        if clicks[m]:
            lands = int(crowd.world.media[m].lands_on)
            words += "; clicks" + f" and lands in {crowd.channels[lands]}" * (lands >= 0)
        kind: Kind = "click" if clicks[m] else "contact"
        yield Event(
            kind, name, f"{words}; goodwill {day.feels[m]:.2f}.", contacts or int(clicks[m])
        )


def _moved(crowd: Crowd, day: Lived) -> Iterator[Event]:
    if (day.feels < day.felt * crowd.decay * FADED).any():
        yield Event("afterwards", "afterwards", "Moves away; a newcomer takes the place.")
    if day.before.consent & MAIL and not day.after.consent & MAIL:
        yield Event("afterwards", "afterwards", "Unsubscribes: no more messages.")


def _looks_around(crowd: Crowd, day: Lived, way: Sequence[Touch]) -> Iterator[Event]:
    """Yield a visit out of curiosity: one that neither a click nor a walk has brought."""
    lands = crowd.world.media["lands_on"] >= 0
    landed = int(day.media[: len(crowd.media), CLICKS][lands].sum())
    walked = sum(touch.channel != "" for touch in way) * int(day.after.ours)
    if day.channels[:, VISITS].sum() > landed + walked:
        site = crowd.channels[int(crowd.world.rules[0].browses_on)]
        yield Event("touchpoint", site, f"Looks around in {site}, in need of nothing.")


def _need(crowd: Crowd, day: Lived) -> Iterator[Event]:
    if not day.company[NEEDS]:
        return
    goods = list(crowd.market.goods)
    what = f" of {goods[day.after.category]}" if len(goods) > 1 else ""
    whose = "with us" if day.after.ours else "with a rival"
    chance = f"{100 * float(day.after.walk_us):.0f} %"
    yield Event("need", "walk", f"Has a need{what}; turns to us with {chance}: walks {whose}.")


def _touch(touch: Touch, ours: bool) -> Event:
    stage = touch.stage.capitalize()
    if not touch.channel:
        whose = "our" if ours else "the rival's"
        what = "another's advertisement takes the visit" if touch.searched else "it is closed"
        lost = ", and the person with it" if touch.end == "is lost" else ""
        return Event("touchpoint", "walk", f"{stage}: looks for {whose} name, but {what}{lost}.")
    words = f"{stage} in {touch.channel}"
    if not ours:
        words += " (a rival's)"
    if touch.searched:
        words += ", found by our name" if ours else ", found by name"
    if touch.came_from:
        what = "is handed over" if touch.kept else "is missed: a stage back, told twice"
        words += f"; the hand-over from {touch.came_from} {what}"
    if touch.phone is not None:
        words += f"; the phone in hand {'helps' if touch.phone else 'confuses'}"
    if touch.coupon:
        words += f"; looks for a coupon and finds {'one' if touch.found else 'none'}"
    end = ENDS[touch.end] if ours or touch.end != "orders" else "orders there"
    return Event("touchpoint", touch.channel, f"{words}; {end}.")


def _order(crowd: Crowd, day: Lived) -> Iterator[Event]:
    """Yield the order: where, what, for how much, and who takes credit for it."""
    rows = np.flatnonzero(day.channels[:, ORDERS])
    if not len(rows):
        return
    c, k = divmod(int(rows[0]), len(crowd.market.goods))
    name, goods = crowd.channels[c], list(crowd.market.goods)
    words = f"Orders in {name} for EUR {day.channels[:, CENTS].sum() / 100:,.2f}"
    along = [goods[o % len(goods)] for o in np.flatnonzero(day.channels[:, CENTS]) if o != rows[0]]
    if len(goods) > 1:
        words += f", {' and '.join([goods[k], *along])}"
    if crowd.world.prices[c] != 1:
        words += f", at {100 * crowd.world.prices[c]:.0f} % of the usual price"
    words += ", as a new customer" if day.channels[:, NEW].any() else ", as a customer"
    yield Event("order", name, f"{words}. {_credit(crowd, day)}")


def _credit(crowd: Crowd, day: Lived) -> str:
    book = day.media[: len(crowd.media)]
    last = [crowd.media[m] for m in np.flatnonzero(book[:, LAST_TOUCH])]
    claimed = [crowd.media[m] for m in np.flatnonzero(book[:, CLAIMS])]
    by = f"Last touch: {last[0]}" if last else "No last touch"
    return f"{by}; claimed by {', '.join(claimed) or 'nobody'}."


def _afterwards(day: Lived, way: Sequence[Touch]) -> Iterator[Event]:
    if day.channels[:, LATE].any():
        yield Event("afterwards", "afterwards", "The delivery is late.")
    if day.channels[:, INCIDENTS].any():
        yield Event("afterwards", "afterwards", "Something is wrong with what was delivered.")
    if day.channels[:, ORDERS].any():
        now = f"{float(day.before.satisfaction):+.2f} to {float(day.after.satisfaction):+.2f}"
        yield Event("afterwards", "afterwards", f"Satisfaction moves from {now}.")
        if day.after.consent & MAIL and not day.before.consent & MAIL:
            yield Event("afterwards", "afterwards", "Opts in to messages.")
    if day.before.stage and not day.after.stage and not way:
        yield Event("afterwards", "afterwards", "Has looked for too long and gives up.")
    if day.company[DROPPED]:
        again = "a prospect again" if day.before.status == CUSTOMER else "no customer"
        yield Event("afterwards", "afterwards", f"Drops out: {again}, satisfaction forgotten.")


def _writes(crowd: Crowd, day: Lived, ids: np.ndarray) -> Iterator[Event]:
    for row in np.flatnonzero(day.wrote[TALK]) if day.wrote.size else ():
        yield Event("friends", "friends", f"Tells person {ids[row]} of the order.")
    for row in np.flatnonzero(day.wrote[INVITATIONS]) if day.wrote.size else ():
        yield Event("friends", "friends", f"Invites person {ids[row]}.")


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
