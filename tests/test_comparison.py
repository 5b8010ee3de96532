from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from omnisim.comparison import (
    Comparison,
    Row,
    compare,
    glance,
    holm,
    interval,
    p_different,
    p_equivalent,
    p_matters,
)
from omnisim.measures import OUTCOMES, measure
from omnisim.spec import ExperimentSpec
from tests.ledgers import a_spec, some_records

REVENUE = 104e6  # over two years; half a per cent is a margin of 520,000, or 260,000 a year
NOISE = np.array([-1.2, 0.3, 0.8, -0.5, 1.1, -0.1, -0.9, 0.5])


def measures_of(outcomes: Mapping[str, Mapping[str, Sequence[float]]]) -> pd.DataFrame:
    """Return tidy measures from values by outcome, arm and replication."""
    rows = [
        (arm, replication, outcome, "", value)
        for outcome, arms in outcomes.items()
        for arm, values in arms.items()
        for replication, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["arm", "replication", "outcome", "channel", "value"])


def compared(
    differences: Sequence[float] | np.ndarray, outcome: str = "contribution", base: float = 5e6
) -> tuple[Comparison, Row]:
    """Compare two arms whose pairs differ by these values, beside luck that pairs share."""
    spec = a_spec(outcomes={"primary": outcome})
    luck = base * (1 + 0.1 * np.cos(np.arange(len(differences))))
    flat = [REVENUE] * len(differences)
    comparison = compare(
        spec,
        measures_of(
            {
                "revenue_gross": {"siloed": flat, "central": flat},
                outcome: {"siloed": list(luck), "central": list(luck + np.array(differences))},
            }
        ),
    )
    return comparison, comparison.of(outcome)["central"]


@pytest.mark.parametrize(
    ("mean", "spread", "verdict"),
    [
        (2e6, 1e5, "matters"),
        (-2e6, 1e5, "matters"),
        (1e3, 1e5, "no difference that matters"),
        (2e5, 1e5, "less than matters"),
        (-2e5, 1e5, "less than matters"),
        (5e5, 1e5, "undecided"),  # there is a difference, and the margin is inside the interval
        (1e3, 2e6, "undecided"),
    ],
)
def test_the_verdict_follows_from_where_the_interval_lies(
    mean: float, spread: float, verdict: str
) -> None:
    _, row = compared(mean + spread * NOISE)
    assert row.margin == pytest.approx(0.005 * REVENUE)
    assert row.verdict == verdict


@pytest.mark.parametrize("n", [2, 5, 30])
def test_intervals_and_p_values_are_those_of_student(n: int) -> None:
    d = 1.7 + np.sin(1.0 + 3.0 * np.arange(n))
    mean, low, high = interval(d)
    wanted = stats.t.interval(0.95, n - 1, loc=d.mean(), scale=stats.sem(d))
    assert (mean, low, high) == pytest.approx((d.mean(), *wanted))
    assert p_different(d) == pytest.approx(stats.ttest_1samp(d, 0).pvalue)


