"""Misallocation: how far arms are from the best split, and what their last euro really buys."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omnisim.comparison import interval
from omnisim.language import ENGLISH, Language
from omnisim.measures import EMPTY, scale
from omnisim.records import Records
from omnisim.spec import WEEKS_IN_YEAR, ExperimentSpec, Strategy

# Yardsticks run beside the arms. No arm can have a name with a space.
FORK, BEST, ORACLE = "split at the fork", "best fixed split", "the oracle"
SEARCH = "search for the best split"
COMPARED = 5  # replications in which yardsticks run, unless silos are priced
SURE = 1.0  # half-width of extra orders as a share of them, beyond which a cost is not known
SEARCHES = 2  # replications whose best splits are averaged; all others have not seen them


@dataclass(frozen=True)
class Gap:
    """What one policy earns less than another, in EUR of contribution a year, paired."""

    policy: str
    against: str
    mean: float
    ci_low: float
    ci_high: float

    def millions(self, words: Language = ENGLISH) -> str:
        """Return it in EUR m, as people read it in a table."""
        written = scale("eur", 1e6, (self.ci_high - self.ci_low) / 2, words)
        return written.spread(self.mean, self.ci_low, self.ci_high)


@dataclass(frozen=True)
class LastEuro:
    """What a fifth more on one medium for 13 weeks causes in one arm.

    `spend_year` in EUR, as planned; `believed` the marginal CPO in which those who decide believe,
    `short` and `long` what is true after 13 and 52 weeks (EUR per order; infinite where no
    order follows); `error` the half-width of the extra orders as a share of them.
    """

    arm: str
    channel: str
    spend_year: float
    believed: float
    short: float
    long: float
    error: float

    def texts(self, words: Language = ENGLISH) -> tuple[str, str, str, str]:
        """Return the plan in EUR m and the three costs, as people read them in a table."""
        spend = words.number(self.spend_year / 1e6, 2)
        rough = "" if self.error <= SURE else "~"
        short, long = (
            rough * math.isfinite(cost) + cost_text(cost, words) for cost in (self.short, self.long)
        )
        return spend, short, long, cost_text(self.believed, words)


def cost_text(cost: float, words: Language = ENGLISH) -> str:
    """Return EUR per order as people read it in a table."""
    if math.isinf(cost):
        return words.say("no order")
    return EMPTY if math.isnan(cost) else words.number(cost, 1 if cost < 100 else 0)


def compared(spec: ExperimentSpec) -> int:
    """Return in how many replications yardsticks run, and silos are priced."""
    return spec.replications.min if spec.truth == "full" else COMPARED


def search(spec: ExperimentSpec) -> ExperimentSpec:
    """Return the question with one arm, which looks for the best split once a year."""
    return spec.model_copy(update={"arms": {SEARCH: _steered(spec, "oracle", {})}})


def yardsticks(spec: ExperimentSpec, found: Iterable[Records]) -> dict[str, Strategy]:
    """Return the yardstick arms, from what the search planned (mean over its replications)."""
    planned = [
        records.weekly[(records.weekly["kind"] == "media") & (records.weekly["week"] >= 0)]
        for records in found
    ]
    years = {
        first: _split(planned, first, min(first + WEEKS_IN_YEAR, spec.horizon.weeks))
        for first in range(0, spec.horizon.weeks, WEEKS_IN_YEAR)
    }
    return {
        FORK: _steered(spec, "given", {}),
        BEST: _steered(spec, "given", {0: years[0]}),
        ORACLE: _steered(spec, "given", years),
    }


def gaps(spec: ExperimentSpec, measures: pd.DataFrame) -> tuple[Gap, ...]:
    """Return how much less than the best fixed split, and than the oracle, everybody earns."""
    rows = measures[(measures["outcome"] == "expected_contribution") & (measures["channel"] == "")]
    earned = rows.pivot(index="replication", columns="arm", values="value").dropna()
    years = spec.horizon.weeks / WEEKS_IN_YEAR
    return tuple(
        Gap(policy, against, *interval(((earned[against] - earned[policy]) / years).to_numpy()))
        for policy in (FORK, *sorted(spec.arms), BEST)
        for against in (BEST, ORACLE)
        if policy != against and policy in earned and against in earned
    )


def last_euros(records: Iterable[Records]) -> tuple[LastEuro, ...]:
    """Return the marginal CPO of every medium in every arm that was measured.

    Cost and orders are summed over replications before they are divided.
    """
    found = [book.truth.assign(arm=book.arm) for book in records if len(book.truth)]
    if not found:
        return ()
    rows = pd.concat(found)
    rows = rows[np.isclose(rows["factor"], 1.2)]
    return tuple(
        _last_euro(str(arm), str(channel), group)
        for (arm, channel), group in rows.groupby(["arm", "channel"])
    )


def _last_euro(arm: str, channel: str, rows: pd.DataFrame) -> LastEuro:
    _, low, high = interval(rows["orders_long"].to_numpy())
    orders = float(rows["orders_long"].mean())
    return LastEuro(
        arm,
        channel,
        float(rows["spend_year"].mean()),
        float(rows["believed_cpo"].mean()),
        _per_order(rows["cost_short"], rows["orders_short"]),
        _per_order(rows["cost_long"], rows["orders_long"]),
        (high - low) / 2 / orders if orders > 0 else math.nan,
    )


def _per_order(cost: pd.Series, orders: pd.Series) -> float:
    extra = float(orders.sum())
    return float(cost.sum()) / extra if extra > 0 else math.inf


def _steered(spec: ExperimentSpec, kind: str, given: dict[int, dict[str, float]]) -> Strategy:
    steering = spec.status_quo.steering.model_copy(
        update={"kind": kind, "given": given, "review_weeks": WEEKS_IN_YEAR}
    )
    return spec.status_quo.model_copy(update={"steering": steering})


def _split(planned: Sequence[pd.DataFrame], first: int, after: int) -> dict[str, float]:
    shares: dict[str, float] = {}
    for weekly in planned:
        year = weekly[(weekly["week"] >= first) & (weekly["week"] < after)]
        cents = year.groupby("channel")["planned_cents"].sum()
        for channel, part in (cents / cents.sum() / len(planned)).items():
            shares[str(channel)] = shares.get(str(channel), 0.0) + float(part)
    return shares
