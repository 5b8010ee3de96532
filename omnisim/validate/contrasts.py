"""Contrasts: arms of one world under the same luck, and what one has more than another."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnisim.allocation import best_split
from omnisim.simulation import Simulation, shared_history, truth
from omnisim.simulation.textbook import steady_curves
from omnisim.spec import (
    DAYS_IN_WEEK,
    WEEKS_IN_YEAR,
    ExperimentSpec,
    Market,
    Strategy,
    TextbookMarket,
)
from omnisim.validate import random_markets
from omnisim.validate.hypotheses import PEOPLE, TEXTBOOK, Hypothesis, Part, World
from omnisim.validate.laws import LAWS
from omnisim.validate.replication import aired, booked, sold

SEED = 15001  # 9001 has been looked at: by it the share of people of a test was chosen (H24)
HALF_YEAR = 26
LEAST_SPEND = 0.02  # of the budget: what less money causes is mostly luck
RANDOM = "random_markets"
AT_ONCE = 25  # random markets in one unit of work
# How both markets are asked for.
WORDS: Mapping[str, tuple[str, ...]] = {
    TEXTBOOK: ("market=textbook", "truth=none", "horizon.history_weeks=0", "horizon.weeks=104"),
    PEOPLE: ("market=fashion_home_de", "truth=none"),
}


@dataclass(frozen=True)
class Unit:
    """What runs at once: the parts of one world in one replication, sharing one history."""

    spec: ExperimentSpec
    parts: tuple[Part, ...]
    replication: int

    @property
    def name(self) -> str:
        """Return what is lived, in words."""
        return f"{self.parts[0].world}, replication {self.replication}"


@dataclass(frozen=True)
class Lot:
    """Some random markets, and the part that counts where theory names the winner."""

    numbers: range
    part: Part

    @property
    def name(self) -> str:
        """Return what is lived, in words."""
        return f"random markets to {self.numbers.stop}"


def units(
    hypotheses: Sequence[Hypothesis],
    specs: Mapping[str, ExperimentSpec],
    replications: int,
    markets: int,
) -> list[Unit | Lot]:
    """Return what has to run; `specs` are the worlds' specs by name."""
    parts = [part for one in hypotheses for part in one.parts]
    lots = [
        Lot(range(first, min(first + AT_ONCE, markets)), part)
        for part in parts
        if part.law == RANDOM
        for first in range(0, markets, AT_ONCE)
    ]
    asked = [part for part in parts if not part.law]
    lived = [
        Unit(specs[name], tuple(part for part in asked if part.world == name), nth)
        for nth in range(replications)
        for name in specs
        if any(part.world == name for part in asked)
    ]
    return [*lived, *lots]


def asked(base: ExperimentSpec, world: World) -> ExperimentSpec:
    """Return the question of a world: its market patched, under seeds kept for validation."""
    told = base.model_dump()
    market = patched(told["market"], world.market)
    return ExperimentSpec.model_validate({**told, "market": market, "seed": SEED})


def measured(unit: Unit | Lot) -> dict[str, tuple[float, ...]]:
    """Return the values of every part of a unit, by its key."""
    if isinstance(unit, Lot):
        found = random_markets.contrasts(unit.numbers, seed=SEED)
        clear = [one.agrees for one in found if one.is_clear(random_markets.MARGIN)]
        return {unit.part.key: tuple(map(float, clear))}
    ends = _ends(unit)
    return {part.key: (_value(part, ends),) for part in unit.parts}


def exact(hypotheses: Iterable[Hypothesis]) -> dict[str, tuple[float, ...]]:
    """Return the values of all parts that are closed forms."""
    parts = (part for one in hypotheses for part in one.parts)
    return {part.key: (LAWS[part.law](),) for part in parts if part.law in LAWS}


def patched(base: Any, patch: Any) -> Any:
    """Return a merge patch applied (RFC 7396): mappings merge, null removes, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(base) if isinstance(base, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = patched(merged.get(name), value)
    return merged


# -- arms ---------------------------------------------------------------------------------------


def _ends(unit: Unit) -> dict[str, Simulation]:
    """Return the world at the end of every arm that a unit needs, by the arm's words."""
    history = shared_history(unit.spec, unit.replication)
    last_day = history.state.day + unit.spec.horizon.weeks * DAYS_IN_WEEK
    ends: dict[str, Simulation] = {}
    for part in unit.parts:
        for words in (part.arm, part.against):
            if words is None or (key := _key(words)) in ends:
                continue
            fork = history.fork(strategy(unit.spec, words))
            fork.change = np.full(len(fork.media), words.get("pays", 1.0))
            fork.run_to(last_day)
            ends[key] = fork
    return ends


def strategy(spec: ExperimentSpec, words: Mapping[str, Any]) -> Strategy:
    """Return what a firm does that changes some of what it does today; raise Fault if it cannot."""
    decisions = {name: value for name, value in words.items() if name != "pays"}
    arm = patched(spec.status_quo.model_dump(), decisions)
    told = {**dict(spec), "arms": {"asked": arm}, "baseline": "asked"}
    return ExperimentSpec.model_validate(told).arms["asked"]


def _key(words: Mapping[str, Any]) -> str:
    return json.dumps(words, sort_keys=True)


# -- what is measured ---------------------------------------------------------------------------


