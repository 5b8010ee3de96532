"""Exports: the rounds as CSV, the debrief as one HTML file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from omnisim.workshop.room import Room
from omnisim.workshop.texts import texts
from omnisim.workshop.worlds import Quarter

COLUMNS = (
    *("firm", "act", "round", "attempt", "kind", "counts", "medium", "department", "decided_by"),
    *("planned_eur", "spent_eur", "claimed_orders", "last_touch_orders", "shared_record_orders"),
    *("firm_orders", "firm_contribution_eur", "company_weight", "department_bonus_eur"),
)


def rounds_csv(room: Room, yardsticks: Mapping[str, list[Quarter]]) -> str:
    """Return a row per firm, round and medium; firms played by the computer alone stand below."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    owner = {name: role for role, owned in room.cast.departments.items() for name in owned}
    for row in room.played:
        books = row.books
        for name, planned in sorted(row.plan.items()):
            role = owner[name]
            who = row.by[role] or row.by[room.cast.roles[-1]]
            where = [row.firm + 1, row.act, row.nth + 1, row.attempt, row.kind, int(not row.undone)]
            told: list[object] = [
                planned,
                *_told(books, name),
                round(row.weight, 3),
                row.bonus[role],
            ]
            rows.writerow([*where, name, role, who, *told])
    for act, quarters in yardsticks.items():
        for nth, quarter in enumerate(quarters):
            for name, planned in sorted(quarter.plan.items()):
                told = [planned, *_told(quarter.report, name), "", ""]
                rows.writerow(
                    [
                        "computer",
                        act,
                        nth + 1,
                        1,
                        "control",
                        1,
                        name,
                        owner[name],
                        "computer",
                        *told,
                    ]
                )
    return out.getvalue()


def _told(books: Any, name: str) -> list[float]:
    columns = (books.spent, books.claims, books.last_touch, books.share)
    own = [round(column[name], 2) for column in columns]
    return [*own, round(books.orders), round(books.contribution, 2)]


def debrief(room: Room, revealed: Mapping[str, Any], language: str) -> str:
    """Return one HTML file that needs nothing else: all pictures of the reveal, to print."""
    static = files("omnisim.workshop") / "static"
    parts = {
        name: (static / name).read_text(encoding="utf-8")
        for name in ("debrief.html", "look.css", "words.js", "charts.js", "debrief.js")
    }
    page = parts["debrief.html"].replace("LANGUAGE", language)
    page = page.replace("/*LOOK*/", parts["look.css"])
    data = {"code": room.code, "texts": texts(language), "language": language, "reveal": revealed}
    page = page.replace("DATA", json.dumps(data).replace("<", "\\u003c"))
    code = "".join(_plain(parts[name]) for name in ("words.js", "charts.js", "debrief.js"))
    return page.replace("/*CODE*/", code)


def _plain(module: str) -> str:
    """Return a module's code as it may stand beside others in one script."""
    lines = [line for line in module.splitlines() if not line.startswith("import ")]
    return "\n".join(line.removeprefix("export ") for line in lines) + "\n"
