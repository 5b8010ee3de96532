"""The price of silos: parts add up, and on curves each of them is what theory says."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim import config
from omnisim.misallocation import ORACLE
from omnisim.records import Records
from omnisim.silos import Game, Outcome, lessons, outcome
from omnisim.silos.break_even import crossing, settings
from omnisim.silos.game import (
    INTEGRATION,
    World,
    integration_game,
    linked,
    steering_game,
)
from omnisim.silos.waterfall import integration, steering, table, to_cents, together
from omnisim.simulation import simulate, truth
from omnisim.spec import ExperimentSpec
from tests.worlds import at_fork, question

MEDIA, BASELINE = ("m1", "m2", "m3"), 800.0
BUDGET = 300.0  # EUR a week
MARGIN = 3.0 * 52  # EUR a year for an order a week
SURE = (  # who decides goes at once to where its rule rests, on elasticities of which it is sure
    *("steering.elasticity_mean=0.5", "steering.elasticity_sd=0.001", "steering.exploration=0"),
    *("steering.review_weeks=1", "steering.damping=1", "steering.step=1", "steering.floor=0"),
    *("steering.report_noise=0", "steering.report_delay_weeks=0", "market.demand.sd=0"),
    *("horizon.weeks=26", "horizon.history_weeks=1", "market.burn_in_weeks=0"),
)
SHARED = "incentives.company_weight=1"  # departments read last touch
ALONE = (("m1", "m2", "m3"),)


@dataclass(frozen=True)
class Bench:
    """Power curves a x^beta, what two media bring together, and what reports do to credit."""

    sizes: tuple[float, ...] = (60.0, 40.0, 10.0)
    beta: tuple[float, ...] = (0.5, 0.5, 0.5)
    kappa: float = 0.0  # of m1 and m2
    leak: float = 0.0  # of m1
    capture: float = 0.0  # of m3
    departments: tuple[tuple[str, ...], ...] = ALONE
    words: tuple[str, ...] = ()

    def orders(self, spend: np.ndarray) -> np.ndarray:
        """Return the orders a week that each medium causes alone."""
        alone: np.ndarray = np.array(self.sizes) * spend ** np.array(self.beta)
        return alone

    def joint(self, spend: np.ndarray) -> float:
        """Return those that m1 and m2 cause together."""
        return self.kappa * math.sqrt(spend[0] * spend[1])

    def earns(self, spend: np.ndarray) -> float:
        """Return the EUR a year of a split."""
        return MARGIN * (float(self.orders(spend).sum()) + self.joint(spend))

    def credit(self, spend: np.ndarray) -> np.ndarray:
        """Return what reports show: half of what is joint, less what leaks, and captures."""
        seen = self.orders(spend) + 0.5 * self.joint(spend) * np.array([1, 1, 0])
        seen[0] *= 1 - self.leak
        seen[2] += self.capture * BASELINE
        return seen

    def worth(self, spend: np.ndarray) -> np.ndarray:
        """Return what one more percent on each medium causes."""
        alone = np.array(self.beta) * self.orders(spend)
        caused: np.ndarray = alone + 0.5 * self.joint(spend) * np.array([1, 1, 0])
        return caused

    def spec(self, rest: np.ndarray) -> ExperimentSpec:
        """Return the question of a firm that is at rest at a split."""
        spec, _ = config.load(["experiment=textbook", *SURE, *self.words])
        told = spec.model_dump()
        curves = zip(MEDIA, self.sizes, self.beta, strict=True)
        media: dict[str, dict[str, Any]] = {
            name: {"curve": {"kind": "power", "a": a, "beta": beta}} for name, a, beta in curves
        }
        media["m1"]["leak"], media["m3"]["capture"] = self.leak, self.capture
        told["market"] |= {"media": media, "budget": 52 * BUDGET, "start": "rest"}
        told["market"]["splits"] = {"rest": dict(zip(MEDIA, rest / rest.sum(), strict=True))}
        if self.kappa:
            told["market"]["synergies"] = [{"media": ["m1", "m2"], "kappa": self.kappa}]
        units = {f"d{nth}": {"owns": own} for nth, own in enumerate(self.departments)}
        for strategy in (told["status_quo"], *told["arms"].values()):
            strategy["organigram"] = units | {"sales": {"owns": ["shop"]}}
        return ExperimentSpec.model_validate(told)


def at_rest(rule: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the split at which money is in proportion to a rule's worth."""
    spend = np.full(3, BUDGET / 3)
    for _ in range(400):
        aim = rule(spend)
        spend = np.sqrt(spend * BUDGET * aim / aim.sum())
        spend *= BUDGET / spend.sum()
    return spend


