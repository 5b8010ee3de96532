"""Pictures: data, one sentence that says what one sees, and the drawing as SVG."""

from __future__ import annotations

import altair as alt
import pandas as pd
import vl_convert

from omnisim.comparison import per_year
from omnisim.experiment import Answer
from omnisim.measures import EXPECTED, LAST_WEEKS, OUTCOMES

# Okabe and Ito's colours, told apart by everybody
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]
GREY = "#6b7280"
WIDTH = 400
BEFORE = "before the fork"
FONT = "system-ui, sans-serif"


def pairs(answer: Answer) -> pd.DataFrame:
    """Return the paired differences of the primary outcome: arm, replication, value.

    Totals are per year, and everything is in the unit that the axis names.
    """
    comparison = answer.comparison
    measures = answer.measures[answer.measures["channel"] == ""]
    name = f"{EXPECTED}{comparison.primary}"
    name = name if (measures["outcome"] == name).any() else comparison.primary
    values = measures[measures["outcome"] == name].pivot(
        index="replication", columns="arm", values="value"
    )
    gaps = values.drop(columns=comparison.baseline).sub(values[comparison.baseline], axis=0)
    return (gaps * _factor(answer)[0]).melt(ignore_index=False).reset_index()


def takeaway_of_pairs(answer: Answer, gaps: pd.DataFrame) -> str:
    """Return how often each arm was above the baseline."""
    label = OUTCOMES[answer.comparison.primary].label.lower()
    words = [
        f"{arm} is above {answer.comparison.baseline} in {int((rows['value'] > 0).sum())} of"
        f" {len(rows)} replications"
        for arm, rows in gaps.groupby("arm")
    ]
    return (
        f"Difference in {label}: {'; '.join(words)}. A dot is a replication, the diamond their"
        " mean with its 95 % interval; inside the grey band a difference does not matter."
    )


def draw_pairs(answer: Answer, gaps: pd.DataFrame) -> str:
    """Draw a dot per replication, mean and interval, and the band that does not matter."""
    comparison = answer.comparison
    factor, unit = _factor(answer)
    rows = list(comparison.of(comparison.primary).values())
    marks = pd.DataFrame(
        [
            (row.arm, row.difference * factor, row.ci_low * factor, row.ci_high * factor)
            for row in rows
        ],
        columns=["arm", "mean", "low", "high"],
    )
    margin = rows[0].margin * factor
    band = pd.DataFrame([(-margin, margin, 0)], columns=["low", "high", "zero"])
    # spread over the height by a fixed rule, so that equal dots do not hide each other
    gaps = gaps.assign(spread=(gaps["replication"] * 0.618 % 1) * 16 + 4)
    title = f"{OUTCOMES[comparison.primary].label}: difference to {comparison.baseline} ({unit})"
    axis = alt.X("low:Q", title=title, scale=alt.Scale(nice=False, padding=12))
    inside = alt.Chart(band).mark_rect(color="#e5e7eb").encode(x=axis, x2="high:Q")
    zero = alt.Chart(band).mark_rule(color=GREY).encode(x="zero:Q")
    arm = alt.Y("arm:N", title=None)
    base = alt.Chart(marks).encode(y=arm)
    dots = (
        alt.Chart(gaps)
        .mark_circle(color=COLOURS[0], size=35, opacity=0.7)
        .encode(x="value:Q", y=arm, yOffset=alt.YOffset("spread:Q", scale=None))
    )
    reach = base.mark_rule(color="black", strokeWidth=3).encode(x="low:Q", x2="high:Q")
    mean = base.mark_point(color="black", filled=True, shape="diamond", size=140, opacity=1)
    chart = alt.layer(inside, zero, dots, reach, mean.encode(x="mean:Q"))
    return svg(chart.properties(width=WIDTH, height=64 * len(rows)))


def shares(answer: Answer) -> pd.DataFrame:
    """Return who got which share of the planned money: medium, when, share.

    `when` is the last half year before the fork, or the last one of an arm.
    """
    spans = [
        (weekly.assign(arm=book.arm, when=when))
        for book in answer.records
        for weekly in [book.weekly[book.weekly["kind"] == "media"]]
        for when, weekly in (
            (BEFORE, weekly[weekly["week"].between(-LAST_WEEKS, -1)]),
            (book.arm, weekly[weekly["week"] >= answer.spec.horizon.weeks - LAST_WEEKS]),
        )
    ]
    money = pd.concat(spans).groupby(["when", "channel"])["planned_cents"].sum()
    table = money / money.groupby("when").transform("sum")
    return table.rename("share").rename_axis(["when", "medium"]).reset_index().dropna()


def takeaway_of_shares(answer: Answer, table: pd.DataFrame) -> str:
    """Return from where to where each arm moved the most money."""
    wide = table.pivot(index="medium", columns="when", values="share")
    if BEFORE not in wide:
        return f"Shares of the planned budget in the last {LAST_WEEKS} weeks."
    words = []
    for arm in answer.comparison.arms:
        moved = (wide[arm] - wide[BEFORE]) * 100
        total = moved.abs().sum() / 2
        top = f", most of it from {moved.idxmin()} to {moved.idxmax()}" if total >= 0.1 else ""
        words.append(f"{arm} has moved {total:.1f} % of the budget since the fork{top}")
    return f"{'; '.join(words)}."


def draw_shares(table: pd.DataFrame) -> str:
    """Draw a bar per medium and arm beside the one before the fork."""
    arms = sorted(set(table["when"]) - {BEFORE})
    order = [BEFORE, *arms] if BEFORE in set(table["when"]) else arms
    scale = alt.Scale(domain=order, range=[GREY, *COLOURS])
    chart = (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title="Share of the planned budget", axis=alt.Axis(format="%")),
            y=alt.Y("medium:N", title=None),
            yOffset=alt.YOffset("when:N", sort=order),
            color=alt.Color("when:N", title=None, scale=scale, sort=order),
        )
    )
    return svg(chart.properties(width=WIDTH, height=alt.Step(max(8, 30 // len(order)))))


def _factor(answer: Answer) -> tuple[float, str]:
    """Return what brings the primary outcome into its axis' unit, and that unit."""
    outcome = OUTCOMES[answer.comparison.primary]
    times, when = per_year(answer.spec, outcome.name)
    rows = answer.comparison.of(outcome.name).values()
    size = max(abs(x) for row in rows for x in (row.ci_low, row.ci_high, row.margin))
    written = outcome.scale(size * times, 0)
    unit = "points" if outcome.unit == "share" else written.unit
    return times / written.divisor, f"{unit}{when}".strip()


def svg(chart: alt.TopLevelMixin) -> str:
    """Return a chart as SVG, in the look of all pictures."""
    plain = chart.configure(font=FONT, background="white").configure_view(stroke=None)
    styled = plain.configure_axis(labelFontSize=13, titleFontSize=13, titleFontWeight="normal")
    styled = styled.configure_legend(orient="top", labelFontSize=13, columns=3)
    drawn: str = vl_convert.vegalite_to_svg(styled.to_dict())
    return drawn
