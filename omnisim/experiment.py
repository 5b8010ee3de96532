"""Experiments: every arm in every replication, until the main difference is known well.

Where finished replications are kept and where missing ones run is somebody else's: both
come as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import pandas as pd

from omnisim import causes, flows, misallocation, silos
from omnisim.comparison import Comparison, compare, glance
from omnisim.language import ENGLISH, Language
from omnisim.measures import check, measure, tidy
from omnisim.misallocation import Gap, LastEuro
from omnisim.records import Records
from omnisim.spec import WEEKS_IN_YEAR, ExperimentSpec


@dataclass(frozen=True)
class Unit:
    """What runs at once: one replication with its missing arms, sharing one history."""

    replication: int
    arms: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """Why a unit has no result: one line for people, the traceback for developers."""

    message: str
    trace: str


class Stopped(RuntimeError):
    """An experiment that cannot go on; what was finished is kept."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


class Shelf(Protocol):
    """Where finished replications are kept."""

    def get(self, spec: ExperimentSpec, arm: str, replication: int) -> Records | None:
        """Return what is kept, None if nothing sound is."""

    def put(self, spec: ExperimentSpec, records: Records) -> None:
        """Keep the records of one arm in one replication."""


Work = Callable[[Unit], None]
RunUnits = Callable[[Sequence[Unit], Work], Iterable[tuple[Unit, Failure | None]]]


@dataclass(frozen=True)
class Progress:
    """How far an experiment is: replications, and the main difference so far."""

    done: int
    planned: int
    estimate: str = ""


@dataclass(frozen=True)
class Answer:
    """All that was found: ledgers by arm and replication, measures, the comparison.

    `gaps` and `last_euros` are empty where the truth was not asked for; `tables` by name and
    the numbers of `page_one` hold what its depth gives.
    """

    spec: ExperimentSpec
    records: tuple[Records, ...]
    measures: pd.DataFrame
    comparison: Comparison
    simulated: int
    gaps: tuple[Gap, ...] = ()
    last_euros: tuple[LastEuro, ...] = ()
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    page_one: dict[str, Any] = field(default_factory=dict)

    @property
    def from_store(self) -> bool:
        """Return whether nothing had to be simulated."""
        return self.simulated == 0


def run(
    spec: ExperimentSpec,
    shelf: Shelf,
    run_units: RunUnits,
    tell: Callable[[Progress], None] = lambda progress: None,
    words: Language = ENGLISH,
) -> Answer:
    """Answer the question of a spec; raise Fault or Stopped. `words` is what `tell` is told in.

    Replications come in batches of `replications.min`, and only between batches is
    precision looked at: how many there are never depends on who was quick.
    """
    check(spec)
    aim = spec.replications
    precision = aim.precision if aim.precision is not None else 0.0
    books: list[Records] = []
    frames: list[pd.DataFrame] = []
    yardsticks: list[Records] = []
    whole, simulated = _with_yardsticks(spec, shelf, run_units, tell, words)
    planned = 0
    while planned < aim.max:
        batch = range(planned, aim.max if precision == 0 else min(planned + aim.min, aim.max))
        planned = batch.stop
        tell(Progress(len(frames), planned))
        asked = [Unit(nth, _arms(whole, spec, nth)) for nth in batch]
        for is_new, found in _replications(whole, asked, shelf, run_units):
            simulated += is_new
            own = [records for records in found if records.arm in spec.arms]
            books += own
            frames.append(measure(spec, own))
            yardsticks += [one for one in found if one.arm not in spec.arms]
            comparison = compare(spec, pd.concat(frames))
            tell(Progress(len(frames), planned, glance(comparison, words)))
        if comparison.is_precise(precision):
            break
    books.sort(key=lambda book: (book.arm, book.replication))
    measures = tidy(pd.concat(frames))
    beside = [measures, measure(spec, yardsticks)]
    priced, more = _priced(spec, whole, [*books, *yardsticks], shelf, run_units, tell, words)
    return Answer(
        spec,
        tuple(books),
        measures,
        compare(spec, measures),
        simulated + more,
        misallocation.gaps(spec, pd.concat(beside)) if whole is not spec else (),
        misallocation.last_euros(books),
        _tables(spec, books) | ({} if priced is None else priced.tables),
        silos.page_one(spec, [*books, *yardsticks], None if priced is None else priced.whole),
    )


