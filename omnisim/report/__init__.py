"""Pages of HTML that need nothing else: the report of an answer, and the inventory."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

# Pictures and evidence import pandas and more, which the inventory's page does without.
if TYPE_CHECKING:
    from omnisim.comparison import Line
    from omnisim.experiment import Answer
    from omnisim.misallocation import Gap, LastEuro

Cell = TypeVar("Cell", "Gap", "LastEuro")


@dataclass(frozen=True)
class Figure:
    """One picture: what it shows, what one sees in it, and the picture itself."""

    title: str
    takeaway: str
    source: str


def page(template: str, **words: object) -> str:
    """Return a template of this folder filled in; whatever the words hold is text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**words)


def render(answer: Answer, command: str, notes: Sequence[str] = ()) -> str:
    """Return the page: verdict, table, two pictures, what was assumed.

    `command` is what makes it all again; `notes` are further sentences on the verdict.
    """
    comparison = answer.comparison
    lines: dict[str, Line] = {outcome: comparison.line(outcome) for outcome in comparison.headline}
    return page(
        "report.html",
        spec=answer.spec,
        comparison=comparison,
        lines=lines,
        yardsticks=list(dict.fromkeys(gap.against for gap in answer.gaps)),
        gaps=_nested((gap.policy, gap.against, gap) for gap in answer.gaps),
        euros=_nested((euro.channel, euro.arm, euro) for euro in answer.last_euros),
        figures=_figures(answer),
        command=command,
        notes=notes,
    )


def _nested(found: Iterable[tuple[str, str, Cell]]) -> dict[str, dict[str, Cell]]:
    rows: dict[str, dict[str, Cell]] = {}
    for row, column, cell in found:
        rows.setdefault(row, {})[column] = cell
    return rows


def _figures(answer: Answer) -> list[Figure]:
    from omnisim.report import charts

    pictures = []
    main = answer.comparison.of(answer.comparison.primary).values()
    if main and all(row.verdict for row in main):
        pairs = charts.pairs(answer)
        pictures.append(
            Figure(
                "The main difference, replication by replication",
                charts.takeaway_of_pairs(answer, pairs),
                source(charts.draw_pairs(answer, pairs)),
            )
        )
    if answer.spec.market.media:
        shares = charts.shares(answer)
        pictures.append(
            Figure(
                "Where the money goes",
                charts.takeaway_of_shares(answer, shares),
                source(charts.draw_shares(shares)),
            )
        )
    return pictures


def source(svg: str) -> str:
    """Return a picture as what an image loads from the page itself."""
    # an image cannot run scripts and brings its own size along
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
