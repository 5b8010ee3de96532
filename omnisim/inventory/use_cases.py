"""Use cases: a persona's way over touchpoints, whether it is possible and where it breaks."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from omnisim.inventory import hand_over, texts
from omnisim.language import ENGLISH, Language
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

    Its name, persona and touchpoints stand by their keys; `kept` is the share of customers who
    have to tell nothing twice.
    """

    name: str
    persona: str
    touchpoints: tuple[str, ...]
    breaks: tuple[str, ...]
    kept: float
    words: Language

    @property
    def verdict(self) -> str:
        """Return whether it is possible, or where it breaks."""
        if self.breaks:
            return self.words.say("breaks: {where}", where="; ".join(self.breaks))
        if self.kept >= 1:
            return self.words.say("possible")
        share = texts.percent(self.kept, self.words)
        return self.words.say("possible; {share} of customers have nothing to repeat", share=share)

    @property
    def way(self) -> list[str]:
        """Return the touchpoints as people call them."""
        return [texts.touchpoint(key, self.words) for key in self.touchpoints]


def use_cases(market: Market, integration: Integration, words: Language) -> tuple[Tried, ...]:
    """Return every use case of the market by name."""
    found = []
    for name, case in sorted(market.use_cases.items()):
        breaks = tuple(_breaks(market, integration, case, words))
        kept = 0.0 if breaks else hand_over.kept(market, integration, _way(market, case))
        found.append(Tried(name, case.persona, case.touchpoints, breaks, kept, words))
    return tuple(found)


def missing(market: Marketplace, words: Language = ENGLISH) -> tuple[str, ...]:
    """Return a line for each touchpoint of a use case that the market does not have."""
    cases = market.use_cases if isinstance(market, Market) else {}
    return tuple(
        " ".join(f"market.use_cases.{name}.touchpoints.{nth}: {why}".split())
        for name, case in sorted(cases.items())
        for nth, touchpoint in enumerate(case.touchpoints)
        if (why := _lack(market, touchpoint, words))
    )


def _breaks(
    market: Market, integration: Integration, case: UseCase, words: Language
) -> Iterator[str]:
    """Yield what breaks a use case, in the order of its touchpoints."""
    persona = market.segments[case.persona]
    before, came_from = 0, ""
    for touchpoint in case.touchpoints:
        channel, stage = _parts(touchpoint)
        if lack := _lack(market, touchpoint, words):
            yield lack
            continue
        here, now = texts.touchpoint(touchpoint, words), ALL_STAGES.index(stage)
        if now < before:
            latest = words.name(ALL_STAGES[before])
            yield words.say(
                "{touchpoint}: a journey does not go back from {stage}",
                touchpoint=here,
                stage=latest,
            )
        before = max(before, now)
        there = market.channels.get(channel) or market.media[channel]
        if _nobody_succeeds(there, stage):
            yield words.say("{touchpoint}: nobody succeeds here", touchpoint=here)
        if _nobody_is_met(there, persona):
            yield words.say("{touchpoint}: it meets nobody of this persona", touchpoint=here)
        if channel in market.channels:
            if _lost(market, integration, came_from, touchpoint):
                yield words.say(
                    "{touchpoint}: nothing is handed over from {channel}",
                    touchpoint=here,
                    channel=words.name(came_from),
                )
            came_from = channel


def _lost(market: Market, integration: Integration, came_from: str, touchpoint: str) -> bool:
    """Tell whether a change to this touchpoint always loses the context.

    At the first stage there is nothing to hand over yet.
    """
    channel, stage = _parts(touchpoint)
    if came_from in ("", channel) or stage == ALL_STAGES[0]:
        return False
    return hand_over.kept(market, integration, [came_from, channel]) == 0


def _lack(market: Market | Marketplace, touchpoint: str, words: Language) -> str:
    """Return why a touchpoint, as it was typed, is missing, nothing if it is there."""
    name, stage = _parts(touchpoint)
    channel = market.channels.get(name) or market.media.get(name)
    if isinstance(channel, SalesChannel | Medium):
        if stage in channel.serves:
            return ""
        return words.say(
            "{touchpoint} is missing: {channel} serves {stages}",
            touchpoint=touchpoint,
            channel=words.name(name),
            stages=texts.named(channel.serves, words),
        )
    known = sorted({*market.channels, *market.media})
    near = difflib.get_close_matches(name, known, 1)
    lack = words.say(
        "{touchpoint} is missing: the market has no channel '{channel}'",
        touchpoint=touchpoint,
        channel=name,
    )
    return (
        words.say("{lack}; nearest: {key}", lack=lack, key=f"{near[0]}.{stage}") if near else lack
    )


def _nobody_succeeds(channel: SalesChannel | Medium, stage: AnyStage) -> bool:
    if not isinstance(channel, SalesChannel):
        return False
    return stage in [at for at, chance in channel.success.items() if chance == 0]


def _nobody_is_met(channel: SalesChannel | Medium, persona: Segment) -> bool:
    if isinstance(channel, SalesChannel):
        return False
    needs = {
        "interest": persona.consent,
        "visitors": persona.consent,
        "customers": persona.mail_opt_in,
        "searchers": persona.searches,
        "checkouts": persona.coupons,
    }
    return needs.get(channel.aim) == 0


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
