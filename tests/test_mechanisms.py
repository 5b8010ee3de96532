"""Mechanisms: everything happens in the rich market, and each leaves alone what it does not touch.

`tests/own/market/rich.yaml` switches every mechanism on; which way each works stands in
`test_directions`.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from omnisim.people import COOKIES, PERSON
from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation
from omnisim.simulation.crowd import Crowd
from omnisim.spec import DAYS_IN_WEEK, STAGES, Market
from tests.worlds import at_fork, booked, but, digest, paid, question, rich

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
    alike = {name for name in PERSON.names or () if len(np.unique(state[name])) == 1}
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
    "annoyance": "market.messages.annoys=0",
    "a cap on contacts": "integration.frequency_cap=null",
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
        MONEY | {"expected_last_touch_value"},
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


# -- media that are paid and aimed in other ways ------------------------------------------

LIFT = "market.media.coupons.lift"
SILENT = ("market.media.coupons.pull=0", "market.media.coupons.lands_on=null")
CALM = ("market.messages.clash=0", "market.messages.annoys=0", "market.pressure=open")


@cache
def morning(*words: str) -> Simulation:
    """Return the rich market, with more people and without decisions, on its first morning."""
    return at_fork(rich("market.people=3000", "steering.kind=frozen", *words))


def caused(medium: str, *words: str) -> tuple[float, float]:
    """Return the orders that a medium causes in six weeks, and those that it is credited with."""
    with_it, without = (paid(morning(*words), WEEKS, **{medium: part}) for part in (1.0, 0.0))
    orders = [booked(world, WEEKS)["expected_orders"] for world in (with_it, without)]
    return orders[0] - orders[1], booked(with_it, WEEKS, medium)["expected_last_touch"]


def test_a_coupon_causes_less_than_it_is_credited_with() -> None:
    extra, credited = caused("coupons")
    assert 0 < extra < credited


def test_a_coupon_that_mends_nothing_is_credited_all_the_same() -> None:
    extra, credited = caused("coupons", f"{LIFT}=0", *SILENT, *CALM)
    assert extra == 0 < credited


def test_a_coupon_that_mends_more_brings_more_orders_and_is_paid_more() -> None:
    little, much = (paid(morning(f"{LIFT}={lift}"), WEEKS) for lift in (0.1, 0.7))
    assert booked(much, WEEKS)["expected_orders"] > booked(little, WEEKS)["expected_orders"]
    cents = [booked(world, WEEKS, "coupons")["spent_cents"] for world in (little, much)]
    assert 0 < cents[0] < cents[1]


@pytest.mark.parametrize("medium", ["referral", "profiles", "seo", "marketplace_ads"])
def test_a_medium_that_convinces_causes_orders(medium: str) -> None:
    much = (f"market.media.{medium}.{word}" for word in ("pull=3", "half_life=30", "price=1"))
    assert caused(medium, *much, *CALM)[0] > 0


def test_where_nobody_orders_orders_cost_nothing_and_what_is_fixed_costs_the_same() -> None:
    nobody = tuple(f"market.channels.{name}.success.buy=0" for name in whole().channels)
    world = at_fork(rich("steering.kind=frozen", f"{LIFT}=0", "market.journey.assist=0", *nobody))
    cost = {name: booked(world, WEEKS, name) for name in world.media}
    assert booked(world, WEEKS)["orders"] == booked(world, WEEKS)["expected_orders"] == 0
    assert cost["coupons"]["contacts"] > 0 == cost["coupons"]["spent_cents"]
    assert cost["referral"]["spent_cents"] == 0
    assert cost["seo"]["spent_cents"] == cost["seo"]["planned_cents"] > 0


def test_what_is_fixed_costs_the_same_whatever_comes_of_it() -> None:
    dull, dear = (at_fork(rich(f"market.media.seo.{word}")) for word in ("pull=0", "price=4000"))
    for world in (dull, dear):
        book = booked(world, WEEKS, "seo")
        assert book["spent_cents"] == book["planned_cents"] > 0
    contacts = [booked(world, WEEKS, "seo")["contacts"] for world in (dull, dear)]
    assert contacts[1] < contacts[0]


def test_a_profile_reaches_nobody_who_does_not_consent() -> None:
    people = morning().state.people
    met = people.goodwill[morning().media.index("profiles")] > 0
    consents = (people.state.consent & COOKIES) > 0
    assert met[consents].mean() > 0.5
    assert not met[~consents].any()


def test_consent_changes_what_is_tracked_and_nothing_that_is_bought() -> None:
    unfollowed = ("market.media.retargeting.pull=0", "market.media.retargeting.click_rate=0")
    world = (*unfollowed, "market.media.retargeting.reminder=0")
    few, many = (
        books(*world, *(f"market.segments.{name}.consent={share}" for name in HOME))
        for share in (0.1, 0.9)
    )
    differ = {name for name in few if few[name] != many[name]}
    of_media = set(MEDIA_COLUMNS) | {"department_claims", "expected_department_claims"}
    assert differ <= of_media | {"tracked_orders"}
    assert differ >= {"tracked_orders", "last_touch", "claims"}
    assert sum(few["tracked_orders"]) < sum(many["tracked_orders"])


# -- talk of friends ----------------------------------------------------------------------


def test_nobody_hears_of_more_than_friends_tell() -> None:
    for tells, hear in ((0.0, False), (1.0, True)):
        people = at_fork(rich(f"market.friends.tells={tells}")).state.people
        assert bool((people.state.talk != 0).any()) == hear


# -- prices and claims --------------------------------------------------------------------


def said(*words: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what channels cost and media claim in every week (float64, int64[weeks, names])."""
    spec = rich("organigram.marketplaces.promotes=0.4", *words)
    world = Simulation(spec, 0)
    world.adopt(spec.status_quo)
    prices, claims = [], []
    for _ in range(20):
        world.run_to(world.state.day + DAYS_IN_WEEK)
        assert isinstance(world.population, Crowd)
        prices.append(world.population.world.prices.copy())
        claims.append(world.population.world.claims.astype(np.int64))
    return np.array(prices), np.array(claims)


