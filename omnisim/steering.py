"""Steering: who decides over which media, what they are shown, and when they get it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Protocol

import mesa

from omnisim import allocation
from omnisim.attribution import Reads
from omnisim.departments import Department
from omnisim.spec import Strategy

FIXED, ORACLE, GIVEN = "(fixed)", "(oracle)", "(given)"  # no department can have these names


class Decider(Protocol):
    """Somebody who splits a budget over a scope of media.

    `reads` is the credit shown, mixed by `company_weight`, `delay_weeks` late and with a
    log error of standard deviation `noise`; who `explores` varies spend around the plan. A
    decider remembers nothing: the view is its whole memory.
    """

    key: str
    media: tuple[str, ...]
    reads: Reads
    company_weight: float
    delay_weeks: int
    noise: float
    explores: bool

    def decide(self, view: allocation.View) -> allocation.Floats:
        """Return new shares of the scope's budget (float64[media], sum 1)."""
        ...


class OmnichannelManager(mesa.Agent):
    """One who splits the whole budget, on reports that come late and blurred."""

    key = "omnichannel_manager"
    company_weight = 0.0
    explores = True

    def __init__(self, model: mesa.Model, strategy: Strategy, media: tuple[str, ...]) -> None:
        """Take office over a scope of media."""
        super().__init__(model)
        self.media = media
        self.steering = strategy.steering
        self.reads: Reads = strategy.attribution.kind
        self.delay_weeks = strategy.steering.report_delay_weeks
        self.noise = strategy.steering.report_noise

    def decide(self, view: allocation.View) -> allocation.Floats:
        """Return new shares of the scope's budget by the rule that departments use too."""
        return allocation.decide(view, self.steering)


class EqualSplitter(mesa.Agent):
    """One who gives every medium the same, at once, whatever the reports say."""

    key = "equal_splitter"
    reads: Reads = "last_touch"
    company_weight = 0.0
    delay_weeks = 0
    noise = 0.0
    explores = False

    def __init__(self, model: mesa.Model, media: tuple[str, ...]) -> None:
        """Take office over a scope of media."""
        super().__init__(model)
        self.media = media

    def decide(self, view: allocation.View) -> allocation.Floats:
        """Return equal shares."""
        return allocation.equal(view)


def deciders(strategy: Strategy, media: Iterable[str], model: mesa.Model) -> tuple[Decider, ...]:
    """Return who decides, sorted by key; `media` are all paid media of the market.

    Nobody decides where splits are given; the oracle sees the world itself, as no decider
    does.
    """
    scopes = budget_scopes(strategy, media)
    scopes.pop(FIXED, None)
    match strategy.steering.kind:
        case "frozen" | "oracle" | "given":
            return ()
        case "siloed":
            weight = strategy.incentives.company_weight
            return tuple(
                Department(model, key, scope, strategy.steering, weight)
                for key, scope in scopes.items()
            )
        case "central":
            return tuple(OmnichannelManager(model, strategy, scope) for scope in scopes.values())
        case "equal":
            return tuple(EqualSplitter(model, scope) for scope in scopes.values())


def budget_scopes(strategy: Strategy, media: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return who holds the budget of which media (sorted keys, sorted media, each once).

    Departments keep their own where nobody steers across them; media that are fixed
    belong to no decider and stand under `FIXED`.
    """
    paid, fixed = set(media), set(strategy.steering.fixed)
    pools = {
        "central": {OmnichannelManager.key: paid},
        "equal": {EqualSplitter.key: paid},
        "oracle": {ORACLE: paid},
        "given": {GIVEN: paid},
    }
    owners = {key: set(unit.owns) & paid for key, unit in strategy.organigram.items()}
    scopes = {
        key: tuple(sorted(pool - fixed))
        for key, pool in pools.get(strategy.steering.kind, owners).items()
    }
    scopes[FIXED] = tuple(sorted(paid & fixed))
    return {key: scopes[key] for key in sorted(scopes) if scopes[key]}


def split_budget(
    cents: int, scopes: Mapping[str, tuple[str, ...]], shares: Mapping[str, float]
) -> dict[str, int]:
    """Return each scope's cents of a budget, by the shares that its media hold (sum exact)."""
    keys = sorted(scopes)
    held = [math.fsum(shares[name] for name in scopes[key]) for key in keys]
    return dict(zip(keys, allocation.largest_remainder(cents, held).tolist(), strict=True))
