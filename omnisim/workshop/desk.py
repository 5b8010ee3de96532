"""The desk: processes of their own in which worlds live, beside the one that talks to phones."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import signal
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from omnisim.compute import end_with
from omnisim.spec import ExperimentSpec
from omnisim.workshop.worlds import Worlds

LESS_URGENT = 10  # niceness


class Desk:
    """Where quarters are lived: a firm is always at home with the same worker.

    One more worker, which yields to all others, finds out what does not hurry. Without
    `workers` everything happens in a thread, as tests want it.
    """

    def __init__(self, spec: ExperimentSpec, workers: int) -> None:
        self.spec = spec
        self.workers: list[Executor] = (
            [_process(spec, 0) for _ in range(workers)]
            if workers
            else [ThreadPoolExecutor(1, initializer=_worlds, initargs=(spec,))]
        )
        self.patient = _process(spec, LESS_URGENT) if workers else self.workers[0]

    async def ask(self, firm: int, what: str, *words: Any) -> Any:
        """Return what a firm's worker answers; raise what it raises."""
        return await self._at(self.workers[firm % len(self.workers)], what, words)

    async def wonder(self, what: str, *words: Any) -> Any:
        """Return what the patient worker finds out."""
        return await self._at(self.patient, what, words)

    async def _at(self, worker: Executor, what: str, words: tuple[Any, ...]) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(worker, _answer, self.spec, what, words)

    def close(self) -> None:
        """End all workers; what they are at is lost and can be lived again."""
        for worker in {*self.workers, self.patient}:
            worker.shutdown(wait=False, cancel_futures=True)
            for process in (getattr(worker, "_processes", None) or {}).values():
                process.terminate()


def _process(spec: ExperimentSpec, niceness: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(spec, niceness, os.getpid()),
    )


def _begin(spec: ExperimentSpec, niceness: int, driver: int) -> None:
    """Set up a process that leaves interrupts to its driver and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(driver)
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    _worlds(spec)


@functools.lru_cache(maxsize=1)
def _live(asked: str) -> Worlds:
    return Worlds(ExperimentSpec.model_validate_json(asked))


def _worlds(spec: ExperimentSpec) -> Worlds:
    return _live(spec.model_dump_json())


def _answer(spec: ExperimentSpec, what: str, words: tuple[Any, ...]) -> Any:
    return getattr(_worlds(spec), what)(*words)
