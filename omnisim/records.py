"""Ledgers: what was planned, spent, met, ordered and credited; counts and money, no ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

from omnisim.spec import HALVES, STAGES, Till

MEDIA_COLUMNS = (
    "planned_cents",
    "spent_cents",
    "contacts",
    "clicks",
    "contacts_to_recent_buyers",
    "last_touch",
    "expected_last_touch",
    "claims",
    "expected_claims",
    "reported_last_touch",
    "reported_claims",
    "expected_last_touch_new",
    "expected_last_touch_value",
)
CREDIT_COLUMNS = ("credit", "expected_credit", "reported_credit")  # what `attribution` shows
CHANNEL_COLUMNS = (
    "visits",
    "carts",
    *(f"lost_{stage}" for stage in STAGES),
    "late",
    "incidents",
    "orders",
    "expected_orders",
    "new_customers",
    "expected_new_customers",
    "revenue_gross",
    "expected_revenue_gross",
    "revenue_net",
    "expected_revenue_net",
    "margin",
    "expected_margin",
    "cost_to_serve",
    "expected_cost_to_serve",
)
COMPANY_COLUMNS = (
    "budget_cents",
    "allocated_cents",
    "held_back_cents",
    "spent_cents",
    "needs",
    "walks",
    "lost_inform",
    "lost_evaluate",
    "lost_buy",
    "hand_overs_made",
    "hand_overs_missed",
    "drop_outs",
    "tracked_orders",
    "searches",
    "brand_searches",
    "brand_searches_taken",
    "use_cases_tried",
    "use_cases_through",
    "department_claims",
    "expected_department_claims",
    "customers",
    "multichannel_customers",
    "satisfaction",
    "integration_cost",
    "overhead",
    "targeted",
    "attained",
)
REGION_COLUMNS = (
    "spent_cents",
    "contacts",
    "clicks",
    "visits",
    "orders",
    "expected_orders",
    "new_customers",
    "expected_new_customers",
    "revenue_gross",
    "expected_revenue_gross",
)
TRUTH_COLUMNS = (
    *("kind", "channel", "factor", "spend_year", "believed_cpo", "credit"),
    *("cost_short", "orders_short", "margin_short", "credit_short"),
    *("cost_long", "orders_long", "margin_long", "credit_long", "others_long"),
)
RULE_COLUMNS = ("channel", "rule", "credited")
CHECK_COLUMNS = ("week", "channel", "cost_short", "orders_short")
BELIEF_COLUMNS = ("week", "channel", "believed_cpo")
ORDERED = "ordered"  # how a journey ends that is not lost at a stage
FLOW_COLUMNS = ("persona", *STAGES, "ended", "journeys")
CENTS = ("planned_cents", "spent_cents", "budget_cents", "allocated_cents", "held_back_cents")


@dataclass(frozen=True)
class Week:
    """What a population books of one week, as arrays in the order of the columns above.

    `media` float64[media, MEDIA_COLUMNS], `channels` float64[channels, CHANNEL_COLUMNS],
    `company` the company's columns that hang on the population, `credit` float64[rules,
    media, CREDIT_COLUMNS] by every rule of paths that is asked for, `regions`
    float64[regions, media + channels, REGION_COLUMNS].
    """

    media: np.ndarray
    channels: np.ndarray
    company: dict[str, float]
    credit: np.ndarray
    regions: np.ndarray


@dataclass
class Ledger:
    """The weeks booked so far, as arrays in the order of the columns above.

    Each list holds one array per week, as in a `Week`: `company` float64[COMPANY_COLUMNS],
    `tilt` float64[HALVES, media] the money a head in each half of the regions against that
    in all. Counts are real persons, money EUR or cents by name; cents stay below 2^53 and
    are exact.
    """

    first_week: int
    media: list[np.ndarray] = field(default_factory=list)
    channels: list[np.ndarray] = field(default_factory=list)
    company: list[np.ndarray] = field(default_factory=list)
    credit: list[np.ndarray] = field(default_factory=list)
    regions: list[np.ndarray] = field(default_factory=list)
    tilt: list[np.ndarray] = field(default_factory=list)

    @property
    def next_week(self) -> int:
        """Return the week that is booked next."""
        return self.first_week + len(self.company)

    def book(self, week: Week, company: dict[str, float], tilt: np.ndarray) -> None:
        """Append one week; `company` holds the columns that hang on the firm."""
        whole = week.company | company
        self.media.append(week.media)
        self.channels.append(week.channels)
        self.company.append(np.array([whole[name] for name in COMPANY_COLUMNS], float))
        self.credit.append(week.credit)
        self.regions.append(week.regions)
        self.tilt.append(tilt)

    def copy(self) -> Ledger:
        """Return a ledger that can grow on its own; booked weeks are never written again."""
        weeks = (self.media, self.channels, self.company, self.credit, self.regions, self.tilt)
        return Ledger(self.first_week, *(list(booked) for booked in weeks))

    def media_column(self, column: str, rows: list[int], first: int, after: int) -> np.ndarray:
        """Return one column of some media for the weeks [first, after) (float64[weeks, rows])."""
        return self._told(self.media, MEDIA_COLUMNS.index(column), rows, first, after)

    def credited(self, rule: int, rows: list[int], first: int, after: int) -> np.ndarray:
        """Return what reports show of the credit by a rule (float64[weeks, rows])."""
        booked = [week[rule] for week in self.credit]
        return self._told(booked, CREDIT_COLUMNS.index("reported_credit"), rows, first, after)

    def sales(self, first: int, after: int) -> np.ndarray:
        """Return all orders and their gross value (EUR, float64[weeks, 2])."""
        columns = [CHANNEL_COLUMNS.index(name) for name in ("orders", "revenue_gross")]
        weeks = [week[:, columns].sum(axis=0) for week in self._booked(self.channels, first, after)]
        return np.array(weeks, float).reshape(len(weeks), 2)

    def by_half(self, column: str, first: int, after: int) -> np.ndarray:
        """Return a column of sales in each half of the regions (float64[weeks, HALVES])."""
        nth = REGION_COLUMNS.index(column)
        booked = self._booked(self.regions, first, after)
        weeks = [week[:, :, nth].sum(axis=1) for week in booked]
        halves = [[week[half::HALVES].sum() for half in range(HALVES)] for week in weeks]
        return np.array(halves, float).reshape(len(weeks), HALVES)

    def tilted(self, rows: list[int], first: int, after: int) -> np.ndarray:
        """Return the money a head in each half against all (float64[weeks, HALVES, rows])."""
        weeks = [week[:, rows] for week in self._booked(self.tilt, first, after)]
        return np.array(weeks, float).reshape(len(weeks), HALVES, len(rows))

    def _booked(self, book: list[np.ndarray], first: int, after: int) -> list[np.ndarray]:
        """Return the weeks [first, after) of a book, as far as they are there."""
        return book[max(0, first - self.first_week) : max(0, after - self.first_week)]

    def _told(
        self, booked: list[np.ndarray], column: int, rows: list[int], first: int, after: int
    ) -> np.ndarray:
        weeks = self._booked(booked, first, after)
        if not weeks:
            return np.zeros((0, len(rows)))
        # Cut out at once: week by week took seven times as long. Rows lie together as before,
        # for the order of a sum hangs on where its terms lie.
        return np.ascontiguousarray(np.array(weeks, float)[:, rows, column])


@dataclass(frozen=True)
class Records:
    """The ledgers of one arm in one replication.

    `weekly` has a row per week and channel (`kind` media or sales; columns of the other
    kind hold 0), `company` a row per week; weeks below 0 are shared history. Where they were
    measured, `truth` has a row per change of spend, `credits` what every rule of attribution
    credits a medium with meanwhile, `beliefs` the marginal CPO by review and medium in
    which those who decide believed, and `checks` what was true in some of these weeks.
    `flows` counts the journeys with us since the fork by persona, sales channel of each
    stage ("": none) and end: the stage at which they were lost, or ORDERED.
    Scaled to real persons; money of media in whole cents, all other money in EUR.
    """

    arm: str
    replication: int
    weekly: pd.DataFrame
    company: pd.DataFrame
    truth: pd.DataFrame = field(default_factory=lambda: empty(TRUTH_COLUMNS))
    credits: pd.DataFrame = field(default_factory=lambda: empty(RULE_COLUMNS))
    beliefs: pd.DataFrame = field(default_factory=lambda: empty(BELIEF_COLUMNS))
    checks: pd.DataFrame = field(default_factory=lambda: empty(CHECK_COLUMNS))
    flows: pd.DataFrame = field(default_factory=lambda: empty(FLOW_COLUMNS))

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """Return every table by name."""
        told = (one for one in fields(self) if one.name not in ("arm", "replication"))
        return {one.name: getattr(self, one.name) for one in told}


def empty(columns: Sequence[str]) -> pd.DataFrame:
    """Return a table without rows."""
    return pd.DataFrame(columns=list(columns))


def worth(
    tills: Sequence[Till], vat: float, orders: np.ndarray, gross: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what orders and their gross value bring, by columns (EUR, float64[tills])."""
    kept = np.array([(1 - till.returned) / (1 + vat) for till in tills])
    margin = kept * np.array([till.margin for till in tills])
    return {
        "revenue_gross": gross,
        "revenue_net": gross * kept,
        "margin": gross * margin,
        "cost_to_serve": orders * np.array([till.cost_to_serve for till in tills]),
    }


