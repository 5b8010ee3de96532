from __future__ import annotations

import csv
import errno
import io
import json
import logging
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from omnisim.comparison import compare
from omnisim.experiment import Answer
from omnisim.files import Unwritable
from omnisim.measures import OUTCOMES, measure
from omnisim.records import Records
from omnisim.spec import ExperimentSpec
from omnisim.store import Store, default_folder, measures_csv, writable, write_results
from tests.ledgers import a_spec, some_records

SPEC = a_spec()


@pytest.fixture
def shelf(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", model="m1")


def an_answer(spec: ExperimentSpec = SPEC, simulated: int = 3) -> Answer:
    records = tuple(
        some_records(spec, arm, replication, lift=0.01 * (arm == "central"))
        for arm in sorted(spec.arms)
        for replication in range(3)
    )
    measures = measure(spec, records)
    return Answer(spec, records, measures, compare(spec, measures), simulated)


def write(folder: Path, answer: Answer, elapsed_seconds: float = 1.0) -> None:
    command = "python -m omnisim experiment=tiny"
    write_results(folder, answer, command=command, model="m1", elapsed_seconds=elapsed_seconds)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def the_same(one: Records, other: Records) -> None:
    pd.testing.assert_frame_equal(one.weekly, other.weekly, check_exact=True)
    pd.testing.assert_frame_equal(one.company, other.company, check_exact=True)


def test_what_is_kept_comes_back_to_the_bit(shelf: Store) -> None:
    records = some_records(SPEC, "siloed", 4)
    assert shelf.get(SPEC, "siloed", 4) is None
    shelf.put(SPEC, records)
    found = shelf.get(SPEC, "siloed", 4)
    assert found is not None
    assert (found.arm, found.replication) == ("siloed", 4)
    the_same(found, records)


def test_empty_and_odd_numbers_come_back_to_the_bit(shelf: Store) -> None:
    records = some_records(SPEC, "siloed", 0)
    company = records.company.astype({"satisfaction": float})
    company.loc[:2, "satisfaction"] = [float("nan"), -0.0, 5e-324]
    shelf.put(SPEC, Records("siloed", 0, records.weekly, company))
    found = shelf.get(SPEC, "siloed", 0)
    assert found is not None
    the_same(found, Records("siloed", 0, records.weekly, company))
    assert str(found.company["satisfaction"][1]) == "-0.0"


def test_only_what_determines_the_numbers_is_asked_for(shelf: Store) -> None:
    shelf.put(SPEC, some_records(SPEC, "siloed", 0))
    arms = SPEC.model_dump()["arms"]
    same: list[tuple[ExperimentSpec, str]] = [
        (a_spec(question="Another?", hypothesis="?", experiment="other"), "siloed"),
        (a_spec(replications={"min": 2, "max": 99}), "siloed"),
        (a_spec(outcomes={"primary": "orders", "margin": 0.1}), "siloed"),
        (a_spec(arms={"renamed": arms["siloed"]}, baseline="renamed"), "renamed"),
    ]
    for spec, arm in same:
        found = shelf.get(spec, arm, 0)
        assert found is not None
        assert found.arm == arm
    market, status_quo = SPEC.model_dump()["market"], SPEC.model_dump()["status_quo"]
    others: list[tuple[ExperimentSpec, str, int]] = [
        (SPEC, "central", 0),
        (SPEC, "siloed", 1),
        (a_spec(seed=2), "siloed", 0),
        (a_spec(horizon={"history_weeks": 60, "weeks": 103}), "siloed", 0),
        (a_spec(market=market | {"people": 101}), "siloed", 0),
        (a_spec(status_quo=status_quo | {"incentives": {"growth": 0.1}}), "siloed", 0),
    ]
    for spec, arm, replication in others:
        assert shelf.get(spec, arm, replication) is None
    assert Store(shelf.folder, model="m2").get(SPEC, "siloed", 0) is None


def test_a_flipped_byte_is_never_believed(shelf: Store, caplog: pytest.LogCaptureFixture) -> None:
    records = some_records(SPEC, "siloed", 0)
    shelf.put(SPEC, records)
    (path,) = shelf.folder.glob("*.parquet")
    sound = path.read_bytes()
    believed = 0
    for place in range(0, len(sound), max(1, len(sound) // 150)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x41]) + sound[place + 1 :])
        found = shelf.get(SPEC, "siloed", 0)
        if found is not None:  # a byte that says nothing, as in statistics
            the_same(found, records)
            believed += 1
        else:
            assert not path.exists()
    assert believed < 75
    assert "damaged, set aside and computed again" in caplog.text


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 100])
def test_a_damaged_file_is_set_aside_in_one_line_and_can_be_made_again(
    shelf: Store, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    records = some_records(SPEC, "siloed", 0)
    shelf.put(SPEC, records)
    (path,) = shelf.folder.glob("*.parquet")
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert shelf.get(SPEC, "siloed", 0) is None
    assert files(shelf.folder) == [f"{path.name}.damaged"]
    assert len(caplog.text.splitlines()) == 1
    shelf.put(SPEC, records)
    found = shelf.get(SPEC, "siloed", 0)
    assert found is not None
    the_same(found, records)


def test_an_answer_to_another_question_is_not_believed(shelf: Store) -> None:
    shelf.put(SPEC, some_records(SPEC, "siloed", 0))
    (mine,) = shelf.folder.glob("*.parquet")
    shelf.put(SPEC, some_records(SPEC, "central", 0))
    (other,) = set(shelf.folder.glob("*.parquet")) - {mine}
    mine.write_bytes(other.read_bytes())
    assert shelf.get(SPEC, "siloed", 0) is None


def _full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _stopped(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_is_one_line_and_leaves_what_was_finished(
    shelf: Store, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = some_records(SPEC, "siloed", 0)
    shelf.put(SPEC, records)
    before = files(shelf.folder)
    monkeypatch.setattr(os, step, _full)
    with pytest.raises(Unwritable, match="No space left on device") as error:
        shelf.put(SPEC, some_records(SPEC, "central", 0))
    assert "\n" not in str(error.value)
    assert files(shelf.folder) == before
    found = shelf.get(SPEC, "siloed", 0)
    assert found is not None
    the_same(found, records)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interrupted_write_leaves_nothing(
    shelf: Store, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, step, _stopped)
    with pytest.raises(KeyboardInterrupt):
        shelf.put(SPEC, some_records(SPEC, "siloed", 0))
    assert files(shelf.folder) == []


def test_a_place_that_takes_no_files_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "a" / "b", Path("/proc/omnisim/out")):
        with pytest.raises(Unwritable, match="cannot write to"):
            writable(place)
    writable(tmp_path)
    writable(tmp_path / "a" / "b")
    assert os.listdir(tmp_path) == ["file"]


def test_the_store_stands_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNISIM_STORE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("OMNISIM_STORE")
    monkeypatch.chdir(tmp_path)
    assert default_folder() == tmp_path / "results" / ".store"


def test_the_results_folder_holds_what_the_contract_says(tmp_path: Path) -> None:
    answer = an_answer()
    write(tmp_path / "out", answer)
    assert files(tmp_path / "out") == [
        "dictionary.csv",
        "measures.csv",
        "provenance.json",
        "spec.yaml",
        "summary.json",
        "weekly.parquet",
    ]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["verdict"] == answer.comparison.verdict
    assert (summary["baseline"], summary["replications"], summary["seed"]) == ("siloed", 3, 1)
    assert set(summary["arms"]["central"]["orders"]) == {"mean", "ci_low", "ci_high"}
    (row,) = [row for row in summary["comparisons"] if row["outcome"] == "contribution"]
    wanted = "outcome arm baseline difference relative ci_low ci_high p_adjusted verdict"
    assert set(wanted.split()) <= set(row)
    assert (summary["elapsed_seconds"], summary["from_cache"]) == (1.0, False)
    weekly = pq.read_table(tmp_path / "out" / "weekly.parquet").to_pandas()
    assert len(weekly) == 2 * 3 * 164 * 4
    assert list(weekly.columns[:5]) == ["arm", "replication", "week", "channel", "kind"]


def test_the_written_spec_is_the_spec(tmp_path: Path) -> None:
    spec = a_spec(question="Größer: yes?\n  no #1", expectation="no")
    write(tmp_path, an_answer(spec))
    words = yaml.safe_load((tmp_path / "spec.yaml").read_text(encoding="utf-8"))
    assert ExperimentSpec.model_validate(words) == spec


def test_the_same_question_gives_the_same_bytes(tmp_path: Path, shelf: Store) -> None:
    answer = an_answer()
    for record in answer.records:
        shelf.put(SPEC, record)
    kept = [shelf.get(SPEC, r.arm, r.replication) for r in reversed(answer.records)]
    again = measure(SPEC, [record for record in kept if record is not None])
    write(tmp_path / "one", answer)
    write(tmp_path / "two", Answer(SPEC, answer.records, again, compare(SPEC, again), 0), 99.0)
    for name in ("measures.csv", "spec.yaml", "dictionary.csv", "weekly.parquet"):
        one, two = ((tmp_path / run / name).read_bytes() for run in ("one", "two"))
        assert one == two


def test_measures_keep_every_digit_and_leave_empty_what_is_empty() -> None:
    rows = [("a", 0, "cpo", "", 0.1 + 0.2), ("a", 0, "cpo_new", "", float("nan"))]
    frame = pd.DataFrame(rows, columns=["arm", "replication", "outcome", "channel", "value"])
    assert measures_csv(frame).splitlines()[1:] == [
        "a,0,cpo,,0.30000000000000004",
        "a,0,cpo_new,,",
    ]


def test_an_empty_ratio_is_null_in_the_summary(tmp_path: Path) -> None:
    spec = a_spec()
    records = [
        Records(r.arm, r.replication, r.weekly.assign(new_customers=0.0), r.company)
        for r in an_answer(spec).records
    ]
    measures = measure(spec, records)
    write(tmp_path, Answer(spec, tuple(records), measures, compare(spec, measures), 1))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["arms"]["siloed"]["cpo_new"]["mean"] is None


def test_the_dictionary_explains_every_column_and_outcome(tmp_path: Path) -> None:
    answer = an_answer()
    write(tmp_path, answer)
    text = (tmp_path / "dictionary.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert all(row["name"] and row["unit"] and row["meaning"] for row in rows)
    explained = {row["name"] for row in rows}
    plain = answer.measures["outcome"].str.removeprefix("expected_")
    assert set(plain) | set(OUTCOMES) <= explained
    assert set(pq.read_schema(tmp_path / "weekly.parquet").names) <= explained
    assert set(answer.measures.columns) <= explained


def test_provenance_says_what_made_it_and_nothing_about_whom(tmp_path: Path) -> None:
    write(tmp_path, an_answer())
    text = (tmp_path / "provenance.json").read_text()
    provenance = json.loads(text)
    assert provenance["command"] == "python -m omnisim experiment=tiny"
    assert provenance["versions"]["numpy"]
    assert len(provenance["spec_hash"]) == 64
    assert str(Path.home()) not in text


def test_results_on_a_full_disk_are_whole_files_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace
    done: list[str] = []

    def fills_up(source: Path, target: Path) -> None:
        if len(done) == 3:
            _full()
        done.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", fills_up)
    with pytest.raises(Unwritable):
        write(tmp_path, an_answer())
    assert files(tmp_path) == sorted(done)
