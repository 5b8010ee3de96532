"""Export: one arm of one replication as a marketing data set, with the answer key beside it.

The replication is lived again, to the bit, by people whose paths to an order are written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from omnisim import allocation, paths
from omnisim.journeys import books
from omnisim.records import MEDIA_COLUMNS, REGION_COLUMNS, Week
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
SPENT = REGION_COLUMNS.index("spent_cents")
TOLD = tuple(
    REGION_COLUMNS.index(name) for name in ("contacts", "clicks", "orders", "revenue_gross")
)
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
    """A crowd that writes down every path to the till; `walked` has those of all weeks."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.credits_all = True
        self.walked: list[np.ndarray] = []

    def close_week(
        self, state: CrowdState, week: int, planned: np.ndarray, spent: np.ndarray
    ) -> Week:
        """Book the week, and keep its paths."""
        self.walked.append(state.paths.copy())
        return super().close_week(state, week, planned, spent)


def export(spec: ExperimentSpec, arm: str, replication: int, depth: str = "full") -> Export:
    """Return the data set of an arm; raise Fault unless the question has it.

    The truth is measured on the way, a year before the arm's end (or at the fork, if that is
    later), as `truth=full` or another `depth` does.
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
    known = truth.measured(world, truth.trials(world, depth))
    world.run_to(last)
    carry = {name: _carry_over(medium) for name, medium in spec.market.media.items()}
    known["carry_over"] = known["channel"].map(carry)
    marketing = _marketing(world)
    return Export(marketing, _paths(world, recorded, marketing), known[list(TRUTH)])


def _recorded(world: Simulation, before: Recorded | None) -> Recorded | None:
    """Let a world's people write paths down; a fork goes on with what was kept before."""
    if not isinstance(world.population, Crowd):
        return None
    crowd = Recorded(world.market, world.root, world.fork_day, world.rules)
    if before is not None:
        crowd.walked = before.walked
    world.population = crowd
    linking.settle(world)
    return crowd


def _carry_over(medium: Medium | TextbookMedium) -> float:
    if isinstance(medium, TextbookMedium):
        return medium.carry_over
    return float(2 ** (-DAYS_IN_WEEK / medium.half_life))


def _marketing(world: Simulation) -> pd.DataFrame:
    """Return a row per week, region and channel."""
    history, ledger = world.spec.horizon.history_weeks, world.state.ledger
    names = [*((m, "media") for m in world.media), *((c, "sales") for c in world.channels)]
    regions = sorted(getattr(world.market, "regions", {})) or [EVERYWHERE]
    rows: list[tuple[object, ...]] = []
    for week, (whole, parts) in enumerate(
        zip(ledger.media, ledger.regions, strict=True), ledger.first_week
    ):
        if week < 0:
            continue
        told = parts if len(parts) == len(regions) else parts.sum(axis=0, keepdims=True)
        money = _whole_cents(whole[:, MEDIA_COLUMNS.index("spent_cents")], told[:, :, SPENT])
        when = ((FIRST_DAY + timedelta(weeks=week)).isoformat(), week - history)
        for nth, region in enumerate(regions):
            for row, (name, kind) in enumerate(names):
                spend = money[nth, row] / 100 if kind == "media" else 0.0
                rows.append(
                    (*when, region, name, kind, spend, *told[nth, row, list(TOLD)].tolist())
                )
    return pd.DataFrame(rows, columns=list(MARKETING))


def _whole_cents(spent: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return the cents of every medium by region, exact in sum (int64[regions, media])."""
    held = [parts[:, m] if parts[:, m].any() else np.ones(len(parts)) for m in range(len(spent))]
    split = [
        allocation.largest_remainder(int(cents), by_region)
        for cents, by_region in zip(spent, held, strict=True)
    ]
    return np.array(split, np.int64).T


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
