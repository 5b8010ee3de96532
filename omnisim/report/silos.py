"""Pictures of the price of silos: two waterfalls, and where money reaches its limit."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from omnisim.language import Language, message
from omnisim.measures import scale
from omnisim.report.charts import (
    ARMS,
    GAIN,
    GREY,
    INK,
    LOSS,
    SUM,
    Key,
    Panel,
    Picture,
    Table,
    panel,
    rounded,
    told,
)
from omnisim.report.results import Results

WHOLE = "whole"
TITLES = {
    "steering": message("From silos to the best steering"),
    "integration": message("From multichannel to omnichannel"),
    "together": message("Both together"),
}
PARTS = {
    "frozen_shares": message("Shares between departments are frozen"),
    "wrong_credit": message("Orders that no report shows"),
    "ignored_spill_over": message("Orders that others are credited with"),
    "late_or_noisy": message("Late, noisy or unlearned reports"),
    "capture": message("Credit for orders that come anyway"),
    "politics": message("Power, exaggeration and equal parts"),
    "learning": message("What one must learn by trying"),
    "clashing_claims": message("Claims that clash"),
    "price_clashes": message("Prices that clash"),
    "duplicate_contacts": message("No shared record: duplicate contacts"),
    "missing_hand_over": message("Missing hand-over"),
    "unseen_stock": message("Stock that nobody sees"),
    "reactive_service": message("Reactive service"),
    "links": message("What links cost"),
    "steering": message("Steering"),
    "integration": message("Integration"),
    "interaction": message("What both bring only together"),
    "whole": message("Sum"),
}
SURE = ("part", "cost")  # bars that a takeaway may name
LINE = 24  # letters of a part that stand in one line
THICK = 18  # pixels of a bar
BAR = 34  # pixels from bar to bar, which two lines need
SPENT = 0.1  # of what more is planned: less is not spending more
ENOUGH = 3  # points from which on a curve is a curve


def price(results: Results, words: Language) -> Picture | None:
    """Return the waterfalls of the price of silos; each part with its interval."""
    found = results.table("price_of_silos")
    if not len(found):
        return None
    # what has no mechanism in this question costs nothing, in all replications
    works = found[(found["eur_year"] != 0) | (found["ci_low"] != 0) | (found["ci_high"] != 0)]
    there = [key for key in TITLES if (works["waterfall"] == key).any()]
    if not there:
        return None
    panels, tables = [], []
    for key in there:
        bars = found[found["waterfall"] == key].sort_values("nth")
        at_work = works[works["waterfall"] == key].sort_values("nth")
        panels.append(_waterfall(words, words.say(TITLES[key]), at_work))
        tables.append(_parts(words, words.say(TITLES[key]), bars))
    return Picture(
        words.say("The price of silos, part by part"),
        _takeaway(words, found),
        words.say(
            "Contribution a year that is lost by each part, averaged over all orders of switching"
            " (Shapley), so that no part profits from being first. The remainder is a part of its"
            " own. Thin lines are 95 % intervals; parts that cost nothing are not drawn."
        ),
        panels,
        [
            Key(words.say("costs us"), LOSS),
            Key(words.say("saves us"), GAIN),
            Key(words.say("sum"), SUM),
        ],
        tables,
        {"price_of_silos": found},
    )


def _takeaway(words: Language, found: pd.DataFrame) -> str:
    """Return what each waterfall comes to, and the parts that surely cost and bring most."""
    said = []
    for key in ("steering", "integration"):
        bars = found[found["waterfall"] == key]
        parts = bars[bars["kind"].isin(SURE)].sort_values("eur_year", ascending=False)
        cost = _named(parts[parts["ci_low"] > 0].head(2), words)
        if not cost:
            continue
        whole = bars[bars["kind"] == WHOLE].iloc[0]
        text = words.say(
            "{what}: {amount} a year ({low} to {high}), most by {parts}",
            what=words.say(TITLES[key]),
            amount=words.money(float(whole["eur_year"])),
            low=words.money(float(whole["ci_low"])),
            high=words.money(float(whole["ci_high"])),
            parts=cost,
        )
        against = _named(parts[parts["ci_high"] < 0].tail(1), words)
        if against:
            text = words.say("{cost}, against {parts}", cost=text, parts=against)
        said.append(told([text]))
    return " ".join(said)


def _named(parts: pd.DataFrame, words: Language) -> str:
    """Return parts and their height, "" if there are none."""
    return words.listed(
        [
            words.say(
                "“{part}” ({amount})",
                part=_called(row, words),
                amount=words.money(float(row["eur_year"])),
            )
            for row in parts.to_dict("records")
        ]
    )


def _waterfall(words: Language, title: str, bars: pd.DataFrame) -> Panel:
    widest = float(bars[["eur_year", "ci_low", "ci_high"]].abs().max().max())
    written = scale("eur", widest, 0, words)
    rows, at = [], 0.0
    for bar in bars.to_dict("records"):
        size = float(bar["eur_year"]) / written.divisor
        is_sum = bar["kind"] == WHOLE
        start, end = (0.0, size) if is_sum else (at, at + size)
        at = end
        rows.append(
            {
                "part": "\n".join(textwrap.wrap(_called(bar, words), LINE)),
                "start": start,
                "end": end,
                "low": end - size + float(bar["ci_low"]) / written.divisor,
                "high": end - size + float(bar["ci_high"]) / written.divisor,
                "colour": SUM if is_sum else LOSS if size >= 0 else GAIN,
                "size": size,
            }
        )
    frame = pd.DataFrame(rows)
    # bars are told apart by their place: two may have the same words
    frame["part"] = _unique(frame["part"].tolist())
    base = alt.Chart(rounded(frame)).encode(
        y=alt.Y(
            "part:N",
            title=None,
            sort=frame["part"].tolist(),
            axis=alt.Axis(labelExpr="split(datum.label, '\\n')", labelLimit=200),
        )
    )
    unit = words.say("{unit} a year", unit=written.unit)
    drawn = base.mark_bar(height=THICK).encode(
        x=alt.X("start:Q", title=unit, axis=alt.Axis(tickCount=5)),
        x2="end:Q",
        color=alt.Color("colour:N", scale=None),
        tooltip=[
            alt.Tooltip("part:N", title=words.say("Part")),
            alt.Tooltip("size:Q", title=unit, format="+,.2f"),
        ],
    )
    reach = base.mark_rule(color=INK, strokeWidth=1.2).encode(x="low:Q", x2="high:Q")
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=GREY).encode(x="zero:Q")
    said = words.say("Waterfall of parts in {unit}: {title}", unit=unit, title=title)
    return panel(title, said, alt.layer(zero, drawn, reach), BAR * len(frame))


def _called(bar: Mapping[Hashable, Any], words: Language) -> str:
    """Return how people call a part; one that is new is called as its table does."""
    key = str(bar["part"])
    return words.say(PARTS[key]) if key in PARTS else str(bar["label"])


def _unique(names: list[str]) -> list[str]:
    """Return names of which none appears twice: a space more makes another one."""
    seen: list[str] = []
    for name in names:
        while name in seen:
            name += "\u200b"
        seen.append(name)
    return seen


def _parts(words: Language, title: str, bars: pd.DataFrame) -> Table:
    heads = [title, words.say("EUR a year"), words.say("95 % interval")]
    rows = []
    for bar in bars.to_dict("records"):
        reach = "–"
        if pd.notna(bar["ci_low"]):
            low, high = words.number(float(bar["ci_low"])), words.number(float(bar["ci_high"]))
            reach = words.say("{low} to {high}", low=low, high=high)
        rows.append([_called(bar, words), words.number(float(bar["eur_year"])), reach])
    kinds = bars["kind"].tolist()
    strong = kinds.index(WHOLE) if WHOLE in kinds else None
    return Table("", heads, rows, strong)


def response(results: Results, words: Language) -> Picture | None:
    """Return the response curves of media with today's spend marked."""
    found = results.table("curves")
    if not len(found):
        return None
    media = found[(found["kind"] == "medium") & (found["arm"] == results.baseline)]
    points = media.groupby("channel")["factor"].nunique()
    names = [str(name) for name in points.index if points[name] >= ENOUGH]
    spend = media[media["factor"] == 1].set_index("channel")["spend_year"]
    names.sort(key=lambda name: -float(spend.get(name, 0.0)))
    if not names:
        return None
    return Picture(
        words.say("Response curves: where is the limit?"),
        _takeaway_of_limits(results, words, media),
        words.say(
            "Extra orders a year against today over yearly spend, within 52 weeks, with 95 % bands;"
            " dashed: within 13 weeks. The dot is today in {arm}. A medium pays until the next euro"
            " earns back no more than a euro; all media’s costs are charged.",
            arm=words.plain(results.baseline),
        ),
        [_curve(words, words.plain(name), media[media["channel"] == name]) for name in names],
        [Key(words.say("52 weeks"), ARMS[1]), Key(words.say("13 weeks"), ARMS[0], "7 3")],
        data={"curves": found},
    )


