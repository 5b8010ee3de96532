"""Ledgers: what was planned, spent, met, ordered and credited; counts and money, no ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

from omnisim.spec import STAGES, Till

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
)
TRUTH_COLUMNS = (
    *("kind", "channel", "factor", "spend_year", "believed_cpo", "credit"),
    *("cost_short", "orders_short", "margin_short", "credit_short"),
    *("cost_long", "orders_long", "margin_long", "credit_long", "others_long"),
)
RULE_COLUMNS = ("channel", "rule", "credited")
BELIEF_COLUMNS = ("week", "channel", "believed_cpo")
CENTS = ("planned_cents", "spent_cents", "budget_cents", "allocated_cents", "held_back_cents")


@dataclass
class Ledger:
    """The weeks booked so far, as arrays in the order of the columns above.

    Each list holds one array per week: `media` float64[media, MEDIA_COLUMNS], `channels`
    float64[channels, CHANNEL_COLUMNS], `company` float64[COMPANY_COLUMNS], `credit`
    float64[rules, media, CREDIT_COLUMNS] by every rule of paths that is asked for. Counts
    are real persons, money EUR or cents by name; cents stay below 2^53 and are exact.
    """

    first_week: int
    media: list[np.ndarray] = field(default_factory=list)
    channels: list[np.ndarray] = field(default_factory=list)
    company: list[np.ndarray] = field(default_factory=list)
    credit: list[np.ndarray] = field(default_factory=list)

    @property
    def next_week(self) -> int:
        """Return the week that is booked next."""
        return self.first_week + len(self.company)

    def book(
        self, media: np.ndarray, channels: np.ndarray, company: np.ndarray, credit: np.ndarray
    ) -> None:
        """Append one week."""
        self.media.append(media)
        self.channels.append(channels)
        self.company.append(company)
        self.credit.append(credit)

    def copy(self) -> Ledger:
        """Return a ledger that can grow on its own; booked weeks are never written again."""
        weeks = (self.media, self.channels, self.company, self.credit)
        return Ledger(self.first_week, *(list(booked) for booked in weeks))

    def media_column(self, column: str, rows: list[int], first: int, after: int) -> np.ndarray:
        """Return one column of some media for the weeks [first, after) (float64[weeks, rows])."""
        return self._told(self.media, MEDIA_COLUMNS.index(column), rows, first, after)

    def credited(self, rule: int, rows: list[int], first: int, after: int) -> np.ndarray:
        """Return what reports show of the credit by a rule (float64[weeks, rows])."""
        booked = [week[rule] for week in self.credit]
        return self._told(booked, CREDIT_COLUMNS.index("reported_credit"), rows, first, after)

    def _told(
        self, booked: list[np.ndarray], column: int, rows: list[int], first: int, after: int
    ) -> np.ndarray:
        low, high = max(0, first - self.first_week), max(0, after - self.first_week)
        weeks = [week[rows, column] for week in booked[low:high]]
        return np.array(weeks, float).reshape(len(weeks), len(rows))


@dataclass(frozen=True)
class Records:
    """The ledgers of one arm in one replication.

    `weekly` has a row per week and channel (`kind` media or sales; columns of the other
    kind hold 0), `company` a row per week; weeks below 0 are shared history. Where they were
    measured, `truth` has a row per change of spend, `credits` what every rule of attribution
    credits a medium with meanwhile, and `beliefs` the marginal CPO by review and medium in
    which those who decide believed. Scaled to real persons; money of media in whole cents,
    all other money in EUR.
    """

    arm: str
    replication: int
    weekly: pd.DataFrame
    company: pd.DataFrame
    truth: pd.DataFrame = field(default_factory=lambda: empty(TRUTH_COLUMNS))
    credits: pd.DataFrame = field(default_factory=lambda: empty(RULE_COLUMNS))
    beliefs: pd.DataFrame = field(default_factory=lambda: empty(BELIEF_COLUMNS))

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
    shown: str | int = "last_touch",
) -> Records:
    """Lay a ledger out as tidy frames.

    `found` are the tables of what was measured beside it, by name; `shown` is the credit
    that the firm shows: a column of media, or the number of a rule.
    """
    weeks = np.arange(ledger.first_week, ledger.next_week)
    told = (*MEDIA_COLUMNS, *CREDIT_COLUMNS)
    if isinstance(shown, int):
        credits = [week[shown] for week in ledger.credit]
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
