"""Aimed media: messages, reminders, advertisements beside a search, a friend's invitation."""

from __future__ import annotations

import math

import numpy as np

from omnisim.contacts import (
    CLICKS,
    CONTACTS,
    RECENT_BUYERS,
)
from omnisim.journeys.books import (
    INVITATIONS,
    TALK,
    TOLD,
    VISITS,
)
from omnisim.people import COOKIES, NEVER, forget
from omnisim.streams import WORDS, draw, high, kernel, low, scramble

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
    return known == 1 and high(draw(rule.record_key, identity)) < channels[channel].recorded


@kernel
def visit(person: np.record, row: int, day: int, channel_book: np.ndarray) -> None:
    """Count a visit to one of our sites, which makes its person aimable."""
    channel_book[row, VISITS] += 1
    person.last_visit = day


@kernel
def show(
    rule: np.record, m: int, i: int, day: int, count: int, claims: np.ndarray, claim: np.ndarray,
    goodwill: np.ndarray, viewed: np.ndarray, media_book: np.ndarray,
) -> None:
    """Let an aimed medium meet a person; goodwill counts what is noticed and does not clash."""
    media_book[m, CONTACTS] += count
    viewed[m, i] = day
    noticed = count * notice(rule.attention, count + rule.rival_contacts)
    if claim[i] != 0 and claim[i] != claims[m]:
        noticed *= 1 - rule.clash
    claim[i] = claims[m]
    remember(goodwill, m, i, noticed)


@kernel
def is_spared(
    i: int, m: int, rule: np.record, media: np.ndarray, goodwill: np.ndarray
) -> bool:
    """Tell whether those who count this medium's contacts let a person alone today."""
    if rule.frequency_cap == 0:
        return False
    felt = 0.0
    for n in range(len(media)):
        if media[n].counted_by == media[m].counted_by:
            felt += np.float64(goodwill[n, i])
    return felt >= rule.frequency_cap


@kernel
def click(
    person: np.record, media: np.ndarray, m: int, i: int, day: int,
    goodwill: np.ndarray, clicked: np.ndarray, media_book: np.ndarray, channel_book: np.ndarray,
) -> int:
    """Follow a click; return the sales channel on which it lands, or -1."""
    media_book[m, CLICKS] += 1
    clicked[m, i] = day
    remember(goodwill, m, i, media[m].click_goodwill)
    if media[m].lands_on >= 0:
        visit(person, media[m].lands_row, day, channel_book)
    return media[m].lands_on


@kernel
def renew(
    person: np.record, i: int, claim: np.ndarray, goodwill: np.ndarray,
    clicked: np.ndarray, viewed: np.ndarray,
) -> None:
    """Let somebody move away and a newcomer take the place."""
    forget(person)
    person.expects = np.float32(0.0)
    person.talk = np.float32(0.0)
    person.price = np.float32(1.0)
    claim[i] = 0
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
def is_sent(key: np.uint64, me: np.uint32, pressure: float) -> bool:
    """Tell whether a message goes to a person who may be written to today."""
    return np.float64(scramble(key, me)) < pressure * WORDS


@kernel
def reminders(key: np.uint64, me: np.uint32, mean: float, none: float) -> int:
    """Return how many reminders meet a visitor today."""
    return poisson(np.float64(scramble(key, me)) / WORDS, mean, none)


@kernel
def write_to(
    person: np.record, i: int, day: int, me: np.uint32, key: np.uint64, labels: np.ndarray,
    rule: np.record, media: np.ndarray, messages: np.ndarray, claims: np.ndarray,
    claim: np.ndarray, goodwill: np.ndarray, viewed: np.ndarray, media_book: np.ndarray,
) -> np.uint32:
    """Send messages to a known customer who has opted in; each may be the last one.

    Returns a bit for every medium whose message is clicked.
    """
    clicks = np.uint32(0)
    for j in range(len(messages)):
        m = messages[j]
        sent = is_sent(key ^ labels[m], me, media[m].pressure)
        if sent and not is_spared(i, m, rule, media, goodwill):
            bits = draw(key ^ labels[m], me)
            show(rule, m, i, day, 1, claims, claim, goodwill, viewed, media_book)
            if low(bits) < media[m].click_rate:
                clicks |= np.uint32(1) << np.uint32(m)
            elif low(bits) >= 1 - media[m].unsubscribes:
                person.consent = person.consent & COOKIES
    return clicks


