"""Export: one arm of one replication as a marketing data set, with the answer key beside it.

The replication is lived again, to the bit, by people whose books are kept by region and whose
paths to an order are written down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from omnisim import allocation, contacts, paths
from omnisim.journeys import books
from omnisim.records import CHANNEL_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation, linking, truth
from omnisim.simulation.crowd import Crowd, CrowdState
from omnisim.spec import (
    DAYS_IN_WEEK,
    DAYS_IN_YEAR,
    ExperimentSpec,
    Fault,
    Medium,
    TextbookMedium,
)

EVERYWHERE = "everywhere"  # the region of a market that has none
FIRST_DAY = date(2019, 1, 7)  # a Monday; tools want dates, the model's years have 364 days
SEPARATOR = " > "
OF_MEDIA = tuple(MEDIA_COLUMNS.index(name) for name in ("spent_cents", "contacts", "clicks"))
OF_SALES = tuple(CHANNEL_COLUMNS.index(name) for name in ("orders", "revenue_gross"))
MARKETING = {
    "date": ("date", "Monday of the week; the calendar is made up"),
    "week": ("week", "0 is the first week after the fork"),
    "region": ("name", "Region in which people live"),
    "channel": ("name", "Medium or sales channel"),
    "kind": ("name", "media: it is paid to make contacts; sales: orders are placed there"),
    "spend": ("EUR", "Money spent on the medium"),
    "contacts": ("count", "Contacts that the medium made"),
    "clicks": ("count", "Contacts that became a visit at once"),
    "orders": ("count", "Orders placed in the sales channel"),
    "revenue": ("EUR", "Their value, with VAT, before returns"),
}
PATHS = {
    "path": ("text", "Media touched within 30 days before, in the order of their last touch"),
    "total_conversions": ("count", "Orders at the end of such a path"),
    "total_conversion_value": ("EUR", "Their value, at the mean value of an order"),
    "total_null": ("count", "Such paths that ended at the till without an order"),
}
TRUTH = {
    "kind": ("name", "medium, department or company (all media)"),
    "channel": ("name", "What is paid otherwise"),
    "factor": ("factor", "What its plan is multiplied by for 13 weeks, a year before the end"),
    "spend_year": ("EUR a year", "What is planned for it at factor 1"),
    "cost_short": ("EUR", "Extra cost of all media within 13 weeks"),
    "orders_short": ("count", "Extra orders within 13 weeks"),
    "cost_long": ("EUR", "Extra cost of all media within 52 weeks"),
    "orders_long": ("count", "Extra orders within 52 weeks; at factor 0: minus what it causes"),
    "margin_long": ("EUR", "Extra margin after cost to serve within 52 weeks"),
    "carry_over": ("share", "What of a week's effect on people is left a week later"),
}


@dataclass(frozen=True)
class Export:
    """Three tidy tables: `marketing` by week, region and channel, `paths`, and the `truth`."""

    marketing: pd.DataFrame
    paths: pd.DataFrame
    truth: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by the name of their file, and one that explains the columns."""
        words = {"marketing": MARKETING, "paths": PATHS, "truth": TRUTH}
        told = [
            (f"{table}.csv", name, *meaning)
            for table, columns in words.items()
            for name, meaning in columns.items()
        ]
        columns = pd.DataFrame(told, columns=["file", "name", "unit", "meaning"])
        found = {"marketing": self.marketing, "paths": self.paths, "truth": self.truth}
        return found | {"columns": columns}


class Recorded(Crowd):
    """A crowd that keeps books by region, and every path to the till.

    Cell by cell people live the same day: nobody reads anybody's state within a day, and luck
    hangs on the person. `weeks` has a tuple per week: week, and by region the rows of media
    (float64[media, MEDIA_COLUMNS]) and of sales channels; `walked` the paths of all weeks.
    """

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.credits_all = True
        self.regions = sorted(self.market.regions) or [EVERYWHERE]
        self.weeks: list[tuple[int, np.ndarray, np.ndarray]] = []
        self.walked: list[np.ndarray] = []
        self._media_books: np.ndarray | None = None
        self._channel_books: np.ndarray | None = None

    def live(self, state: CrowdState) -> None:
        """Live today, cell by cell."""
        today, bounds = self.today, state.people.bounds
        if self._media_books is None or self._channel_books is None:
            shapes = (today.media.shape, today.channels.shape)
            self._media_books, self._channel_books = (
                np.zeros((len(self.regions), *shape), np.int64) for shape in shapes
            )
        for cell in range(len(bounds) - 1):
            before = today.media.copy(), today.channels.copy()
            self.live_rows(state, int(bounds[cell]), int(bounds[cell + 1]))
            region = cell % len(self.regions)
            self._media_books[region] += today.media - before[0]
            self._channel_books[region] += today.channels - before[1]

    def close_week(
        self, state: CrowdState, week: int, planned: np.ndarray, spent: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, dict[str, float], np.ndarray]:
        """Book the week, and what of it happened in every region."""
        if self._media_books is not None and self._channel_books is not None:
            money = self._spent_by_region(self._media_books, spent)
            rows = []
            for nth in range(len(self.regions)):
                own = replace(
                    state,
                    media_book=self._media_books[nth],
                    channel_book=self._channel_books[nth],
                )
                media = self._media_week(own, week, money[nth], money[nth])
                rows.append((media, self._channel_week(own)))
            media_rows, channel_rows = (np.array(column) for column in zip(*rows, strict=True))
            self.weeks.append((week, media_rows, channel_rows))
            self.walked.append(state.paths.copy())
            self._media_books[:] = 0
            self._channel_books[:] = 0
        return super().close_week(state, week, planned, spent)

    def _spent_by_region(self, booked: np.ndarray, spent: np.ndarray) -> np.ndarray:
        """Return the cents of every medium by region, as what is paid for was delivered."""
        regions, media = len(self.regions), len(self.media)
        paid = self._purchase.paid  # what is fixed follows contacts
        money = np.zeros((regions, media), np.int64)
        for m in range(media):
            units = booked[:, m, max(paid[m], contacts.CONTACTS)].astype(float)
            parts = units if units.sum() > 0 else np.ones(regions)
            money[:, m] = allocation.largest_remainder(int(spent[m]), parts)
        return money


