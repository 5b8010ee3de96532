"""A person's day: `live` wakes those to whom something happens; read `live_through` as theirs."""

from __future__ import annotations

import math

import numpy as np

from omnisim import streams
from omnisim.contacts import TILE, meet
from omnisim.journeys import books
from omnisim.journeys.aimed import (
    click,
    is_known_buyer,
    read_letters,
    remind,
    renew,
    search,
    visit,
    write_to,
)
from omnisim.journeys.books import (
    AIMABLE,
    NEEDS,
    SEARCHES,
)
from omnisim.journeys.walk import (
    begin_walk,
    lose_walk,
    walk,
)
from omnisim.people import BUSY, COOKIES, CUSTOMER, MAIL, NEVER, PROSPECT, WRITABLE
from omnisim.streams import WORDS, draw, high, kernel, low, scramble

# Kernels hand over arrays one by one: a named tuple of arrays costs three times as much.
# Their lists are packed by hand; one name a line would hide the code.
# fmt: off


@kernel
def wake(
    count: int, start: int, day: int, keys: np.ndarray, labels: np.ndarray,
    needs: float, others: float, media: np.ndarray, messages: np.ndarray, visitors: np.ndarray,
    ids: np.ndarray, need: np.ndarray, awake: np.ndarray,
    aimed_from: np.ndarray, aimed_until: np.ndarray, clicks: np.ndarray,
    bits: np.ndarray, wakes: np.ndarray, order: np.ndarray, company: np.ndarray,
) -> int:
    """List the rows of a tile to whom more may happen today than mass media; return how many.

    On most days most people have no need, no visit and no mail. `needs` scales the rate of
    needs, `others` is the chance of everything else that luck brings. Whoever is woken too
    often finds nothing to do: rounding errs on that side. `bits` keeps the day's luck.
    Audiences of aimed media are counted on the way.
    """
    who, rate = ids[start : start + count], need[start : start + count]
    flags = awake[start : start + count]
    since, until = aimed_from[start : start + count], aimed_until[start : start + count]
    wanted = np.float32(needs * 1.000001 * WORDS)
    rest = np.float32((1 - others * 1.000001 - 1e-7) * WORDS)
    key = keys[streams.DAILY]
    for i in range(count):
        bits[i] = scramble(key, who[i])
        luck = np.float32(bits[i])
        wakes[i] = (
            np.uint8(luck <= rate[i] * wanted) | np.uint8(luck >= rest)
            | np.uint8((flags[i] & BUSY) != 0) | np.uint8(clicks[i] > 0)
        )
    for j in range(len(messages)):
        m = messages[j]
        key, sent = keys[streams.MESSAGE] ^ labels[m], media[m].pressure * WORDS
        for i in range(count):
            hit = np.float64(scramble(key, who[i])) < sent
            wakes[i] |= np.uint8(hit) & np.uint8((flags[i] & WRITABLE) != 0)
    for j in range(len(visitors)):
        m = visitors[j]
        key, none = keys[streams.REMINDER] ^ labels[m], media[m].none * WORDS
        for i in range(count):
            hit = np.float64(scramble(key, who[i])) >= none
            wakes[i] |= np.uint8(hit) & np.uint8(since[i] <= day) & np.uint8(until[i] >= day)
    writable, aimable = np.int64(0), np.int64(0)
    for i in range(count):
        writable += np.int64((flags[i] & WRITABLE) != 0)
        aimable += np.int64((since[i] <= day) & (until[i] >= day))
    company[books.WRITABLE] += writable
    company[AIMABLE] += aimable
    found = 0
    for i in range(count):
        order[found] = start + i
        found += np.int64(wakes[i])
    return found


@kernel
def notice_letters(start: int, count: int, arrived: np.ndarray, awake: np.ndarray) -> None:
    """Wake those to whom friends have written."""
    talk, invitations = arrived[0, start : start + count], arrived[1, start : start + count]
    wakes = awake[start : start + count]
    for i in range(count):
        wakes[i] |= BUSY * (np.uint8(talk[i] != 0) | np.uint8(invitations[i] != 0))


@kernel
def has_need(person: np.record, rule: np.record, day: int, need: float, chance: float) -> bool:
    """Tell whether a need arises today; one that is walked already blocks the next."""
    if person.joins == day:
        return True
    if person.stage > 0 and rule.blocks_needs:
        return False
    if rule.cohort and person.status == PROSPECT:
        return False
    needs = need * rule.needs_factor
    return chance < needs and chance < 1 - math.exp(-needs)


