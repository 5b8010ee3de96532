"""Pass one of a person's day: goodwill fades, mass media meet people.

The same formula for every medium and every person, in tiles that stay in the first-level
cache, so that the compiler can vectorise it. Aimed media visit their audience in pass two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnisim import streams
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, MASS, Market
from omnisim.streams import kernel, scramble

TILE = 512
MOST_CONTACTS = 12
CONTACTS, CLICKS, RECENT_BUYERS, LAST_TOUCH, CLAIMS, SEEN_LAST_TOUCH, SEEN_CLAIMS = range(7)
SEEN_NEW, SEEN_VALUE = 7, 8  # of last touches: by prospects, and in EUR
MEDIA_FIELDS = 9  # columns of a day's book of media: int64[media, MEDIA_FIELDS]


@dataclass(frozen=True)
class Reach:
    """How media meet people, as arrays in the order of sorted names.

    `decay` of goodwill a day; `mass` the indices of media that aim at nobody; `liking`
    float64[mass, cells] scales their contacts; `click` uint32[media, MOST_CONTACTS + 1]
    the chance, as a 32-bit threshold, that n contacts bring a click.
    """

    decay: np.ndarray
    mass: np.ndarray
    liking: np.ndarray
    click: np.ndarray


def names_by_aim(market: Market, *aims: str) -> np.ndarray:
    """Return the indices of the media with one of these aims (int64)."""
    names = sorted(market.media)
    return np.array([i for i, m in enumerate(names) if market.media[m].aim in aims], np.int64)


def years_from_fork(day: int, history_days: int) -> float:
    """Return the time from the fork in years; before the history the market stands still."""
    return (max(day, 0) - history_days) / DAYS_IN_YEAR


@dataclass(frozen=True)
class Purchase:
    """How media are bought, as arrays in the order of sorted names.

    `unit` EUR per unit that is paid at the fork and its `trend` a year (log); `paid` which
    unit that is (`PAID`), of which `per_contact` come from a contact; `planned` the planned
    audience in real persons, weighted by affinity; `counted` the index of the audience that
    midnight counts (`AUDIENCES`, -1: none); `auctioned` whether more of the same searches
    cost more each; `cap` the most messages that a person accepts a day.
    """

    unit: np.ndarray
    trend: np.ndarray
    paid: np.ndarray
    per_contact: np.ndarray
    planned: np.ndarray
    counted: np.ndarray
    auctioned: np.ndarray
    cap: np.ndarray

    def prices(self, years: float) -> np.ndarray:
        """Return EUR per unit that is paid (float64[media])."""
        prices: np.ndarray = self.unit * np.exp(self.trend * years)
        return prices

    def pressure(
        self, money: np.ndarray, prices: np.ndarray, audiences: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return contacts a day per member of each medium's audience, and what they cost.

        `money` int64[media] in cents, `audiences` in real persons. Searches are auctioned:
        whoever wants to be shown in more of them pays more for each, so that a share of
        1 - exp(-p) is shown for the money that would buy a share p at the first price.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            pressure = money / 100 / prices / self.per_contact / audiences
            pressure = np.where(np.isfinite(pressure), pressure, 0.0)
            shown = -np.expm1(-pressure)
            dearer = np.where(self.auctioned & (shown > 0), pressure / shown, 1.0)
        pressure = np.where(self.auctioned, shown, np.minimum(pressure, self.cap))
        return pressure, prices * dearer


AUDIENCES = ("searchers", "brand_searchers", "checkouts", "friends", "visitors", "customers")
ONCE = AUDIENCES[:4]  # each of these is an event, at which one contact can be made
ALL_OF_IT = -1  # what is fixed is paid whatever comes of it
PAID = {
    "per_thousand": CONTACTS,
    "per_message": CONTACTS,
    "per_click": CLICKS,
    "per_order": LAST_TOUCH,
    "per_success": LAST_TOUCH,
    "fixed": ALL_OF_IT,
}


def purchase(market: Market) -> Purchase:
    """Lay out how media are bought, once for a market."""
    media = [market.media[name] for name in sorted(market.media)]
    per_message = 1 / DAYS_IN_WEEK
    per_contact = {"per_click": "click_rate", "per_order": "converts", "per_success": "converts"}
    return Purchase(
        unit=np.array(
            [m.price / (1000 if m.payment in ("per_thousand", "fixed") else 1) for m in media]
        ),
        trend=np.array([market.trend * m.price_trend for m in media]),
        paid=np.array([PAID[m.payment] for m in media], np.int64),
        per_contact=np.array(
            [getattr(m, per_contact[m.payment]) if m.payment in per_contact else 1.0 for m in media]
        ),
        planned=np.array([_planned_audience(market, name) for name in sorted(market.media)]),
        counted=np.array(
            [AUDIENCES.index(m.aim) if m.aim in AUDIENCES else -1 for m in media], np.int64
        ),
        auctioned=np.array([m.aim in ONCE for m in media], bool),
        cap=np.array(
            [
                min(1.0, m.weekly_cap * per_message) if m.aim == "customers" else np.inf
                for m in media
            ]
        ),
    )


def _planned_audience(market: Market, medium: str) -> float:
    """Return the planned audience in real persons, weighted by affinity.

    Everybody: those within reach; else the planned share of persons.
    """
    spec = market.media[medium]
    if spec.aim not in MASS:
        return market.persons * spec.audience
    meets = {
        cell: market.share(cell)
        * market.affinity(cell, medium)
        * (market.segments[cell[0]].consent if spec.aim == "interest" else 1.0)
        for cell in market.cells
    }
    return market.persons * spec.reach * sum(meets.values())


def reach(market: Market) -> Reach:
    """Lay out how media meet people, once for a market."""
    media = [market.media[name] for name in sorted(market.media)]
    mass = names_by_aim(market, *MASS)
    affinities = [
        [market.affinity(cell, sorted(market.media)[m]) for cell in market.cells] for m in mass
    ]
    rates = np.array([[medium.click_rate] for medium in media]).reshape(-1, 1)
    return Reach(
        decay=np.array([2.0 ** (-1 / medium.half_life) for medium in media], np.float32),
        mass=mass,
        liking=np.array(affinities).reshape(len(mass), len(market.cells)),
        click=_word(1 - (1 - rates) ** np.arange(MOST_CONTACTS + 1)),
    )


_COUNTS = np.arange(MOST_CONTACTS)
_FACTORIALS = np.array([math.factorial(k) for k in _COUNTS], float)


def thresholds(
    market_reach: Reach, pressure: np.ndarray, halves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return today's Poisson counts of mass media as thresholds, and how many matter.

    `pressure` float64[halves, media] in contacts a day per member of the audience, `halves`
    int64[cells] which row a cell meets; the result is uint32[mass, cells, MOST_CONTACTS] of
    P(N <= k) and int64[mass, cells].
    """
    met = pressure[halves][:, market_reach.mass].T
    mean = (met * market_reach.liking)[:, :, None]
    below = np.cumsum(np.exp(-mean) * mean**_COUNTS / _FACTORIALS, axis=2)
    return _word(np.minimum(below, 1.0)), (below < 1 - 1e-9).sum(axis=2)