def promotes_together(prices: np.ndarray) -> bool:
    cheaper = prices < 1
    return bool((cheaper == cheaper[:, :1]).all())


def test_integrated_prices_follow_one_calendar_and_others_their_departments() -> None:
    apart, together = (said("integration.pairs={}", f"integration.price={n}")[0] for n in (0, 1))
    assert not promotes_together(apart)
    assert promotes_together(together)
    of_one_department = apart[:, [whole().channels.index(name) for name in ("app", "web")]]
    assert promotes_together(of_one_department)
    assert set(np.unique(together)) == {0.75, 0.8, 0.9, 1.0}


def test_levels_of_pairs_are_levels_where_no_level_is_named() -> None:
    names = [f"{one}+{two}" for one, two in combinations(whole().channels, 2)]
    pairs = ", ".join(f"{name}: {{price: 1, promotion: 1}}" for name in names)
    none = ("integration.price=0", "integration.promotion=0")
    by_pair = said(*none, f"integration.pairs={{{pairs}}}")
    firm_wide = said("integration.price=1", "integration.promotion=1", "integration.pairs={}")
    for one, other in zip(by_pair, firm_wide, strict=True):
        assert (one == other).all()


def test_an_integrated_firm_makes_one_claim_at_a_time() -> None:
    claims = [said(f"integration.promotion={level}")[1] for level in (0, 0.5, 1)]
    at_once = [np.mean([len(set(week)) for week in weeks]) for weeks in claims]
    assert at_once[0] > at_once[1] > at_once[2] == 1
    assert len(np.unique(claims[2])) > 1


# -- where and since when a channel is there ----------------------------------------------


def visits(world: Simulation, channel: str) -> np.ndarray:
    """Return the visits to a channel in every week (float64[weeks])."""
    rows = np.array(world.state.ledger.channels)[:, world.channels.index(channel)]
    return np.asarray(rows[:, CHANNEL_COLUMNS.index("visits")])


