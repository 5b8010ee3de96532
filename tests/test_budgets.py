"""The year's money: what departments get, when they spend it, what becomes of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim.departments import next_budgets, spends_the_rest, weekly_plan
from omnisim.measures import measure
from omnisim.simulation import simulate
from omnisim.spec import ExperimentSpec, Incentives
from tests.worlds import company, composed, lived, question

TEXTBOOK = ("market=textbook", "horizon.history_weeks=52", "horizon.weeks=104", "truth=none")
HOARD = 0.0691  # gives the last week 4.86 times a usual one (O16)
cents = st.integers(0, 10**12)
names = st.text("abcdefgh", min_size=1, max_size=3)


def asked(*overrides: str, **incentives: Any) -> ExperimentSpec:
    words = [f"incentives.{name}={value}" for name, value in incentives.items()]
    return composed(*TEXTBOOK, *words, *overrides)


def outcome(spec: ExperimentSpec, name: str, arm: str = "siloed") -> float:
    rows = measure(spec, simulate(spec, 0, [arm]).values())
    return float(rows[(rows["outcome"] == name) & (rows["channel"] == "")]["value"].iloc[0])


@given(cents, st.floats(0, 0.99), st.integers(0, 52))
def test_what_is_held_back_and_what_is_spent_are_the_budget(
    money: int, reserve: float, rush: int
) -> None:
    plan = weekly_plan(money, reserve, rush)
    kept = round(reserve * money)
    assert len(plan) == 52
    assert sum(plan) == (money if rush else money - kept)
    assert min(plan) >= 0


def test_the_reserve_of_the_oracle_makes_its_last_week() -> None:
    plan = np.array(weekly_plan(10**9, HOARD, 1))
    assert plan[-1] / plan[:-1].mean() == pytest.approx(4.86, abs=0.005)
    assert (plan[-5] / 3 + plan[-4:].sum()) / plan.sum() == pytest.approx(0.1466, abs=0.0005)


@given(
    st.dictionaries(names, st.integers(1, 10**10), min_size=1, max_size=6),
    st.floats(0, 1),
    st.data(),
)
def test_a_ratchet_gives_the_whole_total_and_takes_from_those_who_did_not_spend(
    held: dict[str, int], ratchet: float, data: st.DataObject
) -> None:
    left = {key: data.draw(st.integers(-(10**6), had)) for key, had in held.items()}
    total = sum(held.values())
    after = next_budgets(held, 0.02, total, ratchet, left)
    assert sum(after.values()) == total
    assert min(after.values()) >= 0
    thrifty = [key for key in held if left[key] <= 0]
    assert all(after[key] >= held[key] - 1 for key in thrifty)


def test_what_nobody_spends_costs_nobody_anything() -> None:
    held = {"a": 600, "b": 400}
    assert next_budgets(held, 0.0, 1000, 1.0, held) == held
    assert next_budgets(held, 0.0, 1000, 1.0, {"a": 300, "b": 200}) == held
    assert next_budgets(held, 0.0, 1000, 1.0, {"a": 300}) == {"a": 429, "b": 571}
    assert next_budgets(held, 0.0, 1000, 0.0, {"a": 300}) == held


@pytest.mark.parametrize(
    ("own", "firm", "fear", "threshold"),
    [(0.4, 0.4, 0.0, 0.4), (0.4, 0.4, 0.2, 0.6), (0.4, 0.2, 0.2, 0.5), (0.4, 0.2, 0.8, 1.01)],
)
def test_a_head_gives_money_back_only_beyond_the_closed_form_threshold(
    own: float, firm: float, fear: float, threshold: float
) -> None:
    # (own + R) / (own + 1 - firm); R = ratchet x private value x discount / (1 - discount)
    words = Incentives(ratchet=1.0, private_value=fear / 9, discount=0.9)
    exact = (own + fear) / (own + 1 - firm)
    assert min(exact, 1.01) == pytest.approx(threshold, abs=0.011)
    assert spends_the_rest(own, firm, min(1.0, exact - 1e-6), words)
    assert exact >= 1 or not spends_the_rest(own, firm, exact + 1e-6, words)


def test_use_it_or_lose_it_makes_a_spike_and_rolling_over_makes_none() -> None:
    loses, keeps = (asked(reserve=HOARD, roll_over=rolls) for rolls in ("false", "true"))
    assert outcome(asked(), "last_week_spike") == pytest.approx(1, abs=1e-4)
    assert outcome(loses, "last_week_spike") == pytest.approx(4.86, abs=0.01)
    assert outcome(keeps, "last_week_spike") == pytest.approx(1, abs=1e-4)
    assert outcome(loses, "held_back") == 0
    assert outcome(keeps, "held_back") > 0


def test_the_rush_costs_what_the_closed_form_says() -> None:
    # O16 with a logarithm whose b is one, or two, mean spends: 2.16 % and 1.95 % of a year.
    for b, loss in ((100.0, 0.0216), (200.0, 0.0195)):
        alike = ", ".join(f"m{m}: {{curve: {{kind: log, a: 100, b: {b}}}}}" for m in range(1, 5))
        market = (
            *(f"market.media={{{alike}}}", "market.baseline_orders=0", "market.demand.sd=0"),
            *("market.splits.legacy={m1: .25, m2: .25, m3: .25, m4: .25}", "steering=frozen"),
            *("steering.kind=siloed", "steering.review_weeks=500", "steering.exploration=0"),
        )
        even, rush = (
            outcome(asked(*market, reserve=held), "expected_orders") for held in (0, HOARD)
        )
        assert 1 - rush / even == pytest.approx(loss, abs=0.0002)


def test_every_cent_is_granted_planned_or_held_back_and_what_is_carried_is_granted_again() -> None:
    world = lived(asked(reserve=0.1, roll_over="true"), 104)
    granted, planned, held, spent = (
        company(world, f"{name}_cents") for name in ("budget", "allocated", "held_back", "spent")
    )
    assert (granted == planned + held).all()
    assert (spent <= planned).all()
    year = round(world.market.budget * 100)
    assert granted[:52].sum() == year
    assert granted[52:].sum() == year + held[:52].sum()
    assert held[:52].sum() == pytest.approx(0.1 * year, abs=len(world.state.budgets))


def test_who_decides_for_the_whole_firm_keeps_no_reserve() -> None:
    spec = asked(reserve=HOARD)
    assert outcome(spec, "last_week_spike", "central") == pytest.approx(1, abs=1e-4)


def test_a_head_who_is_paid_on_the_company_gives_back_what_earns_less_than_it_costs() -> None:
    dear = ("market.channels.shop.basket=1",)  # a quarter of a euro an order
    paid = {
        weight: outcome(asked(*dear, reserve=HOARD, company_weight=weight), "held_back")
        for weight in (0, 1)
    }
    assert paid[0] == 0
    assert paid[1] > 0


def test_the_ratchet_moves_budget_from_those_who_cannot_spend() -> None:
    words = ("market.people=400", "market.burn_in_weeks=52", "horizon.history_weeks=12")
    cap = ("market.media.email.weekly_cap=0.01",)
    shares = {}
    for ratchet in (0.0, 0.8):
        world = lived(question(*words, *cap, f"incentives.ratchet={ratchet}"), 54)
        whole = sum(world.state.budgets.values())
        shares[ratchet] = world.state.budgets["crm"] / whole
        assert whole == round(world.market.budget * 100)
        held = sum(world.state.shares[world.media.index(name)] for name in world.scopes["crm"])
        assert held == pytest.approx(shares[ratchet], abs=1e-6)
    assert shares[0.8] < 0.95 * shares[0.0]
