"""Evidence: what the ledgers add up to, outcome by outcome."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from omnisim.language import ENGLISH, Language, message
from omnisim.records import Records
from omnisim.spec import STAGES, WEEKS_IN_YEAR, ExperimentSpec, Fault

Unit = Literal["eur", "count", "eur_each", "share", "number"]
LAST_WEEKS = 26
LAST = f"_last_{LAST_WEEKS}"
EXPECTED = "expected_"
COLUMNS = ["arm", "replication", "outcome", "channel", "value"]
EMPTY = "–"


@dataclass(frozen=True)
class Scale:
    """How the values of one outcome are written: divided, rounded, with a unit."""

    divisor: float
    decimals: int
    pattern: str
    words: Language = ENGLISH

    def number(self, value: float, *, signed: bool = False) -> str:
        """Return the bare number, a dash if it is empty."""
        if math.isnan(value):
            return EMPTY
        return self.words.number(value / self.divisor, self.decimals, signed=signed)

    def text(self, value: float, *, signed: bool = False) -> str:
        """Return the number with its unit."""
        return self._with_unit(self.number(value, signed=signed))

    def reach(self, low: float, high: float) -> str:
        """Return an interval with its unit."""
        both = {"low": self.number(low), "high": self.number(high)}
        return self._with_unit(self.words.say("{low} to {high}", **both))

    def spread(self, value: float, low: float, high: float, *, signed: bool = False) -> str:
        """Return a number and its interval, without their unit."""
        cells = {"low": self.number(low), "high": self.number(high)}
        return self.words.say(
            "{value} ({low} to {high})", value=self.number(value, signed=signed), **cells
        )

    @property
    def unit(self) -> str:
        """Return the unit alone, for the head of a table."""
        return " ".join(self._with_unit("").split())

    def _with_unit(self, text: str) -> str:
        return self.words.say(self.pattern).format(text)


@dataclass(frozen=True)
class Outcome:
    """One outcome of the company: its fixed word, how people call it, what it is."""

    name: str
    label: str
    unit: Unit
    meaning: str
    formula: str

    @property
    def adds_up(self) -> bool:
        """Return whether it grows with the weeks, so that a value per year makes sense."""
        return self.unit in ("eur", "count")

    def scale(self, size: float, half_width: float, words: Language = ENGLISH) -> Scale:
        """Return how to write values of about `size` known to about `half_width`."""
        return scale(self.unit, size, half_width, words)


def scale(unit: Unit, size: float, half_width: float, words: Language = ENGLISH) -> Scale:
    """Return how to write values of about `size` known to about `half_width`.

    The half-width is 3 to 30 units of the last digit shown; without one, values get
    three significant digits.
    """
    divisor, pattern = 1.0, "{}"
    if unit == "share":
        divisor, pattern = 0.01, message("{} %")
    elif unit in ("eur", "count") and abs(size) >= 1e6:
        divisor, pattern = 1e6, message("{} m")
    elif unit in ("eur", "count") and abs(size) >= 1e4:
        divisor, pattern = 1e3, message("{} k")
    if unit in ("eur", "eur_each"):
        pattern = f"EUR {pattern}"
    known = half_width / 3 if half_width > 0 else abs(size) / 100
    decimals = -math.floor(math.log10(known / divisor)) if known > 0 else 1
    return Scale(divisor, min(max(decimals, 0), 3), pattern, words)


TOTALS = (
    Outcome(
        "revenue_gross",
        "Gross revenue",
        "eur",
        "Value of all orders, with VAT, before returns",
        "sum of revenue_gross over sales channels",
    ),
    Outcome(
        "revenue_net",
        "Net revenue",
        "eur",
        "Value of all orders, without VAT, after returns",
        "sum of revenue_net over sales channels",
    ),
    Outcome("orders", "Orders", "count", "Orders placed", "sum of orders over sales channels"),
    Outcome(
        "new_customers",
        "New customers",
        "count",
        "Persons whose first order this is",
        "sum of new_customers over sales channels",
    ),
    Outcome(
        "marketing_cost",
        "Marketing cost",
        "eur",
        "Money spent on media",
        "sum of spent_cents over media / 100",
    ),
    Outcome(
        "contribution",
        "Contribution",
        "eur",
        "What is left after goods, serving and marketing",
        "margin - cost_to_serve - marketing_cost",
    ),
    Outcome(
        "integration_cost",
        "Integration cost",
        "eur",
        "Money spent on building and running links between sales channels",
        "sum of integration_cost",
    ),
    Outcome(
        "overhead",
        "Overhead",
        "eur",
        "What steering and culture cost beside media",
        "sum of overhead",
    ),
    Outcome(
        "profit",
        "Profit",
        "eur",
        "What is left of the contribution after integration and overhead",
        "contribution - integration_cost - overhead",
    ),
    Outcome("cpo", "CPO", "eur_each", "Marketing cost per order", "marketing_cost / orders"),
    Outcome(
        "cpo_new",
        "CPO of new customers",
        "eur_each",
        "Marketing cost per new customer",
        "marketing_cost / new_customers",
    ),
)
OTHERS = (
    Outcome(
        "unspent",
        "Unspent budget",
        "eur",
        "Money allocated to media that was not spent",
        "sum of (planned_cents - spent_cents) over media / 100",
    ),
    Outcome(
        "held_back",
        "Money held back",
        "eur",
        "Budget that was not allocated to media",
        "sum of held_back_cents / 100",
    ),
    Outcome(
        "last_week_spike",
        "Last-week spike",
        "number",
        "Spending in the last week of the year against a usual week",
        "mean over whole years of spent_cents in the last week / mean of the other 51",
    ),
    Outcome(
        "reallocation_rate",
        "Budget moved a year",
        "share",
        "Share of the budget that moved between media from one year to the next",
        "mean over years of half the sum of |change of a medium's share of the plan|;"
        " the first year is compared with the 52 weeks before the fork, a broken last"
        " year counts only if it is the only one",
    ),
    Outcome(
        "targets_attained",
        "Targets attained",
        "share",
        "What departments with targets reached, against their targets",
        "attained / targeted",
    ),
    Outcome(
        "claims_ratio",
        "Claims per order",
        "number",
        "Orders that departments claim for themselves, per order placed",
        "department_claims / orders",
    ),
    Outcome(
        "satisfaction",
        "Satisfaction",
        "number",
        "Mean satisfaction of customers, over weeks",
        "mean of satisfaction weighted by customers",
    ),
    Outcome(
        "multichannel_share",
        "Multichannel customers",
        "share",
        "Share of customers who buy in several sales channels, in the last week",
        "multichannel_customers / customers",
    ),
    Outcome(
        "churn",
        "Churn a year",
        "share",
        "Customers who drop out within a year, per customer",
        "drop_outs / mean customers x 52 / weeks",
    ),
    Outcome(
        "clv",
        "Customer lifetime value",
        "eur_each",
        "What a customer will still bring, discounted (Gupta & Lehmann 2003)",
        "m r / (1 + .1 - r): m (margin - cost_to_serve) per customer and year, r = 1 - churn",
    ),
    Outcome(
        "use_cases_done_share",
        "Use cases that got through",
        "share",
        "Share of those who began a way that the market lists and ended it with an order",
        "use_cases_through / use_cases_tried",
    ),
    Outcome(
        "hand_overs_missed_share",
        "Hand-overs missed",
        "share",
        "Share of channel changes in which the context was lost",
        "hand_overs_missed / (hand_overs_made + hand_overs_missed)",
    ),
    Outcome(
        "journeys_lost",
        "Journeys lost",
        "count",
        "Journeys with us that ended without an order",
        "lost_inform + lost_evaluate + lost_buy",
    ),
    Outcome(
        "contacts_to_recent_buyers",
        "Contacts to recent buyers",
        "count",
        "Contacts bought for persons who had just ordered",
        "sum of contacts_to_recent_buyers",
    ),
)
OUTCOMES: dict[str, Outcome] = {
    outcome.name: outcome
    for outcome in (
        *TOTALS,
        *(
            Outcome(
                f"{whole.name}{LAST}",
                f"{whole.label}, last {LAST_WEEKS} weeks",
                whole.unit,
                f"{whole.meaning}, in the last {LAST_WEEKS} weeks",
                whole.formula,
            )
            for whole in TOTALS
        ),
        *OTHERS,
    )
}
HEADLINE = (
    "revenue_gross",
    "orders",
    "cpo",
    "cpo_new",
    "contribution",
    f"contribution{LAST}",
    "marketing_cost",
    "new_customers",
    "multichannel_share",
    "claims_ratio",
    "reallocation_rate",
)
BESIDE = ("integration_cost", "overhead")  # headlines, with profit, where they cost anything
OF_MEDIA = ("contacts", "clicks", "last_touch", "claims", "credit")
LOST = tuple(f"lost_{stage}" for stage in STAGES)
DISCOUNT = 0.1  # a year, of what customers will bring
OF_SALES = (
    "visits",
    "carts",
    *LOST,
    "late",
    "incidents",
    "orders",
    "new_customers",
    "revenue_gross",
    "revenue_net",
    "margin",
    "cost_to_serve",
)


def check(spec: ExperimentSpec) -> None:
    """Refuse a primary outcome that nothing measures."""
    if spec.outcomes.primary not in OUTCOMES:
        raise Fault("outcomes.primary", f"'{spec.outcomes.primary}'", "an outcome", OUTCOMES)


def measure(spec: ExperimentSpec, records: Iterable[Records]) -> pd.DataFrame:
    """Return a row per arm, replication, outcome and channel ("" for the company).

    Values are totals or ratios over all weeks after the fork, or over the last 26 for
    outcomes that end so; `expected_` twins read probabilities. A ratio over zero is NaN.
    """
    rows = [
        (record.arm, record.replication, outcome, channel, value)
        for record in records
        for outcome, channel, value in _rows(spec, record)
    ]
    return tidy(pd.DataFrame(rows, columns=COLUMNS))


def tidy(measures: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in the one order in which they are kept."""
    return measures.sort_values(COLUMNS[:-1], ignore_index=True)


