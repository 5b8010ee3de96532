"""Orders: what a decision to order means for books, credit, money, satisfaction and friends."""

from __future__ import annotations

import math

import numpy as np

from omnisim import streams
from omnisim.contacts import (
    CLAIMS,
    LAST_TOUCH,
    SEEN_CLAIMS,
    SEEN_LAST_TOUCH,
    SEEN_NEW,
    SEEN_VALUE,
)
from omnisim.journeys.aimed import (
    click,
    is_recorded,
    show,
)
from omnisim.journeys.books import (
    CENTS,
    CHECKOUTS,
    DEPARTMENT_CLAIMS,
    EXPECTED,
    EXPECTED_NEW,
    EXPECTED_VALUE,
    INCIDENTS,
    INVITATIONS,
    INVITERS,
    LAST_TOUCH_DAYS,
    LATE,
    MADE_ORDER,
    NEW,
    ORDERS,
    OURS,
    PATH_FIELDS,
    PATHS,
    PROBABILITY,
    RECENCY_BITS,
    SEEN,
    SEEN_DEPARTMENT_CLAIMS,
    TALK,
    TOLD,
    TRACKED,
    TRIED,
)
from omnisim.people import COOKIES, CUSTOMER, MAIL, NEVER, PROSPECT
from omnisim.streams import draw, high, kernel, low

# Kernels hand over arrays one by one: a named tuple of arrays costs three times as much.
# Their lists are packed by hand; one name a line would hide the code.
# fmt: off


@kernel
def credit(
    person: np.record, media: np.ndarray, day: int, i: int, me: np.uint32, key: np.uint64,
    labels: np.ndarray, tracked: bool,
    clicked: np.ndarray, viewed: np.ndarray, walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    tried: int, chance: int, value: int, order: int,
    book: np.ndarray, company: np.ndarray, paths: np.ndarray,
) -> int:
    """Book an order's last touch and every medium's claim; return how many departments claim.

    `chance` is the order's probability in units of 1 / PROBABILITY, `value` what it is worth
    in EUR of such units, `order` 1 if it is made, `tried` the probability that the decision is
    ours.

    Last touch is the last tracked paid click or impression of 30 days; on one day a click
    beats an impression, and luck decides among equals, never their names. A medium claims what
    happens within its own windows. Where `paths` has room, the whole path is kept: of every
    tracked medium how long ago it was touched.
    """
    earliest = 2 * (day - LAST_TOUCH_DAYS)
    winner, best = -1, np.float64(earliest)
    claimants = np.uint64(0)
    path = company[PATHS]
    if len(paths) > 0:
        paths[path] = 0
    for m in range(len(media)):
        medium = media[m]
        if medium.tracked and not (
            tracked and (medium.needs_cookies == 0 or person.consent & COOKIES)
        ):
            continue
        view = np.int64(viewed[m, i])
        click = np.int64(clicked[m, i]) if medium.click_rate > 0 else NEVER
        row = medium.walk_row
        if row >= 0:
            if walk_clicked[row, i] >= person.walk_since:
                click = max(click, np.int64(walk_clicked[row, i]))
            if walk_viewed[row, i] >= person.walk_since:
                view = max(view, np.int64(walk_viewed[row, i]))
        touched = max(2 * click + 1, 2 * view)
        if medium.tracked and touched + 1 > best:
            score = touched + high(draw(key ^ labels[m], me))
            if score > best:
                winner, best = m, score
        if len(paths) > 0 and medium.tracked and touched >= earliest:
            luck = np.int64(draw(key ^ labels[m], me) >> np.uint64(64 - RECENCY_BITS))
            paths[path, PATH_FIELDS + m] = ((touched - earliest) << RECENCY_BITS) + luck
        if day - click <= medium.click_window or day - view <= medium.view_window:
            book[m, SEEN_CLAIMS] += chance
            book[m, CLAIMS] += order
            claimants |= np.uint64(1) << np.uint64(medium.owner)
    if winner >= 0:
        book[winner, SEEN_LAST_TOUCH] += chance
        book[winner, SEEN_VALUE] += value
        if person.status == PROSPECT:
            book[winner, SEEN_NEW] += chance
        book[winner, LAST_TOUCH] += order
        if len(paths) > 0:
            paths[path, TRIED] = tried
            paths[path, SEEN] = chance
            paths[path, OURS] = person.ours
            paths[path, MADE_ORDER] = order
            company[PATHS] += 1
    departments = 0
    while claimants:
        departments += np.int64(claimants & np.uint64(1))
        claimants >>= np.uint64(1)
    return departments


