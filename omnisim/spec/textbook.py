"""Textbook markets: closed-form curves in place of people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from omnisim.spec.channels import Till
from omnisim.spec.market import Market, Marketplace
from omnisim.spec.words import Fault, Name, Names, NonNegative, Positive, Share, Words


class LogCurve(Words):
    """Orders = a ln(1 + spend / b)."""

    kind: Literal["log"]
    a: NonNegative
    b: Positive


class ExponentialCurve(Words):
    """Orders = k (1 - exp(-b spend))."""

    kind: Literal["exponential"]
    k: NonNegative
    b: Positive


class PowerCurve(Words):
    """Orders = a spend^beta."""

    kind: Literal["power"]
    a: NonNegative
    beta: Annotated[float, Field(gt=0, lt=1)]


class MichaelisMentenCurve(Words):
    """Orders = most spend / (half + spend)."""

    kind: Literal["michaelis_menten"]
    most: NonNegative
    half: Positive


class HillCurve(Words):
    """Orders = most spend^shape / (half^shape + spend^shape)."""

    kind: Literal["hill"]
    most: NonNegative
    half: Positive
    shape: Positive


AnyCurve = LogCurve | ExponentialCurve | PowerCurve | MichaelisMentenCurve | HillCurve


class TextbookMedium(Words):
    """One medium as a response curve: orders a week by the adstock of its spend in EUR.

    `carry_over` is the part of the adstock that is left after a week: this week's spend
    plus that part of the last adstock; with it the curve gives, for a spend that does not
    change, the orders at spend / (1 - `carry_over`). Last touch misses the share `leak`
    of the orders that the medium causes; the medium also touches the share `capture` of
    the orders that it does not cause, and of those that were missed. `trend` of the log
    response a year. It can be bought when it `opens`, weeks after the fork (None: always).
    """

    curve: Annotated[AnyCurve, Field(discriminator="kind")]
    carry_over: Annotated[float, Field(ge=0, lt=1)] = 0.0
    leak: Share = 0.0
    capture: Share = 0.0
    trend: float = 0.0
    opens: Annotated[int, Field(ge=0)] | None = None


class Synergy(Words):
    """What two media bring together, beside their own curves: kappa sqrt(u v) orders a week.

    u and v are the adstocks of the two `media` in EUR. Neither brings anything of it alone.
    """

    media: Annotated[Names, Field(min_length=2, max_length=2)]
    kappa: NonNegative


class Demand(Words):
    """How much more or less of everything is bought in a week: exp of an AR(1).

    `sd` of its stationary distribution, `autocorrelation` from week to week.
    """

    sd: NonNegative = 0.0
    autocorrelation: Annotated[float, Field(ge=0, lt=1)] = 0.5


class TextbookMarket(Marketplace):
    """A market without people: closed-form curves in their place, for which truth is known.

    Orders a week are `baseline_orders` plus what the curves of all media and the
    `synergies` of pairs of media give, times demand; the real firm's orders are Poisson
    around them, all in the one sales channel.
    """

    kind: Literal["textbook"]
    baseline_orders: NonNegative = 0.0
    demand: Demand = Demand()
    media: dict[Name, TextbookMedium] = {}
    synergies: tuple[Synergy, ...] = ()
    channels: Annotated[dict[Name, Till], Field(min_length=1, max_length=1)]

    @model_validator(mode="after")
    def _credits_at_most_every_order(self) -> TextbookMarket:
        captured = math.fsum(medium.capture for medium in self.media.values())
        if captured > 1 + 1e-9:
            raise Fault("media", f"a sum of {captured:g} captured", "a sum of capture of at most 1")
        return self

    @model_validator(mode="after")
    def _pairs_its_media_once(self) -> TextbookMarket:
        seen: dict[Names, int] = {}
        for nth, synergy in enumerate(self.synergies):
            place = f"synergies.{nth}.media"
            for end, name in enumerate(synergy.media):
                if name not in self.media:
                    allowed = "a medium of the market"
                    raise Fault(f"{place}.{end}", f"'{name}'", allowed, sorted(self.media))
            if len(set(synergy.media)) == 1:
                raise Fault(place, f"'{synergy.media[0]}' twice", "two media")
            if synergy.media in seen:
                found = f"{', '.join(synergy.media)} as in synergies.{seen[synergy.media]}"
                raise Fault(place, found, "every pair once")
            seen[synergy.media] = nth
        return self


def _kind_of_market(market: Any) -> str | None:
    """Return what a market says it is: of people, unless it says something else."""
    if isinstance(market, Mapping):
        return str(market.get("kind", "people"))
    return getattr(market, "kind", None)


AnyMarket = Annotated[
    Annotated[Market, Tag("people")] | Annotated[TextbookMarket, Tag("textbook")],
    Discriminator(_kind_of_market),
]
