from __future__ import annotations

import base64
import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from omnisim import report
from omnisim.__main__ import main
from omnisim.language import LANGUAGES, language
from omnisim.measures import OUTCOMES
from omnisim.report import differences, placement, workbook
from omnisim.report.front import front
from omnisim.report.results import read
from tests.ledgers import a_spec
from tests.stored import an_answer, everything, stored

HOSTILE = """<script>alert("x")</script> & 'quotes' {{ 7 * 7 }} {% raw %} {0}"""
ENGLISH, GERMAN = language("en"), language("de")


class Page(HTMLParser):
    """What a reader sees and a browser loads: texts, tags, links, cells of tables, charts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.heads: list[str] = []
        self.pictures: dict[str, str] = {}
        self.drawings: list[str] = []
        self.files: dict[str, str] = {}
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag would load, and the files that the page holds."""
        known = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self._inside.append(tag)
        self.loads += [known[name] for name in ("src", "href") if name in known]
        if known.get("role") == "img":
            self.drawings.append(known["aria-label"])
        if tag == "img":
            svg = base64.b64decode(known["src"].removeprefix("data:image/svg+xml;base64,"))
            self.pictures[known["alt"]] = svg.decode()
        if "download" in known:
            self.files[known["download"]] = known["href"].partition("base64,")[2]

    def handle_data(self, data: str) -> None:
        """Note what is shown."""
        inside = self._inside[-1] if self._inside else ""
        if inside not in ("script", "style"):
            self.words.append(" ".join(data.split()))
            self.heads += [data] if inside == "h2" else []

    def handle_endtag(self, tag: str) -> None:
        """Forget the innermost tag."""
        while self._inside and self._inside.pop() != tag:
            pass

    @property
    def text(self) -> str:
        """Return all that is shown."""
        return " ".join(word for word in self.words if word)

    def file(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a file that the page holds."""
        return list(csv.DictReader(io.StringIO(base64.b64decode(self.files[name]).decode())))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return everything(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def page(whole: Path) -> Page:
    return Page(report.render(read(whole)))


def charts(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', text, re.S)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


def test_the_page_says_the_verdict_and_the_numbers_of_the_table(whole: Path, page: Page) -> None:
    comparison = read(whole).comparison
    assert comparison.verdict in page.text
    line = comparison.line("contribution")
    for text in (line.label, *line.levels.values(), *line.differences.values()):
        assert text in page.words


def test_page_one_has_the_price_the_moves_the_losers_and_the_break_even(page: Page) -> None:
    front = page.text.partition("1. What each arm brings")[0]
    for words in (
        "EUR 1.23 m a year",
        "best fixed split of the same budget would earn EUR 400 k a year more than siloed; central"
        " wins 75 % of it",
        "98,800 more orders a year",
        "EUR 346 k less a year",
        "4 of 4 replications",
        "EUR 123 k",
        "EUR +45.7 k",
        "brand is paid less under central",
        "From silos to the best steering: EUR 550 k a year (EUR 510 k to EUR 590 k)",
        "missing integration less what links cost EUR +685 k",
        "truth=full replications.min=15 would tell it to about ± 10 %",
        "Tried, not sure to gain: search → tv (EUR +5,678)",
        "beside media: central steering stops paying at EUR 900 k a year (today EUR 0 a year)",
        "Noise of its reports: central steering pays at no setting that was tried",
        "pays at every setting that was tried, up to 8 weeks",
        "With market.start=survey, against siloed: central EUR +91 k contribution a year"
        " (EUR 12 to 171 k): undecided",
        "departments claim 500 % of the orders that marketing causes",
    ):
        assert words.casefold() in front.casefold(), words


def test_every_picture_is_there_and_says_what_one_sees(page: Page) -> None:
    heads = [head.partition(". ")[2] for head in page.heads if head[:1].isdigit()]
    assert heads == [
        "What each arm brings",
        "Week by week",
        "The silo picture: what the next order costs",
        "Who wins and who loses",
        "Who claims what",
        "What the rule believed, and what was true",
        "Where the money goes",
        "The price of silos, part by part",
        "Response curves: where is the limit?",
        "Journeys: where are people lost?",
        "Which way do journeys go?",
        "Customers: won, kept, lost",
        "What was asked and assumed",
    ]
    for takeaway in (
        "central is above siloed in 4 of 4 replications",
        "the next order costs EUR 12 by search and EUR 43 by tv",
        "departments claim 500 % of the orders that marketing causes",
        "is believed to cost EUR 9.5 and costs EUR 43 within a year",
        "are frozen” (EUR 300 k) and “Orders that no report shows” (EUR 200 k)",
        "Part of one's own",
        "More money still pays for search",
        "beyond its limit: tv",
        "siloed loses more journeys at store, evaluate than anywhere else",
        "hunters order least: 20 % of their journeys. More are lost at shop, buy (88 %) than",
    ):
        assert takeaway.casefold() in page.text.casefold(), takeaway
    assert len(page.drawings) > 15
    assert all(page.drawings)


def test_moves_of_which_none_surely_gains_are_named_without_a_table(tmp_path: Path) -> None:
    folder = everything(tmp_path)
    moves = pd.read_csv(folder / "first_moves.csv")
    moves.assign(ci_low=-1.0).to_csv(folder / "first_moves.csv", index=False)
    text = Page(report.render(read(folder))).text
    assert "Tried, not sure to gain: tv → search (EUR +45.7 k) and search → tv" in text
    assert "Gain a year" not in text


def test_a_large_medium_of_which_little_is_known_is_named(tmp_path: Path) -> None:
    folder = everything(tmp_path)
    summary = json.loads((folder / "summary.json").read_text())
    for euro in summary["marginal_cpo"]:
        if (euro["arm"], euro["channel"]) == ("central", "tv"):
            euro["error"] = 3.0
    (folder / "summary.json").write_text(json.dumps(summary))
    picture = placement.placed(read(folder), ENGLISH)
    assert picture is not None
    assert "central: what the next order costs by tv, which has 67 % of" in picture.takeaway
    assert "Siloed: the next order costs EUR 12 by search and EUR 43 by tv" in picture.takeaway
    assert [row[3][:1] for row in picture.tables[1].rows] == ["~", "1"]


def test_numbers_on_the_page_come_from_the_files(whole: Path, page: Page) -> None:
    cut = pd.read_csv(whole / "price_of_silos.csv")
    told = [float(row["eur_year"]) for row in page.file("price_of_silos.csv")]
    assert told == pytest.approx(cut["eur_year"].to_list(), rel=1e-5)
    measures = pd.read_csv(whole / "measures.csv", keep_default_na=False)
    mine = measures[(measures["outcome"] == "expected_contribution") & (measures["channel"] == "")]
    wide = mine.assign(value=mine["value"].astype(float)).pivot(
        index="replication", columns="arm", values="value"
    )
    gaps = ((wide["central"] - wide["siloed"]) / 2).to_list()  # two years
    dots = [float(row["value"]) for row in page.file("differences.csv")]
    assert dots == pytest.approx(gaps, rel=1e-5)
    weekly = pd.read_parquet(whole / "weekly.parquet")
    one = weekly[(weekly["week"] == 7) & (weekly["arm"] == "central")]
    mean = one["expected_revenue_gross"].sum() / 4 / 1e6
    shown = [
        float(row["mean"])
        for row in page.file("weeks.csv")
        if (row["what"], row["arm"], row["week"]) == ("revenue", "central", "7")
    ]
    assert shown == pytest.approx([mean], rel=1e-5)


def test_a_changed_file_changes_the_page(whole: Path, tmp_path: Path) -> None:
    folder = everything(tmp_path)
    told = (folder / "summary.json").read_text()
    (folder / "summary.json").write_text(told.replace("1234567.0", "7654321.0"))
    assert front(read(folder), ENGLISH).facts[0].value == "EUR 7.65 m a year"
    assert front(read(whole), ENGLISH).facts[0].value == "EUR 1.23 m a year"


def test_the_page_loads_nothing_and_is_small(whole: Path, page: Page) -> None:
    assert all(link.startswith(("#", "data:text/csv")) for link in page.loads)
    assert not {"link", "iframe", "object", "img"} & set(page.tags)
    assert len(report.render(read(whole)).encode()) < 2_000_000


def test_takeaways_are_silent_where_the_numbers_say_nothing(tmp_path: Path) -> None:
    text = Page(report.render(read(stored(tmp_path, an_answer(lift=0.0))))).text
    assert "is above" not in text
    assert "is below" not in text
    assert "In the last half-year" not in text
    assert "has moved" not in text
    assert "Held against" not in text


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    name = f"{HOSTILE} קטלוג אחורה {'🦊' * 40} {'x' * 300}"
    folder = everything(
        tmp_path,
        an_answer(question=HOSTILE, hypothesis=HOSTILE),
        tv=name,
        central=name,
        regulars=name,
    )
    text = report.render(read(folder))
    shown = Page(text)
    assert shown.tags.count("script") == 3  # the bundle, the charts, what draws them
    assert name.replace("_", " ") in shown.words
    assert HOSTILE in shown.words
    assert name in json.dumps(charts(text), ensure_ascii=False).replace('\\"', '"')
    assert [row["channel"] for row in shown.file("marginal_cpo.csv")].count(name) == 2


def test_several_arms_have_a_column_each(tmp_path: Path) -> None:
    arms = a_spec().model_dump()["arms"]
    crowd = dict.fromkeys([f"arm{i}" for i in range(9)], arms["central"])
    answer = an_answer(arms={"siloed": arms["siloed"], **crowd})
    shown = differences.compared(read(stored(tmp_path, answer)), ENGLISH)
    assert [row[0] for row in shown.tables[0].rows] == ["siloed", *crowd]
    assert [table.heads[2] for table in shown.tables[1:]] == list(crowd)
    assert {len(row) for table in shown.tables[1:] for row in table.rows} == {5}
    assert "arm8 is above siloed" in shown.takeaway


@pytest.mark.parametrize("primary", ["orders", "cpo", "churn", "contribution_last_26"])
def test_any_outcome_can_be_the_primary_one(tmp_path: Path, primary: str) -> None:
    folder = stored(tmp_path, an_answer(outcomes={"primary": primary}))
    shown = differences.compared(read(folder), ENGLISH)
    label = OUTCOMES[primary].label
    assert shown.panels[0].title == label
    strong = shown.tables[0].strong
    assert strong is not None
    assert shown.tables[0].rows[strong][0].startswith(label)


def test_what_is_not_there_is_not_shown(tmp_path: Path) -> None:
    arms = a_spec().model_dump()["arms"]
    alone = an_answer(arms={"siloed": arms["siloed"]}, horizon={"history_weeks": 0, "weeks": 10})
    shown = Page(report.render(read(stored(tmp_path, alone))))
    assert "differences.csv" not in shown.files
    assert "shares.csv" in shown.files
    assert "Nothing to compare: siloed is the only arm." in shown.text
    assert not any("price of silos" in head for head in shown.heads)


def test_the_german_page_is_german_and_has_the_same_parts(whole: Path, page: Page) -> None:
    german = Page(report.render(read(whole), GERMAN))
    assert len(german.heads) == len(page.heads)
    assert not set(german.heads) & set(page.heads)
    assert german.tags.count("td") == page.tags.count("td")
    assert "1,23 Mio. EUR" in german.text
    for word in ("The ", " of the ", "a year", "replications", " and ", " with "):
        assert word not in german.text.replace("Student’s t", "").replace("replications.min", ""), (
            word
        )


def test_the_workbook_holds_numbers_as_numbers_and_no_formula(tmp_path: Path) -> None:
    folder = everything(tmp_path, an_answer(question="=1+1"), tv="=cmd|' /C calc'!A0")
    written = workbook.written(read(folder), GERMAN)
    book = openpyxl.load_workbook(io.BytesIO(written))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    assert not [
        c.value for c in cells if isinstance(c.value, str) and c.value[:1] in "=+-@" and c.value
    ]
    comparison = read(folder).comparison
    sheet = book["Vergleich"]
    rows = {(row[0].value, row[2].value): row for row in sheet.iter_rows(min_row=2)}
    level = next(x for x in comparison.levels if (x.outcome, x.arm) == ("orders", "central"))
    found = rows["Bestellungen", "central"]
    assert found[3].value == pytest.approx(level.mean)
    assert found[6].value == pytest.approx(comparison.of("orders")["central"].difference)


def test_the_report_is_made_again_from_the_files_alone_in_the_language_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stored(tmp_path / "run", language="de")
    assert main(["report", str(folder)]) == 0
    assert 'lang="de"' in (folder / "report.html").read_text()
    assert (folder / "summary.xlsx").stat().st_size > 5_000
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert main(["report", str(folder), "language=en"]) == 0
    assert 'lang="en"' in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: RESULTS_FOLDER"),
        (
            ["nowhere"],
            "RESULTS_FOLDER: found 'nowhere', no spec.yaml; allowed: the folder of a run",
        ),
        (["nowhere", "language=fr"], "language: found 'fr'; allowed: de, en"),
        (["nowhere", "lang=de"], "lang: found an unknown key; allowed: language"),
    ],
)
def test_mistakes_take_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["report", *words])
    except SystemExit as left:
        status = int(str(left.code))
    said = capsys.readouterr().err
    assert status == 2
    assert told in said
    assert said.count("\n") == 1


def test_a_broken_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stored(tmp_path / "broken")
    (folder / "summary.json").write_text("{}")
    assert main(["report", str(folder)]) == 2
    assert "files that cannot be read" in capsys.readouterr().err


def test_languages_are_those_of_the_menu() -> None:
    assert set(LANGUAGES) == {"de", "en"}