@kernel
def basket(mean: float, spread: float, key: np.uint64, identity: np.uint32) -> int:
    """Draw a lognormal basket with this mean, in cents."""
    bits = draw(key, identity)
    radius = math.sqrt(-2 * math.log(high(bits) + 2.0**-32))
    normal = radius * math.cos(2 * math.pi * low(bits))
    return np.int64(round(100 * mean * math.exp(spread * normal - spread * spread / 2)))


@kernel
def live_with_it(
    person: np.record, rule: np.record, channel: np.record, good: np.record, row: int,
    key: np.uint64, after_key: np.uint64, me: np.uint32, channel_book: np.ndarray,
) -> None:
    """Receive and use what was ordered; move satisfaction towards what this order was like.

    It is felt against what was expected, which follows the best service met, rivals'
    included. An incident is half mended where the firm learns of it first, and told twice
    where the service desk knows nothing of the order.
    """
    luck = rule.satisfaction_noise * math.sqrt(3.0) * (2 * high(draw(key, me)) - 1)
    felt = channel.quality + luck - rule.friction * np.float64(person.repeats)
    bits = draw(after_key, me) if channel.late + good.incident > 0 else ~np.uint64(0)
    if high(bits) < channel.late:
        felt -= rule.late_hurts
        channel_book[row, LATE] += 1
    if low(bits) < good.incident:
        channel_book[row, INCIDENTS] += 1
        told = low(bits) < good.incident * channel.told
        felt -= rule.incident_hurts * rule.mended if told else rule.incident_hurts + rule.twice
    expected = np.float64(person.expects)
    best = max(felt, rule.rival_service)
    person.expects = np.float32(expected + rule.expectation * (best - expected))
    now = np.float64(person.satisfaction)
    person.satisfaction = np.float32(now + rule.satisfaction_step * (felt - expected - now))


@kernel
def friend_of(me: np.uint32, luck: float, rule: np.record, people: int) -> int:
    """Return the id of one of a person's friends, by luck: on the ring, or rewired."""
    nth = np.int64(luck * rule.degree)
    bits = draw(rule.friend_key + np.uint64(nth), me)
    if high(bits) < rule.rewired:
        return np.int64(low(bits) * people)
    step = nth // 2 + 1
    around = np.int64(me) + (step if nth % 2 == 0 else -step)
    return (around + people) % people


@kernel
def tell_friends(
    person: np.record, day: int, me: np.uint32, keys: np.ndarray, labels: np.ndarray,
    rule: np.record, media: np.ndarray, friends: np.ndarray, row: np.ndarray,
    letters: np.ndarray, company: np.ndarray,
) -> None:
    """Talk about an order and perhaps invite a friend; letters arrive tomorrow.

    They are whole numbers that are added, and bits that are set: whoever writes first, the
    same arrives.
    """
    tomorrow = letters[(day + 1) & 1]
    bits = draw(keys[streams.TELLS], me)
    if high(bits) < rule.tells:
        to = row[friend_of(me, low(bits), rule, len(row))]
        tomorrow[TALK, to] += np.int32(np.float64(person.satisfaction) * TOLD)
    company[INVITERS] += 1
    for j in range(len(friends)):
        m = friends[j]
        bits = draw(keys[streams.INVITES] ^ labels[m], me)
        if high(bits) < media[m].pressure:
            to = row[friend_of(me, low(bits), rule, len(row))]
            tomorrow[INVITATIONS, to] |= np.int32(1) << np.int32(m)


@kernel
def place_order(
    person: np.record, day: int, me: np.uint32, keys: np.ndarray, rule: np.record,
    cell: np.record, channels: np.ndarray, goods: np.ndarray, cross: np.ndarray,
    c: int, worth: float, helped: float, channel_book: np.ndarray,
) -> None:
    """Book a realised order, of `worth` baskets, and let the person live through it."""
    if cell.mail_opt_in > 0 and high(draw(keys[streams.OPT_IN], me)) < cell.mail_opt_in:
        person.consent = person.consent | MAIL
    k = np.int64(person.category)
    row = c * rule.goods + k
    if person.status == PROSPECT:
        channel_book[row, NEW] += 1
        person.status = CUSTOMER
    channel_book[row, ORDERS] += 1
    mean, spread = channels[c].basket, channels[c].spread
    cents = basket(mean * worth, spread, keys[streams.BASKET], me)
    channel_book[row, CENTS] += cents
    for other in range(len(goods)):
        luck = draw(keys[streams.CROSS] + np.uint64(other), me)
        if cross[k, other] > 0 and high(luck) < cross[k, other] * helped:
            part = mean * worth * goods[other].basket / goods[k].basket
            along = basket(part, spread, keys[streams.BASKET] + np.uint64(other + 1), me)
            channel_book[c * rule.goods + other, CENTS] += along
            cents += along
    person.last_basket = np.float32(cents / 100)
    person.last_order = day
    if channels[c].online:
        person.last_online = day
    else:
        person.last_offline = day
    person.habit = c
    person.orders = min(np.int64(person.orders) + 1, 250)
    live_with_it(
        person, rule, channels[c], goods[k], row, keys[streams.EXPERIENCE], keys[streams.AFTER],
        me, channel_book,
    )