def export(spec: ExperimentSpec, arm: str, replication: int) -> Export:
    """Return the data set of an arm; raise Fault unless the question has it.

    The truth is measured on the way, a year before the arm's end, as `truth=full` does.
    """
    if arm not in spec.arms:
        raise Fault("--arm", f"'{arm}'", "an arm of the question", sorted(spec.arms))
    if not spec.market.media:
        raise Fault("market.media", "none", "a market with media")
    whole = (paths.Rule("linear", (tuple(range(len(spec.market.media))),)),)
    rules = tuple(sorted({*Simulation(spec, replication).rules, *whole}))
    world = Simulation(spec, replication, rules=rules)
    recorded = _recorded(world, None)
    world.adopt(spec.status_quo)
    world.run_to(spec.horizon.history_weeks * DAYS_IN_WEEK)
    world = world.fork(spec.arms[arm])
    recorded = _recorded(world, recorded)
    last = world.state.day + spec.horizon.weeks * DAYS_IN_WEEK
    world.run_to(max(world.state.day, last - DAYS_IN_YEAR))
    known = truth.measured(world, truth.trials(world, "full"))
    world.run_to(last)
    carry = {name: _carry_over(medium) for name, medium in spec.market.media.items()}
    known["carry_over"] = known["channel"].map(carry)
    marketing = _marketing(world, recorded)
    return Export(marketing, _paths(world, recorded, marketing), known[list(TRUTH)])


def _recorded(world: Simulation, before: Recorded | None) -> Recorded | None:
    """Let a world's people keep books by region; a fork goes on with what was kept before."""
    if not isinstance(world.population, Crowd):
        return None
    crowd = Recorded(world.market, world.root, world.fork_day, world.rules)
    if before is not None:
        crowd.weeks, crowd.walked = before.weeks, before.walked
    world.population = crowd
    linking.settle(world)
    return crowd


def _carry_over(medium: Medium | TextbookMedium) -> float:
    if isinstance(medium, TextbookMedium):
        return medium.carry_over
    return float(2 ** (-DAYS_IN_WEEK / medium.half_life))


def _marketing(world: Simulation, recorded: Recorded | None) -> pd.DataFrame:
    """Return a row per week, region and channel."""
    history = world.spec.horizon.history_weeks
    ledger, regions = world.state.ledger, [EVERYWHERE]
    weeks = [
        (ledger.first_week + nth, media[None], channels[None])
        for nth, (media, channels) in enumerate(zip(ledger.media, ledger.channels, strict=True))
    ]
    if recorded is not None:
        weeks, regions = recorded.weeks, recorded.regions
    rows: list[tuple[object, ...]] = []
    for week, media, channels in weeks:
        if week < 0:
            continue
        when = ((FIRST_DAY + timedelta(weeks=week)).isoformat(), week - history)
        for nth, region in enumerate(regions):
            for name, booked in zip(world.media, media[nth], strict=True):
                spent, contacts, clicks = booked[list(OF_MEDIA)].tolist()
                rows.append((*when, region, name, "media", spent / 100, contacts, clicks, 0.0, 0.0))
            for name, booked in zip(world.channels, channels[nth], strict=True):
                sold = booked[list(OF_SALES)].tolist()
                rows.append((*when, region, name, "sales", 0.0, 0.0, 0.0, *sold))
    return pd.DataFrame(rows, columns=list(MARKETING))


def _paths(world: Simulation, recorded: Recorded | None, marketing: pd.DataFrame) -> pd.DataFrame:
    """Return a row per path, most conversions first; curves have none."""
    walked = [] if recorded is None else recorded.walked
    rows = np.concatenate(walked) if walked else np.zeros((0, books.PATH_FIELDS), np.int64)
    weight = 1.0 if recorded is None else recorded.market.weight
    ours = rows[rows[:, books.OURS] > 0]
    found: dict[str, list[float]] = {}
    for row in ours:
        touched = row[books.PATH_FIELDS :]
        order = [m for m in np.argsort(touched, kind="stable") if touched[m] > 0]
        sums = found.setdefault(SEPARATOR.join(world.media[m] for m in order), [0.0, 0.0])
        sums[int(row[books.MADE_ORDER] == 0)] += weight
    value = marketing["revenue"].sum() / max(float(marketing["orders"].sum()), 1e-9)
    told = [(path, made, made * value, lost) for path, (made, lost) in found.items()]
    told.sort(key=lambda row: (-row[1], row[0]))
    return pd.DataFrame(told, columns=list(PATHS))
