"""Honesty: the centre does not win where there is nothing to win, by a rule that wins elsewhere."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import pytest

from omnisim.comparison import Row, compare
from omnisim.measures import measure
from omnisim.records import CENTS
from omnisim.simulation import simulate
from omnisim.spec import DAYS_IN_WEEK, Department, ExperimentSpec, Strategy
from tests.worlds import at_fork, booked, paid, question

ALIKE = ("market=identical", "market.people=3000")
# Nobody is blurred or late: what an arm sees is what a department sees.
CLEAN = ("steering.report_delay_weeks=0", "steering.report_noise=0")


def difference(spec: ExperimentSpec, arm: str, replications: int = 6) -> Row:
    """Return the paired difference in contribution between an arm and the baseline."""
    told = [
        measure(spec, simulate(spec, replication, {arm, spec.baseline}).values())
        for replication in range(replications)
    ]
    asked = spec.model_copy(
        update={"arms": {name: spec.arms[name] for name in (arm, spec.baseline)}}
    )
    return compare(asked, pd.concat(told, ignore_index=True)).of("contribution")[arm]


def arms(spec: ExperimentSpec, **strategies: Strategy) -> ExperimentSpec:
    """Return a question with other arms, the first of which is the baseline."""
    return spec.model_copy(update={"arms": strategies, "baseline": next(iter(strategies))})


def steered(strategy: Strategy, **words: object) -> Strategy:
    """Return a strategy that steers otherwise."""
    return strategy.model_copy(update={"steering": strategy.steering.model_copy(update=words)})


# -- where there is nothing to win --------------------------------------------------------


def test_media_that_are_alike_get_the_same_credit_and_cause_the_same_orders() -> None:
    morning = at_fork(question("market=identical", "market.people=20000", "steering=frozen"))
    plain = paid(morning, 13)
    told = {name: booked(plain, 13, name) for name in morning.media}
    for column in ("contacts", "clicks", "expected_last_touch", "expected_claims"):
        counts = np.array([book[column] for book in told.values()])
        assert counts == pytest.approx(np.full(6, counts.mean()), rel=0.05), column
    doubled = np.array(
        [booked(paid(morning, 13, **{name: 2.0}), 13)["expected_orders"] for name in told]
    )
    caused = doubled - booked(plain, 13)["expected_orders"]
    assert caused == pytest.approx(np.full(6, caused.mean()), rel=0.1)


def test_no_other_split_of_alike_media_beats_equal_shares() -> None:
    morning = at_fork(question("market=identical", "market.people=20000", "steering=frozen"))
    plain = booked(paid(morning, 13), 13)["expected_margin"]
    for tilt in ({"a": 1.5, "f": 0.5}, {"c": 2.0, "d": 0.0}, {"b": 1.3, "c": 1.3, "e": 0.4}):
        assert booked(paid(morning, 13, **tilt), 13)["expected_margin"] < plain


@pytest.mark.parametrize("attribution", ["last_touch", "claims"])
def test_the_centre_does_not_win_where_media_are_alike(attribution: str) -> None:
    spec = question(
        *ALIKE, "market.burn_in_weeks=26", "horizon.weeks=48", f"attribution={attribution}"
    )
    row = difference(spec, "central")
    assert row.ci_high < row.margin


def test_the_centre_does_not_win_from_the_best_split_of_a_market_that_stands_still() -> None:
    spec = question(
        "market.start=optimal",
        "market.trend=0",
        "market.people=3000",
        "market.burn_in_weeks=26",
        "horizon.weeks=48",
    )
    row = difference(spec, "central")
    assert row.ci_high < row.margin


# -- where there is -----------------------------------------------------------------------


def test_the_same_centre_wins_where_a_department_holds_far_too_little() -> None:
    # The market of the placebo, but two media that are alike with the others have a
    # twelfth of their money; departments cannot move it across their borders.
    starved = dict.fromkeys("ab", 0.02) | dict.fromkeys("cdef", 0.24)
    split = ", ".join(f"{name}: {share}" for name, share in starved.items())
    spec = question(
        *ALIKE,
        *CLEAN,
        f"market.splits={{equal: {{{split}}}}}",
        "market.burn_in_weeks=26",
        "attribution=claims",
        "horizon.weeks=48",
    )
    row = difference(spec, "central")
    assert row.verdict == "matters"
    assert row.difference > 0
    history = at_fork(spec)
    centre = history.fork(spec.arms["central"])
    centre.run_to(history.state.day + 48 * DAYS_IN_WEEK)
    starving = [history.media.index(name) for name in "ab"]
    assert centre.state.shares[starving].sum() > 3 * history.state.shares[starving].sum()


# -- the same rule, the same orders ---------------------------------------------------------


def same(spec: ExperimentSpec, but: Collection[str] = ()) -> bool:
    """Tell whether all arms of a question have the same ledgers to the bit, but in some columns."""
    lived = simulate(spec, 0)
    first, *others = [
        [
            frame.drop(columns=[c for c in but if c in frame])
            for frame in (told.weekly, told.company)
        ]
        for told in (lived[name] for name in spec.arms)
    ]
    return all(one.equals(twin) for other in others for one, twin in zip(first, other, strict=True))


def one_department(spec: ExperimentSpec) -> Strategy:
    """Return what the firm does today with everything in one department, paid on all orders."""
    market = spec.market
    everything = Department(owns=(*market.media, *market.channels))
    return spec.status_quo.model_copy(
        update={
            "organigram": {"everything": everything},
            "incentives": spec.status_quo.incentives.model_copy(update={"company_weight": 1.0}),
        }
    )


@pytest.mark.parametrize("rule", ["marginal", "credit_share", "average_cpo"])
def test_one_department_that_is_paid_on_all_orders_steers_as_the_centre_does(rule: str) -> None:
    spec = question(*CLEAN, f"steering.rule={rule}", "horizon.weeks=26")
    firm = one_department(spec)
    spec = spec.model_copy(update={"status_quo": firm})
    siloed, central = steered(firm, kind="siloed"), steered(firm, kind="central")
    board, trade = steered(firm, kind="bottom_up"), steered(firm, kind="side_by_side")
    assert same(arms(spec, siloed=siloed, central=central, board=board, trade=trade))
    late = steered(firm, kind="central", report_delay_weeks=4)
    assert not same(arms(spec, siloed=siloed, central=late))


def test_departments_with_one_medium_each_have_nothing_to_decide() -> None:
    spec = question("horizon.weeks=26")
    firm = spec.status_quo.model_copy(
        update={
            "organigram": {
                **{f"head_of_{name}": Department(owns=(name,)) for name in spec.market.media},
                "sales": Department(owns=tuple(spec.market.channels)),
            }
        }
    )
    spec = spec.model_copy(update={"status_quo": firm})
    assert same(
        arms(spec, siloed=steered(firm, kind="siloed"), frozen=steered(firm, kind="frozen"))
    )


@pytest.mark.parametrize("kind", ["siloed", "central", "equal"])
@pytest.mark.parametrize("free", [0, 1])
def test_who_may_move_nothing_changes_no_order(kind: str, free: int) -> None:
    # A scope with one medium has nothing to move either. Budgets are rounded by scope.
    spec = question("horizon.weeks=26", "steering=frozen")
    frozen = spec.status_quo
    bound = steered(frozen, kind=kind, fixed=tuple(sorted(spec.market.media)[free:]))
    asked = arms(spec, frozen=frozen, bound=bound)
    assert same(asked, but=CENTS)
    lived = simulate(asked, 0)
    cents = [lived[name].weekly["planned_cents"] for name in asked.arms]
    assert (cents[0] - cents[1]).abs().max() <= 1
