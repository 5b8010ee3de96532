"""Pass two of a person's day: aimed media, needs, us or a rival, the walk, the order.

Read `live` as the day of one agent. Every need is walked in full, whoever gets it: the
walk carries `walk_us`, the probability that it is with us, and `ours`, the draw. What a
walk does to the person, to the books and to our money happens only if it is ours; where it
leads does not depend on whose it is. So at every decision to order the probability
`walk_us x success` is exact given the walk, and far less noisy than the order itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnisim import streams
from omnisim.contacts import (
    CLAIMS,
    CLICKS,
    CONTACTS,
    LAST_TOUCH,
    RECENT_BUYERS,
    SEEN_CLAIMS,
    SEEN_LAST_TOUCH,
    names_by_aim,
    years_from_fork,
)
from omnisim.people import COOKIES, CUSTOMER, MAIL, NEVER, PROSPECT, forget
from omnisim.spec import DAYS_IN_YEAR, STAGES, Market, Strategy
from omnisim.streams import draw, high, kernel, low

MOST_STEPS = 8  # contacts of one walk on one day
LAST_TOUCH_DAYS = 30
BUY = len(STAGES)
PROBABILITY = 2.0**32  # expected counts are booked as whole multiples of 1 / PROBABILITY
VISITS, ORDERS, NEW, CENTS, EXPECTED, EXPECTED_NEW = range(6)
CHANNEL_FIELDS = 6
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
) = range(15)
COMPANY_FIELDS = 15

RULES = np.dtype(
    [
        ("record_key", np.uint64),
        ("needs_factor", np.float64),
        ("online_tilt", np.float64),
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
        ("habit", np.float64),
        ("inertia", np.float64),
        ("push", np.float64),
        ("repeat_lost", np.float64),
        ("friction", np.float64),
        ("brand_search", np.float64),
        ("blocks_needs", np.int64),
        ("visit_days", np.int64),
        ("buyer_days", np.int64),
        ("transaction_data", np.float64),
        ("information_access", np.float64),
        ("browses_on", np.int64),
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
    ]
)
SEGMENT = np.dtype(
    [
        ("prospects", np.float64),  # log odds; `base` is taken by NumPy
        ("loyalty", np.float64),
        ("searches", np.float64),
        ("browse", np.float64),
        ("mail_opt_in", np.float64),
    ]
)
CHANNEL = np.dtype(
    [
        ("online", np.int64),
        ("quality", np.float64),
        ("basket", np.float64),
        ("spread", np.float64),
    ]
)


@dataclass(frozen=True)
class World:
    """What a strategy in a market means to every person: constant between decisions.

    `rules` RULES[1], `media` MEDIUM[media], `segments` SEGMENT[segments] and `channels`
    CHANNEL[channels] in the order of sorted names; `prefers` float64[segments, stages,
    channels] in utility; `success` and `lost` float64[channels, stages]; the index arrays
    list media by aim.
    """

    rules: np.recarray
    media: np.recarray
    segments: np.recarray
    channels: np.recarray
    prefers: np.ndarray
    success: np.ndarray
    lost: np.ndarray
    messages: np.ndarray
    visitors: np.ndarray
    searchers: np.ndarray
    brands: np.ndarray


def world(market: Market, strategy: Strategy, root: np.uint64) -> World:
    """Lay out a market under a strategy as arrays, so that no kernel branches on words."""
    channel_names = sorted(market.channels)
    segments = [market.segments[name] for name in sorted(market.segments)]
    channels = [market.channels[name] for name in channel_names]
    return World(
        rules=_rules(market, strategy, root),
        media=_media(market, strategy),
        segments=_table(
            SEGMENT,
            [
                (s.base, s.loyalty, s.searches, s.browse / DAYS_IN_YEAR, s.mail_opt_in)
                for s in segments
            ],
        ),
        channels=_table(
            CHANNEL, [(c.online, c.quality, c.basket, c.basket_spread) for c in channels]
        ),
        prefers=np.array(
            [
                [[s.prefers.get(stage, {}).get(c, 0.0) for c in channel_names] for stage in STAGES]
                for s in segments
            ]
        ),
        success=np.array([[c.success[stage] for stage in STAGES] for c in channels]),
        lost=np.array([[c.lost[stage] for stage in STAGES] for c in channels]),
        messages=names_by_aim(market, "customers"),
        visitors=names_by_aim(market, "visitors"),
        searchers=names_by_aim(market, "searchers"),
        brands=names_by_aim(market, "brand_searchers"),
    )


def _table(kind: np.dtype, rows: list[tuple[float, ...]]) -> np.recarray:
    return np.array(rows, dtype=kind).view(np.recarray)


def _rules(market: Market, strategy: Strategy, root: np.uint64) -> np.recarray:
    rules = np.zeros(1, RULES)
    rivals, buying, journey = market.rivals, market.buying, market.journey
    online = [i for i, c in enumerate(sorted(market.channels)) if market.channels[c].online]
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
        "transaction_data": strategy.integration.transaction_data,
        "information_access": strategy.integration.information_access,
        "browses_on": online[-1] if online else 0,
    }
    for spec in (buying, journey):
        values |= {
            k: v
            for k, v in spec.model_dump().items()
            if k in (RULES.names or ()) and k not in values
        }
    for field, value in values.items():
        rules[field] = value
    return rules.view(np.recarray)


def _media(market: Market, strategy: Strategy) -> np.recarray:
    channel_names = sorted(market.channels)
    owners = sorted(strategy.organigram)
    owner = {c: owners.index(d) for d in owners for c in strategy.organigram[d].owns}
    media = np.zeros(len(market.media), MEDIUM)
    for m, name in enumerate(sorted(market.media)):
        spec = market.media[name]
        media[m] = (
            spec.pull,
            spec.half_pull,
            0.0,
            1.0,
            spec.click_rate,
            spec.click_goodwill,
            channel_names.index(spec.lands_on) if spec.lands_on else -1,
            spec.reminder,
            spec.unsubscribes,
            spec.click_window,
            spec.view_window,
            spec.tracked,
            spec.aim != "customers",
            owner[name],
        )
    return media.view(np.recarray)


def set_day(
    world: World,
    market: Market,
    day: int,
    history_days: int,
    wander: np.ndarray,
    pressure: np.ndarray,
) -> None:
    """Write the day's season, drift and pressure into the world.

    `wander` float64[media]: what a random walk has added to every log pull.
    """
    date = day % DAYS_IN_YEAR
    needs, tilt = 1.0, 0.0
    for season in market.seasons:
        if season.first_day <= date <= season.last_day:
            needs, tilt = season.needs, season.online
    world.rules.needs_factor = needs
    world.rules.online_tilt = tilt
    if market.media:
        years = years_from_fork(day, history_days)
        specs = [market.media[name] for name in sorted(market.media)]
        trends = np.array([m.trend for m in specs]) * market.trend * years
        world.media.pull = np.array([m.pull for m in specs]) * np.exp(trends + wander)
        world.media.pressure = pressure
        world.media.none = np.exp(-pressure)


# Kernels hand over arrays one by one: a named tuple of arrays costs three times as much.
# Their lists are packed by hand; one name a line would hide the code.
# fmt: off

@kernel
def notice(attention: float, contacts: float) -> float:
    """Return the part of a contact that is noticed among the day's contacts."""
    return attention / (attention + contacts)


