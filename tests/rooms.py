"""Rooms for tests: a small firm of two departments, lived for real, and a host without haste."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from omnisim import config
from omnisim.spec import ExperimentSpec
from omnisim.workshop.desk import Desk
from omnisim.workshop.host import Host
from omnisim.workshop.programme import Form
from omnisim.workshop.roles import ACTS
from omnisim.workshop.room import Room, opened
from omnisim.workshop.server import Server
from omnisim.workshop.worlds import Plan, Quarter, Worlds

OWN = Path(__file__).parent / "own"
SMALL = (
    *("experiment=workshop", "market=plain"),
    *("market.people=150", "market.burn_in_weeks=2"),
)
KEY = "the-key-of-the-trainer-in-tests"


@functools.cache
def spec() -> ExperimentSpec:
    """Return the three acts in a market of curves, where the best split is known."""
    asked = config.load(["experiment=textbook"])[0].model_dump()
    arm = asked["status_quo"]
    for act, kind in zip(ACTS, ("siloed", "central", "central"), strict=True):
        asked["arms"][act] = arm | {"steering": arm["steering"] | {"kind": kind}}
    asked["horizon"] |= {"history_weeks": 52, "weeks": 52}
    return ExperimentSpec.model_validate(asked)


@functools.cache
def people(organigram: str = "two") -> ExperimentSpec:
    """Return the workshop's question about a small market of people."""
    return config.load([*SMALL, f"organigram={organigram}"], OWN)[0]


@functools.cache
def worlds() -> Worlds:
    """Return the worlds of that question."""
    return Worlds(spec())


@functools.cache
def opening() -> tuple[Quarter, ...]:
    """Return the year before."""
    return tuple(worlds().opening())


def a_room(form: Form = "short", firms: int = 1, practice: bool = False) -> Room:
    """Return a room in its lobby."""
    return opened(worlds().cast, list(opening()), form, firms, practice)


def live(room: Room) -> None:
    """Live the quarter of the present round."""
    room.close()
    room.book([worlds().quarter(*room.asked_of(firm)) for firm in range(room.firms)])


def until(room: Room, kind: str, act: str = "silo") -> Room:
    """Let the computer play until a step of this kind begins."""
    while room.now.kind != kind or (kind == "round" and room.now.act != act):
        if room.now.is_played:
            live(room)
        room.next(0.0)
    return room


def standing(room: Room, role: str) -> Plan:
    """Return what a role's media have had so far."""
    return {name: room.standing(0)[name] for name in room.cast.owned(role)}


class Quick(Desk):
    """A desk in a thread, which takes a good plan for the best: the search has its own tests.

    Unless it `wonders` nothing is found out that does not hurry.
    """

    def __init__(self, asked: ExperimentSpec, wonders: bool = True) -> None:
        super().__init__(asked, 0)
        self.wonders = wonders

    async def wonder(self, what: str, *words: Any) -> Any:
        """Return what is asked, if this desk wonders."""
        if not self.wonders:
            await asyncio.Event().wait()
        return await super().wonder(what, *words)

    async def dream(self, what: str, *words: Any) -> Any:
        """Return a year without changes for the best one."""
        return await self.wonder("stay")


def a_server(folder: Path, asked: ExperimentSpec | None = None, wonders: bool = True) -> Server:
    """Return a server of rooms in a folder."""
    asked = spec() if asked is None else asked
    return Server(Host(asked, folder, Quick(asked, wonders)), KEY, "http://127.0.0.1:8765")


@contextlib.contextmanager
def served(server: Server) -> Iterator[str]:
    """Serve for real, on a port of this machine, and yield the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        words = uvicorn.Config(server.app(), log_level="error", timeout_graceful_shutdown=1)
        running = uvicorn.Server(words)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not running.started:
                time.sleep(0.01)
            yield server.address
        finally:
            running.should_exit = running.force_exit = True
            thread.join()


def numbers(told: Any) -> set[float]:
    """Return all numbers in a view."""
    if isinstance(told, dict):
        return set().union(*map(numbers, told.values()), set())
    if isinstance(told, Sequence) and not isinstance(told, str):
        return set().union(*map(numbers, told), set())
    return {float(told)} if isinstance(told, int | float) and not isinstance(told, bool) else set()
