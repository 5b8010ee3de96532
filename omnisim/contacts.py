"""Pass one of a person's day: goodwill fades, mass media meet people.

The same formula for every medium and every person, in tiles that stay in the first-level
cache, so that the compiler can vectorise it. Aimed media visit their audience in pass two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnisim import streams
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, Market, Medium
from omnisim.streams import GOLDEN, kernel, mix

TILE = 512
MOST_CONTACTS = 12
CONTACTS, CLICKS, RECENT_BUYERS, LAST_TOUCH, CLAIMS, SEEN_LAST_TOUCH, SEEN_CLAIMS = range(7)
MEDIA_FIELDS = 7  # columns of a day's book of media: int64[media, MEDIA_FIELDS]


@dataclass(frozen=True)
class Reach:
    """How media meet people, as arrays in the order of sorted names.

    `decay` of goodwill a day; `mass` the indices of media that aim at everybody; `liking`
    float64[mass, segments] scales their contacts; `click` uint32[media, MOST_CONTACTS + 1]
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


def price(market: Market, medium: Medium, years: float) -> float:
    """Return EUR per contact, click or message, with the price's own trend."""
    unit = medium.price / (1000 if medium.payment == "per_thousand" else 1)
    return unit * math.exp(market.trend * medium.price_trend * years)


def planned_audience(market: Market, medium: str) -> float:
    """Return the planned audience in real persons, weighted by affinity.

    Everybody: those within reach; else the planned share of persons.
    """
    spec = market.media[medium]
    if spec.aim != "everybody":
        return market.persons * spec.audience
    liking = sum(s.share * s.affinity.get(medium, 1.0) for s in market.segments.values())
    return market.persons * spec.reach * liking


def reach(market: Market) -> Reach:
    """Lay out how media meet people, once for a market."""
    media = [market.media[name] for name in sorted(market.media)]
    mass = names_by_aim(market, "everybody")
    segments = [market.segments[name] for name in sorted(market.segments)]
    affinities = [
        [segment.affinity.get(sorted(market.media)[m], 1.0) for segment in segments] for m in mass
    ]
    rates = np.array([[medium.click_rate] for medium in media]).reshape(-1, 1)
    return Reach(
        decay=np.array([2.0 ** (-1 / medium.half_life) for medium in media]),
        mass=mass,
        liking=np.array(affinities).reshape(len(mass), len(segments)),
        click=_word(1 - (1 - rates) ** np.arange(MOST_CONTACTS + 1)),
    )


_COUNTS = np.arange(MOST_CONTACTS)
_FACTORIALS = np.array([math.factorial(k) for k in _COUNTS], float)


def thresholds(market_reach: Reach, pressure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return today's Poisson counts of mass media as thresholds, and how many matter.

    `pressure` float64[media] in contacts a day per member of the audience; the result is
    uint32[mass, segments, MOST_CONTACTS] of P(N <= k) and int64[mass, segments].
    """
    mean = (pressure[market_reach.mass][:, None] * market_reach.liking)[:, :, None]
    below = np.cumsum(np.exp(-mean) * mean**_COUNTS / _FACTORIALS, axis=2)
    return _word(np.minimum(below, 1.0)), (below < 1 - 1e-9).sum(axis=2)


def _word(share: np.ndarray) -> np.ndarray:
    """Return shares in [0, 1] as unsigned 32-bit thresholds."""
    words: np.ndarray = np.minimum(np.ceil(share * 2.0**32), 2.0**32 - 1).astype(np.uint32)
    return words


def weekly_cap(medium: Medium) -> float:
    """Return the most messages that a person accepts a day."""
    return min(1.0, medium.weekly_cap / DAYS_IN_WEEK)


@kernel
def meet(
    first: int,
    last: int,
    day: int,
    keys: np.ndarray,
    labels: np.ndarray,
    attention: float,
    rival_contacts: float,
    decay: np.ndarray,
    mass: np.ndarray,
    click: np.ndarray,
    thresholds: np.ndarray,
    terms: np.ndarray,
    ids: np.ndarray,
    within_reach: np.ndarray,
    bounds: np.ndarray,
    goodwill: np.ndarray,
    viewed: np.ndarray,
    pushed: np.ndarray,
    bits: np.ndarray,
    heard: np.ndarray,
    met: np.ndarray,
    book: np.ndarray,
) -> None:
    """Let goodwill fade and mass media meet the rows [first, last); count into `book`.

    A contact is noticed with A / (A + contacts of the day), rivals' included; goodwill
    counts noticed contacts. `bits` uint64[TILE], `heard` float64[TILE] and `met`
    int32[mass, TILE] are scratch.
    """
    one = np.uint32(1)
    for segment in range(len(bounds) - 1):
        for start in range(max(first, bounds[segment]), min(last, bounds[segment + 1]), TILE):
            count = min(TILE, min(last, bounds[segment + 1]) - start)
            for i in range(count):
                heard[i] = rival_contacts
                pushed[start + i] = 0
            for j in range(len(mass)):
                m = mass[j]
                key = keys[streams.CONTACT] ^ labels[m]
                shift = np.uint32(m)
                for i in range(count):
                    bits[i] = mix(key + np.uint64(ids[start + i]) * GOLDEN)
                    met[j, i] = 0
                for k in range(terms[j, segment]):
                    threshold = np.uint64(thresholds[j, segment, k])
                    for i in range(count):
                        met[j, i] += (bits[i] >> np.uint64(32)) >= threshold
                total = 0
                for i in range(count):
                    met[j, i] *= np.int32((within_reach[start + i] >> shift) & one)
                    total += met[j, i]
                    heard[i] += met[j, i]
                book[m, CONTACTS] += total
                for i in range(count):
                    if met[j, i] > 0:
                        viewed[m, start + i] = day
                        if (bits[i] & np.uint64(0xFFFFFFFF)) < np.uint64(click[m, met[j, i]]):
                            pushed[start + i] |= one << shift
            for m in range(len(decay)):
                fade = decay[m]
                for i in range(count):
                    goodwill[m, start + i] = np.float32(np.float64(goodwill[m, start + i]) * fade)
            for j in range(len(mass)):
                m = mass[j]
                for i in range(count):
                    noticed = met[j, i] * (attention / (attention + heard[i]))
                    goodwill[m, start + i] = np.float32(
                        np.float64(goodwill[m, start + i]) + noticed
                    )
