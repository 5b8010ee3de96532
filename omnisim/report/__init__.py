"""Pages of HTML that need nothing else: the report of an answer, a trace, and the inventory."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from omnisim.files import whole
from omnisim.language import ENGLISH, Language

# Pictures and evidence import pandas and more, which the inventory's page does without.
if TYPE_CHECKING:
    from omnisim.report.charts import Picture
    from omnisim.report.results import Results

# the marks of charts as paths of a legend
SHAPES = {
    "circle": "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0 -6 0Z",
    "diamond": "M0 -7L6 0L0 7L-6 0Z",
    "square": "M-5 -5H5V5H-5Z",
    "triangle-up": "M0 -6L6 5H-6Z",
    "cross": "M-2 -6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z",
}
# Pictures whose sentences say why, on page one.
WHY = ("price", "placed", "shares", "claimed")
# Spaces between a number and its unit, in any language.
GLUE = re.compile(
    r"(?<=EUR) (?=[+-]?\d)|(?<=±) (?=\d)|(?<=\d) (?=(?:%|m|k|Mio\.|Tsd\.|EUR)(?!\w))"
    r"|(?<=Mio\.) (?=EUR)|(?<=Tsd\.) (?=EUR)"
)
PAGE, WORKBOOK = "report.html", "summary.xlsx"


def page(template: str, **words: object) -> str:
    """Return a template of this folder filled in; whatever the words hold is text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**words).lstrip()


def _unbroken(value: object) -> object:
    """Return text in which no line ends between a number and its unit."""
    return GLUE.sub("\N{NO-BREAK SPACE}", value) if type(value) is str else value


def source(svg: str) -> str:
    """Return a picture as what an image loads from the page itself."""
    # an image cannot run scripts and brings its own size along
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def write(folder: Path, words: Language = ENGLISH) -> Path:
    """Write page and workbook from the files of a results folder; raise Unreadable, Unwritable."""
    from omnisim.report import workbook
    from omnisim.report.results import read

    results = read(folder)
    made = {PAGE: render(results, words).encode(), WORKBOOK: workbook.written(results, words)}
    for name, content in made.items():
        with whole(folder / name) as file:
            file.write(content)
    return folder / PAGE


def render(results: Results, words: Language = ENGLISH) -> str:
    """Return the report: page one, then each picture with what one sees in it."""
    from omnisim.report import bundle
    from omnisim.report.assumptions import assumed
    from omnisim.report.front import front

    found = _pictures(results, words)
    pictures = list(found.values())
    why = [found[name].takeaway for name in WHY if name in found and found[name].takeaway]
    charts = {
        f"c{outer}-{inner}": panel.drawing
        for outer, picture in enumerate(pictures, 1)
        for inner, panel in enumerate(picture.panels, 1)
    }
    return page(
        "report.html",
        words=words,
        say=words.say,
        question=words.say(str(results.plan["question"])),
        front=front(results, words),
        why=why,
        about=_about(results, words),
        pictures=pictures,
        shapes=SHAPES,
        assumed=assumed(results, words),
        command=results.provenance.get("command", ""),
        bundle=bundle.javascript(),
        charts={
            "charts": charts,
            "numbers": words.vega(),
            "copied": words.say("Copied"),
            "failed": words.say("This chart cannot be drawn here."),
        },
    )


def _pictures(results: Results, words: Language) -> dict[str, Picture]:
    """Return the pictures whose tables are there, by what they show, in their order."""
    from omnisim.report import credit, differences, flow, journeys, placement, silos

    asked = (
        differences.compared,
        differences.by_week,
        placement.placed,
        placement.winners,
        credit.claimed,
        credit.believed,
        placement.shares,
        silos.price,
        silos.response,
        journeys.walked,
        flow.flow,
        journeys.customers,
    )
    found = {picture.__name__: picture(results, words) for picture in asked}
    return {name: picture for name, picture in found.items() if picture is not None}


def _about(results: Results, words: Language) -> str:
    return words.say(
        "Simulated, not observed: {weeks} weeks in each arm, {replications} replications, seed"
        " {seed}, experiment {experiment}. A verdict speaks about this market under these"
        " assumptions.",
        weeks=results.weeks,
        replications=results.comparison.replications,
        seed=results.summary["seed"],
        experiment=results.summary["experiment"],
    )
