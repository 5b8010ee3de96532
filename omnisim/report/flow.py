"""The picture of flows: by which touchpoints each persona goes, and where it is lost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence

import altair as alt
import numpy as np
import pandas as pd

from omnisim.language import Language
from omnisim.measures import EMPTY
from omnisim.records import ORDERED
from omnisim.report.charts import PARTS, SUM, Key, Panel, Picture, Table, panel, rounded
from omnisim.report.results import Results
from omnisim.spec import STAGES

DRAWN = 6  # personas that are drawn; the table and the data have all
OTHERS, NOWHERE, LOST, DONE = "\0others", "\0nowhere", "\0lost", "\0done"  # no channel's name
NODE, STUB, GAP = 0.06, 0.16, 0.03  # widths in stages, and a part of all journeys
BEND = np.linspace(0.0, 1.0, 9)
SMALL = 0.005  # of a persona's journeys: too thin to be seen
GONE = "#CBD0D8"
ENDS = (*STAGES, ORDERED)


def flow(results: Results, words: Language) -> Picture | None:
    """Return how journeys of every persona go from stage to stage, in the baseline."""
    found = results.table("flows")
    if not len(found):
        return None
    found = found.fillna(dict.fromkeys(STAGES, ""))
    own = found[found["arm"] == results.baseline]
    top, merged = _merged(own)
    personas = _personas(own)
    colours = dict(zip([*top, OTHERS], PARTS, strict=False)) | {NOWHERE: GONE}
    return Picture(
        words.say("Which way do journeys go?"),
        _takeaway(results, words, own, personas),
        words.say(
            "Journeys a year in {arm} from stage to stage, by persona. A bar is the sales channel"
            " in which a stage was passed; the grey end of a bar is lost there.",
            arm=words.plain(results.baseline),
        ),
        [
            _panel(words, persona, merged[merged["persona"] == persona], colours)
            for persona in personas[:DRAWN]
        ],
        _keys(words, merged, colours),
        [_table(results, words, found, personas)],
        {"flows": found},
    )


def _merged(own: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """Return the largest channels, and journeys in which all others are one."""
    sums: dict[str, float] = {}
    for stage in STAGES:
        for channel, journeys in own.groupby(stage)["journeys_year"].sum().items():
            sums[str(channel)] = sums.get(str(channel), 0.0) + float(journeys)
    sums.pop("", None)
    top = sorted(sums, key=lambda name: (-sums[name], name))[: len(PARTS) - 1]

    def shown(name: str) -> str:
        return name if name in top else OTHERS if name else NOWHERE

    return top, own.assign(**{stage: own[stage].map(shown) for stage in STAGES})


def _personas(own: pd.DataFrame) -> list[str]:
    sums = own.groupby("persona")["journeys_year"].sum()
    return [str(name) for name in sums.sort_values(ascending=False, kind="stable").index]


def _keys(words: Language, merged: pd.DataFrame, colours: dict[str, str]) -> list[Key]:
    there = set(merged[list(STAGES)].to_numpy().ravel())
    keys = [
        Key(_label(words, name), colour)
        for name, colour in colours.items()
        if name in there and name != NOWHERE
    ]
    return [*keys, Key(words.say("lost"), GONE)]


def _label(words: Language, name: str) -> str:
    if name == OTHERS:
        return words.say("all others")
    if name == NOWHERE:
        return words.say("nowhere")
    return words.say("ordered") if name == DONE else words.plain(name)


def _panel(words: Language, persona: str, own: pd.DataFrame, colours: dict[str, str]) -> Panel:
    whole = float(own["journeys_year"].sum())
    bars, bands = _laid(words, own, [*colours, DONE], GAP * whole)
    paints = colours | {DONE: SUM, LOST: GONE}
    stages = [*(words.plain(stage) for stage in STAGES), words.say("ordered")]
    axis = alt.Axis(
        values=list(range(len(stages))),
        labelExpr=f"{json.dumps(stages)}[datum.value]",
        labelAlign="left",
        grid=False,
        ticks=False,
        domain=False,
    )
    across = alt.X("x:Q", title=None, scale=alt.Scale(domain=[0, len(STAGES) + 0.4]), axis=axis)
    most = whole * (1 + GAP * len(colours))
    down = alt.Y("y:Q", title=None, axis=None, scale=alt.Scale(domain=[most, 0], nice=False))
    paint = alt.Color("colour:N", legend=None, scale=None)
    tips = [
        alt.Tooltip("way:N", title=words.say("Way")),
        alt.Tooltip("journeys:Q", title=words.say("Journeys a year"), format=",.0f"),
    ]
    flat, bent = (
        rounded(frame.assign(colour=frame["channel"].map(paints)).drop(columns="channel"))
        for frame in (bars, bands)
    )
    ways = alt.Chart(bent).mark_area(opacity=0.4)
    ways = ways.encode(x=across, y=down, y2="y2:Q", detail="way:N", color=paint, tooltip=tips)
    rects = alt.Chart(flat).mark_rect()
    rects = rects.encode(x=across, x2="x2:Q", y=down, y2="y2:Q", color=paint, tooltip=tips)
    done = float(own.loc[own["ended"] == ORDERED, "journeys_year"].sum())
    name = words.plain(persona)
    title = words.say("{persona}: {share} order", persona=name, share=words.percent(done / whole))
    said = words.say("Journeys of {persona} from stage to stage", persona=name)
    return panel(title, said, alt.layer(ways, rects), 190)


def _laid(
    words: Language, own: pd.DataFrame, order: Sequence[str], gap: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return bars and bands of a flow, in journeys down and stages across.

    At every stage a bar per channel in the order of `order`, what is lost there at its
    lower end; bands go on to the bars of the next stage.
    """
    ended = own["ended"].map(ENDS.index)
    column = [own[stage] for stage in STAGES]
    column.append(pd.Series(DONE, index=own.index))
    bars: list[tuple[object, ...]] = []
    bands: list[tuple[object, ...]] = []
    tops: dict[str, float] = {}  # where the next band leaves a bar of the stage before
    for stage, channels in enumerate(column):
        y, leaves, there = 0.0, {}, set(channels[ended >= stage])
        for name in (name for name in order if name in there):
            here = own[(ended >= stage) & (channels == name)]["journeys_year"]
            lost = float(here[ended[here.index] == stage].sum()) if stage < len(STAGES) else 0.0
            on = float(here.sum()) - lost
            label, low = _label(words, name), y
            place = f"{label}, {words.plain(ENDS[stage])}" if stage < len(STAGES) else label
            bars.append((stage, stage + NODE, y, y + on, name, place, on))
            leaves[name] = y
            for came in (came for came in order if came in tops):
                part = float(here[column[stage - 1][here.index] == came].sum())
                way = f"{_label(words, came)} → {label}"
                ends = (tops[came], low)
                tops[came], low = tops[came] + part, low + part
                if part >= SMALL * own["journeys_year"].sum():
                    bands += _band(stage, ends, part, came, way)
            if lost:
                gone = words.say("{place}: lost", place=place)
                bars.append((stage, stage + STUB, y + on, y + on + lost, LOST, gone, lost))
            y += on + lost + gap
        tops = leaves
    return (
        pd.DataFrame(bars, columns=["x", "x2", "y", "y2", "channel", "way", "journeys"]),
        pd.DataFrame(bands, columns=["x", "y", "y2", "channel", "way", "journeys"]),
    )


