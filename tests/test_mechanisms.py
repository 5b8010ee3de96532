"""Mechanisms: everything happens in the rich market, and each leaves alone what it does not touch.

`tests/own/experiment/rich.yaml` switches every mechanism on; which way each works stands in
`test_directions`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK, STAGES
from tests.worlds import at_fork, but, digest, question, rich

WEEKS = 6


def lived(*overrides: str) -> Simulation:
    """Return the rich market at the end of its weeks after the fork."""
    world = at_fork(rich(*overrides))
    world.run_to(world.state.day + WEEKS * DAYS_IN_WEEK)
    return world


@cache
def whole() -> Simulation:
    return lived()


# -- everything happens -------------------------------------------------------------------


def test_in_the_rich_market_every_column_of_every_ledger_is_filled() -> None:
    ledger = whole().state.ledger
    for columns, rows in (
        (MEDIA_COLUMNS, [week.sum(axis=0) for week in ledger.media]),
        (CHANNEL_COLUMNS, [week.sum(axis=0) for week in ledger.channels]),
        (COMPANY_COLUMNS, ledger.company),
    ):
        empty = {
            name for name, total in zip(columns, np.abs(rows).sum(axis=0), strict=True) if not total
        }
        assert empty <= {"held_back_cents"}


def test_in_the_rich_market_people_differ_in_everything_they_remember() -> None:
    state = whole().state.people.state
    alike = {name for name in state.dtype.names if len(np.unique(state[name])) == 1}
    assert alike == {"joins"}
    assert len(np.unique(whole().state.people.claim)) > 3


SWITCHES = {
    "categories": "market.categories.clothes.basket=1",
    "cross-selling": "market.categories.clothes.cross={}",
    "what a region likes": "market.regions.country.prefers={}",
    "what a region sees": "market.regions.country.affinity={}",
    "promotions": "organigram.stores.promotes=0",
    "the taste for low prices": "market.segments.store_regulars.price=0",
    "distrust": "market.pricing.distrust=0",
    "haggling": "market.pricing.haggles=0",
    "clashing claims": "market.messages.clash=0",
    "coupons": "market.media.coupons.lift=0",
    "looking for coupons": "market.segments.bargain_hunters.coupons=0",
    "referrals": "market.media.referral.pull=0",
    "talk": "market.friends.talk=0",
    "rewired friends": "market.friends.rewired=0",
    "profiles": "market.media.profiles.pull=0",
    "what is fixed": "market.media.seo.price=80",
    "growing expectations": "market.buying.expectation=0",
    "the best service of others": "market.rivals.service=0",
    "late deliveries": "market.channels.web.late=0",
    "incidents": "market.categories.furniture.incident=0",
    "telling it twice": "market.service.twice=0",
    "mending": "market.service.mended=0.9",
    "what mending costs": "market.service.cost=0",
    "one case file": "integration.service=0",
    "waiting": "market.channels.store.wait=0",
    "empty shelves": "market.channels.store.stock_out=0",
    "the stock of others": "integration.fulfilment=0",
    "ways of paying": "market.channels.store.accepts=[]",
    "wrong descriptions": "market.channels.web.facts=1",
    "personalisation": "market.channels.app.personalised=0",
    "phones that help": "market.journey.assist=0",
    "phones that confuse": "market.journey.confuses=0",
    "campaigns of rivals": "market.rivals.campaigns=[]",
    "shocks": "market.shocks=[]",
    "who leaves before a closed door": "market.journey.closed_lost=0.9",
    "a channel that opens late": "market.channels.marketplace.opens=0",
    "where a channel sells": "market.channels.app.regions=[]",
    "what a channel sells": "market.channels.store.sells=[]",
    "channels that the firm opens": "integration.open=[store, web]",
    "levels of a pair": "integration.pairs={}",
    "one calendar of prices": "integration.price=0",
    "one claim": "integration.promotion=0",
}


@pytest.mark.parametrize("override", SWITCHES.values(), ids=SWITCHES)
def test_every_mechanism_is_at_work_in_the_rich_market(override: str) -> None:
    assert digest(lived(override)) != digest(whole())


# -- what a word touches, and nothing else ------------------------------------------------

MONEY = {
    f"{twin}{kind}"
    for twin in ("", "expected_")
    for kind in ("revenue_gross", "revenue_net", "margin")
}
KEPT = {name for name in MONEY if not name.endswith("gross")}
COST = {"cost_to_serve", "expected_cost_to_serve"}
GOODS = "market.categories={goods: {}}"
TOUCHES = {
    # what it is: what stands in both markets, the word, the columns that differ
    "cross-selling touches money": (
        "market.categories={one: {}, other: {}}",
        "market.categories.one.cross={other: 0.5}",
        MONEY,
    ),
    "what a product really is touches returns": ("", "market.channels.web.facts=0.8", KEPT),
    "the returns of a category touch returns": (
        GOODS,
        "market.categories.goods.returned=0.9",
        KEPT,
    ),
    "late deliveries that nobody minds are counted": ("", "market.channels.web.late=0.5", {"late"}),
    "incidents that nobody minds are counted": (
        GOODS,
        "market.categories.goods.incident=0.5",
        {"incidents"},
    ),
    "mending incidents costs": (
        "market.categories={goods: {incident: 0.5}}",
        "market.service.cost=10",
        COST,
    ),
    "use cases are counted": ("", "market.use_cases={}", {"use_cases_tried", "use_cases_through"}),
    "promotions that nobody minds touch money": (
        "",
        "organigram.online={owns: [app, web], promotes: 0.5, depth: 0.2}",
        MONEY,
    ),
    "claims that do not clash touch nothing": ("", "market.messages={claims: 9, clash: 0}", set()),
    "friends who tell nothing touch nothing": (
        "",
        "market.friends={degree: 6, tells: 0, talk: 1}",
        set(),
    ),
    "friends who do not listen touch nothing": (
        "",
        "market.friends={degree: 6, tells: 1, talk: 0}",
        set(),
    ),
    "a way of paying that all accept touches nothing": (
        "",
        "market.segments.app_natives.pays_by={card: 1}",
        set(),
    ),
    "a phone that neither helps nor confuses counts hand-overs": (
        "",
        "market.segments.store_regulars.phone=0.5",
        {"hand_overs_missed"},
    ),
    "a price that everybody sees alike touches nothing": (
        "",
        "market.pricing={distrust: 9, haggles: 1}",
        set(),
    ),
    "the service of rivals touches nobody who does not learn": (
        "",
        "market.rivals.service=1",
        set(),
    ),
    "a service desk touches nothing where nothing goes wrong": (
        "market.channels.web.serves=[inform, evaluate, buy, use]",
        "integration.service=1",
        {"integration_cost"},
    ),
    "common stock touches nothing where shelves are full": (
        "",
        "integration.fulfilment=1",
        {"integration_cost"},
    ),
    "one price touches nothing where nobody promotes": (
        "",
        "integration.price=1",
        {"integration_cost"},
    ),
    "one claim touches nothing where claims do not clash": (
        "",
        "integration.promotion=1",
        {"integration_cost"},
    ),
}


@cache
def books(*words: str) -> dict[str, tuple[float, ...]]:
    """Return every column of the ledgers of a year of a plain market, by channel and week."""
    plain = question("steering=frozen", "horizon.history_weeks=26")
    ledger = at_fork(but(plain, *filter(None, words))).state.ledger
    weeks = (ledger.media, ledger.channels, ledger.company)
    return {
        name: tuple(np.array(rows)[..., nth].ravel().tolist())
        for columns, rows in zip(
            (MEDIA_COLUMNS, CHANNEL_COLUMNS, COMPANY_COLUMNS), weeks, strict=True
        )
        for nth, name in enumerate(columns)
    }


@pytest.mark.parametrize(("both", "word", "touched"), TOUCHES.values(), ids=TOUCHES)
def test_a_word_touches_what_it_is_about_and_nothing_else(
    both: str, word: str, touched: set[str]
) -> None:
    plain, changed = books(both), books(both, word)
    assert {name for name in plain if plain[name] != changed[name]} == touched


def test_regions_that_do_not_differ_change_nothing_but_who_lives_where() -> None:
    spec = question("steering=frozen")
    twins = "market.regions={north: {share: 0.5}, south: {share: 0.5}}"
    plain, apart = (at_fork(but(spec, *words)).state.people for words in ((), (twins,)))
    rows = [apart.row_of(int(person)) for person in plain.ids]
    assert len(np.unique(apart.state.cell)) == 2 * len(np.unique(plain.state.cell))
    for field in set(plain.state.dtype.names or ()) - {"cell"}:
        assert (plain.state[field] == apart.state[field][rows]).all(), field
    assert (plain.goodwill == apart.goodwill[:, rows]).all()


# -- nobody who changes, nothing to integrate ---------------------------------------------

LEVELS = ("promotion", "price", "transaction_data", "information_access", "fulfilment", "service")
RECORD = "transaction_data"
HOME = {
    "app_natives": "app",
    "bargain_hunters": "web",
    "online_first": "web",
    "research_shoppers": "store",
    "store_regulars": "store",
}
FAITHFUL = tuple(
    f"market.segments.{name}.prefers={{{', '.join(f'{s}: {{{home}: 200}}' for s in STAGES)}}}"
    for name, home in HOME.items()
)
INTEGRATED = tuple(f"integration.{level}=1" for level in LEVELS)


def test_no_level_of_integration_changes_a_bit_where_there_is_one_sales_channel() -> None:
    spec = question("market=identical", "organigram=pairs")
    assert digest(at_fork(but(spec, *INTEGRATED))) == digest(at_fork(spec))


@pytest.mark.parametrize("level", LEVELS)
def test_nobody_who_stays_in_one_channel_gains_by_integration(level: str) -> None:
    faithful = (*FAITHFUL, "market.budget=0")
    apart, linked = books(*faithful), books(*faithful, f"integration.{level}=1")
    assert not any(apart["hand_overs_missed"])
    touched = {name for name in apart if apart[name] != linked[name]}
    assert touched == {"integration_cost"} | ({"tracked_orders"} if level == RECORD else set())


# -- the firm's own words -----------------------------------------------------------------


def test_a_department_whose_media_hold_no_money_decides_over_nothing() -> None:
    world = at_fork(rich("market.start=grown"))
    ads = world.media.index("marketplace_ads")
    assert world.state.ledger.media[-1][ads, MEDIA_COLUMNS.index("planned_cents")] == 0
    assert "marketplaces" in {decider.key for decider in world.deciders}
