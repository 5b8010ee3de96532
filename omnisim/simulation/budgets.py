"""Budgets: a year's money by scope, its pace from week to week, what becomes of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnisim import allocation
from omnisim.departments import Department, next_budgets, spends_the_rest, weekly_plan
from omnisim.records import CHANNEL_COLUMNS
from omnisim.simulation import halves, ideas, targets
from omnisim.spec import DAYS_IN_WEEK, WEEKS_IN_YEAR
from omnisim.steering import split_budget

if TYPE_CHECKING:
    from omnisim.simulation.clock import Simulation


def open_books(world: Simulation) -> None:
    """Hand the year's money to those who hold it under a strategy just adopted."""
    state = world.state
    shares = dict(zip(world.media, state.shares.tolist(), strict=True))
    state.budgets = split_budget(total(world), world.scopes, shares) if world.scopes else {}
    state.carried = dict.fromkeys(state.budgets, 0)
    state.unspent = dict.fromkeys(state.budgets, 0)
    state.unplanned = dict.fromkeys(state.budgets, 0)
    targets.open_books(world)


def total(world: Simulation) -> int:
    """Return the company's budget of a year in cents."""
    return round(world.market.budget * 100)


def new_year(world: Simulation) -> None:
    """Give every scope its budget of the year: what it had, less what the ratchet takes.

    What departments held back belongs to the new year if it may roll over.
    """
    state, words = world.state, world.strategy.incentives
    had = {scope: cents - state.carried[scope] for scope, cents in state.budgets.items()}
    ratchet = 0.0 if words.roll_over else words.ratchet
    budgets = next_budgets(had, words.growth, total(world), ratchet, state.unspent)
    if ratchet > 0:
        weigh(world, budgets)
    rolls = {scope: words.roll_over and _hoards(world, scope) for scope in budgets}
    state.carried = {scope: rolls[scope] * state.unplanned[scope] for scope in budgets}
    state.budgets = {scope: cents + state.carried[scope] for scope, cents in budgets.items()}
    state.unspent = dict.fromkeys(budgets, 0)
    state.unplanned = dict.fromkeys(budgets, 0)
    targets.new_year(world)


def weigh(world: Simulation, budgets: dict[str, int]) -> None:
    """Let the shares of the company's budget follow what every scope has."""
    whole = max(1, sum(budgets.values()))
    for scope, rows in rows_of(world).items():
        held = world.state.shares[rows].sum()
        if held > 0:
            world.state.shares[rows] *= budgets[scope] / whole / held


def rows_of(world: Simulation) -> dict[str, list[int]]:
    """Return the rows of every scope's media."""
    return {
        scope: [world.media.index(name) for name in names] for scope, names in world.scopes.items()
    }


def money(world: Simulation, scope: str, week: int) -> int:
    """Return the cents that a scope wants to spend in a week."""
    cents = _paced(world, scope, week)
    if scope in world.state.targets:
        cents -= int(targets.holds_back(world, scope, week, _worth(world, scope)) * cents)
    return cents


def _paced(world: Simulation, scope: str, week: int) -> int:
    cents, words = world.state.budgets[scope], world.strategy.incentives
    nth = week % WEEKS_IN_YEAR
    if not words.reserve or not _hoards(world, scope):
        return granted(world, week)[scope]
    rush = words.rush_weeks * (not words.roll_over)
    if nth >= WEEKS_IN_YEAR - rush and not _dumps(world, scope):
        rush = 0
    return weekly_plan(cents, words.reserve, rush)[nth]


def granted(world: Simulation, week: int) -> dict[str, int]:
    """Return the cents of each scope's budget that fall on a week, evenly over the year.

    Where budgets move within a year every week is split anew, so that the cents that are
    left over in a division are neither lost nor paid twice.
    """
    held, nth = world.state.budgets, week % WEEKS_IN_YEAR
    if not _moves_within_a_year(world):
        return {scope: weekly_plan(cents)[nth] for scope, cents in held.items()}
    cents = weekly_plan(sum(held.values()))[nth]
    split = allocation.largest_remainder(cents, [held[scope] for scope in sorted(held)])
    return dict(zip(sorted(held), split.tolist(), strict=True))


