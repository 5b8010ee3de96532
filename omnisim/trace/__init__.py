"""The trace: one person's walk through a run, day by day, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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

    @property
    def date(self) -> str:
        """Return week and day, both counted from one."""
        week, day = divmod(self.nth, DAYS_IN_WEEK)
        return f"week {week + 1}, day {day + 1}"


@dataclass(frozen=True)
class Walk:
    """A need that was walked, from its first day to its last one in the trace."""

    first: int
    last: int
    ours: bool


@dataclass(frozen=True)
class Trace:
    """One person under one arm, some weeks after the fork.

    `traits` describe the person on the morning of the fork.
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

    def of(self, *kinds: str) -> list[Event]:
        """Return all events of these kinds."""
        return [event for day in self.days for event in day.events if event.kind in kinds]

    @property
    def title(self) -> str:
        """Return whose trace this is."""
        return f"Person {self.person} of {self.market} under {self.arm}"

    @property
    def summary(self) -> str:
        """Return the whole trace in a sentence."""
        met = self.of("contact", "click")
        ours = sum(walk.ours for walk in self.walks)
        counts = (
            (sum(event.count for event in met), "contact"),
            (len({event.lane for event in met}), "medium"),
            (len(self.of("click")), "day with a click"),
            (len(self.walks), "walk"),
            (len(self.of("order")), "order"),
        )
        contacts, media, clicks, walks, orders = (_counted(*count) for count in counts)
        return (
            f"In {_counted(self.weeks, 'week')} {contacts} with {media}, {clicks},"
            f" {walks} ({ours} with us), {orders}."
        )


PLURALS = {"medium": "media", "day with a click": "days with a click"}


def _counted(count: int, what: str) -> str:
    return f"{count} {what if count == 1 else PLURALS.get(what, f'{what}s')}"


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
    spec: ExperimentSpec, person: int | None = None, arm: str | None = None, weeks: int = WEEKS
) -> Trace:
    """Return one person's days under an arm after the fork, in replication 0; raise Fault.

    Nobody named: one whose life is worth telling. No arm named: the baseline.
    """
    check(spec, person, arm)
    arm = spec.baseline if arm is None else arm
    history = shared_history(spec, 0)
    if person is None:
        person = worth_telling(history.fork(spec.arms[arm]), weeks)
    return follow(history.fork(spec.arms[arm]), arm, person, weeks)


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


def follow(world: Simulation, arm: str, person: int, weeks: int) -> Trace:
    """Let a world live some weeks on and return what one person's days held."""
    row = world.state.people.row_of(person)
    crowd, morning = _crowd(world)
    traits = tuple(_traits(crowd, morning, row))
    days: list[Day] = []
    walks = [Walk(0, 0, bool(_record(morning, row).ours))] if _record(morning, row).stage else []
    for nth in range(weeks * DAYS_IN_WEEK):
        morning = _crowd(world)[1].copy()
        world.step()
        day = again(crowd, morning, row)
        events = tuple(told(crowd, day, tuple(way(crowd, morning, row)), morning.people.ids))
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
    )


def _crowd(world: Simulation) -> tuple[Crowd, CrowdState]:
    crowd, state = world.population, world.state.population
    if not isinstance(crowd, Crowd) or not isinstance(state, CrowdState):
        raise TypeError("a market of curves has no people")
    return crowd, state


def _record(state: CrowdState, row: int) -> np.record:
    record: np.record = state.people.state[row]
    return record


def _traits(crowd: Crowd, state: CrowdState, row: int) -> list[str]:
    """Return who this is, in a few words each."""
    who, people = _record(state, row), state.people
    persona, region = crowd.market.cells[who.cell]
    known = [name for c, name in enumerate(crowd.channels) if (int(who.identity) >> c) & 1]
    reached = [name for m, name in enumerate(crowd.media) if (int(people.reach[row]) >> m) & 1]
    agrees = [name for bit, name in ((COOKIES, "cookies"), (MAIL, "messages")) if who.consent & bit]
    needs = float(people.need[row]) * DAYS_IN_WEEK * 52
    ordered = "has ordered before" if who.last_order > NEVER else "has never ordered"
    return [
        f"persona {persona}" + f", region {region}" * bool(region),
        f"about {needs:.1f} needs a year",
        f"{'customer' if who.status == CUSTOMER else 'prospect'} at the fork, {ordered}",
        f"consents to {' and '.join(agrees) or 'nothing'}",
        f"recognised in {', '.join(known) or 'no sales channel'}, if a customer",
        f"can be met by {', '.join(reached) or 'no medium'}",
    ]
