"""Messages: what a phone or the trainer's page may say, checked before a room hears it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from omnisim.workshop.refusal import Refused
from omnisim.workshop.roles import ACTS
from omnisim.workshop.room import DEAREST, LONGEST_ROUND, MOST_CLAIMED, Guess, Room

LARGEST = 8_192  # bytes
LAST_NUMBER = 2**53
PLAY = ("decide", "ask", "weigh", "guess")


def parsed(body: bytes) -> dict[str, Any]:
    """Return the words of a message; raise Refused if it is none."""
    if len(body) > LARGEST:
        raise Refused("too_large", 413)
    try:
        message = json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused("bad_message", 422) from None
    if not isinstance(message, dict):
        raise Refused("bad_message", 422)
    return message


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def say(room: Room, firm: int, role: str, message: Mapping[str, Any], now: float) -> bool:
    """Let a seat say something; return whether it was news. Raise Refused.

    The seat is the one that the cookie opens, never one that the message names.
    """
    kind = _one_of(message, "kind", (*PLAY, "leave"))
    number = whole(message, "number", 1, LAST_NUMBER)
    if kind != "leave" and message.get("place") != room.place:
        raise Refused("not_now")
    if number <= room.seats[f"{firm} {role}"].heard:
        return False
    if kind == "leave":
        room.free(firm, role)
        return True
    _play(room, firm, role, message, now)
    return room.hear(firm, role, number)


def _play(
    room: Room, firm: int, role: str, message: Mapping[str, Any], now: float, led: bool = False
) -> None:
    match message["kind"]:
        case "decide":
            room.decide(firm, role, _amounts(message, room.cast.quarter), now, led)
        case "ask":
            room.ask(firm, role, _amounts(message, room.cast.quarter), now, led)
        case "weigh":
            room.weigh(firm, role, whole(message, "weight", 0, 100) / 100, now, led)
        case "guess":
            room.guess(firm, role, _guess(message))


def direct(room: Room, message: Mapping[str, Any], now: float) -> None:
    """Let the trainer direct the room; raise Refused."""
    kinds = ("next", "show", "rewind", "pause", "resume", "clock", "free", *PLAY)
    match _one_of(message, "kind", kinds):
        case "next":
            if message.get("place") != room.place:
                raise Refused("not_now")  # a button that was pressed twice
            room.next(now)
        case "show":
            room.show(whole(message, "scene", 0, 99))
        case "rewind":
            room.rewind(_one_of(message, "act", ACTS), whole(message, "nth", 0, 99), now)
        case "pause":
            room.pause(now)
        case "resume":
            room.resume(now)
        case "clock":
            room.set_clock(whole(message, "seconds", 0, LONGEST_ROUND), now)
        case "free":
            room.free(*_seat(room, message))
        case _:
            _play(room, *_seat(room, message), message, now, led=True)


def _seat(room: Room, message: Mapping[str, Any]) -> tuple[int, str]:
    firm = whole(message, "firm", 0, room.firms - 1)
    return firm, _one_of(message, "role", room.cast.roles)


def _amounts(message: Mapping[str, Any], most: int) -> dict[str, int]:
    amounts = message.get("amounts")
    if not isinstance(amounts, dict):
        raise Refused("bad_message", 422)
    return {name: whole(amounts, name, 0, most) for name in amounts}


def _guess(message: Mapping[str, Any]) -> Guess:
    costs = message.get("costs", {})
    if not isinstance(costs, dict):
        raise Refused("bad_message", 422)
    return Guess(
        whole(message, "claims", 0, MOST_CLAIMED),
        {name: whole(costs, name, 0, DEAREST) for name in costs},
    )


def whole(message: Mapping[str, Any], key: str, low: int, high: int) -> int:
    """Return a whole number of a message; raise Refused if it is none or out of range."""
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refused("bad_number", 422, key=str(key)[:40], low=low, high=high)
    return value


def text(message: Mapping[str, Any], key: str, longest: int = 200) -> str:
    """Return a text of a message; raise Refused if it is none or too long."""
    value = message.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise Refused("bad_message", 422)
    return value


def _one_of(message: Mapping[str, Any], key: str, allowed: Sequence[Any]) -> Any:
    value = message.get(key)
    if value not in allowed:
        raise Refused("bad_message", 422)
    return value
