"""Pictures of the money: what the next order costs, who wins and loses, how shares move."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from omnisim.language import Language
from omnisim.measures import EMPTY, LAST_WEEKS
from omnisim.misallocation import SURE, LastEuro, cost_text
from omnisim.report.charts import (
    ARMS,
    GREY,
    INK,
    PARTS,
    ROW,
    SHAPES,
    Key,
    Panel,
    Picture,
    Table,
    arm_scales,
    panel,
    rounded,
    told,
)
from omnisim.report.results import Results
from omnisim.spec import WEEKS_IN_YEAR

SHOWN = len(PARTS) - 1  # media that have a colour of their own
BELONGS = 0.03  # of the plan: less money is not where misplaced money is looked for
WRONG = math.log(1.5)  # of belief over truth, from which on it is worth a word


def placed(results: Results, words: Language) -> Picture | None:
    """Return, per medium, spend against what the next order costs, arms side by side."""
    euros = [euro for euro in results.last_euros if euro.arm in results.arms]
    if not euros:
        return None
    worth = worth_of_an_order(results)
    note = words.say(
        "A fifth more on one medium for 13 weeks: extra cost of all media over extra orders within"
        " 52 weeks. Money is well placed where the marks of one arm stand at the same cost; the"
        " larger the mark, the more money. A pale mark is not known well; one at the right edge"
        " costs more than that, or no extra order followed (“no order”)."
    )
    if worth > 0:
        note += " " + words.say(
            "The dashed line is what an order earns on average before marketing ({amount}): to the"
            " right of it the next order costs more than that.",
            amount=words.money(worth, digits=3),
        )
    return Picture(
        words.say("The silo picture: what the next order costs"),
        _takeaway_of_costs(results, words, euros),
        note,
        [_costs(results, words, euros, worth)],
        [
            Key(words.plain(arm), ARMS[nth % len(ARMS)], shape=SHAPES[nth % len(SHAPES)])
            for nth, arm in enumerate(results.arms)
        ],
        [_cost_table(words, arm, euros) for arm in results.arms if _of(euros, arm)],
        {"marginal_cpo": pd.DataFrame(euros)},
    )


def worth_of_an_order(results: Results) -> float:
    """Return what an order of the baseline earns before marketing (EUR, NaN without orders)."""
    after = results.weekly[results.weekly["week"] >= 0]
    own = after[after["arm"] == results.baseline]
    orders = float(own["expected_orders"].sum())
    earned = float(own["expected_margin"].sum() - own["expected_cost_to_serve"].sum())
    return earned / orders if orders else math.nan


def _of(euros: list[LastEuro], arm: str) -> list[LastEuro]:
    return sorted((euro for euro in euros if euro.arm == arm), key=lambda euro: -euro.spend_year)


def _takeaway_of_costs(results: Results, words: Language, euros: list[LastEuro]) -> str:
    """Return between which costs the next order lies in each arm, small media left aside."""
    said = []
    for arm in results.arms[:3]:
        own = _of(euros, arm)
        whole = math.fsum(euro.spend_year for euro in own)
        large = [euro for euro in own if euro.spend_year >= BELONGS * whole]
        known = [euro for euro in large if euro.error <= SURE and math.isfinite(euro.long)]
        if len(known) < 2 or math.fsum(euro.spend_year for euro in known) < whole / 2:
            unknown = next((euro for euro in large if euro not in known), None)
            if unknown is not None:
                said.append(
                    words.say(
                        "{arm}: what the next order costs by {medium}, which has {share} of the"
                        " money, is not well known",
                        arm=words.plain(arm),
                        medium=words.plain(unknown.channel),
                        share=words.percent(unknown.spend_year / whole),
                    )
                )
            continue
        said.append(_between(words, arm, known))
    return " ".join(filter(None, (told(said), belief(words, euros))))


def _between(words: Language, arm: str, known: list[LastEuro]) -> str:
    cheap, dear = min(known, key=lambda e: e.long), max(known, key=lambda e: e.long)
    if dear.long < 1.5 * cheap.long:
        return words.say(
            "{arm}: the next order costs about the same by {media}, money is well placed among"
            " them",
            arm=words.plain(arm),
            media=words.listed([words.plain(euro.channel) for euro in known]),
        )
    return words.say(
        "{arm}: the next order costs {low} by {cheap} and {high} by {dear}",
        arm=words.plain(arm),
        low=words.money(cheap.long, digits=2),
        cheap=words.plain(cheap.channel),
        high=words.money(dear.long, digits=2),
        dear=words.plain(dear.channel),
    )


def belief(words: Language, euros: Sequence[LastEuro]) -> str:
    """Return the belief that is farthest from a truth that is well known, "" if none is far."""
    wholes: dict[str, float] = {}
    for euro in euros:
        wholes[euro.arm] = wholes.get(euro.arm, 0.0) + euro.spend_year
    known = {
        euro: abs(math.log(euro.believed / euro.long))
        for euro in euros
        if euro.spend_year >= BELONGS * wholes[euro.arm]
        and euro.error <= SURE
        and 0 < euro.believed < math.inf
        and 0 < euro.long < math.inf
    }
    if not known or max(known.values()) < WRONG:
        return ""
    euro = max(known, key=lambda one: known[one])
    return words.say(
        "In {arm} the next order by {medium} is believed to cost {believed} and costs {true}"
        " within a year.",
        arm=words.plain(euro.arm),
        medium=words.plain(euro.channel),
        believed=words.money(euro.believed, digits=2),
        true=words.money(euro.long, digits=2),
    )


def _costs(results: Results, words: Language, euros: list[LastEuro], worth: float) -> Panel:
    spend: dict[str, float] = {}
    for euro in euros:
        spend[euro.channel] = max(spend.get(euro.channel, 0.0), euro.spend_year)
    order = [words.plain(name) for name in sorted(spend, key=lambda name: -spend[name])]
    # costs that nobody knows well would stretch the scale for those that are known
    shown = [euro for euro in euros if euro.long > 0]
    finite = [euro for euro in shown if math.isfinite(euro.long)]
    known = [euro for euro in finite if euro.error <= SURE] or finite
    low = 0.5 * min((euro.long for euro in known), default=1.0)
    high = 2 * max((euro.long for euro in known), default=1.0)
    frame = pd.DataFrame(
        [
            {
                "medium": words.plain(euro.channel),
                "arm": words.plain(euro.arm),
                "spend": euro.spend_year / 1e6,
                "cost": min(max(euro.long, low), high),
                "told": cost_text(euro.long, words),
                "sure": 0.95 if euro.error <= SURE else 0.35,
            }
            for euro in shown
        ],
        columns=["medium", "arm", "spend", "cost", "told", "sure"],
    )
    names = [words.plain(arm) for arm in results.arms]
    colour, _ = arm_scales(names)
    shape = alt.Shape(
        "arm:N",
        legend=None,
        scale=alt.Scale(
            domain=names, range=[SHAPES[nth % len(SHAPES)] for nth in range(len(names))]
        ),
    )
    points = (
        alt.Chart(rounded(frame))
        .mark_point(filled=True, stroke=INK, strokeWidth=0.5)
        .encode(
            x=alt.X(
                "cost:Q",
                title=words.say("EUR per order"),
                scale=alt.Scale(type="log", domain=[low, high], nice=False),
                axis=alt.Axis(values=_steps(low, high), format=",~r"),
            ),
            y=alt.Y("medium:N", title=None, sort=order, axis=alt.Axis(grid=True)),
            yOffset=alt.YOffset("arm:N", sort=names),
            color=colour,
            shape=shape,
            size=alt.Size("spend:Q", legend=None, scale=alt.Scale(type="sqrt", range=[40, 420])),
            opacity=alt.Opacity("sure:Q", legend=None, scale=None),
            tooltip=[
                alt.Tooltip("medium:N", title=words.say("Medium")),
                alt.Tooltip("arm:N", title=words.say("Arm")),
                alt.Tooltip("told:N", title=words.say("EUR per order")),
                alt.Tooltip("spend:Q", title=words.say("EUR m a year"), format=",.2f"),
            ],
        )
    )
    layers: list[alt.Chart] = []
    if low < worth < high:
        line = alt.Chart(pd.DataFrame({"worth": [worth]}))
        layers.append(
            line.mark_rule(color=GREY, strokeDash=[5, 4], strokeWidth=1.5).encode(x="worth:Q")
        )
    title = words.say("Cost of the next order by medium (each step about doubles it)")
    height = max(2, len(order)) * (ROW + 8 * max(1, len(names) - 1))
    said = words.say("{what}, a mark per arm, media with most money first", what=title)
    return panel(title, said, alt.layer(*layers, points), height)


def _steps(low: float, high: float) -> list[float]:
    """Return 1, 2, 5, 10, ... within bounds."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return [step for step in steps if low <= step <= high]


