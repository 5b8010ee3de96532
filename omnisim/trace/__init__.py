"""The trace: one person's walk through a run, day by day, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnisim.language import ENGLISH, REGION, Language, message
from omnisim.people import COOKIES, CUSTOMER, MAIL, NEVER
from omnisim.simulation import Simulation, shared_history
from omnisim.simulation.crowd import Crowd, CrowdState
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec, Fault, Market
from omnisim.trace.again import again
from omnisim.trace.story import Event, told
from omnisim.trace.way import way

WEEKS = 26


@dataclass(frozen=True)
class Day:
    """A day since the fork on which something happened, and how the person stood at its end.

    `goodwill` over all media, in noticed contacts.
    """

    nth: int
    events: tuple[Event, ...]
    goodwill: float
    satisfaction: float

    def date(self, words: Language) -> str:
        """Return week and day, both counted from one."""
        week, day = divmod(self.nth, DAYS_IN_WEEK)
        return words.say("week {week}, day {day}", week=week + 1, day=day + 1)


@dataclass(frozen=True)
class Walk:
    """A need that was walked, from its first day to its last one in the trace."""

    first: int
    last: int
    ours: bool


@dataclass(frozen=True)
class Trace:
    """One person under one arm, some weeks after the fork, told in a language.

    Arm, media, sales channels and lanes stand by their keys; `traits` describe the person on the
    morning of the fork.
    """

    market: str
    arm: str
    person: int
    weeks: int
    media: tuple[str, ...]
    channels: tuple[str, ...]
    traits: tuple[str, ...]
    days: tuple[Day, ...]
    walks: tuple[Walk, ...]
    words: Language

    def of(self, *kinds: str) -> list[Event]:
        """Return all events of these kinds."""
        return [event for day in self.days for event in day.events if event.kind in kinds]

    @property
    def title(self) -> str:
        """Return whose trace this is."""
        return self.words.say(
            "Person {person} of {market} under {arm}",
            person=self.person,
            market=self.market,
            arm=self.words.name(self.arm),
        )

    @property
    def summary(self) -> str:
        """Return the whole trace in a sentence."""
        met = self.of("contact", "click")
        ours = sum(walk.ours for walk in self.walks)
        counts = {
            "weeks": self.weeks,
            "contacts": sum(event.count for event in met),
            "media": len({event.lane for event in met}),
            "clicks": len(self.of("click")),
            "walks": len(self.walks),
            "orders": len(self.of("order")),
        }
        counted = {
            what: self.words.say(COUNTED[what][count != 1], count=count)
            for what, count in counts.items()
        }
        return self.words.say(
            "In {weeks} {contacts} with {media}, {clicks}, {walks} ({ours} with us), {orders}.",
            ours=ours,
            **counted,
        )


# one, and many or none
COUNTED = {
    "weeks": (message("{count} week"), message("{count} weeks")),
    "contacts": (message("{count} contact"), message("{count} contacts")),
    "media": (message("{count} medium"), message("{count} media")),
    "clicks": (message("{count} day with a click"), message("{count} days with a click")),
    "walks": (message("{count} walk"), message("{count} walks")),
    "orders": (message("{count} order"), message("{count} orders")),
}


def check(spec: ExperimentSpec, person: int | None = None, arm: str | None = None) -> None:
    """Raise Fault if there is no such person or arm to be traced."""
    market = spec.market
    if not isinstance(market, Market):
        raise Fault("market", f"'{market.name}', which has curves", "a market of people")
    if person is not None and not 0 <= person < market.people:
        raise Fault("--person", person, f"0 to {market.people - 1}")
    if arm is not None and arm not in spec.arms:
        raise Fault("--arm", f"'{arm}'", "an arm of the experiment", sorted(spec.arms))


def trace(
    spec: ExperimentSpec,
    person: int | None = None,
    arm: str | None = None,
    weeks: int = WEEKS,
    words: Language = ENGLISH,
) -> Trace:
    """Return one person's days under an arm after the fork, in replication 0; raise Fault.

    Nobody named: one whose life is worth telling. No arm named: the baseline.
    """
    check(spec, person, arm)
    arm = spec.baseline if arm is None else arm
    history = shared_history(spec, 0)
    if person is None:
        person = worth_telling(history.fork(spec.arms[arm]), weeks)
    return follow(history.fork(spec.arms[arm]), arm, person, weeks, words)


def worth_telling(world: Simulation, weeks: int) -> int:
    """Live some weeks on and return the id of who met most media and sales channels.

    Of those who have ordered, if anybody has; the lowest id among equals.
    """
    began = world.state.day
    world.run_to(began + weeks * DAYS_IN_WEEK)
    people = world.state.people
    who = people.state
    met = (people.viewed >= began).sum(axis=0)
    channels = np.array([(who["met"] >> c) & 1 for c in range(len(world.channels))])
    walked = who["walk_since"] >= began
    score = met + np.where(walked, channels.sum(axis=0), 0)
    score += (who["last_online"] >= began).astype(int) + (who["last_offline"] >= began)
    score += 1000 * (who["last_order"] >= began)
    return int(people.ids[score == score.max()].min())


def follow(
    world: Simulation, arm: str, person: int, weeks: int, words: Language = ENGLISH
) -> Trace:
    """Let a world live some weeks on and return what one person's days held."""
    row = world.state.people.row_of(person)
    crowd, morning = _crowd(world)
    traits = tuple(_traits(crowd, morning, row, words))
    days: list[Day] = []
    walks = [Walk(0, 0, bool(_record(morning, row).ours))] if _record(morning, row).stage else []
    for nth in range(weeks * DAYS_IN_WEEK):
        morning = _crowd(world)[1].copy()
        world.step()
        day = again(crowd, morning, row)
        touches, ids = tuple(way(crowd, morning, row)), morning.people.ids
        events = tuple(told(crowd, day, touches, ids, words))
        if any(event.kind == "need" for event in events):
            walks.append(Walk(nth, nth, bool(day.after.ours)))
        elif day.before.stage:
            walks[-1] = Walk(walks[-1].first, nth, walks[-1].ours)
        if events:
            days.append(Day(nth, events, float(day.feels.sum()), float(day.after.satisfaction)))
    return Trace(
        market=world.market.name,
        arm=arm,
        person=person,
        weeks=weeks,
        media=tuple(world.media),
        channels=tuple(world.channels),
        traits=traits,
        days=tuple(days),
        walks=tuple(walks),
        words=words,
    )


