from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from omnisim.compute import Backend, run_units
from omnisim.experiment import Failure


def halve(unit: int) -> float:
    return 1 / (unit - 3)


def die_at_three(marks: Path, every_time: bool, unit: int) -> int:
    """Kill the own worker at unit 3: the first time, or every time."""
    mark = marks / str(unit)
    if unit == 3 and (every_time or not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return unit * 10


def threads(unit: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def process(unit: int) -> int:
    return os.getpid()


def nap(marks: Path, unit: int) -> None:
    """Say who sleeps, and sleep for longer than any test waits."""
    (marks / str(os.getpid())).touch()
    time.sleep(300)


@pytest.mark.parametrize("backend", ["serial", "local"])
def test_every_unit_comes_back_with_its_result_or_its_failure(backend: Backend) -> None:
    found = dict(run_units(range(6), halve, backend, 2))
    failure = found.pop(3)
    assert found == {unit: 1 / (unit - 3) for unit in (0, 1, 2, 4, 5)}
    assert isinstance(failure, Failure)
    assert failure.message == "ZeroDivisionError: division by zero"
    assert "return 1 / (unit - 3)" in failure.trace


def test_no_units_are_no_work() -> None:
    assert list(run_units([], halve)) == []


def test_a_single_worker_needs_no_other_process() -> None:
    assert dict(run_units([1, 2], process, "local", 1)) == {1: os.getpid(), 2: os.getpid()}


def test_every_worker_has_one_thread() -> None:
    assert set(dict(run_units([1, 2], threads, "local", 2)).values()) == {"1"}


def test_a_worker_that_dies_once_loses_nothing(tmp_path: Path) -> None:
    found = dict(run_units(range(6), partial(die_at_three, tmp_path, False), "local", 2))
    assert found == {unit: unit * 10 for unit in range(6)}


def test_a_unit_that_kills_every_worker_is_named_and_the_others_finish(tmp_path: Path) -> None:
    found = dict(run_units(range(8), partial(die_at_three, tmp_path, True), "local", 2))
    failure = found.pop(3)
    assert found == {unit: unit * 10 for unit in (0, 1, 2, 4, 5, 6, 7)}
    assert isinstance(failure, Failure)
    assert "worker died" in failure.message


def test_workers_end_soon_after_their_driver_was_killed(tmp_path: Path) -> None:
    script = (
        "from functools import partial; from pathlib import Path\n"
        "from omnisim.compute import run_units; from tests.test_compute import nap\n"
        f"list(run_units(range(2), partial(nap, Path({str(tmp_path)!r})), 'local', 2))"
    )
    root = Path(__file__).parent.parent
    driver = subprocess.Popen([sys.executable, "-c", script], cwd=root, stderr=subprocess.DEVNULL)
    assert comes_true(lambda: len(os.listdir(tmp_path)) == 2)
    driver.kill()
    driver.wait()
    assert comes_true(lambda: not any(runs(int(pid)) for pid in os.listdir(tmp_path)))


def comes_true(asked: Callable[[], bool]) -> bool:
    """Tell whether something comes true within a minute."""
    until = time.monotonic() + 60
    while not asked() and time.monotonic() < until:
        time.sleep(0.05)
    return asked()


def runs(pid: int) -> bool:
    """Tell whether a process runs and does not only wait for its burial."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except ProcessLookupError:
        return False
    except OSError:  # no such folder on this system
        return True


def test_stopping_early_leaves_no_work_behind(tmp_path: Path) -> None:
    units = run_units(range(50), partial(die_at_three, tmp_path, False), "local", 2)
    next(units)
    units.close()
    assert dict(run_units(range(2), halve, "local", 2)) == {0: 1 / -3, 1: 1 / -2}
