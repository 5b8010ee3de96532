"""Does the world show what theory says of organisations? A table, CSV, and the page in docs."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from omnisim import config
from omnisim.cli import Parser, positive
from omnisim.cli.validate import BEGIN, END, add_files, answered, checked, named, watched, write
from omnisim.spec import ExperimentSpec
from omnisim.validate import contrasts, hypotheses
from omnisim.validate.hypotheses import Contrast, Finding, Hypothesis

REPLICATIONS, MARKETS, PEOPLE = 10, 500, 5000
NAMES = {"textbook": "curves", "people": "people"}
EXAMPLES = """\
examples:
  python -m omnisim validate hypotheses                           all of them, some minutes
  python -m omnisim validate hypotheses --only H3,H28             two of them
  python -m omnisim validate hypotheses --people 2000 --replications 3 --markets 50
  python -m omnisim validate hypotheses --docs docs/hypotheses.md

A contrast passes if its whole 95 % interval lies where theory says, a hypothesis if all of
its contrasts do; "textbook only" if the market of people does not show it, or cannot be
asked. The exit status says nothing about that: it is 0 whatever passes.
"""


def main(words: Sequence[str]) -> int:
    """Measure, print and return the exit status: 0, 1 failed, 2 refused."""
    return answered(_validated, parser().read(words))


def parser() -> Parser:
    """Return the reader of what is typed."""
    reader = Parser("validate hypotheses", "Ask what theory says of organisations.", EXAMPLES)
    for name, default, what in (
        ("--replications", REPLICATIONS, "of every contrast"),
        ("--people", PEOPLE, "agents of the market of people"),
        ("--markets", MARKETS, "random markets of curves"),
    ):
        helps = f"{what} ({default})"
        reader.add_argument(name, type=positive, default=default, metavar="N", help=helps)
    add_files(reader, "H3,H28", "hypotheses")
    return reader


def _validated(options: argparse.Namespace) -> int:
    asked, page = hypotheses.chosen(named(options)), checked(options)
    found = hypotheses.findings(asked, _values(asked, options))
    show(Console(), found)
    if options.csv is not None:
        write(options.csv, _csv(found))
    if page is not None:
        before, after = page
        told = f"{_setting(options)}\n\n{markdown(found)}\n{hypotheses.tally(found)}"
        write(options.docs, f"{before}{BEGIN}\n\n{told}\n\n{END}{after}")
    return 0


def _specs(asked: Sequence[Hypothesis], options: argparse.Namespace) -> dict[str, ExperimentSpec]:
    """Return the spec of every world that is needed, by its name."""
    needed = {part.world for one in asked for part in one.parts if part.world}
    people = [f"market.people={options.people}"]
    specs: dict[str, ExperimentSpec] = {}
    for name, world in hypotheses.worlds().items():
        if name in needed:
            more = people if world.half == "people" else []
            base = config.load([*contrasts.WORDS[world.half], *more], options.config_dir)[0]
            specs[name] = contrasts.asked(base, world)
    return specs


def _values(asked: Sequence[Hypothesis], options: argparse.Namespace) -> dict[str, list[float]]:
    """Return the values of every part by its key; raise Broken where one cannot be measured."""
    values: dict[str, list[float]] = {part.key: [] for one in asked for part in one.parts}
    specs = _specs(asked, options)
    for key, exact in contrasts.exact(asked).items():
        values[key] += exact
    work = contrasts.units(asked, specs, options.replications, options.markets)
    for found in watched(work, contrasts.measured, lambda unit: unit.name):
        for key, told in found.items():
            values[key] += told
    return values


# What is told


def show(console: Console, found: Sequence[Finding]) -> None:
    """Print every hypothesis with its contrasts, and how many pass."""
    for one in found:
        console.print(Text(f"\n{one.hypothesis.id:4}{one.hypothesis.says}", style="bold"))
        for contrast in one.contrasts:
            half, what, measured, wanted, shown = _cells(contrast)
            console.print(Padding.indent(Text(f"{half:8}{what}"), 4))
            told = f"{measured}; wanted: {wanted}; {shown}"
            console.print(Padding.indent(Text(told, style="dim"), 12))
        if one.hypothesis.opening:
            console.print(Padding.indent(Text(f"people  {one.hypothesis.opening}"), 4))
        console.print(Padding.indent(Text(one.verdict, style=_style(one)), 4))
    console.print(Text(f"\n{hypotheses.tally(found)}", style="bold"))


def _style(one: Finding) -> str:
    return {"pass": "green", "fail": "red"}.get(one.verdict, "yellow")


def _cells(one: Contrast) -> tuple[str, str, str, str, str]:
    part = one.part
    return NAMES[part.half], part.what, _measured(one), part.wanted, one.shown


def _measured(one: Contrast) -> str:
    """Return a mean and its interval in words, a closed form without one."""
    mean, low, high = one.interval
    if one.part.law or math.isnan(low) or low == high:
        return _number(mean)
    return f"{_number(mean)} ({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value + 0.0:.3g}"


def markdown(found: Sequence[Finding]) -> str:
    """Return all findings as a table of a page, what cannot be asked with its reason."""
    head = ("hypothesis", "basis", "asked of", "what", "measured", "wanted", "shown", "verdict")
    lines: list[tuple[str, ...]] = [head, ("---",) * len(head)]
    for one in found:
        lines += _lines(one)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _lines(one: Finding) -> Iterator[tuple[str, ...]]:
    first = (f"**{one.hypothesis.id}** {one.hypothesis.says}", one.hypothesis.basis)
    verdict = f"**{one.verdict}**"
    for contrast in one.contrasts:
        yield (*first, *_cells(contrast), verdict)
        first, verdict = ("", ""), ""
    if one.hypothesis.opening:
        yield ("", "", "people", one.hypothesis.opening, "", "", "open", "")


def _setting(options: argparse.Namespace) -> str:
    from omnisim.sources import model_version

    return (
        f"{options.replications} replications, {options.people:,} people, {options.markets:,}"
        f" random markets, seed {contrasts.SEED}, model version `{model_version()}`."
    )


def _csv(found: Sequence[Finding]) -> str:
    import pandas as pd

    rows = [row for one in found for row in one.rows()]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
