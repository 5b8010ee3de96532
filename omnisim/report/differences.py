"""Pictures of the comparison: what each arm brings, replication by replication, week by week."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd

from omnisim.comparison import Row, interval
from omnisim.language import Language, message
from omnisim.measures import EMPTY, EXPECTED, LAST, OUTCOMES
from omnisim.report.charts import (
    COLOURS,
    DRAWN,
    GREY,
    INK,
    PALE,
    Panel,
    Picture,
    Table,
    arm_keys,
    arm_lines,
    panel,
    rounded,
)
from omnisim.report.results import Results
from omnisim.spec import WEEKS_IN_YEAR

MATTERS = {
    "matters": message("yes"),
    "less than matters": message("a little"),
    "no difference that matters": message("no"),
    "undecided": message("undecided"),
    "": EMPTY,
}


def compared(results: Results, words: Language) -> Picture:
    """Return the table of all outcomes, and the main difference as dots."""
    gaps = pairs(results)
    drawn = [_dots(results, words, gaps)] if len(gaps) else []
    return Picture(
        words.say("What each arm brings"),
        _takeaway_of_pairs(results, words, gaps) if len(gaps) else "",
        words.say(
            "A dot is a replication (the same market with the same luck in both arms), the diamond"
            " their mean with its 95 % interval; inside the grey band a difference does not matter."
        )
        if drawn
        else "",
        drawn,
        tables=outcomes(results, words),
        data={"differences": gaps} if drawn else None,
    )


def outcomes(results: Results, words: Language) -> list[Table]:
    """Return a row per outcome: levels, differences with intervals, and whether they matter.

    A table per arm, so that none is too wide; several arms are laid side by side before.
    """
    comparison = results.comparison
    caption = words.say(
        "Totals over the {weeks} weeks after the fork, means of {replications} replications."
        " Differences to {baseline} with their 95 % intervals are paired by replication and read"
        " from order probabilities where there are any: less noisy than the levels, and not"
        " exactly their difference. “–”: a ratio over zero.",
        weeks=results.weeks,
        replications=comparison.replications,
        baseline=words.plain(results.baseline),
    )
    tables = against(results, words, comparison.headline, caption)
    return [_side_by_side(results, words), *tables] if len(results.arms) > 2 else tables


def against(results: Results, words: Language, names: Sequence[str], caption: str) -> list[Table]:
    """Return a table of outcomes for each arm beside the baseline, or for that alone."""
    comparison, base = results.comparison, results.baseline
    lines = {name: comparison.line(name, words) for name in names}
    strong = names.index(comparison.primary) if comparison.primary in names else None
    tables = []
    for arm in results.arms[1:] or (base,):
        shown = [base, arm] if arm != base else [base]
        heads = [words.say("Outcome"), *(words.plain(one) for one in shown)]
        rows = [[line.label, *(line.levels[one] for one in shown)] for line in lines.values()]
        if arm != base:
            heads += [f"{words.plain(arm)} − {words.plain(base)}", words.say("Does it matter?")]
            for row, line in zip(rows, lines.values(), strict=True):
                row += [line.differences[arm], words.say(MATTERS[line.verdicts[arm]])]
        tables.append(Table("", heads, rows, strong))
    return [*tables[:-1], replace(tables[-1], caption=caption)]


def _side_by_side(results: Results, words: Language) -> Table:
    """Return a row per arm on the primary outcome."""
    line = results.comparison.line(results.comparison.primary, words)
    heads = [line.label, words.say("Level"), words.say("Difference"), words.say("Does it matter?")]
    rows = []
    for arm in results.arms:
        verdict = words.say(MATTERS[line.verdicts[arm]]) if arm in line.verdicts else EMPTY
        rows.append([words.plain(arm), line.levels[arm], line.differences.get(arm, EMPTY), verdict])
    return Table("", heads, rows)


def pairs(results: Results) -> pd.DataFrame:
    """Return the paired differences of the primary outcome: replication, arm, value (a year)."""
    comparison = results.comparison
    rows = comparison.of(comparison.primary)
    if not rows or not all(row.verdict for row in rows.values()):
        return pd.DataFrame()
    measures = results.measures[results.measures["channel"] == ""]
    name = f"{EXPECTED}{comparison.primary}"
    name = name if (measures["outcome"] == name).any() else comparison.primary
    values = measures[measures["outcome"] == name].pivot(
        index="replication", columns="arm", values="value"
    )
    gaps = values.drop(columns=comparison.baseline).sub(values[comparison.baseline], axis=0)
    yearly = gaps[list(rows)] * comparison.per_year(comparison.primary)
    return yearly.melt(ignore_index=False, var_name="arm").reset_index()


def _takeaway_of_pairs(results: Results, words: Language, gaps: pd.DataFrame) -> str:
    """Return how often each arm was above or below the baseline, where most say the same."""
    said = []
    for arm, rows in gaps.groupby("arm"):
        count, above = len(rows), int((rows["value"] > 0).sum())
        below = int((rows["value"] < 0).sum())
        times, where = max(
            (above, message("{arm} is above {baseline} in {times} of {count} replications")),
            (below, message("{arm} is below {baseline} in {times} of {count} replications")),
        )
        if times > 0.75 * count:
            names = {"arm": words.plain(str(arm)), "baseline": words.plain(results.baseline)}
            said.append(words.say(where, times=times, count=count, **names))
    label = words.say(OUTCOMES[results.comparison.primary].label)
    return f"{label}: {'; '.join(said)}." if said else ""


def _dots(results: Results, words: Language, gaps: pd.DataFrame) -> Panel:
    comparison = results.comparison
    outcome = OUTCOMES[comparison.primary]
    rows = list(comparison.of(comparison.primary).values())
    times = comparison.per_year(outcome.name)
    size = max(abs(x) for row in rows for x in (row.ci_low, row.ci_high, row.margin)) * times
    written = outcome.scale(size, 0, words)
    per = times / written.divisor
    names = {row.arm: words.plain(row.arm) for row in rows}
    marks = pd.DataFrame(
        [
            (names[row.arm], row.difference * per, row.ci_low * per, row.ci_high * per)
            for row in rows
        ],
        columns=["arm", "mean", "low", "high"],
    )
    margin = rows[0].margin * per
    band = pd.DataFrame([(-margin, margin, 0)], columns=["low", "high", "zero"])
    # spread over the height by a fixed rule, so that equal dots do not hide each other
    dots = gaps.assign(
        arm=gaps["arm"].map(names),
        value=gaps["value"] / written.divisor,
        spread=(gaps["replication"] * 0.618 % 1) * 16 + 4,
    )
    unit = words.say("points") if outcome.unit == "share" else written.unit
    unit = words.say("{unit} a year", unit=unit) if comparison.is_total(outcome.name) else unit
    title = words.say(
        "Difference to {baseline} ({unit})", baseline=words.plain(results.baseline), unit=unit
    )
    axis = alt.X(
        "low:Q",
        title=title,
        scale=alt.Scale(nice=False, padding=12),
        axis=alt.Axis(tickCount=8),
    )
    inside = alt.Chart(band).mark_rect(color=PALE).encode(x=axis, x2="high:Q")
    zero = alt.Chart(band).mark_rule(color=GREY).encode(x="zero:Q")
    arm = alt.Y("arm:N", title=None, sort=list(names.values()))
    base = alt.Chart(rounded(marks)).encode(y=arm)
    points = (
        alt.Chart(rounded(dots))
        .mark_circle(color=COLOURS[0], size=35, opacity=0.7)
        .encode(x="value:Q", y=arm, yOffset=alt.YOffset("spread:Q", scale=None))
    )
    reach = base.mark_rule(color=INK, strokeWidth=3).encode(x="low:Q", x2="high:Q")
    mean = base.mark_point(color=INK, filled=True, shape="diamond", size=140, opacity=1)
    chart = alt.layer(inside, zero, points, reach, mean.encode(x="mean:Q"))
    label = words.say(outcome.label)
    return panel(label, f"{label}: {title}", chart, 64 * len(rows))


def by_week(results: Results, words: Language) -> Picture | None:
    """Return revenue and CPO by week, arms overlaid with bands, the fork marked."""
    weeks = weekly(results)
    if not len(weeks):
        return None
    labels = {
        "revenue": words.say("Gross revenue a week, EUR m"),
        "cpo": words.say("CPO, EUR (mean of four weeks)"),
    }
    panels = [
        _lines(results, words, weeks[weeks["what"] == what], label)
        for what, label in labels.items()
        if (weeks["what"] == what).any()
    ]
    return Picture(
        words.say("Week by week"),
        _takeaway_of_weeks(results, words),
        words.say(
            "Means of all replications with their 95 % bands; until the fork, at week 0, all arms"
            " share one history."
        ),
        panels,
        arm_keys([words.plain(arm) for arm in results.arms[:DRAWN]]),
        data={"weeks": weeks},
    )


def weekly(results: Results) -> pd.DataFrame:
    """Return revenue (EUR m) and CPO (EUR) by week from a year before the fork on.

    Columns what, arm, week, mean, low, high (95 % t interval over replications). CPO is
    that of the four weeks up to a week: one week's cost meets later weeks' orders.
    """
    frame = results.weekly[results.weekly["week"] >= -WEEKS_IN_YEAR - 3]
    sums = frame.groupby(["arm", "replication", "week"])[
        ["spent_cents", "expected_orders", "expected_revenue_gross"]
    ].sum()
    rolled = sums.groupby(["arm", "replication"]).rolling(4, min_periods=1).sum()
    rolled.index = sums.index
    values = {
        "revenue": sums["expected_revenue_gross"] / 1e6,
        "cpo": (rolled["spent_cents"] / 100 / rolled["expected_orders"]).replace(
            [np.inf, -np.inf], np.nan
        ),
    }
    rows = []
    for what, series in values.items():
        if what == "cpo" and not sums["spent_cents"].any():
            continue
        wide = series.dropna().unstack("replication").dropna()
        for (arm, week), found in zip(wide.index, wide.to_numpy(), strict=True):
            if week >= -WEEKS_IN_YEAR:
                mean, low, high = interval(found)
                rows.append((what, arm, int(week), mean, low, high))
    return pd.DataFrame(rows, columns=["what", "arm", "week", "mean", "low", "high"])


def _takeaway_of_weeks(results: Results, words: Language) -> str:
    comparison = results.comparison
    said = []
    for arm in results.arms[1:]:
        sold = comparison.of(f"revenue_gross{LAST}").get(arm)
        cost = comparison.of(f"cpo{LAST}").get(arm)
        parts = []
        if sold is not None and _is_sure(sold):
            share = words.percent(abs(sold.relative), 1)
            more = words.say("{share} more revenue", share=share)
            less = words.say("{share} less revenue", share=share)
            parts.append(more if sold.difference > 0 else less)
        if cost is not None and _is_sure(cost):
            amount = words.money(abs(cost.difference), digits=2)
            higher = words.say("a CPO that is {amount} higher", amount=amount)
            lower = words.say("a CPO that is {amount} lower", amount=amount)
            parts.append(higher if cost.difference > 0 else lower)
        if parts:
            said.append(f"{words.plain(arm)}: {words.listed(parts)}")
    if not said:
        return ""
    return words.say(
        "In the last half-year, held against {baseline}: {found}.",
        baseline=words.plain(results.baseline),
        found="; ".join(said),
    )


def _is_sure(row: Row) -> bool:
    return not math.isnan(row.ci_low) and row.ci_low * row.ci_high > 0


def _lines(results: Results, words: Language, weeks: pd.DataFrame, title: str) -> Panel:
    labels = {arm: words.plain(arm) for arm in results.arms[:DRAWN]}
    # history is shared: drawn once, as the baseline's
    frame = weeks[(weeks["week"] >= 0) | (weeks["arm"] == results.baseline)].drop(columns="what")
    low = alt.Y("low:Q", title=None, scale=alt.Scale(zero=False))
    band, line = arm_lines(frame, labels, words.say("Weeks since the fork"), low)
    fork = alt.Chart(pd.DataFrame({"week": [0]})).mark_rule(color=INK, strokeDash=[3, 3])
    chart = alt.layer(band, line, fork.encode(x="week:Q"))
    return panel(title, words.say("{what}, a line per arm", what=title), chart, 220)
