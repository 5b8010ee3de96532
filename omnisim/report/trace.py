"""The page of a trace: one picture of lanes, and the days in words."""

from __future__ import annotations

import altair as alt
import pandas as pd

from omnisim.language import Language, message
from omnisim.report import page, source
from omnisim.report.charts import COLOURS, GREY, WIDTH, svg
from omnisim.spec import DAYS_IN_WEEK
from omnisim.trace import Trace

MARKS = {
    message("contact"): ("circle", COLOURS[4]),
    message("click"): ("triangle-up", COLOURS[1]),
    message("touchpoint"): ("square", COLOURS[0]),
    message("order"): ("diamond", COLOURS[5]),
    message("afterwards"): ("cross", COLOURS[3]),
    message("friends"): ("triangle-down", COLOURS[2]),
    message("walk with us"): ("square", "black"),
    message("walk with a rival"): ("square", GREY),
}
WALKS = {True: message("walk with us"), False: message("walk with a rival")}
WALK, AFTERWARDS, FRIENDS = message("walk"), message("afterwards"), message("friends")


def render(found: Trace, command: str) -> str:
    """Return the page; `command` is what makes it again."""
    words, picture = found.words, source(draw(found))
    return page(
        "trace.html", found=found, words=words, say=words.say, picture=picture, command=command
    )


def lanes(found: Trace) -> pd.DataFrame:
    """Return a row per mark: week (from 0), lane, kind and count."""
    say = found.words.say
    rows = [
        (day.nth / DAYS_IN_WEEK, _lane(event.lane, found.words), say(event.kind), event.count)
        for day in found.days
        for event in day.events
        if event.kind in MARKS
    ]
    return pd.DataFrame(rows, columns=["week", "lane", "kind", "count"])


def _lane(lane: str, words: Language) -> str:
    return words.say(lane) if lane in (WALK, AFTERWARDS, FRIENDS) else words.name(lane)


def draw(found: Trace) -> str:
    """Draw a lane per medium, one of the walks, one per sales channel, and what came after."""
    marks, say = lanes(found), found.words.say
    walks = pd.DataFrame(
        [
            (
                walk.first / DAYS_IN_WEEK,
                (walk.last + 1) / DAYS_IN_WEEK,
                say(WALK),
                say(WALKS[walk.ours]),
            )
            for walk in found.walks
        ],
        columns=["week", "end", "lane", "kind"],
    )
    always = [_lane(name, found.words) for name in (*found.media, WALK, *found.channels)]
    rest = [say(lane) for lane in (AFTERWARDS, FRIENDS)]
    shown = [*always, *(lane for lane in rest if lane in {*marks["lane"]})]
    present = {*marks["kind"], *walks["kind"]}
    kinds = [kind for kind in MARKS if say(kind) in present]
    lane = alt.Y("lane:N", title=None, scale=alt.Scale(domain=shown))
    scale = alt.Scale(domain=[0, found.weeks], nice=False)
    week = alt.X("week:Q", title=say("Weeks since the fork"), scale=scale)
    told = [say(kind) for kind in kinds]
    shapes, colours = ([MARKS[kind][nth] for kind in kinds] for nth in (0, 1))
    # one legend: both say the same of the same words
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=told, range=colours))
    shape = alt.Shape("kind:N", title=None, scale=alt.Scale(domain=told, range=shapes))
    size = alt.Size("count:Q", legend=None, scale=alt.Scale(domain=[1, 5], range=[25, 100]))
    bars = alt.Chart(walks).mark_bar(height=8).encode(x=week, x2="end:Q", y=lane, color=colour)
    points = (
        alt.Chart(marks)
        .mark_point(filled=True, opacity=0.8)
        .encode(x=week, y=lane, color=colour, shape=shape)
    )
    small = points.transform_filter(alt.datum.kind != say("order")).encode(size=size)
    big = points.transform_filter(alt.datum.kind == say("order")).encode(size=alt.value(180))
    chart = alt.layer(bars, small, big)
    return svg(chart.properties(width=WIDTH, height=alt.Step(24)))
