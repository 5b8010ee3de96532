"""Closed forms of what departments do (O4, O10, O14, O16, O17) and of steps that complete (O15)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from omnisim import attribution, incentives, rollout
from omnisim.curves import Log
from omnisim.departments import spends_the_rest, weekly_plan
from omnisim.spec import WEEKS_IN_YEAR, Incentives

CENTS = 520_000_000  # a year's budget, so much that whole cents do not count


def turning(decides: Callable[[float], bool]) -> float:
    """Return where a decision between 0 and 1 turns from true to false."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if decides(middle) else (low, middle)
    return low


# -- O4: who pays to be seen last -------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """Orders in proportion to spend."""

    rate: float

    def orders(self, spend: float) -> float:
        """Return the orders that a spend causes."""
        return self.rate * spend

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro."""
        return self.rate

    def spend_at(self, slope: float) -> float:
        """Return the spend at which the slope has fallen to `slope`: never, or at once."""
        return math.inf if slope < self.rate else 0.0


GAMES = [
    (3, 0.3, 0.0, 200.0, 26.666667),
    (3, 0.3, 0.5, 200.0, 13.333333),
    (3, 0.3, 1.0, 200.0, 0.0),
    (5, 0.2, 0.0, 100.0, 17.6),
    (2, 0.3, 0.0, 0.0, 15.0),
]


@pytest.mark.parametrize(("departments", "contestable", "weight", "baseline", "captured"), GAMES)
def test_departments_come_to_pay_for_being_last_what_the_closed_form_says(
    departments: int, contestable: float, weight: float, baseline: float, captured: float
) -> None:
    budget, line = 100.0, Line(2.0)
    paid = np.linspace(1, 9, departments)
    for turn in range(400):
        own = turn % departments
        others = np.delete(paid, own)
        orders = baseline + math.fsum(line.orders(budget - x) for x in others)
        paid[own] = incentives.captures(
            line, budget, math.fsum(others), orders, contestable, weight
        )
    assert paid == pytest.approx(captured, abs=1e-6)
    pot = baseline + departments * line.orders(budget)
    exact = (1 - weight) * contestable * (departments - 1) * pot / (departments**2 * 2.0)
    assert captured == pytest.approx(min(budget, exact), abs=1e-6)


@pytest.mark.parametrize(("departments", "contestable", "weight", "baseline", "captured"), GAMES)
def test_no_other_spend_on_being_last_pays_a_department_more(
    departments: int, contestable: float, weight: float, baseline: float, captured: float
) -> None:
    def pay(own: float) -> float:
        spends = np.full(departments, captured)
        spends[0] = own
        caused = 2.0 * (100 - spends)
        credit = attribution.contested(caused, baseline, spends, contestable)
        return (1 - weight) * float(credit[0]) + weight * (baseline + math.fsum(caused))

    best = pay(captured)
    assert all(pay(own) <= best + 1e-9 for own in np.linspace(0.001, 100, 500))


def test_contested_credit_adds_up_to_the_orders_that_are_contested_or_caused() -> None:
    caused = np.array([50.0, 30.0, 20.0])
    credit = attribution.contested(caused, 200.0, np.array([0.0, 1.0, 3.0]), 0.3)
    assert credit == pytest.approx([35, 21 + 22.5, 14 + 67.5])
    assert math.fsum(credit) == pytest.approx(100 + 0.3 * 200)
    nobody = attribution.contested(caused, 200.0, np.zeros(3), 0.3)
    assert nobody.tolist() == caused.tolist()


def test_where_response_saturates_more_is_paid_for_being_last() -> None:
    steep, flat = (
        incentives.captures(Log(200 * b, b), 100.0, 20.0, 500.0, 0.3, 0.0) for b in (100.0, 20.0)
    )
    assert flat > steep > 0
    assert incentives.captures(Log(200, 20), 100.0, 0.0, 500.0, 0.3, 0.0) == 0.0


# -- O10: ratchets ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("firm", "fear", "weight"),
    [(0.4, 0.0, 0.4), (0.4, 0.2, 0.6), (0.2, 0.2, 0.4), (0.2, 0.8, 0.99999999)],
)
def test_a_head_spends_the_last_euro_up_to_the_weight_of_the_closed_form(
    firm: float, fear: float, weight: float
) -> None:
    own = firm  # an order counts as much in the bonus as it leaves
    words = Incentives(ratchet=1.0, private_value=fear / 9, discount=0.9)
    exact = (own + fear) / (own + 1 - firm)
    reached = turning(lambda company: spends_the_rest(own, firm, company, words))
    assert reached == pytest.approx(min(1.0, exact), abs=1e-9)
    assert reached == pytest.approx(weight, abs=1e-6)


@pytest.mark.parametrize(("ratchet", "part"), [(0.5, 1 / 6), (0.2, 1 / 3)])
def test_a_target_that_follows_success_shrinks_the_bonus(ratchet: float, part: float) -> None:
    assert incentives.under_ratchet(1.0, ratchet, 0.1) == pytest.approx(part, rel=1e-12)
    # One more today, once, lifts the targets of all later years, ever less.
    targets = ratchet * (1 - ratchet) ** np.arange(2000)
    lost = float((targets / 1.1 ** np.arange(1, 2001)).sum())
    assert 1 - lost == pytest.approx(part, rel=1e-9)


# -- O14: what a department does to others ------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "spend", "loss"),
    [(0.0, 150, 0.07526), (0.25, 175, 0.03932), (0.5, 200, 0.01633), (1.0, 250, 0.0)],
)
def test_who_does_not_mind_the_others_spends_too_little_on_what_helps_them(
    weight: float, spend: float, loss: float
) -> None:
    response, margin, spill = Log(200, 50), 1.0, 0.5

    def profit(spent: float) -> float:
        return margin * (1 + spill) * response.orders(spent) - spent

    chosen = incentives.spends(response, margin, spill, weight)
    assert chosen == pytest.approx(spend, rel=1e-9)
    best = max(profit(x) for x in range(100, 400))
    assert 1 - profit(chosen) / best == pytest.approx(loss, abs=5e-6)
    assert incentives.spends(response, margin, -spill, weight) <= 150


# -- O16: what is held back goes out at the end -------------------------------------------------


def test_a_reserve_makes_the_last_week_as_large_as_the_closed_form_says() -> None:
    plan = np.array(weekly_plan(CENTS, 0.0691, 1)) / CENTS
    assert plan[-1] / plan[:-1].mean() == pytest.approx(4.86, abs=5e-3)
    assert plan[-4:].sum() + plan[-5] * 0.33 == pytest.approx(0.1466, abs=6e-5)


@pytest.mark.parametrize(
    ("half", "loss", "dearer"), [(0.5, 0.0209, 3.51), (1.0, 0.0216, 2.86), (2.0, 0.0195, 2.23)]
)
def test_a_rush_at_the_years_end_costs_what_the_closed_form_says(
    half: float, loss: float, dearer: float
) -> None:
    response = Log(1.0, half * CENTS / WEEKS_IN_YEAR)
    rushed, even = weekly_plan(CENTS, 0.0691, 1), weekly_plan(CENTS)
    reached, possible = (math.fsum(map(response.orders, plan)) for plan in (rushed, even))
    assert 1 - reached / possible == pytest.approx(loss, abs=6e-5)
    assert response.slope(rushed[0]) / response.slope(rushed[-1]) == pytest.approx(dearer, abs=6e-3)


# -- O17: who hands a customer over --------------------------------------------------------------

GRID = (np.arange(400) + 0.5) / 400


def orders_where(stake: float, sees: bool) -> float:
    """Return the mean chance of an order where both chances are uniform and independent."""
    chances = [
        there if incentives.refers(here, there if sees else 0.5, stake) else here
        for here in GRID.tolist()
        for there in GRID.tolist()
    ]
    return math.fsum(chances) / len(chances)


@pytest.mark.parametrize(
    ("referral", "weight", "sees", "orders"),
    [
        (0.0, 0.0, True, 0.5),
        (0.25, 0.0, True, 0.572917),
        (0.0, 0.5, True, 0.625),
        (0.5, 0.0, True, 0.625),
        (0.0, 1.0, True, 0.666667),
        (1.0, 0.0, True, 0.666667),
        (0.0, 0.0, False, 0.5),
        (0.5, 0.0, False, 0.59375),
        (0.0, 1.0, False, 0.625),
    ],
)
def test_hand_over_brings_the_orders_of_the_closed_form(
    referral: float, weight: float, sees: bool, orders: float
) -> None:
    stake = incentives.stake(referral, weight)
    exact = 0.5 + (stake / 3 - stake**2 / 6 if sees else stake / 4 - stake**2 / 8)
    assert exact == pytest.approx(orders, abs=5e-7)
    assert orders_where(stake, sees) == pytest.approx(exact, abs=1e-3)


def test_data_without_an_incentive_bring_nothing_and_an_incentive_without_data_most() -> None:
    nothing, data, incentive, both = (
        orders_where(stake, sees) for stake in (0.0, 1.0) for sees in (False, True)
    )
    assert data == nothing
    assert (incentive - nothing) / (both - nothing) == pytest.approx(0.75, abs=0.01)


# -- O15: steps that complete each other ----------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "complement", "path"),
    [
        (1.6, 0.5, (0, -0.6, -0.7, -0.3, 0.6, 2.0, 3.9)),
        (1.6, 0.2, None),
        (0.8, 0.0, None),
        (1.2, -0.1, None),
    ],
)
def test_steps_that_complete_each_other_pay_beyond_where_the_closed_form_says(
    cost: float, complement: float, path: tuple[float, ...] | None
) -> None:
    worth = [rollout.worth(steps, 1.0, cost, complement) for steps in range(7)]
    if path is not None:
        assert worth == pytest.approx(path, abs=1e-12)
    beyond = rollout.pays_beyond(1.0, cost, complement)
    assert all((value > 1e-12) == (steps > beyond) for steps, value in enumerate(worth) if steps)


def test_steps_dip_before_they_gain_only_if_they_cost_more_and_complete_each_other() -> None:
    steps = range(7)
    dips = [rollout.worth(m, 1.0, 1.6, 0.5) for m in steps]
    never = [rollout.worth(m, 1.0, 1.6, 0.2) for m in steps]
    rises = [rollout.worth(m, 1.0, 0.8, 0.0) for m in steps]
    falls = [rollout.worth(m, 1.0, 1.2, -0.1) for m in steps]
    assert min(dips) < 0 < dips[-1]
    assert max(never) == never[0] == 0
    assert rises == sorted(rises)
    assert falls == sorted(falls, reverse=True)
