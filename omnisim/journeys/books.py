"""What a market under a strategy means to every person, as arrays; and the columns of books."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnisim import streams
from omnisim.contacts import (
    names_by_aim,
)
from omnisim.spec import (
    DAYS_IN_WEEK,
    DAYS_IN_YEAR,
    HALVES,
    STAGES,
    Dimension,
    Integration,
    Market,
    Strategy,
)

MOST_STEPS = 8  # contacts of one walk on one day
LAST_TOUCH_DAYS = 30
BUY = len(STAGES)
LARGEST_UTILITY = 300.0  # the product of a few such factors is still a number
GOES_ELSEWHERE, TAKES_ANOTHER = 0.40, 0.45  # of those before an empty shelf
NOWHERE = 15  # no channel has this number in the path of a walk
PROBABILITY = 2.0**32  # expected counts are booked as whole multiples of 1 / PROBABILITY
# A row per sales channel and category; `VALUE` in baskets, the other expected ones in orders.
(
    VISITS,
    ORDERS,
    NEW,
    CENTS,
    EXPECTED,
    EXPECTED_NEW,
    EXPECTED_VALUE,
    CARTS,
    LATE,
    INCIDENTS,
) = range(10)
LOST = 10  # and one for each stage of the walk
CHANNEL_FIELDS = LOST + len(STAGES)
(
    NEEDS,
    WALKS,
    LOST_INFORM,
    LOST_EVALUATE,
    LOST_BUY,
    MADE,
    MISSED,
    DROPPED,
    TRACKED,
    SEARCHES,
    BRAND_SEARCHES,
    DEPARTMENT_CLAIMS,
    SEEN_DEPARTMENT_CLAIMS,
    AIMABLE,
    WRITABLE,
    CHECKOUTS,
    INVITERS,
    BRAND_SEARCHES_TAKEN,
    PATHS,
) = range(19)
COMPANY_FIELDS = 19
# A row per touched decision to order, where paths are kept: its probability with anybody and
# with us, whether it was ours, whether it was made; then one column per medium.
TRIED, SEEN, OURS, MADE_ORDER = range(4)
PATH_FIELDS = 4
RECENCY_BITS = 31  # below them the luck that orders touches of one day
TALK, INVITATIONS = range(2)  # kinds of letters
TOLD = 1024.0  # talk travels as whole multiples of 1 / TOLD, so that no order of adding shows

RULES = np.dtype(
    [
        ("record_key", np.uint64),
        ("needs_factor", np.float64),
        ("attention", np.float64),
        ("rival_contacts", np.float64),
        ("rival", np.float64),
        ("has_rival", np.int64),
        ("steal_unguarded", np.float64),
        ("steal_guarded", np.float64),
        ("newcomers", np.float64),
        ("cohort", np.int64),
        ("satisfaction_step", np.float64),
        ("satisfaction_noise", np.float64),
        ("satisfaction_pulls", np.float64),
        ("satisfaction_keeps", np.float64),
        ("repeat_basket", np.float64),
        ("contact", np.float64),
        ("same_day", np.float64),
        ("most_days", np.int64),
        ("habit", np.float64),  # these three as factors on a touchpoint's delay
        ("inertia", np.float64),
        ("push", np.float64),
        ("repeat_lost", np.float64),
        ("friction", np.float64),
        ("brand_search", np.float64),
        ("blocks_needs", np.int64),
        ("visit_days", np.int64),
        ("buyer_days", np.int64),
        ("browses_on", np.int64),
        ("browse_row", np.int64),
        ("online", np.int64),  # a bit for every channel that is online
        ("goods", np.int64),
        ("clash", np.float64),
        ("patience", np.float64),
        ("annoys", np.float64),
        ("frequency_cap", np.float64),  # 0: none
        ("expectation", np.float64),
        ("rival_service", np.float64),
        ("late_hurts", np.float64),
        ("incident_hurts", np.float64),
        ("twice", np.float64),
        ("mended", np.float64),
        ("distrust", np.float64),
        ("haggles", np.float64),
        ("assist", np.float64),
        ("confuses", np.float64),
        ("closed_lost", np.float64),
        ("bargain", np.float64),  # how much cheaper than usual we are today, in log price
        ("degree", np.int64),
        ("rewired", np.float64),
        ("friend_key", np.uint64),
        ("tells", np.float64),
        ("talk", np.float64),
        ("talk_fade", np.float64),  # of talk a day, as a rate
    ]
)
MEDIUM = np.dtype(
    [
        ("pull", np.float64),
        ("half_pull", np.float64),
        ("pressure", np.float64),
        ("none", np.float64),  # probability of no contact under that pressure
        ("click_rate", np.float64),
        ("click_goodwill", np.float64),
        ("lands_on", np.int64),
        ("reminder", np.float64),
        ("unsubscribes", np.float64),
        ("click_window", np.int64),
        ("view_window", np.int64),
        ("tracked", np.int64),
        ("needs_cookies", np.int64),
        ("owner", np.int64),
        ("walk_row", np.int64),  # row of an aimed medium in the memory of walks, else -1
        ("lift", np.float64),
        ("lands_row", np.int64),
        ("counted_by", np.int64),  # who counts its contacts for a frequency cap
    ]
)
CELL = np.dtype(
    [
        ("prospects", np.float64),  # log odds; `base` is taken by NumPy
        ("loyalty", np.float64),
        ("searches", np.float64),
        ("browse", np.float64),
        ("mail_opt_in", np.float64),
        ("price", np.float64),
        ("phone", np.float64),
        ("coupons", np.float64),
        ("persona", np.int64),
    ]
)
CATEGORY = np.dtype([("basket", np.float64), ("incident", np.float64)])
CHANNEL = np.dtype(
    [
        ("online", np.int64),
        ("quality", np.float64),
        ("basket", np.float64),
        ("spread", np.float64),
        ("personalised", np.float64),
        ("late", np.float64),
        ("recorded", np.float64),  # level at which an order here lies beside those online
        ("told", np.float64),  # level at which the service desk knows of it
    ]
)


@dataclass(frozen=True)
class World:
    """What a strategy in a market means to every person: constant between decisions.

    `rules` RULES[1], `bought` MEDIUM[HALVES, media], `cells` CELL[cells], `channels`
    CHANNEL[channels] and `goods` CATEGORY[categories] in the order of sorted names; `wants`
    float64[cells, categories] cumulated shares of needs; `cross` float64[categories,
    categories]; `delays` float64[cells, categories, stages, channels] the mean time until
    a channel comes to mind, exp(-utility), today, and `usual_delays` without season and
    prices; `usual_pull` and `trend` float64[media] of every pull and its log a year;
    `success` and `lost` float64[cells, channels, stages]; `data` and `information`
    float64[channels, channels] levels of integration; `prices` float64[channels] today's
    index, `closed` uint8[channels], `claims` uint8[media] today's; `use_cases`
    int64[use cases, 1 + stages] persona and channel + 1 (0: any); the other index arrays
    list media by aim.
    """

    rules: np.recarray
    bought: np.recarray
    cells: np.recarray
    channels: np.recarray
    goods: np.recarray
    wants: np.ndarray
    cross: np.ndarray
    delays: np.ndarray
    usual_delays: np.ndarray
    usual_pull: np.ndarray
    trend: np.ndarray
    success: np.ndarray
    lost: np.ndarray
    messages: np.ndarray
    visitors: np.ndarray
    searchers: np.ndarray
    brands: np.ndarray
    coupons: np.ndarray
    friends: np.ndarray
    data: np.ndarray
    information: np.ndarray
    prices: np.ndarray
    closed: np.ndarray
    shut: np.ndarray
    claims: np.ndarray
    use_cases: np.ndarray

    @property
    def media(self) -> np.recarray:
        """Return the media as the first half of the regions meets them (MEDIUM[media])."""
        first: np.recarray = self.bought[0]
        return first


def world(market: Market, strategy: Strategy, root: np.uint64) -> World:
    """Lay out a market under a strategy as arrays, so that no kernel branches on words."""
    names = sorted(market.channels)
    goods = market.goods
    delays = _delays(market)
    success, lost = _outcomes(market, strategy.integration)
    shut = closed(market, strategy.integration)
    media = [market.media[name] for name in sorted(market.media)]
    return World(
        rules=_rules(market, strategy, root),
        bought=np.stack([_media(market, strategy)] * HALVES).view(np.recarray),
        cells=_cells(market),
        channels=_channels(market, strategy.integration),
        goods=_table(CATEGORY, [(good.basket, good.incident) for good in goods.values()]),
        wants=np.cumsum(
            [
                [_share(market.segments[s].categories, good, len(goods)) for good in goods]
                for s, _ in market.cells
            ],
            axis=1,
        ),
        cross=np.array([[g.cross.get(other, 0.0) for other in goods] for g in goods.values()]),
        delays=delays.copy(),
        usual_delays=delays,
        usual_pull=np.array([m.pull for m in media]),
        trend=np.array([market.trend * m.trend for m in media]),
        success=success,
        lost=lost,
        messages=names_by_aim(market, "customers"),
        visitors=names_by_aim(market, "visitors"),
        searchers=names_by_aim(market, "searchers"),
        brands=names_by_aim(market, "brand_searchers"),
        coupons=names_by_aim(market, "checkouts"),
        friends=names_by_aim(market, "friends"),
        data=_levels(market, strategy.integration, "transaction_data"),
        information=_levels(market, strategy.integration, "information_access"),
        prices=np.ones(len(names)),
        closed=shut.copy(),
        shut=shut,
        claims=np.ones(max(1, len(media)), np.uint8),
        use_cases=_use_cases(market),
    )


def closed(market: Market, integration: Integration) -> np.ndarray:
    """Tell which sales channels the firm has closed (uint8[channels])."""
    names = sorted(market.channels)
    return np.array([bool(integration.open) and c not in integration.open for c in names], np.uint8)


def _share(shares: dict[str, float], name: str, options: int) -> float:
    return shares.get(name, 0.0) if shares else 1 / options


def _delays(market: Market) -> np.ndarray:
    """Return how long every channel takes to come to mind (cells, categories, stages, channels).

    What is not sold there, or not to this region, is not thought of.
    """
    names, goods = sorted(market.channels), market.goods
    utility = np.zeros((len(market.cells), len(goods), len(STAGES), len(names)))
    for at, (segment, region) in enumerate(market.cells):
        near = market.regions[region].prefers if region else {}
        for c, name in enumerate(names):
            channel = market.channels[name]
            for s, stage in enumerate(STAGES):
                liked = market.segments[segment].prefers.get(stage, {}).get(name, 0.0)
                served = stage in channel.serves and (
                    not channel.regions or region in channel.regions
                )
                for k, good in enumerate(goods):
                    sold = served and (not channel.sells or good in channel.sells)
                    utility[at, k, s, c] = liked + near.get(name, 0.0) if sold else -np.inf
    return delay(utility)


def _outcomes(market: Market, integration: Integration) -> tuple[np.ndarray, np.ndarray]:
    """Return the chances of success and of loss by cell, channel and stage.

    Waiting, a missing way of paying and an empty shelf take from success. Of those before
    an empty shelf .40 go elsewhere or give up, .45 take something else and .15 come back
    (Corsten & Gruen 2003) unless another channel's stock can be seen and used.
    """
    names = sorted(market.channels)
    success = np.zeros((len(market.cells), len(names), len(STAGES)))
    lost = np.zeros_like(success)
    for c, name in enumerate(names):
        channel = market.channels[name]
        others = [o for o in names if o != name]
        seen = max(
            (
                integration.level("fulfilment", name, other)
                * (1 - market.channels[other].stock_out)
                for other in others
            ),
            default=0.0,
        )
        missing = channel.stock_out * (1 - seen)
        for at, (segment, _) in enumerate(market.cells):
            ways = market.segments[segment].pays_by
            refused = (
                sum(share for way, share in ways.items() if way not in channel.accepts)
                if channel.accepts
                else 0.0
            )
            for s, stage in enumerate(STAGES):
                works = channel.success.get(stage, 0.0) * (1 - channel.wait)
                gone = channel.lost.get(stage, 0.0)
                if stage == "buy":
                    gone += works * missing * GOES_ELSEWHERE
                    works *= (1 - missing * (1 - TAKES_ANOTHER)) * (1 - refused)
                success[at, c, s], lost[at, c, s] = works, min(gone, 1 - works)
    return success, lost


def _levels(market: Market, integration: Integration, dimension: Dimension) -> np.ndarray:
    """Return the level of a dimension between any two sales channels; within one it is 1."""
    names = sorted(market.channels)
    return np.array(
        [[1.0 if a == b else integration.level(dimension, a, b) for b in names] for a in names]
    )


def _cells(market: Market) -> np.recarray:
    personas = sorted(market.segments)
    rows = []
    for name, _ in market.cells:
        s = market.segments[name]
        rows.append(
            (
                *(s.base, s.loyalty, s.searches, s.browse / DAYS_IN_YEAR, s.mail_opt_in),
                *(s.price, s.phone, s.coupons, personas.index(name)),
            )
        )
    return _table(CELL, rows)


def _channels(market: Market, integration: Integration) -> np.recarray:
    names = sorted(market.channels)
    online = [name for name in names if market.channels[name].online]
    desks = [name for name in names if "use" in market.channels[name].serves]
    rows = []
    for name in names:
        c = market.channels[name]
        links = [integration.level("transaction_data", name, o) for o in online if o != name]
        recorded = 1.0 if c.online else max(links, default=0.0)
        told = (
            1.0
            if name in desks or not desks
            else max(integration.level("service", name, desk) for desk in desks)
        )
        rows.append(
            (c.online, c.quality, c.basket, c.basket_spread, c.personalised, c.late, recorded, told)
        )
    return _table(CHANNEL, rows)


def _use_cases(market: Market) -> np.ndarray:
    """Return persona and channel + 1 by stage of every use case that can be walked."""
    names, personas = sorted(market.channels), sorted(market.segments)
    cases = np.zeros((len(market.use_cases), 1 + len(STAGES)), np.int64)
    for nth, (_, case) in enumerate(sorted(market.use_cases.items())):
        cases[nth, 0] = personas.index(case.persona)
        for touchpoint in case.touchpoints:
            channel, _, stage = touchpoint.partition(".")
            if stage in STAGES:
                known = names.index(channel) + 1 if channel in names else NOWHERE
                cases[nth, 1 + STAGES.index(stage)] = known
    return cases[cases[:, 1:].any(axis=1)]


def delay(utility: np.ndarray) -> np.ndarray:
    """Return the mean time until an option of this utility comes to mind."""
    delays = np.exp(np.clip(-utility, -LARGEST_UTILITY, LARGEST_UTILITY))
    whole: np.ndarray = np.where(np.isneginf(utility), np.inf, delays)
    return whole


def _table(kind: np.dtype, rows: list[tuple[float, ...]]) -> np.recarray:
    return np.array(rows, dtype=kind).view(np.recarray)


def _rules(market: Market, strategy: Strategy, root: np.uint64) -> np.recarray:
    rules = np.zeros(1, RULES)
    rivals, buying, journey = market.rivals, market.buying, market.journey
    names, shut = sorted(market.channels), closed(market, strategy.integration)
    online = [i for i, c in enumerate(names) if market.channels[c].online]
    site = max(
        (i for i in online if not shut[i]), key=lambda i: _liked(market, names[i]), default=-1
    )
    values = {
        "record_key": streams.label(f"record/{int(root)}"),
        "needs_factor": 1.0,
        "attention": market.attention,
        "rival_contacts": rivals.contacts,
        "rival": rivals.attraction or 0.0,
        "has_rival": rivals.attraction is not None,
        "steal_unguarded": rivals.steal_unguarded,
        "steal_guarded": rivals.steal_guarded,
        "newcomers": buying.newcomers / DAYS_IN_YEAR,
        "cohort": buying.cohort_weeks is not None,
        "visit_days": market.recent_visit_days,
        "buyer_days": market.recent_buyer_days,
        "browses_on": site,
        "browse_row": site * len(market.goods) if site >= 0 else -1,
        "goods": len(market.goods),
        "online": sum(1 << c for c in online),
        "frequency_cap": strategy.integration.frequency_cap or 0.0,
        "rival_service": rivals.service,
        "friend_key": streams.label(f"friends/{int(root)}"),
        "talk_fade": math.log(2) / market.friends.forgets,
    }
    specs = (buying, journey, market.messages, market.service, market.pricing, market.friends)
    for spec in specs:
        values |= {
            k: v
            for k, v in spec.model_dump().items()
            if k in (RULES.names or ()) and k not in values
        }
    for field in ("habit", "inertia", "push"):
        values[field] = delay(np.array(values[field]))
    for field, value in values.items():
        rules[field] = value
    return rules.view(np.recarray)


def _liked(market: Market, channel: str) -> float:
    """Return how much people like to get informed in a channel, on average (utility)."""
    return sum(
        s.share * s.prefers.get("inform", {}).get(channel, 0.0) for s in market.segments.values()
    )


def _media(market: Market, strategy: Strategy) -> np.recarray:
    channel_names = sorted(market.channels)
    owners = sorted(strategy.organigram)
    owner = {c: owners.index(d) for d in owners for c in strategy.organigram[d].owns}
    shut = closed(market, strategy.integration)
    media = np.zeros(len(market.media), MEDIUM)
    for m, name in enumerate(sorted(market.media)):
        spec = market.media[name]
        lands_on = channel_names.index(spec.lands_on) if spec.lands_on else -1
        if lands_on >= 0 and shut[lands_on]:
            lands_on = -1
        media[m] = (
            spec.pull,
            spec.half_pull,
            0.0,
            1.0,
            spec.click_rate,
            spec.click_goodwill,
            lands_on,
            spec.reminder,
            spec.unsubscribes,
            spec.click_window,
            spec.view_window,
            spec.tracked,
            spec.aim not in ("customers", "friends"),
            owner[name],
            market.aimed.index(name) if name in market.aimed else -1,
            spec.lift,
            lands_on * len(market.goods),
            owner[name],
        )
    return media.view(np.recarray)


def set_day(
    world: World,
    market: Market,
    day: int,
    since_fork: int,
    wander: np.ndarray,
    pressure: np.ndarray,
    years: float,
) -> None:
    """Write the day's season, shocks, rivals, prices, drift and pressure into the world.

    `since_fork` in days, `years` the time for which trends have run; `wander`
    float64[media]: what a random walk has added to every log pull; `pressure`
    float64[HALVES, media].
    """
    date, week = day % DAYS_IN_YEAR, since_fork // DAYS_IN_WEEK
    needs, tilt = 1.0, 0.0
    for season in market.seasons:
        if season.first_day <= date <= season.last_day:
            needs, tilt = season.needs, season.online
    shocks = [s for s in market.shocks if s.first_week <= week <= s.last_week]
    rivals = [c for c in market.rivals.campaigns if c.first_day <= date <= c.last_day]
    rules, names = world.rules, sorted(market.channels)
    rules["needs_factor"] = needs * math.prod(shock.needs for shock in shocks)
    rules["rival"] = (market.rivals.attraction or 0.0) + sum(c.attraction for c in rivals)
    rules["rival_contacts"] = market.rivals.contacts + sum(c.contacts for c in rivals)
    rules["bargain"] = -float(np.log(world.prices).mean())
    world.closed[:] = world.shut
    for shock in shocks:
        world.closed[[names.index(name) for name in shock.closed]] = 1
    factors = delay(tilt * world.channels["online"])
    for c, name in enumerate(names):
        opens = market.channels[name].opens
        if opens is not None and week < opens:
            factors[c] = np.inf
    np.multiply(world.usual_delays, factors, out=world.delays)
    if (world.prices != 1.0).any():
        dearer = world.prices[None, :] ** world.cells["price"][:, None]
        world.delays[:, :, 1:] *= dearer[:, None, None, :]
    if pressure.size:
        world.bought["pull"] = world.usual_pull * np.exp(world.trend * years + wander)
        world.bought["pressure"] = pressure
        world.bought["none"] = np.exp(-pressure)
