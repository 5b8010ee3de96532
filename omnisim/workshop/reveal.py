"""The reveal: claims beside what was caused, money beside the next order, acts beside the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omnisim.workshop.roles import ACTS, MANAGER, ROUNDS
from omnisim.workshop.room import Room, parted
from omnisim.workshop.worlds import Quarter


def reveal(
    room: Room, yardsticks: Mapping[str, Sequence[Quarter]], walk: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return everything that the reveal draws; what is not known yet is None."""
    return {
        "roles": list(room.cast.roles),
        "owned": {role: list(room.cast.owned(role)) for role in room.cast.departments},
        "firms": [
            {
                "acts": {act: _act(room, firm, act) for act in ACTS if room.is_act_over(act, firm)},
                "guesses": _guesses(room, firm),
            }
            for firm in range(room.firms)
        ],
        "best": _best(room, yardsticks),
        "stay": _sum(yardsticks.get("stay")),
        "computer": {act: _sum(yardsticks.get(act)) for act in ACTS},
        "walk": walk,
    }


def _act(room: Room, firm: int, act: Any) -> dict[str, Any]:
    rows = room.lived(firm, act)
    books = rows[-1].books
    effects = room.effects.get(f"{act} {firm}")
    media = None
    if effects is not None:
        media = {
            name: {
                "spent": round(books.spent[name]),
                "claims": round(books.claims[name]),
                "cost": next_order(effects["cost"][name], effects["orders"][name]),
            }
            for name in room.cast.media
        }
    return {
        "contribution": round(sum(row.books.contribution for row in rows)),
        "quarters": [round(row.books.contribution) for row in rows],
        "orders": round(books.orders),
        "claims": {
            role: round(sum(books.claims[name] for name in owned))
            for role, owned in room.cast.departments.items()
        },
        "caused": effects
        and {role: round(orders) for role, orders in effects["departments"].items()},
        "without": effects and round(effects["without"]),
        "media": media,
        "weight": rows[-1].weight,
    }


def next_order(cost: float, orders: float) -> float | None:
    """Return what the next order costs (EUR), None if more money brings none."""
    if orders < 1 or cost <= 0:
        return None
    return round(cost / orders, 1)


def _guesses(room: Room, firm: int) -> dict[str, Any]:
    mine = {parted(key): guess for key, guess in room.guesses.items()}
    guesses = {role: guess for (whose, role), guess in mine.items() if whose == firm}
    return {
        "claims": {role: guess.claims for role, guess in guesses.items()},
        "costs": {
            name: cost
            for role, guess in guesses.items()
            if role != MANAGER
            for name, cost in guess.costs.items()
        },
    }


def _sum(quarters: Sequence[Quarter] | None) -> int | None:
    if not quarters or len(quarters) < ROUNDS:
        return None
    return round(sum(quarter.report.contribution for quarter in quarters))


def _best(room: Room, yardsticks: Mapping[str, Sequence[Quarter]]) -> int | None:
    """Return the most contribution that anybody or any search has found in this market so far."""
    found = [_sum(quarters) for quarters in yardsticks.values()]
    if _sum(yardsticks.get(ACTS[-1])) is None:
        return None
    for firm in range(room.firms):
        for act in ACTS:
            if room.is_act_over(act, firm):
                rows = room.lived(firm, act)
                found.append(round(sum(row.books.contribution for row in rows)))
    return max(sum_ for sum_ in found if sum_ is not None)
