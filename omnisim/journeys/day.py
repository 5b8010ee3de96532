"""Pass two of a person's day: read `live` as the day of one agent."""

from __future__ import annotations

import math

import numpy as np

from omnisim import streams
from omnisim.journeys.aimed import (
    click,
    remind,
    renew,
    search,
    visit,
    write_to,
)
from omnisim.journeys.books import (
    NEEDS,
    SEARCHES,
    WRITABLE,
)
from omnisim.journeys.walk import (
    begin_walk,
    lose_walk,
    walk,
)
from omnisim.people import COOKIES, CUSTOMER, MAIL, PROSPECT
from omnisim.streams import draw, high, kernel, low

# Kernels hand over arrays one by one: a named tuple of arrays costs three times as much.
# Their lists are packed by hand; one name a line would hide the code.
# fmt: off


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
