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
    "walk with us": ("square", "black"),
    "walk with a rival": ("square", GREY),
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
    used = {*marks["lane"], *walks["lane"], *found.media, WALK, *found.channels}
    order = [*found.media, WALK, *found.channels, "afterwards", "friends"]
    shown = [name for name in order if name in used]
    present = {*marks["kind"], *walks["kind"]}
    kinds = [kind for kind in MARKS if kind in present]
    lane = alt.Y("lane:N", title=None, scale=alt.Scale(domain=shown))
    scale = alt.Scale(domain=[0, found.weeks], nice=False)
    week = alt.X("week:Q", title="Weeks since the fork", scale=scale)
    shapes, colours = ([MARKS[kind][nth] for kind in kinds] for nth in (0, 1))
    # one legend: both say the same of the same words
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=kinds, range=colours))
    shape = alt.Shape("kind:N", title=None, scale=alt.Scale(domain=kinds, range=shapes))
    size = alt.Size("count:Q", legend=None, scale=alt.Scale(domain=[1, 5], range=[25, 100]))
    bars = alt.Chart(walks).mark_bar(height=8).encode(x=week, x2="end:Q", y=lane, color=colour)
    points = (
        alt.Chart(marks)
        .mark_point(filled=True, opacity=0.8)
        .encode(x=week, y=lane, color=colour, shape=shape)
    )
    small = points.transform_filter(alt.datum.kind != "order").encode(size=size)
    big = points.transform_filter(alt.datum.kind == "order").encode(size=alt.value(180))
    chart = alt.layer(bars, small, big)
    return svg(chart.properties(width=WIDTH, height=alt.Step(24)))
