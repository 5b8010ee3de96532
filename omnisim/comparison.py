"""Verdicts: paired differences between arms, with intervals, and what they mean in words.

One method for any number of pairs: Student's t on the differences by replication. Its
interval, the paired test, and both tests against the margin then read the same interval,
so that a table never contradicts its verdict; from 20 pairs on it hardly differs from a
bootstrap of the mean, and it needs no luck.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from omnisim.measures import (
    BESIDE,
    EMPTY,
    EXPECTED,
    HEADLINE,
    LAST,
    OUTCOMES,
    Scale,
    scale,
)
from omnisim.spec import WEEKS_IN_YEAR, ExperimentSpec

Verdict = Literal["matters", "less than matters", "no difference that matters", "undecided", ""]
LEVEL = 0.95
ALPHA = 1 - LEVEL


@dataclass(frozen=True)
class Level:
    """The realised mean of one outcome in one arm, with its interval over replications."""

    outcome: str
    arm: str
    mean: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class Row:
    """One arm against the baseline on one outcome, over all weeks that it covers.

    Differences are paired by replication and read the probabilities (`expected_` twin)
    where there are any. `relative` is the share of the baseline's mean; `margin` is the
    difference that begins to matter; `precision` the half-width as a share of it;
    `p_adjusted` tests "no difference at all" (Holm over arms). All NaN and the verdict
    empty where a replication has no value.
    """

    outcome: str
    arm: str
    baseline: str
    difference: float
    relative: float
    ci_low: float
    ci_high: float
    p_adjusted: float
    verdict: Verdict
    margin: float
    precision: float
    pairs: int


@dataclass(frozen=True)
class Line:
    """One outcome as people read it: a label with its unit, a text per arm."""

    label: str
    levels: dict[str, str]
    differences: dict[str, str]
    verdicts: dict[str, Verdict]


@dataclass(frozen=True)
class Comparison:
    """What the evidence says: levels, paired differences, and the verdict in words.

    `interactions` hold, by outcome, what two changes bring together beyond each alone.
    """

    baseline: str
    primary: str
    replications: int
    levels: tuple[Level, ...]
    rows: tuple[Row, ...]
    sentences: tuple[str, ...]
    interactions: tuple[Row, ...] = ()

    @property
    def verdict(self) -> str:
        """Return the verdict on the primary outcome: a sentence per arm."""
        return " ".join(self.sentences)

    @property
    def arms(self) -> tuple[str, ...]:
        """Return the arms, the baseline first."""
        names = {level.arm for level in self.levels}
        return (self.baseline, *sorted(names - {self.baseline}))

    @property
    def headline(self) -> tuple[str, ...]:
        """Return the outcomes that people are shown; profit only where it is no contribution."""
        costs = {x.outcome for x in self.levels if x.outcome in BESIDE and x.mean > 0}
        costly = [name for name in (*BESIDE, "profit") if name in costs or name not in BESIDE]
        return tuple(dict.fromkeys((*HEADLINE, *(costly if costs else ()), self.primary)))

    def of(self, outcome: str) -> dict[str, Row]:
        """Return the rows of one outcome by arm."""
        return {row.arm: row for row in self.rows if row.outcome == outcome}

    def is_precise(self, precision: float) -> bool:
        """Tell whether every half-width of the primary outcome is within the share asked for."""
        rows = self.of(self.primary).values()
        return bool(rows) and all(row.precision <= precision for row in rows)

    def line(self, outcome: str) -> Line:
        """Return one outcome written for people, every number in the same unit."""
        levels = {level.arm: level for level in self.levels if level.outcome == outcome}
        rows = self.of(outcome)
        size = max((abs(x.mean) for x in levels.values() if not math.isnan(x.mean)), default=0.0)
        spread = max((_half_width(row) for row in rows.values() if row.verdict), default=0.0)
        written = OUTCOMES[outcome].scale(size, spread)
        unit = f" ({written.unit})" if written.unit else ""
        return Line(
            f"{OUTCOMES[outcome].label}{unit}",
            {arm: written.number(level.mean) for arm, level in levels.items()},
            {arm: _interval(row, written) for arm, row in rows.items()},
            {arm: row.verdict for arm, row in rows.items()},
        )


def compare(spec: ExperimentSpec, measures: pd.DataFrame) -> Comparison:
    """Compare every arm with the baseline on every outcome of the company.

    The margin is `outcomes.margin` x the baseline's mean gross revenue for totals in EUR
    (over the same weeks), x the baseline's own mean for all others.
    """
    series = _series(measures)
    arms = sorted(spec.arms)
    levels = tuple(
        Level(outcome, arm, *interval(series[outcome, arm]))
        for outcome in OUTCOMES
        for arm in arms
        if (outcome, arm) in series
    )
    rows = tuple(
        row
        for outcome in OUTCOMES
        if (outcome, spec.baseline) in series
        for row in _rows(spec, series, outcome, [arm for arm in arms if arm != spec.baseline])
    )
    interactions = tuple(_interactions(spec, series))
    replications = len(series[spec.outcomes.primary, spec.baseline])
    main = [row for row in rows if row.outcome == spec.outcomes.primary]
    alone = f"Nothing to compare: {_plain(spec.baseline)} is the only arm."
    return Comparison(
        spec.baseline,
        spec.outcomes.primary,
        replications,
        levels,
        rows,
        (
            *(tuple(sentence(spec, row, len(main)) for row in main) or (alone,)),
            *(together(spec, one) for one in interactions if one.outcome == spec.outcomes.primary),
        ),
        interactions,
    )


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return mean and 95 % t interval; all NaN if a value is, bounds NaN below two values."""
    mean, error = _mean_and_error(values)
    reach = float(stdtrit(len(values) - 1, 1 - ALPHA / 2)) * error if len(values) > 1 else math.nan
    return mean, mean - reach, mean + reach


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for having been asked together (NaN are not counted).

    Source: Holm 1979, Scandinavian Journal of Statistics 6(2).
    """
    order = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    adjusted = [math.nan] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        adjusted[index] = largest
    return adjusted


def p_different(differences: np.ndarray) -> float:
    """Return the p value of "the mean difference is zero" (two-sided paired t test)."""
    mean, error = _mean_and_error(differences)
    return 2 * _tail(abs(mean), error, len(differences))


def p_equivalent(differences: np.ndarray, margin: float) -> float:
    """Return the p value of "the difference matters": two one-sided tests (TOST), doubled.

    Doubled, so that it is below .05 exactly if the 95 % interval lies inside the margin:
    stricter than the customary 90 % interval, and read off the interval that is shown.
    Source: Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15(6).
    """
    mean, error = _mean_and_error(differences)
    return min(1.0, 2 * _tail(margin - abs(mean), error, len(differences)))


def p_matters(differences: np.ndarray, margin: float) -> float:
    """Return the p value of "the difference does not matter": below .05 beyond the margin."""
    mean, error = _mean_and_error(differences)
    return min(1.0, 2 * _tail(abs(mean) - margin, error, len(differences)))


def sentence(spec: ExperimentSpec, row: Row, arms: int = 1) -> str:
    """Return the verdict on one row in one sentence of plain English, totals per year."""
    label = _label(row.outcome)
    if not row.verdict:
        return f"Undecided: a replication has no {label}."
    if not (row.difference or row.ci_low or row.ci_high):
        both = f"{_plain(row.arm)} and {_plain(row.baseline)}"
        same = f"{both} have the same {label} in every replication"
        return f"{_capitalised(same)}: no difference that matters."
    times, when = per_year(spec, row.outcome)
    sense = math.copysign(times, row.difference)
    low, high = sorted((row.ci_low * sense, row.ci_high * sense))
    written = _points(OUTCOMES[row.outcome].scale(max(abs(low), abs(high)), (high - low) / 2))
    margin = _points(OUTCOMES[row.outcome].scale(row.margin * times, 0))
    claim = _claim(row, f"{label}{when}", written.text(row.difference * sense))
    reach = f"{round(100 * LEVEL)} % interval {written.reach(low, high)}{_part(spec, row)}"
    return f"{claim} ({reach}): {_clause(row, margin.text(row.margin * times), arms)}."


def together(spec: ExperimentSpec, row: Row) -> str:
    """Return in one sentence what two changes bring together beyond each alone."""
    if spec.interaction is None or not row.verdict:
        return f"Undecided: a replication has no {_label(row.outcome)} of two changes together."
    times, when = per_year(spec, row.outcome)
    written = _points(OUTCOMES[row.outcome].scale(row.difference * times, _half_width(row) * times))
    margin = _points(OUTCOMES[row.outcome].scale(row.margin * times, 0))
    alone = " and ".join(_plain(name) for name in spec.interaction.alone)
    side = "more" if row.difference > 0 else "less"
    amount = written.text(abs(row.difference) * times)
    reach = written.reach(row.ci_low * times, row.ci_high * times)
    return (
        f"Together {alone} bring {amount} {side} {_label(row.outcome)}{when} than the sum of each"
        f" alone ({round(100 * LEVEL)} % interval {reach}):"
        f" {_clause(row, margin.text(row.margin * times), 1)}."
    )


def glance(spec: ExperimentSpec, comparison: Comparison) -> str:
    """Return the running estimate of the main difference in a few words, totals per year."""
    return ", ".join(_glance(spec, row) for row in comparison.of(spec.outcomes.primary).values())


def per_year(spec: ExperimentSpec, outcome: str) -> tuple[float, str]:
    """Return the factor that makes a total yearly, and the words that say so."""
    if outcome.endswith(LAST) or not OUTCOMES[outcome].adds_up:
        return 1.0, ""
    return WEEKS_IN_YEAR / spec.horizon.weeks, " a year"


def _series(measures: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    company = measures[measures["channel"] == ""].sort_values("replication")
    grouped = company.groupby(["outcome", "arm"], sort=False)["value"]
    return {(str(outcome), str(arm)): rows.to_numpy(float) for (outcome, arm), rows in grouped}


def _rows(
    spec: ExperimentSpec,
    series: dict[tuple[str, str], np.ndarray],
    outcome: str,
    arms: Sequence[str],
) -> list[Row]:
    name = _read(spec, series, outcome)
    base = series[name, spec.baseline]
    pairs = [series[name, arm] - base for arm in arms]
    margin = _margin(spec, series, outcome, base)
    different = holm([p_different(d) for d in pairs])
    equivalent = holm([p_equivalent(d, margin) for d in pairs])
    matters = holm([p_matters(d, margin) for d in pairs])
    rows = []
    for i, (arm, d) in enumerate(zip(arms, pairs, strict=True)):
        verdict = _verdict(d, different[i], equivalent[i], matters[i])
        row = _row(spec, outcome, arm, d, base, margin)
        rows.append(replace(row, verdict=verdict, p_adjusted=different[i]))
    return rows


def _row(
    spec: ExperimentSpec,
    outcome: str,
    arm: str,
    differences: np.ndarray,
    base: np.ndarray,
    margin: float,
) -> Row:
    """Return differences as a row, tested alone."""
    mean, low, high = interval(differences)
    tests = (p_different(differences), p_equivalent(differences, margin))
    return Row(
        outcome=outcome,
        arm=arm,
        baseline=spec.baseline,
        difference=mean,
        relative=_ratio(mean, abs(float(np.mean(base)))),
        ci_low=low,
        ci_high=high,
        p_adjusted=tests[0],
        verdict=_verdict(differences, *tests, p_matters(differences, margin)),
        margin=margin,
        precision=_ratio((high - low) / 2, margin),
        pairs=len(differences),
    )


def _interactions(spec: ExperimentSpec, series: dict[tuple[str, str], np.ndarray]) -> Iterator[Row]:
    """Yield, for every outcome, what two changes bring together beyond each alone."""
    if spec.interaction is None:
        return
    both, (one, other) = spec.interaction.both, spec.interaction.alone
    for outcome in OUTCOMES:
        if (outcome, spec.baseline) in series:
            name = _read(spec, series, outcome)
            base = series[name, spec.baseline]
            more = series[name, both] - series[name, one] - series[name, other] + base
            yield _row(spec, outcome, both, more, base, _margin(spec, series, outcome, base))


def _read(spec: ExperimentSpec, series: dict[tuple[str, str], np.ndarray], outcome: str) -> str:
    """Return under which name differences of an outcome are read: from probabilities, if any."""
    name = f"{EXPECTED}{outcome}"
    return name if (name, spec.baseline) in series else outcome


def _margin(
    spec: ExperimentSpec,
    series: dict[tuple[str, str], np.ndarray],
    outcome: str,
    own: np.ndarray,
) -> float:
    """Return the difference that begins to matter."""
    return spec.outcomes.margin * abs(float(np.mean(_margin_base(series, outcome, own, spec))))


def _margin_base(
    series: dict[tuple[str, str], np.ndarray], outcome: str, own: np.ndarray, spec: ExperimentSpec
) -> np.ndarray:
    if OUTCOMES[outcome].unit != "eur":
        return own
    return series[f"revenue_gross{LAST if outcome.endswith(LAST) else ''}", spec.baseline]


def _verdict(
    differences: np.ndarray, different: float, equivalent: float, matters: float
) -> Verdict:
    if np.isnan(differences).any():
        return ""
    if len(differences) > 1 and not differences.any():
        return "no difference that matters"
    if matters < ALPHA:
        return "matters"
    if equivalent < ALPHA:
        return "less than matters" if different < ALPHA else "no difference that matters"
    return "undecided"


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, math.nan
    squares = math.fsum((value - mean) ** 2 for value in values)
    return mean, math.sqrt(squares / (len(values) - 1) / len(values))


def _tail(distance: float, error: float, n: int) -> float:
    """Return the probability of a mean this far beyond the bound, if the truth is on it."""
    if error == 0:  # every pair the same
        return 0.5 if distance == 0 else float(distance < 0)
    return float(stdtr(n - 1, -distance / error)) if n > 1 else math.nan


def _claim(row: Row, label: str, amount: str) -> str:
    arm, baseline, more = _plain(row.arm), _plain(row.baseline), row.difference > 0
    if not OUTCOMES[row.outcome].adds_up:
        side = "higher" if more else "lower"
        return f"The {label} of {arm} is {amount} {side} than that of {baseline}"
    verb = "earns" if row.outcome.startswith(("contribution", "profit")) else "has"
    side = "more" if more else "fewer" if OUTCOMES[row.outcome].unit == "count" else "less"
    return f"{_capitalised(arm)} {verb} {amount} {side} {label} than {baseline}"


def _clause(row: Row, margin: str, arms: int) -> str:
    if row.verdict == "matters":
        return f"a difference that matters (more than {margin})"
    if row.verdict == "no difference that matters":
        return f"no difference that matters, the interval lies inside ±{margin}"
    if row.verdict == "less than matters":
        return f"it differs, but by less than matters, the interval lies inside ±{margin}"
    together = f" ({arms} arms asked together)" if arms > 1 else ""
    return (
        f"undecided, {row.pairs} replications{together} do not tell whether it is more"
        f" than the {margin} that matters"
    )


def _part(spec: ExperimentSpec, row: Row) -> str:
    share, of = row.relative, _plain(row.baseline)
    if OUTCOMES[row.outcome].unit == "eur":  # the margin is a share of revenue
        share, of = _ratio(row.difference, row.margin) * spec.outcomes.margin, "revenue"
    if math.isnan(share):
        return ""
    percent = scale("share", share, 0.3 * abs(share)).text(abs(share))
    return f", {percent} of {of}"


def _glance(spec: ExperimentSpec, row: Row) -> str:
    if not row.verdict:
        return ""
    times, when = per_year(spec, row.outcome)
    written = OUTCOMES[row.outcome].scale(row.difference * times, _half_width(row) * times)
    middle = _points(written).text(row.difference * times, signed=True)
    words = f"{_plain(row.arm)} {middle} {_label(row.outcome)}{when}"
    reach = _points(written).reach(row.ci_low * times, row.ci_high * times)
    return f"{words} ({reach})" if row.pairs > 1 else words


def _points(written: Scale) -> Scale:
    """Return how differences are written: shares differ by points, not by percent."""
    return replace(written, after=" points") if written.after == " %" else written


def _label(outcome: str) -> str:
    label = OUTCOMES[outcome].label.replace(",", " in the")
    return label if label.startswith("CPO") else label[:1].lower() + label[1:]


def _interval(row: Row, written: Scale) -> str:
    if not row.verdict:
        return EMPTY
    middle = written.number(row.difference, signed=True)
    return f"{middle} ({written.number(row.ci_low)} to {written.number(row.ci_high)})"


def _half_width(row: Row) -> float:
    return (row.ci_high - row.ci_low) / 2


def _ratio(above: float, below: float) -> float:
    return above / below if below else math.nan


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
