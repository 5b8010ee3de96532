"""Where units of work run: here, or on the cores of this machine. The results are the same."""

from __future__ import annotations

import functools
import os
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from typing import Literal, TypeVar

from joblib import Parallel, cpu_count, delayed, parallel_config

from omnisim.experiment import Failure

Task = TypeVar("Task")
Result = TypeVar("Result")
Backend = Literal["serial", "local"]
BREAKS = 2


def run_units(
    units: Iterable[Task],
    work: Callable[[Task], Result],
    backend: Backend = "local",
    workers: int | None = None,
) -> Generator[tuple[Task, Result | Failure], None, None]:
    """Yield every unit with its result, or its Failure, in the order in which they finish.

    `workers` is the number of cores by default. A worker that dies (killed, out of
    memory) loses nothing: its units run again; after two breaks the suspects run alone,
    and one that dies alone, too, is a Failure.
    """
    waiting = dict(enumerate(units))
    workers = min(workers or cpu_count(), len(waiting))
    if backend == "serial" or workers < 2:
        yield from ((unit, _attempt(work, unit)) for unit in waiting.values())
        return
    breaks = 0
    while waiting:
        started: list[int] = []
        results = _parallel(waiting, work, workers, started)
        try:
            for number, result in results:
                yield waiting.pop(number), result
        except BrokenProcessPool:
            breaks += 1
            suspects = [number for number in started if number in waiting]
            if breaks % BREAKS == 0:
                yield from ((waiting[n], _alone(waiting.pop(n), work)) for n in suspects)
        finally:
            _close(results)


def _parallel(
    waiting: Mapping[int, Task],
    work: Callable[[Task], Result],
    workers: int,
    started: list[int],
) -> Generator[tuple[int, Result | Failure], None, None]:
    """Return numbers with results; `started` grows by the numbers handed to workers."""
    driver = os.getpid()

    def tasks() -> Iterator[object]:
        for number, unit in tuple(waiting.items()):
            started.append(number)
            yield delayed(_numbered)(driver, number, work, unit)

    # Processes of loky's own kind, whatever start method a library has set for all others;
    # one thread each; no more units handed out than there are workers.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(
            n_jobs=workers,
            return_as="generator_unordered",
            batch_size=1,
            pre_dispatch="n_jobs",
            max_nbytes=None,
        )
    results: Generator[tuple[int, Result | Failure], None, None] = parallel(tasks())
    return results


def _close(results: Generator[tuple[int, Result | Failure], None, None]) -> None:
    with warnings.catch_warnings():
        # joblib mourns work that nobody waits for any more
        warnings.simplefilter("ignore", UserWarning)
        results.close()


def _alone(unit: Task, work: Callable[[Task], Result]) -> Result | Failure:
    try:
        # two workers, one of them idle: joblib would run a single one in this process
        ((_, result),) = _parallel({0: unit}, work, 2, [])
    except BrokenProcessPool as death:
        return Failure("its worker died, perhaps for want of memory", str(death))
    return result


def _numbered(
    driver: int, number: int, work: Callable[[Task], Result], unit: Task
) -> tuple[int, Result | Failure]:
    end_with(driver)
    return number, _attempt(work, unit)


@functools.cache
def end_with(driver: int) -> None:
    """End this worker soon after its driver has died; loky's would wait for minutes."""

    def watch() -> None:
        while os.getppid() == driver:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _attempt(work: Callable[[Task], Result], unit: Task) -> Result | Failure:
    try:
        return work(unit)
    except Exception as error:
        plain = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        return Failure(plain, traceback.format_exc())
