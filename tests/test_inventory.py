from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console

from omnisim import config, journeys, people, streams
from omnisim.__main__ import main
from omnisim.cli.inventory import show
from omnisim.inventory import Inventory, missing, take
from omnisim.inventory.benchmarks import conversion
from omnisim.inventory.hand_over import ACCESS, BOTH, RECORD
from omnisim.journeys.walk import hands_over
from omnisim.language import ENGLISH, language
from omnisim.report.inventory import render
from omnisim.spec import ALL_STAGES, DIMENSIONS, ExperimentSpec, Market, SalesChannel
from tests.ledgers import a_spec
from tests.loud import LOUD, silent
from tests.test_report import HOSTILE, Page
from tests.worlds import OWN

GERMAN = language("de")
WALK = ("inform", "evaluate", "buy")
SIX = ("market=six",)


def taken(*words: str) -> Inventory:
    """Return the inventory of the default question with overrides."""
    return take(config.load([*SIX, *words], OWN)[0])


def changed(**channels: dict[str, Any]) -> ExperimentSpec:
    """Return a small question with other words in its media and sales channels."""
    market = a_spec().model_dump()["market"]
    for name, words in channels.items():
        kind = "media" if name in market["media"] else "channels"
        market[kind][name] |= words
    return a_spec(market=market)


def with_cases(spec: ExperimentSpec, **cases: list[str]) -> ExperimentSpec:
    """Return a small question with ways of everybody over touchpoints."""
    market = spec.model_dump()["market"]
    ways = {name: {"persona": "all", "touchpoints": way} for name, way in cases.items()}
    return a_spec(market=market | {"use_cases": ways})


def integrated(spec: ExperimentSpec, **levels: float) -> ExperimentSpec:
    """Return the question with levels of integration in the status quo."""
    status_quo = spec.status_quo.model_dump() | {"integration": levels}
    return ExperimentSpec.model_validate(spec.model_dump() | {"status_quo": status_quo})


def breaks(spec: ExperimentSpec) -> dict[str, tuple[str, ...]]:
    """Return what breaks each use case."""
    return {case.name: case.breaks for case in take(spec).use_cases}


# Channels


def test_every_channel_has_one_row_with_its_owner_and_what_it_is_paid_for() -> None:
    rows = {channel.name: channel for channel in taken().channels}
    assert len(rows) == len(taken().channels) == 9
    assert rows["tv"].owner == "brand"
    assert rows["tv"].price == "EUR 15.00 per 1,000"
    assert rows["email"].price == "EUR 0.003 a message"
    assert rows["search_brand"].aim == "brand searchers"
    assert (rows["tv"].recognised, rows["app"].recognised) == (None, 0.95)
    assert rows["paid_social"].recognised == pytest.approx(0.354)  # consent over personas
    assert rows["email"].recognised == pytest.approx(0.409)  # opted in


@pytest.mark.parametrize(
    ("payment", "price", "shown", "cpm"),
    [
        ("per_order", 5, "EUR 5.00 an order", 100),
        ("per_success", 5, "EUR 5.00 a success", 100),
        ("fixed", 20, "EUR 20.00 per 1,000 planned, fixed", 20),
    ],
)
def test_what_is_paid_by_order_or_fixed_has_a_planned_price_of_a_contact(
    payment: str, price: float, shown: str, cpm: float
) -> None:
    found = take(changed(tv={"payment": payment, "price": price, "converts": 0.02}))
    assert {channel.price for channel in found.channels if channel.name == "tv"} == {shown}
    assert {c.value for c in found.checks if (c.channel, c.measure) == ("tv", "cpm")} == {cpm}


