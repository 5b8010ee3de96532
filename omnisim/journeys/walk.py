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
from omnisim.journeys.aimed import (
    click,
    is_recorded,
    show,
    talk_felt,
)
from omnisim.journeys.books import (
    BRAND_SEARCHES,
    BRAND_SEARCHES_TAKEN,
    BUY,
    CARTS,
    DROPPED,
    LOST,
    LOST_INFORM,
    MADE,
    MISSED,
    MOST_STEPS,
    VISITS,
    WALKS,
)
from omnisim.journeys.orders import (
    decides_to_order,
    look_for_coupon,
)
from omnisim.people import CUSTOMER, forget
from omnisim.streams import draw, high, kernel, low

# Kernels hand over arrays one by one: a named tuple of arrays costs three times as much.
# Their lists are packed by hand; one name a line would hide the code.
# fmt: off


@kernel
def attraction(
    person: np.record, cell: np.record, rule: np.record, media: np.ndarray,
    goodwill: np.ndarray, i: int, day: int,
) -> float:
    """Return how much a person is drawn to us, in log odds.

    Pull saturates in goodwill as Hill's function with slope 1; too many contacts annoy.
    """
    drawn = cell.prospects + rule.satisfaction_pulls * np.float64(person.satisfaction)
    drawn += cell.price * rule.bargain + rule.talk * talk_felt(person, rule, day)
    if person.status == CUSTOMER:
        drawn += cell.loyalty
    felt_in_all = 0.0
    for m in range(len(media)):
        felt = np.float64(goodwill[m, i])
        felt_in_all += felt
        drawn += media[m].pull * felt / (felt + media[m].half_pull)
    return drawn - rule.annoys * max(0.0, felt_in_all - rule.patience)


@kernel
def choose(
    person: np.record, delays: np.ndarray, closed: np.ndarray, knows: int, rule: np.record,
    labels: np.ndarray, key: np.uint64, identity: np.uint32, pushed_to: int,
) -> int:
    """Pick the touchpoint that comes to mind first: multinomial logit with noise by channel.

    A channel of utility v comes after an exponential time of mean exp(-v): minus its
    logarithm is Gumbel, so that this is Gumbel-max with one logarithm a channel, and often
    with none, as no time is shorter than 1 - u. Whoever `knows` avoids what is closed;
    -1 where nothing is left.
    """
    first, choice = np.inf, -1
    for c in range(len(delays)):
        if closed[c] & knows:
            continue
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
def pass_stage(person: np.record, stage: int, c: int) -> None:
    """Remember in which channel a stage was passed; passed again, where it was at last."""
    behind = np.int64(person.path) & ((1 << (4 * stage)) - 1)
    person.path = behind | (c + 1) << (4 * stage)


@kernel
def end_walk(person: np.record, company: np.ndarray) -> None:
    """Close the walk; who was about to leave drops out and is a prospect again."""
    person.stage = 0
    if person.leaves:
        person.leaves = 0
        forget(person)
        company[DROPPED] += 1


@kernel
def book_way(person: np.record, stage: int, c: int, ways: np.ndarray) -> None:
    """Book where every stage was passed, and at which channel (-1: none) the walk was lost.

    `stage` is the one at which it was lost, counted from 0; past the last with an order.
    """
    way = np.int64(person.path) & ((1 << (4 * stage)) - 1) | (c + 1) << (4 * stage)
    ways[person.cell, stage, way & 15, (way >> 4) & 15, (way >> 8) & 15] += 1


