"""One person's walk through a run: a table in the terminal, and a page with a picture."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from omnisim import config, files
from omnisim.cli import Parser, complain, positive
from omnisim.language import language
from omnisim.spec import Fault

# What simulates imports compilers, which a mistyped word need not wait for.
if TYPE_CHECKING:
    from omnisim.trace import Trace

COMMAND = ("python", "-m", "omnisim", "trace")
DESCRIPTION = "Follow one person through a run, day by day, under one arm after the fork."
EXAMPLES = """\
examples:
  python -m omnisim trace
  python -m omnisim trace --person 4711 --arm central --weeks 52
  python -m omnisim trace horizon.history_weeks=26 --html trace.html
  python -m omnisim trace language=de
"""
STYLES = {"need": "bold", "order": "bold green", "touchpoint": "cyan", "afterwards": "magenta"}


def main(words: Sequence[str]) -> int:
    """Show a person's trace and return the exit status."""
    options = parser().read(words)
    try:
        spec, run = config.load(options.overrides, options.config_dir)
        from omnisim.trace import check, trace

        check(spec, options.person, options.arm)
        _writable(options.html)
        found = trace(spec, options.person, options.arm, options.weeks, language(run.language))
        if options.html is not None:
            _write(options.html, found, shlex.join([*COMMAND, *words]))
    except config.ConfigError as error:
        return complain(error)
    except Fault as fault:
        return complain(config.told(fault))
    show(Console(), found)
    if options.html is not None:
        print(found.words.say("Page: {path}", path=options.html))
    return 0


def parser() -> Parser:
    """Return what may be typed."""
    typed = Parser("trace", DESCRIPTION, EXAMPLES)
    typed.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="an option or a value")
    typed.add_argument(
        "--person", type=int, metavar="ID", help="whom to follow (default: a life worth telling)"
    )
    typed.add_argument("--arm", metavar="NAME", help="under which arm (default: the baseline)")
    typed.add_argument(
        "--weeks", type=positive, default=26, metavar="N", help="weeks after the fork (default 26)"
    )
    typed.add_argument("--html", type=Path, metavar="FILE", help="write it as a page, too")
    return typed


def _writable(path: Path | None) -> None:
    """Refuse, before anything is simulated, a page that could not be written."""
    if path is None:
        return
    if not path.name or path.is_dir() or not _folder(path).is_dir():
        raise config.ConfigError("--html", f"'{path}'", "a file that can be written")


def _folder(path: Path) -> Path:
    return next(parent for parent in path.absolute().parents if parent.exists())


def _write(path: Path, found: Trace, command: str) -> None:
    from omnisim.report.trace import render

    try:
        with files.whole(path) as file:
            file.write(render(found, command).encode())
    except OSError as error:
        raise config.ConfigError("--html", str(error), "a file that can be written") from None


def show(console: Console, found: Trace) -> None:
    """Print who it is, what happened day by day, and the whole in a sentence."""
    console.print(Text(f"\n{found.title}\n", style="bold"))
    for trait in found.traits:
        console.print(Text(f"- {trait}"))
    console.print()
    console.print(days(found))
    console.print(Text(f"{found.summary}\n", style="bold"))


def days(found: Trace) -> Table:
    """Return a row per day on which something happened."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    words, say = found.words, found.words.say
    table.add_column(say("when"), no_wrap=True)
    table.add_column(say("what happened"))
    table.add_column(say("goodwill"), justify="right")
    table.add_column(say("satisfaction"), justify="right")
    for day in found.days:
        lines = [Text(event.words, style=STYLES.get(event.kind, "")) for event in day.events]
        table.add_row(
            Text(day.date(words)),
            Text("\n").join(lines),
            Text(words.number(day.goodwill, 2)),
            Text(words.with_sign(day.satisfaction, 2)),
        )
    return table
