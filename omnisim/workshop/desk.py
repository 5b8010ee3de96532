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

LESS_URGENT, LEAST_URGENT = 5, 15  # niceness


class Desk:
    """Where quarters are lived: a firm is always at home with the same worker.

    What does not hurry is found out by a patient worker, which yields to all others, and what
    takes long by a dreamer, so that neither keeps a quarter waiting. Without `workers`
    everything happens in a thread, as tests want it.
    """

    def __init__(self, spec: ExperimentSpec, workers: int) -> None:
        self.spec = spec
        if not workers:
            thread = ThreadPoolExecutor(1, initializer=_worlds, initargs=(spec,))
            self.workers: list[Executor] = [thread]
            self.patient: Executor = thread
            self.dreamer: Executor = thread
            return
        self.workers = [_process(spec, 0) for _ in range(workers)]
        self.patient = _process(spec, LESS_URGENT)
        self.dreamer = _process(spec, LEAST_URGENT)

    async def warm(self) -> None:
        """Let every worker live the shared history, so that nobody waits for it later.

        One goes first: after a fresh installation it compiles for all.
        """
        await self._at(self.workers[0], "today", ())
        await asyncio.gather(*(self._at(worker, "today", ()) for worker in self.workers))

    async def ask(self, firm: int, what: str, *words: Any) -> Any:
        """Return what a firm's worker answers; raise what it raises."""
        return await self._at(self.workers[firm % len(self.workers)], what, words)

    async def wonder(self, what: str, *words: Any) -> Any:
        """Return what the patient worker finds out."""
        return await self._at(self.patient, what, words)

    async def dream(self, what: str, *words: Any) -> Any:
        """Return what takes long to find out; the dreamer is asked once and then goes."""
        try:
            return await self._at(self.dreamer, what, words)
        finally:
            if self.dreamer is not self.patient:
                self.dreamer.shutdown(wait=False)

    async def _at(self, worker: Executor, what: str, words: tuple[Any, ...]) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(worker, _answer, self.spec, what, words)

    def close(self) -> None:
        """End all workers; what they are at is lost and can be lived again."""
        for worker in {*self.workers, self.patient, self.dreamer}:
            processes = dict(getattr(worker, "_processes", None) or {})
            worker.shutdown(wait=False, cancel_futures=True)
            for process in processes.values():
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
