"""A question with `truth=full`, from the worlds that are lived through to the results folder."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omnisim import config, report
from omnisim.comparison import interval
from omnisim.compute import run_units
from omnisim.experiment import Answer, run
from omnisim.language import ENGLISH
from omnisim.misallocation import ORACLE
from omnisim.records import Records
from omnisim.report.front import front
from omnisim.report.results import read
from omnisim.spec import ExperimentSpec
from omnisim.store import write_results

TABLES = (
    *("truth", "curves", "claimed", "beliefs", "departments"),
    *("price_of_silos", "first_moves", "break_even"),
)


class Memory:
    """A shelf that keeps everything, and forgets it with the test."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, int], Records] = {}

    def get(self, spec: ExperimentSpec, arm: str, replication: int) -> Records | None:
        """Return what is kept."""
        return self.kept.get((self._key(spec, arm, replication), arm, replication))

    def put(self, spec: ExperimentSpec, records: Records) -> None:
        """Keep it."""
        key = self._key(spec, records.arm, records.replication)
        self.kept[key, records.arm, records.replication] = records

    def _key(self, spec: ExperimentSpec, arm: str, replication: int) -> str:
        return spec.arms[arm].model_dump_json() + spec.truth_of(arm, replication)


def asked(spec: ExperimentSpec) -> tuple[Answer, Memory]:
    shelf = Memory()
    return run(spec, shelf, partial(run_units, backend="serial")), shelf


@pytest.fixture(scope="module")
def found() -> tuple[Answer, Memory]:
    words = ["experiment=textbook", "truth=full", "steering.review_weeks=13", "horizon.weeks=52"]
    short = ["horizon.history_weeks=4", "replications.min=3", "replications.max=3"]
    spec, _ = config.load([*words, *short])
    told = spec.model_dump()
    for name in ("m2", "m4"):
        del told["market"]["media"][name]
    told["market"] |= {"splits": {"legacy": {"m1": 0.3, "m3": 0.7}}, "burn_in_weeks": 0}
    for strategy in (told["status_quo"], *told["arms"].values()):
        for department, own in (("left", ["m1"]), ("right", ["m3"])):
            strategy["organigram"][department]["owns"] = own
    return asked(ExperimentSpec.model_validate(told))


def test_every_table_is_there_and_every_column_is_explained(
    found: tuple[Answer, Memory], tmp_path: Path
) -> None:
    answer, _ = found
    write_results(tmp_path, answer, command="", model="m", elapsed_seconds=1.0)
    with (tmp_path / "dictionary.csv").open() as lines:
        explained = {(row["file"], row["name"]) for row in csv.DictReader(lines)}
    for name in TABLES:
        table = pd.read_csv(tmp_path / f"{name}.csv")
        assert len(table), name
        assert {(f"{name}.csv", column) for column in table.columns} <= explained
    told = json.loads((tmp_path / "summary.json").read_text())["page_one"]
    whole = answer.tables["price_of_silos"].query("waterfall == 'together' and kind == 'whole'")
    assert told["price_of_silos"]["mean"] == pytest.approx(whole["eur_year"].item(), abs=0.01)
    assert told["same_money_more_orders"]["mean"] > 0
    assert told["same_orders_less_money"]["mean"] > 0
    assert told["how_sure"]["replications"] == 3


def test_nobodys_interval_lies_wholly_above_the_oracles_not_even_with_every_error_mended(
    found: tuple[Answer, Memory],
) -> None:
    answer, shelf = found
    earned: dict[str, dict[int, float]] = {}
    for (_, arm, replication), book in shelf.kept.items():
        weekly = book.weekly[book.weekly["week"] >= 0]
        kept = weekly["expected_margin"] - weekly["expected_cost_to_serve"]
        profit = float((kept - weekly["spent_cents"] / 100).sum())
        earned.setdefault(arm, {})[replication] = profit
    best = earned.pop(ORACLE)
    mended = [arm for arm in earned if arm.startswith("steering: ")]
    assert len(mended) > 2
    for arm, own in earned.items():
        if len(own) > 2:
            _, low, _ = interval(np.array([own[nth] - best[nth] for nth in own]))
            assert low <= 1e-6 * abs(best[0]), arm
    bars = answer.tables["price_of_silos"]
    assert (bars.loc[bars["part"] == "whole", "eur_year"] > 0).all()


def test_a_curve_goes_through_today_and_falls_with_less_money(
    found: tuple[Answer, Memory],
) -> None:
    curves = found[0].tables["curves"]
    assert (curves.loc[curves["today"], ["orders_long", "cost_long"]] == 0).all(axis=None)
    for _, own in curves[curves["kind"] == "medium"].groupby(["arm", "channel"]):
        assert list(own["factor"]) == [0.0, 0.5, 0.8, 1.0, 1.2, 2.0]
        assert own["orders_long"].is_monotonic_increasing
        assert own["spend_year"].is_monotonic_increasing