@kernel
def poisson(chance: float, mean: float, none: float) -> int:
    """Return a Poisson count by inverse transform (at most 20); `none` is exp(-mean)."""
    term = none
    below = term
    count = 0
    while chance >= below and count < 20:
        count += 1
        term = term * mean / count
        below += term
    return count


@kernel
def remember(goodwill: np.ndarray, m: int, i: int, noticed: float) -> None:
    """Add noticed contacts to a person's goodwill for a medium."""
    goodwill[m, i] = np.float32(np.float64(goodwill[m, i]) + noticed)


@kernel
def attraction(
    person: np.record, segment: np.record, rule: np.record, media: np.ndarray,
    goodwill: np.ndarray, i: int,
) -> float:
    """Return how much a person is drawn to us, in log odds.

    Pull saturates in goodwill as Hill's function with slope 1.
    """
    drawn = segment.prospects + rule.satisfaction_pulls * np.float64(person.satisfaction)
    if person.status == CUSTOMER:
        drawn += segment.loyalty
    for m in range(len(media)):
        felt = np.float64(goodwill[m, i])
        drawn += media[m].pull * felt / (felt + media[m].half_pull)
    return drawn


@kernel
def choose(
    person: np.record, prefers: np.ndarray, rule: np.record, channels: np.ndarray,
    labels: np.ndarray, key: np.uint64, identity: np.uint32, pushed_to: int,
) -> int:
    """Pick a touchpoint: multinomial logit by Gumbel-max with noise keyed by channel."""
    best, choice = -np.inf, 0
    for c in range(len(channels)):
        chance = high(draw(key ^ labels[c], identity)) + 2.0**-32
        utility = prefers[c] - math.log(-math.log(chance))
        utility += rule.online_tilt * channels[c].online
        if c == person.habit:
            utility += rule.habit
        if c == person.channel:
            utility += rule.inertia
        if c == pushed_to:
            utility += rule.push
        if utility > best:
            best, choice = utility, c
    return choice


