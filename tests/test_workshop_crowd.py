"""Forty people in eight firms play a round at once."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx2

from tests.rooms import KEY, a_server, people, served

SOON = 2.0  # seconds in which every answer is to be seen


async def _participant(address: str, code: str, firm: int, role: str, gone: asyncio.Event) -> float:
    """Sit down, decide thrice, and return when the quarter was told."""
    limits = httpx2.Timeout(20, read=60)
    async with httpx2.AsyncClient(base_url=address, timeout=limits) as phone:
        name = f"{firm} {role}"
        asked = {"code": code, "firm": firm, "role": role, "name": name}
        (await phone.post("/api/join", json=asked)).raise_for_status()
        async with phone.stream("GET", f"/api/rooms/{code}/events") as stream:
            async for row in stream.aiter_lines():
                if not row.startswith("data: "):
                    continue
                state = json.loads(row.removeprefix("data: "))
                assert (state["firm"], state["role"]) == (firm, role)
                if state["phase"] == "told":
                    return time.monotonic()
                if state["step"]["kind"] == "round" and not gone.is_set() and state["heard"] == 0:
                    await _decides(phone, code, state)
    raise AssertionError("the stream has ended")


async def _decides(phone: httpx2.AsyncClient, code: str, state: dict[str, Any]) -> None:
    sheet = state["sheet"]
    for number in (1, 2, 3) if sheet else ():
        amounts = {its["name"]: its["last"] // number for its in sheet["media"]}
        words = {"kind": "decide", "number": number, "place": state["place"], "amounts": amounts}
        (await phone.post(f"/api/rooms/{code}/say", json=words)).raise_for_status()


async def _forty(address: str) -> tuple[list[float], float, dict[str, Any]]:
    """Play a round with forty; return when each was told, when it began, what the trainer saw."""
    async with httpx2.AsyncClient(base_url=address, timeout=60, follow_redirects=True) as trainer:
        await trainer.get(f"/trainer?key={KEY}")
        asked = {"form": "short", "firms": 8, "practice": False}
        code = (await trainer.post("/api/rooms", json=asked)).json()["code"]
        path = f"/api/rooms/{code}"
        roles = (await trainer.get(f"{path}/led")).json()["roles"]
        gone = asyncio.Event()
        crowd = [
            asyncio.create_task(_participant(address, code, firm, role, gone))
            for firm in range(8)
            for role in roles
        ]

        async def lead(kind: str) -> None:
            place = (await trainer.get(f"{path}/led")).json()["place"]
            words = {"kind": kind, "place": place}
            (await trainer.post(f"{path}/lead", json=words)).raise_for_status()

        async def seats(what: str) -> int:
            state = (await trainer.get(f"{path}/led")).json()
            return sum(seat[what] for seat in state["seats"])

        async with asyncio.timeout(60):
            while await seats("taken") < 40:
                await asyncio.sleep(0.05)
            await lead("next")
            while await seats("sent") < 32:  # managers have nothing to decide
                await asyncio.sleep(0.05)
            gone.set()
            await asyncio.sleep(0.5)
            began = time.monotonic()
            await lead("run")
            times = await asyncio.gather(*crowd)
        return times, began, (await trainer.get(f"{path}/led")).json()


def test_forty_people_in_eight_firms_see_their_quarter_soon(tmp_path: Path) -> None:
    with served(a_server(tmp_path, people("plain"), wonders=False)) as address:
        times, began, state = asyncio.run(_forty(address))
    assert len(times) == 40
    assert max(times) - began < SOON
    assert state["rounds"] == [["silo", 0]]
    third = {its["name"]: its["typed"] for its in state["seats"][0]["sheet"]["media"]}
    assert third == {its["name"]: its["last"] for its in state["seats"][0]["sheet"]["media"]}
