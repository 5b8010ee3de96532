"""Use cases: a persona's way over touchpoints, whether it is possible and where it breaks."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from omnisim.inventory import hand_over
from omnisim.inventory.texts import listed, percent
from omnisim.spec import (
    ALL_STAGES,
    AnyStage,
    Integration,
    Market,
    Marketplace,
    Medium,
    SalesChannel,
    Segment,
    UseCase,
)


@dataclass(frozen=True)
class Tried:
    """A use case as it stands: what breaks it, and for which share of customers nothing does.

    `kept` is the share of customers who have to tell nothing twice.
    """

    name: str
    persona: str
    touchpoints: tuple[str, ...]
    breaks: tuple[str, ...]
    kept: float

    @property
    def verdict(self) -> str:
        """Return whether it is possible, or where it breaks."""
        if self.breaks:
            return f"breaks: {'; '.join(self.breaks)}"
        known = f"; {percent(self.kept)} of customers have nothing to repeat"
        return "possible" + known * (self.kept < 1)


def use_cases(market: Market, integration: Integration) -> tuple[Tried, ...]:
    """Return every use case of the market by name."""
    found = []
    for name, case in sorted(market.use_cases.items()):
        breaks = tuple(_breaks(market, integration, case))
        kept = 0.0 if breaks else hand_over.kept(market, integration, _way(market, case))
        found.append(Tried(name, case.persona, case.touchpoints, breaks, kept))
    return tuple(found)


def missing(market: Marketplace) -> tuple[str, ...]:
    """Return a line for each touchpoint of a use case that the market does not have."""
    cases = market.use_cases if isinstance(market, Market) else {}
    return tuple(
        " ".join(f"market.use_cases.{name}.touchpoints.{nth}: {why}".split())
        for name, case in sorted(cases.items())
        for nth, touchpoint in enumerate(case.touchpoints)
        if (why := _lack(market, touchpoint))
    )


def _breaks(market: Market, integration: Integration, case: UseCase) -> Iterator[str]:
    """Yield what breaks a use case, in the order of its touchpoints."""
    persona = market.segments[case.persona]
    before, came_from = 0, ""
    for touchpoint in case.touchpoints:
        channel, stage = _parts(touchpoint)
        if lack := _lack(market, touchpoint):
            yield lack
            continue
        now = ALL_STAGES.index(stage)
        if now < before:
            yield f"{touchpoint}: a journey does not go back from {ALL_STAGES[before]}"
        before = max(before, now)
        if nobody := _nobody(market.channels.get(channel) or market.media[channel], stage, persona):
            yield f"{touchpoint}: {nobody}"
        if channel in market.channels:
            yield from _lost(market, integration, came_from, touchpoint)
            came_from = channel


def _lost(
    market: Market, integration: Integration, came_from: str, touchpoint: str
) -> Iterator[str]:
    """Yield that a change to this touchpoint always loses the context, if it does.

    At the first stage there is nothing to hand over yet.
    """
    channel, stage = _parts(touchpoint)
    if came_from in ("", channel) or stage == ALL_STAGES[0]:
        return
    if hand_over.kept(market, integration, [came_from, channel]) == 0:
        yield f"{touchpoint}: nothing is handed over from {came_from}"


def _lack(market: Market | Marketplace, touchpoint: str) -> str:
    """Return why a touchpoint is missing, nothing if it is there."""
    name, stage = _parts(touchpoint)
    channel = market.channels.get(name) or market.media.get(name)
    if isinstance(channel, SalesChannel | Medium):
        if stage in channel.serves:
            return ""
        return f"{touchpoint} is missing: {name} serves {listed(channel.serves)}"
    known = sorted({*market.channels, *market.media})
    near = difflib.get_close_matches(name, known, 1)
    nearest = f"; nearest: {near[0]}.{stage}" if near else ""
    return f"{touchpoint} is missing: the market has no channel '{name}'{nearest}"


def _nobody(channel: SalesChannel | Medium, stage: AnyStage, persona: Segment) -> str:
    """Return why nobody gets through a touchpoint, nothing if somebody does."""
    if isinstance(channel, SalesChannel):
        hopeless = [at for at, chance in channel.success.items() if chance == 0]
        return "nobody succeeds here" if stage in hopeless else ""
    needs = {
        "interest": persona.consent,
        "visitors": persona.consent,
        "checkouts": persona.coupons,
        "customers": persona.mail_opt_in,
        "searchers": persona.searches,
    }
    return "it meets nobody of this persona" if needs.get(channel.aim) == 0 else ""


def _way(market: Market, case: UseCase) -> list[str]:
    """Return the sales channels from the last one that informs on, in order.

    What was found there is what later changes must hand over.
    """
    steps = [_parts(touchpoint) for touchpoint in case.touchpoints]
    sales = [(channel, stage) for channel, stage in steps if channel in market.channels]
    first = [channel for channel, stage in sales if stage == ALL_STAGES[0]][-1:]
    return first + [channel for channel, stage in sales if stage != ALL_STAGES[0]]


def _parts(touchpoint: str) -> tuple[str, AnyStage]:
    """Return channel and stage of a touchpoint that the spec has checked."""
    channel, _, word = touchpoint.partition(".")
    return channel, next(stage for stage in ALL_STAGES if stage == word)
