from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from omnisim.comparison import compare
from omnisim.experiment import Answer
from omnisim.measures import measure
from omnisim.records import Records
from omnisim.report import charts, render
from tests.ledgers import a_spec, some_records

HOSTILE = """<script>alert("x")</script> & 'quotes' {{ 7 * 7 }} {% raw %}"""


def an_answer(replications: int = 4, **changes: Any) -> Answer:
    spec = a_spec(**changes)
    records = tuple(
        some_records(spec, arm, r, lift=0.01 * (1 + r % 3) * (arm != "siloed"))
        for arm in sorted(spec.arms)
        for r in range(replications)
    )
    measures = measure(spec, records)
    return Answer(spec, records, measures, compare(spec, measures), replications)


class Page(HTMLParser):
    """What a reader would load, and the pictures with their texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.pictures: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag would load."""
        known = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.loads += [known[name] for name in ("src", "href") if name in known]
        if tag == "img":
            svg = base64.b64decode(known["src"].removeprefix("data:image/svg+xml;base64,"))
            self.pictures[known["alt"]] = svg.decode()


def test_the_page_says_the_verdict_and_the_numbers_of_the_table() -> None:
    answer = an_answer()
    page = render(answer, "python -m omnisim", ["The split is 3 % off."])
    assert answer.comparison.verdict.replace("'", "&#39;") in page
    assert "The split is 3 % off." in page
    line = answer.comparison.line("contribution")
    for text in (line.label, *line.levels.values(), *line.differences.values()):
        assert text in page


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    text = render(an_answer(), "python -m omnisim")
    page = Page(text)
    assert page.loads
    assert all(source.startswith("data:image/svg+xml") for source in page.loads)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert "url(" not in text
    for svg in page.pictures.values():
        assert "<script" not in svg
        assert not re.search(r'(href|src)="http', svg)
    assert len(text) < 500_000


def test_every_picture_has_words_for_those_who_do_not_see_it() -> None:
    pictures = Page(render(an_answer(), "python -m omnisim")).pictures
    assert len(pictures) == 2
    first, second = pictures
    assert "central is above siloed in 4 of 4 replications" in first
    assert "central has moved 0.9 % of the budget since the fork, most of it from tv" in second


def test_hostile_words_are_shown_and_do_nothing() -> None:
    answer = an_answer(question=HOSTILE, hypothesis=HOSTILE, decision_rule=HOSTILE)
    text = render(answer, HOSTILE, [HOSTILE])
    page = Page(text)
    assert "script" not in page.tags
    assert text.count("&lt;script&gt;") == 6
    assert "{{ 7 * 7 }}" in text


def test_several_arms_have_a_column_each() -> None:
    arms = a_spec().model_dump()["arms"]
    crowd = dict.fromkeys([f"arm{i}" for i in range(9)], arms["central"])
    page = Page(render(an_answer(arms={"siloed": arms["siloed"], **crowd}), "x"))
    assert page.tags.count("th") >= 1 + 10 + 2 * 9
    assert len(page.pictures) == 2


@pytest.mark.parametrize("primary", ["orders", "cpo", "churn", "contribution_last_26"])
def test_any_outcome_can_be_the_primary_one(primary: str) -> None:
    assert len(Page(render(an_answer(outcomes={"primary": primary}), "x")).pictures) == 2


def test_the_dots_are_what_the_verdict_is_about() -> None:
    answer = an_answer()
    gaps = charts.pairs(answer)
    row = answer.comparison.of("contribution")["central"]
    assert gaps["value"].mean() * 1e3 * 2 == pytest.approx(row.difference)  # EUR k a year


def test_one_arm_has_no_dots_and_a_market_without_media_no_budget() -> None:
    arms = a_spec().model_dump()["arms"]
    alone = Page(render(an_answer(arms={"siloed": arms["siloed"]}), "x"))
    assert len(alone.pictures) == 1
    young = Page(render(an_answer(horizon={"history_weeks": 0, "weeks": 10}), "x"))
    assert len(young.pictures) == 2
    market = a_spec().model_dump()["market"] | {"media": {}, "budget": 0, "splits": {}}
    organigram = {"sales": {"owns": ["shop", "store"]}}
    strategy = arms["siloed"] | {"organigram": organigram}
    answer = an_answer(
        market=market, status_quo=strategy, arms={"siloed": strategy, "other": strategy}
    )
    assert len(Page(render(answer, "x")).pictures) == 1


def test_an_empty_outcome_is_a_dash() -> None:
    answer = an_answer(outcomes={"primary": "cpo_new"})
    records = tuple(
        Records(
            r.arm,
            r.replication,
            r.weekly.assign(new_customers=0.0, expected_new_customers=0.0),
            r.company,
        )
        for r in answer.records
    )
    measures = measure(answer.spec, records)
    empty = Answer(answer.spec, records, measures, compare(answer.spec, measures), 0)
    text = render(empty, "x")
    assert "<td>–</td>" in text
    assert "nan" not in text.lower().replace("finance", "")
    assert len(Page(text).pictures) == 1
