"""Is the model right? Targets measured over seeds: a table, CSV, and the page in docs."""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from omnisim import config, validate
from omnisim.cli import Parser, complain, positive
from omnisim.files import Unwritable, whole
from omnisim.spec import Fault
from omnisim.validate import Finding

Work = TypeVar("Work")
Told = TypeVar("Told")
SEEDS = 20
BEGIN, END = "<!-- findings: begin -->", "<!-- findings: end -->"
HEADS = ("", "", "published", "measured", "spread", "tolerance", "")
WIDTHS = (14, 11, 7, 14, 4)  # of all but the first two, of which the second gets what is left
SIDES: tuple[Literal["left", "right"], ...]
SIDES = ("left", "left", "right", "right", "right", "right", "left")
EXAMPLES = """\
examples:
  python -m omnisim validate                          all targets, some minutes
  python -m omnisim validate --only E7,E13 --seeds 5  a rough look at two of them
  python -m omnisim validate --csv validation.csv     the same numbers as a file
  python -m omnisim validate hypotheses               what theory says of organisations

A target passes if the mean over seeds lies inside its tolerance. The exit status
says nothing about that: it is 0 whatever passes.
"""


class Broken(RuntimeError):
    """A seed that could not be measured: which, why, and the traceback."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


def main(words: Sequence[str]) -> int:
    """Measure, print and return the exit status: 0, 1 failed, 2 refused."""
    return answered(_validated, parser().read(words))


def answered(validated: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Return the exit status of what is asked for: its own, 1 failed, 2 refused."""
    try:
        return validated(options)
    except Fault as fault:
        return complain(config.told(fault))
    except config.ConfigError as error:
        return complain(error)
    except Unwritable as error:
        return complain(error, 1)
    except Broken as broken:
        if options.trace:
            print(broken.trace, file=sys.stderr)
        return complain(broken, 1)


def parser() -> Parser:
    """Return the reader of what is typed."""
    reader = Parser("validate", "Measure what the model's output should hit.", EXAMPLES)
    reader.add_argument(
        "--seeds", type=positive, default=SEEDS, metavar="N", help=f"how many ({SEEDS})"
    )
    reader.add_argument(
        "--people", type=positive, metavar="N", help="agents of every market (its own number)"
    )
    add_files(reader, "E7,E13", "targets")
    return reader


def add_files(reader: Parser, some: str, what: str) -> None:
    """Let a reader read which ones are meant, as `some`, and what is written where."""
    reader.add_argument("--only", metavar=some, help=f"these {what}")
    reader.add_argument("--csv", type=Path, metavar="FILE", help="write every number as CSV")
    reader.add_argument(
        "--docs", type=Path, metavar="FILE", help="write the table between the marks of a page"
    )
    reader.add_argument("--trace", action="store_true", help="show the traceback of what failed")


def named(options: argparse.Namespace) -> list[str]:
    """Return which ones are meant, none for all of them."""
    return [name.strip().upper() for name in (options.only or "").split(",") if name.strip()]


def checked(options: argparse.Namespace) -> tuple[str, str] | None:
    """Return what stands around the table of the page, if one is asked for.

    Raises Unwritable or ConfigError where nothing can be written, before anything is measured.
    """
    from omnisim.store import writable

    page = None if options.docs is None else page_of(options.docs)
    for file in (options.csv, options.docs):
        if file is not None:
            writable(file.parent)
    return page


def _validated(options: argparse.Namespace) -> int:
    targets, page = validate.chosen(named(options)), checked(options)
    people = [] if options.people is None else [f"market.people={options.people}"]
    specs = {
        market: config.load([*asked, *people], options.config_dir)[0]
        for market, asked in validate.WORDS.items()
    }
    units = validate.units(targets, specs, options.seeds)
    measured = list(watched(units, validate.measured, lambda u: f"{u.market}, seed {u.seed}"))
    found = validate.findings(targets, measured)
    show(Console(), found)
    if options.csv is not None:
        write(options.csv, _csv(found))
    if page is not None:
        before, after = page
        told = f"{_setting(options.seeds, options.people)}\n\n{markdown(found)}"
        write(options.docs, f"{before}{BEGIN}\n\n{told}\n{END}{after}")
    return 0


