"""Targets: what departments should reach in a year, what they reach, and whether they still try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnisim import incentives
from omnisim.departments import Department, spends_the_rest
from omnisim.records import MEDIA_COLUMNS
from omnisim.spec import WEEKS_IN_YEAR, Target

if TYPE_CHECKING:
    from omnisim.simulation.clock import Simulation

COLUMNS = {"claims": "reported_claims", "last_touch": "reported_last_touch"}  # as they are shown


def column(kpi: str) -> str:
    """Return the column of media's ledgers that a KPI is counted in."""
    return COLUMNS.get(kpi, kpi)


def of(world: Simulation) -> dict[str, Target]:
    """Return the targets of the departments that hold budgets, by their keys."""
    units = world.strategy.organigram
    told = ((who.key, units[who.key].target) for who in world.deciders if _is_head(who))
    return {key: target for key, target in told if target is not None}


def open_books(world: Simulation) -> None:
    """Set the first targets: last year's numbers and some more, where a year is on record."""
    state = world.state
    state.reached = dict.fromkeys(of(world), 0.0)
    state.targets = {
        key: (1 + target.growth) * _counted(world, key, WEEKS_IN_YEAR)
        for key, target in of(world).items()
        if len(state.ledger.media) >= WEEKS_IN_YEAR
    }


def new_year(world: Simulation) -> None:
    """Let targets follow what was reached."""
    state = world.state
    for key, target in of(world).items():
        reached = state.reached[key]
        last = state.targets.get(key, reached)
        state.targets[key] = (1 + target.growth) * (last + target.ratchet * (reached - last))
        state.reached[key] = 0.0


def close_week(world: Simulation, media: np.ndarray) -> dict[str, float]:
    """Count what was reached in a week (float64[media, MEDIA_COLUMNS]); return what is booked."""
    state, wanted, attained = world.state, 0.0, 0.0
    for key in of(world):
        rows, kpi = _rows(world, key), _kpi(world, key)
        week = float(media[rows, MEDIA_COLUMNS.index(kpi)].sum())
        state.reached[key] += week
        if key in state.targets:
            wanted += state.targets[key] / WEEKS_IN_YEAR
            attained += week
    return {"targeted": wanted, "attained": attained}


def holds_back(world: Simulation, scope: str, week: int, worth: float) -> float:
    """Return the part of a week's money that a head holds back because of its target.

    `worth` is what the next euro earns in its belief (EUR). It looks at where the year will
    end if it goes on as it began.
    """
    target, nth = of(world).get(scope), week % WEEKS_IN_YEAR
    goal = world.state.targets.get(scope, 0.0)
    if target is None or goal <= 0 or nth == 0:
        return 0.0
    ends = world.state.reached[scope] * WEEKS_IN_YEAR / nth
    own = worth * incentives.paid_for_more(ends / goal, target)
    weight, words = world.company_weight, world.strategy.incentives
    return 0.0 if spends_the_rest(own, worth, weight, words) else target.slack


def _is_head(who: object) -> bool:
    return isinstance(who, Department)


def _kpi(world: Simulation, key: str) -> str:
    return column(world.strategy.organigram[key].kpi)


def _rows(world: Simulation, key: str) -> list[int]:
    return [world.media.index(name) for name in world.scopes[key]]


def _counted(world: Simulation, key: str, weeks: int) -> float:
    ledger = world.state.ledger.media[-weeks:]
    place = MEDIA_COLUMNS.index(_kpi(world, key))
    return float(np.sum([week[_rows(world, key), place] for week in ledger]))
