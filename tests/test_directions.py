"""Directions: more of this gives more of that.

Forks of one morning, and markets that differ in one word, live with the same luck; orders are
compared by their probabilities.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from omnisim.people import CUSTOMER, MAIL
from omnisim.simulation import Simulation
from omnisim.simulation.crowd import CrowdState
from omnisim.spec import DAYS_IN_WEEK, Integration
from tests.worlds import at_fork, booked, but, paid, question

MEDIA = ("email", "paid_social", "retargeting", "search_brand", "search_generic", "tv")
SEGMENTS = ("app_natives", "bargain_hunters", "online_first", "research_shoppers", "store_regulars")
CHANNELS = ("app", "store", "web")
WEEKS = 13
HALF_YEAR = ("market.people=4000", "market.burn_in_weeks=8", "horizon.history_weeks=26")
# Rivals who take every unguarded search for our name, and people who do not come back.
RIVALS_BID = (
    "market.rivals.steal_unguarded=1",
    "market.rivals.steal_guarded=0",
    "market.journey.repeat_lost=0.5",
)
# What makes the effect of one medium large enough to be seen, or its second step possible.
STAGE = {"search_brand": RIVALS_BID, "email": ("market.media.email.weekly_cap=7",)}


def booked_journeys(world: Simulation, weeks: int) -> dict[str, float]:
    """Return the sums of all columns over the last weeks, and of all lost journeys."""
    book = booked(world, weeks)
    stages = ("inform", "evaluate", "buy")
    return book | {"lost": sum(book[f"lost_{stage}"] for stage in stages)}


@cache
def morning(*overrides: str) -> Simulation:
    """Return a world in which nobody steers; forks of it differ by what they decide."""
    return at_fork(
        question(
            "steering=frozen",
            "market.people=20000",
            "market.burn_in_weeks=26",
            "horizon.history_weeks=4",
            *overrides,
        )
    )


def spent(world: Simulation) -> float:
    """Return the EUR spent on media in the weeks of a fork."""
    return booked(world, WEEKS)["spent_cents"] / 100


def expected_orders(world: Simulation) -> float:
    """Return the orders of the weeks of a fork, by their probabilities."""
    return booked(world, WEEKS)["expected_orders"]


def caused_orders(medium: str, *overrides: str) -> float:
    """Return the orders that a medium causes: those that are lost if it is switched off."""
    with_it, without = (paid(morning(*overrides), WEEKS, **{medium: factor}) for factor in (1, 0))
    return expected_orders(with_it) - expected_orders(without)


# -- money --------------------------------------------------------------------------------


@pytest.mark.parametrize("medium", MEDIA)
def test_more_money_never_loses_orders_and_its_second_half_brings_less_per_euro(
    medium: str,
) -> None:
    forks = [
        paid(morning(*STAGE.get(medium, ())), WEEKS, **{medium: factor}) for factor in (0.5, 1, 2)
    ]
    orders = np.diff([expected_orders(fork) for fork in forks])
    cost = np.diff([spent(fork) for fork in forks])
    assert (orders > 0).all()
    assert cost[1] > 1.5 * cost[0] > 0
    assert orders[1] / cost[1] < 0.9 * orders[0] / cost[0]


def test_a_medium_that_can_meet_nobody_more_spends_nothing_more() -> None:
    some, double = (paid(morning(), WEEKS, email=factor) for factor in (1.5, 3.0))
    assert spent(double) == spent(some)
    assert expected_orders(double) == expected_orders(some)
    planned = [booked(fork, WEEKS, "email")["planned_cents"] for fork in (some, double)]
    assert planned[1] == pytest.approx(2 * planned[0], rel=1e-3)


# -- markets that differ in one word ------------------------------------------------------


@cache
def lived(*overrides: str) -> dict[str, float]:
    """Return the books of half a year of a market, with who may be written to at its end."""
    world = at_fork(
        question(
            "steering=frozen",
            "market.people=8000",
            "market.burn_in_weeks=8",
            "horizon.history_weeks=26",
            *overrides,
        )
    )
    state = world.state.people.state
    writable = (state["status"] == CUSTOMER) & (state["consent"] & MAIL > 0)
    return booked_journeys(world, 26) | {"writable": float(writable.sum())}


DIRECTIONS = [
    # word of the market, more (or less) of it, what rises, what falls
    ("rivals.attraction=0.5", "", "walks expected_orders"),
    ("rivals.contacts=20", "", "expected_orders"),
    ("rivals.steal_unguarded=1", "lost", "expected_orders"),
    ("attention=20", "expected_orders", ""),
    ("media.tv.price=30", "", "contacts expected_orders"),
    ("media.paid_social.price=14", "", "contacts clicks expected_orders"),
    ("media.search_generic.price=0.9", "", "clicks expected_orders"),
    ("media.email.price=0.02", "", "contacts clicks expected_orders"),
    ("media.tv.half_life=2", "", "expected_orders"),
    ("media.paid_social.half_life=1", "", "expected_orders"),
    ("media.tv.pull=0.6", "walks expected_orders", ""),
    ("media.tv.half_pull=3", "", "walks expected_orders"),
    ("media.paid_social.click_goodwill=20", "expected_orders", ""),
    ("media.paid_social.click_rate=0.03", "clicks visits", ""),
    ("media.retargeting.reminder=0.6", "expected_orders", "lost"),
    ("media.email.unsubscribes=0.05", "", "writable contacts expected_orders"),
    ("media.email.weekly_cap=0.5", "", "contacts spent_cents expected_orders"),
    ("channels.web.quality=-0.5", "", "satisfaction expected_orders"),
    ("channels.web.returned=0.5", "", "revenue_net margin"),
    ("buying.drop_a=1.5", "drop_outs", "customers expected_orders"),
    ("buying.newcomers=0.3", "expected_new_customers", "customers expected_orders"),
    ("journey.repeat_lost=0.4", "lost", "expected_orders"),
    ("journey.friction=1", "", "satisfaction expected_orders"),
    ("journey.habit=3", "expected_orders", "hand_overs_missed multichannel_customers"),
    ("journey.inertia=3", "expected_orders", "hand_overs_missed lost"),
    ("journey.most_days=4", "lost", "expected_orders"),
    ("journey.brand_search=0.9", "brand_searches", "expected_orders"),
    ("segments.online_first.needs=12", "needs searches expected_orders", ""),
    ("segments.store_regulars.searches=0.9", "searches expected_orders", ""),
]


@pytest.mark.parametrize(("word", "rises", "falls"), DIRECTIONS, ids=[d[0] for d in DIRECTIONS])
def test_a_market_that_differs_in_one_word_differs_in_the_right_direction(
    word: str, rises: str, falls: str
) -> None:
    assert not wrong_way(lived(), lived(f"market.{word}"), rises, falls)


def wrong_way(
    plain: dict[str, float], changed: dict[str, float], rises: str, falls: str
) -> dict[str, tuple[float, float]]:
    """Return the columns that do not rise or fall as they are said to."""
    return {
        name: (plain[name], changed[name])
        for names, sign in ((rises, 1), (falls, -1))
        for name in names.split()
        if sign * (changed[name] - plain[name]) <= 0
    }


# -- mechanisms that the default market leaves out ----------------------------------------


@cache
def lived_with(*words: str) -> dict[str, float]:
    """Return the books of half a year of a plain market with other words."""
    return booked_journeys(at_fork(but(question("steering=frozen", *HALF_YEAR), *words)), 26)


def everybody(word: str) -> tuple[str, ...]:
    """Return a word about a person as one about every persona."""
    return tuple(f"market.segments.{name}.{word}" for name in SEGMENTS)


def promoting(promotes: float) -> tuple[str, ...]:
    """Return the words by which stores and sites sell cheaper in a part of all weeks."""
    owns = {"stores": "[store]", "online": "[app, web]"}
    return tuple(
        f"organigram.{name}={{owns: {owned}, promotes: {promotes}, depth: 0.25}}"
        for name, owned in owns.items()
    )


PAYING = everybody("pays_by={card: 0.5, invoice: 0.5}")
CASED = "market.categories={all: {incident: 0}}"
WRONG = "market.categories={all: {incident: 0.4}}"
HURT = "market.service={late_hurts: 0.6, incident_hurts: 0.6, twice: 0.4, mended: 1, cost: 10}"
DESK = "market.channels.web.serves=[inform, evaluate, buy, receive, use]"
KNOWN = ("integration.transaction_data=1", "integration.information_access=1")
PHONES = (*everybody("phone=0.8"), *KNOWN)
CLASH = "market.messages={claims: 50, weeks: 1, clash: 0.9}"
FRIENDS = "market.friends={degree: 6, tells: 1, talk: 0}"
TALK = "market.friends={degree: 6, tells: 1, talk: 2}"
CLOSED = "integration.open=[store, web]"
PRICED = everybody("price=3")

MECHANISMS = {
    # what is more: what stands in both, the words that are more, what rises, what falls
    "waiting": ((), ("market.channels.store.wait=0.4",), "lost", "expected_orders"),
    "empty shelves": ((), ("market.channels.store.stock_out=0.4",), "lost_buy", "expected_orders"),
    "the stock of others": (
        ("market.channels.store.stock_out=0.4",),
        ("integration.fulfilment=1",),
        "expected_orders integration_cost",
        "lost_buy",
    ),
    "a way of paying that is refused": (
        PAYING,
        ("market.channels.web.accepts=[card]",),
        "",
        "expected_orders",
    ),
    "what products really are": (
        (),
        ("market.channels.web.facts=0.7",),
        "",
        "revenue_net margin expected_margin",
    ),
    "late deliveries": (
        (HURT,),
        ("market.channels.web.late=0.6",),
        "late",
        "satisfaction expected_orders",
    ),
    "incidents": (
        (HURT, CASED),
        (WRONG,),
        "incidents drop_outs",
        "satisfaction expected_orders",
    ),
    "incidents that hurt and cost": ((WRONG,), (HURT,), "expected_cost_to_serve", "satisfaction"),
    "one case file": (
        (HURT, WRONG, DESK),
        ("integration.service=1",),
        "satisfaction expected_orders",
        "drop_outs",
    ),
    "mending": (
        (WRONG, HURT),
        (HURT.replace("mended: 1", "mended: 0"),),
        "satisfaction expected_orders",
        "",
    ),
    "expectations": (
        ("market.rivals.service=0.5",),
        ("market.buying.expectation=0.5",),
        "",
        "satisfaction expected_orders",
    ),
    "better rivals": (
        ("market.buying.expectation=0.5",),
        ("market.rivals.service=1",),
        "",
        "satisfaction expected_orders",
    ),
    "campaigns of rivals": (
        (),
        ("market.rivals.campaigns=[{first_day: 0, last_day: 363, attraction: 0.5}]",),
        "",
        "walks expected_orders",
    ),
    "noise of rivals": (
        (),
        ("market.rivals.campaigns=[{first_day: 0, last_day: 363, contacts: 20}]",),
        "",
        "expected_orders",
    ),
    "a slump": (
        (),
        ("market.shocks=[{first_week: -20, last_week: -1, needs: 0.5}]",),
        "",
        "needs expected_orders",
    ),
    "closed stores": (
        (),
        ("market.shocks=[{first_week: -20, last_week: -1, closed: [store]}]",),
        "lost",
        "expected_orders",
    ),
    "those who leave before a closed door": (
        (CLOSED, "market.journey.closed_lost=0"),
        ("market.journey.closed_lost=1",),
        "lost",
        "expected_orders",
    ),
    "promotions": ((*PRICED, *promoting(0)), promoting(0.9), "expected_orders walks", ""),
    "promotions that nobody needs": (promoting(0), promoting(0.9), "", "expected_margin"),
    "distrust": (
        promoting(0.5),
        ("market.pricing={distrust: 9, haggles: 0}",),
        "lost",
        "expected_orders",
    ),
    "haggling": (
        promoting(0.5),
        ("market.pricing={distrust: 0, haggles: 1}",),
        "",
        "expected_revenue_gross",
    ),
    "clashing claims": ((CLASH.replace("0.9", "0"),), (CLASH,), "", "walks expected_orders"),
    "one claim": ((CLASH,), ("integration.promotion=1",), "walks expected_orders", ""),
    "talk of the satisfied": (
        (FRIENDS, *(f"market.channels.{name}.quality=1" for name in CHANNELS)),
        (TALK,),
        "walks expected_orders",
        "",
    ),
    "talk of the displeased": (
        (FRIENDS, *(f"market.channels.{name}.quality=-1" for name in CHANNELS)),
        (TALK,),
        "",
        "walks expected_orders",
    ),
    "phones that show the basket": (
        PHONES,
        ("market.journey.assist=0.8",),
        "expected_orders",
        "",
    ),
    "phones that show something else": (
        everybody("phone=0.8"),
        ("market.journey.confuses=0.8",),
        "",
        "expected_orders",
    ),
    "one record for the phone": (
        (*everybody("phone=0.8"), "market.journey.assist=0.8", "market.journey.confuses=0.8"),
        KNOWN,
        "expected_orders hand_overs_made",
        "",
    ),
    "personal sites": ((), ("market.channels.web.personalised=0.3",), "expected_orders", ""),
    "personal stores": (
        KNOWN[:1],
        ("market.channels.store.personalised=0.3",),
        "expected_orders",
        "",
    ),
    "what is bought along": (
        ("market.categories={one: {}, other: {}}",),
        ("market.categories.one.cross={other: 0.4}",),
        "revenue_gross expected_revenue_gross expected_margin",
        "",
    ),
    "a larger category": (
        (CASED,),
        ("market.categories={all: {basket: 1.5}}",),
        "expected_revenue_gross expected_margin",
        "",
    ),
    "a region that is far from everything": (
        ("market.regions={here: {share: 0.5}, there: {share: 0.5}}",),
        ("market.regions.there.affinity={tv: 0, paid_social: 0}",),
        "",
        "expected_orders",
    ),
    "links of one pair": (
        (),
        ("integration.pairs={store+web: {transaction_data: 1, information_access: 1}}",),
        "hand_overs_made expected_orders",
        "hand_overs_missed lost",
    ),
    "links of all pairs": (
        ("integration.pairs={store+web: {transaction_data: 1, information_access: 1}}",),
        ("integration.pairs={}", *KNOWN),
        "hand_overs_made expected_orders",
        "hand_overs_missed lost",
    ),
}


@pytest.mark.parametrize(("both", "more", "rises", "falls"), MECHANISMS.values(), ids=MECHANISMS)
def test_more_of_a_mechanism_leads_in_the_right_direction(
    both: tuple[str, ...], more: tuple[str, ...], rises: str, falls: str
) -> None:
    plain, changed = lived_with(*both), lived_with(*both, *more)
    assert not wrong_way(plain, changed, rises, falls)


# -- what departments share ---------------------------------------------------------------


@cache
def shared(transaction_data: float, information_access: float) -> dict[str, float]:
    """Return the books of half a year in which channels share so much."""
    levels = Integration(transaction_data=transaction_data, information_access=information_access)
    fork = morning().fork(morning().strategy.model_copy(update={"integration": levels}))
    fork.run_to(morning().state.day + 26 * DAYS_IN_WEEK)
    return booked_journeys(fork, 26)


def test_better_hand_overs_lose_fewer_journeys_and_make_more_orders() -> None:
    steps = [shared(level, level) for level in (0.0, 0.5, 1.0)]
    assert steps[0]["lost"] > steps[1]["lost"] > steps[2]["lost"]
    for name in ("hand_overs_made", "expected_orders", "expected_margin"):
        assert steps[0][name] < steps[1][name] < steps[2][name]
    assert steps[0]["hand_overs_made"] == 0
    assert steps[0]["hand_overs_missed"] > steps[1]["hand_overs_missed"]


def test_one_record_is_of_no_use_to_a_channel_that_cannot_see_it() -> None:
    assert shared(1.0, 0.0)["hand_overs_made"] == 0
    assert shared(0.0, 1.0)["hand_overs_made"] == 0
    for_nothing = shared(0.0, 1.0)
    assert for_nothing["integration_cost"] > 0
    assert for_nothing | {"integration_cost": 0.0} == shared(0.0, 0.0)


def test_who_has_just_bought_is_followed_less_where_orders_are_shared() -> None:
    followed = [shared(level, level)["contacts_to_recent_buyers"] for level in (0.0, 0.5, 1.0)]
    assert followed[0] > 1.2 * followed[1] > 1.2 * followed[2]


def test_shared_orders_are_tracked_in_more_channels() -> None:
    assert shared(0.0, 0.0)["tracked_orders"] < shared(1.0, 0.0)["tracked_orders"]


# -- consent ------------------------------------------------------------------------------


def consent(share: float) -> tuple[str, ...]:
    """Return the words of a market in which this share lets itself be tracked."""
    return tuple(f"market.segments.{name}.consent={share}" for name in SEGMENTS)


def test_less_consent_tracks_fewer_orders_of_just_as_many_people() -> None:
    books = [lived(*consent(share)) for share in (0.2, 0.5, 1.0)]
    tracked = [book["tracked_orders"] / book["orders"] for book in books]
    assert tracked[0] < tracked[1] < tracked[2]
    for book in books:
        assert book["needs"] == pytest.approx(books[0]["needs"], rel=0.005)


def test_without_media_consent_changes_nothing_but_what_is_tracked() -> None:
    few, all_of_them = (lived("market.budget=0", *consent(share)) for share in (0.2, 1.0))
    differ = {name for name in few if few[name] != all_of_them[name]}
    assert differ == {"tracked_orders"}
    assert few["tracked_orders"] == pytest.approx(0.2 * all_of_them["tracked_orders"], rel=0.25)


# -- mechanisms ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("medium", "effects"),
    [
        ("retargeting", ("pull", "click_rate", "reminder")),
        ("email", ("pull", "click_rate", "unsubscribes")),
    ],
)
def test_an_aimed_medium_whose_effects_are_off_changes_no_bit_of_anybodys_life(
    medium: str, effects: tuple[str, ...]
) -> None:
    off = [f"market.media.{medium}.{effect}=0" for effect in effects]
    world = at_fork(question("steering=frozen", *off))
    plain, half = paid(world, 4), paid(world, 4, **{medium: 0.5})
    assert booked(half, 4, medium)["contacts"] < booked(plain, 4, medium)["contacts"]
    assert booked(half, 4)["expected_orders"] == booked(plain, 4)["expected_orders"]
    assert (half.state.people.state == plain.state.people.state).all()


def test_mass_media_crowd_each_other_out() -> None:
    # Television that says nothing to anybody still takes the attention that others need.
    dull = morning("market.media.tv.pull=0")
    silent, loud = (paid(dull, WEEKS, tv=factor) for factor in (0.0, 4.0))
    social = dull.media.index("paid_social")
    heard = [fork.state.people.goodwill[social].mean() for fork in (silent, loud)]
    assert heard[1] < heard[0]
    assert expected_orders(loud) < expected_orders(silent)


# -- known findings -----------------------------------------------------------------------


def test_brand_search_is_worth_more_where_rivals_bid_for_our_name() -> None:
    nobody_bids = caused_orders("search_brand", "market.rivals.steal_unguarded=0.03")
    assert caused_orders("search_brand", *RIVALS_BID) > 3 * abs(nobody_bids)


def test_last_touch_gives_retargeting_more_than_it_causes_and_television_nothing() -> None:
    credited = {
        medium: booked(paid(morning(), WEEKS), WEEKS, medium)["expected_last_touch"]
        for medium in ("retargeting", "tv")
    }
    assert 0 < caused_orders("retargeting") < credited["retargeting"]
    assert 0 == credited["tv"] < caused_orders("tv")


def test_november_and_december_carry_more_than_their_share_and_online_most() -> None:
    world = at_fork(question("steering=frozen", "market.people=20000", "market.burn_in_weeks=26"))
    world.run_to(52 * DAYS_IN_WEEK)
    weeks = 8  # of the last 60 days

    def share(*channels: str) -> float:
        late, whole = (
            sum(booked(world, span, name)["expected_orders"] for name in channels)
            for span in (weeks, 52)
        )
        return late / whole

    assert 1.1 * weeks / 52 < share("store") < share("web", "app")


# -- how often -----------------------------------------------------------------------------

MET_OFTEN = ("market.budget=100e6", "market.messages.patience=2")


def capped(cap: float | None, promotion: float, annoys: float = 0.0) -> Simulation:
    """Return a year's quarter in which departments cap contacts, alone or together."""
    start = morning(*MET_OFTEN, f"market.messages.annoys={annoys}", "market.people=4000")
    integration = Integration(promotion=promotion, frequency_cap=cap)
    fork = start.fork(start.strategy.model_copy(update={"integration": integration}))
    fork.run_to(start.state.day + WEEKS * DAYS_IN_WEEK)
    return fork


def test_a_cap_that_nobody_reaches_changes_nothing() -> None:
    assert booked(capped(1e6, 0), WEEKS) == booked(capped(None, 0), WEEKS)


def test_who_still_feels_the_cap_is_met_by_no_medium_that_counts_him() -> None:
    world = capped(3.0, 1.0)
    state = world.state.population
    assert isinstance(state, CrowdState)
    people, mass = state.people, [world.media.index("tv")]
    felt = people.goodwill.sum(axis=0)
    day = world.state.day
    world.run_to(day + 1)
    met = people.viewed[mass][0] == day
    assert met[felt < 2.9].any()
    assert (felt > 3.0).any()
    assert not met[felt > 3.0].any()


def test_annoyance_loses_orders_and_a_shared_cap_helps_only_where_contacts_annoy() -> None:
    annoyed, calm = (
        {joins: expected_orders(capped(3.0, joins, annoys)) for joins in (0, 1)}
        for annoys in (0.5, 0.0)
    )
    assert annoyed[0] < calm[0]
    assert annoyed[1] > annoyed[0]
    assert calm[1] < calm[0]