def weakest_link(measures: pd.DataFrame, arm: str, words: Language = ENGLISH) -> str:
    """Return in words the touchpoint at which an arm lost most journeys ("" if none did)."""
    rows = measures[(measures["arm"] == arm) & measures["outcome"].isin(LOST)]
    lost = rows[rows["channel"] != ""].groupby(["channel", "outcome"])["value"].sum()
    if not len(lost) or not lost.sum():
        return ""
    most = lost.sort_values(ascending=False, kind="stable")
    channel, outcome = (str(word) for word in most.index[0])
    return words.say(
        "{arm} loses more journeys at {channel}, {stage} than anywhere else: {share} of all.",
        arm=words.plain(arm),
        channel=words.plain(channel),
        stage=words.plain(outcome.removeprefix("lost_")),
        share=words.percent(most.iloc[0] / lost.sum()),
    )


def _rows(spec: ExperimentSpec, record: Records) -> Iterator[tuple[str, str, float]]:
    weeks = spec.horizon.weeks
    weekly = record.weekly[record.weekly["week"] >= 0]
    company = record.company[record.company["week"] >= 0]
    whole = _sums(weekly)
    for first, after in ((0, ""), (weeks - LAST_WEEKS, LAST)):
        sums = _sums(weekly[weekly["week"] >= first])
        beside = _sums(company.loc[company["week"] >= first, list(BESIDE)])
        for twin in ("", EXPECTED):
            for name, value in _totals(sums, beside, twin).items():
                yield f"{name}{after}", "", value
    for name, value in _others(whole, company, weeks / WEEKS_IN_YEAR).items():
        yield name, "", value
    yield "reallocation_rate", "", _reallocation_rate(record.weekly, weeks)
    yield "last_week_spike", "", _last_week_spike(company, spec.horizon.history_weeks)
    for channel, rows in weekly.groupby("channel", sort=True):
        for name, value in _channel(_sums(rows), rows["kind"].iloc[0] == "media").items():
            yield name, str(channel), value