CREDIT = Bench(leak=0.4, words=(SHARED,))
SPILL = Bench(sizes=(20.0, 20.0, 60.0), kappa=3.0, words=(SHARED,))
CAPTURE = Bench(capture=0.25, words=(SHARED, "steering.rule=credit_share"))
LEARN = Bench(beta=(0.3, 0.5, 0.6))
EVEN = Bench(words=("steering.evenness=0.6",))
SPLIT = Bench(departments=(("m1", "m2"), ("m3",)))
OWN = np.array([0.5 * 3600 / 5200, 0.5 * 1600 / 5200, 0.5]) * BUDGET  # best within departments


@pytest.mark.parametrize(
    ("part", "bench", "rest"),
    [
        ("frozen_shares", SPLIT, OWN),
        ("wrong_credit", CREDIT, at_rest(CREDIT.credit)),
        ("ignored_spill_over", SPILL, at_rest(SPILL.credit)),
        ("capture", CAPTURE, at_rest(CAPTURE.credit)),
        ("late_or_noisy", LEARN, at_rest(LEARN.credit)),
        ("politics", EVEN, at_rest(lambda x: 0.4 * EVEN.worth(x) / EVEN.worth(x).sum() + 0.2)),
    ],
)
def test_on_curves_a_part_is_what_its_error_loses(
    part: str, bench: Bench, rest: np.ndarray
) -> None:
    lost = bench.earns(at_rest(bench.worth)) - bench.earns(rest)
    spec = bench.spec(rest)
    found = shapley_of(spec)
    assert lost > 0.01 * bench.earns(rest)
    assert found[part] == pytest.approx(lost, rel=0.08)
    others = [value for name, value in found.items() if name != part]
    assert others == pytest.approx([0.0] * len(others), abs=0.08 * lost)


def shapley_of(spec: ExperimentSpec) -> dict[str, float]:
    """Return the parts of the price of a firm's steering, from one world."""
    game = steering_game(spec, lessons([measured(spec)], spec.baseline))
    lived = simulate(spec.model_copy(update={"truth": "none", "arms": game.arms(0)}), 0)
    return game.parts(0, {name: outcome(book).contribution for name, book in lived.items()})


def measured(spec: ExperimentSpec) -> Records:
    """Return what forks at the fork teach, as if the baseline had measured it."""
    world = at_fork(spec)
    nothing = pd.DataFrame()
    tried = [trial for trial in truth.trials(world, "full") if trial.factor in (0.0, 0.5, 2.0)]
    found = truth.measured(world, tried)
    return Records(spec.baseline, 0, nothing, nothing, truth=found)


def test_credit_that_is_right_teaches_that_nothing_must_be_mended() -> None:
    known = lessons([measured(SPLIT.spec(OWN))], "siloed")
    assert set(known) == set(MEDIA)
    for lesson in known.values():
        assert (lesson.captured, lesson.spilt) == pytest.approx((0, 0), abs=0.01)
        assert (lesson.told, lesson.caused) == pytest.approx((0.5, 0.5), abs=0.01)


def test_lessons_are_the_shares_that_the_bench_leaks_shares_and_captures() -> None:
    rest = np.array([100.0, 100.0, 100.0])
    (leaks, _, _) = lessons([measured(CREDIT.spec(rest))], "siloed").values()
    assert leaks.unseen == pytest.approx(0.4 / 0.6, rel=0.02)
    (_, _, captures) = lessons([measured(CAPTURE.spec(rest))], "siloed").values()
    own = CAPTURE.orders(rest)[2]
    assert captures.captured == pytest.approx(1 - own / (own + 200), rel=0.02)
    (shared, _, _) = lessons([measured(SPILL.spec(rest))], "siloed").values()
    joint = SPILL.joint(rest)
    assert shared.spilt == pytest.approx(joint / 2 / SPILL.credit(rest)[0], rel=0.02)


