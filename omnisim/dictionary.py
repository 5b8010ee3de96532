"""The data dictionary: every column and outcome of the results folder, in words."""

from __future__ import annotations

import csv
import io

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
TWIN = "from the probability of each order before its draw: the same mean, less noise"


def dictionary_csv(ledger: list[str]) -> str:
    """Return the dictionary of results whose weekly ledger has these columns."""
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
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEAD, *rows])
    return text.getvalue()


def _column(name: str) -> tuple[str, str]:
    """Return unit and meaning of a column of the weekly ledger."""
    plain = name.removeprefix(EXPECTED)
    unit, words = next(row[1:] for row in (*KEYS, *LEDGER) if row[0] == plain)
    return unit, words if name == plain else f"{words}; {TWIN}"
