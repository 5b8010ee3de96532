"""Every channel: who owns it, what it does, how it is paid, whom it knows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from omnisim.inventory.texts import EMPTY, cents, named, regions
from omnisim.language import Language, message
from omnisim.spec import (
    Aim,
    AnyStage,
    Market,
    Marketplace,
    Medium,
    Payment,
    SalesChannel,
    Strategy,
)

PRICES: dict[Payment, str] = {
    "per_thousand": message("{price} per 1,000"),
    "per_click": message("{price} a click"),
    "per_message": message("{price} a message"),
    "per_order": message("{price} an order"),
    "per_success": message("{price} a success"),
    "fixed": message("{price} per 1,000 planned, fixed"),
}
AIMS: dict[Aim, str] = {
    "interest": message("profiles of interest"),
    "checkouts": message("who looks for a coupon"),
    "friends": message("friends of buyers"),
}


@dataclass(frozen=True)
class Channel:
    """One channel of the market; name, owner and stages by their keys.

    `recognised` is the share of customers whom a sales channel can recognise, or of persons
    whom a medium can: by consent to cookies or to mail (None: nobody can tell). `limits`
    say what a sales channel does not do for everybody.
    """

    name: str
    owner: str
    roles: tuple[str, ...]
    price: str = EMPTY
    aim: str = EMPTY
    serves: tuple[AnyStage, ...] = ()
    recognised: float | None = None
    limits: tuple[str, ...] = ()


def channels(market: Marketplace, strategy: Strategy, words: Language) -> tuple[Channel, ...]:
    """Return media, then sales channels, each by name."""
    owner = owners(strategy)
    return (
        *(_medium(name, owner[name], market, words) for name in sorted(market.media)),
        *(_sales(name, owner[name], market, strategy, words) for name in sorted(market.channels)),
    )


def owners(strategy: Strategy) -> Mapping[str, str]:
    """Return the department that owns each channel."""
    return {c: name for name, department in strategy.organigram.items() for c in department.owns}


def recognised(market: Market, medium: Medium) -> float | None:
    """Return the share of persons whom a medium can recognise, None if it is not tracked."""
    if not medium.tracked:
        return None
    by_mail = medium.aim == "customers"
    return math.fsum(
        persona.share * (persona.mail_opt_in if by_mail else persona.consent)
        for persona in market.segments.values()
    )


def _medium(name: str, owner: str, market: Marketplace, words: Language) -> Channel:
    medium, role = market.media[name], words.say("media")
    if not isinstance(market, Market) or not isinstance(medium, Medium):
        return Channel(name, owner, (role,))
    return Channel(
        name,
        owner,
        roles=_roles(role, medium.serves, words),
        price=words.say(
            PRICES[medium.payment], price=words.euros(medium.price, cents(medium.price))
        ),
        aim=words.say(AIMS[medium.aim]) if medium.aim in AIMS else words.plain(medium.aim),
        serves=medium.serves,
        recognised=recognised(market, medium),
    )


def _sales(
    name: str, owner: str, market: Marketplace, strategy: Strategy, words: Language
) -> Channel:
    channel, role = market.channels[name], words.say("sales")
    if not isinstance(channel, SalesChannel):
        return Channel(name, owner, (role,))
    return Channel(
        name,
        owner,
        roles=_roles(role if "buy" in channel.serves else "", channel.serves, words),
        serves=channel.serves,
        recognised=channel.identity,
        limits=tuple(_limits(name, channel, strategy, words)),
    )


def is_open(name: str, strategy: Strategy) -> bool:
    """Tell whether the firm has not closed a sales channel."""
    return not strategy.integration.open or name in strategy.integration.open


def _limits(name: str, channel: SalesChannel, strategy: Strategy, words: Language) -> Iterator[str]:
    if not is_open(name, strategy):
        yield words.say("is closed by the firm")
    if channel.opens is not None:
        yield words.say("opens in week {week} after the fork", week=channel.opens)
    if channel.sells:
        yield words.say("sells {goods} only", goods=named(channel.sells, words))
    if channel.regions:
        there = regions(channel.regions, words)
        yield words.say("serves the regions {regions} only", regions=there)
    if channel.accepts:
        yield words.say("accepts {ways} only", ways=named(channel.accepts, words))


def _roles(derived: str, serves: tuple[AnyStage, ...], words: Language) -> tuple[str, ...]:
    """Return what follows from where a channel stands, and the service that it declares."""
    declared = words.say("service") if "use" in serves else ""
    return tuple(role for role in (derived, declared) if role)
