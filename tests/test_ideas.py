"""Ideas that are tried and shipped, media that open later, culture that begins later."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from omnisim import config, inference
from omnisim.departments import company_weight
from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS
from omnisim.simulation import Simulation, ideas, snapshot
from omnisim.spec import DAYS_IN_WEEK, Culture, ExperimentSpec, Ideas, Incentives, Trying
from tests.worlds import at_fork, booked, but, composed, rich

CURVES = ("market=textbook", "horizon.history_weeks=0", "truth=none", "steering=frozen")
TRIES = ("trying.ideas=13", "trying.weeks=4")


def asked(*words: str) -> ExperimentSpec:
    return but(composed(*CURVES), *words)


def lived(spec: ExperimentSpec, weeks: int, replication: int = 0) -> Simulation:
    world = at_fork(spec, replication)
    world.run_to(world.state.day + weeks * DAYS_IN_WEEK)
    return world


def orders(world: Simulation) -> float:
    column = CHANNEL_COLUMNS.index("expected_orders")
    return float(sum(week[:, column].sum() for week in world.state.ledger.channels))


@cache
def shipped(*overrides: str) -> tuple[float, ...]:
    """Return what is left of ideas in all media after a quarter, in six replications."""
    spec = asked("trying.ideas=52", "trying.weeks=1", *overrides)
    return tuple(float(lived(spec, 13, nth).state.wander.sum()) for nth in range(6))


# -- ideas -----------------------------------------------------------------------------------


def test_who_tries_nothing_lives_as_if_there_were_no_ideas() -> None:
    plain, never = lived(asked(), 30), lived(asked("market.ideas.scale=1"), 30)
    for one, other in zip(plain.state.ledger.channels, never.state.ledger.channels, strict=True):
        assert np.array_equal(one, other)


def test_ideas_that_are_worth_nothing_change_no_order() -> None:
    spec = asked(*TRIES, "market.ideas.scale=0", "market.ideas.mean=0", "trying.ships=gain")
    assert orders(lived(spec, 30)) == pytest.approx(orders(lived(asked(), 30)), rel=1e-12)


def test_a_firm_so_large_that_tests_do_not_err_ships_what_is_good_only() -> None:
    large = [f"market.media.m{nth}.curve.a={(5 - nth) * 1_000_000_000}" for nth in (1, 2, 3, 4)]
    gains = shipped(*large, "market.baseline_orders=8000000000", "trying.ships=gain")
    assert min(gains) >= -1e-12
    assert max(gains) > 0.01
    assert shipped(*large, "market.baseline_orders=8000000000", "trying.ships=posterior") == gains


def test_a_small_firm_that_ships_what_seems_to_gain_ships_harm() -> None:
    assert np.mean(shipped("trying.ships=gain")) < 0


def test_a_firm_that_asks_for_two_standard_errors_ships_less() -> None:
    assert (
        np.abs(shipped("trying.ships=significant")).sum()
        < np.abs(shipped("trying.ships=gain")).sum()
    )


def test_a_test_shows_what_an_idea_adds_without_bias() -> None:
    spec = asked(*TRIES, "trying.share=0.5")
    told = []
    for nth in range(30):
        world = at_fork(spec, nth)
        name = ideas.begin(world)
        shown, error = world.state.trials[name]
        _, gained = ideas.tried(world, name)
        told.append((shown - gained) / error)
    assert abs(np.mean(told)) < 3 / math.sqrt(len(told))
    assert 0.6 < np.std(told) < 1.4


def test_while_a_test_runs_everybody_lives_with_its_share_and_afterwards_without() -> None:
    spec = asked("trying.ideas=1", "trying.share=0.2", "trying.weeks=2", "trying.ships=significant")
    world = at_fork(spec)
    world.run_to(1)
    (name,) = world.state.trials
    effect = ideas.effect(world, name)
    assert world.state.wander.sum() == pytest.approx(0.2 * effect)
    world.run_to(2 * DAYS_IN_WEEK + 1)
    assert not world.state.trials
    assert world.state.wander.sum() == pytest.approx(0, abs=1e-12)


def test_ideas_are_the_same_for_whoever_tries_in_the_same_weeks() -> None:
    one, other = (at_fork(asked(*TRIES, f"trying.share={share}")) for share in (0.05, 0.5))
    for world in (one, other):
        world.run_to(20 * DAYS_IN_WEEK + 1)
    (name,) = one.state.trials
    assert list(other.state.trials) == [name]
    assert ideas.effect(one, name) == ideas.effect(other, name)
    assert ideas.place(one, name) == ideas.place(other, name)


def test_about_one_in_six_ideas_does_good() -> None:
    world = at_fork(asked())
    good = [ideas.effect(world, f"idea {nth}") > 0 for nth in range(3000)]
    assert 0.1 < np.mean(good) < 0.25


def test_tests_cost_what_they_cost_in_the_week_in_which_they_begin() -> None:
    world = lived(asked(*TRIES, "trying.cost=1000"), 52)
    overhead = np.array(world.state.ledger.company)[:, COMPANY_COLUMNS.index("overhead")]
    assert overhead.sum() == pytest.approx(13_000)
    assert set(overhead.tolist()) == {0.0, 1000.0}


def test_another_strategy_ends_tests_under_way() -> None:
    world = lived(asked(*TRIES), 1)
    assert world.state.trials
    fork = world.fork(world.strategy.model_copy(update={"trying": Trying()}))
    assert not fork.state.trials
    assert np.abs(fork.state.wander).max() < 1e-12
    assert world.state.trials


def test_a_world_kept_in_the_middle_of_a_test_goes_on_to_the_bit(tmp_path: Path) -> None:
    spec = asked(*TRIES)
    whole, kept = lived(spec, 30), lived(spec, 14)
    assert kept.state.trials
    snapshot.save(kept, tmp_path / "world.npz")
    again = snapshot.load(tmp_path / "world.npz", spec)
    again.run_to(30 * DAYS_IN_WEEK)
    assert all(map(np.array_equal, again.state.ledger.channels, whole.state.ledger.channels))


def test_an_idea_about_a_sales_channel_changes_who_succeeds_there() -> None:
    tries = ("trying.ideas=52", "trying.weeks=1", "trying.ships=gain", "market.ideas.mean=0.2")
    world, plain = at_fork(rich(*tries)), at_fork(rich())
    for one in (world, plain):
        one.run_to(one.state.day + 6 * DAYS_IN_WEEK)
    assert world.state.touch.any()
    assert not plain.state.touch.any()
    assert booked(world, 4)["orders"] != booked(plain, 4)["orders"]


@pytest.mark.parametrize(
    ("rule", "shown", "ships"),
    [
        ("gain", 1.0, True),
        ("gain", -1.0, False),
        ("significant", 150.0, False),
        ("significant", 250.0, True),
        ("posterior", 1.0, False),
        ("posterior", 500.0, True),
    ],
)
def test_what_is_shipped_hangs_on_the_rule(rule: str, shown: float, ships: bool) -> None:
    odds = Ideas(mean=-0.03, scale=0.03)
    assert inference.ships(rule, shown, 100.0, 1000.0, odds) == ships


def test_an_idea_without_error_is_worth_its_good_half_and_with_much_error_little() -> None:
    exact = inference.gain_of_idea(0.05, 0.0, math.inf)
    assert exact == pytest.approx(1 / math.sqrt(2 * math.pi), rel=0.01)
    gains = [inference.gain_of_idea(noise, -1.0, 3.0) for noise in (0.5, 1.0, 4.0)]
    assert gains == sorted(gains, reverse=True)
    assert inference.gain_of_idea(1.0, -1.0, 3.0) > inference.gain_of_idea(1.0, -1.0, math.inf)


# -- media that open later ---------------------------------------------------------------------

LATE = ("market.splits={}", "market.start=equal", "market.media.m1.opens=8")


@pytest.mark.parametrize("kind", ["siloed", "central", "equal", "bottom_up"])
def test_a_medium_that_opens_later_gets_money_then_and_none_before(kind: str) -> None:
    world = at_fork(asked(*LATE, f"steering.kind={kind}"))
    world.run_to(8 * DAYS_IN_WEEK)
    assert world.state.shares[0] == 0
    assert math.fsum(world.state.shares) == pytest.approx(1)
    world.run_to(30 * DAYS_IN_WEEK)
    assert world.state.shares[0] > 0
    assert math.fsum(world.state.shares) == pytest.approx(1)


def test_a_department_that_has_no_money_finds_out_nothing() -> None:
    alone = ("organigram.left.owns=[m2]", "organigram.new={owns: [m1]}")
    world = lived(asked(*LATE, "steering.kind=siloed", *alone), 26)
    assert world.state.shares[0] == 0


def test_a_split_with_money_for_what_is_not_open_yet_is_refused() -> None:
    with pytest.raises(config.ConfigError, match=r"market.splits.legacy.m1: found 0.2"):
        composed(*CURVES, "+market.media.m1.opens=8")


# -- culture that begins later --------------------------------------------------------------------


def test_a_programme_that_begins_later_is_the_same_programme_later() -> None:
    now, later = (Incentives(culture=Culture(start=start, goal=0.9, weeks=20)) for start in (0, 10))
    assert [company_weight(later, week) for week in range(11)] == [0.0] * 11
    assert [company_weight(later, week + 10) for week in range(60)] == [
        company_weight(now, week) for week in range(60)
    ]


def test_a_programme_is_paid_while_it_lasts() -> None:
    words = "incentives.culture={start: 3, weeks: 5, goal: 0.5, cost: 5200}"
    world = lived(asked(words), 13)
    overhead = np.array(world.state.ledger.company)[:, COMPANY_COLUMNS.index("overhead")]
    assert overhead.sum() == pytest.approx(500)