def _word(share: np.ndarray) -> np.ndarray:
    """Return shares in [0, 1] as unsigned 32-bit thresholds."""
    words: np.ndarray = np.minimum(np.ceil(share * 2.0**32), 2.0**32 - 1).astype(np.uint32)
    return words


@kernel
def meet(
    start: int,
    count: int,
    cell: int,
    day: int,
    keys: np.ndarray,
    labels: np.ndarray,
    attention: np.float32,
    rival_contacts: np.float32,
    cap: np.float32,
    counted_by: np.ndarray,
    decay: np.ndarray,
    mass: np.ndarray,
    click: np.ndarray,
    thresholds: np.ndarray,
    terms: np.ndarray,
    clash: np.float32,
    claims: np.ndarray,
    ids: np.ndarray,
    within_reach: np.ndarray,
    claim: np.ndarray,
    goodwill: np.ndarray,
    viewed: np.ndarray,
    bits: np.ndarray,
    heard: np.ndarray,
    met: np.ndarray,
    clicks: np.ndarray,
    book: np.ndarray,
) -> None:
    """Let goodwill fade and mass media meet `count` rows of one cell; count into `book`.

    A contact is noticed with A / (A + contacts of the day), rivals' included; goodwill
    counts noticed contacts, of which the part `clash` is lost if the medium's claim is not
    the one heard last. Whoever still feels `cap` contacts (0: none) with media that the same
    department counts, as in `counted_by` int64[media], is met by none of them. `bits`
    uint32[TILE], `heard` float32[TILE] and `met` int32[mass, TILE] are scratch; `clicks`
    uint32[TILE] holds a bit per medium clicked.
    """
    one = np.uint32(1)
    who = ids[start : start + count]
    reached = within_reach[start : start + count]
    for i in range(count):
        heard[i] = rival_contacts
        clicks[i] = np.uint32(0)
    for j in range(len(mass)):
        m, row = mass[j], met[j]
        key, shift = keys[streams.CONTACT] ^ labels[m], np.uint32(m)
        for i in range(count):
            bits[i] = scramble(key, who[i])
            row[i] = np.int32(0)
        for k in range(0, terms[j, cell], 4):  # four at a time stay in registers
            first, second = thresholds[j, cell, k], thresholds[j, cell, k + 1]
            third, fourth = thresholds[j, cell, k + 2], thresholds[j, cell, k + 3]
            for i in range(count):
                b = bits[i]
                row[i] += np.int32(b >= first) + np.int32(b >= second)
                row[i] += np.int32(b >= third) + np.int32(b >= fourth)
        if cap > 0:
            for i in range(count):
                felt_in_all = np.float32(0.0)
                for n in range(len(decay)):
                    if counted_by[n] == counted_by[m]:
                        felt_in_all += goodwill[n, start + i]
                if felt_in_all >= cap:
                    row[i] = np.int32(0)
        last_view = viewed[m, start : start + count]
        total = np.int64(0)
        for i in range(count):
            contacts = np.int32(row[i] * np.int32(np.uint32(reached[i] >> shift) & one))
            row[i] = contacts
            total += np.int64(contacts)
            heard[i] += np.float32(contacts)
            last_view[i] = day if contacts > 0 else last_view[i]
        book[m, CONTACTS] += total
        most = click[m, MOST_CONTACTS]
        if most > 0:
            key = keys[streams.CLICK] ^ labels[m]
            for i in range(count):
                bits[i] = scramble(key, who[i])
            for i in range(count):
                if bits[i] < most and bits[i] < click[m, row[i]]:
                    clicks[i] |= one << shift
    for i in range(count):
        heard[i] = attention / (attention + heard[i])
    for m in range(len(decay)):
        felt, fade = goodwill[m, start : start + count], decay[m]
        for i in range(count):
            felt[i] = felt[i] * fade
    whole, last_claim = np.float32(1.0), claim[start : start + count]
    for j in range(len(mass)):
        felt, row = goodwill[mass[j], start : start + count], met[j]
        if clash > 0:
            own, part = claims[mass[j]], whole - clash
            for i in range(count):
                agrees = (last_claim[i] == own) | (last_claim[i] == 0)
                felt[i] = felt[i] + np.float32(row[i]) * heard[i] * (whole if agrees else part)
                last_claim[i] = own if row[i] > 0 else last_claim[i]
        else:
            for i in range(count):
                felt[i] = felt[i] + np.float32(row[i]) * heard[i]
