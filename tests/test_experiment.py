from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from omnisim.compute import run_units
from omnisim.experiment import Answer, Failure, Progress, Stopped, Unit, Work, run
from omnisim.records import Records
from omnisim.spec import ExperimentSpec, Fault
from tests.ledgers import a_spec, some_records

Key = tuple[str, int]


class Memory:
    """A shelf without a disk."""

    def __init__(self) -> None:
        self.kept: dict[Key, Records] = {}

    def get(self, spec: ExperimentSpec, arm: str, replication: int) -> Records | None:
        """Return what was put."""
        return self.kept.get((arm, replication))

    def put(self, spec: ExperimentSpec, records: Records) -> None:
        """Keep it for as long as the test runs."""
        self.kept[records.arm, records.replication] = records


class World:
    """Stands for the simulation: central gains more or less, by replication."""

    def __init__(self, spread: float) -> None:
        self.spread = spread
        self.asked: list[Unit] = []

    def simulate(
        self, spec: ExperimentSpec, replication: int, arms: Iterable[str]
    ) -> dict[str, Records]:
        """Return ledgers for the arms asked for, and remember the question."""
        self.asked.append(Unit(replication, tuple(arms)))
        lift = 0.02 + self.spread * (replication % 3 - 1)
        return {
            arm: some_records(spec, arm, replication, lift=lift * (arm == "central"))
            for arm in self.asked[-1].arms
        }


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return _world(monkeypatch, 0.001)


def _world(monkeypatch: pytest.MonkeyPatch, spread: float) -> World:
    world = World(spread)
    module = SimpleNamespace(simulate=world.simulate)
    monkeypatch.setitem(sys.modules, "omnisim.simulation", module)
    return world


serially = partial(run_units, backend="serial")


def backwards(units: Sequence[Unit], work: Work) -> Iterator[tuple[Unit, Failure | None]]:
    for unit, outcome in serially(list(units)[::-1], work):
        assert outcome is None
        yield unit, outcome


def answer(shelf: Memory, **changes: Any) -> Answer:
    return run(a_spec(**changes), shelf, serially)


def test_every_replication_has_one_history_for_all_its_arms(world: World) -> None:
    found = answer(Memory())
    assert world.asked == [Unit(i, ("central", "siloed")) for i in range(4)]
    assert (found.simulated, found.from_store) == (4, False)
    assert [(r.arm, r.replication) for r in found.records] == [
        (arm, i) for arm in ("central", "siloed") for i in range(4)
    ]


def test_a_question_asked_again_simulates_nothing(world: World) -> None:
    shelf = Memory()
    first = answer(shelf)
    world.asked.clear()
    again = answer(shelf)
    assert world.asked == []
    assert again.from_store
    assert again.comparison == first.comparison


def test_only_the_arms_that_are_missing_run(world: World) -> None:
    shelf = Memory()
    answer(shelf)
    del shelf.kept["central", 2]
    world.asked.clear()
    assert answer(shelf).simulated == 1
    assert world.asked == [Unit(2, ("central",))]


def test_what_somebody_else_has_finished_meanwhile_is_not_repeated(world: World) -> None:
    shelf, other = Memory(), Memory()
    answer(other)
    world.asked.clear()

    def late(units: Sequence[Unit], work: Work) -> Iterator[tuple[Unit, Failure | None]]:
        shelf.kept |= other.kept
        return backwards(units, work)

    run(a_spec(), shelf, late)
    assert world.asked == []


def test_replications_are_added_until_the_difference_is_known_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _world(monkeypatch, 0.0)
    calm = answer(Memory(), replications={"min": 3, "max": 11, "precision": 0.5})
    _world(monkeypatch, 0.02)
    wild = answer(Memory(), replications={"min": 3, "max": 11, "precision": 0.5})
    _world(monkeypatch, 0.0)
    told = answer(Memory(), replications={"min": 3, "max": 11, "precision": None})
    assert calm.comparison.replications == 3
    assert 3 < wild.comparison.replications <= 11
    assert wild.comparison.is_precise(0.5) or wild.comparison.replications == 11
    assert told.comparison.replications == 11


def test_who_finishes_first_changes_neither_the_answer_nor_its_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for spread in (0.001, 0.01, 0.05):
        _world(monkeypatch, spread)
        spec = a_spec(replications={"min": 2, "max": 12, "precision": 0.5})
        one, other = run(spec, Memory(), serially), run(spec, Memory(), backwards)
        assert one.comparison == other.comparison
        assert one.measures.equals(other.measures)


def test_progress_tells_how_far_it_is_and_what_it_looks_like(world: World) -> None:
    told: list[Progress] = []
    run(a_spec(), Memory(), serially, told.append)
    assert [(p.done, p.planned) for p in told] == [(i, 4) for i in range(5)]
    assert told[0].estimate == ""
    assert told[1].estimate.endswith("contribution a year")
    assert "contribution a year (EUR" in told[-1].estimate


def test_an_interrupted_run_goes_on_where_it_stopped(world: World) -> None:
    shelf = Memory()

    def interrupt(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(a_spec(), shelf, serially, interrupt)
    assert set(shelf.kept) == {(arm, i) for arm in ("central", "siloed") for i in (0, 1)}
    assert answer(shelf).simulated == 2


def test_a_failing_replication_stops_the_run_in_one_line(world: World) -> None:
    shelf = Memory()

    class Full(Memory):
        def put(self, spec: ExperimentSpec, records: Records) -> None:
            if records.replication == 1:
                raise OSError("cannot write: No space left on device")
            shelf.put(spec, records)

        def get(self, spec: ExperimentSpec, arm: str, replication: int) -> Records | None:
            return shelf.get(spec, arm, replication)

    with pytest.raises(Stopped) as stopped:
        run(a_spec(), Full(), serially)
    assert str(stopped.value) == "replication 1: cannot write: No space left on device"
    assert "Traceback" in stopped.value.trace
    assert set(shelf.kept) == {("central", 0), ("siloed", 0)}


def test_an_outcome_that_does_not_exist_is_refused_before_anything_runs(world: World) -> None:
    with pytest.raises(Fault):
        answer(Memory(), outcomes={"primary": "happiness"})
    assert world.asked == []


def test_a_question_with_one_arm_has_an_answer(world: World) -> None:
    arms = a_spec().model_dump()["arms"]
    found = answer(Memory(), arms={"siloed": arms["siloed"]})
    assert found.comparison.replications == 8
    assert found.comparison.rows == ()