def _cost_table(words: Language, arm: str, euros: list[LastEuro]) -> Table:
    heads = [
        words.plain(arm),
        words.say("planned, EUR m a year"),
        words.say("13 weeks"),
        words.say("52 weeks"),
        words.say("believed"),
    ]
    rows = [[words.plain(euro.channel), *euro.texts(words)] for euro in _of(euros, arm)]
    caption = words.say(
        "EUR per extra order within 13 and 52 weeks, beside what the steering rule believes from"
        " its reports. “~”: not well known."
    )
    return Table(caption, heads, rows)


def winners(results: Results, words: Language) -> Picture | None:
    """Return orders, CPO and bonus per department and arm; losers are named."""
    found = results.table("departments")
    if not len(found):
        return None
    order = found.groupby("department")["spend_year"].max().sort_values(ascending=False).index
    cells = {(cell["arm"], cell["department"]): cell for cell in found.to_dict("records")}
    tables = [_pays(results, words, cells, arm, order) for arm in results.arms[1:]]
    caption = words.say(
        "Orders are those that a department with media claims, or that are placed in the sales"
        " channels of one without. Pay follows what the firm pays for: its own claims, or the"
        " company’s orders as far as pay is shared. “loses”: the whole 95 % interval of the"
        " change lies below zero."
    )
    if not tables:
        return None
    lost = losers(results, words)
    return Picture(
        words.say("Who wins and who loses"),
        lost,
        tables=[*tables[:-1], replace(tables[-1], caption=caption)],
        data={"departments": found},
    )


