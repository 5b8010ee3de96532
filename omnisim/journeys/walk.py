"""The walk: from a need over touchpoints to an order, or to a rival.

Every need is walked in full, whoever gets it: the walk carries `walk_us`, the probability
that it is with us, and `ours`, the draw. What a walk does to the person, to the books and
to our money happens only if it is ours; where it leads does not depend on whose it is. So
at every decision to order the probability `walk_us x success` is exact given the walk, and
far less noisy than the order itself.
"""

from __future__ import annotations

import math

import numpy as np

from omnisim import streams
from omnisim.contacts import (
    CLAIMS,
    LAST_TOUCH,
    SEEN_CLAIMS,
    SEEN_LAST_TOUCH,
)
from omnisim.journeys.aimed import (
    click,
    is_recorded,
    show,
)
from omnisim.journeys.books import (
    BRAND_SEARCHES,
    BUY,
    CENTS,
    DEPARTMENT_CLAIMS,
    DROPPED,
    EXPECTED,
    EXPECTED_NEW,
    LAST_TOUCH_DAYS,
    LOST_INFORM,
    MADE,
    MISSED,
    MOST_STEPS,
    NEW,
    ORDERS,
    PROBABILITY,
    SEEN_DEPARTMENT_CLAIMS,
    TRACKED,
    VISITS,
    WALKS,
)
from omnisim.people import COOKIES, CUSTOMER, MAIL, PROSPECT, forget
from omnisim.streams import draw, high, kernel, low

# Kernels hand over arrays one by one: a named tuple of arrays costs three times as much.
# Their lists are packed by hand; one name a line would hide the code.
# fmt: off


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
    person: np.record, delays: np.ndarray, rule: np.record, labels: np.ndarray,
    key: np.uint64, identity: np.uint32, pushed_to: int,
) -> int:
    """Pick the touchpoint that comes to mind first: multinomial logit with noise by channel.

    A channel of utility v comes after an exponential time of mean exp(-v): minus its
    logarithm is Gumbel, so that this is Gumbel-max with one logarithm a channel, and often
    with none, as no time is shorter than 1 - u.
    """
    first, choice = np.inf, 0
    for c in range(len(delays)):
        delay = delays[c]
        if c == person.habit:
            delay *= rule.habit
        if c == person.channel:
            delay *= rule.inertia
        if c == pushed_to:
            delay *= rule.push
        chance = high(draw(key ^ labels[c], identity)) + 2.0**-32
        if (1 - chance) * delay < first:
            time = -math.log(chance) * delay
            if time < first:
                first, choice = time, c
    return choice


@kernel
def credit(
    person: np.record, media: np.ndarray, day: int, i: int, me: np.uint32, key: np.uint64,
    labels: np.ndarray, tracked: bool,
    clicked: np.ndarray, viewed: np.ndarray, walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    chance: int, order: int, book: np.ndarray,
) -> int:
    """Book an order's last touch and every medium's claim; return how many departments claim.

    `chance` is the order's probability in units of 1 / PROBABILITY, `order` 1 if it is made.

    Last touch is the last tracked paid click or impression of 30 days; on one day a click
    beats an impression, and luck decides among equals, never their names. A medium claims what
    happens within its own windows.
    """
    winner, best = -1, 2.0 * (day - LAST_TOUCH_DAYS)
    claimants = np.uint64(0)
    for m in range(len(media)):
        medium = media[m]
        if medium.tracked and not (
            tracked and (medium.needs_cookies == 0 or person.consent & COOKIES)
        ):
            continue
        click, view = np.int64(clicked[m, i]), np.int64(viewed[m, i])
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
        if day - click <= medium.click_window or day - view <= medium.view_window:
            book[m, SEEN_CLAIMS] += chance
            book[m, CLAIMS] += order
            claimants |= np.uint64(1) << np.uint64(medium.owner)
    if winner >= 0:
        book[winner, SEEN_LAST_TOUCH] += chance
        book[winner, LAST_TOUCH] += order
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
def begin_walk(
    person: np.record, i: int, day: int, me: np.uint32, keys: np.ndarray, rule: np.record,
    segment: np.record, media: np.ndarray, goodwill: np.ndarray, company: np.ndarray,
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
        walk_viewed[media[m].walk_row, i] = day
        if clicks:
            walk_clicked[media[m].walk_row, i] = day
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
    works: float, rule: np.record, segment: np.record, media: np.ndarray, labels: np.ndarray,
    channels: np.ndarray, c: int,
    clicked: np.ndarray, viewed: np.ndarray, walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> bool:
    """Book the probability of an order, and the order if it is made and ours."""
    tracked = is_recorded(person, rule, channels, c, me)
    seen = np.int64(np.float64(person.walk_us) * works * PROBABILITY)
    made = np.int64(chance < works and person.ours)
    channel_book[c, EXPECTED] += seen
    if person.status == PROSPECT:
        channel_book[c, EXPECTED_NEW] += seen
    claimants = credit(
        person, media, day, i, me, keys[streams.TIE], labels, tracked,
        clicked, viewed, walk_clicked, walk_viewed, seen, made, media_book,
    )
    company[SEEN_DEPARTMENT_CLAIMS] += seen * claimants
    if made:
        company[DEPARTMENT_CLAIMS] += claimants
        company[TRACKED] += np.int64(tracked and (person.consent & COOKIES) > 0)
        place_order(person, day, me, keys, rule, segment, channels, c, channel_book)
    return chance < works


@kernel
def walk(
    person: np.record, i: int, day: int, me: np.uint32, pushed_to: int,
    keys: np.ndarray, media_labels: np.ndarray, channel_labels: np.ndarray,
    rule: np.record, segment: np.record, media: np.ndarray, channels: np.ndarray,
    delays: np.ndarray, success: np.ndarray, lost: np.ndarray, brands: np.ndarray,
    goodwill: np.ndarray, clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> None:
    """Go on with the walk today, from touchpoint to touchpoint, as far as the day allows."""
    for nth in range(MOST_STEPS):
        stage = np.int64(person.stage) - 1
        came_from = np.int64(person.channel)
        c = choose(
            person, delays[stage], rule, channel_labels, keys[streams.TOUCH + nth], me, pushed_to,
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
                person, i, day, me, keys, high(bits), works, rule, segment, media, media_labels,
                channels, c,
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