def test_channels_say_what_they_do_not_do_and_what_nobody_does_is_a_gap(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [
        "+market.categories={shirts: {}, shoes: {}}",
        "market.channels.app.sells=[shirts]",
        "market.channels.app.opens=8",
        "market.channels.store.accepts=[cash]",
        "market.channels.store.sells=[shirts]",
        "market.segments.online_first.pays_by={cash: 0.5, voucher: 0.5}",
        "integration.open=[app,store]",
    ]
    found = taken(*words)
    limits = {channel.name: channel.limits for channel in found.channels if channel.limits}
    assert limits == {
        "app": ("opens in week 8 after the fork", "sells shirts only"),
        "store": ("sells shirts only", "accepts cash only"),
        "web": ("is closed by the firm",),
    }
    assert "No open sales channel sells shoes." in found.gaps
    assert main(["inventory", "--config-dir", str(OWN), *SIX, *words]) == 0
    assert "web is closed by the firm." in capsys.readouterr().out
    assert "opens in week 8 after the fork, sells shirts only." in render(found, "")
    lonely = taken(*words, "market.channels.app.accepts=[cash]")
    assert "No open sales channel accepts voucher." in lonely.gaps


def test_service_is_declared_and_sales_follow_from_serving_buy() -> None:
    spec = changed(
        shop={"serves": [*WALK, "use"]},
        tv={"serves": ["inform", "use"]},
        store={"serves": ["inform"], "success": {"inform": 0.5}, "lost": {"inform": 0.5}},
    )
    roles = {channel.name: channel.roles for channel in take(spec).channels}
    assert roles == {
        "search": ("media",),
        "tv": ("media", "service"),
        "shop": ("sales", "service"),
        "store": (),
    }


def test_stages_are_kept_in_the_order_of_a_journey_and_once() -> None:
    spec = changed(shop={"serves": ["use", "buy", "evaluate", "inform", "buy"]})
    rows = {channel.name: channel for channel in take(spec).channels}
    assert rows["shop"].serves == (*WALK, "use")


def test_a_walk_needs_a_sales_channel_for_each_of_its_stages() -> None:
    inform = {"serves": ["inform"], "success": {"inform": 0.5}, "lost": {"inform": 0.5}}
    with pytest.raises(ValidationError, match="none that serves evaluate"):
        changed(shop=inform, store=inform)


def test_a_market_of_curves_has_owners_and_nothing_else() -> None:
    found = take(config.load(["experiment=textbook"])[0])
    assert {channel.name: channel.owner for channel in found.channels}["m3"] == "right"
    assert [len(part) for part in (found.changes, found.checks, found.gaps)] == [0, 0, 0]


# Hand-over


def test_a_change_keeps_the_context_of_who_is_known_in_both_on_a_record_that_is_seen() -> None:
    found = taken("integration.transaction_data=0.8", "integration.information_access=0.7")
    kept = {(change.came_from, change.goes_to): change.kept for change in found.changes}
    assert len(kept) == 6
    assert kept["web", "store"] == pytest.approx(0.5 * 0.45 * 0.8 * 0.7)
    for change in found.changes:
        both, *levels = (change.levels[name] for name in (BOTH, RECORD, ACCESS))
        assert change.kept == pytest.approx(both * levels[0] * levels[1])
        assert set(change.levels) == {BOTH, *DIMENSIONS}
    assert found.matrix()["store"][1] is None


def test_the_matrix_says_how_often_the_walk_itself_hands_over() -> None:
    words = ["market.people=20000", "integration.transaction_data=0.8"]
    spec = config.load([*words, "integration.information_access=0.7"])[0]
    assert isinstance(spec.market, Market)
    root = streams.replication_key(1, 0)
    persons = people.born(spec.market, root, 0)
    persons.state.status = people.CUSTOMER
    world = journeys.world(spec.market, spec.status_quo, root)
    names, shared = sorted(spec.market.channels), (world.rules[0], world.data, world.information)
    for change in take(spec).changes:
        way = names.index(change.came_from), names.index(change.goes_to)
        with np.errstate(over="ignore"):
            kept = [
                hands_over(person, *shared, *way, me, (nth + 0.5) % 1000 / 1000)
                for nth, (person, me) in enumerate(zip(persons.state, persons.ids, strict=True))
            ]
        assert np.mean(kept) == pytest.approx(change.kept, abs=0.012)


def test_levels_of_a_pair_hold_for_its_changes_and_for_no_other() -> None:
    pair = "integration.pairs={store+web: {transaction_data: 1, information_access: 0.5}}"
    found = taken(pair)
    kept = {(change.came_from, change.goes_to): change.kept for change in found.changes}
    assert kept.pop(("web", "store")) == kept.pop(("store", "web")) == pytest.approx(0.225 / 2)
    assert set(kept.values()) == {0.0}
    [levels] = [c.levels for c in found.changes if (c.came_from, c.goes_to) == ("web", "store")]
    assert (levels["information_access"], levels["service"]) == (0.5, 0.0)


def test_a_person_is_known_once_and_seen_anew_at_every_change() -> None:
    spec = integrated(
        with_cases(
            changed(shop={"identity": 0.8}, store={"identity": 0.5}),
            to_and_fro=["shop.inform", "store.evaluate", "shop.buy"],
        ),
        transaction_data=0.5,
        information_access=0.9,
    )
    [case] = take(spec).use_cases
    assert case.kept == pytest.approx(0.8 * 0.5 * 0.5 * 0.9**2)
    assert case.verdict == "possible; 16 % of customers have nothing to repeat"


# Use cases


def test_a_use_case_breaks_where_nothing_is_handed_over_but_not_at_the_first_stage() -> None:
    found = breaks(
        with_cases(
            a_spec(),
            alone=["tv.inform", "shop.inform", "shop.evaluate", "shop.buy", "shop.receive"],
            looked_twice=["shop.inform", "store.inform", "store.buy"],
            changed_over=["shop.inform", "store.evaluate", "store.buy"],
        )
    )
    assert found == {
        "alone": (),
        "looked_twice": (),
        "changed_over": ("store.evaluate: nothing is handed over from shop",),
    }


def test_a_use_case_breaks_where_it_goes_back_where_nobody_succeeds_and_where_nobody_is_met() -> (
    None
):
    hopeless = {"success": {"inform": 0.5, "evaluate": 0.5, "buy": 0}}
    spec = changed(shop=hopeless, search={"aim": "customers"})
    found = breaks(
        with_cases(
            spec,
            back=["store.buy", "store.inform"],
            no_till=["shop.inform", "shop.buy"],
            no_mail=["search.inform", "store.buy"],
        )
    )
    assert found == {
        "back": ("store.inform: a journey does not go back from buy",),
        "no_till": ("shop.buy: nobody succeeds here",),
        "no_mail": ("search.inform: it meets nobody of this persona",),
    }


def test_a_missing_touchpoint_breaks_a_use_case_and_is_named_with_the_nearest_one() -> None:
    spec = with_cases(a_spec(), mend=["shp.buy", "store.use"])
    lacks = (
        "shp.buy is missing: the market has no channel 'shp'; nearest: shop.buy",
        "store.use is missing: store serves inform, evaluate, buy and receive",
    )
    assert breaks(spec)["mend"] == lacks
    assert missing(spec.market) == tuple(
        f"market.use_cases.mend.touchpoints.{nth}: {lack}" for nth, lack in enumerate(lacks)
    )


@pytest.mark.parametrize("command", [["inventory"], ["run", "-m", "seed=1,2"], ["run"]])
def test_a_missing_touchpoint_is_a_warning_of_one_line_and_stops_nothing(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("omnisim.cli.run._answered", lambda *_: None)
    case = "+market.use_cases.mend={persona: app_natives, touchpoints: [app.buy, app.use]}"
    main([*command, case])
    warned = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert warned == [
        "omnisim: warning: market.use_cases.mend.touchpoints.1: app.use is missing:"
        " app serves inform, evaluate, buy and receive"
    ]


# Benchmarks


def test_what_a_medium_costs_by_contact_and_by_click_does_not_hang_on_how_it_is_paid() -> None:
    alike = (("per_thousand", 5.0), ("per_click", 0.25), ("per_message", 0.005))
    for payment, price in alike:
        medium = {"payment": payment, "price": price, "click_rate": 0.02}
        values = {c.measure: c.value for c in take(changed(tv=medium)).checks if c.channel == "tv"}
        assert values == pytest.approx({"cpm": 5.0, "cpc": 0.25, "ctr": 0.02})


@pytest.mark.parametrize(("price", "mark"), [(4.9, "below"), (5, "inside"), (9.1, "above")])
def test_a_price_is_marked_beside_its_benchmark(price: float, mark: str) -> None:
    benchmark = {"cpm": {"low": 5, "high": 9, "source": "trade pages"}}
    checks = take(changed(tv={"price": price, "benchmarks": benchmark})).checks
    [check] = [check for check in checks if check.benchmark]
    assert (check.channel, check.mark, check.range) == ("tv", mark, "5.00 to 9.00")


def test_a_medium_without_clicks_has_no_price_per_click_even_beside_a_benchmark() -> None:
    benchmark = {"cpc": {"low": 0.1, "high": 0.2, "source": "trade pages"}}
    checks = {c.measure: c for c in take(changed(tv={"benchmarks": benchmark})).checks if c.source}
    assert (checks["cpc"].shown, checks["cpc"].mark) == ("–", "–")


def test_conversion_counts_visits_that_repeat_a_stage() -> None:
    stages = dict.fromkeys(WALK, 0.5)
    words = {"online": True, "identity": 1, "basket": 1, "margin": 1, "success": stages}
    sure = SalesChannel.model_validate(words | {"lost": dict.fromkeys(WALK, 0)})
    assert conversion(sure) == pytest.approx(1 / 6)  # two visits a stage
    risky = SalesChannel.model_validate(words | {"lost": stages})
    assert conversion(risky) == pytest.approx(0.125 / 1.75)
    never = SalesChannel.model_validate(
        words | {"success": dict.fromkeys(WALK, 0), "lost": dict.fromkeys(WALK, 0)}
    )
    assert conversion(never) is None


def test_every_benchmark_of_the_default_market_says_who_says_so() -> None:
    checks = [check for check in taken().checks if check.benchmark]
    assert len({check.channel for check in checks}) == 9
    assert all(len(check.source) > 3 for check in checks)


# Strengths and gaps


def test_the_default_market_s_sentences() -> None:
    found = taken()
    assert "app recognises 95 % of its customers." in found.strengths
    for gap in (
        "No channel serves the stage use.",
        "tv, 31 % of the budget, is not tracked: a rule that reads last touch cannot see it.",
        "store recognises 45 % of its customers, less than half.",
        "brand (tv) and social (paid_social) buy the same audience: everybody.",
        "No change of sales channel keeps the context (transaction data and information access:"
        " 0).",
        "No department owns both a medium and a sales channel.",
    ):
        assert gap in found.gaps


def test_each_sentence_goes_with_its_cause() -> None:
    assert not [gap for gap in taken("attribution=claims").gaps if "not tracked" in gap]
    assert not [gap for gap in taken("market.media.tv.tracked=true").gaps if "last touch" in gap]
    known = taken("market.channels.store.identity=0.5").gaps
    assert not [gap for gap in known if gap.startswith("store recognises")]
    assert not [gap for gap in taken("integration=omnichannel").gaps if "context" in gap]
    weak = taken("integration=crosschannel").gaps
    assert "A change from store to web keeps the context for 5.6 % of customers." in weak
    assert not [gap for gap in taken("market.media.tv.aim=visitors").gaps if "everybody" in gap]


def test_a_roof_over_medium_and_shop_is_a_strength_and_its_lack_a_gap() -> None:
    spec = changed(search={"lands_on": "shop"})
    assert "sales owns both search and shop, where its clicks lead." in take(spec).strengths
    assert not [gap for gap in take(spec).gaps if "owns both" in gap]


def test_a_stage_that_only_one_side_serves_is_a_gap() -> None:
    spec = changed(store={"online": False, "serves": [*WALK, "receive", "use"]})
    assert "No sales channel serves the stage use online." in take(spec).gaps


def test_an_inventory_is_silent_where_there_is_nothing_to_say() -> None:
    whole = {"serves": [*WALK, "receive", "use"], "identity": 0.6}
    spec = integrated(
        changed(shop=whole, store=whole, search={"aim": "visitors"}),
        transaction_data=1,
        information_access=0.5,
    )
    found = take(spec)
    assert (found.strengths, found.gaps) == ((), ())


# Terminal and page


def test_the_terminal_shows_all_parts_in_eighty_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["inventory", "integration=crosschannel"]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert max(map(len, out.splitlines())) <= 80
    for words in ("search_generic", "information access", "possible; 5.6 %", "CPM (EUR)", "Gaps"):
        assert words in out


def test_the_page_says_what_the_terminal_says_and_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "inventory.html"
    assert main(["inventory", "--html", str(path)]) == 0
    text = path.read_text().replace("\N{NO-BREAK SPACE}", " ")
    found = take(config.load()[0])
    for words in (*found.strengths, *found.gaps, "find_online_buy_in_store", "AGF 2012"):
        assert words in text
    page = Page(text)
    assert not page.loads
    assert not {"script", "link", "iframe", "object", "img"} & set(page.tags)
    assert 'name="viewport"' in text
    assert "size: A4" in text


def test_hostile_words_are_shown_and_do_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = {"cpm": {"low": 1, "high": 2, "source": HOSTILE}}
    spec = with_cases(changed(tv={"benchmarks": benchmark}), way=[f"{HOSTILE}.inform"])
    market = spec.market.model_copy(update={"name": HOSTILE})
    text = render(take(spec.model_copy(update={"market": market})), HOSTILE)
    assert "script" not in Page(text).tags
    assert text.count("&lt;script&gt;") >= 6
    assert "{{ 7 * 7 }}" in text


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("market=b2b_supplier", "organigram=b2b_supplier", "integration=crosschannel"),
        ("integration=omnichannel", "integration.open=[app,store]", "market.channels.app.opens=8"),
        ("market.channels.store.sells=[home]", "market.channels.store.regions=[city]"),
        ("experiment=textbook",),
    ],
)
def test_nothing_on_the_page_or_in_the_terminal_passes_the_language_by(
    words: tuple[str, ...],
) -> None:
    found = take(config.load(words)[0], LOUD)
    text = render(found, "")
    assert not silent(Page(text).text, found.market)
    assert not silent(" ".join(re.findall(r'data-head="(.*?)"', text)))
    printed = io.StringIO()
    show(Console(file=printed, width=500), found)
    assert not silent(printed.getvalue(), found.market)


