"""The page of a trace: one picture of lanes, and the days in words."""

from __future__ import annotations

import altair as alt
import pandas as pd

from omnisim.report import page, source
from omnisim.report.charts import COLOURS, GREY, WIDTH, svg
from omnisim.spec import DAYS_IN_WEEK
from omnisim.trace import Trace

MARKS = {
    "contact": ("circle", COLOURS[4]),
    "click": ("triangle-up", COLOURS[1]),
    "touchpoint": ("square", COLOURS[0]),
    "order": ("diamond", COLOURS[5]),
    "afterwards": ("cross", COLOURS[3]),
    "friends": ("triangle-down", COLOURS[2]),
}
WALKS = {True: "walk with us", False: "walk with a rival"}
WALK = "walk"


def render(found: Trace, command: str) -> str:
    """Return the page; `command` is what makes it again."""
    return page("trace.html", found=found, picture=source(draw(found)), command=command)


def lanes(found: Trace) -> pd.DataFrame:
    """Return a row per mark: week (from 0), lane, kind and count."""
    rows = [
        (day.nth / DAYS_IN_WEEK, event.lane, event.kind, event.count)
        for day in found.days
        for event in day.events
        if event.kind in MARKS
    ]
    return pd.DataFrame(rows, columns=["week", "lane", "kind", "count"])


def draw(found: Trace) -> str:
    """Draw a lane per medium, one of the walks, one per sales channel, and what came after."""
    marks = lanes(found)
    walks = pd.DataFrame(
        [
            (walk.first / DAYS_IN_WEEK, (walk.last + 1) / DAYS_IN_WEEK, WALK, WALKS[walk.ours])
            for walk in found.walks
        ],
        columns=["week", "end", "lane", "kind"],
    )
    used = set(marks["lane"]) | set(walks["lane"])
    order = [*found.media, WALK, *found.channels, "afterwards", "friends"]
    shown = [name for name in order if name in used or name not in ("afterwards", "friends")]
    kinds = [kind for kind in MARKS if kind in set(marks["kind"])]
    lane = alt.Y("lane:N", title=None, sort=shown, scale=alt.Scale(domain=shown))
    scale = alt.Scale(domain=[0, found.weeks], nice=False)
    week = alt.X("week:Q", title="weeks since the fork", scale=scale)
    bars = (
        alt.Chart(walks)
        .mark_bar(height=10)
        .encode(
            x=week, x2="end:Q", y=lane, color=_colours({WALKS[True]: "black", WALKS[False]: GREY})
        )
    )
    points = (
        alt.Chart(marks)
        .mark_point(filled=True, opacity=0.8)
        .encode(
            x=week,
            y=lane,
            color=_colours({kind: MARKS[kind][1] for kind in kinds}),
            shape=alt.Shape(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=kinds, range=[MARKS[kind][0] for kind in kinds]),
            ),
            size=alt.Size("count:Q", legend=None, scale=alt.Scale(domain=[1, 5], range=[30, 120])),
        )
    )
    chart = alt.layer(bars, points).resolve_scale(color="independent")
    return svg(chart.properties(width=WIDTH, height=alt.Step(24)))


def _colours(by_kind: dict[str, str]) -> alt.Color:
    scale = alt.Scale(domain=list(by_kind), range=list(by_kind.values()))
    return alt.Color("kind:N", title=None, scale=scale)
