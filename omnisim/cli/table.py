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
from omnisim.language import ENGLISH, Language, message
from omnisim.measures import EMPTY

MARGINAL = message(
    "A fifth more on one medium for 13 weeks, from forks with the same luck: extra cost of all"
    " media over extra orders within 13 and within 52 weeks. Believed: what the steering rule"
    " reads from its reports. ~: not well known."
)
COMPILING = message("Compiling for the first time (a few seconds)")
WAITING = message("First replications are running")


@contextmanager
def progress_bar(
    console: Console, words: Language = ENGLISH, *, compiling: bool
) -> Iterator[Callable[[Progress], None]]:
    """Show progress until the block ends; yield what to tell it to.

    A terminal gets a bar that is gone in the end, a file or a pipe a line per tenth.
    """
    if not console.is_terminal:
        yield _lines(console, words, compiling)
        return
    bar = _Bar(
        SpinnerColumn(),
        TextColumn(words.say("Replications")),
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn(words.say("left")),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    bar.line = words.say(COMPILING if compiling else WAITING)
    with bar:
        task = bar.add_task("", total=None)

        def tell(progress: Progress) -> None:
            bar.line = progress.estimate or bar.line
            bar.update(task, completed=progress.done, total=progress.planned)

        yield tell


def show(
    console: Console,
    answer: Answer,
    report: Path,
    notes: Sequence[str] = (),
    words: Language = ENGLISH,
) -> None:
    """Print the table, the verdict, notes, where the report is, and what was stored."""
    comparison = answer.comparison
    console.print(Text(f"\n{words.say(answer.spec.question)}\n", style="bold"))
    whole = partial(comparison_table, comparison, words)
    for table in _fitting(console, whole, comparison.arms[1:]):
        console.print(table)
    console.print(Text(f"{_caption(answer, words)}\n", style="dim"))
    for sentence in comparison.sentences(words):
        console.print(Text(sentence, style="bold"))
    for note in notes:
        console.print(Text(note))
    if answer.gaps:
        lost = words.say("Contribution that is lost a year, EUR m (95 %)")
        console.print(Text(f"\n{lost}\n"))
        console.print(gap_table(answer, words))
    if answer.last_euros:
        costs = words.say("What the next order costs: true marginal CPO, EUR")
        console.print(Text(f"{costs}\n"))
        for table in _fitting(console, partial(marginal_table, answer, words), comparison.arms):
            console.print(table)
        console.print(Text(words.say(MARGINAL), style="dim"))
    if answer.from_store:
        stored = words.say("Answered from the store: nothing had to be simulated.")
        console.print(Text(stored, style="dim"))
    # a path is one word: wrapped, it could not be copied
    console.print(Text(words.say("Report: {path}", path=report)), soft_wrap=True)


def comparison_table(comparison: Comparison, words: Language, arms: Sequence[str]) -> Table:
    """Return a row per outcome: the level of each arm, its difference to the baseline."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("", max_width=27)
    for arm in (comparison.baseline, *arms):
        table.add_column(Text(words.name(arm), overflow="fold"), justify="right", no_wrap=True)
    for arm in arms:
        head = f"{words.name(arm)} - {words.name(comparison.baseline)}"
        head = words.say("difference") if len(arms) == 1 else head
        table.add_column(Text(f"{head} (95 %)"), justify="right", no_wrap=True)
    for outcome in comparison.headline:
        line = comparison.line(outcome, words)
        cells = [line.levels[arm] for arm in (comparison.baseline, *arms)]
        cells += [line.differences[arm] for arm in arms]
        style = "bold" if outcome == comparison.primary else ""
        table.add_row(*(Text(cell) for cell in (line.label, *cells)), style=style)
    return table


def gap_table(answer: Answer, words: Language) -> Table:
    """Return what every policy earns less a year than the best fixed split and the oracle."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    against = list(dict.fromkeys(gap.against for gap in answer.gaps))
    for name in against:
        head = words.say("against {yardstick}", yardstick=words.name(name))
        table.add_column(Text(head), justify="right")
    found = {(gap.policy, gap.against): gap for gap in answer.gaps}
    for policy in dict.fromkeys(gap.policy for gap in answer.gaps):
        gaps = [found.get((policy, name)) for name in against]
        cells = [Text(gap.millions(words) if gap else EMPTY, no_wrap=True) for gap in gaps]
        table.add_row(Text(words.name(policy)), *cells)
    return table


def marginal_table(answer: Answer, words: Language, arms: Sequence[str]) -> Table:
    """Return, by medium and arm, yearly spend and what the next order costs."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    spend = words.say("plan EUR m")
    heads = (words.say("13 w"), words.say("52 w"), words.say("believed"))
    for arm in arms:
        table.add_column(Text(f"{words.name(arm)}\n{spend}"), justify="right", no_wrap=True)
        for head in heads:
            table.add_column(f"\n{head}", justify="right", no_wrap=True)
    found = {(euro.channel, euro.arm): euro for euro in answer.last_euros}
    for channel in sorted({euro.channel for euro in answer.last_euros}):
        euros = [found.get((channel, arm)) for arm in arms]
        cells = [cell for euro in euros for cell in (euro.texts(words) if euro else [EMPTY] * 4)]
        table.add_row(Text(words.name(channel)), *cells)
    return table


class _Bar(Bar):
    """A bar with a line below it."""

    line = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the bar and the words."""
        yield from super().get_renderables()
        yield Text(self.line, style="dim", no_wrap=True, overflow="ellipsis")


def _fitting(
    console: Console, build: Callable[[Sequence[str]], Table], arms: Sequence[str]
) -> list[Table]:
    """Return one table, or one for each arm where one would be too wide."""
    whole = build(arms)
    wide = console.options.update(max_width=1_000)
    if Measurement.get(console, wide, whole).maximum <= console.width:
        return [whole]
    return [build([arm]) for arm in arms]


def _caption(answer: Answer, words: Language) -> str:
    return words.say(
        "Totals over the {weeks} weeks after the fork, means of {replications} replications."
        " Differences to {baseline} are paired and read from order probabilities where there are"
        " any: less noisy than levels, and not exactly their difference.",
        weeks=answer.spec.horizon.weeks,
        replications=answer.comparison.replications,
        baseline=words.plain(answer.spec.baseline),
    )


def _lines(console: Console, words: Language, compiling: bool) -> Callable[[Progress], None]:
    if compiling:
        console.print(words.say(COMPILING))
    shown: set[int] = set()

    def tell(progress: Progress) -> None:
        tenth = 10 * progress.done // progress.planned
        if progress.done and tenth not in shown:
            shown.add(tenth)
            told = words.say(
                "{done} of {planned} replications: {estimate}",
                done=progress.done,
                planned=progress.planned,
                estimate=progress.estimate,
            )
            console.print(Text(told), soft_wrap=True)

    return tell
