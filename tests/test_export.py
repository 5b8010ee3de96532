"""The exported data are the ledger of that world, by region, with every path to the till."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from omnisim import config
from omnisim.__main__ import main
from omnisim.export import Export, export
from omnisim.simulation import simulate
from omnisim.spec import ExperimentSpec, Market
from tests.worlds import rich

SAME = {"contacts": "contacts", "clicks": "clicks", "orders": "orders", "revenue": "revenue_gross"}


@pytest.fixture(scope="module")
def spec() -> ExperimentSpec:
    return rich().model_copy(update={"truth": "none"})


@pytest.fixture(scope="module")
def data(spec: ExperimentSpec) -> Export:
    return export(spec, spec.baseline, 0, depth="budget")


def test_regions_add_up_to_the_ledger_of_the_same_arm(spec: ExperimentSpec, data: Export) -> None:
    (book,) = simulate(spec, 0, [spec.baseline]).values()
    assert isinstance(spec.market, Market)
    assert set(data.marketing["region"]) == set(spec.market.regions)
    mine = data.marketing.groupby(["week", "channel"]).sum(numeric_only=True)
    theirs = book.weekly.set_index(["week", "channel"]).reindex(mine.index)
    assert len(mine) == len(book.weekly)
    assert mine["spend"].to_numpy() == pytest.approx(theirs["spent_cents"].to_numpy() / 100)
    for name, column in SAME.items():
        assert mine[name].to_numpy() == pytest.approx(theirs[column].to_numpy(), abs=1e-6), name
    assert data.marketing["orders"].sum() > 0


def test_weeks_are_dated_without_a_gap(data: Export) -> None:
    dates = pd.to_datetime(data.marketing.drop_duplicates("week").sort_values("week")["date"])
    assert (dates.diff().dropna() == pd.Timedelta(weeks=1)).all()
    assert (dates.dt.day_of_week == 0).all()


def test_paths_name_tracked_media_once_and_convert_no_more_than_there_are_orders(
    spec: ExperimentSpec, data: Export
) -> None:
    paths = data.paths
    assert isinstance(spec.market, Market)
    assert len(paths) > 3
    assert paths["path"].is_unique
    tracked = {name for name, medium in spec.market.media.items() if medium.tracked}
    for path in paths["path"]:
        steps = path.split(" > ")
        assert len(set(steps)) == len(steps)
        assert set(steps) <= tracked
    assert 0 < paths["total_conversions"].sum() <= data.marketing["orders"].sum()
    assert (paths["total_null"] >= 0).all()


def test_every_column_of_every_file_is_explained(data: Export) -> None:
    explained = data.tables["columns"]
    for name, table in data.tables.items():
        if name != "columns":
            own = explained.loc[explained["file"] == f"{name}.csv", "name"]
            assert list(own) == list(table.columns)


def test_the_command_writes_the_files_beside_the_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, _ = config.load(["experiment=textbook", "horizon.weeks=8", "horizon.history_weeks=2"])
    told = asked.model_dump(mode="json")
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(told))
    (tmp_path / "provenance.json").write_text(json.dumps({"model": "another"}))
    assert main(["export", str(tmp_path), "--arm", "central"]) == 0
    out, err = capsys.readouterr()
    assert "another version of the model" in err
    written = sorted(Path(line).name for line in out.splitlines())
    assert written == ["columns.csv", "marketing.csv", "paths.csv", "truth.csv"]
    marketing = pd.read_csv(tmp_path / "export" / "marketing.csv")
    assert set(marketing["region"]) == {"everywhere"}
    truth = pd.read_csv(tmp_path / "export" / "truth.csv")
    assert set(truth["factor"]) == {0.0, 0.5, 0.8, 1.2, 2.0}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--arm", "centrl"], "--arm: found 'centrl'; allowed: .*nearest: central"),
        (["--replication", "-1"], "argument --replication: found -1, allowed: 0, 1, 2 and so on"),
        (["--replication", "3"], "--replication: found 3; allowed: 0 to 2"),
        (["--too", "x"], "--too: unknown; nearest: --to"),
        (["--to", "/proc/no"], "--to: found .*allowed: a folder to write into"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, _ = config.load(["experiment=textbook"])
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(asked.model_dump(mode="json")))
    (tmp_path / "summary.json").write_text('{"replications": 3}')
    try:
        status = main(["export", str(tmp_path), *words])
    except SystemExit as left:
        status = int(str(left.code))
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert re.fullmatch(f"omnisim: {said}\n", err)


def test_a_folder_without_a_specification_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tmp_path)]) == 2
    assert re.fullmatch("omnisim: RESULTS_FOLDER: found .*\n", capsys.readouterr().err)
