"""Rooms for tests: a small firm of two departments, lived for real, and a host without haste."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    *("experiment=workshop", "market=plain", "organigram=two"),
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
def people() -> ExperimentSpec:
    """Return the workshop's question about a small market of people."""
    return config.load(list(SMALL), OWN)[0]


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
    act = room.now.act
    lived = [
        worlds().quarter(act, room.plans(firm), room.typed(firm)) for firm in range(room.firms)
    ]
    room.book(lived)


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
    """A desk in a thread, which takes a good plan for the best: the search has its own tests."""

    def __init__(self, asked: ExperimentSpec) -> None:
        super().__init__(asked, 0)

    async def wonder(self, what: str, *words: Any) -> Any:
        """Return what is asked, the best plan excepted."""
        if what == "possible":
            return await super().wonder("stay")
        return await super().wonder(what, *words)


def a_server(folder: Path, asked: ExperimentSpec | None = None) -> Server:
    """Return a server of rooms in a folder."""
    asked = spec() if asked is None else asked
    return Server(Host(asked, folder, Quick(asked)), KEY, "http://127.0.0.1:8765")


def numbers(told: Any) -> set[float]:
    """Return all numbers in a view."""
    if isinstance(told, dict):
        return set().union(*map(numbers, told.values()), set())
    if isinstance(told, Sequence) and not isinstance(told, str):
        return set().union(*map(numbers, told), set())
    return {float(told)} if isinstance(told, int | float) and not isinstance(told, bool) else set()