def _value(part: Part, ends: Mapping[str, Simulation]) -> float:
    """Return a part's value: a level, or a paired difference on its scale."""
    arm = ends[_key(part.arm)]
    weeks = _weeks(arm, part.weeks)
    measure = OUTCOMES[part.outcome]
    if part.against is None:
        return measure(arm, weeks)
    base = ends[_key(part.against)]
    difference = measure(arm, weeks) - measure(base, weeks)
    match part.scale:
        case "own":
            return difference / measure(base, weeks)
        case "revenue":
            return difference / sold(base, "expected_revenue_gross", weeks)
        case "prize":
            return difference / (_prize(arm) * _length(weeks))
    return difference


def _weeks(world: Simulation, words: str) -> slice:
    """Return the booked weeks that words name, all of them after the fork."""
    end = len(world.state.ledger.company)
    begun = end - world.spec.horizon.weeks
    spans = {"first_26": (begun, begun + HALF_YEAR), "last_26": (end - HALF_YEAR, end)}
    return slice(*spans.get(words, (begun, end)))


def _length(weeks: slice) -> int:
    return int(weeks.stop - weeks.start)


def _prize(world: Simulation) -> float:
    """Return what the best split brings more, less what exploring costs (orders a week, O12b)."""
    market = world.market
    if not isinstance(market, TextbookMarket):
        raise TypeError("only curves tell in advance")
    curves, split = steady_curves(market), market.start_split()
    money = market.budget / WEEKS_IN_YEAR
    first = [
        curve.orders(money * split[name]) for curve, name in zip(curves, sorted(split), strict=True)
    ]
    best = best_split(curves, money)
    explored = random_markets.explored(curves, best, world.strategy.steering.exploration)
    return explored - math.fsum(first)


def _contribution(world: Simulation, weeks: slice) -> float:
    earned = sold(world, "expected_margin", weeks) - sold(world, "expected_cost_to_serve", weeks)
    return earned - aired(world, "spent_cents", weeks) / 100


def _profit(world: Simulation, weeks: slice) -> float:
    beside = booked(world, "integration_cost", weeks) + booked(world, "overhead", weeks)
    return _contribution(world, weeks) - beside


def _orders(world: Simulation, weeks: slice) -> float:
    return sold(world, "expected_orders", weeks)


def _orders_of(online: bool) -> Callable[[Simulation, slice], float]:
    def orders(world: Simulation, weeks: slice) -> float:
        market = world.market
        if not isinstance(market, Market):
            raise TypeError("curves have one channel")
        names = [name for name, one in market.channels.items() if one.online == online]
        return sold(world, "expected_orders", weeks, names)

    return orders


def _media_orders(world: Simulation, weeks: slice) -> float:
    """Return the orders beside the baseline."""
    market = world.market
    base = market.baseline_orders if isinstance(market, TextbookMarket) else 0.0
    return _orders(world, weeks) - base * _length(weeks)


def _moved_between_departments(world: Simulation, weeks: slice) -> float:
    """Return the part of the budget that changed departments, a year."""
    owner = {name: key for key, unit in world.strategy.organigram.items() for name in unit.owns}
    keys = sorted({owner[name] for name in world.media})
    held = []
    for first in range(weeks.start - WEEKS_IN_YEAR, weeks.stop, WEEKS_IN_YEAR):
        if first < 0:
            continue
        year = slice(first, first + WEEKS_IN_YEAR)
        money = np.array(
            [
                aired(world, "planned_cents", year, [n for n in world.media if owner[n] == key])
                for key in keys
            ]
        )
        held.append(money / money.sum())
    return float(np.mean(np.abs(np.diff(held, axis=0)).sum(axis=1)) / 2)


def _worst_to_best(world: Simulation, weeks: slice) -> float:
    """Return the next euro's orders in the worst medium per order in the best."""
    market = world.market
    if isinstance(market, TextbookMarket):
        money = world.state.shares * market.budget / WEEKS_IN_YEAR
        slopes = [c.slope(x) for c, x in zip(steady_curves(market), money, strict=True)]
        return min(slopes) / max(slopes)
    found = truth.truth(world)
    found = found[found["spend_year"] >= LEAST_SPEND * market.budget]
    slope = (found["orders_long"] / found["cost_long"]).to_numpy()
    return float(slope.min() / slope.max())


def _held_back(world: Simulation, weeks: slice) -> float:
    return booked(world, "held_back_cents", weeks) / booked(world, "budget_cents", weeks)


def _missed_share(world: Simulation, weeks: slice) -> float:
    missed = booked(world, "hand_overs_missed", weeks)
    return missed / (missed + booked(world, "hand_overs_made", weeks))


def _last_touch_per_order(world: Simulation, weeks: slice) -> float:
    return aired(world, "expected_last_touch", weeks) / _orders(world, weeks)


def _claims_beyond_last_touch(world: Simulation, weeks: slice) -> float:
    claims = booked(world, "expected_department_claims", weeks) / _orders(world, weeks)
    return claims - _last_touch_per_order(world, weeks)


OUTCOMES: Mapping[str, Callable[[Simulation, slice], float]] = {
    "orders": _orders,
    "orders_online": _orders_of(True),
    "orders_offline": _orders_of(False),
    "media_orders": _media_orders,
    "contribution": _contribution,
    "profit": _profit,
    "moved_between_departments": _moved_between_departments,
    "worst_to_best": _worst_to_best,
    "held_back": _held_back,
    "missed_share": _missed_share,
    "last_touch_per_order": _last_touch_per_order,
    "claims_beyond_last_touch": _claims_beyond_last_touch,
}
