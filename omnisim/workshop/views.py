"""Views: what each role sees of a room. What is not in a view never leaves the machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omnisim.workshop.programme import SCENES
from omnisim.workshop.reveal import next_order
from omnisim.workshop.roles import ACTS, MANAGER, Act
from omnisim.workshop.room import Room, seat_key, test_key
from omnisim.workshop.worlds import Report

OWN = ("spent", "contacts", "clicks", "claims")
REPORTS = ("spent", "seen")  # what a centre gets
ALL = ("spent", "claims", "last_touch", "share")
BOOKS = ("orders", "new_customers", "revenue", "contribution")


def door(room: Room) -> dict[str, Any]:
    """Return what somebody sees who knows the code and has no seat: which seats are free."""
    return {
        "code": room.code,
        "firms": room.firms,
        "roles": list(room.cast.roles),
        "free": [key for key, seat in room.seats.items() if not seat.is_taken],
    }


def view(room: Room, firm: int, role: str, now: float) -> dict[str, Any]:
    """Return all that one seat sees."""
    key = seat_key(firm, role)
    return {
        **_where(room, now),
        "firm": firm,
        "role": role,
        "name": room.seats[key].name,
        "heard": room.seats[key].heard,
        "team": [
            {"role": other, "name": seat.name, "sent": seat_key(firm, other) in room.sent}
            for other in room.cast.roles
            for seat in [room.seats[seat_key(firm, other)]]
        ],
        "sheet": _sheet(room, firm, role),
        "quarters": _quarters(room, firm, role),
        "weight": _weight(room, firm, key),
        "asked": _asked(room, firm, role),
        "tests": _tests(room, firm),
        "guess": _guess(room, firm, role),
        "reveal": _own_reveal(room, firm, role) if room.now.kind == "reveal" else None,
    }


def lead(room: Room, now: float) -> dict[str, Any]:
    """Return what the trainer sees: everything."""
    return {
        **_where(room, now),
        "practice": room.practice,
        "firms": room.firms,
        "roles": list(room.cast.roles),
        "owned": {role: list(room.cast.owned(role)) for role in room.cast.roles},
        "plans": [room.standing(firm) for firm in range(room.firms)],
        "seconds": room.seconds,
        "programme": [
            {"kind": step.kind, "act": step.act, "nth": step.nth} for step in room.programme
        ],
        "seats": [
            {
                "firm": firm,
                "role": role,
                "name": room.seats[seat_key(firm, role)].name,
                "taken": room.seats[seat_key(firm, role)].is_taken,
                "sent": seat_key(firm, role) in room.sent,
                "guessed": seat_key(firm, role) in room.guesses,
                "sheet": _sheet(room, firm, role),
                "guess": _guess(room, firm, role),
                "weight": room.weights.get(seat_key(firm, role)),
                "quarters": _quarters(room, firm, role),
            }
            for firm in range(room.firms)
            for role in room.cast.roles
        ],
        "rounds": sorted(
            {(row.act, row.nth) for row in room.played if row.kind == "round" and not row.undone},
            key=lambda lived: (ACTS.index(lived[0]), lived[1]),
        ),
        "testing": len(room.untested()),
        "explaining": len(room.unexplained()),
    }


def _where(room: Room, now: float) -> dict[str, Any]:
    step = room.now
    return {
        "code": room.code,
        "version": room.version,
        "place": room.place,
        "form": room.form,
        "step": {"kind": step.kind, "act": step.act, "nth": step.nth, "index": room.step},
        "phase": room.phase,
        "attempt": room.attempt,
        "scene": SCENES[room.scene] if step.kind == "reveal" else None,
        "left": room.left if room.deadline is None else max(0.0, room.deadline - now),
        "paused": room.paused,
    }


def _shares(room: Room) -> bool:
    """Tell whether everybody sees everything."""
    return room.now.act == "together" and room.now.kind == "round"


def _sheet(room: Room, firm: int, role: str) -> dict[str, Any] | None:
    """Return the form that a role fills in, or None if it has nothing to decide."""
    act, cast = room.now.act, room.cast
    decides, asks = cast.decides(act, role), cast.asks(act, role)
    if not room.now.is_played or not (decides or asks):
        return None
    standing = room.standing(firm)
    typed = room.sheets[firm] if decides else room.asked.get(seat_key(firm, role), {})
    return {
        "asks": asks,
        "limit": room.limit(firm, role),
        "sent": seat_key(firm, role) in room.sent,
        "media": [
            {"name": name, "last": standing[name], "typed": typed.get(name)}
            for name in cast.owned(role)
        ],
    }


def _weight(room: Room, firm: int, key: str) -> dict[str, Any] | None:
    if not _shares(room):
        return None
    return {"mine": room.weights.get(key), "team": room.weight(firm)}


def _tests(room: Room, firm: int) -> dict[str, Any]:
    """Return what the next order cost in tests of the last quarter, by medium."""
    tests = room.tests.get(test_key(firm, room.plans(firm)))
    if tests is None or not _shares(room):
        return {}
    return {
        name: next_order(tests["cost"][name], tests["orders"][name]) for name in room.cast.media
    }


def _asked(room: Room, firm: int, role: str) -> dict[str, Any]:
    """Return what departments ask the manager for."""
    if role != MANAGER or room.now.act != "central":
        return {}
    return {
        other: room.asked[seat_key(firm, other)]
        for other in room.cast.departments
        if seat_key(firm, other) in room.asked
    }


def _quarters(room: Room, firm: int, role: str) -> list[dict[str, Any]]:
    """Return the quarters that a role has seen, those of the year before first."""
    act: Act = room.now.act
    told = [
        {"when": "before", "nth": nth, "bonus": None, **_told(room, role, act, quarter.report)}
        for nth, quarter in enumerate(room.opening)
    ]
    rows = room.lived(firm, act)
    if room.now.kind == "practice" and room.phase == "told":
        rows = [row for row in room.played if row.kind == "practice" and row.firm == firm][-1:]
    for row in rows:
        books = _told(room, role, row.act, row.books)
        told.append({"when": row.kind, "nth": row.nth, "bonus": row.bonus[role], **books})
    return told


def _told(room: Room, role: str, act: Act, report: Report) -> dict[str, Any]:
    """Return what a role is told of a quarter in an act."""
    if act == "together":
        return _books(report, room.cast.media, ALL, BOOKS)
    if role != MANAGER:
        return _books(report, room.cast.owned(role), OWN, ())
    return _books(report, room.cast.media, REPORTS if act == "central" else (), BOOKS)


def _books(
    report: Report, media: Iterable[str], columns: tuple[str, ...], company: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "media": {
            name: {column: round(getattr(report, column)[name]) for column in columns}
            for name in media
            if columns
        },
        "company": {name: round(getattr(report, name)) for name in company}
        | ({"spent": round(sum(report.spent.values()))} if company else {}),
    }


def _guess(room: Room, firm: int, role: str) -> dict[str, Any] | None:
    if room.now.kind != "guess":
        return None
    mine = room.guesses.get(seat_key(firm, role))
    return {
        "media": [] if role == MANAGER else list(room.cast.owned(role)),
        "claims": mine.claims if mine else None,
        "costs": mine.costs if mine else {},
    }


def _own_reveal(room: Room, firm: int, role: str) -> dict[str, Any]:
    """Return what the reveal says of one's own media."""
    act: Act = "silo"
    effects = room.effects.get(f"{act} {firm}")
    rows = room.lived(firm, act)
    if effects is None or not rows:
        return {}
    books, owned = rows[-1].books, room.cast.owned(role)
    caused = effects["without"] if role == MANAGER else effects["departments"][role]
    return {
        "act": act,
        "claims": round(sum(books.claims[name] for name in owned)),
        "caused": round(caused),
    }
