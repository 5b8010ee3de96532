"""Every channel: who owns it, what it does, how it is paid, whom it knows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from omnisim.inventory.texts import EMPTY, amount, listed
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

UNITS: dict[Payment, str] = {
    "per_thousand": "per 1,000",
    "per_click": "a click",
    "per_message": "a message",
    "per_order": "an order",
    "per_success": "a success",
    "fixed": "per 1,000 planned, fixed",
}
AIMS: dict[Aim, str] = {
    "interest": "profiles of interest",
    "checkouts": "who looks for a coupon",
    "friends": "friends of buyers",
}


@dataclass(frozen=True)
class Channel:
    """One channel of the market.

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


def channels(market: Marketplace, strategy: Strategy) -> tuple[Channel, ...]:
    """Return media, then sales channels, each by name."""
    owner = owners(strategy)
    media = [_medium(name, owner[name], market) for name in sorted(market.media)]
    return (
        *media,
        *(_sales(name, owner[name], market, strategy) for name in sorted(market.channels)),
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


def _medium(name: str, owner: str, market: Marketplace) -> Channel:
    medium = market.media[name]
    if not isinstance(market, Market) or not isinstance(medium, Medium):
        return Channel(name, owner, ("media",))
    return Channel(
        name,
        owner,
        roles=_roles("media", medium.serves),
        price=f"EUR {amount(medium.price)} {UNITS[medium.payment]}",
        aim=AIMS.get(medium.aim, medium.aim.replace("_", " ")),
        serves=medium.serves,
        recognised=recognised(market, medium),
    )


def _sales(name: str, owner: str, market: Marketplace, strategy: Strategy) -> Channel:
    channel = market.channels[name]
    if not isinstance(channel, SalesChannel):
        return Channel(name, owner, ("sales",))
    sells = "sales" if "buy" in channel.serves else ""
    roles = _roles(sells, channel.serves)
    return Channel(
        name,
        owner,
        roles,
        serves=channel.serves,
        recognised=channel.identity,
        limits=tuple(_limits(name, channel, strategy)),
    )


def is_open(name: str, strategy: Strategy) -> bool:
    """Tell whether the firm has not closed a sales channel."""
    return not strategy.integration.open or name in strategy.integration.open


def _limits(name: str, channel: SalesChannel, strategy: Strategy) -> Iterator[str]:
    if not is_open(name, strategy):
        yield "is closed by the firm"
    if channel.opens is not None:
        yield f"opens in week {channel.opens} after the fork"
    for words, only in (
        ("sells", channel.sells),
        ("serves the regions", channel.regions),
        ("accepts", channel.accepts),
    ):
        if only:
            yield f"{words} {listed(only)} only"


def _roles(derived: str, serves: tuple[AnyStage, ...]) -> tuple[str, ...]:
    """Return what follows from where a channel stands, and the service that it declares."""
    declared = "service" if "use" in serves else ""
    return tuple(role for role in (derived, declared) if role)