def _sums(frame: pd.DataFrame) -> dict[str, float]:
    # fsum is exact, so that neither the order of rows nor the machine's vectors matter
    numbers = frame.select_dtypes("number")
    columns = numbers.to_numpy(float).T.tolist()
    return {str(name): math.fsum(column) for name, column in zip(numbers, columns, strict=True)}


def _totals(sums: Mapping[str, float], beside: Mapping[str, float], twin: str) -> dict[str, float]:
    cost = sums["spent_cents"] / 100
    orders, new = sums[f"{twin}orders"], sums[f"{twin}new_customers"]
    kept = sums[f"{twin}margin"] - sums[f"{twin}cost_to_serve"]
    values = {
        f"{twin}revenue_gross": sums[f"{twin}revenue_gross"],
        f"{twin}revenue_net": sums[f"{twin}revenue_net"],
        f"{twin}orders": orders,
        f"{twin}new_customers": new,
        f"{twin}contribution": kept - cost,
        f"{twin}profit": kept - cost - math.fsum(beside.values()),
        f"{twin}cpo": _ratio(cost, orders),
        f"{twin}cpo_new": _ratio(cost, new),
    }
    return values if twin else {**values, "marketing_cost": cost, **beside}


def _others(sums: Mapping[str, float], company: pd.DataFrame, years: float) -> dict[str, float]:
    whole = _sums(company)
    last = company.sort_values("week").iloc[-1]
    served = company[company["customers"] > 0]
    happy = math.fsum((served["satisfaction"] * served["customers"]).to_list())
    made, missed = whole["hand_overs_made"], whole["hand_overs_missed"]
    customers = whole["customers"] / len(company) * years
    churn = _ratio(whole["drop_outs"], customers)
    yearly = _ratio(sums["margin"] - sums["cost_to_serve"], customers)
    stays = max(0.0, 1 - churn)
    return {
        "unspent": (sums["planned_cents"] - sums["spent_cents"]) / 100,
        "held_back": whole["held_back_cents"] / 100,
        "targets_attained": _ratio(whole["attained"], whole["targeted"]),
        "claims_ratio": _ratio(whole["department_claims"], sums["orders"]),
        "expected_claims_ratio": _ratio(
            whole["expected_department_claims"], sums["expected_orders"]
        ),
        "satisfaction": _ratio(happy, whole["customers"]),
        "multichannel_share": _ratio(last["multichannel_customers"], last["customers"]),
        "churn": churn,
        "clv": yearly * stays / (1 + DISCOUNT - stays),
        "use_cases_done_share": _ratio(whole["use_cases_through"], whole["use_cases_tried"]),
        "hand_overs_missed_share": _ratio(missed, made + missed),
        "journeys_lost": whole["lost_inform"] + whole["lost_evaluate"] + whole["lost_buy"],
        "contacts_to_recent_buyers": sums["contacts_to_recent_buyers"],
    }


