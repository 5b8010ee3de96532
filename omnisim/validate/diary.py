"""A diary: what somebody who watches a running world writes down about every person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omnisim.people import PERSON, PROSPECT
from omnisim.simulation import Simulation

MORE = ("last_basket", "met")  # what an order says beside its channel, if persons remember it


class Open(Exception):
    """A target that cannot be measured: why, in one line."""


@dataclass(frozen=True)
class Diary:
    """Some days of a world, by rows of its people.

    `orders` has a row per order: `day`, `row`, `channel` (index), `is_first` (by somebody
    who was no customer), and what of `MORE` persons remember; `visits` has the `day` and
    `row` of every day on which somebody visited a site; `exposed` int64[people] is the first
    day on which the medium that was watched met the person, the day after the last if it did
    not; `met` uint8[people] has a bit per sales channel visited on the way to something needed.
    """

    first_day: int
    last_day: int
    orders: pd.DataFrame
    visits: pd.DataFrame
    exposed: np.ndarray
    met: np.ndarray

    def last_days(self, days: int) -> pd.DataFrame:
        """Return the orders of the last days."""
        return self.orders[self.orders["day"] > self.last_day - days]


def ratio(part: float, whole: float) -> float:
    """Return a part over a whole; raise Open if there is no whole."""
    if not whole > 0:
        raise Open("too few people")
    return float(part / whole)


def remembered(field: str) -> str:
    """Return a field's name; raise Open if persons do not remember it."""
    if field not in (PERSON.names or ()):
        raise Open(f"persons do not remember {field} yet")
    return field


def watched(world: Simulation, days: int, medium: str | None = None) -> Diary:
    """Let a world live on and write its diary; `medium` is watched for whom it meets."""
    people = world.state.people
    state, first_day = people.state, world.state.day
    more = [name for name in MORE if name in (PERSON.names or ())]
    never = first_day + days
    exposed = np.full(len(people), never)
    met = np.zeros(len(people), np.uint8)
    pages: dict[str, list[np.ndarray]] = {
        name: [] for name in ("row", "channel", "is_first", *more)
    }
    ordered, visited = [], []
    for day in range(first_day, first_day + days):
        was_prospect = state["status"] == PROSPECT
        world.step()
        rows = np.flatnonzero(state["last_order"] == day)
        ordered.append(len(rows))
        pages["row"].append(rows)
        pages["is_first"].append(was_prospect[rows])
        for name in ("channel", *more):
            pages[name].append(state[name][rows])
        visited.append(np.flatnonzero(state["last_visit"] == day))
        if medium is not None:
            seen = people.viewed[world.media.index(medium)] == day
            exposed[seen & (exposed == never)] = day
        if "met" in more:
            met |= np.where(state["ours"], state["met"], 0).astype(np.uint8)
    calendar = np.arange(first_day, first_day + days)
    columns = {name: np.concatenate(found) for name, found in pages.items()}
    return Diary(
        first_day=first_day,
        last_day=first_day + days - 1,
        orders=pd.DataFrame({"day": np.repeat(calendar, ordered), **columns}),
        visits=pd.DataFrame(
            {
                "day": np.repeat(calendar, [len(rows) for rows in visited]),
                "row": np.concatenate(visited),
            }
        ),
        exposed=exposed,
        met=met,
    )