def watched(
    units: Sequence[Work], measure: Callable[[Work], Told], called: Callable[[Work], str]
) -> Iterator[Told]:
    """Yield what is found in each unit, beside a bar; raise Broken where one cannot be measured."""
    from omnisim.cli import table
    from omnisim.compute import run_units
    from omnisim.experiment import Failure, Progress
    from omnisim.sources import is_compiled

    if not units:
        return
    with table.progress_bar(Console(stderr=True), compiling=not is_compiled()) as tell:
        tell(Progress(0, len(units)))
        for done, (unit, found) in enumerate(run_units(units, measure), start=1):
            if isinstance(found, Failure):
                raise Broken(f"{called(unit)}: {found.message}", found.trace)
            tell(Progress(done, len(units), called(unit)))
            yield found


# What is told


def show(console: Console, found: Sequence[Finding]) -> None:
    """Print what was measured, what is open and why, and how many pass."""
    measured = [one for one in found if one.values]
    if measured:
        console.print(_grid(console, [map(Text, HEADS)]), style="bold")
    for name, parts in itertools.groupby(measured, key=lambda one: one.target.id):
        group = list(parts)
        target = group[0].target
        console.print(Text(f"\n{name:4}{target.title}", style="bold"))
        console.print(Padding.indent(Text(" ".join(target.source.split()), style="dim"), 4))
        console.print(_grid(console, [_cells(one) for one in group]))
    reasons = validate.openings(found)
    if reasons:
        console.print(Text("\nCannot be measured yet", style="bold"))
    for reason, keys in reasons.items():
        console.print(Padding.indent(Text(f"{reason}: {', '.join(keys)}"), 4))
    console.print(Text(f"\n{validate.tally(found)}", style="bold"))


def _grid(console: Console, rows: Iterable[Iterable[Text]]) -> Table:
    """Return rows whose columns are as wide in every grid of this terminal."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    room = console.width - sum(WIDTHS) - len(HEADS) - 3
    for width, side in zip((3, max(room, 16), *WIDTHS), SIDES, strict=True):
        grid.add_column(width=width, justify=side, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def _cells(one: Finding) -> list[Text]:
    target = one.target
    words = ("", target.what, target.found, *numbers(one), target.tolerance)
    style = "red" if one.verdict == "fail" else ""
    return [*map(Text, words), Text(one.verdict, style=style)]


def numbers(one: Finding) -> tuple[str, str]:
    """Return mean and spread in words; nothing for what there is not."""
    mean, spread = ("" if math.isnan(n) else f"{n:.3g}" for n in (one.mean, one.spread))
    return (f"{mean} {one.target.unit}".strip() if mean else ""), spread


def markdown(found: Sequence[Finding]) -> str:
    """Return all findings as a table of a page, what is open with its reason."""
    head = ("target", "what", "published", "tolerance", "measured", "spread", "verdict", "source")
    rows = [
        (
            one.target.id,
            f"{one.target.title}: {one.target.what}",
            one.target.found,
            one.target.tolerance,
            *numbers(one),
            one.opening if one.verdict == "open" else one.verdict,
            f"{one.target.source} ({one.target.kind})",
        )
        for one in found
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _setting(seeds: int, people: int | None) -> str:
    from omnisim.sources import model_version

    many = f", {people:,} people" if people else ""
    last = validate.FIRST_SEED + seeds - 1
    return f"Seeds {validate.FIRST_SEED} to {last}{many}, model version `{model_version()}`."


# Files


def _csv(found: Sequence[Finding]) -> str:
    import pandas as pd

    return pd.DataFrame([one.row() for one in found]).to_csv(index=False, lineterminator="\n")


def page_of(path: Path) -> tuple[str, str]:
    """Return what stands before and after the marks of a page; raise ConfigError without."""
    allowed = f"a page with the lines {BEGIN} and {END}"
    try:
        before, begun, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    except (OSError, UnicodeDecodeError):
        raise config.ConfigError("--docs", f"'{path}'", allowed) from None
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise config.ConfigError("--docs", f"'{path}' without them", allowed)
    return before, after


def write(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    with whole(path) as file:
        file.write(text.encode())