def _reallocation_rate(weekly: pd.DataFrame, weeks: int) -> float:
    year = weekly["week"] // WEEKS_IN_YEAR  # -1 is the one before the fork
    whole = max(weeks // WEEKS_IN_YEAR, 1)
    media = weekly[(weekly["kind"] == "media") & (year >= -1) & (year < whole)]
    plan = media.groupby([year, "channel"])["planned_cents"].sum().unstack()
    shares = plan.div(plan.sum(axis=1), axis=0)
    moved = shares.diff().abs().iloc[1:].dropna()
    return _ratio(math.fsum(moved.to_numpy().flat), 2 * len(moved))


def _last_week_spike(company: pd.DataFrame, history_weeks: int) -> float:
    spent, week = company["spent_cents"], company["week"] + history_weeks
    spikes = []
    for _, year in spent.groupby(week // WEEKS_IN_YEAR):
        if len(year) == WEEKS_IN_YEAR:
            last = float(year.iloc[-1])
            spikes.append(_ratio(last * (WEEKS_IN_YEAR - 1), math.fsum(year) - last))
    return _ratio(math.fsum(spikes), len(spikes))


def _channel(sums: Mapping[str, float], is_medium: bool) -> dict[str, float]:
    names = OF_MEDIA if is_medium else OF_SALES
    values = {
        name: sums[name]
        for plain in names
        for name in (plain, f"{EXPECTED}{plain}")
        if name in sums
    }
    if is_medium:
        cost = sums["spent_cents"] / 100
        values |= {
            "marketing_cost": cost,
            "unspent": (sums["planned_cents"] - sums["spent_cents"]) / 100,
            "cpo_last_touch": _ratio(cost, sums["last_touch"]),
            "cpo_claimed": _ratio(cost, sums["claims"]),
            "cpo_credited": _ratio(cost, sums["credit"]),
        }
    return values


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below else math.nan