@kernel
def look_for_coupon(
    person: np.record, i: int, day: int, nth: int, me: np.uint32, keys: np.ndarray,
    labels: np.ndarray, rule: np.record, cell: np.record, media: np.ndarray,
    coupons: np.ndarray, claims: np.ndarray, claim: np.ndarray, goodwill: np.ndarray,
    clicked: np.ndarray, viewed: np.ndarray, walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> float:
    """Look for a coupon at the till; return the part of what would fail that it mends.

    Whoever finds one has come by its medium, bought because of it or not.
    """
    if high(draw(keys[streams.COUPON + nth], me)) >= cell.coupons:
        return 0.0
    company[CHECKOUTS] += np.int64(person.ours)
    lift = 0.0
    for j in range(len(coupons)):
        m = coupons[j]
        if high(draw(keys[streams.COUPON + nth] ^ labels[m], me)) >= media[m].pressure:
            continue
        lift = max(lift, media[m].lift)
        walk_viewed[media[m].walk_row, i] = day
        walk_clicked[media[m].walk_row, i] = day
        if person.ours:
            show(rule, m, i, day, 1, claims, claim, goodwill, viewed, media_book)
            click(person, media, m, i, day, goodwill, clicked, media_book, channel_book)
    return lift


@kernel
def decides_to_order(
    person: np.record, i: int, day: int, me: np.uint32, keys: np.ndarray, chance: float,
    works: float, paid: float, helped: float, rule: np.record, cell: np.record,
    media: np.ndarray, labels: np.ndarray, channels: np.ndarray, goods: np.ndarray,
    cross: np.ndarray, friends: np.ndarray, c: int,
    clicked: np.ndarray, viewed: np.ndarray, walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    friend_row: np.ndarray, letters: np.ndarray, paths: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> bool:
    """Book the probability of an order at a price, and the order if it is made and ours.

    `helped` scales the chance that another category is bought along.
    """
    k = np.int64(person.category)
    row = c * rule.goods + k
    worth = goods[k].basket * paid
    if person.status == CUSTOMER:
        worth *= rule.repeat_basket
    tracked = is_recorded(person, rule, channels, c, me)
    seen = np.int64(np.float64(person.walk_us) * works * PROBABILITY)
    made = np.int64(chance < works and person.ours)
    channel_book[row, EXPECTED] += seen
    channel_book[row, EXPECTED_VALUE] += np.int64(seen * worth)
    if person.status == PROSPECT:
        channel_book[row, EXPECTED_NEW] += seen
    for other in range(len(goods)):
        if cross[k, other] > 0:
            along = min(cross[k, other] * helped, 1.0) * worth
            part = along * goods[other].basket / goods[k].basket
            channel_book[c * rule.goods + other, EXPECTED_VALUE] += np.int64(seen * part)
    claimants = credit(
        person, media, day, i, me, keys[streams.TIE], labels, tracked,
        clicked, viewed, walk_clicked, walk_viewed,
        np.int64(np.float64(person.walk_us) * PROBABILITY), seen,
        np.int64(seen * worth * channels[c].basket), made, media_book, company, paths,
    )
    company[SEEN_DEPARTMENT_CLAIMS] += seen * claimants
    if made:
        company[DEPARTMENT_CLAIMS] += claimants
        company[TRACKED] += np.int64(tracked and (person.consent & COOKIES) > 0)
        place_order(
            person, day, me, keys, rule, cell, channels, goods, cross, c, worth, helped,
            channel_book,
        )
        if rule.degree > 0:
            tell_friends(
                person, day, me, keys, labels, rule, media, friends, friend_row, letters, company
            )
    return chance < works