@kernel
def is_recorded(
    person: np.record, rule: np.record, channels: np.ndarray, channel: int, identity: np.uint32
) -> bool:
    """Tell whether an order in a channel can be laid beside what happened online.

    Online orders always; in other channels only a person who is recognised there and
    whose record is shared.
    """
    if channels[channel].online:
        return True
    known = (np.int64(person.identity) >> channel) & 1
    return known == 1 and high(draw(rule.record_key, identity)) < rule.transaction_data


@kernel
def credit(
    person: np.record, media: np.ndarray, day: int, i: int, tracked: bool,
    clicked: np.ndarray, viewed: np.ndarray, walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    amount: int, last_touch: int, claims: int, book: np.ndarray,
) -> int:
    """Book an order's last touch and every medium's claim; return how many departments claim.

    Last touch is the last tracked paid click or impression of 30 days; on one day a click
    beats an impression. A medium claims what happens within its own windows.
    """
    winner, best = -1, 2 * (day - LAST_TOUCH_DAYS)
    claimants = np.uint64(0)
    for m in range(len(media)):
        medium = media[m]
        if medium.tracked and not (
            tracked and (medium.needs_cookies == 0 or person.consent & COOKIES)
        ):
            continue
        click = max(np.int64(clicked[m, i]), np.int64(walk_clicked[m, i]))
        view = max(np.int64(viewed[m, i]), np.int64(walk_viewed[m, i]))
        if medium.tracked:
            score = max(2 * click + 1, 2 * view)
            if score > best:
                winner, best = m, score
        if day - click <= medium.click_window or day - view <= medium.view_window:
            book[m, claims] += amount
            claimants |= np.uint64(1) << np.uint64(medium.owner)
    if winner >= 0:
        book[winner, last_touch] += amount
    departments = 0
    while claimants:
        departments += np.int64(claimants & np.uint64(1))
        claimants >>= np.uint64(1)
    return departments


@kernel
def end_walk(person: np.record, company: np.ndarray) -> None:
    """Close the walk; who was about to leave drops out and is a prospect again."""
    person.stage = 0
    if person.leaves:
        person.leaves = 0
        forget(person)
        company[DROPPED] += 1


@kernel
def lose_walk(person: np.record, company: np.ndarray) -> None:
    """Lose the walk to a rival at its present stage."""
    if person.ours:
        company[LOST_INFORM + np.int64(person.stage) - 1] += 1
    end_walk(person, company)


@kernel
def satisfy(
    person: np.record, rule: np.record, channel: np.record, key: np.uint64, identity: np.uint32
) -> None:
    """Move satisfaction towards what this order was like."""
    luck = rule.satisfaction_noise * math.sqrt(3.0) * (2 * high(draw(key, identity)) - 1)
    felt = channel.quality + luck - rule.friction * np.float64(person.repeats)
    now = np.float64(person.satisfaction)
    person.satisfaction = np.float32(now + rule.satisfaction_step * (felt - now))


@kernel
def basket(mean: float, spread: float, key: np.uint64, identity: np.uint32) -> int:
    """Draw a lognormal basket with this mean, in cents."""
    bits = draw(key, identity)
    radius = math.sqrt(-2 * math.log(high(bits) + 2.0**-32))
    normal = radius * math.cos(2 * math.pi * low(bits))
    return np.int64(round(100 * mean * math.exp(spread * normal - spread * spread / 2)))


