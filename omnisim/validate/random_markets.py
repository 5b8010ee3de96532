"""Does steering win where theory says so? Random textbook markets, one contrast in each.

A market is drawn by keyed luck, theory tells from its curves alone where both ways of
steering come to rest, and the world is asked whether it agrees on who is better.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnisim import streams
from omnisim.allocation import Floats, best_split
from omnisim.curves import Curve, Scaled
from omnisim.simulation import simulate
from omnisim.simulation.textbook import curve, steady_curves
from omnisim.spec import WEEKS_IN_YEAR, ExperimentSpec, Strategy, TextbookMarket, TextbookMedium
from omnisim.spec.strategy import budget_scopes

SILO, CENTRE = "siloed", "central"
LAST_WEEKS = 26  # of the run: by then both ways of steering have come to rest
A_WEEK = 10_000.0  # EUR of media
KINDS = ("log", "exponential", "power", "michaelis_menten")
# Closed forms know no noise and no delay of reports, and no luck of small numbers.
CLEAR: Mapping[str, Any] = {"report_noise": 0.0, "report_delay_weeks": 0}
LARGE = 1e4
MARGIN = 0.005  # of orders: below it theory names no winner
TRAIT = 1000  # what a draw is for: none of those of a person


@dataclass(frozen=True)
class Contrast:
    """What the centre brings more than silos in one market, as a part of the silos' orders."""

    number: int
    predicted: float
    simulated: float

    def is_clear(self, margin: float) -> bool:
        """Tell whether theory sees a difference beyond the margin."""
        return abs(self.predicted) > margin

    @property
    def agrees(self) -> bool:
        """Tell whether theory and simulation name the same winner."""
        return self.predicted * self.simulated > 0


@dataclass(frozen=True)
class Agreement:
    """In how many markets with a clear prediction the simulation agreed with it."""

    clear: int
    agreed: int
    markets: int

    @property
    def rate(self) -> float:
        """Return the share of clear predictions that came true (NaN if there was none)."""
        return self.agreed / self.clear if self.clear else math.nan


def contrasts(
    numbers: Iterable[int],
    seed: int = 1,
    replications: int = 1,
    steering: Mapping[str, Any] = CLEAR,
    size: float = LARGE,
) -> Iterator[Contrast]:
    """Yield the contrast of each random market of firms of a size.

    `steering` are words of both ways of steering, such as the noise of reports.
    """
    for number in numbers:
        spec = random_question(number, seed, steering, size)
        yield Contrast(number, predicted(spec), simulated(spec, replications))


def agreement(found: Iterable[Contrast], margin: float) -> Agreement:
    """Return how often theory and simulation agree outside the margin."""
    every = tuple(found)
    clear = [contrast for contrast in every if contrast.is_clear(margin)]
    return Agreement(len(clear), sum(contrast.agrees for contrast in clear), len(every))


# -- random markets -------------------------------------------------------------------------


class Luck:
    """Uniform numbers of one market, each by its name."""

    def __init__(self, number: int, seed: int) -> None:
        self._root = streams.replication_key(seed, 0)
        self._id = np.array([number], np.uint64)

    def between(self, low: float, high: float, name: str) -> float:
        """Return a number between two."""
        return low + (high - low) * float(streams.trait(self._root, TRAIT, self._id, name)[0])

    def times(self, low: float, high: float, name: str) -> float:
        """Return a number between two whose log is uniform."""
        return math.exp(self.between(math.log(low), math.log(high), name))

    def whole(self, low: int, high: int, name: str) -> int:
        """Return a whole number from low to high."""
        return min(high, math.floor(self.between(low, high + 1, name)))


def random_question(
    number: int, seed: int, steering: Mapping[str, Any] = CLEAR, size: float = LARGE
) -> ExperimentSpec:
    """Return silos against a centre in a random textbook market.

    Three to six media of any concave curve in two or more departments; the start lies
    between any split and the best one; in half of the markets last touch errs. A firm of
    size 1 has 50 to 500 orders a week by each medium at an equal share of the money.
    """
    luck = Luck(number, seed)
    names = [f"m{m + 1}" for m in range(luck.whole(3, 6, "media"))]
    media = _media(luck, names, size)
    response = [curve(TextbookMedium.model_validate(media[name]).curve) for name in names]
    market = {
        "kind": "textbook",
        "name": "random",
        "budget": A_WEEK * WEEKS_IN_YEAR,
        "start": "drawn",
        "splits": {"drawn": _start(luck, names, response)},
        "baseline_orders": size * luck.between(0, 400, "baseline") * len(names),
        "demand": {"sd": 0.1},
        "media": media,
        "channels": {"shop": {"basket": 50.0, "margin": 0.4}},
    }
    organigram = _organigram(luck, names)
    arms = {kind: _strategy({"kind": kind, **steering}, organigram) for kind in (SILO, CENTRE)}
    words = {"experiment": "random", "question": "", "hypothesis": "", "decision_rule": ""}
    return ExperimentSpec.model_validate(
        words
        | {"market": market, "status_quo": arms[SILO], "arms": arms, "baseline": SILO}
        | {"horizon": {"history_weeks": 0, "weeks": 2 * WEEKS_IN_YEAR}, "truth": "none"}
        | {"seed": seed}
    )