def test_the_games_turn_only_what_changes_anything() -> None:
    plain = question()
    assert steering_game(plain, {}).players == ("frozen_shares", "late_or_noisy")
    assert set(integration_game(plain).players) == set(INTEGRATION)
    central = plain.model_copy(update={"baseline": "central"})
    assert "frozen_shares" not in steering_game(central, {}).players
    assert integration_game(SPLIT.spec(OWN)).players == ()
    start = plain.arms["siloed"]
    assert linked(start, []) == start
    whole = linked(start, list(INTEGRATION)).integration
    assert (whole.price, whole.service, whole.promotion) == (0.9, 0.9, 0.9)
    pairs = {"app+web": {"price": 0.2, "service": 0.1}}
    own = start.integration.model_copy(update={"pairs": pairs, "price": 1.0})
    some = linked(start.model_copy(update={"integration": own}), ["price_clashes"]).integration
    assert (some.price, some.service, some.pairs) == (1.0, 0.0, {"app+web": {"service": 0.1}})


@given(st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=1, max_size=9))
def test_cents_add_up_to_the_rounded_sum_and_each_is_next_to_its_part(exact: list[float]) -> None:
    cents = to_cents(exact)
    assert sum(cents) == round(math.fsum(exact))
    assert all(abs(cent - part) <= 1 for cent, part in zip(cents, exact, strict=True))


def made_up(replications: int) -> tuple[Game, Game, list[World]]:
    """Return two games and worlds in which everything earns something odd."""
    spec = question()
    games = steering_game(spec, {}), integration_game(spec)
    worlds = []
    for nth in range(replications):
        names = {*games[0].arms(nth), *games[1].arms(nth), ORACLE, "siloed", "both"}
        told = {
            (name, nth): Outcome(1e6 * math.sin(7.3 * i + nth), 1e4 * (i % 3), 0.0, 100.0)
            for i, name in enumerate(sorted(names))
        }
        bases = {game.name(()): "siloed" for game in games}
        worlds.append(World("siloed", bases, told, nth))
    return *games, worlds


def test_parts_of_the_price_of_silos_add_up_to_the_whole_to_the_cent() -> None:
    first, second, worlds = made_up(4)
    steered, joined = steering(first, worlds), integration(second, worlds)
    rows = table((steered, joined, together(steered, joined, worlds, "both", first)))
    cents = (rows["eur_year"] * 100).round().astype(int)
    for key, bars in cents.groupby(rows["waterfall"]):
        own = rows[rows["waterfall"] == key]
        assert bars[own["kind"] != "whole"].sum() == bars[own["kind"] == "whole"].item()
    told = rows.set_index(["waterfall", "part"])["eur_year"].to_dict()
    assert told["together", "steering"] == told["steering", "whole"]
    assert told["together", "integration"] == told["integration", "whole"]
    oracle = [world(ORACLE).contribution - world("siloed").contribution for world in worlds]
    assert told["steering", "whole"] == pytest.approx(np.mean(oracle), abs=0.02)
    assert told["steering", "politics"] == 0
    assert (rows["ci_low"] <= rows["eur_year"] + 0.01).all()


def test_a_centre_stops_paying_where_its_gain_crosses_nothing() -> None:
    assert crossing([0, 4, 8], [30.0, 10.0, -10.0]) == (6.0, "stops")
    assert crossing([0, 4], [-1.0, 5.0])[1] == "never pays"
    assert crossing([0, 4], [5.0, 1.0])[1] == "pays as far as tried"


def test_what_is_tried_is_another_arm_s_centre_or_one_over_the_baseline() -> None:
    plain = question()
    assert {one.strategy.steering.kind for one in settings(plain)} == {"central"}
    assert {one.lever for one in settings(plain)} == {"noise", "delay"}
    alone = plain.model_copy(update={"arms": {"siloed": plain.arms["siloed"]}})
    assert {one.strategy.steering.kind for one in settings(alone)} == {"central"}
    centre = plain.arms["central"]
    assert settings(plain.model_copy(update={"arms": {"siloed": centre}})) == ()