def _band(
    stage: int, ends: tuple[float, float], part: float, channel: str, way: str
) -> Iterator[tuple[object, ...]]:
    """Yield the points of a band from the stage before; level where it leaves and arrives."""
    start, slope = stage - 1 + NODE, 3 * BEND**2 - 2 * BEND**3
    for along, y in zip(BEND, ends[0] + (ends[1] - ends[0]) * slope, strict=True):
        x = start + (1 - NODE) * along
        yield float(x), float(y), float(y + part), channel, f"{way} ({stage})", part


def _takeaway(results: Results, words: Language, own: pd.DataFrame, personas: Sequence[str]) -> str:
    """Return which persona orders least of its journeys, and where most of them are lost."""
    if len(personas) < 2:
        return ""
    shares = {name: _ordered(own[own["persona"] == name]) for name in personas}
    worst = min(personas, key=lambda name: shares[name])
    return words.say(
        "In {arm}, {persona} order least: {share} of their journeys. More are lost at {link} than"
        " anywhere else.",
        arm=words.plain(results.baseline),
        persona=words.plain(worst),
        share=words.percent(shares[worst]),
        link=_weakest(words, own[own["persona"] == worst]),
    )


def _ordered(own: pd.DataFrame) -> float:
    ordered = own.loc[own["ended"] == ORDERED, "journeys_year"].sum()
    return float(ordered / own["journeys_year"].sum())


def _weakest(words: Language, own: pd.DataFrame) -> str:
    """Return the touchpoint at which most journeys are lost, and its share of all that are."""
    sums: dict[tuple[str, str], float] = {}
    for stage in map(str, STAGES):
        gone = own[(own["ended"] == stage) & (own[stage] != "")]
        for channel, journeys in gone.groupby(stage)["journeys_year"].sum().items():
            sums[str(channel), stage] = float(journeys)
    if not sums:
        return EMPTY
    channel, at = max(sorted(sums), key=lambda link: sums[link])
    lost = own.loc[own["ended"] != ORDERED, "journeys_year"].sum()
    return words.say(
        "{channel}, {stage} ({share})",
        channel=words.plain(channel),
        stage=words.plain(at),
        share=words.percent(sums[channel, at] / lost),
    )


def _commonest(words: Language, own: pd.DataFrame) -> str:
    """Return the way that most orders take."""
    ordered = own[own["ended"] == ORDERED]
    if not len(ordered):
        return EMPTY
    most = ordered.sort_values("journeys_year", kind="stable").iloc[-1]
    way = [str(most[stage]) for stage in STAGES]
    return " → ".join(words.plain(name) for name, _ in itertools.groupby(way))


def _table(
    results: Results, words: Language, found: pd.DataFrame, personas: Sequence[str]
) -> Table:
    rows = []
    for persona in personas:
        for arm in results.arms:
            own = found[(found["persona"] == persona) & (found["arm"] == arm)]
            if not len(own):
                continue
            journeys = words.number(float(own["journeys_year"].sum()))
            told = (_commonest(words, own), _weakest(words, own))
            share = words.percent(_ordered(own), 1)
            rows.append([words.plain(persona), words.plain(arm), *told, journeys, share])
    heads = [
        *(words.say("Persona"), words.say("Arm"), words.say("Usual way of an order")),
        *(words.say("Weakest link (of all lost)"), words.say("Journeys a year")),
        words.say("ordered"),
    ]
    return Table(words.say("Journeys with us by persona."), heads, rows, texts=4)