@kernel
def look_ahead(
    person: np.record, i: int, tomorrow: int, me: np.uint32, rule: np.record,
    channels: np.ndarray, awake: np.ndarray, aimed_from: np.ndarray, aimed_until: np.ndarray,
) -> None:
    """Note what tomorrow may bring this person, and until when media may follow a visit.

    Whoever is known to have just bought is not followed.
    """
    flags = BUSY if person.stage > 0 or person.joins >= tomorrow else 0
    if person.status == CUSTOMER and person.consent & MAIL:
        flags |= WRITABLE
    awake[i] = flags
    since, until = NEVER, NEVER
    if person.consent & COOKIES and person.last_visit > NEVER:
        until = np.int64(person.last_visit) + rule.visit_days
        if is_known_buyer(person, tomorrow, me, rule, channels):
            since = np.int64(person.last_order) + rule.buyer_days + 1
    aimed_from[i] = since
    aimed_until[i] = until


@kernel
def live_through(
    i: int, day: int, chance: float, clicks: np.uint32,
    keys: np.ndarray, media_labels: np.ndarray, channel_labels: np.ndarray,
    rule: np.record, media: np.ndarray, cells: np.ndarray, channels: np.ndarray,
    goods: np.ndarray, wants: np.ndarray, cross: np.ndarray,
    delays: np.ndarray, success: np.ndarray, lost: np.ndarray,
    messages: np.ndarray, visitors: np.ndarray, searchers: np.ndarray, brands: np.ndarray,
    coupons: np.ndarray, friends: np.ndarray, data: np.ndarray, information: np.ndarray,
    prices: np.ndarray, closed: np.ndarray, claims: np.ndarray,
    ids: np.ndarray, need: np.ndarray, awake: np.ndarray,
    aimed_from: np.ndarray, aimed_until: np.ndarray, people: np.ndarray,
    claim: np.ndarray, goodwill: np.ndarray, clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    friend_row: np.ndarray, letters: np.ndarray, missed: np.ndarray, ways: np.ndarray,
    paths: np.ndarray, media_book: np.ndarray, channel_book: np.ndarray, company: np.ndarray,
) -> None:
    """Live the day of one person, to whom something may happen, after the mass media.

    `chance` is the day's luck: its low end brings a need, its high end a newcomer in this
    person's place, or a visit out of curiosity. `clicks` are those on mass media.
    """
    person, me = people[i], ids[i]
    cell = cells[person.cell]
    pushed_to = -1

    if chance >= 1 - rule.newcomers:
        renew(person, i, claim, goodwill, clicked, viewed)
    if person.status == CUSTOMER and person.consent & MAIL:
        clicks |= write_to(
            person, i, day, me, keys[streams.MESSAGE], media_labels, rule, media, messages,
            claims, claim, goodwill, viewed, media_book,
        )
    if clicks:
        for m in range(len(media)):
            if (clicks >> np.uint32(m)) & np.uint32(1):
                pushed_to = click(
                    person, media, m, i, day, goodwill, clicked, media_book, channel_book
                )
    if rule.degree > 0:
        pushed_to = read_letters(
            person, i, day, rule, media, friends, claims, claim, letters, goodwill,
            clicked, viewed, media_book, channel_book, pushed_to,
        )
    browses = 1 - rule.newcomers - cell.browse <= chance < 1 - rule.newcomers
    if browses and rule.browse_row >= 0:
        visit(person, rule.browse_row, day, channel_book)
    ours = aimed_from[i] <= day <= aimed_until[i]
    walks = person.stage > 0 and (person.met & rule.online) > 0
    if person.consent & COOKIES and (ours or walks):
        reminded_to = remind(
            person, i, day, me, ours, keys[streams.REMINDER], media_labels, rule, media,
            channels, visitors, claims, claim, goodwill, clicked, viewed,
            walk_clicked, walk_viewed, media_book, channel_book,
        )
        pushed_to = reminded_to if reminded_to >= 0 else pushed_to

    begins = has_need(person, rule, day, np.float64(need[i]), chance)
    if begins:
        company[NEEDS] += 1
        if high(draw(keys[streams.SEARCH], me)) < cell.searches:
            company[SEARCHES] += 1
            pushed_to = search(
                person, i, day, me, keys[streams.SEARCH], media_labels, rule, media,
                searchers, claims, claim, goodwill, clicked, viewed,
                media_book, channel_book, pushed_to,
            )
        begin_walk(
            person, i, day, me, keys, rule, cell, wants[person.cell], media, goodwill, company
        )
    if person.stage > 0:
        if day - np.int64(person.walk_since) > rule.most_days:
            lose_walk(person, -1, rule, ways, channel_book, company)
        elif begins or low(draw(keys[streams.WALK], me)) < rule.contact:
            walk(
                person, i, day, me, pushed_to, keys, media_labels, channel_labels,
                rule, cell, media, channels, goods, cross,
                delays[person.cell, person.category], success[person.cell], lost[person.cell],
                brands, coupons, friends, data, information, prices, closed, claims, claim,
                goodwill, clicked, viewed, walk_clicked, walk_viewed,
                friend_row, letters, missed, ways, paths, media_book, channel_book, company,
            )
    look_ahead(person, i, day + 1, me, rule, channels, awake, aimed_from, aimed_until)