def _crowd(world: Simulation) -> tuple[Crowd, CrowdState]:
    crowd, state = world.population, world.state.population
    if not isinstance(crowd, Crowd) or not isinstance(state, CrowdState):
        raise TypeError("a market of curves has no people")
    return crowd, state


def _record(state: CrowdState, row: int) -> np.record:
    record: np.record = state.people.state[row]
    return record


def _traits(crowd: Crowd, state: CrowdState, row: int, words: Language) -> list[str]:
    """Return who this is, in a few words each."""
    who, people, say = _record(state, row), state.people, words.say
    persona, region = crowd.market.cells[who.cell]
    known = [name for c, name in enumerate(crowd.channels) if (int(who.identity) >> c) & 1]
    reached = [name for m, name in enumerate(crowd.media) if (int(people.reach[row]) >> m) & 1]
    needs = words.number(float(people.need[row]) * DAYS_IN_WEEK * 52, 1)
    return [
        _persona(persona, region, words),
        say("about {needs} needs a year", needs=needs),
        say(STATUS[bool(who.status == CUSTOMER), bool(who.last_order > NEVER)]),
        say(CONSENTS[bool(who.consent & COOKIES), bool(who.consent & MAIL)]),
        say("recognised in {channels}, if a customer", channels=_names(known, words))
        if known
        else say("recognised in no sales channel, if a customer"),
        say("can be met by {media}", media=_names(reached, words))
        if reached
        else say("can be met by no medium"),
    ]


def _persona(persona: str, region: str, words: Language) -> str:
    who = words.name(persona)
    if not region:
        return words.say("persona {persona}", persona=who)
    there = words.at(REGION, region)
    return words.say("persona {persona}, region {region}", persona=who, region=there)


def _names(keys: list[str], words: Language) -> str:
    return ", ".join(words.name(key) for key in keys)


# is a customer, has ordered before
STATUS = {
    (True, True): message("customer at the fork, has ordered before"),
    (True, False): message("customer at the fork, has never ordered"),
    (False, True): message("prospect at the fork, has ordered before"),
    (False, False): message("prospect at the fork, has never ordered"),
}
# to cookies, to messages
CONSENTS = {
    (True, True): message("consents to cookies and messages"),
    (True, False): message("consents to cookies"),
    (False, True): message("consents to messages"),
    (False, False): message("consents to nothing"),
}
