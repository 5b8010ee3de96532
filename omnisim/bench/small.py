"""The small market in plain numbers: what every twin lives by, read from the same YAML."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

from omnisim.contacts import MOST_CONTACTS
from omnisim.spec import DAYS_IN_YEAR, STAGES, Market

TARGETS = {"contacts": 0.74, "journeys": 0.037, "orders": 0.0205}  # per person-day
TOLERANCE = 0.03


class Unlike(ValueError):
    """A market that does what the twins leave out, so that engines cannot be compared."""


@dataclass(frozen=True)
class Medium:
    """One mass medium: contacts a day per person, what fades, what is felt.

    Contacts are Poisson: `none` is the probability of none, `at_most` of at most 0, 1, ….
    """

    mean: float
    none: float
    at_most: tuple[float, ...]
    fade: float
    pull: float
    half_pull: float


@dataclass(frozen=True)
class Channel:
    """One sales channel: `success` is the probability of an order, `basket` in EUR."""

    utility: float
    success: float
    quality: float
    basket: float
    spread: float


@dataclass(frozen=True)
class Small:
    """A market without anything that a twin would not do.

    `needs` per person-day (mean), gamma with shape `needs_shape`; `rival` in log odds;
    `noise` is half the range of a uniform draw around a channel's quality.
    """

    media: tuple[Medium, ...]
    channels: tuple[Channel, ...]
    needs: float
    needs_shape: float
    attention: float
    rival_contacts: float
    base: float
    rival: float
    habit: float
    step: float
    noise: float
    pulls: float


@dataclass(frozen=True)
class Counts:
    """What has happened so far, in agents: contacts, journeys begun, orders with us."""

    contacts: float
    journeys: float
    orders: float


NOTHING = Counts(0.0, 0.0, 0.0)


def read(market: Market) -> Small:
    """Read the numbers; raises Unlike if the market does what the twins leave out."""
    segment = next(iter(market.segments.values()))
    for name, holds in _left_out(market).items():
        if holds:
            raise Unlike(f"market {market.name}: the twins of the bench know no {name}")
    prefers = segment.prefers.get("inform", {})
    return Small(
        media=tuple(_medium(market, name) for name in sorted(market.media)),
        channels=tuple(
            Channel(
                utility=prefers.get(name, 0.0),
                success=math.prod(channel.success.values()),
                quality=channel.quality,
                basket=channel.basket,
                spread=channel.basket_spread,
            )
            for name, channel in sorted(market.channels.items())
        ),
        needs=segment.needs / DAYS_IN_YEAR,
        needs_shape=market.buying.needs_shape,
        attention=market.attention,
        rival_contacts=market.rivals.contacts,
        base=segment.base,
        rival=market.rivals.attraction or 0.0,
        habit=market.journey.habit,
        step=market.buying.satisfaction_step,
        noise=market.buying.satisfaction_noise * math.sqrt(3.0),
        pulls=market.buying.satisfaction_pulls,
    )


def _left_out(market: Market) -> dict[str, bool]:
    """Tell which mechanisms a market has that the twins do not: with any, rates differ."""
    segments, media = market.segments.values(), market.media.values()
    channels, journey = market.channels.values(), market.journey
    return {
        "second segment": len(segments) > 1,
        "season": bool(market.seasons),
        "trend": market.trend > 0 or market.drift > 0,
        "aimed medium": any(medium.aim != "everybody" for medium in media),
        "click": any(medium.click_rate > 0 for medium in media),
        "person out of reach": any(medium.reach < 1 for medium in media),
        "affinity": any(segment.affinity for segment in segments),
        "loyalty": any(segment.loyalty for segment in segments),
        "browsing": any(segment.browse for segment in segments),
        "market without rivals": market.rivals.attraction is None,
        "pressure that follows what was delivered": market.pressure != "open",
        "newcomers": market.buying.newcomers > 0,
        "first customers": market.buying.first_customers > 0,
        "cohort": market.buying.cohort_weeks is not None,
        "satisfaction that keeps": market.buying.satisfaction_keeps > 0,
        "journey of several days": journey.same_day < 1
        or any(abs(c.success[s] + c.lost[s] - 1) > 1e-9 for c in channels for s in STAGES),
        "change of channel": journey.inertia < 50,
        "push": journey.push != 0,
        "stolen search": journey.brand_search > 0,
    }


def _medium(market: Market, name: str) -> Medium:
    """Return a medium; its contacts are what its part of the budget buys."""
    spec = market.media[name]
    money = market.budget * market.start_split()[name]
    mean = money / (spec.price / 1000) / market.persons / DAYS_IN_YEAR
    terms = [math.exp(-mean) * mean**k / math.factorial(k) for k in range(MOST_CONTACTS)]
    return Medium(
        mean=mean,
        none=terms[0],
        at_most=tuple(accumulate(terms)),
        fade=2.0 ** (-1 / spec.half_life),
        pull=spec.pull,
        half_pull=spec.half_pull,
    )