@kernel
def live(
    first: int, last: int, day: int,
    keys: np.ndarray, media_labels: np.ndarray, channel_labels: np.ndarray,
    decay: np.ndarray, mass: np.ndarray, click_chances: np.ndarray,
    thresholds: np.ndarray, terms: np.ndarray,
    areas: np.ndarray, halves: np.ndarray,
    rules: np.ndarray, bought: np.ndarray, cells: np.ndarray, channels: np.ndarray,
    goods: np.ndarray, wants: np.ndarray, cross: np.ndarray,
    delays: np.ndarray, success: np.ndarray, lost: np.ndarray,
    messages: np.ndarray, visitors: np.ndarray, searchers: np.ndarray, brands: np.ndarray,
    coupons: np.ndarray, friends: np.ndarray, data: np.ndarray, information: np.ndarray,
    prices: np.ndarray, closed: np.ndarray, claims: np.ndarray,
    ids: np.ndarray, need: np.ndarray, awake: np.ndarray,
    aimed_from: np.ndarray, aimed_until: np.ndarray, people: np.ndarray,
    within_reach: np.ndarray, bounds: np.ndarray, claim: np.ndarray, goodwill: np.ndarray,
    clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    friend_row: np.ndarray, letters: np.ndarray, missed: np.ndarray, ways: np.ndarray,
    paths: np.ndarray,
    bits: np.ndarray, heard: np.ndarray, met: np.ndarray, clicks: np.ndarray,
    wakes: np.ndarray, order: np.ndarray,
    media_books: np.ndarray, channel_books: np.ndarray, company: np.ndarray,
) -> None:
    """Live one day in the rows [first, last) and count it into the books of every region.

    Tile by tile, so that what the first pass has touched is still in the cache for the
    second. `bits` to `order` are scratch of one tile. `areas` int64[cells] says where a cell
    lives, `halves` int64[cells] which row of `bought` MEDIUM[halves, media] it meets.
    """
    rule = rules[0]
    for cell in range(len(bounds) - 1):
        media = bought[halves[cell]]
        media_book, channel_book = media_books[areas[cell]], channel_books[areas[cell]]
        others = rule.newcomers + cells[cell].browse
        end = min(last, bounds[cell + 1])
        for start in range(max(first, bounds[cell]), end, TILE):
            count = min(TILE, end - start)
            meet(
                start, count, cell, day, keys, media_labels,
                np.float32(rule.attention), np.float32(rule.rival_contacts),
                np.float32(rule.frequency_cap), media["counted_by"],
                decay, mass, click_chances, thresholds, terms, np.float32(rule.clash), claims,
                ids, within_reach, claim, goodwill, viewed, bits, heard, met, clicks, media_book,
            )
            if rule.degree > 0:
                notice_letters(start, count, letters[day & 1], awake)
            found = wake(
                count, start, day, keys, media_labels, rule.needs_factor, others,
                media, messages, visitors, ids, need, awake, aimed_from, aimed_until,
                clicks, bits, wakes, order, company,
            )
            for nth in range(found):
                i = order[nth]
                live_through(
                    i, day, np.float64(bits[i - start]) / WORDS, clicks[i - start],
                    keys, media_labels, channel_labels, rule, media, cells, channels,
                    goods, wants, cross, delays, success, lost,
                    messages, visitors, searchers, brands, coupons, friends, data, information,
                    prices, closed, claims, ids, need, awake, aimed_from, aimed_until, people,
                    claim, goodwill,
                    clicked, viewed, walk_clicked, walk_viewed, friend_row, letters,
                    missed, ways, paths, media_book, channel_book, company,
                )