def test_the_german_page_has_the_parts_of_the_english_one_in_german() -> None:
    spec = config.load(["integration=crosschannel"])[0]
    english, german = (render(take(spec, words), "") for words in (ENGLISH, GERMAN))
    assert '<html lang="de">' in german
    assert Page(german).tags == Page(english).tags
    assert len(Page(german).words) == len(Page(english).words)
    assert not set(Page(german).heads) & set(Page(english).heads)
    for said in (
        "Filiale erkennt 45 % der eigenen Kunden, weniger als die Hälfte.",
        "0,003 EUR je Sendung",
        "Web (bewerten) → Filiale (kaufen)",
        "CPC 0,58 EUR (über 0,28 bis 0,32)",
    ):
        assert said in german.replace("\N{NO-BREAK SPACE}", " ")


def test_a_german_inventory_warns_in_german_and_leaves_keys_as_they_were_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = "+market.use_cases.mend={persona: app_natives, touchpoints: [ap.buy, app.use]}"
    assert main(["inventory", "language=de", case]) == 0
    out, err = capsys.readouterr()
    assert "Stärken" in out
    where = "omnisim: Warnung: market.use_cases.mend.touchpoints"
    assert err.splitlines() == [
        f"{where}.0: ap.buy fehlt: Der Markt hat keinen Kanal 'ap'; am nächsten: app.buy",
        f"{where}.1: app.use fehlt: App bedient nur informieren, bewerten, kaufen und erhalten",
    ]


def test_the_stages_of_the_legend_have_a_letter_of_their_own_in_every_language() -> None:
    for words in (ENGLISH, GERMAN):
        assert len({words.name(stage)[0] for stage in ALL_STAGES}) == len(ALL_STAGES)


@pytest.mark.parametrize("place", ["", "taken/below", "."])
def test_a_page_that_cannot_be_written_is_refused_in_one_line(
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("mine")
    assert main(["inventory", "--html", place]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("omnisim: --html: found ")
    assert err.count("\n") == 1


def test_the_inventory_and_its_page_import_nothing_that_simulates(tmp_path: Path) -> None:
    heavy = {"numpy", "numba", "mesa", "simpy", "scipy", "pandas", "pyarrow", "altair"}
    code = (
        "import sys; from omnisim.__main__ import main; main(['inventory', *sys.argv[1:]]);"
        f"sys.exit(','.join({heavy} & set(sys.modules)) or 0)"
    )
    words = ["--html", str(tmp_path / "page.html")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