def test_a_channel_has_visits_from_the_week_on_in_which_it_opens() -> None:
    opens = visits(whole(), "marketplace")[-WEEKS:]
    assert not opens[:2].any()
    assert opens[2:].all()


def test_nobody_shops_in_a_closed_channel_and_all_do_when_it_is_open_again() -> None:
    stores = visits(whole(), "store")
    fork = len(stores) - WEEKS
    assert not stores[fork - 2 : fork].any()
    assert stores[fork:].all()


def test_where_every_channel_is_closed_nobody_is_met_and_walks_wait() -> None:
    shut = f"market.shocks=[{{first_week: 0, last_week: 0, closed: {whole().channels}}}]"
    world = lived(shut, "market.journey.closed_lost=0")
    carts = np.array(world.state.ledger.channels)[:, :, CHANNEL_COLUMNS.index("carts")].sum(axis=1)
    assert carts[-WEEKS] == 0
    assert (carts[-WEEKS + 1 :] > 0).all()


def test_who_lives_elsewhere_and_wants_what_is_not_sold_never_comes() -> None:
    world = morning()
    assert isinstance(world.spec.market, Market)
    state = world.state.people.state
    elsewhere = [nth for nth, (_, region) in enumerate(world.spec.market.cells) if region != "town"]
    app, store = (1 << world.channels.index(name) for name in ("app", "store"))
    far = np.isin(state.cell, elsewhere)
    assert not (state.met[far] & app).any()
    assert (state.met[~far] & app).any()
    toys = (state.category == list(world.spec.market.goods).index("toys")) & (state.stage > 0)
    assert not (state.met[toys] & store).any()
    assert (state.met[~toys] & store).any()


def test_a_firm_that_opens_some_of_its_channels_sells_in_no_other() -> None:
    some = at_fork(rich("integration.open=[store, web]"))
    for name in ("app", "marketplace"):
        assert not visits(some, name).any()
    assert visits(some, "web").all()


# -- use cases ----------------------------------------------------------------------------


def test_use_cases_are_counted_by_who_walks_them() -> None:
    def counted(*touchpoints: str) -> tuple[float, float]:
        case = f"{{persona: online_first, touchpoints: [{', '.join(touchpoints)}]}}"
        world = at_fork(rich(f"market.use_cases={{way: {case}}}"))
        book = booked(world, WEEKS)
        return book["use_cases_tried"], book["use_cases_through"]

    tried, through = counted("web.inform", "web.evaluate", "web.buy")
    assert tried > through > 0
    assert counted("web.inform", "store.evaluate", "web.buy")[0] == tried
    assert counted("web.receive", "web.use") == (0, 0)
    assert counted("tv.inform", "web.buy") == (0, 0)


def test_a_stage_that_had_to_be_repeated_is_remembered_where_it_was_passed_at_last() -> None:
    state = morning("integration.information_access=0", "integration.pairs={}").state.people.state
    passed = (state.path[:, None].astype(int) >> np.array([0, 4, 8])) & 15
    assert state.repeats.any()
    assert (passed <= len(morning().channels)).all()
    assert (np.diff((passed > 0).astype(int)) <= 0).all()


# -- newcomers ----------------------------------------------------------------------------


def test_who_moves_in_remembers_nothing_of_who_moved_out() -> None:
    spec = rich("market.buying.newcomers=1", "market.segments.app_natives.needs=0")
    world = at_fork(spec)
    fork = world.fork(world.strategy)
    people = fork.state.people
    people.state.expects, people.state.talk, people.state.price = 1e6, 9.0, 0.1
    people.claim[:] = 200
    fork.run_to(fork.state.day + WEEKS * DAYS_IN_WEEK)
    forgot = np.asarray(people.state["expects"] < 5)
    assert 0.05 < forgot.mean() < 0.5
    assert (people.state["talk"][forgot] < 5).all()
    assert (people.state["price"][forgot] > 0.5).all()