@kernel
def visit(person: np.record, channel: int, day: int, channel_book: np.ndarray) -> None:
    """Count a visit to one of our sites, which makes its person aimable."""
    channel_book[channel, VISITS] += 1
    person.last_visit = day


@kernel
def show(
    rule: np.record, m: int, i: int, day: int, count: int,
    goodwill: np.ndarray, viewed: np.ndarray, media_book: np.ndarray,
) -> None:
    """Let an aimed medium meet a person; goodwill counts what is noticed."""
    media_book[m, CONTACTS] += count
    viewed[m, i] = day
    remember(goodwill, m, i, count * notice(rule.attention, count + rule.rival_contacts))


@kernel
def click(
    person: np.record, media: np.ndarray, m: int, i: int, day: int,
    goodwill: np.ndarray, clicked: np.ndarray, media_book: np.ndarray, channel_book: np.ndarray,
) -> int:
    """Follow a click; return the sales channel on which it lands, or -1."""
    media_book[m, CLICKS] += 1
    clicked[m, i] = day
    remember(goodwill, m, i, media[m].click_goodwill)
    lands_on = media[m].lands_on
    if lands_on >= 0:
        visit(person, lands_on, day, channel_book)
    return lands_on


@kernel
def renew(
    person: np.record, i: int, goodwill: np.ndarray, clicked: np.ndarray, viewed: np.ndarray
) -> None:
    """Let somebody move away and a newcomer take the place."""
    forget(person)
    person.stage = 0
    person.leaves = 0
    person.last_visit = NEVER
    person.last_order = NEVER
    person.last_online = NEVER
    person.last_offline = NEVER
    for m in range(len(goodwill)):
        goodwill[m, i] = np.float32(0.0)
        clicked[m, i] = NEVER
        viewed[m, i] = NEVER


@kernel
def write_to(
    person: np.record, i: int, day: int, me: np.uint32, key: np.uint64, labels: np.ndarray,
    rule: np.record, media: np.ndarray, messages: np.ndarray, goodwill: np.ndarray,
    viewed: np.ndarray, pushed: np.ndarray, media_book: np.ndarray,
) -> None:
    """Send messages to a known customer who has opted in; each may be the last one."""
    for j in range(len(messages)):
        m = messages[j]
        bits = draw(key ^ labels[m], me)
        if high(bits) < media[m].pressure:
            show(rule, m, i, day, 1, goodwill, viewed, media_book)
            if low(bits) < media[m].click_rate:
                pushed[i] |= np.uint32(1) << np.uint32(m)
            elif low(bits) >= 1 - media[m].unsubscribes:
                person.consent = person.consent & COOKIES


