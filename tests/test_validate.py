"""`validate`: the file of targets, the logic of its table, and that its measures measure.

Whether the model is right is not tested here: that is what `python -m omnisim validate` tells.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omnisim import config
from omnisim.__main__ import main
from omnisim.cli.validate import BEGIN, END
from omnisim.records import COMPANY_COLUMNS
from omnisim.simulation.crowd import Crowd
from omnisim.spec import ExperimentSpec, Market
from omnisim.validate import (
    WORDS,
    Measured,
    Target,
    chosen,
    cohort,
    customers,
    every,
    findings,
    measured,
    response,
    trials,
    units,
)
from omnisim.validate.diary import Diary, Open
from omnisim.validate.replication import Replication, booked, sold

ROOT = Path(__file__).parents[1]
TINY = ("market.people=300", "market.burn_in_weeks=8")
IDS = (
    *("E1", "E2", "E3", "E5", "E6", "E7", "E8", "E10", "E11", "E12", "E13", "E15", "E17"),
    *("E19", "E20", "E21", "E23", "E24", "E25", "E26", "E28", "E29", "E30", "E32", "E33"),
    *("E34", "E35", "E37", "E38", "E40"),
)
KEYS = [target.key for target in every()]


def asked(market: str, *more: str) -> ExperimentSpec:
    """Return what a market is measured with."""
    return config.load([*WORDS[market], *more], None)[0]


def replication(*more: str) -> Replication:
    """Return a replication of the default market in which nobody steers."""
    return Replication(asked("fashion_home_de", *more))


def named(key: str) -> Target:
    """Return one part of a target."""
    return next(target for target in every() if target.key == key)


# -- the file -----------------------------------------------------------------------------


def test_every_target_is_there_in_order() -> None:
    assert tuple(dict.fromkeys(target.id for target in every())) == IDS
    assert len(set(KEYS)) == len(KEYS)


@pytest.mark.parametrize("target", every(), ids=KEYS)
def test_a_target_says_what_who_found_it_and_how_near(target: Target) -> None:
    assert target.title
    assert target.what
    assert target.found
    assert target.kind in ("hard", "soft")
    assert target.market in WORDS
    assert re.search(r"\b\d{4}\b|HDE|EHI|etracker|RJMetrics|CDNOW|[Tt]rade|Bamberg|uptain",
                     target.source)  # fmt: skip
    assert target.status
    assert target.opening or target.tolerance
    if target.low is not None and target.high is not None:
        assert target.low < target.high
    if re.fullmatch(r"[+-]?\d*\.?\d+", target.found):
        assert target.holds(float(target.found)), "what was found lies outside its own tolerance"


def test_what_is_not_open_for_good_is_measured_and_nothing_else() -> None:
    measures = [*cohort.MEASURES, *customers.MEASURES, *response.MEASURES, *trials.MEASURES]
    assert sorted(measures) == sorted(target.key for target in every() if not target.opening)


def test_the_file_tells_the_histogram_that_is_measured() -> None:
    told = [float(share) for share in named("E1.distance").found.split()]
    assert told == pytest.approx(cohort.PUBLISHED.tolist(), abs=0.0006)


def test_the_page_shows_every_target_as_it_is_in_the_file() -> None:
    page = (ROOT / "docs" / "validation.md").read_text().partition(BEGIN)[2].partition(END)[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line]
    told = [row[:4] for row in rows[3:]]
    assert told == [[t.id, f"{t.title}: {t.what}", t.found, t.tolerance] for t in every()]


# -- the table ----------------------------------------------------------------------------


def test_the_mean_over_seeds_must_lie_inside_the_tolerance() -> None:
    target = named("E13.purchases")  # 4 to 18
    runs = [Measured(seed, {target.key: value}, {}) for seed, value in ((2, 30.0), (1, 5.0))]
    [found] = findings([target], runs)
    assert found.values == (5.0, 30.0)
    assert (found.mean, found.verdict) == (17.5, "pass")
    assert found.spread == pytest.approx(25 / math.sqrt(2))
    [worse] = findings([target], [*runs, Measured(3, {target.key: 40.0}, {})])
    assert worse.verdict == "fail"


def test_a_bound_that_is_not_there_holds_and_the_bounds_themselves_do() -> None:
    target = named("E13.purchases")
    assert target.holds(4)
    assert target.holds(18)
    assert not target.holds(math.nan)
    only_low, only_high = replace(target, high=None), replace(target, low=None)
    assert [one.tolerance for one in (target, only_low, only_high)] == [
        *("4 to 18", "at least 4", "at most 18")
    ]
    assert only_low.holds(1e9)
    assert only_high.holds(-1e9)


def test_what_cannot_be_measured_is_open_and_says_why() -> None:
    targets = [named("E25.revenue"), named("E13.visits")]
    store, visits = findings(targets, [Measured(1, {}, {"E13.visits": "too few people"})])
    assert (store.verdict, store.opening) == ("open", "stores do not open yet")
    assert (visits.verdict, visits.opening) == ("open", "too few people")
    assert math.isnan(visits.mean)


def test_what_is_open_for_good_runs_nothing() -> None:
    specs = {market: asked(market) for market in WORDS}
    assert units(chosen(["E25"]), specs, 3) == []
    asked_for = units(chosen(["E25", "E6"]), specs, 2)
    assert [(unit.market, unit.seed) for unit in asked_for] == [
        *(("fashion_home_de", 9001), ("cdnow", 9001)),
        *(("fashion_home_de", 9002), ("cdnow", 9002)),
    ]


# -- the command --------------------------------------------------------------------------


def test_the_command_prints_a_table_and_writes_csv_and_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    page, table = tmp_path / "page.md", tmp_path / "new" / "table.csv"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    words = ["--only", "E3, E25", "--seeds", "2", "--people", "200"]
    assert main(["validate", *words, "--csv", str(table), "--docs", str(page)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"by week 39 +1\.04 ", out)
    assert "stores do not open yet: E25.revenue, E25.signs" in out
    assert re.search(r"Of 5 parts \d pass, \d fail, 2 are open\.", out)
    rows = list(csv.DictReader(table.open()))
    assert [row["target"] for row in rows] == ["E3", "E3", "E3", "E25", "E25"]
    assert [row["seeds"] for row in rows] == ["2", "2", "2", "0", "0"]
    assert all(math.isfinite(float(row["mean"])) for row in rows[:3])
    written = page.read_text()
    assert written.startswith(f"# Before\n\n{BEGIN}\n")
    assert written.endswith(f"{END}\n\nAfter.\n")
    assert "\nold\n" not in written
    assert "| E25 | A store opens near customers: revenue | +20 |" in written


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "E77"], r"--only: found 'E77'; allowed: targets by id.*; nearest: E7"),
        (["--seeds", "0"], r"argument --seeds: found 0, allowed: at least 1"),
        (["--seeds", "many"], r"argument --seeds: found many, allowed: at least 1"),
        (["--sedes", "2"], r"--sedes: unknown; nearest: --seeds"),
        (["hypothesis"], r"hypothesis: unknown"),
        (["--docs", "none.md"], r"--docs: found 'none.md'; allowed: a page with the lines .*"),
        (["--config-dir", "none"], r"--config-dir: found 'none'; allowed: a folder that exists"),
    ],
)
def test_a_wrong_word_takes_one_line_and_runs_nothing(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status: object = main(["validate", *words])
    except SystemExit as left:
        status = left.code
    assert status == 2
    assert re.fullmatch(f"omnisim: {said}\n", capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


# -- the measures -------------------------------------------------------------------------


@pytest.mark.parametrize("market", WORDS)
def test_every_measure_of_a_tiny_market_is_a_number_or_open(market: str) -> None:
    [unit] = [
        unit
        for unit in units(every(), {name: asked(name, *TINY) for name in WORDS}, 1)
        if unit.market == market
    ]
    found = measured(unit)
    assert set(found.values) | set(found.openings) == {target.key for target in unit.targets}
    assert all(math.isfinite(value) for value in found.values.values())
    assert all(found.openings.values())
    assert found == measured(unit)


def test_the_diary_knows_the_orders_of_the_ledgers() -> None:
    one = replication(*TINY)
    world, past, weight = one.morning, one.past, one.market.weight
    orders = one.diary.orders
    for nth, name in enumerate(world.channels):
        here = orders[orders["channel"] == nth]
        assert len(here) * weight == pytest.approx(sold(world, "orders", past, [name]))
        new = sold(world, "new_customers", past, [name])
        assert here["is_first"].sum() * weight == pytest.approx(new)


def test_a_market_that_lacks_what_a_target_is_about_leaves_it_open() -> None:
    spec = config.load(["market=identical"], None)[0]
    with pytest.raises(Open, match="the market pays for no display and no paid_social"):
        Replication(spec).media(named("E15.in_stores"))
    with pytest.raises(Open, match="the market has no store"):
        Replication(spec).channels(named("E15.in_stores"))
    with pytest.raises(Open, match="the market has no people"):
        Replication(config.load(["market=textbook"], None)[0]).media(named("E8.loses"))


def test_a_target_goes_without_the_media_that_the_market_lacks() -> None:
    assert replication().media(replace(named("E8.loses"), media=("radio", "tv"))) == ("tv",)


def test_what_ledgers_and_persons_do_not_know_is_named() -> None:
    one = replication(*TINY, "horizon.history_weeks=1")
    with pytest.raises(Open, match="ledgers do not count smiles yet"):
        sold(one.morning, "smiles", one.past)
    with pytest.raises(Open, match="ledgers do not count smiles yet"):
        booked(one.morning, "smiles", one.past)
    assert booked(one.morning, COMPANY_COLUMNS[0], one.past) > 0


def test_a_trial_of_a_medium_without_effects_lifts_nothing() -> None:
    off = [f"market.media.retargeting.{effect}=0" for effect in ("pull", "click_rate", "reminder")]
    dull = replication("market.people=2000", "market.burn_in_weeks=8", *off)
    for key in ("E13.purchases", "E13.visits"):
        assert trials.MEASURES[key](dull, named(key)) == 0


def test_half_of_an_effect_that_halves_daily_is_there_after_a_day() -> None:
    assert response.reached(0.5 ** np.arange(60)) == 4  # 15/16 of it, 7/8 after three days
    assert response.reached(np.array([5.0, 6.0, -3.0, 1.0])) == 4  # what is lost again counts
    with pytest.raises(Open):
        response.reached(np.array([1.0, -1.0]))


def test_mail_is_sent_as_often_as_is_asked() -> None:
    one = replication(*TINY, "horizon.history_weeks=1")
    market = trials.capped(one.market, "email", 4 * 12 / 52)
    world = one.fork({"email": trials.ABUNDANT}, market)
    world.step()
    assert isinstance(world.population, Crowd)
    pressure = world.population.today.pressure[0, world.media.index("email")]
    assert pressure * 364 / 12 == pytest.approx(4)


def test_stores_can_be_given_their_share_of_sales() -> None:
    one = replication("market.people=2000", "market.burn_in_weeks=8", "horizon.history_weeks=4")
    market = trials.where_stores_sell_most(one, ("store",))
    world = one.paid({}, 13, market=market)
    shares = [
        sold(world, "expected_revenue_gross", one.first(13), names) for names in (["store"], None)
    ]
    assert shares[0] / shares[1] == pytest.approx(trials.STORE_SHARE, abs=0.015)


def test_baskets_and_ways_are_read_as_they_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(customers, "remembered", lambda field: field)
    one = replication(*TINY, "horizon.history_weeks=1")
    app, store, web = (one.morning.channels.index(name) for name in ("app", "store", "web"))
    rows = [  # day, row, channel, basket, met
        (700, 0, store, 60.0, 1 << store | 1 << web),
        (710, 0, web, 20.0, 1 << web),
        (705, 1, store, 10.0, 1 << store),
        (706, 2, web, 5.0, 1 << web | 1 << app),
        (707, 3, web, 3.0, 1 << web | 1 << store),
        (708, 4, store, 2.0, 1 << store),
    ]
    orders = pd.DataFrame(rows, columns=["day", "row", "channel", "last_basket", "met"])
    met = np.zeros(300, np.uint8)
    np.bitwise_or.at(met, orders["row"], orders["met"].to_numpy(np.uint8))
    diary = Diary(0, 727, orders, orders[["day", "row"]], np.zeros(300), met)
    one.__dict__["history"] = (one.morning, diary)

    def value(key: str) -> float:
        return customers.MEASURES[key](one, named(key))

    assert value("E5.top_fifth") == pytest.approx(80)
    assert value("E5.gini") == pytest.approx(0.652)
    assert value("E21.share") == pytest.approx(20)
    assert value("E23.share") == pytest.approx(40)
    assert value("E23.store") == pytest.approx(900)
    assert value("E23.online") == pytest.approx(130)
    assert value("E24.webrooming") == pytest.approx(100 / 3)
    assert value("E24.showrooming") == pytest.approx(100 / 3)
    assert value("E24.ratio") == pytest.approx(1)


def test_a_little_known_brand_is_liked_less_by_everybody() -> None:
    market = replication().market
    assert isinstance(market, Market)
    less = trials.little_known(market)
    for name, one in market.segments.items():
        assert less.segments[name].base == one.base - trials.LITTLE_KNOWN