@kernel
def is_known_buyer(
    person: np.record, day: int, me: np.uint32, rule: np.record, channels: np.ndarray
) -> bool:
    """Tell whether it is on record online that this person has just bought."""
    return day - np.int64(person.last_order) <= rule.buyer_days and (
        person.last_order == person.last_online
        or is_recorded(person, rule, channels, max(0, person.habit), me)
    )


@kernel
def remind(
    person: np.record, i: int, day: int, me: np.uint32, ours: bool, key: np.uint64,
    labels: np.ndarray, rule: np.record, media: np.ndarray, channels: np.ndarray,
    visitors: np.ndarray, claims: np.ndarray, claim: np.ndarray, goodwill: np.ndarray,
    clicked: np.ndarray, viewed: np.ndarray,
    walk_clicked: np.ndarray, walk_viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray,
) -> int:
    """Follow recent visitors; return the channel to which this pushes a walk, or -1.

    A walk that has been to a site meets reminders as if that site were ours, so that its
    way does not depend on whose it is; contacts and money are booked for our visitors only.
    """
    pushed_to = -1
    walks = person.stage > 0 and (person.met & rule.online) > 0
    if is_known_buyer(person, day, me, rule, channels):
        return pushed_to
    has_bought = day - np.int64(person.last_order) <= rule.buyer_days
    for j in range(len(visitors)):
        m = visitors[j]
        count = reminders(key ^ labels[m], me, media[m].pressure, media[m].none)
        if count == 0 or (ours and is_spared(i, m, rule, media, goodwill)):
            continue
        clicks = low(draw(key ^ labels[m], me)) < 1 - (1 - media[m].click_rate) ** count
        if ours:
            show(rule, m, i, day, count, claims, claim, goodwill, viewed, media_book)
            if has_bought:
                media_book[m, RECENT_BUYERS] += count
            if clicks:
                click(person, media, m, i, day, goodwill, clicked, media_book, channel_book)
        if walks:
            person.reminded = np.float32(np.float64(person.reminded) + media[m].reminder * count)
            walk_viewed[media[m].walk_row, i] = day
            if clicks:
                walk_clicked[media[m].walk_row, i] = day
                pushed_to = media[m].lands_on
    return pushed_to


@kernel
def search(
    person: np.record, i: int, day: int, me: np.uint32, key: np.uint64, labels: np.ndarray,
    rule: np.record, media: np.ndarray, searchers: np.ndarray,
    claims: np.ndarray, claim: np.ndarray, goodwill: np.ndarray,
    clicked: np.ndarray, viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, pushed_to: int,
) -> int:
    """Search for what is needed and meet our advertisement there; return the channel pushed to."""
    for j in range(len(searchers)):
        m = searchers[j]
        bits = draw(key ^ labels[m], me)
        if high(bits) < media[m].pressure:
            show(rule, m, i, day, 1, claims, claim, goodwill, viewed, media_book)
            if low(bits) < media[m].click_rate:
                pushed_to = click(
                    person, media, m, i, day, goodwill, clicked, media_book, channel_book
                )
    return pushed_to


@kernel
def read_letters(
    person: np.record, i: int, day: int, rule: np.record, media: np.ndarray,
    friends: np.ndarray, claims: np.ndarray, claim: np.ndarray, letters: np.ndarray,
    goodwill: np.ndarray, clicked: np.ndarray, viewed: np.ndarray,
    media_book: np.ndarray, channel_book: np.ndarray, pushed_to: int,
) -> int:
    """Take in what friends have told and where they invite to; return the channel pushed to."""
    arrived = letters[day & 1]
    if arrived[TALK, i] != 0:
        person.talk = np.float32(talk_felt(person, rule, day) + arrived[TALK, i] / TOLD)
        person.talk_day = day
    for j in range(len(friends)):
        m = friends[j]
        if (arrived[INVITATIONS, i] >> m) & 1:
            show(rule, m, i, day, 1, claims, claim, goodwill, viewed, media_book)
            pushed_to = click(
                person, media, m, i, day, goodwill, clicked, media_book, channel_book
            )
    arrived[TALK, i] = 0
    arrived[INVITATIONS, i] = 0
    return pushed_to


@kernel
def talk_felt(person: np.record, rule: np.record, day: int) -> float:
    """Return what is left of friends' talk."""
    if person.talk == 0:
        return 0.0
    age = day - np.int64(person.talk_day)
    return np.float64(person.talk) * math.exp(-rule.talk_fade * age)