def _curve(words: Language, title: str, found: pd.DataFrame) -> Panel:
    columns = ["factor", "spend_year", "orders_short"]
    columns += ["orders_long", "orders_long_low", "orders_long_high"]
    frame = found[columns].sort_values("spend_year")
    written = scale("eur", float(frame["spend_year"].max()), 0, words)
    frame = frame.assign(spend_year=frame["spend_year"] / written.divisor)
    base = alt.Chart(rounded(frame)).encode(
        x=alt.X(
            "spend_year:Q",
            title=words.say("{unit} a year", unit=written.unit),
            axis=alt.Axis(grid=False, tickCount=4),
        )
    )
    axis = alt.Axis(format=",~r", tickCount=4)
    orders = alt.Y("orders_long:Q", title=None, axis=axis)
    band = base.mark_area(color=ARMS[1], opacity=0.18).encode(
        y=alt.Y("orders_long_low:Q", title=None), y2="orders_long_high:Q"
    )
    line = base.mark_line(color=ARMS[1]).encode(y=orders)
    short = base.mark_line(color=ARMS[0], strokeDash=[7, 3]).encode(y="orders_short:Q")
    today = (
        base.transform_filter("datum.factor == 1")
        .mark_point(filled=True, color=INK, size=90, opacity=1)
        .encode(y="orders_long:Q")
    )
    said = words.say("Extra orders over yearly spend, today marked: {medium}", medium=title)
    return panel(title, said, alt.layer(band, line, short, today), 150)


def _takeaway_of_limits(results: Results, words: Language, media: pd.DataFrame) -> str:
    """Return which media surely pay more, and which surely pay less, than the next euro costs."""
    # whoever cannot spend what is planned says nothing about more money
    planned = (media["factor"] - 1) * media["spend_year"] / media["factor"]
    rows = media[(media["factor"] > 1) & (media["cost_long"] > SPENT * planned)]
    if not len(rows):
        return ""
    nearest = rows.sort_values("factor").groupby("channel").head(1)
    pays = nearest[nearest["margin_long_low"] > nearest["cost_long"]]
    wasted = nearest[nearest["margin_long_high"] < nearest["cost_long"]]
    said = []
    if len(pays):
        names = words.listed(sorted(words.plain(str(name)) for name in pays["channel"]))
        said.append(words.say("More money still pays for {media}", media=names))
    if len(wasted):
        names = words.listed(sorted(words.plain(str(name)) for name in wasted["channel"]))
        said.append(words.say("beyond its limit: {media}", media=names))
    return told(said)
