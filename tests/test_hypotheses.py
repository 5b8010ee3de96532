"""`validate hypotheses`: the file, the logic of verdicts, and that what is measured can be."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

import pytest

from omnisim import config
from omnisim.__main__ import main
from omnisim.cli.hypotheses import markdown
from omnisim.cli.validate import BEGIN, END
from omnisim.spec import ExperimentSpec
from omnisim.validate import contrasts, hypotheses
from omnisim.validate.hypotheses import Contrast, Finding, Part, every, findings, worlds
from omnisim.validate.laws import LAWS

IDS = (
    *("H1", "H2", "H3", "H4", "H5", "H7", "H9", "H10", "H11", "H12", "H13", "H15", "H16"),
    *("H17", "H19", "H20", "H22", "H23", "H24", "H25", "H27", "H28", "H30", "H31", "R1"),
)
PARTS = [part for one in every() for part in one.parts]
KEYS = [part.key for part in PARTS]
TINY = ("market.people=300", "market.burn_in_weeks=8", "horizon.history_weeks=52")


@cache
def spec_of(world: str) -> ExperimentSpec:
    half = worlds()[world].half
    tiny = TINY if half == "people" else ()
    base = config.load([*contrasts.WORDS[half], *tiny, "horizon.weeks=52"])[0]
    return contrasts.asked(base, worlds()[world])


def part_of(low: float | None, high: float | None, half: hypotheses.Half = "textbook") -> Part:
    return Part("H0", half, "x", "x", "bench", {}, None, "orders", "own", "all", "", low, high)


def found(curves: tuple[float, ...], people: tuple[float, ...] | None) -> str:
    parts = [Contrast(part_of(0.0, None), curves)]
    if people is not None:
        parts.append(Contrast(part_of(0.0, None, "people"), people))
    whole = hypotheses.Hypothesis("H0", "", "", tuple(part.part for part in parts))
    return Finding(whole, tuple(parts)).verdict


# -- the file ------------------------------------------------------------------------------


def test_every_hypothesis_is_there_in_order() -> None:
    assert tuple(one.id for one in every()) == IDS
    assert len(set(KEYS)) == len(KEYS)


def test_every_hypothesis_is_asked_of_people_or_says_why_not() -> None:
    assert all(bool(one.half("people")) != bool(one.opening) for one in every())


@pytest.mark.parametrize("part", PARTS, ids=KEYS)
def test_a_part_is_a_law_or_a_contrast_that_its_world_can_live(part: Part) -> None:
    assert part.low is not None or part.high is not None
    if part.law:
        assert part.law in (*LAWS, contrasts.RANDOM)
        return
    assert part.outcome in contrasts.OUTCOMES
    assert worlds()[part.world].half == part.half
    for words in (part.arm, part.against or {}):
        contrasts.strategy(spec_of(part.world), words)


def test_nothing_stands_beside_the_file() -> None:
    asked = {part.law for part in PARTS}
    assert not set(LAWS) - asked
    assert not set(worlds()) - {part.world for part in PARTS}
    assert not set(contrasts.OUTCOMES) - {part.outcome for part in PARTS}


def test_worlds_are_lived_under_seeds_that_calibration_never_uses() -> None:
    assert {spec_of(name).seed for name in worlds()} == {contrasts.SEED}


# -- verdicts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "values", "shown"),
    [
        (0.0, None, (1.0, 1.1, 1.2), "pass"),
        (0.0, None, (-1.0, -1.1, -1.2), "fail"),
        (0.0, None, (-1.0, 1.1, 1.2), "undecided"),
        (0.0, None, (1.0,), "undecided"),
        (0.0, None, (0.0, 0.0), "fail"),
        (None, 0.0, (0.0, 0.0), "fail"),
        (0.0, 0.0, (0.0, 0.0), "pass"),
        (-0.005, 0.005, (0.0, 0.0001, 0.0002), "pass"),
        (-0.005, 0.005, (0.0, 0.01, 0.02), "undecided"),
        (-0.005, 0.005, (0.01, 0.0101, 0.0102), "fail"),
        (None, 0.02, (0.01, 0.011, 0.012), "pass"),
    ],
)
def test_a_contrast_passes_with_its_whole_interval(
    low: float | None, high: float | None, values: tuple[float, ...], shown: str
) -> None:
    assert Contrast(part_of(low, high), values).shown == shown


def test_a_pass_in_full_needs_people_who_show_the_sign() -> None:
    yes, no, perhaps = (1.0, 1.1), (-1.0, -1.1), (-1.0, 1.0)
    assert found(yes, yes) == "pass"
    assert found(yes, no) == found(yes, perhaps) == found(yes, None) == "textbook only"
    assert found(no, yes) == "fail"
    assert found(perhaps, yes) == "undecided"


# -- what is measured ----------------------------------------------------------------------


@pytest.mark.parametrize("part", [part for part in PARTS if part.law in LAWS], ids=lambda p: p.key)
def test_closed_forms_hold(part: Part) -> None:
    assert Contrast(part, (LAWS[part.law](),)).shown == "pass"


def test_every_outcome_can_be_measured_in_its_world() -> None:
    chosen: tuple[str, ...] = (
        "H1.people.moved",
        "H13.people.freed",
        "H16.people.data",
        "H28.people.online",
    )
    chosen = (
        *chosen,
        "H28.people.store",
        "H30.people.claims",
        "H31.people.mandate",
        "H10.people.split",
    )
    parts = tuple(part for part in PARTS if part.key in chosen)
    values = contrasts.measured(contrasts.Unit(spec_of("people"), parts, 0))
    assert set(values) == set(chosen)
    assert all(math.isfinite(one) for told in values.values() for one in told)
    assert values["H31.people.mandate"] == (0.0,)
    assert 0 <= values["H1.people.moved"][0] <= 1
    assert values["H10.people.split"] != (0.0,)


def test_curves_show_what_needs_no_luck() -> None:
    chosen = ("H2.textbook.gain", "H13.textbook.kept", "H13.textbook.freed", "H12.textbook.none")
    parts = [part for part in PARTS if part.key in chosen]
    for world in {part.world for part in parts}:
        base = config.load(contrasts.WORDS["textbook"])[0]
        spec = contrasts.asked(base, worlds()[world])
        own = tuple(part for part in parts if part.world == world)
        for key, values in contrasts.measured(contrasts.Unit(spec, own, 0)).items():
            (part,) = (part for part in own if part.key == key)
            assert Contrast(part, values * 2).shown == "pass", key


def test_parts_of_one_world_share_a_history_in_every_replication() -> None:
    asked = hypotheses.chosen(["H28", "H31"])
    specs = {name: spec_of(name) for name in ("people", "bench")}
    work = contrasts.units(asked, specs, 3, 10)
    assert sorted(unit.name for unit in work) == [
        f"{world}, replication {nth}" for world in ("bench", "people") for nth in range(3)
    ]


# -- the command ----------------------------------------------------------------------------


def test_the_command_tells_a_table_and_writes_csv_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "page.md", tmp_path / "table.csv"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    words = ["--only", "h11,H17", "--csv", str(table), "--docs", str(page)]
    assert main(["validate", "hypotheses", *words]) == 0
    said = capsys.readouterr().out
    assert "textbook only: H11, H17." in said
    rows = list(csv.DictReader(table.open()))
    assert {row["hypothesis"] for row in rows} == {"H11", "H17"}
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "**textbook only**" in text
    assert "old" not in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--only", "H99"], "--only: found 'H99'"),
        (["--replications", "0"], "at least 1"),
        (["--docs", "nowhere.md"], "--docs: found 'nowhere.md'"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["validate", "hypotheses", *words])
    except SystemExit as left:
        status = int(left.code or 0)
    assert status == 2
    assert told in capsys.readouterr().err


def test_values_find_their_parts_by_key() -> None:
    asked = hypotheses.chosen(["H11"])
    (one,) = findings(asked, contrasts.exact(asked))
    assert one.verdict == "textbook only"
    assert "H11" in hypotheses.tally([one])


def test_every_hypothesis_can_be_written_on_a_page() -> None:
    told = findings(every(), {part.key: [0.0, 1.0] for part in PARTS})
    page = markdown(told)
    assert all(one.hypothesis.id in page for one in told)
