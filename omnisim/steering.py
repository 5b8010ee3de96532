"""Steering: who decides over which media, what they are shown, and when they get it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Protocol

import mesa
import numpy as np

from omnisim import allocation
from omnisim.attribution import Reads
from omnisim.departments import Department
from omnisim.spec import (
    CENTRE,
    FINANCE,
    FIXED,
    SPLITTER,
    WEEKS_IN_YEAR,
    Strategy,
    budget_scopes,
)


class Decider(Protocol):
    """Somebody who splits a budget over a scope of media.

    `reads` is the credit shown, mixed by `company_weight`, `delay_weeks` late and with a
    log error of standard deviation `noise`; who `explores` varies spend around the plan. It
    decides `every_weeks`, and remembers nothing: the view is its whole memory.
    """

    key: str
    media: tuple[str, ...]
    reads: Reads
    company_weight: float
    delay_weeks: int
    noise: float
    explores: bool
    every_weeks: int

    def decide(self, view: allocation.View) -> allocation.Floats:
        """Return new shares of the scope's budget (float64[media], sum 1)."""
        ...


class OmnichannelManager(mesa.Agent):
    """One who splits the budget of many departments, on reports that come late and blurred.

    Whose orders are carried out in part only leaves media to their departments, which vary
    what they spend.
    """

    key = CENTRE
    company_weight = 0.0

    def __init__(self, model: mesa.Model, strategy: Strategy, media: tuple[str, ...]) -> None:
        """Take office over a scope of media."""
        super().__init__(model)
        self.media = media
        self.steering = strategy.steering
        self.reads: Reads = strategy.attribution.kind
        self.delay_weeks = strategy.steering.report_delay_weeks
        self.noise = strategy.steering.report_noise
        self.every_weeks = strategy.steering.review_weeks
        self.obeyed = strategy.steering.mandate == 1
        self.explores = self.obeyed and not strategy.steering.tests

    def decide(self, view: allocation.View) -> allocation.Floats:
        """Return new shares of the scope's budget, by the rule that departments use too.

        Geo experiments are hers alone: no department can pay a region for all media.
        """
        seen = self._looked_at(view)
        if len(seen) == len(view.media):
            return allocation.decide(view, self.steering)
        shares = view.shares.copy()
        whole = math.fsum(shares[seen])
        if whole > 0:
            part = allocation.part(view, seen)
            shares[seen] = whole * allocation.decide(part, self.steering)
        return shares

    def _looked_at(self, view: allocation.View) -> list[int]:
        """Return the media that she has time for: those of which most money seems misplaced."""
        most = self.steering.attention
        if most is None or most >= len(view.media):
            return list(range(len(view.media)))
        worth = allocation.worth(view, self.steering)
        misplaced = np.abs(worth / max(worth.sum(), 1e-9) - view.shares)
        return sorted(np.argsort(-misplaced, kind="stable")[:most].tolist())


class EqualSplitter(mesa.Agent):
    """One who gives every medium the same, at once, whatever the reports say."""

    key = SPLITTER
    reads: Reads = "last_touch"
    company_weight = 0.0
    delay_weeks = 0
    noise = 0.0
    explores = False

    def __init__(self, model: mesa.Model, strategy: Strategy, media: tuple[str, ...]) -> None:
        """Take office over a scope of media."""
        super().__init__(model)
        self.media = media
        self.every_weeks = strategy.steering.review_weeks

    def decide(self, view: allocation.View) -> allocation.Floats:
        """Return equal shares."""
        return allocation.equal(view)


class FinanceOffice(mesa.Agent):
    """One who gives every medium its share of last year's credited sales, once a year (C2)."""

    key = FINANCE
    company_weight = 0.0
    explores = False
    every_weeks = WEEKS_IN_YEAR

    def __init__(self, model: mesa.Model, strategy: Strategy, media: tuple[str, ...]) -> None:
        """Take office over a scope of media."""
        super().__init__(model)
        self.media = media
        self.steering = strategy.steering
        self.reads: Reads = strategy.attribution.kind
        self.delay_weeks = strategy.steering.report_delay_weeks
        self.noise = strategy.steering.report_noise

    def decide(self, view: allocation.View) -> allocation.Floats:
        """Return the shares of last year's credit."""
        return allocation.follow_sales(view, self.steering)


def deciders(strategy: Strategy, media: Iterable[str], model: mesa.Model) -> tuple[Decider, ...]:
    """Return who decides, sorted by key; `media` are all paid media of the market.

    Nobody decides where splits are given; the oracle sees the world itself, as no decider
    does.
    """
    scopes = budget_scopes(strategy, media)
    scopes.pop(FIXED, None)
    words = strategy.steering
    match words.kind:
        case "frozen" | "oracle" | "given":
            return ()
        case "equal":
            return tuple(EqualSplitter(model, strategy, scope) for scope in scopes.values())
        case "percent_of_sales":
            return tuple(FinanceOffice(model, strategy, scope) for scope in scopes.values())
    centre = scopes.pop(CENTRE, ())
    weight = strategy.incentives.company_weight
    who: list[Decider] = [
        Department(model, key, scope, words, weight, words=strategy.organigram[key])
        for key, scope in scopes.items()
    ]
    if words.kind == "central" and not centre and (words.mandate > 0 or words.alone > 0):
        steered = words.scope or tuple(scopes)
        centre = tuple(sorted(name for key in steered for name in scopes.get(key, ())))
    if centre:
        who.append(OmnichannelManager(model, strategy, centre))
    return tuple(sorted(who, key=lambda decider: decider.key))


def split_budget(
    cents: int, scopes: Mapping[str, tuple[str, ...]], shares: Mapping[str, float]
) -> dict[str, int]:
    """Return each scope's cents of a budget, by the shares that its media hold (sum exact)."""
    keys = sorted(scopes)
    held = [math.fsum(shares[name] for name in scopes[key]) for key in keys]
    return dict(zip(keys, allocation.largest_remainder(cents, held).tolist(), strict=True))
