"""Two halves of the regions: who pays them differently, and what is read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnisim import allocation, attribution, geo, streams
from omnisim.spec import DAYS_IN_WEEK, HALVES, WEEKS_IN_YEAR

if TYPE_CHECKING:
    from omnisim.simulation.clock import Simulation


def seen(world: Simulation, rows: list[int], after: int) -> geo.Seen:
    """Return what geo experiments with some media show of the weeks before `after`.

    Orders of a half, or what the centre's goal counts of them, are counted at the firm's real
    size; revenue in mean orders.
    """
    ledger = world.state.ledger
    first = max(0, ledger.first_week)
    planned = ledger.media_column("planned_cents", rows, first, after)
    shares = planned / np.maximum(1.0, planned.sum(axis=1, keepdims=True))
    expected = ledger.by_half("expected_orders", first, after)
    match world.strategy.steering.goal:
        case "new_customers":
            expected = ledger.by_half("expected_new_customers", first, after)
        case "revenue":
            value = ledger.by_half("expected_revenue_gross", first, after)
            expected = value * (expected.sum() / max(value.sum(), 1e-9))
    week = world.state.day // DAYS_IN_WEEK
    return geo.Seen(
        plans=shares[:, None, :] * ledger.tilted(rows, first, after),
        orders=attribution.counted(expected, _luck(world, first, len(expected))),
        parts=world.population.half_shares,
        weights=np.power(world.strategy.steering.forgetting, np.arange(len(expected), 0.0, -1)),
        luck=np.array(
            [streams.normal(world.root, streams.EXPLORATION, world.media[m], week) for m in rows]
        ),
    )


def _luck(world: Simulation, first: int, weeks: int) -> np.ndarray:
    names = [f"half {half}" for half in range(HALVES)]
    return np.array(
        [
            [streams.normal(world.root, streams.REPORT_COUNT, name, week) for name in names]
            for week in range(first, first + weeks)
        ]
    ).reshape(weeks, HALVES)


def try_next(world: Simulation, view: allocation.View) -> None:
    """Pay the halves differently from today on, so that there is something to learn."""
    rows = [world.media.index(name) for name in view.media]
    state, parts = world.state, world.population.half_shares
    scope = state.shares[rows].sum()
    if view.seen is None or scope <= 0 or len(rows) < HALVES:
        return
    shares = state.shares[rows] / scope
    plans = allocation.trial(view, view.seen, shares, world.strategy.steering)
    whole = parts @ plans
    state.shares[rows] = scope * whole / whole.sum()
    state.tilt = np.ones_like(state.tilt)
    state.tilt[:, rows] = plans / whole


# -- hold-outs --------------------------------------------------------------------------------


def hold_out(world: Simulation, week: int) -> np.ndarray:
    """Return the part of the week's plan that stands (float64[media]); one half does without.

    Where the firm attributes by experiment one medium after the other is held out of the
    first half of the regions; then it rests until a year is over.
    """
    words, state = world.strategy.attribution, world.state
    kept = np.ones(len(world.media))
    if words.kind != "experiment" or not world.deciders or week < 0:
        return kept
    turns = max(len(world.media), WEEKS_IN_YEAR // words.test_weeks)
    medium = week // words.test_weeks % turns
    state.tilt = np.ones_like(state.tilt)
    if medium < len(world.media):
        parts = world.population.half_shares
        kept[medium] = parts[1]
        state.tilt[:, medium] = [0.0, 1 / parts[1]]
    return kept


def shown(world: Simulation, rows: list[int], after: int) -> np.ndarray:
    """Return what hold-outs before a week show of every week (float64[weeks, rows]).

    Other weeks follow from the tested ones by the elasticity that the firm expects; a medium
    that was not yet tested is shown by last touch.
    """
    ledger, everything = world.state.ledger, list(range(len(world.media)))
    first = max(0, ledger.first_week)
    off = ledger.tilted(everything, first, after)[:, 0, :] == 0
    credit = ledger.media_column("reported_last_touch", rows, 0, after)
    if not off.any():
        return credit
    found = geo.caused(seen(world, everything, after), off)
    planned = ledger.media_column("planned_cents", everything, 0, after)
    elasticity = world.strategy.steering.elasticity_mean
    for nth, m in enumerate(rows):
        if not np.isnan(found[m]):
            weeks = planned[-len(off) :, m]
            usual = max(1.0, float(weeks[off[:, m]].mean()) / world.population.half_shares[1])
            level = np.where(off[:, m], usual, weeks) / usual
            credit[-len(off) :, nth] = found[m] * level**elasticity
    return credit
