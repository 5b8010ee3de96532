"""One replication of a market of people, from which everything about it is measured.

Its history is lived once; what media cause is read from forks of the morning after it, in
which nobody steers and luck is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK, WEEKS_IN_YEAR, ExperimentSpec, Market
from omnisim.validate.diary import Diary, Open, watched
from omnisim.validate.targets import Target

QUARTER = 13
Rest = ParamSpec("Rest")
Found = TypeVar("Found")


class Replication:
    """One replication of a market in which nobody steers; what it knows is found out once."""

    def __init__(self, spec: ExperimentSpec, number: int = 0) -> None:
        self.spec = spec
        self.number = number
        self.found: dict[tuple[object, ...], Any] = {}

    @property
    def market(self) -> Market:
        """Return the market; raise Open if it has no people."""
        if not isinstance(self.spec.market, Market):
            raise Open("the market has no people")
        return self.spec.market

    @cached_property
    def history(self) -> tuple[Simulation, Diary]:
        """Return the world on the morning after its history, and the history's diary."""
        world = Simulation(self.spec, self.number)
        world.adopt(self.spec.status_quo)
        world.run_to(0)
        return world, watched(world, self.spec.horizon.history_weeks * DAYS_IN_WEEK)

    @property
    def morning(self) -> Simulation:
        """Return the world on the morning after its history."""
        return self.history[0]

    @property
    def diary(self) -> Diary:
        """Return the diary of the history."""
        return self.history[1]

    @cached_property
    def plain(self) -> Simulation:
        """Return a fork one year on that pays what is planned."""
        return self.paid({}, WEEKS_IN_YEAR)

    def fork(self, factors: Mapping[str, float], market: Market | None = None) -> Simulation:
        """Return a fork that pays media another part of their plan, perhaps in another market."""
        return forked(self.morning, factors, market)

    def paid(
        self,
        factors: Mapping[str, float],
        weeks: int,
        paid_weeks: int = QUARTER,
        market: Market | None = None,
    ) -> Simulation:
        """Return such a fork some weeks on, of which it paid another part in the first ones."""
        world = self.fork(factors, market)
        begun = world.state.day
        world.run_to(begun + min(weeks, paid_weeks) * DAYS_IN_WEEK)
        world.change = np.ones(len(world.media))
        world.run_to(begun + weeks * DAYS_IN_WEEK)
        return world

    def first(self, weeks: int) -> slice:
        """Return the first booked weeks of every fork."""
        begun = len(self.morning.state.ledger.company)
        return slice(begun, begun + weeks)

    @property
    def past(self) -> slice:
        """Return the booked weeks of the history."""
        begun = len(self.morning.state.ledger.company)
        return slice(begun - self.spec.horizon.history_weeks, begun)

    def media(self, target: Target) -> tuple[str, ...]:
        """Return the media that a target is about; raise Open if none is paid for here."""
        split = self.market.start_split()
        found = tuple(name for name in target.media if split.get(name, 0) > 0)
        if not found:
            raise Open(f"the market pays for no {' and no '.join(target.media)}")
        return found

    def channels(self, target: Target) -> tuple[str, ...]:
        """Return the sales channels that a target is about; raise Open if one is missing."""
        missing = [name for name in target.channels if name not in self.market.channels]
        if missing:
            raise Open(f"the market has no {' and no '.join(missing)}")
        return target.channels

    @cached_property
    def online(self) -> tuple[str, ...]:
        """Return the online sales channels."""
        return tuple(name for name, one in sorted(self.market.channels.items()) if one.online)


Measure = Callable[[Replication, Target], float]


def once(
    find: Callable[Concatenate[Replication, Rest], Found],
) -> Callable[Concatenate[Replication, Rest], Found]:
    """Let a replication remember what a function finds out about it."""

    @functools.wraps(find)
    def remembering(replication: Replication, /, *rest: Rest.args, **named: Rest.kwargs) -> Found:
        key = (find, rest, tuple(named.items()))
        if key not in replication.found:
            replication.found[key] = find(replication, *rest, **named)
        found: Found = replication.found[key]
        return found

    return remembering


def forked(
    world: Simulation, factors: Mapping[str, float], market: Market | None = None
) -> Simulation:
    """Return a fork that pays media another part of their plan, perhaps in another market."""
    spec = world.spec if market is None else world.spec.model_copy(update={"market": market})
    twin = Simulation(spec, world.replication, world.state.copy())
    twin.adopt(world.strategy)
    twin.change = np.array([factors.get(name, 1.0) for name in twin.media])
    return twin


def sold(
    world: Simulation, column: str, weeks: slice, channels: Iterable[str] | None = None
) -> float:
    """Return the sum of a column of sales channels, of all if none is named, over weeks."""
    names = world.channels if channels is None else channels
    rows = [world.channels.index(name) for name in names]
    book = np.array(world.state.ledger.channels[weeks])
    return float(book[:, rows, _place(CHANNEL_COLUMNS, column)].sum())


def aired(
    world: Simulation, column: str, weeks: slice, media: Iterable[str] | None = None
) -> float:
    """Return the sum of a column of media, of all if none is named, over weeks."""
    rows = [world.media.index(name) for name in (world.media if media is None else media)]
    book = np.array(world.state.ledger.media[weeks])
    return float(book[:, rows, _place(MEDIA_COLUMNS, column)].sum())


def booked(world: Simulation, column: str, weeks: slice) -> float:
    """Return the sum of a column of the company over weeks."""
    book = np.array(world.state.ledger.company[weeks])
    return float(book[:, _place(COMPANY_COLUMNS, column)].sum())


def _place(columns: tuple[str, ...], name: str) -> int:
    if name not in columns:
        raise Open(f"ledgers do not count {name} yet")
    return columns.index(name)
