"""Causes: response curves, credit beside what was caused, and what steering rules believed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import pandas as pd

from omnisim.comparison import interval
from omnisim.records import TRUTH_COLUMNS, Records
from omnisim.spec import ExperimentSpec

TRIALS_A_YEAR = 4  # trials of 13 weeks
MEASURED = ("orders_short", "orders_long", "margin_long")  # with an interval
CURVES = (
    *("arm", "kind", "channel", "department", "factor", "today", "spend_year"),
    *("cost_short", "cost_long"),
    *(f"{name}{end}" for name in MEASURED for end in ("", "_low", "_high")),
)
CLAIMED = (
    *("arm", "kind", "name", "department", "rule", "credited"),
    *("caused", "caused_low", "caused_high", "over", "ratio"),
)
BELIEFS = ("arm", "week", "channel", "believed_cpo", "true_cpo")
KEYS = ["arm", "kind", "channel", "factor"]


def truth(books: Iterable[Records]) -> pd.DataFrame:
    """Return every trial of every arm and replication."""
    parts = [
        book.truth.assign(arm=book.arm, replication=book.replication)
        for book in books
        if len(book.truth)
    ]
    columns = ["arm", "replication", *TRUTH_COLUMNS]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def curves(spec: ExperimentSpec, measured: pd.DataFrame) -> pd.DataFrame:
    """Return a point per trial and one for today, a year at 13 weeks times four."""
    rows = []
    for (arm, kind, channel), trials in measured.groupby(["arm", "kind", "channel"], sort=True):
        who = {"arm": arm, "kind": kind, "channel": channel}
        who["department"] = _owner(spec, str(arm), str(kind), str(channel))
        spend = float(trials["spend_year"].mean())
        nothing = dict.fromkeys(CURVES[CURVES.index("cost_short") :], 0.0)
        rows.append(who | {"factor": 1.0, "today": True, "spend_year": spend} | nothing)
        for factor, own in trials.groupby("factor", sort=True):
            point = {"factor": factor, "today": False, "spend_year": spend * float(str(factor))}
            rows.append(who | point | _extra(own))
    return pd.DataFrame(rows, columns=list(CURVES)).sort_values(KEYS, ignore_index=True)


def _extra(own: pd.DataFrame) -> dict[str, float]:
    told = {name: TRIALS_A_YEAR * float(own[name].mean()) for name in ("cost_short", "cost_long")}
    for name in MEASURED:
        mean, low, high = interval(TRIALS_A_YEAR * own[name].to_numpy(float))
        told |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return told


def claimed(spec: ExperimentSpec, books: Iterable[Records]) -> pd.DataFrame:
    """Return the orders a year that rules credit beside those that are lost without it.

    What a department or the company causes is read with all its media off at once, so that
    it is more or less than the sum of its media.
    """
    found = list(books)
    off = truth(found)
    off = off[off["factor"] == 0]
    rows = [
        row
        for arm in sorted({book.arm for book in found if len(book.credits)})
        for row in _claimed(spec, arm, off[off["arm"] == arm], found)
    ]
    return pd.DataFrame(rows, columns=list(CLAIMED))


def _claimed(
    spec: ExperimentSpec, arm: str, off: pd.DataFrame, books: list[Records]
) -> Iterator[tuple[object, ...]]:
    told = [book.credits for book in books if book.arm == arm and len(book.credits)]
    mean = TRIALS_A_YEAR * pd.concat(told).groupby(["rule", "channel"])["credited"].sum()
    mean /= len(told)
    for (kind, name), own in off.groupby(["kind", "channel"], sort=True):
        caused, low, high = interval(-TRIALS_A_YEAR * own["orders_long"].to_numpy(float))
        owner = _owner(spec, arm, str(kind), str(name))
        media = _media(spec, arm, str(kind), str(name))
        for rule, by_medium in mean.groupby(level="rule", sort=True):
            channels = by_medium.droplevel("rule")
            credited = float(channels[channels.index.isin(media)].sum())
            ratio = credited / caused if caused > 0 else math.nan
            over = credited - caused
            yield arm, kind, name, owner, rule, credited, caused, low, high, over, ratio


def _media(spec: ExperimentSpec, arm: str, kind: str, name: str) -> set[str]:
    if kind == "medium":
        return {name}
    if kind == "department":
        return set(spec.arms[arm].organigram[name].owns)
    return set(spec.market.media)


def _owner(spec: ExperimentSpec, arm: str, kind: str, name: str) -> str:
    if kind != "medium":
        return name
    return next(key for key, unit in spec.arms[arm].organigram.items() if name in unit.owns)


def beliefs(spec: ExperimentSpec, books: Iterable[Records]) -> pd.DataFrame:
    """Return the marginal CPO that was believed at every review, and the true one of 13 weeks.

    The true one was looked at every half-year only; empty where no extra order followed.
    """
    found = list(books)
    told = [book.beliefs.assign(arm=book.arm) for book in found if len(book.beliefs)]
    if not told:
        return pd.DataFrame(columns=list(BELIEFS))
    believed = pd.concat(told).groupby(["arm", "week", "channel"], as_index=False).mean()
    looks = pd.concat(book.checks.assign(arm=book.arm) for book in found if len(book.checks))
    sums = looks.groupby(["arm", "week", "channel"], as_index=False).sum()
    bought = sums["orders_short"] > 0
    sums["true_cpo"] = (sums["cost_short"] / sums["orders_short"].where(bought)).where(bought)
    keys = ["arm", "week", "channel"]
    both = believed.merge(sums[[*keys, "true_cpo"]], how="outer", on=keys)
    return both[list(BELIEFS)].sort_values(keys, ignore_index=True)
