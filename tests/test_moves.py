"""Moves of budget: who may move what, within which bounds, how fast, and at what price."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from omnisim import allocation, config
from omnisim.departments import company_weight, gives_up
from omnisim.records import COMPANY_COLUMNS
from omnisim.simulation import Appointment, Simulation, snapshot
from omnisim.spec import DAYS_IN_WEEK, Culture, ExperimentSpec, Incentives, Steering
from tests.worlds import company, composed, lived

TEXTBOOK = ("market=textbook", "horizon.history_weeks=0", "horizon.weeks=104", "truth=none")
CLEAN = ("steering.report_delay_weeks=0", "steering.report_noise=0")
AT_ONCE = ("steering.damping=1", "steering.step=1")
MOVING = ("siloed", "bottom_up", "side_by_side", "percent_of_sales", "central", "equal")


def asked(*overrides: str) -> ExperimentSpec:
    return composed(*TEXTBOOK, *overrides)


def bits(world: Simulation, but: tuple[str, ...] = ("overhead",)) -> bytes:
    kept = [COMPANY_COLUMNS.index(name) for name in COMPANY_COLUMNS if name not in but]
    ledger = world.state.ledger
    weeks = (*ledger.media, *ledger.channels, *(week[kept] for week in ledger.company))
    return b"".join(np.ascontiguousarray(week).tobytes() for week in weeks)


def caused(world: Simulation, weeks: int = 26) -> float:
    """Return what media cause beside the baseline, a week."""
    told = np.array(world.state.ledger.channels)[-weeks:]
    return float(told[:, 0, 8].mean()) - 800


# -- every way of steering ------------------------------------------------------------------


@pytest.mark.parametrize("kind", MOVING)
@pytest.mark.parametrize("cap", ["{}", "{m1: 0.3, m3: 0.45}"])
def test_every_allocation_is_the_budget_within_its_bounds(kind: str, cap: str) -> None:
    if kind == "equal":
        cap = "{}"
    bounds = (f"steering.cap={cap}", "steering.floor=0.05", "steering.exploration=0")
    if kind in ("siloed", "bottom_up", "side_by_side"):
        bounds = ("steering.cap={m1: 0.55, m4: 0.52}", *bounds[1:])
    spec = asked(f"steering.kind={kind}", *bounds)
    world = lived(spec, 110)
    year = round(world.market.budget * 100)
    allocated, granted = company(world, "allocated_cents"), company(world, "budget_cents")
    assert (allocated == granted).all()
    assert allocated[:52].sum() == year
    assert (
        abs(allocated[52:104].sum() - year) <= 52 * 8
    )  # a move may cost a week a cent of rounding
    assert math.fsum(world.state.shares) == pytest.approx(1)
    steering = spec.status_quo.steering
    for names in world.scopes.values():
        rows = [world.media.index(name) for name in names]
        part = world.state.shares[rows] / world.state.shares[rows].sum()
        for name, share in zip(names, part, strict=True):
            assert 0.05 - 1e-9 <= share <= steering.cap.get(name, 1.0) + 1e-9


@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=8),
    st.lists(st.floats(0, 1), min_size=8, max_size=8),
    st.lists(st.floats(0.5, 1), min_size=8, max_size=8),
    st.floats(0.01, 1),
)
def test_a_step_keeps_caps_that_can_be_kept(
    held: list[float], wanted: list[float], cap: list[float], step: float
) -> None:
    n = len(held)
    shares, bounds = np.array(held) / sum(held), np.array(cap[:n])
    target = np.array(wanted[:n]) + 1e-6
    words = Steering(kind="central", step=step, floor=0.01)
    went = allocation.step(
        shares, target / target.sum(), np.full(n, np.inf), words, np.minimum(bounds, 1.0)
    )
    assert went.sum() == pytest.approx(1)
    assert (went <= bounds + 1e-9).all()
    assert (went >= 0.01 - 1e-9).all()


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("steering.cap={m1: 0.2, m2: 0.2, m3: 0.2, m4: 0.2}", "steering.cap"),
        ("steering.floor=0.3", "steering.floor"),
        ("steering.cap={m1: 0.001}", "steering.cap.m1"),
        ("steering.cap={m9: 0.5}", "steering.cap.m9"),
        ("steering.scope=[lefft]", "steering.scope.lefft"),
    ],
)
def test_a_budget_that_bounds_make_infeasible_is_refused_with_the_bounds_that_bind(
    words: str, key: str
) -> None:
    with pytest.raises(config.ConfigError) as error:
        asked("steering.kind=central", words)
    assert key in str(error.value)
    assert "found" in str(error.value)


def test_a_refused_cap_names_whose_budget_it_is_and_every_cap_that_binds() -> None:
    with pytest.raises(config.ConfigError) as error:
        asked("steering.kind=siloed", "steering.cap={m1: 0.4, m2: 0.5, m3: 0.1}")
    assert "left" in str(error.value)
    assert "m1 0.4, m2 0.5" in str(error.value)
    assert "m3" not in str(error.value).partition("allowed")[0]


@pytest.mark.parametrize("kind", ["bottom_up", "side_by_side"])
def test_departments_that_move_budget_do_better_than_silos_where_credit_is_clean(
    kind: str,
) -> None:
    paid = ("incentives.company_weight=1", "steering.exploration=0.1", *CLEAN)
    silo = caused(lived(asked(*paid, "steering.kind=siloed"), 104))
    at_once = AT_ONCE if kind == "bottom_up" else ()
    moved = caused(lived(asked(*paid, f"steering={kind}", *at_once), 104))
    best = caused(lived(asked(*paid, "market.start=optimal", "steering.kind=frozen"), 104))
    assert silo < moved
    assert moved > silo + 0.3 * (best - silo)


def test_last_year_s_sales_keep_what_is_sold_most() -> None:
    world = lived(asked("steering=percent_of_sales", *CLEAN), 54)
    touches = np.array(world.state.ledger.media)[:52, :, 5].sum(axis=0)
    assert world.state.shares == pytest.approx(touches / touches.sum(), abs=1e-9)


def test_departments_that_are_paid_on_their_own_claims_never_trade() -> None:
    own, silo = (lived(asked(f"steering.kind={kind}"), 60) for kind in ("side_by_side", "siloed"))
    assert own.state.budgets == silo.state.budgets
    assert own.state.shares == pytest.approx(silo.state.shares, abs=1e-3)


@pytest.mark.parametrize(
    ("company_weight", "their_cost", "gives"),
    [(0.0, 0.01, False), (1.0, 0.5, True), (1.0, 1.0, False), (1.0, 2.0, False), (0.5, 0.9, False)],
)
def test_a_head_gives_budget_up_only_if_its_pay_gains(
    company_weight: float, their_cost: float, gives: bool
) -> None:
    assert gives_up(1.0, their_cost, 1.0, company_weight, 0.1) is gives


# -- politics -------------------------------------------------------------------------------


def test_what_all_departments_exaggerate_alike_changes_nothing_to_the_bit() -> None:
    def boasting(left: float, right: float, *words: str) -> bytes:
        told = (
            f"organigram.left.inflation={left}",
            f"organigram.right.inflation={right}",
        )
        return bits(lived(asked(*words, *told), 60))

    for words in (("steering=bottom_up", *AT_ONCE), ("steering=central", "attribution=claims")):
        assert boasting(0.4, 0.4, *words) == boasting(0, 0, *words)
        assert boasting(0.4, 0.0, *words) != boasting(0, 0, *words)


def test_power_and_exaggeration_draw_budget_and_lambda_makes_honest() -> None:
    def left(*words: str) -> float:
        world = lived(asked("steering=bottom_up", *AT_ONCE, *words), 60)
        return world.state.budgets["left"] / sum(world.state.budgets.values())

    boast = "organigram.left.inflation=0.5"
    assert left("organigram.left.power=0.5") > left() + 0.05
    assert left(boast) > left() + 0.05
    paid = "incentives.company_weight=1"
    assert left(boast, paid) == left(paid)


def test_a_bias_to_equal_parts_ends_at_equal_parts() -> None:
    words = ("steering.kind=central", "steering.evenness=1", "steering.damping=1")
    shares = lived(asked(*words), 30).state.shares
    assert shares == pytest.approx(np.full(4, 0.25), abs=0.01)


# -- the manager ----------------------------------------------------------------------------


def test_a_manager_without_a_mandate_is_no_manager_to_the_bit() -> None:
    silo = lived(asked("steering.kind=siloed"), 60)
    assert bits(lived(asked("steering.kind=central", "steering.mandate=0"), 60)) == bits(silo)
    assert bits(lived(asked("steering.kind=central"), 60)) != bits(silo)


def test_a_mandate_carries_out_that_part_of_an_order() -> None:
    still = ("steering.exploration=0", "steering.kind=central", *CLEAN)
    shares = {
        mandate: lived(asked(*still, f"steering.mandate={mandate}"), 5).state.shares
        for mandate in (0, 0.25, 0.999999, 1)
    }
    quarter = shares[0] + 0.25 * (shares[1] - shares[0])
    assert shares[0.25] == pytest.approx(quarter, abs=1e-3)
    assert shares[0.999999] == pytest.approx(shares[1], abs=1e-3)
    assert np.abs(shares[1] - shares[0]).max() > 0.01


def test_what_she_may_move_alone_needs_no_mandate() -> None:
    still = ("steering.exploration=0", "steering.kind=central", "steering.mandate=0", *CLEAN)
    alone = {
        part: lived(asked(*still, f"steering.alone={part}"), 5).state.shares
        for part in (0, 0.02, 1)
    }
    moved = 0.5 * np.abs(alone[0.02] - alone[0]).sum()
    assert moved == pytest.approx(0.02, abs=1e-3)
    assert 0.5 * np.abs(alone[1] - alone[0]).sum() > 0.04


def test_she_moves_no_more_media_than_she_looks_at() -> None:
    still = ("steering.exploration=0", "steering.kind=central", "steering.attention=2", *CLEAN)
    worlds = [lived(asked(*still), weeks) for weeks in (4, 5)]
    moved = np.abs(worlds[1].state.shares - worlds[0].state.shares) > 1e-9
    assert moved.sum() == 2
    all_of_them = lived(asked(*still[:2], "steering.attention=4", *CLEAN), 30)
    assert bits(all_of_them) == bits(lived(asked(*still[:2], *CLEAN), 30))


def test_a_centre_of_all_departments_is_the_centre_and_one_of_some_leaves_the_others() -> None:
    whole = lived(asked("steering.kind=central"), 60)
    named = lived(asked("steering.kind=central", "steering.scope=[left, right]"), 60)
    assert bits(named) == bits(whole)
    left = lived(asked("steering.kind=central", "steering.scope=[left]", *CLEAN), 60)
    silo = lived(asked("steering.kind=siloed", *CLEAN), 60)
    right = [2, 3]
    assert left.state.shares[right].tolist() == silo.state.shares[right].tolist()


def test_a_centre_holds_back_what_costs_more_than_its_limit_and_silos_never_do() -> None:
    limit = "steering.limit=0.4"  # the next order costs .50 where the budget is spent best
    world = lived(asked("steering.kind=central", limit, *CLEAN), 104)
    held = (
        company(world, "held_back_cents")[-13:].sum() / company(world, "budget_cents")[-13:].sum()
    )
    # a ln(1 + x / b) costs (x + b) / a: at .40 all media together need 300 of 400 EUR
    assert held == pytest.approx(0.25, abs=0.12)
    assert company(lived(asked("steering.kind=siloed", limit), 60), "held_back_cents").sum() == 0
    dear = lived(asked("steering.kind=central", "steering.limit=99", *CLEAN), 60)
    assert bits(dear) == bits(lived(asked("steering.kind=central", *CLEAN), 60))


def test_overhead_is_booked_by_the_week_and_moves_nothing() -> None:
    paid, free = (
        lived(asked("steering.kind=central", f"steering.overhead={cost}"), 60) for cost in (5200, 0)
    )
    assert bits(paid) == bits(free)
    assert company(paid, "overhead").tolist() == [100.0] * 60
    assert not company(free, "overhead").any()


# -- the committee --------------------------------------------------------------------------


def requests(world: Simulation) -> list[Any]:
    return [entry for entry in world.state.agenda if entry.kind == "request"]


def test_a_committee_moves_budget_and_one_that_hears_less_moves_it_later() -> None:
    silo = lived(asked("steering.kind=siloed", *CLEAN), 52)
    left = {}
    for every in (4, 26):
        words = ("steering.kind=siloed", f"steering.committee={every}", *CLEAN)
        world = lived(asked(*words), 52)
        left[every] = world.state.budgets["left"]
        assert sum(world.state.budgets.values()) == round(world.market.budget * 100)
    assert left[4] > left[26] > silo.state.budgets["left"]


def test_nobody_has_two_requests_waiting_and_the_first_to_ask_is_heard_first() -> None:
    words = ("steering.kind=siloed", "steering.committee=6", "steering.review_weeks=1")
    world = lived(asked(*words), 30)
    seen = set()
    for day in range(30 * DAYS_IN_WEEK, 60 * DAYS_IN_WEEK):
        world.run_to(day)
        waiting = [entry.key.partition(" ")[2] for entry in requests(world)]
        assert len(waiting) == len(set(waiting)) <= 2
        seen.add(min((entry.key for entry in requests(world)), default=""))
    heard = [key.partition(" ")[2] for key in sorted(seen - {""})]
    assert {"left", "right"} <= set(heard)


def test_a_world_goes_on_to_the_bit_from_every_day_on_which_a_request_waits(
    tmp_path: Path,
) -> None:
    words = ("steering.kind=siloed", "steering.committee=3", "steering.review_weeks=2")
    spec = asked(*words, "market.burn_in_weeks=0")
    world = lived(spec, 4)
    first, waited = world.state.day, 0
    for day in range(first, first + 91):
        world.run_to(day)
        waited += bool(requests(world))
        snapshot.save(world, tmp_path / str(day))
    world.run_to(first + 91)
    assert waited > 60
    for day in range(first, first + 91):
        resumed = snapshot.load(tmp_path / str(day), spec)
        resumed.run_to(first + 91)
        assert bits(resumed, but=()) == bits(world, but=())
        assert sorted(resumed.state.agenda) == sorted(world.state.agenda)
        assert resumed.state.budgets == world.state.budgets


@pytest.mark.parametrize("kind", ["bottom_up", "side_by_side", "percent_of_sales", "central"])
def test_a_world_under_any_new_steering_goes_on(kind: str, tmp_path: Path) -> None:
    words = ("incentives.company_weight=1", "incentives.reserve=0.05", "incentives.roll_over=true")
    more = ("steering.mandate=0.5", "steering.limit=0.4") if kind == "central" else ()
    spec = asked(f"steering.kind={kind}", *words, *more)
    world = lived(spec, 20)
    for weeks in (3, 31, 20):
        world.run_to(world.state.day + weeks * DAYS_IN_WEEK + 3)
        snapshot.save(world, tmp_path / "kept")
        resumed = snapshot.load(tmp_path / "kept", spec)
        for twin in (world, resumed):
            twin.run_to(twin.state.day + 40)
        assert bits(resumed, but=()) == bits(world, but=())
        assert resumed.state.budgets == world.state.budgets


# -- culture --------------------------------------------------------------------------------


def test_culture_rises_while_it_is_paid_and_falls_back_when_it_is_not() -> None:
    words = Incentives(company_weight=0.1, culture=Culture(goal=0.7, weeks=52, pace=26))
    weight = [company_weight(words, week) for week in range(300)]
    assert weight[0] == 0.1
    assert np.diff(weight[:53]).min() > 0 > np.diff(weight[52:]).max()
    assert weight[26] == pytest.approx(0.1 + 0.6 * (1 - math.exp(-1)))
    assert weight[52] < 0.7
    assert weight[299] == pytest.approx(0.1, abs=1e-3)
    assert company_weight(Incentives(company_weight=0.3), 77) == 0.3


def test_a_programme_costs_while_it_is_paid_and_departments_trade_because_of_it() -> None:
    programme = "incentives.culture={goal: 1, weeks: 52, pace: 13, cost: 5200}"
    world = lived(asked("steering=side_by_side", programme, *CLEAN), 80)
    assert company(world, "overhead").tolist() == [100.0] * 52 + [0.0] * 28
    silo = lived(asked("steering.kind=siloed", *CLEAN), 80)
    assert world.state.budgets["left"] > silo.state.budgets["left"]


# -- the order of a day -----------------------------------------------------------------------


def test_appointments_of_a_day_are_kept_by_priority_and_key_whenever_they_were_made() -> None:
    world = Simulation(asked(), 0)
    world.adopt(world.spec.status_quo)
    world.env = simpy.Environment(initial_time=world.state.day)
    kept: list[tuple[int, str]] = []

    def keep(one: tuple[int, str], _: simpy.Event) -> None:
        kept.append(one)

    wanted = [(1, ""), (1, "a"), (1, "aa"), (1, "b"), (2, ""), (2, "00000007 left"), (2, "z")]
    for nth in (3, 0, 6, 1, 5, 2, 4):
        priority, key = wanted[nth]
        # what is on the agenda when an appointment is made does not matter
        world.state.agenda = [Appointment(9, priority, key, "request")]
        event = world._at(Appointment(world.state.day + 2, priority, key, "request"))
        assert event.callbacks is not None
        event.callbacks.append(partial(keep, wanted[nth]))
    world.env.run(until=world.state.day + 3)
    assert kept == wanted
