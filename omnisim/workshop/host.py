"""The host: keeps rooms, lets their quarters be lived, and tells everybody who listens."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omnisim.files import Unwritable, whole
from omnisim.sources import model_version
from omnisim.spec import ExperimentSpec
from omnisim.workshop.desk import Desk
from omnisim.workshop.programme import Form
from omnisim.workshop.refusal import Refused
from omnisim.workshop.roles import ACTS, cast
from omnisim.workshop.room import Room, as_words, from_words, opened
from omnisim.workshop.worlds import Quarter

log = logging.getLogger("omnisim.workshop")
MOST_ROOMS = 500


class Host:
    """All rooms of one question, in a folder of its own, where a restart finds them."""

    def __init__(self, spec: ExperimentSpec, folder: Path, desk: Desk) -> None:
        self.spec = spec
        self.cast = cast(spec)
        self.folder = folder / fingerprint(spec)
        self.desk = desk
        self.rooms: dict[str, Room] = {}
        self.opening: list[Quarter] | None = None
        self.yardsticks: dict[str, list[Quarter]] = {}
        self.walk: dict[str, Any] | None = None
        self.heard: dict[str, set[asyncio.Event]] = {}
        self.is_ready = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._busy: set[tuple[object, ...]] = set()

    # -- life ---------------------------------------------------------------------------

    def start(self) -> None:
        """Find the rooms of before, and begin to find out what every room will need."""
        self._load()
        self._begin(self._prepare())

    def stop(self) -> None:
        """Stop everything that is under way."""
        for task in self._under_way:
            task.cancel()
        self.desk.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s", task.exception())

    async def _prepare(self) -> None:
        await self.desk.warm()
        self.opening = await self.desk.ask(0, "opening")
        self.is_ready.set()
        for room in self.rooms.values():
            self.go_on(room)
        self._begin(self._dream())
        for name, what in (*((act, ("play", act)) for act in ACTS), ("stay", ("stay",))):
            self.yardsticks[name] = await self.desk.wonder(*what)
        self.walk = await self.desk.wonder("walk")
        self.tell_all()

    async def _dream(self) -> None:
        self.yardsticks["possible"] = await self.desk.dream("possible")
        self.tell_all()

    # -- rooms --------------------------------------------------------------------------

    async def open(self, form: Form, firms: int, practice: bool) -> Room:
        """Return a new room, once the market is ready."""
        await self.is_ready.wait()
        if len(self.rooms) >= MOST_ROOMS:
            raise Refused("too_many", 429)
        room = opened(self.cast, self.opening or [], form, firms, practice, list(self.rooms))
        self.rooms[room.code] = room
        self.changed(room)
        return room

    def room(self, code: str) -> Room:
        """Return a room; raise Refused."""
        found = self.rooms.get(code.upper())
        if found is None:
            raise Refused("no_such_room", 404)
        return found

    def changed(self, room: Room) -> None:
        """Keep a room as it is now and tell everybody in it."""
        path = self.folder / f"{room.code}.json"
        try:
            with whole(path) as file:
                file.write(json.dumps(as_words(room)).encode())
        except Unwritable as error:
            log.error("%s", error)
        self.tell(room)

    def tell(self, room: Room) -> None:
        """Wake everybody who listens to a room."""
        for event in self.heard.get(room.code, ()):
            event.set()

    def tell_all(self) -> None:
        """Wake everybody: something that concerns all rooms is known."""
        for room in self.rooms.values():
            room.version += 1
            self.tell(room)

    def _load(self) -> None:
        for path in sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime):
            try:
                room = from_words(json.loads(path.read_bytes()))
            except (OSError, KeyError, TypeError, ValueError) as error:
                log.error("%s is no room (%s)", path, error)
                continue
            self.rooms[room.code] = room

    # -- quarters -----------------------------------------------------------------------

    def run(self, room: Room) -> None:
        """Close the round and let its quarter be lived in every firm."""
        room.close()
        self.changed(room)
        self._begin(self._live(room))

    async def _live(self, room: Room) -> None:
        place = room.place
        try:
            lived: Sequence[Quarter] = await asyncio.gather(
                *(
                    self.desk.ask(firm, "quarter", *room.asked_of(firm))
                    for firm in range(room.firms)
                )
            )
        except Exception:
            room.reopen()
            self.changed(room)
            raise
        if room.place == place:
            room.book(lived)
            self.changed(room)
            self.go_on(room)

    def go_on(self, room: Room) -> None:
        """Begin, or after a restart begin again, what a room is waiting for."""
        if room.phase == "running":
            self._once((room.code, "quarter", room.place), self._live(room))
        for firm, plans in room.untested():
            tests = (room.code, "tests", firm, len(plans), room.attempt)
            self._once(tests, self._test(room, firm, plans))
        for act, firm, plans in room.unexplained():
            effects = (room.code, "effects", act, firm, room.attempt)
            self._once(effects, self._explain(room, act, firm, plans))

    def _once(self, key: tuple[object, ...], work: Coroutine[Any, Any, None]) -> None:
        if key in self._busy:
            work.close()
            return
        self._busy.add(key)
        self._begin(work)

    async def _test(self, room: Room, firm: int, plans: Sequence[Any]) -> None:
        cost, orders = await self.desk.wonder("tests", plans)
        if (firm, plans) in room.untested():
            room.learn(firm, plans, cost, orders)
            self.changed(room)

    async def _explain(self, room: Room, act: Any, firm: int, plans: Sequence[Any]) -> None:
        effects = await self.desk.wonder("effects", act, plans)
        if (act, firm, plans) in room.unexplained():
            room.learn_effects(act, firm, asdict(effects))
            self.changed(room)


def fingerprint(spec: ExperimentSpec) -> str:
    """Return a name for the world of a question, under which its rooms are kept."""
    arms = {name: arm.model_dump(mode="json") for name, arm in spec.arms.items()}
    asked = json.dumps([spec.determining(), arms, model_version()], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def wall_clock() -> float:
    """Return the time of day, which survives a restart (seconds)."""
    return time.time()
