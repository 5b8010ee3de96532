"""How fast is it on this machine: tables in the terminal, every number as CSV if asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from omnisim.cli import Parser, complain, positive

# Engines import all of Mesa and Numba, which a mistyped word need not wait for.
if TYPE_CHECKING:
    from rich.console import Console

    from omnisim.bench import Row

EXAMPLES = """\
examples:
  python -m omnisim bench                     two to three minutes
  python -m omnisim bench --quick             a rough answer
  python -m omnisim bench --csv bench.csv     the same numbers as a file

Times hold for this machine at this moment; compare ratios, not times.
"""


def main(words: Sequence[str]) -> int:
    """Measure, print and return the exit status: 0, 1 failed, 2 refused."""
    options = _parser().read(words)
    from rich.console import Console

    from omnisim import bench, config
    from omnisim.bench.small import Unlike
    from omnisim.files import Unwritable

    plan = bench.QUICK if options.quick else bench.Plan()
    if options.people:
        plan = replace(plan, people=options.people)
    try:
        with Console(stderr=True).status("Compiling, if need be") as status:
            rows = bench.bench(plan, options.config_dir, status.update)
        show(Console(), rows)
        if options.csv is not None:
            write(options.csv, rows)
    except (config.ConfigError, Unlike) as error:
        return complain(error)
    except Unwritable as error:
        return complain(error, 1)
    return 0


def _parser() -> Parser:
    parser = Parser("bench", "Measure how fast omnisim is on this machine, on one core.", EXAMPLES)
    parser.add_argument("--quick", action="store_true", help="fewer people and rounds, no year")
    parser.add_argument(
        "--people", type=positive, metavar="N", help="people of the engines that are compared"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every number as CSV")
    return parser


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write every number as CSV; what was not measured is empty."""
    import pandas as pd

    from omnisim.files import whole

    text = pd.DataFrame([asdict(row) for row in rows]).to_csv(index=False, lineterminator="\n")
    with whole(path) as file:
        file.write(text.encode())


def show(console: Console, rows: Sequence[Row]) -> None:
    """Print the engines side by side, then omnisim by itself, then what to make of both."""
    from rich import box
    from rich.table import Table

    from omnisim.bench import notes

    for title, compared in (("The small market", True), ("omnisim by itself", False)):
        chosen = [row for row in rows if (row.part == "engines") == compared]
        table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
        table.add_column("engine" if compared else "market")
        for column in ("people", "CPU ns", "x Mesa" if compared else "peak MiB"):
            table.add_column(column, justify="right")
        for column in ("bytes", "contacts", "journeys", "orders"):
            table.add_column(column, justify="right")
        for row in chosen:
            table.add_row(
                row.engine if compared else row.market,
                f"{row.people:,}",
                _number(row.cpu_ns, ".1f"),
                _number(row.times_mesa, ".1f")
                if compared
                else _number(row.peak_bytes / 2**20, ",.0f"),
                _number(row.held_bytes, ",.0f"),
                _number(row.contacts, ".3f"),
                _number(row.journeys, ".4f"),
                _number(row.orders, ".4f"),
            )
        console.print(table)
    for note in notes(rows):
        console.print(note, soft_wrap=True, highlight=False)


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) or value == 0 else format(value, form)
