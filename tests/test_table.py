from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from omnisim.cli.table import progress_bar, show
from omnisim.comparison import compare
from omnisim.experiment import Answer, Progress
from omnisim.measures import measure
from tests.ledgers import a_spec, some_records

REPORT = Path("results/tiny/2026-01-01_00-00-00/a-rather-long-folder-name-that-wraps/report.html")


def an_answer(simulated: int = 3, integration_cost: float = 0.0, **changes: Any) -> Answer:
    spec = a_spec(**changes)
    records = [
        some_records(spec, arm, r, lift=0.01 * (arm != "siloed"))
        for arm in spec.arms
        for r in range(3)
    ]
    for book in records:
        book.company["integration_cost"] = integration_cost
    measures = measure(spec, records)
    return Answer(spec, tuple(records), measures, compare(spec, measures), simulated)


def shown(answer: Answer, width: int = 80) -> str:
    file = io.StringIO()
    show(Console(file=file, width=width), answer, REPORT, ["[bold]A note[/bold]"])
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("arms", [1, 2, 4])
def test_no_line_is_too_wide_and_no_number_is_cut(width: int, arms: int) -> None:
    strategies = a_spec().model_dump()["arms"]
    names = ["central", "a_rather_long_name", "third", "fourth"][:arms]
    crowd = dict.fromkeys(names, strategies["central"])
    answer = an_answer(arms={"siloed": strategies["siloed"], **crowd})
    text = shown(answer, width)
    assert all(len(line) <= width for line in text.splitlines() if "Report:" not in line)
    assert "…" not in text
    for name in crowd:
        assert answer.comparison.line("contribution").differences[name] in text


def test_profit_is_shown_where_integration_costs_anything() -> None:
    free, costly = an_answer(), an_answer(integration_cost=3.0)
    assert "Profit" not in shown(free)
    assert "Profit (EUR" in shown(costly)
    assert "Integration cost (EUR" in shown(costly)


def test_a_pipe_gets_plain_text_and_a_path_in_one_piece() -> None:
    text = shown(an_answer())
    assert "\x1b" not in text
    assert f"Report: {REPORT}\n" in text
    assert "[bold]A note[/bold]" in text


def test_the_table_ends_with_the_verdict_and_says_what_was_stored() -> None:
    fresh, stored = an_answer(), an_answer(simulated=0)
    assert fresh.comparison.verdict in shown(fresh, 1_000)
    assert "from the store" not in shown(fresh)
    assert "Answered from the store" in shown(stored)


def test_a_log_gets_a_line_per_tenth() -> None:
    file = io.StringIO()
    with progress_bar(Console(file=file, width=80), compiling=True) as tell:
        for done in range(101):
            tell(Progress(done, 100, "central EUR +1.2 m" if done else ""))
    lines = file.getvalue().splitlines()
    assert lines[0].startswith("Compiling for the first time")
    assert len(lines) == 12
    assert lines[-1] == "100 of 100 replications: central EUR +1.2 m"


def test_a_terminal_gets_a_bar_that_is_gone_in_the_end() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True)
    with progress_bar(console, compiling=False) as tell:
        tell(Progress(0, 4))
        tell(Progress(1, 4, "central EUR +1.2 m"))
    text = file.getvalue()
    assert "Compiling" not in text
    assert "central EUR +1.2 m" in text