@kernel
def remind(
    person: np.record, i: int, day: int, me: np.uint32, ours: bool, key: np.uint64,
    labels: np.ndarray, rule: np.record, media: np.ndarray, channels: np.ndarray,
    visitors: np.ndarray, goodwill: np.ndarray, clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> int:
    """Follow recent visitors; return the channel to which this pushes a walk, or -1.

    A walk that has been to a site meets reminders as if that site were ours, so that its
    way does not depend on whose it is; contacts and money are booked for our visitors only.
    """
    pushed_to = -1
    walks = person.stage > 0 and person.online
    has_bought = day - np.int64(person.last_order) <= rule.buyer_days
    if has_bought and (
        person.last_order == person.last_online
        or is_recorded(person, rule, channels, max(0, person.habit), me)
    ):
        return pushed_to
    if ours:
        company[AIMABLE] += 1
    for j in range(len(visitors)):
        m = visitors[j]
        bits = draw(key ^ labels[m], me)
        count = poisson(high(bits), media[m].pressure, media[m].none)
        if count == 0:
            continue
        clicks = low(bits) < 1 - (1 - media[m].click_rate) ** count
        if ours:
            show(rule, m, i, day, count, goodwill, viewed, media_book)
            if has_bought:
                media_book[m, RECENT_BUYERS] += count
            if clicks:
                click(person, media, m, i, day, goodwill, clicked, media_book, channel_book)
        if walks:
            person.reminded = np.float32(np.float64(person.reminded) + media[m].reminder * count)
            walk_viewed[m, i] = day
            if clicks:
                walk_clicked[m, i] = day
                pushed_to = media[m].lands_on
    return pushed_to


@kernel
def has_need(person: np.record, rule: np.record, day: int, chance: float) -> bool:
    """Tell whether a need arises today; one that is walked already blocks the next."""
    if person.joins == day:
        return True
    if person.stage > 0 and rule.blocks_needs:
        return False
    if rule.cohort and person.status == PROSPECT:
        return False
    needs = np.float64(person.need) * rule.needs_factor
    return chance < needs and chance < 1 - math.exp(-needs)


@kernel
def search(
    person: np.record, i: int, day: int, me: np.uint32, key: np.uint64, labels: np.ndarray,
    rule: np.record, media: np.ndarray, searchers: np.ndarray,
    goodwill: np.ndarray, clicked: np.ndarray, viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, pushed_to: int,
) -> int:
    """Search for what is needed and meet our advertisement there; return the channel pushed to."""
    for j in range(len(searchers)):
        m = searchers[j]
        bits = draw(key ^ labels[m], me)
        if high(bits) < media[m].pressure:
            show(rule, m, i, day, 1, goodwill, viewed, media_book)
            if low(bits) < media[m].click_rate:
                pushed_to = click(
                    person, media, m, i, day, goodwill, clicked, media_book, channel_book
                )
    return pushed_to


@kernel
def begin_walk(
    person: np.record, i: int, day: int, me: np.uint32, keys: np.ndarray, rule: np.record,
    segment: np.record, media: np.ndarray, goodwill: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray, company: np.ndarray,
) -> None:
    """Turn a need into a walk: ours or a rival's, and perhaps the last one with us.

    The draw to drop out belongs to each repeat need, won or lost, never to the first order.
    """
    us = 1.0
    if rule.has_rival and person.joins != day:
        us = 1 / (1 + math.exp(rule.rival - attraction(person, segment, rule, media, goodwill, i)))
    person.walk_us = np.float32(us)
    person.ours = high(draw(keys[streams.CHOOSE_US], me)) < np.float64(person.walk_us)
    person.stage = 1
    person.walk_since = day
    person.channel = -1
    person.online = 0
    person.repeats = 0
    person.reminded = np.float32(0.0)
    for m in range(len(media)):
        walk_clicked[m, i] = NEVER
        walk_viewed[m, i] = NEVER
    if person.status == CUSTOMER:
        risk = np.float64(person.drop) * math.exp(
            -rule.satisfaction_keeps * np.float64(person.satisfaction)
        )
        person.leaves = high(draw(keys[streams.DROP_OUT], me)) < risk
    if person.ours:
        company[WALKS] += 1


@kernel
def hands_over(
    person: np.record, rule: np.record, came_from: int, goes_to: int, me: np.uint32, chance: float
) -> bool:
    """Tell whether a change of channel keeps the context.

    The person must be recognised in both channels on a shared record, and the receiving
    channel must see basket and advice.
    """
    both = (np.int64(1) << came_from) | (np.int64(1) << goes_to)
    return (
        person.status == CUSTOMER
        and (np.int64(person.identity) & both) == both
        and high(draw(rule.record_key, me)) < rule.transaction_data
        and chance < rule.information_access
    )


@kernel
def loses_brand_search(
    person: np.record, i: int, day: int, nth: int, me: np.uint32, keys: np.ndarray,
    labels: np.ndarray, rule: np.record, media: np.ndarray, brands: np.ndarray,
    goodwill: np.ndarray, clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> bool:
    """Look for our site by our name; tell whether a rival's advertisement took the visit.

    A visit taken is not yet a person lost: most try again, `repeat_lost` of them do not.
    """
    bits = draw(keys[streams.BRAND_SEARCH + nth], me)
    if high(bits) >= rule.brand_search:
        return False
    guarded = False
    for j in range(len(brands)):
        m = brands[j]
        bits_m = draw(keys[streams.BRAND_AD + nth] ^ labels[m], me)
        if high(bits_m) >= media[m].pressure:
            continue
        guarded = True
        clicks = low(bits_m) < media[m].click_rate
        walk_viewed[m, i] = day
        if clicks:
            walk_clicked[m, i] = day
        if person.ours:
            show(rule, m, i, day, 1, goodwill, viewed, media_book)
            if clicks:
                click(person, media, m, i, day, goodwill, clicked, media_book, channel_book)
    if person.ours:
        company[BRAND_SEARCHES] += 1
    steal = rule.steal_guarded if guarded else rule.steal_unguarded
    if low(bits) < steal * rule.repeat_lost:
        lose_walk(person, company)
    return low(bits) < steal


@kernel
def place_order(
    person: np.record, day: int, me: np.uint32, keys: np.ndarray, rule: np.record,
    segment: np.record, channels: np.ndarray, c: int, channel_book: np.ndarray,
) -> None:
    """Book a realised order and let the person live through it."""
    if high(draw(keys[streams.OPT_IN], me)) < segment.mail_opt_in:
        person.consent = person.consent | MAIL
    mean = channels[c].basket
    if person.status == PROSPECT:
        channel_book[c, NEW] += 1
        person.status = CUSTOMER
    else:
        mean *= rule.repeat_basket
    channel_book[c, ORDERS] += 1
    channel_book[c, CENTS] += basket(mean, channels[c].spread, keys[streams.BASKET], me)
    person.last_order = day
    if channels[c].online:
        person.last_online = day
    else:
        person.last_offline = day
    person.habit = c
    person.orders = min(np.int64(person.orders) + 1, 250)
    satisfy(person, rule, channels[c], keys[streams.EXPERIENCE], me)


@kernel
def decides_to_order(
    person: np.record, i: int, day: int, me: np.uint32, keys: np.ndarray, chance: float,
    works: float, rule: np.record, segment: np.record, media: np.ndarray,
    channels: np.ndarray, c: int,
    clicked: np.ndarray, viewed: np.ndarray, walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> bool:
    """Book the probability of an order, and the order if it is made and ours."""
    tracked = is_recorded(person, rule, channels, c, me)
    amount = np.int64(np.float64(person.walk_us) * works * PROBABILITY)
    channel_book[c, EXPECTED] += amount
    if person.status == PROSPECT:
        channel_book[c, EXPECTED_NEW] += amount
    company[SEEN_DEPARTMENT_CLAIMS] += amount * credit(
        person, media, day, i, tracked, clicked, viewed, walk_clicked, walk_viewed,
        amount, SEEN_LAST_TOUCH, SEEN_CLAIMS, media_book,
    )
    if chance >= works:
        return False
    if person.ours:
        company[DEPARTMENT_CLAIMS] += credit(
            person, media, day, i, tracked, clicked, viewed, walk_clicked, walk_viewed,
            1, LAST_TOUCH, CLAIMS, media_book,
        )
        company[TRACKED] += np.int64(tracked and (person.consent & COOKIES) > 0)
        place_order(person, day, me, keys, rule, segment, channels, c, channel_book)
    return True


@kernel
def walk(
    person: np.record, i: int, day: int, me: np.uint32, pushed_to: int,
    keys: np.ndarray, media_labels: np.ndarray, channel_labels: np.ndarray,
    rule: np.record, segment: np.record, media: np.ndarray, channels: np.ndarray,
    prefers: np.ndarray, success: np.ndarray, lost: np.ndarray, brands: np.ndarray,
    goodwill: np.ndarray, clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> None:
    """Go on with the walk today, from touchpoint to touchpoint, as far as the day allows."""
    for nth in range(MOST_STEPS):
        stage = np.int64(person.stage) - 1
        came_from = np.int64(person.channel)
        c = choose(
            person, prefers[stage], rule, channels, channel_labels,
            keys[streams.TOUCH + nth], me, pushed_to,
        )
        if channels[c].online and loses_brand_search(
            person, i, day, nth, me, keys, media_labels, rule, media, brands, goodwill,
            clicked, viewed, walk_clicked, walk_viewed, media_book, channel_book, company,
        ):
            return
        person.channel = c
        if channels[c].online:
            person.online = 1
        if person.ours:
            channel_book[c, VISITS] += 1
            if channels[c].online:
                person.last_visit = day

        if came_from >= 0 and came_from != c and stage > 0:
            bits = draw(keys[streams.HAND_OVER + nth], me)
            kept = hands_over(person, rule, came_from, c, me, high(bits))
            if person.ours:
                company[MADE if kept else MISSED] += 1
            if not kept:  # what was found must be found again, one stage back
                person.repeats = min(np.int64(person.repeats) + 1, 200)
                if low(bits) < rule.repeat_lost:
                    lose_walk(person, company)
                    return
                stage -= 1
                person.stage = stage + 1

        bits = draw(keys[streams.OUTCOME + nth], me)
        works = success[c, stage]
        if stage + 1 == BUY:
            if decides_to_order(
                person, i, day, me, keys, high(bits), works, rule, segment, media, channels, c,
                clicked, viewed, walk_clicked, walk_viewed, media_book, channel_book, company,
            ):
                end_walk(person, company)
                return
        elif high(bits) < works:
            person.stage = stage + 2
            if high(draw(keys[streams.SAME_DAY + nth], me)) < rule.same_day:
                continue
            return
        failed = 1 - works
        if failed > 0 and low(bits) < lost[c, stage] / failed / (1 + np.float64(person.reminded)):
            lose_walk(person, company)
        return


@kernel
def live(
    first: int, last: int, day: int,
    keys: np.ndarray, media_labels: np.ndarray, channel_labels: np.ndarray,
    rules: np.ndarray, media: np.ndarray, segments: np.ndarray, channels: np.ndarray,
    prefers: np.ndarray, success: np.ndarray, lost: np.ndarray,
    messages: np.ndarray, visitors: np.ndarray, searchers: np.ndarray, brands: np.ndarray,
    ids: np.ndarray, people: np.ndarray, goodwill: np.ndarray,
    clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray, pushed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> None:
    """Live one day in the rows [first, last) and count it into the three books."""
    rule = rules[0]
    for i in range(first, last):
        person, me = people[i], ids[i]
        segment = segments[person.segment]
        bits = draw(keys[streams.DAILY], me)
        chance = low(bits)
        pushed_to = -1

        if chance >= 1 - rule.newcomers:
            renew(person, i, goodwill, clicked, viewed)
        if person.status == CUSTOMER and person.consent & MAIL:
            company[WRITABLE] += 1
            write_to(
                person, i, day, me, keys[streams.MESSAGE], media_labels, rule, media, messages,
                goodwill, viewed, pushed, media_book,
            )
        if pushed[i]:
            for m in range(len(media)):
                if (pushed[i] >> np.uint32(m)) & np.uint32(1):
                    pushed_to = click(
                        person, media, m, i, day, goodwill, clicked, media_book, channel_book
                    )
        if chance < segment.browse:
            visit(person, rule.browses_on, day, channel_book)
        ours = day - np.int64(person.last_visit) <= rule.visit_days
        if person.consent & COOKIES and (ours or (person.stage > 0 and person.online)):
            reminded_to = remind(
                person, i, day, me, ours, keys[streams.REMINDER], media_labels, rule, media,
                channels, visitors, goodwill, clicked, viewed, walk_clicked, walk_viewed,
                media_book, channel_book, company,
            )
            pushed_to = reminded_to if reminded_to >= 0 else pushed_to

        begins = has_need(person, rule, day, high(bits))
        if begins:
            company[NEEDS] += 1
            if high(draw(keys[streams.SEARCH], me)) < segment.searches:
                company[SEARCHES] += 1
                pushed_to = search(
                    person, i, day, me, keys[streams.SEARCH], media_labels, rule, media,
                    searchers, goodwill, clicked, viewed, media_book, channel_book, pushed_to,
                )
            begin_walk(
                person, i, day, me, keys, rule, segment, media, goodwill,
                walk_clicked, walk_viewed, company,
            )
        if person.stage == 0:
            continue
        if day - np.int64(person.walk_since) > rule.most_days:
            lose_walk(person, company)
        elif begins or low(draw(keys[streams.WALK], me)) < rule.contact:
            walk(
                person, i, day, me, pushed_to, keys, media_labels, channel_labels,
                rule, segment, media, channels, prefers[person.segment], success, lost, brands,
                goodwill, clicked, viewed, walk_clicked, walk_viewed,
                media_book, channel_book, company,
            )