def _tables(spec: ExperimentSpec, books: Sequence[Records]) -> dict[str, pd.DataFrame]:
    """Return the tables that need no further world; those without a row are left out."""
    truth = causes.truth(books)
    tables = {
        "truth": truth,
        "curves": causes.curves(spec, truth),
        "claimed": causes.claimed(spec, books),
        "beliefs": causes.beliefs(spec, books),
        "departments": silos.departments(spec, books),
        "flows": flows.table(spec, books),
    }
    return {name: table for name, table in tables.items() if len(table)}


def _priced(
    spec: ExperimentSpec,
    whole: ExperimentSpec,
    books: Sequence[Records],
    shelf: Shelf,
    run_units: RunUnits,
    tell: Callable[[Progress], None],
    words: Language,
) -> tuple[silos.Priced | None, int]:
    """Return what silos cost and how many replications were lived through for it.

    `whole` has the yardsticks and first moves beside the arms.
    """
    if whole is spec or spec.horizon.weeks < WEEKS_IN_YEAR:
        return None, 0
    told = {(book.arm, book.replication): silos.outcome(book) for book in books}
    plan = silos.plan(spec, [book for book in books if book.arm in spec.arms], whole.arms)
    asked = [Unit(nth, arms) for nth in plan.worlds if (arms := plan.arms(nth))]
    simulated = 0
    pricing = words.say("The price of silos")
    if asked:
        tell(Progress(0, len(asked), pricing))
    for done, (is_new, found) in enumerate(
        _replications(plan.spec, asked, shelf, run_units), start=1
    ):
        simulated += is_new
        told |= {(book.arm, book.replication): silos.outcome(book) for book in found}
        tell(Progress(done, len(asked), pricing))
    return plan.priced(told), simulated


def _with_yardsticks(
    spec: ExperimentSpec,
    shelf: Shelf,
    run_units: RunUnits,
    tell: Callable[[Progress], None],
    words: Language,
) -> tuple[ExperimentSpec, int]:
    """Return the spec with yardsticks beside its arms, and how much was simulated for them."""
    if spec.truth == "none" or len(spec.market.media) < 2:
        return spec, 0
    looking = words.say("Looking for the best split of the budget")
    tell(Progress(0, spec.replications.min, looking))
    asked = [Unit(nth, (misallocation.SEARCH,)) for nth in range(misallocation.SEARCHES)]
    looked = list(_replications(misallocation.search(spec), asked, shelf, run_units))
    books = [records for _, found in looked for records in found]
    yardsticks = misallocation.yardsticks(spec, books)
    best = yardsticks[misallocation.BEST].steering.given[0]
    arms = spec.arms | yardsticks | silos.first_moves(spec, books, best)
    return spec.model_copy(update={"arms": arms}), sum(is_new for is_new, _ in looked)


def _arms(whole: ExperimentSpec, own: ExperimentSpec, replication: int) -> tuple[str, ...]:
    """Return the arms of a replication; yardsticks stand beside the first ones only."""
    return tuple(sorted(whole.arms if replication < misallocation.compared(own) else own.arms))


def _replications(
    spec: ExperimentSpec, asked: Sequence[Unit], shelf: Shelf, run_units: RunUnits
) -> Iterator[tuple[bool, list[Records]]]:
    missing, whole = [], {unit.replication: unit.arms for unit in asked}
    for unit in asked:
        kept = {arm: shelf.get(spec, arm, unit.replication) for arm in unit.arms}
        sound = [records for records in kept.values() if records is not None]
        if len(sound) == len(kept):
            yield False, sound
        else:
            arms = tuple(arm for arm, records in kept.items() if records is None)
            missing.append(Unit(unit.replication, arms))
    for unit, failure in run_units(missing, partial(_work, spec, shelf)):
        if failure is not None:
            raise Stopped(f"replication {unit.replication}: {failure.message}", failure.trace)
        arms = whole[unit.replication]
        yield True, [_kept(spec, shelf, arm, unit.replication) for arm in arms]


def _kept(spec: ExperimentSpec, shelf: Shelf, arm: str, replication: int) -> Records:
    records = shelf.get(spec, arm, replication)
    if records is None:
        raise Stopped(f"replication {replication} of {arm} was finished and is not to be found")
    return records


def _work(spec: ExperimentSpec, shelf: Shelf, unit: Unit) -> None:
    # Imported by the one who simulates: the process that asks starts without compilers.
    from omnisim.simulation import simulate

    # Somebody else may have finished it since it was asked for; and it is kept where it
    # was made, so that it is not lost with the one who asked.
    arms = [arm for arm in unit.arms if shelf.get(spec, arm, unit.replication) is None]
    for records in simulate(spec, unit.replication, arms).values() if arms else ():
        shelf.put(spec, records)
