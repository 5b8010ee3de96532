"""Pay: what every department sells, spends and is paid on, and who loses against the baseline."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from omnisim.comparison import interval
from omnisim.records import Records
from omnisim.spec import WEEKS_IN_YEAR, ExperimentSpec

COLUMNS = (
    *("arm", "department", "spend_year", "claims_year", "claims_low", "claims_high"),
    *("last_touch_year", "sales_orders_year", "cpo_claimed", "paid_orders_year"),
    *("spend_change", "claims_change", "claims_change_low", "claims_change_high"),
    *("cpo_change", "bonus_change", "loses"),
)
SUMS = ("spent_cents", "expected_claims", "expected_last_touch", "expected_orders")


def departments(spec: ExperimentSpec, books: Iterable[Records]) -> pd.DataFrame:
    """Return a row per arm and department: what it spends, claims, sells and is paid on.

    Claims are those of its media. Pay counts own claims and the company's last touch by
    `incentives.company_weight`. Values of a year, means over replications; changes against
    the baseline are paired.
    """
    found = list(books)
    base = _sums(spec, found, spec.baseline)
    rows = []
    for arm in (spec.baseline, *sorted(set(spec.arms) - {spec.baseline})):
        weight = spec.arms[arm].incentives.company_weight
        for department, own in _sums(spec, found, arm).items():
            row = {"arm": arm, "department": department} | _levels(own, weight)
            if arm != spec.baseline and department in base:
                row |= _changes(own, base[department], weight)
            rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"loses": bool})


def _sums(spec: ExperimentSpec, books: list[Records], arm: str) -> dict[str, np.ndarray]:
    """Return spend, claims, last touch and sales a year (float64[replications, 4])."""
    years = spec.horizon.weeks / WEEKS_IN_YEAR
    told: dict[str, list[np.ndarray]] = {}
    for book in sorted(books, key=lambda book: book.replication):
        if book.arm != arm:
            continue
        weekly = book.weekly[book.weekly["week"] >= 0]
        sums = weekly.groupby("channel")[list(SUMS)].sum()
        for key, unit in sorted(spec.arms[arm].organigram.items()):
            own = sums.loc[[name for name in unit.owns if name in sums.index]].sum().to_numpy()
            told.setdefault(key, []).append(own / [100 * years, years, years, years])
    return {key: np.array(rows) for key, rows in told.items()}


def _paid(own: np.ndarray, weight: float) -> np.ndarray:
    paid: np.ndarray = (1 - weight) * own[:, 1] + weight * own[:, 2]
    return paid


def _levels(own: np.ndarray, weight: float) -> dict[str, object]:
    spend, claims, last_touch, sales = own.mean(axis=0).tolist()
    _, low, high = interval(own[:, 1])
    return {
        "spend_year": spend,
        "claims_year": claims,
        "claims_low": low,
        "claims_high": high,
        "last_touch_year": last_touch,
        "sales_orders_year": sales,
        "cpo_claimed": _ratio(spend, claims),
        "paid_orders_year": float(_paid(own, weight).mean()),
        "loses": False,
    }


def _changes(own: np.ndarray, before: np.ndarray, weight: float) -> dict[str, object]:
    claims, low, high = interval(own[:, 1] - before[:, 1])
    paid, _, most = interval(_paid(own, weight) - _paid(before, weight))
    spend, told = own.mean(axis=0)[:2] - 0.0
    had, knew = before.mean(axis=0)[:2]
    return {
        "spend_change": float(spend - had),
        "claims_change": claims,
        "claims_change_low": low,
        "claims_change_high": high,
        "cpo_change": _ratio(spend, told) - _ratio(had, knew),
        "bonus_change": _ratio(paid, float(_paid(before, weight).mean())),
        "loses": bool(most < 0),
    }


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below else math.nan
