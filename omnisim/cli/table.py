"""What the terminal shows: how far a run is, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from omnisim.comparison import Comparison
from omnisim.experiment import Answer, Progress
from omnisim.measures import EMPTY

MARGINAL = (
    "A fifth more on one medium for 13 weeks, from forks with the same luck: extra cost of all"
    " media over extra orders within 13 and within 52 weeks. Believed: what the steering rule"
    " reads from its reports."
)
COMPILING = "Compiling for the first time (a few seconds)"
WAITING = "First replications are running"


@contextmanager
def progress_bar(console: Console, *, compiling: bool) -> Iterator[Callable[[Progress], None]]:
    """Show progress until the block ends; yield what to tell it to.

    A terminal gets a bar that is gone in the end, a file or a pipe a line per tenth.
    """
    if not console.is_terminal:
        yield _lines(console, compiling)
        return
    bar = _Bar(
        SpinnerColumn(),
        TextColumn("Replications"),
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    bar.words = COMPILING if compiling else WAITING
    with bar:
        task = bar.add_task("", total=None)

        def tell(progress: Progress) -> None:
            bar.words = progress.estimate or bar.words
            bar.update(task, completed=progress.done, total=progress.planned)

        yield tell


def show(console: Console, answer: Answer, report: Path, notes: Sequence[str] = ()) -> None:
    """Print the table, the verdict, notes, where the report is, and what was stored."""
    comparison = answer.comparison
    console.print(Text(f"\n{answer.spec.question}\n", style="bold"))
    for table in _fitting(console, partial(comparison_table, comparison), comparison.arms[1:]):
        console.print(table)
    console.print(Text(f"{_caption(answer)}\n", style="dim"))
    for sentence in comparison.sentences:
        console.print(Text(sentence, style="bold"))
    for note in notes:
        console.print(Text(note))
    if answer.gaps:
        console.print(Text("\nContribution that is lost a year, EUR m (95 %)\n"))
        console.print(gap_table(answer))
    if answer.last_euros:
        console.print(Text("What the next order costs: true marginal CPO, EUR\n"))
        for table in _fitting(console, partial(marginal_table, answer), comparison.arms):
            console.print(table)
        console.print(Text(MARGINAL, style="dim"))
    if answer.from_store:
        console.print(Text("Answered from the store: nothing had to be simulated.", style="dim"))
    # a path is one word: wrapped, it could not be copied
    console.print(Text(f"Report: {report}"), soft_wrap=True)


def comparison_table(comparison: Comparison, arms: Sequence[str]) -> Table:
    """Return a row per outcome: the level of each arm, its difference to the baseline."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("", max_width=27)
    for arm in (comparison.baseline, *arms):
        table.add_column(Text(arm, overflow="fold"), justify="right", no_wrap=True)
    for arm in arms:
        head = "difference" if len(arms) == 1 else f"{arm} - {comparison.baseline}"
        table.add_column(Text(f"{head} (95 %)"), justify="right", no_wrap=True)
    for outcome in comparison.headline:
        line = comparison.line(outcome)
        cells = [line.levels[arm] for arm in (comparison.baseline, *arms)]
        cells += [line.differences[arm] for arm in arms]
        style = "bold" if outcome == comparison.primary else ""
        table.add_row(*(Text(cell) for cell in (line.label, *cells)), style=style)
    return table


def gap_table(answer: Answer) -> Table:
    """Return what every policy earns less a year than the best fixed split and the oracle."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    against = list(dict.fromkeys(gap.against for gap in answer.gaps))
    for head in against:
        table.add_column(f"against {head}", justify="right", no_wrap=True)
    found = {(gap.policy, gap.against): gap for gap in answer.gaps}
    for policy in dict.fromkeys(gap.policy for gap in answer.gaps):
        cells = [found.get((policy, name)) for name in against]
        table.add_row(policy, *(gap.millions() if gap else EMPTY for gap in cells))
    return table


def marginal_table(answer: Answer, arms: Sequence[str]) -> Table:
    """Return, by medium and arm, yearly spend and what the next order costs."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for arm in arms:
        table.add_column(f"{arm}\nspend EUR m", justify="right", no_wrap=True)
        for head in ("13 w", "52 w", "believed"):
            table.add_column(f"\n{head}", justify="right", no_wrap=True)
    found = {(euro.channel, euro.arm): euro for euro in answer.last_euros}
    for channel in sorted({euro.channel for euro in answer.last_euros}):
        euros = [found.get((channel, arm)) for arm in arms]
        cells = [cell for euro in euros for cell in (euro.texts() if euro else [EMPTY] * 4)]
        table.add_row(channel, *cells)
    return table


class _Bar(Bar):
    """A bar with a line of words below it."""

    words = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the bar and the words."""
        yield from super().get_renderables()
        yield Text(self.words, style="dim", no_wrap=True, overflow="ellipsis")


def _fitting(
    console: Console, build: Callable[[Sequence[str]], Table], arms: Sequence[str]
) -> list[Table]:
    """Return one table, or one for each arm where one would be too wide."""
    whole = build(arms)
    wide = console.options.update(max_width=1_000)
    if Measurement.get(console, wide, whole).maximum <= console.width:
        return [whole]
    return [build([arm]) for arm in arms]


def _caption(answer: Answer) -> str:
    spec = answer.spec
    return (
        f"Totals over the {spec.horizon.weeks} weeks after the fork, means of"
        f" {answer.comparison.replications} replications. Differences to"
        f" {spec.baseline} are paired and read from order probabilities where there are any:"
        " less noisy than levels, and not exactly their difference."
    )


def _lines(console: Console, compiling: bool) -> Callable[[Progress], None]:
    if compiling:
        console.print(COMPILING)
    shown: set[int] = set()

    def tell(progress: Progress) -> None:
        tenth = 10 * progress.done // progress.planned
        if progress.done and tenth not in shown:
            shown.add(tenth)
            words = f"{progress.done} of {progress.planned} replications: {progress.estimate}"
            console.print(Text(words), soft_wrap=True)

    return tell