def test_on_curves_clean_credit_is_what_is_caused(found: tuple[Answer, Memory]) -> None:
    claimed = found[0].tables["claimed"]
    media = claimed[claimed["kind"] == "medium"]
    assert set(media["rule"]) == {"claims", "last_touch"}
    assert media["ratio"].to_numpy() == pytest.approx(np.ones(len(media)), abs=0.01)
    company = claimed[(claimed["kind"] == "company") & (claimed["arm"] == "siloed")]
    by_department = claimed[(claimed["kind"] == "department") & (claimed["arm"] == "siloed")]
    assert by_department["caused"].sum() == pytest.approx(company["caused"].sum(), rel=1e-6)


def test_beliefs_stand_beside_the_truth_every_half_year(found: tuple[Answer, Memory]) -> None:
    beliefs = found[0].tables["beliefs"]
    known = beliefs[beliefs["true_cpo"].notna()]
    assert set(known["week"]) == {0, 26}
    assert set(beliefs["week"]) == {0, 13, 26, 39}
    curves = found[0].tables["curves"]
    rise = curves[(curves["kind"] == "medium") & (curves["factor"] == 1.2)]
    true = (rise["cost_short"] / rise["orders_short"]).groupby([rise["arm"], rise["channel"]]).sum()
    at_the_fork = known[known["week"] == 0].set_index(["arm", "channel"])["true_cpo"]
    assert at_the_fork.to_dict() == pytest.approx(true.to_dict(), rel=1e-9)


def test_a_move_goes_to_where_the_best_split_has_more_and_pays(
    found: tuple[Answer, Memory],
) -> None:
    moves = found[0].tables["first_moves"]
    assert moves[["nth", "from", "to"]].to_numpy().tolist() == [[1, "m3", "m1"]]
    assert (moves[["eur_year", "ci_low", "orders_year"]] > 0).all(axis=None)


def test_who_gets_less_budget_loses(found: tuple[Answer, Memory]) -> None:
    rows = found[0].tables["departments"].to_dict("records")
    pay = {(row["arm"], row["department"]): row for row in rows}
    assert pay["central", "right"]["loses"]
    assert not pay["central", "left"]["loses"]
    assert pay["central", "right"]["spend_change"] < 0 < pay["central", "left"]["spend_change"]
    assert pay["siloed", "sales"]["sales_orders_year"] > 0


def test_the_cost_of_a_centre_at_which_it_stops_paying_is_what_it_gains(
    found: tuple[Answer, Memory],
) -> None:
    answer, _ = found
    rows = answer.tables["break_even"]
    overhead = rows[rows["lever"] == "overhead"]
    gain = answer.comparison.of("profit")["central"].difference
    assert overhead["break_even"].item() == pytest.approx(gain, rel=1e-6)
    assert set(rows["lever"]) == {"overhead", "noise", "delay"}


def test_less_truth_costs_no_world_more_and_prices_nothing(
    found: tuple[Answer, Memory],
) -> None:
    spec = found[0].spec.model_copy(update={"truth": "none"})
    answer, shelf = asked(spec)
    assert {arm for _, arm, _ in shelf.kept} == set(spec.arms)
    assert set(answer.tables) == {"departments"}
    assert answer.page_one == {}


def test_a_quick_truth_makes_the_first_moves_and_tells_what_a_centre_may_cost(
    found: tuple[Answer, Memory],
) -> None:
    deep = found[0]
    answer, _ = asked(deep.spec.model_copy(update={"truth": "quick"}))
    told = answer.tables["first_moves"]
    assert told["from"].to_list() == ["m3"]
    pd.testing.assert_frame_equal(told, deep.tables["first_moves"])
    levers = answer.tables["break_even"]
    assert set(levers["lever"]) == {"overhead"}
    overhead = deep.tables["break_even"].query("lever == 'overhead'")
    pd.testing.assert_frame_equal(levers, overhead.reset_index(drop=True))
    assert "price_of_silos" not in answer.tables


def test_the_report_shows_every_table_and_its_first_page_the_price(
    found: tuple[Answer, Memory], tmp_path: Path
) -> None:
    answer, _ = found
    write_results(tmp_path, answer, command="", model="m", elapsed_seconds=1.0)
    results = read(tmp_path)
    text = report.render(results)
    for name in TABLES[1:6]:
        assert f'download="{name}.csv"' in text
    page = front(results, ENGLISH)
    assert len(page.facts) == 4
    assert page.moves is not None
    assert len(page.moves.rows) == len(pd.read_csv(tmp_path / "first_moves.csv"))
    assert len(page.break_even) == 3
