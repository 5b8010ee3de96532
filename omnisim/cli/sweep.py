"""One table out of many answers: a row per point in the terminal, all comparisons as CSV."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from omnisim.experiment import Answer
from omnisim.language import ENGLISH, Language


@dataclass(frozen=True)
class Point:
    """One answer of many, and the values by which it differs from the others."""

    number: int
    swept: dict[str, str]
    answer: Answer

    @property
    def verdict(self) -> str:
        """Return the verdict on the primary outcome in words."""
        return self.answer.comparison.verdict


def swept(words: Sequence[str], points: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the keys and values in which a point's words differ from any other's."""
    common = set(words).intersection(*points)
    pairs = (word.lstrip("+").partition("=") for word in words if word not in common)
    return {key: value for key, _, value in pairs}


def merged(points: Sequence[Point]) -> pd.DataFrame:
    """Return a row per point, outcome and arm: levels, difference to the baseline, interval."""
    rows = []
    for point in points:
        comparison = point.answer.comparison
        levels = {(level.outcome, level.arm): level.mean for level in comparison.levels}
        for row in comparison.rows:
            means = {
                "mean": levels[row.outcome, row.arm],
                "baseline_mean": levels[row.outcome, row.baseline],
            }
            rows.append({"point": point.number} | point.swept | asdict(row) | means)
    return pd.DataFrame(rows)


def write(path: Path, points: Sequence[Point]) -> None:
    """Write the merged table, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    merged(points).to_csv(unfinished, index=False, lineterminator="\n")
    os.replace(unfinished, path)


def show(points: Sequence[Point], path: Path, words: Language = ENGLISH) -> None:
    """Print a row per point and arm on the primary outcome, and where all the rest is."""
    keys = list(dict.fromkeys(key for point in points for key in point.swept))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in (*keys, words.say("arm")):
        table.add_column(Text(head), overflow="fold")
    for head in (words.say("baseline"), f"{words.say('difference')} (95 %)"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column(words.say("verdict"))
    outcomes = []
    for point in points:
        comparison = point.answer.comparison
        line = comparison.line(comparison.primary, words)
        outcomes.append(line.label)
        for arm in comparison.arms[1:]:
            cells = [*(point.swept.get(key, "") for key in keys), words.name(arm)]
            verdict = line.verdicts[arm]
            cells += [line.levels[comparison.baseline], line.differences[arm]]
            cells.append(words.say(verdict) if verdict else "")
            table.add_row(*(Text(cell) for cell in cells))
    console = Console()
    console.print(Text("\n" + ", ".join(dict.fromkeys(outcomes)), style="bold"))
    console.print(table)
    console.print(Text(words.say("All outcomes: {path}", path=path)), soft_wrap=True)