@kernel
def lose_walk(
    person: np.record, c: int, rule: np.record,
    ways: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> None:
    """Lose the walk to a rival at its present stage and channel (-1: none)."""
    stage = np.int64(person.stage) - 1
    if person.ours:
        company[LOST_INFORM + stage] += 1
        book_way(person, stage, c, ways)
        if c >= 0:
            channel_book[c * rule.goods + np.int64(person.category), LOST + stage] += 1
    end_walk(person, company)


@kernel
def begin_walk(
    person: np.record, i: int, day: int, me: np.uint32, keys: np.ndarray, rule: np.record,
    cell: np.record, wants: np.ndarray, media: np.ndarray, goodwill: np.ndarray,
    company: np.ndarray,
) -> None:
    """Turn a need into a walk: ours or a rival's, and perhaps the last one with us.

    The draw to drop out belongs to each repeat need, won or lost, never to the first order.
    """
    us = 1.0
    if rule.has_rival and person.joins != day:
        drawn = attraction(person, cell, rule, media, goodwill, i, day)
        us = 1 / (1 + math.exp(rule.rival - drawn))
    person.walk_us = np.float32(us)
    person.ours = high(draw(keys[streams.CHOOSE_US], me)) < np.float64(person.walk_us)
    person.stage = 1
    person.walk_since = day
    person.channel = -1
    person.met = 0
    person.path = 0
    person.repeats = 0
    person.reminded = np.float32(0.0)
    person.price = np.float32((1 + np.float64(person.price)) / 2)
    person.category = 0
    if len(wants) > 1:
        luck = high(draw(keys[streams.CATEGORY], me))
        for k in range(len(wants) - 1):
            person.category += luck >= wants[k]
    if person.status == CUSTOMER:
        risk = np.float64(person.drop) * math.exp(
            -rule.satisfaction_keeps * np.float64(person.satisfaction)
        )
        person.leaves = high(draw(keys[streams.DROP_OUT], me)) < risk
    if person.ours:
        company[WALKS] += 1


@kernel
def hands_over(
    person: np.record, rule: np.record, data: np.ndarray, information: np.ndarray,
    came_from: int, goes_to: int, me: np.uint32, chance: float,
) -> bool:
    """Tell whether a change of channel keeps the context.

    The person must be recognised in both channels on a shared record, and the receiving
    channel must see basket and advice.
    """
    both = (np.int64(1) << came_from) | (np.int64(1) << goes_to)
    return (
        person.status == CUSTOMER
        and (np.int64(person.identity) & both) == both
        and high(draw(rule.record_key, me)) < data[came_from, goes_to]
        and chance < information[came_from, goes_to]
    )


@kernel
def phone_in_hand(
    person: np.record, c: int, nth: int, me: np.uint32, keys: np.ndarray, rule: np.record,
    cell: np.record, data: np.ndarray, information: np.ndarray, works: float,
    company: np.ndarray,
) -> float:
    """Return the chance of success of a contact in a shop, perhaps with the phone in hand."""
    bits = draw(keys[streams.PHONE + nth], me)
    if high(bits) >= cell.phone:
        return works
    kept = hands_over(person, rule, data, information, rule.browses_on, c, me, low(bits))
    if person.ours:
        company[MADE if kept else MISSED] += 1
    return works + (1 - works) * rule.assist if kept else works * (1 - rule.confuses)


@kernel
def loses_brand_search(
    person: np.record, i: int, day: int, nth: int, me: np.uint32, keys: np.ndarray,
    labels: np.ndarray, rule: np.record, media: np.ndarray, brands: np.ndarray, c: int,
    claims: np.ndarray, claim: np.ndarray, goodwill: np.ndarray,
    clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray, ways: np.ndarray,
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
            show(rule, m, i, day, 1, claims, claim, goodwill, viewed, media_book)
            if clicks:
                click(person, media, m, i, day, goodwill, clicked, media_book, channel_book)
    steal = rule.steal_guarded if guarded else rule.steal_unguarded
    if person.ours:
        company[BRAND_SEARCHES] += 1
        company[BRAND_SEARCHES_TAKEN] += low(bits) < steal
    if low(bits) < steal * rule.repeat_lost:
        lose_walk(person, c, rule, ways, channel_book, company)
    return low(bits) < steal


@kernel
def walk(
    person: np.record, i: int, day: int, me: np.uint32, pushed_to: int,
    keys: np.ndarray, media_labels: np.ndarray, channel_labels: np.ndarray,
    rule: np.record, cell: np.record, media: np.ndarray, channels: np.ndarray,
    goods: np.ndarray, cross: np.ndarray, delays: np.ndarray, success: np.ndarray,
    lost: np.ndarray, brands: np.ndarray, coupons: np.ndarray, friends: np.ndarray,
    data: np.ndarray, information: np.ndarray, prices: np.ndarray, closed: np.ndarray,
    claims: np.ndarray, claim: np.ndarray, goodwill: np.ndarray,
    clicked: np.ndarray, viewed: np.ndarray, walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    friend_row: np.ndarray, letters: np.ndarray, missed: np.ndarray, ways: np.ndarray,
    paths: np.ndarray, media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> None:
    """Go on with the walk today, from touchpoint to touchpoint, as far as the day allows."""
    for nth in range(MOST_STEPS):
        stage = np.int64(person.stage) - 1
        came_from = np.int64(person.channel)
        key = keys[streams.TOUCH + nth]
        c = choose(person, delays[stage], closed, 0, rule, channel_labels, key, me, pushed_to)
        if c >= 0 and closed[c]:
            if high(draw(keys[streams.CLOSED + nth], me)) < rule.closed_lost:
                lose_walk(person, -1, rule, ways, channel_book, company)
                return
            c = choose(person, delays[stage], closed, 1, rule, channel_labels, key, me, pushed_to)
        if c < 0:  # nowhere to turn to today
            return
        row = c * rule.goods + np.int64(person.category)
        if rule.brand_search > 0 and channels[c].online and loses_brand_search(
            person, i, day, nth, me, keys, media_labels, rule, media, brands, c, claims, claim,
            goodwill, clicked, viewed, walk_clicked, walk_viewed, ways,
            media_book, channel_book, company,
        ):
            return
        person.channel = c
        person.met |= np.int64(1) << c
        if person.ours:
            channel_book[row, VISITS] += 1
            if channels[c].online:
                person.last_visit = day

        if came_from >= 0 and came_from != c and stage > 0:
            bits = draw(keys[streams.HAND_OVER + nth], me)
            kept = hands_over(person, rule, data, information, came_from, c, me, high(bits))
            if person.ours:
                company[MADE if kept else MISSED] += 1
                missed[came_from, c] += not kept
            if not kept:  # what was found must be found again, one stage back
                person.repeats = min(np.int64(person.repeats) + 1, 200)
                if low(bits) < rule.repeat_lost:
                    lose_walk(person, c, rule, ways, channel_book, company)
                    return
                stage -= 1
                person.stage = stage + 1

        works, paid, helped = success[c, stage], prices[c], 1.0
        if person.status == CUSTOMER and (np.int64(person.identity) >> c) & 1 and is_recorded(
            person, rule, channels, c, me
        ):
            helped += channels[c].personalised
            works = min(works * helped, 1.0)
        if stage > 0:
            dearer = paid - np.float64(person.price)
            if dearer > 0.001:
                works *= math.exp(-rule.distrust * dearer)
                if high(draw(keys[streams.HAGGLES], me)) < rule.haggles:
                    paid = np.float64(person.price)
            person.price = np.float32(min(paid, np.float64(person.price)))
            if channels[c].online == 0 and rule.browses_on >= 0 and cell.phone > 0:
                works = phone_in_hand(
                    person, c, nth, me, keys, rule, cell, data, information, works, company
                )

        bits = draw(keys[streams.OUTCOME + nth], me)
        if stage + 1 == BUY:
            if person.ours:
                channel_book[row, CARTS] += 1
            if channels[c].online and len(coupons) > 0:
                works += (1 - works) * look_for_coupon(
                    person, i, day, nth, me, keys, media_labels, rule, cell, media, coupons,
                    claims, claim, goodwill, clicked, viewed, walk_clicked, walk_viewed,
                    media_book, channel_book, company,
                )
            if decides_to_order(
                person, i, day, me, keys, high(bits), works, paid, helped, rule, cell,
                media, media_labels, channels, goods, cross, friends, c,
                clicked, viewed, walk_clicked, walk_viewed, friend_row, letters,
                paths, media_book, channel_book, company,
            ):
                pass_stage(person, stage, c)
                if person.ours:
                    book_way(person, stage + 1, -1, ways)
                end_walk(person, company)
                return
        elif high(bits) < works:
            pass_stage(person, stage, c)
            person.stage = stage + 2
            if high(draw(keys[streams.SAME_DAY + nth], me)) < rule.same_day:
                continue
            return
        failed = 1 - works
        if failed > 0 and low(bits) < lost[c, stage] / failed / (1 + np.float64(person.reminded)):
            lose_walk(person, c, rule, ways, channel_book, company)
        return
