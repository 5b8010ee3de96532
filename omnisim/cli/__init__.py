"""What people type and read in a terminal. Imports nothing heavy: help must answer at once."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from omnisim import __version__

COMMANDS = {
    "run": "answer a question (what is no subcommand is handed to run)",
    "report": "report.html and summary.xlsx again, from a results folder alone",
    "inventory": "audit of channels and touchpoints: who owns what, what is handed over, gaps",
    "trace": "one person's walk through a run, day by day, in words and as a picture",
    "export": "a marketing data set with its answer key, from a results folder",
    "validate": "is the model right? what its output should hit, measured over seeds",
    "workshop": "people head the departments: a page for the trainer, phones for the others",
    "configs": "the menu: every group, option and its purpose in one line",
    "bench": "how fast is it on this machine, beside plain Mesa and NumPy",
}

USAGE = """\
usage: omnisim [run] [KEY=VALUE ...] [-m] [--config-dir DIR]
       omnisim COMMAND [--help]

omnisim simulates a market of individual customers and tells what a way of steering
the marketing budget is worth, with an interval and a verdict.

commands:
{commands}

examples:
  python -m omnisim                                  the default question
  python -m omnisim experiment=placebo               another question
  python -m omnisim market.people=5000 seed=7        the default, smaller, other luck
  python -m omnisim -m market.drift=0,0.01,0.03      a sweep, one table at the end
  python -m omnisim --config-dir my_configs experiment=my_idea
"""


class Parser(argparse.ArgumentParser):
    """A parser of options whose mistakes take one line and name the nearest right word."""

    def __init__(self, command: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=f"omnisim {command}",
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_argument(
            "--config-dir",
            type=Path,
            metavar="DIR",
            help="a folder with YAML of your own, such as DIR/experiment/my_idea.yaml",
        )

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Return what was typed; leave with status 2 if an option is unknown."""
        options, rest = self.parse_known_intermixed_args(words)
        if rest:
            known = [name for action in self._actions for name in action.option_strings]
            self.error(f"{rest[0]}: unknown{_nearest(rest[0], known)}")
        return options

    def error(self, message: str) -> NoReturn:
        """Leave with status 2 after one line."""
        self.exit(2, f"omnisim: {message}\n")


def positive(word: str) -> int:
    """Return a whole number that was typed; raise ArgumentTypeError unless it is at least 1."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"found {word}, allowed: at least 1")
    return int(word)


def introduce(option: str) -> int:
    """Print the version or the help of the whole program."""
    if option == "--version":
        print(__version__)
        return 0
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    print(USAGE.format(commands="\n".join(lines)), end="")
    return 0


def refuse_command(word: str) -> int:
    """Say in one line that there is no such subcommand."""
    allowed = f"key=value, {', '.join(COMMANDS)}"
    return complain(f"{word}: unknown command; allowed: {allowed}{_nearest(word, COMMANDS)}")


def complain(message: object, status: int = 2) -> int:
    """Print one line to standard error and return the exit status."""
    print(f"omnisim: {message}", file=sys.stderr)
    return status


def warn(message: object, label: str = "warning") -> None:
    """Print one line to standard error on what is odd and does not stop anything."""
    print(f"omnisim: {label}: {message}", file=sys.stderr)


def _nearest(word: str, known: Sequence[str] | dict[str, str]) -> str:
    found = difflib.get_close_matches(word, list(known), 1)
    return f"; nearest: {found[0]}" if found else ""
