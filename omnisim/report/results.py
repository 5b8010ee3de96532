"""Results: what a results folder holds, read from its files alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from omnisim.comparison import Comparison, Level, Row
from omnisim.misallocation import Gap, LastEuro

NEEDED = ("spec.yaml", "summary.json", "measures.csv", "weekly.parquet", "provenance.json")
WEEKLY = [
    *("arm", "replication", "week", "channel", "kind", "planned_cents", "spent_cents"),
    *("expected_orders", "expected_revenue_gross", "expected_new_customers"),
    *("expected_margin", "expected_cost_to_serve"),
]


class Unreadable(ValueError):
    """A folder that holds no results: what is missing or broken, in one line."""


@dataclass(frozen=True)
class Results:
    """One answer as it was stored: plan and summary as written, ledgers, the comparison.

    `weekly` has the columns WEEKLY. Nothing here is checked against today's spec, so that
    results of yesterday stay readable.
    """

    folder: Path
    plan: Mapping[str, Any]
    summary: Mapping[str, Any]
    provenance: Mapping[str, Any]
    measures: pd.DataFrame
    weekly: pd.DataFrame
    comparison: Comparison

    @property
    def baseline(self) -> str:
        """Return the arm that all others are held against."""
        return self.comparison.baseline

    @property
    def arms(self) -> tuple[str, ...]:
        """Return the arms, the baseline first."""
        return self.comparison.arms

    @property
    def weeks(self) -> int:
        """Return how many weeks each arm ran."""
        return self.comparison.weeks

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Return how far policies are from the best."""
        return tuple(Gap(**_numbers(found)) for found in self.summary.get("gaps", ()))

    @property
    def last_euros(self) -> tuple[LastEuro, ...]:
        """Return what the next order costs; an empty cost is one that buys no order."""
        found = []
        for stored in self.summary.get("marginal_cpo", ()):
            costs = {k: math.inf for k in ("short", "long") if stored[k] is None}
            found.append(LastEuro(**(_numbers(stored) | costs)))
        return tuple(found)

    def among(self, rows: pd.DataFrame) -> Comparison:
        """Return a comparison of the same arms, asked otherwise, from its stored rows."""
        columns = list(Row.__dataclass_fields__)
        stored = rows.astype(object).where(rows.notna(), None)
        listed = [dict(zip(columns, row, strict=True)) for row in stored[columns].to_numpy()]
        found = tuple(Row(**_numbers(row)) for row in listed)
        told = tuple(replace(row, verdict=row.verdict or "") for row in found)
        return replace(self.comparison, levels=(), rows=told)

    def table(self, name: str) -> pd.DataFrame:
        """Return a further table of the folder, empty if it is not there."""
        path = self.folder / f"{name}.csv"
        if not path.exists():
            return pd.DataFrame()
        return read_table(path)


def read(folder: Path) -> Results:
    """Read a results folder; raise Unreadable."""
    for name in NEEDED:
        if not (folder / name).is_file():
            raise Unreadable(f"no {name}")
    try:
        plan = yaml.safe_load((folder / "spec.yaml").read_text(encoding="utf-8"))
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        return Results(
            folder,
            plan,
            summary,
            json.loads((folder / "provenance.json").read_text(encoding="utf-8")),
            read_table(folder / "measures.csv").fillna({"channel": ""}),
            pd.read_parquet(folder / "weekly.parquet", columns=WEEKLY),
            _comparison(plan, summary),
        )
    except (OSError, LookupError, TypeError, ValueError, yaml.YAMLError) as error:
        raise Unreadable(f"files that cannot be read ({_line(error)})") from error


def read_table(path: Path) -> pd.DataFrame:
    """Return a tidy table; only an empty field is no value, so that any name stays one."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _comparison(plan: Mapping[str, Any], summary: Mapping[str, Any]) -> Comparison:
    levels = tuple(
        Level(outcome, arm, **_numbers(found))
        for arm, outcomes in summary["arms"].items()
        for outcome, found in outcomes.items()
    )
    return Comparison(
        summary["baseline"],
        summary["primary"],
        summary["replications"],
        plan["horizon"]["weeks"],
        plan["outcomes"]["margin"],
        levels,
        tuple(Row(**_numbers(found)) for found in summary["comparisons"]),
        tuple(Row(**_numbers(found)) for found in summary.get("interactions", ())),
        tuple((plan.get("interaction") or {}).get("alone", ())),
    )


def _numbers(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored values; what JSON cannot say is NaN."""
    return {key: math.nan if value is None else value for key, value in stored.items()}


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