def _pays(
    results: Results,
    words: Language,
    cells: Mapping[tuple[str, str], Mapping[Hashable, Any]],
    arm: str,
    order: Iterable[object],
) -> Table:
    """Return a row per department: orders and cost in the baseline and in an arm, and its pay."""
    heads = [words.say("Department")]
    for one in (results.baseline, arm):
        name = words.plain(one)
        heads += [
            words.say("{arm}: orders a year", arm=name),
            words.say("{arm}: cost per claim, EUR", arm=name),
        ]
    rows = []
    for department in map(str, order):
        row = [words.plain(department)]
        for one in (results.baseline, arm):
            row += _claims_and_cost(cells.get((one, department)), words)
        rows.append([*row, _pay(cells.get((arm, department)), words)])
    return Table("", [*heads, words.say("{arm}: change of pay", arm=words.plain(arm))], rows)


def losers(results: Results, words: Language) -> str:
    """Return who is paid less by an arm for sure, "" if nobody is."""
    found = results.table("departments")
    if not len(found) or "loses" not in found:
        return ""
    said = []
    for arm in results.arms[1:]:
        own = found[(found["arm"] == arm) & found["loses"].map(_is_true)]
        names = [words.plain(str(name)) for name in own.sort_values("bonus_change")["department"]]
        if names:
            loses = words.say("{who} is paid less under {arm}", who=names[0], arm=words.plain(arm))
            who = words.listed(names)
            lose = words.say("{who} are paid less under {arm}", who=who, arm=words.plain(arm))
            said.append(loses if len(names) == 1 else lose)
    return told(said)


def _claims_and_cost(cell: Mapping[Hashable, Any] | None, words: Language) -> list[str]:
    if cell is None:
        return [EMPTY, EMPTY]
    claims, sold = float(cell["claims_year"]), float(cell["sales_orders_year"])
    orders = claims or sold
    return [
        words.number(orders) if orders else EMPTY,
        cost_text(float(cell["cpo_claimed"]), words),
    ]


def _pay(cell: Mapping[Hashable, Any] | None, words: Language) -> str:
    change = math.nan if cell is None else float(cell["bonus_change"])
    if cell is None or math.isnan(change):
        return EMPTY
    percent = words.percent(change, signed=True)
    return words.say("{change}, loses", change=percent) if _is_true(cell["loses"]) else percent


def _is_true(stored: object) -> bool:
    return str(stored).lower() == "true"


def shares(results: Results, words: Language) -> Picture | None:
    """Return who got which share of the planned money over time, arm by arm."""
    frame = _shares(results)
    if not len(frame):
        return None
    top = _top(frame)
    keys = [Key(words.plain(name), PARTS[nth]) for nth, name in enumerate(top)]
    if frame["medium"].nunique() > len(top):
        keys.append(Key(words.say("all others"), PARTS[-1]))
    panels = [
        _area(words, words.plain(arm), frame[frame["arm"] == arm], top) for arm in results.arms
    ]
    return Picture(
        words.say("Where the money goes"),
        _takeaway_of_shares(results, words, frame),
        words.say("Shares of the planned budget by quarter; the fork is at week 0."),
        panels,
        keys,
        [_money_moves(results, words)],
        {"shares": frame},
    )


