"""Page one: the few numbers that a manager reads first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from omnisim.comparison import interval
from omnisim.misallocation import BEST, ORACLE
from omnisim.records import Records
from omnisim.silos.game import outcome
from omnisim.spec import ExperimentSpec


def page_one(
    spec: ExperimentSpec, books: Iterable[Records], priced: np.ndarray | None
) -> dict[str, Any]:
    """Return the numbers of page one; `books` are those of the arms and of the yardsticks.

    `priced` float64[replications] is the whole price of silos, EUR a year, where it was
    measured; else it is what the baseline earns less than the oracle. The same money: orders
    of the best fixed split beyond the baseline's. The same orders: what of the whole budget
    can be cut from the best split before it has no more orders than the baseline.
    """
    told = {(book.arm, book.replication): book for book in books}
    found = {key: outcome(book) for key, book in told.items()}
    pairs = sorted(nth for arm, nth in found if arm == BEST and (spec.baseline, nth) in found)
    if not pairs:
        return {}
    price = priced
    if price is None:
        earned = ((found[ORACLE, n], found[spec.baseline, n]) for n in pairs)
        price = np.array([best.contribution - base.contribution for best, base in earned])
    more = {n: found[BEST, n].orders - found[spec.baseline, n].orders for n in pairs}
    _, low, high = interval(price)
    mean = float(np.mean(price))
    return {
        "price_of_silos": _told(price),
        "of": "steering" if priced is None else "together",
        "same_money_more_orders": _told(np.array(list(more.values()))),
        "same_orders_less_money": _told(_saved(more, {n: told[BEST, n].truth for n in pairs})),
        "how_sure": {
            "replications": len(price),
            "positive": int((price > 0).sum()),
            "half_width_share": (high - low) / 2 / abs(mean) if mean else None,
        },
    }


def _told(values: np.ndarray | None) -> dict[str, float] | None:
    if values is None:
        return None
    return dict(zip(("mean", "ci_low", "ci_high"), interval(values), strict=True))


def _saved(more: Mapping[int, float], measured: Mapping[int, pd.DataFrame]) -> np.ndarray | None:
    """Return EUR a year that the best split can do without (float64[replications]).

    By the orders that a cut of the whole budget loses, in proportion, where that was tried.
    """
    saved = []
    for nth, rows in measured.items():
        cut = rows[rows["kind"] == "company"]
        if not len(cut):
            continue
        cost, orders = (float(cut[name].sum()) for name in ("cost_long", "orders_long"))
        if orders >= 0:
            return None
        saved.append(more[nth] * cost / orders)
    return np.array(saved) if saved else None
