"""The audit of channels and touchpoints in the terminal, and as a page."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from omnisim import config, files
from omnisim.cli import Parser, complain, warn
from omnisim.inventory import Inventory, missing, take
from omnisim.inventory.benchmarks import MEANINGS
from omnisim.inventory.hand_over import ACCESS, BOTH, RECORD
from omnisim.inventory.texts import EMPTY, percent
from omnisim.spec import ALL_STAGES

COMMAND = ("python", "-m", "omnisim", "inventory")
DESCRIPTION = "Audit the configured channels and touchpoints; nothing is simulated."
EXAMPLES = """\
examples:
  python -m omnisim inventory
  python -m omnisim inventory integration=omnichannel
  python -m omnisim inventory experiment=placebo --html inventory.html
"""
LEGEND = (
    f"Serves: {', '.join(f'{stage[0].upper()} {stage}' for stage in ALL_STAGES)}. Known:"
    " customers by a sales channel, persons by a medium (consent to cookies or to mail)."
)
HANGS_ON = (
    "What stands between two channels. A change hangs on who is known in both, on their record"
    " (transaction data) and on access to it (information access); the others do other work."
)
SHORT = {BOTH: "known", RECORD: "record", ACCESS: "access"}
CHANGES = "Share of customers whose context a change of sales channel (row to column) keeps"
PROSPECTS = "What a prospect has found is never handed over."


def main(words: Sequence[str]) -> int:
    """Show the inventory and return the exit status."""
    parser = Parser("inventory", DESCRIPTION, EXAMPLES)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="an option or a value")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as a page, too")
    options = parser.read(words)
    try:
        spec, _ = config.load(options.overrides, options.config_dir)
        found = take(spec)
        if options.html is not None:
            _write(options.html, found, shlex.join([*COMMAND, *words]))
    except config.ConfigError as error:
        return complain(error)
    for line in missing(spec.market):
        warn(line)
    show(Console(), found)
    if options.html is not None:
        print(f"Page: {options.html}")
    return 0


def _write(path: Path, found: Inventory, command: str) -> None:
    from omnisim.report.inventory import render  # the terminal does without jinja2

    try:
        if not path.name:
            raise files.Unwritable(f"'{path}'")
        with files.whole(path) as file:
            file.write(render(found, command).encode())
    except OSError as error:
        raise config.ConfigError("--html", str(error), "a file that can be written") from None


def show(console: Console, found: Inventory) -> None:
    """Print the tables, then strengths and gaps."""
    console.print(Text(f"\nChannels and touchpoints of {found.market}\n", style="bold"))
    console.print(channel_table(found))
    console.print(Text(f"{LEGEND}\n", style="dim"))
    limits = [f"{channel.name} {limit}." for channel in found.channels for limit in channel.limits]
    if limits:
        console.print(_bullets(limits))
    if found.changes:
        console.print(Text(f"{CHANGES}\n"))
        console.print(matrix(found))
        console.print(Text(f"{HANGS_ON}\n"))
        console.print(change_table(found))
        console.print(Text(f"{PROSPECTS}\n", style="dim"))
    if found.use_cases:
        console.print(Text("Use cases\n"))
        console.print(use_case_table(found))
    if found.checks:
        console.print(Text("Beside benchmarks\n"))
        console.print(benchmark_table(found))
        labels = dict.fromkeys(check.label for check in found.checks)
        meanings = "; ".join(f"{label}: {MEANINGS[label]}" for label in labels)
        console.print(Text(f"{meanings}.\n", style="dim"))
    for title, sentences in (("Strengths", found.strengths), ("Gaps", found.gaps)):
        if sentences:
            console.print(Text(title, style="bold"))
            console.print(_bullets(sentences))


def channel_table(found: Inventory) -> Table:
    """Return a row per channel."""
    head = ("channel", "owner", "role", "price", "aim", "serves", "known")
    rows = [
        (
            channel.name,
            channel.owner,
            ", ".join(channel.roles) or EMPTY,
            channel.price,
            channel.aim,
            "".join(stage[0].upper() if stage in channel.serves else "·" for stage in ALL_STAGES),
            percent(channel.recognised),
        )
        for channel in found.channels
    ]
    return _table(head, rows, right=("known",), whole=("channel", "owner", "known"))


def matrix(found: Inventory) -> Table:
    """Return what changes keep: a row per channel that is left, a column per next one."""
    rows = [(name, *map(percent, kept)) for name, kept in found.matrix().items()]
    names = list(found.matrix())
    return _table(("", *names), rows, right=names)


def change_table(found: Inventory) -> Table:
    """Return a row per pair of sales channels, which is the same both ways: all levels."""
    levels = [SHORT.get(level, level) for level in found.changes[0].levels]
    rows = [
        (f"{change.came_from}, {change.goes_to}", *map(percent, change.levels.values()))
        for change in found.changes
        if change.came_from < change.goes_to
    ]
    return _table(("", *levels), rows, right=levels)


def use_case_table(found: Inventory) -> Table:
    """Return a row per use case: whose, over which touchpoints, and what breaks it."""
    rows = [
        (f"{case.name}\n({case.persona})", "\n".join(case.touchpoints), case.verdict)
        for case in found.use_cases
    ]
    return _table(("use case", "touchpoints", "possible?"), rows, whole=("touchpoints",))


def benchmark_table(found: Inventory) -> Table:
    """Return a row per measure of a channel."""
    rows, last = [], ""
    for check in found.checks:
        name = check.channel if check.channel != last else ""
        measure = f"{check.label} ({check.unit})"
        rows.append((name, measure, check.shown, check.range, check.mark, check.source))
        last = check.channel
    return _table(("", "measure", "here", "elsewhere", "mark", "source"), rows, right=("here",))


def _table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Sequence[str] = (),
    whole: Sequence[str] = ("",),
) -> Table:
    """Return a table; columns that are `whole` keep their words in one piece."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in head:
        justify: JustifyMethod = "right" if name in right else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", no_wrap=name in whole)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _bullets(sentences: Iterable[str]) -> Table:
    grid = Table.grid(padding=(0, 1))
    for sentence in sentences:
        grid.add_row("-", Text(sentence))
    grid.add_row()
    return grid
