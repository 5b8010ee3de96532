"""The data dictionary: every column and outcome of the results folder, in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import pandas as pd

from omnisim.measures import EXPECTED, OUTCOMES, Unit

HEAD = ("file", "name", "unit", "meaning", "formula")
UNITS: dict[Unit, str] = {
    "eur": "EUR",
    "count": "count, real persons",
    "eur_each": "EUR each",
    "share": "share of 1",
    "number": "number",
}
KEYS = (
    ("arm", "name", "Strategy that the firm follows after the fork"),
    ("replication", "number", "Which luck; the same number is the same luck in every arm"),
    ("channel", "name", "Medium or sales channel; empty for the company"),
)
COUNT = UNITS["count"]
LEDGER = (
    ("week", "week", "0 is the first week after the fork, weeks below are shared history"),
    ("kind", "name", "media: it is paid to make contacts; sales: orders are placed there"),
    ("planned_cents", "EUR cents", "Money allocated to the medium"),
    ("spent_cents", "EUR cents", "Money spent on the medium"),
    ("contacts", COUNT, "Contacts that the medium made"),
    ("clicks", COUNT, "Contacts that became a visit at once"),
    ("contacts_to_recent_buyers", COUNT, "Contacts with persons who had just ordered"),
    ("last_touch", COUNT, "Orders whose last tracked paid touch was this medium's"),
    ("claims", COUNT, "Orders with a touch of this medium in its own window"),
    ("reported_last_touch", COUNT, "Last-touch orders as reports show them, with noise"),
    ("last_touch_new", COUNT, "Last-touch orders of new customers"),
    ("last_touch_value", "EUR", "Value of last-touch orders, with VAT"),
    ("reported_claims", COUNT, "Claimed orders as reports show them, with noise"),
    ("credit", COUNT, "Orders credited to the medium by the firm's attribution"),
    ("reported_credit", COUNT, "Credited orders as reports show them, with noise"),
    ("visits", COUNT, "Visits to the sales channel"),
    ("carts", COUNT, "Contacts of walks with us that came to buy in the sales channel"),
    ("lost_inform", COUNT, "Walks with us that were lost here while getting informed"),
    ("lost_evaluate", COUNT, "Walks with us that were lost here while evaluating"),
    ("lost_buy", COUNT, "Walks with us that were lost here while buying"),
    ("late", COUNT, "Orders delivered late"),
    ("incidents", COUNT, "Orders with something wrong after delivery"),
    ("orders", COUNT, "Orders placed in the sales channel"),
    ("new_customers", COUNT, "Persons whose first order was placed in the sales channel"),
    ("revenue_gross", "EUR", "Value of orders, with VAT, before returns"),
    ("revenue_net", "EUR", "Value of orders, without VAT, after returns"),
    ("margin", "EUR", "Net revenue less the cost of goods"),
    ("cost_to_serve", "EUR", "Cost of serving the orders in the sales channel"),
)
PER_CHANNEL = (
    ("marketing_cost", "EUR", "Money spent on the medium", "spent_cents / 100"),
    ("unspent", "EUR", "Money allocated and not spent", "(planned_cents - spent_cents) / 100"),
    ("cpo_last_touch", "EUR each", "Cost per last-touch order", "marketing_cost / last_touch"),
    ("cpo_claimed", "EUR each", "Cost per claimed order", "marketing_cost / claims"),
    ("cpo_credited", "EUR each", "Cost per credited order", "marketing_cost / credit"),
)
YEAR = "orders a year"
PASSED = "Sales channel in which journeys passed this stage or were lost; empty: in none"
TABLES = {
    "arm": ("name", "Strategy that the firm follows after the fork"),
    "replication": ("number", "Which luck"),
    "kind": ("name", "medium, department or company; of a bar: part, remainder, cost, whole"),
    "channel": ("name", "Medium or department that is paid otherwise; empty: all media"),
    "name": ("name", "Medium or department; empty: all media"),
    "department": ("name", "Department that owns it"),
    "factor": ("factor", "What the plan is multiplied by for 13 weeks"),
    "today": ("as setting", "As it is now; of a curve: whether this is today's spend"),
    "spend_year": ("EUR a year", "Money that is planned for it, or spent by a department"),
    "believed_cpo": ("EUR each", "Marginal CPO in which those who decide believe"),
    "true_cpo": ("EUR each", "Marginal CPO within 13 weeks, in the weeks in which it was measured"),
    "credit": (COUNT, "Credit that is read in 13 weeks as it is"),
    "cost_short": ("EUR", "Extra cost of all media within 13 weeks; of a curve: a year"),
    "cost_long": ("EUR", "Extra cost of all media within 52 weeks; of a curve: a year"),
    "orders_short": (COUNT, "Extra orders within 13 weeks; of a curve: a year"),
    "orders_long": (COUNT, "Extra orders within 52 weeks; of a curve: a year"),
    "margin_short": ("EUR", "Extra margin after cost to serve within 13 weeks"),
    "margin_long": ("EUR", "Extra margin after cost to serve within 52 weeks; of a curve: a year"),
    "credit_short": (COUNT, "Extra credit of it within 13 weeks"),
    "credit_long": (COUNT, "Extra credit of it within 52 weeks"),
    "others_long": (COUNT, "Extra credit of all other media within 52 weeks"),
    "rule": ("name", "Rule of attribution"),
    "credited": (YEAR, "Orders that the rule credits it with"),
    "caused": (YEAR, "Orders that are lost if it is switched off"),
    "over": (YEAR, "credited - caused"),
    "ratio": ("number", "credited / caused"),
    "week": ("week", "Week after the fork in which it was decided"),
    "claims_year": (YEAR, "Orders that its media claim"),
    "last_touch_year": (YEAR, "Orders that its media touched last"),
    "sales_orders_year": (YEAR, "Orders in the sales channels that it owns"),
    "cpo_claimed": ("EUR each", "spend_year / claims_year"),
    "paid_orders_year": (YEAR, "Orders that its pay counts: own claims and the company's"),
    "spend_change": ("EUR a year", "spend_year against the baseline"),
    "claims_change": (YEAR, "claims_year against the baseline"),
    "cpo_change": ("EUR each", "cpo_claimed against the baseline"),
    "bonus_change": ("share of 1", "Relative change of paid_orders_year against the baseline"),
    "loses": ("true or false", "The interval of the change of paid orders lies below 0"),
    "persona": ("name", "Persona of the market"),
    "inform": ("name", PASSED),
    "evaluate": ("name", PASSED),
    "buy": ("name", PASSED),
    "ended": ("name", "Stage at which journeys were lost, or ordered"),
    "journeys_year": ("journeys a year", "Journeys with us that went this way, of all regions"),
    "waterfall": ("name", "steering, integration, or both together"),
    "nth": ("number", "Order of the bars, or of the moves"),
    "part": ("name", "What a bar stands for"),
    "label": ("text", "The same in words"),
    "eur_year": ("EUR a year", "Height of the bar; money that a move takes along"),
    "ci_low": ("as the value", "Lower bound of the 95 % interval"),
    "ci_high": ("as the value", "Upper bound of the 95 % interval"),
    "from": ("name", "Medium that gives"),
    "to": ("name", "Medium that gets"),
    "from_department": ("name", "Department that gives"),
    "to_department": ("name", "Department that gets"),
    "gain_year": ("EUR a year", "Contribution of the move alone; profit of a centre"),
    "orders_year": (YEAR, "Orders that the move alone brings"),
    "lever": ("name", "What is set otherwise: overhead, noise or delay of reports"),
    "unit": ("text", "Unit of the setting"),
    "setting": ("as unit", "What was tried"),
    "break_even": ("as unit", "Setting at which the centre stops paying; empty: none was found"),
    "status": ("text", "stops; never pays; or pays as far as tried"),
}
TWIN = "from the probability of each order before its draw: the same mean, less noise"


def dictionary_csv(ledger: list[str], tables: Mapping[str, pd.DataFrame]) -> str:
    """Return the dictionary of results whose weekly ledger and tables have these columns."""
    rows = [("measures.csv", name, unit, text, "") for name, unit, text in KEYS]
    rows += [
        ("measures.csv", "outcome", "name", "What is measured; the rows below", ""),
        ("measures.csv", "value", "as the outcome", "Value over all weeks; empty: over zero", ""),
    ]
    rows += [
        ("measures.csv, company", o.name, UNITS[o.unit], o.meaning, o.formula)
        for o in OUTCOMES.values()
    ]
    rows += [("measures.csv, company", f"{EXPECTED}…", "as its twin", f"The outcome {TWIN}", "")]
    rows += [("measures.csv, channel", *row) for row in PER_CHANNEL]
    rows += [("weekly.parquet", name, *_column(name), "") for name in ledger]
    rows += [
        (f"{table}.csv", str(name), *_of_table(str(name)), "")
        for table, frame in tables.items()
        for name in frame.columns
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEAD, *rows])
    return text.getvalue()


def _of_table(name: str) -> tuple[str, str]:
    """Return unit and meaning of a column of the tables; bounds are those of an interval."""
    for end, side in (("_low", "lower"), ("_high", "upper")):
        plain = name.removesuffix(end)
        if name != plain and plain != "ci":
            unit, meaning = _of_table(plain if plain in TABLES else f"{plain}_year")
            return unit, f"{meaning}; {side} bound of the 95 % interval"
    return TABLES[name]


def _column(name: str) -> tuple[str, str]:
    """Return unit and meaning of a column of the weekly ledger."""
    plain = name.removeprefix(EXPECTED)
    unit, words = next(row[1:] for row in (*KEYS, *LEDGER) if row[0] == plain)
    return unit, words if name == plain else f"{words}; {TWIN}"
