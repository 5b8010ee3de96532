"""Pictures: their parts, their look, and how they become what a page can draw."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

# Told apart by everybody, in grey too by their dashes, and dark enough to be read on white.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]
ARMS = ["#B45309", "#0072B2", "#117733", "#AA3377", "#111827", "#2A8C82"]
SHAPES = ["circle", "diamond", "square", "triangle-up", "cross"]
DASHES = [[1, 0], [7, 3], [2, 2], [9, 3, 2, 3]]
DRAWN = 8  # arms that are drawn as lines; tables and data have all
PARTS = ["#0072B2", "#D55E00", "#117733", "#AA3377", "#8A6D00", "#9CA3AF"]
GREY = "#6b7280"
INK = "#111827"
PALE = "#e5e7eb"
GAIN, LOSS, SUM = "#117733", "#B3261E", "#374151"
WIDTH = 400
FONT = "system-ui, sans-serif"
LOOK = {
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": PALE,
        "labelLimit": 150,  # a longer name is cut with dots; its whole stands in the data
        "labelOverlap": True,
    },
}
ROW = 26  # pixels of a row of a chart whose rows are names
DIGITS = 6  # that a chart's numbers keep


@dataclass(frozen=True)
class Table:
    """A table as text: what it is, heads, rows that begin with their own head.

    `strong` is the row that matters most, `texts` how many columns are no numbers.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    strong: int | None = None
    texts: int = 1


@dataclass(frozen=True)
class Panel:
    """One drawing: its title, words for those who do not see it, a Vega-Lite specification."""

    title: str
    words: str
    drawing: Mapping[str, Any]


@dataclass(frozen=True)
class Key:
    """What a colour stands for."""

    label: str
    colour: str
    dash: str = ""
    shape: str = ""


@dataclass(frozen=True)
class Picture:
    """What is shown under one head: a sentence of what one sees, drawings, tables, data.

    An empty takeaway says that the numbers say nothing; `note` explains how to read it.
    """

    title: str
    takeaway: str
    note: str = ""
    panels: Sequence[Panel] = ()
    keys: Sequence[Key] = ()
    tables: Sequence[Table] = ()
    data: Mapping[str, pd.DataFrame] | None = None

    @property
    def downloads(self) -> dict[str, str]:
        """Return the data of the drawings as files that the page itself holds."""
        return {f"{name}.csv": csv(frame) for name, frame in (self.data or {}).items()}


def csv(frame: pd.DataFrame) -> str:
    """Return a table as what a link loads from the page itself."""
    text = inert(frame).to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def inert(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text is a formula to the program that opens it."""
    texts = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    return frame.assign(**{str(name): frame[name].map(harmless) for name in texts})


def harmless(value: object) -> object:
    """Return text that a spreadsheet takes for a formula with an apostrophe before it."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def told(said: Sequence[str]) -> str:
    """Return findings as one sentence, "" if there are none."""
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if said else ""


def arm_keys(labels: Sequence[str]) -> list[Key]:
    """Return colour and dash of every arm, the baseline first."""
    return [
        Key(label, ARMS[nth % len(ARMS)], " ".join(map(str, DASHES[nth % len(DASHES)])))
        for nth, label in enumerate(labels)
    ]


def arm_scales(arms: Sequence[str]) -> tuple[alt.Color, alt.StrokeDash]:
    """Return how the column `arm` is coloured and dashed; the page has the legend."""
    colours = [ARMS[nth % len(ARMS)] for nth in range(len(arms))]
    dashes = [DASHES[nth % len(DASHES)] for nth in range(len(arms))]
    colour = alt.Color("arm:N", legend=None, scale=alt.Scale(domain=list(arms), range=colours))
    dash = alt.StrokeDash("arm:N", legend=None, scale=alt.Scale(domain=list(arms), range=dashes))
    return colour, dash


def arm_lines(
    frame: pd.DataFrame, labels: Mapping[str, str], across: str, low: alt.Y
) -> tuple[alt.Chart, alt.Chart]:
    """Return bands and lines of means over the weeks, for the arms that have a label.

    `frame` has the columns arm, week, mean, low and high; `across` is the title of the weeks.
    """
    colour, dash = arm_scales(list(labels.values()))
    weeks = alt.X(
        "week:Q",
        title=across,
        scale=alt.Scale(nice=False),
        axis=alt.Axis(grid=False, tickCount=8),
    )
    own = frame[frame["arm"].isin(list(labels))]
    own = own.assign(arm=own["arm"].map(dict(labels)))
    base = alt.Chart(rounded(own)).encode(x=weeks, color=colour)
    band = base.mark_area(opacity=0.18).encode(y=low, y2="high:Q")
    return band, base.mark_line(strokeWidth=1.8).encode(y="mean:Q", strokeDash=dash)


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose numbers have the digits that a drawing can show."""

    def cut(value: float) -> float:
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else math.nan

    numbers = frame.select_dtypes("float")
    return frame.assign(**{str(name): column.map(cut) for name, column in numbers.items()})


def panel(title: str, words: str, chart: alt.TopLevelMixin, height: float) -> Panel:
    """Return a drawing as wide as its place on the page."""
    # what is said here in plain words would copy all data once for each of Altair's methods
    drawing = chart.to_dict(validate=False)
    sized = {"width": "container", "height": height, "background": "transparent"}
    return Panel(title, words, drawing | sized | {"config": LOOK})


def svg(chart: alt.TopLevelMixin) -> str:
    """Return a chart as SVG, drawn without a browser."""
    plain = chart.configure(font=FONT, background="white").configure_view(stroke=None)
    styled = plain.configure_axis(labelFontSize=13, titleFontSize=13, titleFontWeight="normal")
    styled = styled.configure_legend(orient="top", labelFontSize=13, columns=3)
    # the one who draws measures another font than the one who shows: leave room for it
    drawn: str = vl_convert.vegalite_to_svg(styled.properties(padding=12).to_dict())
    return drawn