def test_tost_is_the_worse_of_two_one_sided_tests_doubled() -> None:
    d, margin = 0.1 + 0.4 * NOISE, 0.7
    above = stats.ttest_1samp(d, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(d, margin, alternative="less").pvalue
    assert p_equivalent(d, margin) == pytest.approx(min(1, 2 * max(above, below)))
    beyond = stats.ttest_1samp(d + 2, margin, alternative="greater").pvalue
    assert p_matters(d + 2, margin) == pytest.approx(2 * beyond)


def test_pairs_that_all_differ_alike_need_no_luck_to_be_judged() -> None:
    for mean, verdict in ((1e3, "less than matters"), (2e6, "matters")):
        _, row = compared([mean] * 4, base=0.0)
        assert (row.ci_low, row.ci_high, row.verdict) == (mean, mean, verdict)


def test_one_pair_decides_nothing() -> None:
    comparison, row = compared([2e6])
    assert row.verdict == "undecided"
    assert math.isnan(row.ci_low)
    assert "–" not in glance(comparison)


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([math.nan, 0.02, 0.9])[1:] == pytest.approx([0.04, 0.9])
    assert math.isnan(holm([math.nan])[0])


def test_arms_asked_together_need_stronger_evidence() -> None:
    gap = 1e5 + 5e5 * NOISE
    _, alone = compared(gap)
    strategies = a_spec().model_dump()["arms"]
    crowd = {f"arm{i}": strategies["central"] for i in range(8)}
    spec = a_spec(arms={"siloed": strategies["siloed"], **crowd})
    flat = {arm: [REVENUE] * 8 for arm in spec.arms}
    same = {arm: list(5e6 + gap) for arm in crowd} | {"siloed": [5e6] * 8}
    together = compare(spec, measures_of({"revenue_gross": flat, "contribution": same}))
    row = together.of("contribution")["arm0"]
    assert (row.difference, row.ci_low) == pytest.approx((alone.difference, alone.ci_low))
    assert (alone.verdict, row.verdict) == ("no difference that matters", "undecided")
    assert row.p_adjusted == min(1, 8 * alone.p_adjusted)
    assert "(8 arms asked together)" in together.verdict
    assert len(together.sentences()) == 8


def test_differences_read_probabilities_and_levels_read_orders() -> None:
    spec = a_spec()
    records = [
        some_records(spec, arm, replication, lift=lift, noise=0.5)
        for replication in range(4)
        for arm, lift in (("siloed", 0.0), ("central", 0.01))
    ]
    comparison = compare(spec, measure(spec, records))
    row = comparison.of("orders")["central"]
    assert row.difference == pytest.approx(0.01 * 521_000, rel=1e-3)
    assert row.ci_high - row.ci_low < 1e-6 * row.difference  # the lift has no luck in it
    levels = {level.arm: level for level in comparison.levels if level.outcome == "orders"}
    assert levels["siloed"].ci_high - levels["siloed"].ci_low > 100


def test_arms_that_decide_alike_are_said_to_be_the_same() -> None:
    spec = a_spec()
    records = [some_records(spec, arm, r) for r in range(4) for arm in ("central", "siloed")]
    comparison = compare(spec, measure(spec, records))
    assert comparison.verdict == (
        "Central and siloed have the same contribution in every replication:"
        " no difference that matters."
    )
    for outcome in OUTCOMES:
        assert comparison.of(outcome)["central"].verdict == "no difference that matters"
    assert comparison.is_precise(0.5)


def test_a_replication_without_a_value_empties_its_outcome_and_no_other() -> None:
    comparison, row = compared([0.1, math.nan, 0.2], outcome="cpo", base=10)
    assert (row.verdict, comparison.verdict) == ("", "Undecided: a replication has no CPO.")
    line = comparison.line("cpo")
    assert line.differences == {"central": "–"}
    assert line.levels["central"] == "–"
    assert comparison.of("revenue_gross")["central"].verdict == "no difference that matters"
    assert not comparison.is_precise(0.5)


def test_the_margin_of_what_is_no_money_is_a_share_of_its_own_value() -> None:
    _, row = compared(0.01 * NOISE, outcome="cpo", base=20)
    assert row.margin == pytest.approx(0.1, rel=0.1)


def test_the_sentence_speaks_of_a_year_and_the_table_of_the_horizon() -> None:
    comparison, row = compared(2e6 + 1e5 * NOISE)
    assert row.difference == pytest.approx(2e6, rel=0.01)
    assert comparison.verdict == (
        "Central earns EUR 1.00 m more contribution a year than siloed (95 % interval"
        " EUR 0.97 to 1.03 m, 1.9 % of revenue): a difference that matters (more than EUR 260 k)."
    )
    assert comparison.line("contribution").differences["central"] == "+2.00 (1.93 to 2.07)"
    assert glance(comparison) == ("central EUR +1.00 m contribution a year (EUR 0.97 to 1.03 m)")


@pytest.mark.parametrize(
    ("differences", "outcome", "base", "words"),
    [
        (-2e6 + 1e5 * NOISE, "contribution", 5e6, "earns EUR 1.00 m less contribution a year"),
        (1e3 + 1e5 * NOISE, "contribution", 5e6, "no difference that matters, the interval lies"),
        (2e5 + 1e5 * NOISE, "contribution", 5e6, "differs, but by less than matters"),
        (1e3 + 2e6 * NOISE, "contribution", 5e6, "undecided, 8 replications do not tell"),
        (-300 + 20 * NOISE, "orders", 1e4, "has 150 fewer orders a year than siloed"),
        (-1 + 0.1 * NOISE, "cpo", 20, "The CPO of central is EUR 1.00 lower than that of siloed"),
        (0.05 + 0.01 * NOISE, "churn", 0.3, "is 5.0 points higher than that of siloed"),
        (9e4 + 1e4 * NOISE, "contribution_last_26", 5e6, "contribution in the last 26 weeks than"),
    ],
)
def test_every_verdict_has_its_words(
    differences: Sequence[float], outcome: str, base: float, words: str
) -> None:
    luck = {"siloed": [base] * 8, "central": list(base + np.array(differences))}
    flat = {arm: [REVENUE] * 8 for arm in luck}
    spec = a_spec(outcomes={"primary": outcome})
    found = measures_of({"revenue_gross": flat, "revenue_gross_last_26": flat, outcome: luck})
    assert words in compare(spec, found).verdict


def test_the_only_arm_is_compared_with_nothing() -> None:
    spec = _alone()
    comparison = compare(spec, measure(spec, [some_records(spec, "siloed", r) for r in (0, 1)]))
    assert comparison.rows == ()
    assert comparison.verdict == "Nothing to compare: siloed is the only arm."
    assert comparison.line("orders").differences == {}


def test_the_order_in_which_replications_finish_changes_nothing() -> None:
    spec = a_spec()
    records = [
        some_records(spec, arm, r, lift=0.01 * r * (arm == "central"))
        for r in range(5)
        for arm in ("central", "siloed")
    ]
    one, other = measure(spec, records), measure(spec, records[::-1])
    assert compare(spec, one) == compare(spec, other.iloc[::-1])


def _alone() -> ExperimentSpec:
    return a_spec(arms={"siloed": a_spec().model_dump()["arms"]["siloed"]})


# -- two changes together -----------------------------------------------------------------------


def crossed(together: float) -> Comparison:
    """Compare two changes that bring 2 m and 3 m alone, and both with something beside."""
    luck = 5e6 * (1 + 0.1 * np.cos(np.arange(8)))
    gains = {"none": 0.0, "one": 2e6, "other": 3e6, "both": 5e6 + together}
    arms = a_spec().arms["siloed"].model_dump()
    spec = ExperimentSpec.model_validate(
        a_spec().model_dump()
        | {"arms": dict.fromkeys(gains, arms), "baseline": "none"}
        | {"interaction": {"both": "both", "alone": ["one", "other"]}}
    )
    noise = {arm: 1e4 * np.roll(NOISE, nth) for nth, arm in enumerate(gains)}
    told = {arm: list(luck + gain + noise[arm]) for arm, gain in gains.items()}
    revenue = {arm: [REVENUE] * 8 for arm in gains}
    return compare(spec, measures_of({"revenue_gross": revenue, "contribution": told}))


@pytest.mark.parametrize(
    ("together", "verdict", "side"),
    [(2e6, "matters", "more"), (-2e6, "matters", "less"), (0, "no difference that matters", "")],
)
def test_an_interaction_is_what_both_bring_beyond_the_sum_of_each_alone(
    together: float, verdict: str, side: str
) -> None:
    comparison = crossed(together)
    (row,) = (row for row in comparison.interactions if row.outcome == "contribution")
    assert row.difference == pytest.approx(together, abs=3e4)
    assert row.verdict == verdict
    said = comparison.sentences()[-1]
    assert said.startswith("Together one and other bring EUR")
    assert side in said


def test_without_an_interaction_asked_for_none_is_told() -> None:
    comparison, _ = compared(NOISE)
    assert comparison.interactions == ()
    assert "Together" not in comparison.verdict


@pytest.mark.parametrize("alone", [["siloed", "central"], ["central", "central"], ["x", "central"]])
def test_an_interaction_names_three_arms_beside_the_baseline(alone: list[str]) -> None:
    told = a_spec().model_dump() | {"interaction": {"both": "central", "alone": alone}}
    with pytest.raises(ValueError, match="three arms beside the baseline"):
        ExperimentSpec.model_validate(told)