def _media(luck: Luck, names: Sequence[str], size: float) -> dict[str, Any]:
    blurred = luck.between(0, 1, "blurred") < 0.5
    return {
        name: {
            "curve": _curve(luck, name, A_WEEK / len(names), size),
            "leak": blurred * luck.between(0, 0.6, f"{name} leak"),
            "capture": blurred * luck.between(0, 0.5, f"{name} capture") / len(names),
        }
        for name in names
    }


def _curve(luck: Luck, name: str, spend: float, size: float) -> dict[str, Any]:
    kind = KINDS[luck.whole(0, len(KINDS) - 1, f"{name} kind")]
    orders = size * luck.times(50, 500, f"{name} orders")
    bend = luck.times(0.2, 5, f"{name} bend")
    match kind:
        case "log":
            return {"kind": kind, "a": orders / math.log1p(bend), "b": spend / bend}
        case "exponential":
            return {"kind": kind, "k": orders / -math.expm1(-bend), "b": bend / spend}
        case "power":
            beta = 1 / (1 + bend)
            return {"kind": kind, "a": orders / spend**beta, "beta": beta}
    return {"kind": kind, "most": orders * (1 + 1 / bend), "half": spend / bend}


def _start(luck: Luck, names: Sequence[str], response: Sequence[Curve]) -> dict[str, float]:
    """Return a split somewhere between a random one and the best one."""
    best = np.maximum(best_split(response, A_WEEK) / A_WEEK, 0.02)
    wisdom, error = luck.between(0, 1, "wisdom"), luck.between(0, 1, "error")
    errors = np.array([luck.between(-1, 1, f"{name} start") for name in names])
    shares = best**wisdom * np.exp(error * errors)
    return dict(zip(names, (shares / shares.sum()).tolist(), strict=True))


def _organigram(luck: Luck, names: Sequence[str]) -> dict[str, Any]:
    """Return departments that each own a medium at least."""
    units = luck.whole(2, len(names), "departments")
    owned: dict[str, list[str]] = {f"d{unit}": [] for unit in range(units)}
    for m, name in enumerate(names):
        unit = m if m < units else luck.whole(0, units - 1, f"{name} owner")
        owned[f"d{unit}"].append(name)
    return {key: {"owns": owns} for key, owns in owned.items()} | {"sales": {"owns": ["shop"]}}


def _strategy(steering: dict[str, Any], organigram: dict[str, Any]) -> dict[str, Any]:
    return {
        "steering": steering,
        "integration": {},
        "incentives": {},
        "attribution": {},
        "organigram": organigram,
    }


# -- theory -----------------------------------------------------------------------------------


def predicted(spec: ExperimentSpec) -> float:
    """Return what the centre brings more than silos where both rest, as a part of their orders.

    Everybody makes marginal returns equal within its scope, as it sees them: a department's
    claims rise with the orders of its own medium one by one; of last touch a medium loses
    what leaks, but for what it captures again. Both vary their plans, which costs orders.
    """
    market = spec.market
    if not isinstance(market, TextbookMarket):
        raise TypeError("only curves tell in advance")
    orders = {arm: _at_rest(market, spec.arms[arm]) for arm in (SILO, CENTRE)}
    return (orders[CENTRE] - orders[SILO]) / (orders[SILO] + market.baseline_orders)


def _at_rest(market: TextbookMarket, strategy: Strategy) -> float:
    """Return the orders a week that media cause where steering rests."""
    names = sorted(market.media)
    response, start = steady_curves(market), market.start_split()
    media = [market.media[name] for name in names]
    kept = [1 - medium.leak * (1 - medium.capture) for medium in media]
    seen = np.array(kept if strategy.steering.kind == CENTRE else [1.0] * len(names))
    orders = []
    for scope in budget_scopes(strategy, names).values():
        rows = [names.index(name) for name in scope]
        own = [response[row] for row in rows]
        money = A_WEEK * math.fsum(start[name] for name in scope)
        looks = [Scaled(each, seen[row]) for each, row in zip(own, rows, strict=True)]
        orders.append(explored(own, best_split(looks, money), strategy.steering.exploration))
    return math.fsum(orders)


def explored(curves: Sequence[Curve], spends: Floats, exploration: float) -> float:
    """Return the mean orders where every log spend is a little higher or lower (all signs)."""
    tried = []
    for signs in itertools.product((-exploration, exploration), repeat=len(curves)):
        varied = spends * np.exp(signs)
        varied *= spends.sum() / varied.sum()
        tried.append(math.fsum(c.orders(x) for c, x in zip(curves, varied, strict=True)))
    return math.fsum(tried) / len(tried)


# -- the world ----------------------------------------------------------------------------------


def simulated(spec: ExperimentSpec, replications: int = 1) -> float:
    """Return what the centre brings more than silos in the last weeks, paired, as a part."""
    sums = {SILO: 0.0, CENTRE: 0.0}
    for replication in range(replications):
        for arm, records in simulate(spec, replication).items():
            sold = records.weekly[records.weekly["week"] >= spec.horizon.weeks - LAST_WEEKS]
            sums[arm] += float(sold["expected_orders"].sum())
    return (sums[CENTRE] - sums[SILO]) / sums[SILO]
