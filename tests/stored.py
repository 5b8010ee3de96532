"""Results folders written by a formula, with every table that a report can show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from omnisim.comparison import compare
from omnisim.experiment import Answer
from omnisim.measures import measure
from omnisim.misallocation import Gap, LastEuro
from omnisim.store import write_results
from tests.ledgers import MEDIA, a_spec, some_records

COMMAND = "python -m omnisim experiment=tiny"
STEERING = ("frozen_shares", "wrong_credit", "ignored_spill_over")


def an_answer(replications: int = 4, lift: float = 0.01, **changes: Any) -> Answer:
    """Return an answer in which a lift raises every arm but the baseline."""
    spec = a_spec(**changes)
    records = tuple(
        some_records(spec, arm, r, lift=lift * (1 + r % 3) * (arm != "siloed"))
        for arm in sorted(spec.arms)
        for r in range(replications)
    )
    measures = measure(spec, records)
    return Answer(spec, records, measures, compare(spec, measures), replications)


def stored(folder: Path, answer: Answer | None = None, language: str = "en") -> Path:
    """Write the data of a results folder without further tables."""
    found = an_answer() if answer is None else answer
    write_results(
        folder, found, command=COMMAND, model="m1", elapsed_seconds=1.0, language=language
    )
    return folder


def everything(folder: Path, answer: Answer | None = None, **names: str) -> Path:
    """Write a results folder with all tables; `names` stand for channels in all files."""
    stored(folder, an_answer() if answer is None else answer)
    arms = sorted(pd.read_csv(folder / "measures.csv")["arm"].unique())
    for name, frame in _tables(arms).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    summary = json.loads((folder / "summary.json").read_text())
    _otherwise(summary["comparisons"]).to_csv(folder / "robustness.csv", index=False)
    summary["page_one"] = PAGE_ONE
    summary["gaps"] = [
        vars(Gap("siloed", "the oracle", 5e5, 4e5, 6e5)),
        vars(Gap("siloed", "best fixed split", 4e5, 3e5, 5e5)),
        vars(Gap("central", "best fixed split", 1e5, -1e5, 3e5)),
    ]
    summary["marginal_cpo"] = [vars(euro) for euro in _euros(arms)]
    (folder / "summary.json").write_text(json.dumps(summary))
    for old, new in names.items():
        _rename(folder, old, new)
    return folder


PAGE_ONE = {
    "price_of_silos": {"mean": 1_234_567.0, "ci_low": 1_000_000.0, "ci_high": 1_469_134.0},
    "of": "together",
    "same_money_more_orders": {"mean": 98_765.0, "ci_low": 90_000.0, "ci_high": 107_530.0},
    "same_orders_less_money": {"mean": 345_678.0, "ci_low": 300_000.0, "ci_high": 391_356.0},
    "how_sure": {"replications": 4, "positive": 4, "half_width_share": 0.19},
}


def _otherwise(compared: list[dict[str, object]]) -> pd.DataFrame:
    """Return the answer and the same one asked in four other ways."""
    asked = ("", *(f"market.start={start}" for start in ("equal", "optimal", "survey")))
    return pd.DataFrame(
        row | {"point": point, "asked with": how}
        for point, how in enumerate((*asked, "steering.fixed=[email]"))
        for row in compared
    )


def _euros(arms: list[str]) -> list[LastEuro]:
    return [
        LastEuro(arm, medium, 5e5 * (1 + nth), 9.5, 20.0 + 30 * nth, 12.0 + 31 * nth, 0.2)
        for arm in arms
        for nth, medium in enumerate(MEDIA)
    ]


def _tables(arms: list[str]) -> dict[str, pd.DataFrame]:
    return {
        "price_of_silos": _price(),
        "first_moves": pd.DataFrame(
            [
                (
                    1,
                    "tv",
                    "search",
                    123_456.0,
                    45_678.0,
                    40_000.0,
                    51_356.0,
                    900.0,
                    "brand",
                    "sales",
                ),
                (2, "search", "tv", 23_456.0, 5_678.0, -1_000.0, 12_356.0, 90.0, "sales", "brand"),
            ],
            columns=[
                *("nth", "from", "to", "eur_year", "gain_year", "ci_low", "ci_high"),
                *("orders_year", "from_department", "to_department"),
            ],
        ),
        "break_even": pd.DataFrame(
            [
                ("overhead", "EUR a year", 0.0, 0.0, 9e5, 8e5, 1e6, 900_000.0, "stops"),
                ("overhead", "EUR a year", 0.0, 2e6, -1e6, -1.2e6, -9e5, 900_000.0, "stops"),
                ("delay", "weeks", 2.0, 8.0, 2e5, 1e5, 3e5, None, "pays as far as tried"),
                ("noise", "sd of log credit", 0.2, 0.4, -2e5, -3e5, -1e5, None, "never pays"),
            ],
            columns=[
                *("lever", "unit", "today", "setting", "gain_year", "ci_low", "ci_high"),
                *("break_even", "status"),
            ],
        ),
        "departments": pd.DataFrame(
            _department(arm, who) for arm in arms for who in ("brand", "sales")
        ),
        "claimed": pd.DataFrame(_claim(arm, who) for arm in arms for who in CLAIMANTS),
        "beliefs": pd.DataFrame(
            [
                (arm, week, medium, 10.0 + week / 10, 40.0 if week in (0, 52) else None)
                for arm in arms
                for week in range(0, 104, 4)
                for medium in MEDIA
            ],
            columns=["arm", "week", "channel", "believed_cpo", "true_cpo"],
        ),
        "curves": pd.DataFrame(
            _point(arm, medium, factor)
            for arm in arms
            for medium in MEDIA
            for factor in (0.0, 0.5, 0.8, 1.0, 1.2, 2.0)
        ),
        "flows": pd.DataFrame(
            [(arm, *way) for arm in arms for way in WAYS],
            columns=["arm", "persona", "inform", "evaluate", "buy", "ended", "journeys_year"],
        ),
    }


WAYS = (
    ("regulars", "store", "store", "store", "ordered", 60_000.0),
    ("regulars", "store", "", "", "inform", 30_000.0),
    ("regulars", "", "", "", "inform", 10_000.0),
    ("hunters", "shop", "store", "store", "ordered", 2_000.0),
    ("hunters", "shop", "store", "shop", "buy", 7_000.0),
    ("hunters", "shop", "shop", "", "evaluate", 1_000.0),
)


def _price() -> pd.DataFrame:
    rows = [("steering", part, "part", 300_000.0 - 100_000 * n) for n, part in enumerate(STEERING)]
    rows += [
        ("steering", "learning", "remainder", -50_000.0),
        ("steering", "whole", "whole", 550_000.0),
        ("integration", "missing_hand_over", "part", 800_000.0),
        ("integration", "links", "cost", -115_433.0),
        ("integration", "whole", "whole", 684_567.0),
        ("together", "steering", "part", 550_000.0),
        ("together", "integration", "part", 684_567.0),
        ("together", "of_ones_own", "interaction", 0.0),
        ("together", "whole", "whole", 1_234_567.0),
    ]
    frame = pd.DataFrame(rows, columns=["waterfall", "part", "kind", "eur_year"])
    frame.insert(1, "nth", frame.groupby("waterfall").cumcount() + 1)
    frame.insert(3, "label", "Part of one's own")
    frame["ci_low"], frame["ci_high"] = frame["eur_year"] - 40_000, frame["eur_year"] + 40_000
    return frame


def _department(arm: str, who: str) -> dict[str, object]:
    is_base, loses = arm == "siloed", who == "brand" and arm != "siloed"
    change = None if is_base else -0.4 if loses else 0.2
    return {
        "arm": arm,
        "department": who,
        "spend_year": 1e6,
        "claims_year": 54_321.0 if who == "brand" else 44_321.0,
        "cpo_claimed": 18.4,
        "sales_orders_year": 0.0,
        "bonus_change": change,
        "loses": None if is_base else loses,
    }


CLAIMANTS = (
    *(("medium", "tv", "claims"), ("medium", "search", "claims")),
    *(("medium", "tv", "last_touch"), ("medium", "search", "last_touch")),
    *(("department", "brand", "claims"), ("department", "sales", "claims")),
    ("company", "", "claims"),
)


def _claim(arm: str, who: tuple[str, str, str]) -> dict[str, object]:
    kind, name, rule = who
    credited = 0.0 if (name, rule) == ("tv", "last_touch") else 250_000.0
    return {
        "arm": arm,
        "kind": kind,
        "name": name or None,
        "department": None
        if kind == "company"
        else "brand"
        if name in ("tv", "brand")
        else "sales",
        "rule": rule,
        "credited": credited,
        "caused": 50_000.0,
        "caused_low": 45_000.0,
        "caused_high": 55_000.0,
        "over": credited - 50_000.0,
        "ratio": credited / 50_000.0,
    }


def _point(arm: str, medium: str, factor: float) -> dict[str, object]:
    orders = 40_000 * (factor**0.5 - 1)
    earned, cost = 20 * orders, 5e5 * (factor - 1) * (1 if medium == "tv" else 0.2)
    row: dict[str, object] = {
        "arm": arm,
        "kind": "medium",
        "channel": medium,
        "department": "brand" if medium == "tv" else "sales",
        "factor": factor,
        "today": factor == 1,
        "spend_year": 5e5 * factor,
        "orders_short": orders / 2,
        "cost_long": cost,
        "margin_long": earned,
    }
    for name, value in (("orders_long", orders), ("margin_long", earned)):
        reach = 0.05 * abs(value)
        row |= {name: value, f"{name}_low": value - reach, f"{name}_high": value + reach}
    return row


def _rename(folder: Path, old: str, new: str) -> None:
    """Give a channel, department or arm another name in every file of a folder."""
    weekly = pd.read_parquet(folder / "weekly.parquet")
    weekly.replace({old: new}).to_parquet(folder / "weekly.parquet")
    for path in folder.glob("*.csv"):
        pd.read_csv(path, keep_default_na=False).replace({old: new}).to_csv(path, index=False)
    for path in (folder / "summary.json", folder / "spec.yaml"):
        text = (
            path.read_text()
            if path.suffix == ".json"
            else json.dumps(yaml.safe_load(path.read_text()))
        )
        path.write_text(json.dumps(_renamed(json.loads(text), old, new)))


def _renamed(told: Any, old: str, new: str) -> Any:
    if isinstance(told, dict):
        return {new if k == old else k: _renamed(value, old, new) for k, value in told.items()}
    if isinstance(told, list):
        return [_renamed(value, old, new) for value in told]
    return new if told == old else told