def _moves_within_a_year(world: Simulation) -> bool:
    words = world.strategy.steering
    partly = words.kind == "central" and words.mandate < 1 and (words.mandate or words.alone)
    return bool(partly or words.kind == "side_by_side" or words.committee)


def plan_week(world: Simulation, shares: np.ndarray) -> None:
    """Turn every scope's money of the week into cents per medium."""
    state = world.state
    week = state.day // DAYS_IN_WEEK
    planned = np.zeros(len(world.media), np.int64)
    for scope, rows in rows_of(world).items():
        planned[rows] = allocation.largest_remainder(money(world, scope, week), shares[rows])
    planned = np.floor(planned * state.released * halves.hold_out(world, week)).astype(np.int64)
    state.planned = np.rint(planned * world.change).astype(np.int64)
    state.spent = np.zeros_like(planned)


def close_week(world: Simulation, week: int) -> dict[str, int]:
    """Book what every scope left over; return the company's cents by column."""
    state, budget = world.state, granted(world, week)
    for scope, rows in rows_of(world).items():
        state.unplanned[scope] += budget[scope] - int(state.planned[rows].sum())
        state.unspent[scope] += budget[scope] - int(state.spent[rows].sum())
    whole, allocated = sum(budget.values()), int(state.planned.sum())
    return {
        "budget_cents": whole,
        "allocated_cents": allocated,
        "held_back_cents": whole - allocated,
        "spent_cents": int(state.spent.sum()),
    }


def overhead(world: Simulation, week: int) -> float:
    """Return what steering, culture, tests and agencies cost in a week (EUR, M12)."""
    culture = world.strategy.incentives.culture
    since = week - world.state.adopted // DAYS_IN_WEEK - culture.start
    under_way = 0 <= since < culture.weeks
    yearly = world.strategy.steering.overhead + under_way * culture.cost
    return yearly / WEEKS_IN_YEAR + ideas.cost(world, week) + _fees(world)


def _fees(world: Simulation) -> float:
    """Return what agencies are paid for the week's media (EUR)."""
    units = world.strategy.organigram.values()
    return sum(
        unit.agency * float(world.state.spent[world.media.index(name)]) / 100
        for unit in units
        if unit.agency > 0
        for name in unit.owns
        if name in world.media
    )


def _hoards(world: Simulation, scope: str) -> bool:
    """Tell whether a department holds the scope: nobody else keeps a reserve."""
    return any(isinstance(who, Department) and who.key == scope for who in world.deciders)


def _dumps(world: Simulation, scope: str) -> bool:
    """Tell whether a head spends the reserve at the year's end, on what it believes.

    An agency that buys for it is paid for every euro spent.
    """
    worth, fee = _worth(world, scope), world.strategy.organigram[scope].agency
    return spends_the_rest(worth + fee, worth, world.company_weight, world.strategy.incentives)


def _worth(world: Simulation, scope: str) -> float:
    """Return what the next euro of a scope earns in its head's belief (EUR of margin)."""
    (head,) = (who for who in world.deciders if who.key == scope)
    view = world.view(head, rows_of(world)[scope])
    cost = allocation.believed(view, world.strategy.steering)
    bought = float(np.sum(np.where(np.isnan(cost), 0.0, view.shares / cost)))
    return bought * margin_of_an_order(world)


def margin_of_an_order(world: Simulation) -> float:
    """Return what an order of the last year left after goods and serving (EUR), as booked."""
    weeks = world.state.ledger.channels[-WEEKS_IN_YEAR:]
    year = np.sum(weeks or [np.zeros((1, len(CHANNEL_COLUMNS)))], axis=0).sum(axis=0)
    booked = dict(zip(CHANNEL_COLUMNS, year.tolist(), strict=True))
    kept = booked["margin"] - booked["cost_to_serve"]
    return kept / booked["orders"] if booked["orders"] else 0.0