def _shares(results: Results) -> pd.DataFrame:
    """Return the share of each medium in each quarter from a year before the fork on."""
    weekly = results.weekly
    media = weekly[(weekly["kind"] == "media") & (weekly["week"] >= -WEEKS_IN_YEAR)]
    if not media["planned_cents"].sum():
        return pd.DataFrame()
    quarter = media["week"] // 13 * 13
    money = media.groupby(["arm", quarter, "channel"])["planned_cents"].sum()
    share = money / money.groupby(level=[0, 1]).transform("sum")
    named = share.rename("share").rename_axis(["arm", "week", "medium"])
    return named.reset_index().dropna()


def _top(frame: pd.DataFrame) -> list[str]:
    most = frame.groupby("medium")["share"].max().sort_values(ascending=False, kind="stable")
    return [str(name) for name in most.index[:SHOWN]]


def _area(words: Language, title: str, frame: pd.DataFrame, top: list[str]) -> Panel:
    names = {name: words.plain(name) for name in top}
    others = words.say("all others")
    parts = frame.assign(part=frame["medium"].map(names).fillna(others))
    sums = parts.groupby(["week", "part"], as_index=False)["share"].sum()
    order = [*names.values(), others]
    # a quarter ends where the next begins: steps, not slopes
    last = sums[sums["week"] == sums["week"].max()]
    steps = pd.concat([sums, last.assign(week=last["week"] + 13)])
    ranked = steps.assign(rank=steps["part"].map(order.index))
    scale = alt.Scale(domain=order, range=[*PARTS[: len(top)], PARTS[-1]])
    chart = (
        alt.Chart(rounded(ranked))
        .mark_area(interpolate="step-after", stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X(
                "week:Q",
                title=words.say("Weeks since the fork"),
                scale=alt.Scale(nice=False),
                axis=alt.Axis(grid=False, tickCount=6),
            ),
            y=alt.Y("share:Q", title=None, stack="normalize", axis=alt.Axis(format="%")),
            color=alt.Color("part:N", legend=None, scale=scale),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("part:N", title=words.say("Medium")),
                alt.Tooltip("share:Q", title=words.say("Share"), format=".1%"),
                alt.Tooltip("week:Q", title=words.say("from week")),
            ],
        )
    )
    fork = alt.Chart(pd.DataFrame({"week": [0]})).mark_rule(color=INK, strokeDash=[3, 3])
    layered = alt.layer(chart, fork.encode(x="week:Q"))
    said = words.say("Shares of the budget over time: {arm}", arm=title)
    return panel(title, said, layered, 200)


def _takeaway_of_shares(results: Results, words: Language, frame: pd.DataFrame) -> str:
    """Return from where to where each arm has moved most money since the fork."""
    last = results.weeks - LAST_WEEKS
    said = []
    for arm in results.arms:
        own = frame[frame["arm"] == arm]
        before = own[own["week"].between(-LAST_WEEKS, -1)].groupby("medium")["share"].mean()
        after = own[own["week"] >= last].groupby("medium")["share"].mean()
        if not len(before) or not len(after):
            continue
        moved = after.sub(before, fill_value=0.0)
        total = float(moved.abs().sum()) / 2
        if total < 0.02:
            continue
        said.append(
            words.say(
                "{arm} has moved {share} of the budget since the fork, most of it from {source}"
                " to {target}",
                arm=words.plain(arm),
                share=words.percent(total),
                source=words.plain(str(moved.idxmin())),
                target=words.plain(str(moved.idxmax())),
            )
        )
    return told(said)


def _money_moves(results: Results, words: Language) -> Table:
    names = ("reallocation_rate", "unspent", "held_back", "last_week_spike")
    there = {level.outcome for level in results.comparison.levels}
    lines = [results.comparison.line(name, words) for name in names if name in there]
    heads = [words.say("Arm"), *(line.label for line in lines)]
    rows = [[words.plain(arm), *(line.levels[arm] for line in lines)] for arm in results.arms]
    caption = words.say(
        "Money moved between media from year to year, money that was allocated and not spent or"
        " not allocated, and spending in the last week of a year against a usual week (1 is none)."
    )
    return Table(caption, heads, rows)
