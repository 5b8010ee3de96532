"""Flows: journeys by the touchpoints that they pass, beside the ledgers that count them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from omnisim import config, flows
from omnisim.language import ENGLISH
from omnisim.records import FLOW_COLUMNS, ORDERED, Records
from omnisim.report.flow import flow
from omnisim.report.results import read
from omnisim.simulation import simulate
from omnisim.spec import STAGES, ExperimentSpec
from tests.stored import everything

SHORT = ["market.people=3000", "horizon.history_weeks=8", "horizon.weeks=26", "truth=none"]


@pytest.fixture(scope="module")
def lived() -> tuple[ExperimentSpec, list[Records]]:
    spec, _ = config.load(SHORT)
    return spec, list(simulate(spec, 0).values())


def test_journeys_add_up_to_what_the_ledgers_count(
    lived: tuple[ExperimentSpec, list[Records]],
) -> None:
    for book in lived[1]:
        company = book.company[book.company["week"] >= 0].sum()
        by_end = book.flows.groupby("ended")["journeys"].sum()
        assert {stage: company[f"lost_{stage}"] for stage in STAGES} == pytest.approx(
            {stage: by_end.get(stage, 0.0) for stage in STAGES}
        )
        weekly = book.weekly[(book.weekly["week"] >= 0) & (book.weekly["kind"] == "sales")]
        sums = weekly.groupby("channel").sum(numeric_only=True)
        for column, stage, end in (
            ("orders", "buy", ORDERED),
            *((f"lost_{stage}", stage, stage) for stage in STAGES),
        ):
            here = book.flows[(book.flows["ended"] == end) & (book.flows[stage] != "")]
            told = here.groupby(stage)["journeys"].sum()
            assert told.to_dict() == pytest.approx(sums.loc[sums[column] > 0, column].to_dict())


def test_a_journey_has_a_channel_in_every_stage_that_it_passed_and_none_later(
    lived: tuple[ExperimentSpec, list[Records]],
) -> None:
    for book in lived[1]:
        assert len(book.flows)
        for nth, end in enumerate((*STAGES, ORDERED)):
            ended = book.flows[book.flows["ended"] == end]
            assert len(ended)
            assert (ended[list(STAGES[:nth])] != "").all(axis=None)
            assert (ended[list(STAGES[nth + 1 :])] == "").all(axis=None)


def test_flows_are_means_of_a_year(lived: tuple[ExperimentSpec, list[Records]]) -> None:
    spec, books = lived
    told = flows.table(spec, [*books, *books])
    assert set(told["arm"]) == set(spec.arms)
    for book in books:
        own = told[told["arm"] == book.arm]
        assert own["journeys_year"].sum() == pytest.approx(2 * book.flows["journeys"].sum())


def test_curves_have_no_journeys() -> None:
    spec, _ = config.load(["experiment=textbook", "truth=none"])
    book = Records("siloed", 0, pd.DataFrame(), pd.DataFrame())
    told = flows.table(spec, [book])
    assert not len(told)
    assert list(told)[1:-1] == list(FLOW_COLUMNS[:-1])


def test_the_picture_loses_and_keeps_what_the_file_says(tmp_path: Path) -> None:
    picture = flow(read(everything(tmp_path)), ENGLISH)
    assert picture is not None
    assert [panel.title for panel in picture.panels] == [
        "regulars: 60 % order",
        "hunters: 20 % order",
    ]
    bars = [row for row in _rows(picture.panels[0].drawing) if "x2" in row]
    last = [row for row in bars if row["x"] == len(STAGES)]
    assert [row["journeys"] for row in last] == [60_000]
    assert sum(row["journeys"] for row in bars if row["way"].endswith(": lost")) == 40_000
    assert all(row["y2"] - row["y"] == pytest.approx(row["journeys"]) for row in bars)


def _rows(drawing: object) -> list[dict[str, Any]]:
    found = drawing["datasets"].values() if isinstance(drawing, dict) else ()
    return [row for rows in found for row in rows]
