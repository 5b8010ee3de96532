"""The audit of channels and touchpoints in the terminal, and as a page."""

from __future__ import annotations

import shlex
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from omnisim import config, files
from omnisim.cli import Parser, complain, warn
from omnisim.inventory import Inventory, missing, take
from omnisim.inventory.hand_over import ACCESS, BOTH, RECORD
from omnisim.inventory.texts import EMPTY, percent
from omnisim.language import Language, language, message
from omnisim.spec import ALL_STAGES

COMMAND = ("python", "-m", "omnisim", "inventory")
DESCRIPTION = "Audit the configured channels and touchpoints; nothing is simulated."
EXAMPLES = """\
examples:
  python -m omnisim inventory
  python -m omnisim inventory integration=omnichannel
  python -m omnisim inventory experiment=placebo --html inventory.html
  python -m omnisim inventory language=de
"""
LEGEND = message(
    "Serves: {stages}. Known: customers by a sales channel, persons by a medium (consent to"
    " cookies or to mail)."
)
HANGS_ON = message(
    "What stands between two channels. A change hangs on who is known in both, on their record"
    " (transaction data) and on access to it (information access); the others do other work."
)
SHORT = {BOTH: message("known"), RECORD: message("record"), ACCESS: message("access")}
CHANGES = message(
    "Share of customers whose context a change of sales channel (row to column) keeps"
)
PROSPECTS = message("What a prospect has found is never handed over.")


def main(words: Sequence[str]) -> int:
    """Show the inventory and return the exit status."""
    parser = Parser("inventory", DESCRIPTION, EXAMPLES)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="an option or a value")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as a page, too")
    options = parser.read(words)
    try:
        spec, run = config.load(options.overrides, options.config_dir)
        told = language(run.language)
        found = take(spec, told)
        if options.html is not None:
            _write(options.html, found, shlex.join([*COMMAND, *words]))
    except config.ConfigError as error:
        return complain(error)
    for line in missing(spec.market, told):
        warn(line, told.say("warning"))
    show(Console(), found)
    if options.html is not None:
        print(told.say("Page: {path}", path=options.html))
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
    say = found.words.say
    title = say("Channels and touchpoints of {market}", market=found.market)
    console.print(Text(f"\n{title}\n", style="bold"))
    _show_channels(console, found)
    if found.changes:
        console.print(Text(f"{say(CHANGES)}\n"))
        console.print(matrix(found))
        console.print(Text(f"{say(HANGS_ON)}\n"))
        console.print(change_table(found))
        console.print(Text(f"{say(PROSPECTS)}\n", style="dim"))
    if found.use_cases:
        console.print(Text(say("Use cases") + "\n"))
        console.print(use_case_table(found))
    if found.checks:
        console.print(Text(say("Beside benchmarks") + "\n"))
        console.print(benchmark_table(found))
        meanings = dict.fromkeys(f"{check.label}: {check.meaning}" for check in found.checks)
        console.print(Text(f"{'; '.join(meanings)}.\n", style="dim"))
    for title, sentences in ((say("Strengths"), found.strengths), (say("Gaps"), found.gaps)):
        if sentences:
            console.print(Text(title, style="bold"))
            console.print(_bullets(sentences))


def _show_channels(console: Console, found: Inventory) -> None:
    words = found.words
    stages = ", ".join(f"{_letter(stage, words)} {words.name(stage)}" for stage in ALL_STAGES)
    limits = [
        f"{words.name(channel.name)} {limit}."
        for channel in found.channels
        for limit in channel.limits
    ]
    console.print(channel_table(found))
    console.print(Text(f"{words.say(LEGEND, stages=stages)}\n", style="dim"))
    if limits:
        console.print(_bullets(limits))


def _letter(stage: str, words: Language) -> str:
    return words.name(stage)[0].upper()


def channel_table(found: Inventory) -> Table:
    """Return a row per channel."""
    words, say = found.words, found.words.say
    head = [say("channel"), say("owner"), say("role"), say("price"), say("aim"), say("serves")]
    rows = [
        (
            words.name(channel.name),
            words.name(channel.owner),
            ", ".join(channel.roles) or EMPTY,
            channel.price,
            channel.aim,
            "".join(_letter(s, words) if s in channel.serves else "·" for s in ALL_STAGES),
            percent(channel.recognised, words),
        )
        for channel in found.channels
    ]
    return _table([*head, say("known")], rows, right=(6,), whole=(0, 1, 6))


def matrix(found: Inventory) -> Table:
    """Return what changes keep: a row per channel that is left, a column per next one."""
    names = {name: found.words.name(name) for name in found.matrix()}
    rows = [
        (names[name], *(percent(share, found.words) for share in kept))
        for name, kept in found.matrix().items()
    ]
    return _table(("", *names.values()), rows, right=range(1, len(names) + 1))


def change_table(found: Inventory) -> Table:
    """Return a row per pair of sales channels, which is the same both ways: all levels."""
    words = found.words
    levels = [
        words.say(SHORT[level]) if level in SHORT else words.name(level)
        for level in found.changes[0].levels
    ]
    rows = [
        (
            f"{words.name(change.came_from)}, {words.name(change.goes_to)}",
            *(percent(share, words) for share in change.levels.values()),
        )
        for change in found.changes
        if change.came_from < change.goes_to
    ]
    return _table(("", *levels), rows, right=range(1, len(levels) + 1))


def use_case_table(found: Inventory) -> Table:
    """Return a row per use case: whose, over which touchpoints, and what breaks it."""
    words, say = found.words, found.words.say
    rows = [
        (
            f"{words.name(case.name)}\n({words.name(case.persona)})",
            "\n".join(case.way),
            case.verdict,
        )
        for case in found.use_cases
    ]
    return _table((say("use case"), say("touchpoints"), say("possible?")), rows, whole=(1,))


def benchmark_table(found: Inventory) -> Table:
    """Return a row per measure of a channel."""
    words, say = found.words, found.words.say
    rows, last = [], ""
    for check in found.checks:
        name = words.name(check.channel) if check.channel != last else ""
        measure = f"{check.label} ({check.unit})"
        rows.append((name, measure, check.shown, check.range, say(check.mark), check.source))
        last = check.channel
    head = ("", say("measure"), say("here"), say("elsewhere"), say("mark"), say("source"))
    return _table(head, rows, right=(2,))


def _table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Container[int] = (),
    whole: Container[int] = (0,),
) -> Table:
    """Return a table; columns that are `whole` keep their words in one piece."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for nth, name in enumerate(head):
        justify: JustifyMethod = "right" if nth in right else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", no_wrap=nth in whole)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _bullets(sentences: Iterable[str]) -> Table:
    grid = Table.grid(padding=(0, 1))
    for sentence in sentences:
        grid.add_row("-", Text(sentence))
    grid.add_row()
    return grid
