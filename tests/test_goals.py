"""What a centre wants most of: revenue, new customers, the lowest CPO, no more than a CPO."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim import allocation, config
from omnisim.allocation import View
from omnisim.records import CHANNEL_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation, truth
from omnisim.spec import Steering
from tests import worlds
from tests.worlds import at_fork, composed, question

TEXTBOOK = ("market=textbook", "horizon.history_weeks=0", "horizon.weeks=104", "truth=none")
CALM = ("market.demand.sd=0", "steering.report_noise=0", "steering.report_delay_weeks=0")


@cache
def lived(*words: str) -> Simulation:
    return worlds.lived(composed(*TEXTBOOK, *CALM, *words), 104)


def year(world: Simulation, column: str) -> float:
    told = np.array(world.state.ledger.channels)[-52:, :, CHANNEL_COLUMNS.index(column)]
    return float(told.sum())


def cpo(world: Simulation) -> float:
    spent = np.array(world.state.ledger.media)[-52:, :, MEDIA_COLUMNS.index("spent_cents")]
    return float(spent.sum()) / 100 / year(world, "expected_orders")


def a_view(spend: float, orders: float) -> View:
    weeks = 120
    money = np.full((weeks, 2), spend)
    return View(
        ("a", "b"),
        money,
        money / 10,
        np.arange(weeks, 0, -1),
        np.array([0.5, 0.5]),
        money,
        sales=np.tile([orders, 100 * orders], (weeks, 1)),
    )


# -- pure rules ---------------------------------------------------------------------------


@given(st.floats(0.5, 3), st.floats(0.5, 3))
def test_a_higher_cap_holds_back_no_more(one: float, other: float) -> None:
    view, belief = a_view(1000, 500), np.array([5.0, 20.0])
    low, high = (Steering(kind="central", cpo_cap=cap) for cap in sorted((one, other)))
    free = [
        allocation.released(
            np.array([0.8, 0.8]), belief, allocation.limit(np.array([0.8, 0.8]), belief, view, s), s
        )
        for s in (low, high)
    ]
    assert (free[0] <= free[1] + 1e-9).all()


def test_a_floor_that_revenue_has_passed_lets_money_be_held_back_and_a_higher_one_frees_it() -> (
    None
):
    view, belief, half = a_view(1000, 500), np.array([5.0, 20.0]), np.array([0.5, 0.5])
    revenue = 500 * 100 * 52
    for floor, sign in ((0.8 * revenue, -1), (1.2 * revenue, 1)):
        steering = Steering(kind="central", revenue_floor=floor)
        limit = allocation.limit(half, belief, view, steering)
        change = allocation.released(half, belief, limit, steering) - half
        assert (np.sign(change) == sign).all()


def test_the_dearest_next_order_is_held_back_first() -> None:
    view, belief = a_view(1000, 500), np.array([5.0, 20.0])
    steering = Steering(kind="central", cpo_cap=3.9)
    limit = allocation.limit(np.ones(2), belief, view, steering)
    freed = allocation.released(np.ones(2), belief, limit, steering)
    assert freed[1] < freed[0]


# -- in a market of curves -----------------------------------------------------------------


@pytest.mark.parametrize("cap", [0.1, 0.13])
def test_a_cap_on_cpo_is_kept_and_sells_more_the_higher_it_is(cap: float) -> None:
    world = lived("steering=central", f"steering.cpo_cap={cap}")
    assert cpo(world) == pytest.approx(cap, rel=0.05)
    assert year(world, "expected_orders") < year(lived("steering=central"), "expected_orders")


def test_at_a_floor_of_revenue_an_order_costs_less() -> None:
    free = lived("steering=central")
    floor = 0.9 * year(free, "expected_revenue_gross")
    world = lived("steering=central", f"steering.revenue_floor={floor}")
    assert year(world, "expected_revenue_gross") == pytest.approx(floor, rel=0.03)
    assert cpo(world) < 0.9 * cpo(free)


@pytest.mark.parametrize("words", ["steering.cpo_cap=0.1", "steering.revenue_floor=1.3e6"])
def test_the_oracle_keeps_what_it_is_asked_and_no_strategist_does_better(words: str) -> None:
    steered, known = (lived(f"steering={kind}", words) for kind in ("central", "oracle"))
    if "cap" in words:
        assert cpo(known) <= 0.1 * 1.01
        assert year(known, "expected_orders") > 0.99 * year(steered, "expected_orders")
    else:
        assert year(known, "expected_revenue_gross") > 0.99 * 1.3e6
        assert cpo(known) < 1.05 * cpo(steered)


# -- among people ------------------------------------------------------------------------


def test_what_media_touch_last_is_worth_what_was_ordered() -> None:
    same = [f"market.channels.{name}.basket=80" for name in ("app", "store", "web")]
    world = at_fork(question("market.people=2000", "market.buying.repeat_basket=1", *same))
    media = np.array(world.state.ledger.media).sum(axis=0)
    touched, new, value = (
        media[:, MEDIA_COLUMNS.index(f"expected_last_touch{of}")] for of in ("", "_new", "_value")
    )
    assert (new <= touched).all()
    assert 0 < new.sum() < touched.sum()
    assert value.sum() / touched.sum() == pytest.approx(80, rel=1e-6)


def test_a_centre_for_new_customers_values_media_by_whom_they_bring() -> None:
    words = ("steering=central", "steering.report_noise=0", "market.people=2000")
    plain, asked = (
        at_fork(question(*words, f"steering.goal={goal}"))
        for goal in ("contribution", "new_customers")
    )
    (centre,) = asked.deciders
    rows = [asked.media.index(name) for name in centre.media]
    media = np.array(asked.state.ledger.media)[-12 - 4 :].sum(axis=0)
    view = asked.view(centre, rows)
    twin = asked.fork(
        asked.strategy.model_copy(
            update={"steering": asked.strategy.steering.model_copy(update={"goal": "contribution"})}
        )
    )
    usual = twin.view(twin.deciders[0], rows)
    touched = usual.credit.sum(axis=0) > 0
    new, all_of = (media[:, MEDIA_COLUMNS.index(f"expected_last_touch{of}")] for of in ("_new", ""))
    part = new[touched] / all_of[touched]
    worth = view.credit.sum(axis=0)[touched] / usual.credit.sum(axis=0)[touched]
    assert np.corrcoef(part, worth)[0, 1] > 0.9
    assert plain.state.shares != pytest.approx(asked.state.shares)


def test_the_oracle_searches_for_what_is_asked() -> None:
    spec = composed(*TEXTBOOK, *CALM, "steering=oracle", "steering.goal=revenue")
    world = Simulation(spec, 0)
    world.adopt(spec.status_quo)
    assert truth.best_shares(world, 2) == pytest.approx([0.45, 0.275, 0.175, 0.1], abs=0.04)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("steering.cpo_cap=10", "steering.limit=5"), "steering.cpo_cap"),
        (("steering.goal=profits",), "steering.goal"),
        (("steering=central_new_customers", *TEXTBOOK), "steering.goal"),
    ],
)
def test_goals_that_nobody_can_have_are_refused(words: tuple[str, ...], where: str) -> None:
    with pytest.raises(config.ConfigError, match=where):
        composed(*words)
