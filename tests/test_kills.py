"""Real processes, real signals: what is killed at random moments loses and doubles nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest

from omnisim import config, streams
from omnisim.compute import run_units
from omnisim.experiment import run
from omnisim.files import ABANDONED, UNDER_WAY
from omnisim.sources import model_version
from omnisim.spec import ExperimentSpec
from omnisim.store import Store, measures_csv

KILLS, PATIENCE = 20, 60.0
REPLICATIONS, FEW = 12, 4
WORDS = (
    *("experiment=silo_vs_central", "truth=none", "market.people=60", "market.burn_in_weeks=1"),
    *("horizon.history_weeks=2", "horizon.weeks=6"),
)
LUCK = streams.replication_key(20, 0)

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"
)


def words(replications: int) -> list[str]:
    return [*WORDS, f"replications.min={replications}", f"replications.max={replications}"]


@cache
def asked(replications: int) -> ExperimentSpec:
    return config.load(words(replications), None)[0]


def undisturbed(store: Store, replications: int) -> str:
    """Return the measures that a run finds when nobody disturbs it."""
    answer = run(asked(replications), store, partial(run_units, backend="serial"))
    return measures_csv(answer.measures)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("calm"), model_version())
    undisturbed(store, REPLICATIONS)
    return store


@pytest.fixture
def drivers() -> Iterator[list[Driver]]:
    """Yield a list; whoever is in it leaves no process behind."""
    begun: list[Driver] = []
    yield begun
    for driver in begun:
        driver.process.kill()
        driver.process.wait(PATIENCE)
        for worker, parent in workers().items():
            if worker in driver.seen and parent in (1, driver.process.pid):
                os.kill(worker, signal.SIGKILL)


class Driver:
    """A run of the program: its process, its results, what it says."""

    def __init__(self, store: Path, folder: Path, replications: int) -> None:
        self.results = folder
        self.seen: set[int] = set()
        folder.mkdir(parents=True)
        self.said = folder / "said"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "omnisim", *words(replications)),
                f"hydra.run.dir={folder / 'results'}",
            ],
            env=os.environ | {"OMNISIM_STORE": str(store)},
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.DEVNULL,
            stderr=self.said.open("wb"),
        )

    def is_over(self) -> bool:
        """Tell whether nobody runs any more."""
        return self.process.poll() is not None

    def workers(self) -> list[int]:
        """Return the processes that simulate for it."""
        mine = sorted(pid for pid, parent in workers().items() if parent == self.process.pid)
        self.seen.update(mine)
        return mine

    def measures(self) -> str:
        """Wait for the end and return what was found."""
        assert self.process.wait(PATIENCE) == 0, self.said.read_text()
        return (self.results / "results" / "measures.csv").read_text()


def workers() -> dict[int, int]:
    """Return the parents of all workers that run."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone meanwhile
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX" and "LokyProcess" in (entry / "cmdline").read_text():
                found[int(entry.name)] = int(parent)
    return found


def uniform(purpose: str, number: int) -> float:
    return streams.uniform(LUCK, 0, purpose, number)


def finished(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the finished files by name, each with what writing it again would change."""
    stats = {path.name: path.stat() for path in folder.glob("*.parquet")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def all_sound(folder: Path) -> bool:
    """Tell whether every finished file can be read and nothing else lies there but remains."""
    store, spec = Store(folder, model_version()), asked(REPLICATIONS)
    before = finished(folder)
    sound = sum(
        store.get(spec, arm, replication) is not None
        for arm in spec.arms
        for replication in range(REPLICATIONS)
    )
    others = {path.name for path in folder.glob("*")} - set(finished(folder))
    return sound >= len(before) and all(name.endswith(UNDER_WAY) for name in others)


@pytest.mark.slow
def test_twenty_random_kills_lose_and_double_nothing(
    calm: Store, tmp_path: Path, drivers: list[Driver]
) -> None:
    store = tmp_path / "store"
    kept: dict[str, tuple[int, int]] = {}
    hit = {"driver": 0, "worker": 0}

    def going() -> Driver:
        """Return a driver under way; one that had finished everything begins from nothing."""
        if not drivers or drivers[-1].is_over():
            if drivers and drivers[-1].process.returncode == 0:
                shutil.rmtree(store)
                kept.clear()
            drivers.append(Driver(store, tmp_path / str(len(drivers)), REPLICATIONS))
        return drivers[-1]

    for kill in range(KILLS):
        while kill % 3 == 0 and len(finished(store)) <= len(kept):  # every third one amid the work
            going()
            time.sleep(0.01)
        time.sleep((1.5 if kill % 3 else 0.2) * uniform("moment", kill))
        target = "driver" if uniform("target", kill) < 0.25 else "worker"
        victims = [going().process.pid] if target == "driver" else []
        while not victims:
            victims = going().workers()
        how = signal.SIGKILL if uniform("signal", kill) < 0.5 else signal.SIGTERM
        with contextlib.suppress(ProcessLookupError):  # it has just been faster
            os.kill(victims[int(uniform("victim", kill) * len(victims))], how)
            hit[target] += 1
        if target == "driver":
            drivers[-1].process.wait(PATIENCE)
        found = finished(store)
        assert kept.items() <= found.items()
        assert all_sound(store)
        kept = found

    while (last := going()).process.wait(PATIENCE) != 0:
        pass  # two kills had made it cautious, and the third took the worker that ran alone
    assert last.measures() == undisturbed(calm, REPLICATIONS)
    assert kept.items() <= finished(store).items()
    assert all_sound(store)
    assert len(finished(store)) == 2 * REPLICATIONS
    assert min(hit.values()) >= 3
    assert sum(hit.values()) >= KILLS - 2


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def test_damaged_files_are_set_aside_and_computed_again_and_it_says_so(
    calm: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(calm.folder, tmp_path / "store")
    store = Store(tmp_path / "store", calm.model)
    spec = asked(FEW)
    paths = [store._path(store._asked(spec, "central", number)) for number in range(FEW)]
    sound = [path.read_bytes() for path in paths]
    damages: list[Callable[[bytes], bytes]] = [
        lambda content: content[: len(content) // 2],
        flipped,
        lambda content: b"",
        lambda content: sound[0],  # whole, and the answer to another question
    ]
    for path, content, damage in zip(paths, sound, damages, strict=True):
        path.write_bytes(damage(content))
    untouched = {k: v for k, v in finished(store.folder).items() if store.folder / k not in paths}

    assert undisturbed(store, FEW) == undisturbed(calm, FEW)
    lines = [line for line in caplog.messages if "set aside and computed again" in line]
    assert len(lines) == len(damages)
    for path, content in zip(paths, sound, strict=True):
        assert sum(path.name in line for line in lines) == 1
        assert path.with_name(f"{path.name}.damaged").exists()
        assert path.read_bytes() == content
    assert untouched.items() <= finished(store.folder).items()


def test_what_killed_writers_left_is_cleared_when_nobody_can_be_writing_it(
    calm: Store, tmp_path: Path
) -> None:
    left, fresh, foreign = (
        tmp_path / name for name in (f".a.1{UNDER_WAY}", f".b.2{UNDER_WAY}", ".somebody.tmp")
    )
    for path in (left, fresh, foreign):
        path.write_bytes(b"half of")
    long_ago = time.time() - 2 * ABANDONED
    for path in (left, foreign):
        os.utime(path, (long_ago, long_ago))
    records = calm.get(asked(FEW), "central", 0)
    assert records is not None
    Store(tmp_path, calm.model).put(asked(FEW), records)
    assert (left.exists(), fresh.exists(), foreign.exists()) == (False, True, True)