def records(
    ledger: Ledger,
    found: Mapping[str, pd.DataFrame],
    arm: str,
    replication: int,
    media: list[str],
    channels: list[str],
    shown: str | int | np.ndarray = "last_touch",
) -> Records:
    """Lay a ledger out as tidy frames.

    `found` are the tables of what was measured beside it, by name; `shown` is the credit that
    the firm shows: a column of media, the number of a rule, or float64[weeks, media].
    """
    weeks = np.arange(ledger.first_week, ledger.next_week)
    told = (*MEDIA_COLUMNS, *CREDIT_COLUMNS)
    if isinstance(shown, int):
        credits = [week[shown] for week in ledger.credit]
    elif isinstance(shown, np.ndarray):
        credits = [np.column_stack([week] * len(CREDIT_COLUMNS)) for week in shown]
    else:
        same = [MEDIA_COLUMNS.index(f"{of}{shown}") for of in ("", "expected_", "reported_")]
        credits = [week[:, same] for week in ledger.media]
    booked = [np.hstack(week) for week in zip(ledger.media, credits, strict=True)]
    parts = [
        _frame(weeks, media, "media", told, booked),
        _frame(weeks, channels, "sales", CHANNEL_COLUMNS, ledger.channels),
    ]
    weekly = pd.concat([part for part in parts if len(part)], ignore_index=True)
    weekly = weekly.reindex(
        columns=["week", "channel", "kind", *told, *CHANNEL_COLUMNS], fill_value=0.0
    ).fillna(0.0)
    company = pd.DataFrame(np.array(ledger.company), columns=list(COMPANY_COLUMNS))
    company.insert(0, "week", weeks)
    return Records(
        arm=arm,
        replication=replication,
        weekly=_whole_cents(weekly.sort_values(["week", "kind", "channel"], ignore_index=True)),
        company=_whole_cents(company),
        **found,
    )


def _frame(
    weeks: np.ndarray, names: list[str], kind: str, columns: tuple[str, ...], rows: list[np.ndarray]
) -> pd.DataFrame:
    if not names or not len(weeks):
        return pd.DataFrame()
    frame = pd.DataFrame(np.concatenate(rows), columns=list(columns))
    frame.insert(0, "week", np.repeat(weeks, len(names)))
    frame.insert(1, "channel", np.tile(np.array(names, dtype=object), len(weeks)))
    frame.insert(2, "kind", kind)
    return frame


def _whole_cents(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({column: "int64" for column in CENTS if column in frame})
