"""Truth by forks: what a euro causes, the best split, and the oracle that knows both."""

from __future__ import annotations

import numpy as np
import pytest

from omnisim import config, misallocation
from omnisim.measures import measure
from omnisim.records import CHANNEL_COLUMNS
from omnisim.simulation import simulate, truth
from omnisim.simulation.textbook import steady_curves
from omnisim.spec import WEEKS_IN_YEAR, ExperimentSpec, TextbookMarket
from tests.worlds import at_fork, question

SIZE = ("market.people=1500", "market.start=equal", "market.burn_in_weeks=26", "horizon.weeks=52")


@pytest.fixture(scope="module")
def spec() -> ExperimentSpec:
    return question(*SIZE)


def test_levelled_shares_make_constant_elasticity_channels_earn_alike() -> None:
    size, power = np.array([60.0, 40.0, 20.0, 10.0]), np.array([0.3, 0.5, 0.5, 0.7])
    shares = np.array([0.05, 0.1, 0.05, 0.8])
    for _ in range(8):
        less, more = (
            size * ((1 + rise) ** power - 1) * shares ** (power - 1) / rise
            for rise in truth.changes(shares) * [[-1], [1]]
        )
        shares = truth.levelled(shares, less, more)
    slopes = size * power * shares ** (power - 1)
    assert slopes == pytest.approx(slopes.mean(), rel=0.01)
    assert shares.sum() == pytest.approx(1)


def test_a_medium_that_can_spend_no_more_stays_where_it_is() -> None:
    less, more = np.array([9.0, 1.2, 1.1]), np.array([0.0, 1.0, 0.9])
    levelled = truth.levelled(np.array([0.1, 0.5, 0.4]), less, more)
    assert levelled[0] == pytest.approx(0.1, rel=0.15)


def test_a_fork_that_pays_the_same_changes_nothing(spec: ExperimentSpec) -> None:
    morning = at_fork(spec)
    same = truth.truth(morning, [1.0])
    assert (same[["cost_short", "orders_short", "cost_long", "orders_long"]] == 0).all().all()


def test_more_money_costs_more_and_brings_no_fewer_orders(spec: ExperimentSpec) -> None:
    found = truth.truth(at_fork(spec), [0.8, 1.2]).set_index("channel")
    less, more = found[found["factor"] < 1], found[found["factor"] > 1]
    for channel in ("paid_social", "tv", "retargeting"):
        for column in ("cost_short", "orders_long"):
            assert more[column].to_dict()[channel] > 0 > less[column].to_dict()[channel]


def test_what_is_measured_says_what_the_rule_believed(spec: ExperimentSpec) -> None:
    lived = simulate(spec, 0)
    for arm in spec.arms:
        table = lived[arm].truth.set_index("channel")
        assert set(table.index) == set(spec.market.media)
        assert (table["spend_year"] > 0).all()
    believed = lived["siloed"].truth.set_index("channel")["believed_cpo"]
    assert (believed[["search_brand", "retargeting"]] > 0).all()
    assert simulate(spec.model_copy(update={"truth": "none"}), 0)["siloed"].truth.empty
    later = misallocation.last_euros([lived["siloed"], lived["central"]])
    assert {euro.arm for euro in later} == {"siloed", "central"}


def test_measuring_the_truth_leaves_the_arm_untouched(spec: ExperimentSpec) -> None:
    measured, plain = (
        simulate(spec.model_copy(update={"truth": depth}), 0, ["central"])["central"]
        for depth in ("quick", "none")
    )
    assert measured.weekly.equals(plain.weekly)
    assert measured.company.equals(plain.company)


def test_the_best_split_earns_more_and_no_move_of_a_twentieth_matters(
    spec: ExperimentSpec,
) -> None:
    morning = at_fork(spec)
    best = truth.frozen(morning)
    best.state.shares = truth.best_shares(morning)
    best.adopt(best.strategy)
    begun = len(best.state.ledger.company)
    move = truth.best_move(best)
    stays = truth.frozen(morning)
    for world in (best, stays):
        world.run_to(morning.state.day + 364)
    assert truth.earned(best, begun) > truth.earned(stays, begun)
    revenue = float(np.sum(stays.state.ledger.channels[begun:], axis=0)[:, REVENUE].sum())
    assert move < spec.outcomes.margin * revenue


REVENUE = CHANNEL_COLUMNS.index("expected_revenue_gross")


@pytest.mark.slow
def test_nobodys_interval_lies_wholly_above_the_oracles(spec: ExperimentSpec) -> None:
    looked = misallocation.search(spec)
    found = [simulate(looked, nth)[misallocation.SEARCH] for nth in range(2)]
    arms = spec.arms | misallocation.yardsticks(spec, found)
    whole = spec.model_copy(update={"arms": arms, "truth": "none"})
    books = [book for nth in range(4) for book in simulate(whole, nth).values()]

    lost = misallocation.gaps(spec, measure(whole, books))
    against = [gap for gap in lost if gap.against == misallocation.ORACLE]
    assert {gap.policy for gap in against} == {*arms} - {misallocation.ORACLE}
    assert all(gap.ci_high >= 0 for gap in against)
    assert next(gap for gap in against if gap.policy == misallocation.FORK).ci_low > 0


@pytest.fixture(scope="module")
def bench() -> ExperimentSpec:
    return config.load(["experiment=textbook", "steering=frozen", "market.demand.sd=0"], None)[0]


def test_on_the_textbook_market_the_truth_is_the_closed_form(bench: ExperimentSpec) -> None:
    morning = at_fork(bench)
    table = truth.truth(morning, [1.2]).set_index("channel")
    market = bench.market
    assert isinstance(market, TextbookMarket)
    week = morning.state.shares * market.budget / WEEKS_IN_YEAR
    for spend, name, curve in zip(week, morning.media, steady_curves(market), strict=True):
        extra = curve.orders(1.2 * spend) - curve.orders(spend)
        cost, orders = (table[column].to_dict()[name] for column in ("cost_long", "orders_long"))
        assert cost == pytest.approx(0.2 * spend * truth.PAID_WEEKS, rel=1e-3)
        assert orders == pytest.approx(extra * truth.PAID_WEEKS, rel=1e-3)


def test_on_the_textbook_market_the_oracle_finds_the_closed_forms_split(
    bench: ExperimentSpec,
) -> None:
    found = truth.best_shares(at_fork(bench), rounds=6)
    assert found == pytest.approx(np.array([0.45, 0.275, 0.175, 0.1]), abs=0.01)
