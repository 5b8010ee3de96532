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

from omnisim.language import ENGLISH, Language, message
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

    Totals are sums over `weeks`; `share` of the baseline begins to matter. `interactions`
    hold, by outcome, what the two changes `alone` bring together beyond each alone.
    """

    baseline: str
    primary: str
    replications: int
    weeks: int
    share: float
    levels: tuple[Level, ...]
    rows: tuple[Row, ...]
    interactions: tuple[Row, ...] = ()
    alone: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Return the verdict on the primary outcome in English: a sentence per arm."""
        return " ".join(self.sentences())

    def sentences(self, words: Language = ENGLISH) -> tuple[str, ...]:
        """Return the verdict on the primary outcome, a sentence per arm."""
        main = self.of(self.primary).values()
        if not main:
            alone = words.plain(self.baseline)
            return (words.say("Nothing to compare: {arm} is the only arm.", arm=alone),)
        more = (row for row in self.interactions if row.outcome == self.primary)
        return (
            *(sentence(self, row, words) for row in main),
            *(together(self, row, words) for row in more),
        )

    def per_year(self, outcome: str) -> float:
        """Return the factor that makes a total yearly, 1 for what is none."""
        return WEEKS_IN_YEAR / self.weeks if self.is_total(outcome) else 1.0

    def is_total(self, outcome: str) -> bool:
        """Tell whether an outcome is a sum over all weeks, which is told a year."""
        return OUTCOMES[outcome].adds_up and not outcome.endswith(LAST)

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

    def line(self, outcome: str, words: Language = ENGLISH) -> Line:
        """Return one outcome written for people, every number in the same unit."""
        levels = {level.arm: level for level in self.levels if level.outcome == outcome}
        rows = self.of(outcome)
        size = max((abs(x.mean) for x in levels.values() if not math.isnan(x.mean)), default=0.0)
        spread = max((_half_width(row) for row in rows.values() if row.verdict), default=0.0)
        written = OUTCOMES[outcome].scale(size, spread, words)
        unit = f" ({written.unit})" if written.unit else ""
        return Line(
            f"{words.say(OUTCOMES[outcome].label)}{unit}",
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
    return Comparison(
        spec.baseline,
        spec.outcomes.primary,
        replications,
        spec.horizon.weeks,
        spec.outcomes.margin,
        levels,
        rows,
        interactions,
        () if spec.interaction is None else spec.interaction.alone,
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


def sentence(comparison: Comparison, row: Row, words: Language = ENGLISH) -> str:
    """Return the verdict on one row in one sentence, totals per year."""
    label = label_within(row.outcome, words)
    if not row.verdict:
        return words.say("Undecided: a replication has no {label}.", label=label)
    names = {"arm": words.plain(row.arm), "baseline": words.plain(row.baseline)}
    if not (row.difference or row.ci_low or row.ci_high):
        same = words.say(
            "{arm} and {baseline} have the same {label} in every replication:"
            " no difference that matters.",
            label=label,
            **names,
        )
        return capitalised(same)
    times = comparison.per_year(row.outcome)
    sense = math.copysign(times, row.difference)
    low, high = sorted((row.ci_low * sense, row.ci_high * sense))
    outcome = OUTCOMES[row.outcome]
    written = _points(outcome.scale(max(abs(low), abs(high)), (high - low) / 2, words))
    margin = _points(outcome.scale(row.margin * times, 0, words)).text(row.margin * times)
    return words.say(
        "{claim} ({level} % interval {reach}{part}): {clause}.",
        claim=_claim(
            row,
            comparison.is_total(row.outcome),
            written.text(row.difference * sense),
            names,
            words,
        ),
        level=round(100 * LEVEL),
        reach=written.reach(low, high),
        part=_part(comparison, row, words),
        clause=_clause(row, margin, len(comparison.of(row.outcome)), words),
    )


def together(comparison: Comparison, row: Row, words: Language = ENGLISH) -> str:
    """Return in one sentence what two changes bring together beyond each alone."""
    label = label_within(row.outcome, words)
    if not row.verdict:
        return words.say("Undecided: a replication has no {label} of two changes.", label=label)
    times, outcome = comparison.per_year(row.outcome), OUTCOMES[row.outcome]
    written = _points(outcome.scale(row.difference * times, _half_width(row) * times, words))
    margin = _points(outcome.scale(row.margin * times, 0, words)).text(row.margin * times)
    said = {
        "both": words.listed([words.plain(name) for name in comparison.alone]),
        "amount": written.text(abs(row.difference) * times),
        "label": words.say("{label} a year", label=label)
        if comparison.is_total(row.outcome)
        else label,
        "level": round(100 * LEVEL),
        "reach": written.reach(row.ci_low * times, row.ci_high * times),
        "clause": _clause(row, margin, 1, words),
    }
    more = message(
        "Together {both} bring {amount} more {label} than the sum of each alone"
        " ({level} % interval {reach}): {clause}."
    )
    less = message(
        "Together {both} bring {amount} less {label} than the sum of each alone"
        " ({level} % interval {reach}): {clause}."
    )
    return words.say(more if row.difference > 0 else less, **said)


def glance(comparison: Comparison, words: Language = ENGLISH) -> str:
    """Return the running estimate of the main difference in a few words, totals per year."""
    rows = comparison.of(comparison.primary).values()
    return ", ".join(_glance(comparison, row, words) for row in rows)


def label_within(outcome: str, words: Language = ENGLISH) -> str:
    """Return how an outcome is called within a sentence."""
    return words.say(within(OUTCOMES[outcome].label))


def within(label: str) -> str:
    """Return an English label as it stands within a sentence."""
    label = label.replace(",", " in the")
    return label if label.startswith("CPO") else label[:1].lower() + label[1:]


def capitalised(text: str) -> str:
    """Return a sentence with a large first letter."""
    return text[:1].upper() + text[1:]


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


def _claim(row: Row, is_yearly: bool, amount: str, names: dict[str, str], words: Language) -> str:
    label, more = label_within(row.outcome, words), row.difference > 0
    said = {"amount": amount, "label": label, **names}
    if not OUTCOMES[row.outcome].adds_up:
        if more:
            return words.say(
                "The {label} of {arm} is {amount} higher than that of {baseline}", **said
            )
        return words.say("The {label} of {arm} is {amount} lower than that of {baseline}", **said)
    said["label"] = words.say("{label} a year", label=label) if is_yearly else label
    if row.outcome.startswith(("contribution", "profit")):
        if more:
            return capitalised(
                words.say("{arm} earns {amount} more {label} than {baseline}", **said)
            )
        return capitalised(words.say("{arm} earns {amount} less {label} than {baseline}", **said))
    if more:
        return capitalised(words.say("{arm} has {amount} more {label} than {baseline}", **said))
    if OUTCOMES[row.outcome].unit == "count":
        return capitalised(words.say("{arm} has {amount} fewer {label} than {baseline}", **said))
    return capitalised(words.say("{arm} has {amount} less {label} than {baseline}", **said))


def _clause(row: Row, margin: str, arms: int, words: Language) -> str:
    if row.verdict == "matters":
        return words.say("a difference that matters (more than {margin})", margin=margin)
    if row.verdict == "no difference that matters":
        return words.say(
            "no difference that matters, the interval lies inside ±{margin}", margin=margin
        )
    if row.verdict == "less than matters":
        return words.say(
            "it differs, but by less than matters, the interval lies inside ±{margin}",
            margin=margin,
        )
    together = words.say(" ({arms} arms asked together)", arms=arms) if arms > 1 else ""
    return words.say(
        "undecided, {pairs} replications{together} do not tell whether it is more"
        " than the {margin} that matters",
        pairs=row.pairs,
        together=together,
        margin=margin,
    )


def _part(comparison: Comparison, row: Row, words: Language) -> str:
    is_money = OUTCOMES[row.outcome].unit == "eur"  # then the margin is a share of revenue
    share = _ratio(row.difference, row.margin) * comparison.share if is_money else row.relative
    if math.isnan(share):
        return ""
    percent = scale("share", share, 0.3 * abs(share), words).text(abs(share))
    if is_money:
        return words.say(", {percent} of revenue", percent=percent)
    return words.say(", {percent} of {what}", percent=percent, what=words.plain(row.baseline))


def _glance(comparison: Comparison, row: Row, words: Language) -> str:
    if not row.verdict:
        return ""
    times = comparison.per_year(row.outcome)
    size, reach = row.difference * times, _half_width(row) * times
    written = _points(OUTCOMES[row.outcome].scale(size, reach, words))
    label = label_within(row.outcome, words)
    if comparison.is_total(row.outcome):
        label = words.say("{label} a year", label=label)
    middle = f"{words.plain(row.arm)} {written.text(size, signed=True)} {label}"
    bounds = written.reach(row.ci_low * times, row.ci_high * times)
    return f"{middle} ({bounds})" if row.pairs > 1 else middle


def _points(written: Scale) -> Scale:
    """Return how differences are written: shares differ by points, not by percent."""
    return replace(written, pattern=message("{} points")) if written.pattern == "{} %" else written


def _interval(row: Row, written: Scale) -> str:
    if not row.verdict:
        return EMPTY
    return written.spread(row.difference, row.ci_low, row.ci_high, signed=True)


def _half_width(row: Row) -> float:
    return (row.ci_high - row.ci_low) / 2


def _ratio(above: float, below: float) -> float:
    return above / below if below else math.nan
