"""The two games of switches: silo to oracle, and many channels to one firm."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from omnisim import shapley
from omnisim.records import Records
from omnisim.shapley import Coalition, Order
from omnisim.silos.lessons import TRIED, Lesson
from omnisim.spec import (
    WEEKS_IN_YEAR,
    Calibration,
    Dimension,
    ExperimentSpec,
    Levels,
    Strategy,
    budget_scopes,
)

STEERING = {
    "frozen_shares": "Shares between departments are frozen",
    "wrong_credit": "Orders that no report shows",
    "ignored_spill_over": "Orders that others are credited with",
    "late_or_noisy": "Late, noisy or unlearned reports",
    "capture": "Credit for orders that come anyway",
    "politics": "Power, exaggeration and equal parts",
}
CREDIT = ("capture", "ignored_spill_over", "wrong_credit")
INTEGRATION: dict[str, tuple[str, Dimension]] = {
    "clashing_claims": ("Claims that clash", "promotion"),
    "price_clashes": ("Prices that clash", "price"),
    "duplicate_contacts": ("No shared record: duplicate contacts", "transaction_data"),
    "missing_hand_over": ("Missing hand-over", "information_access"),
    "unseen_stock": ("Stock that nobody sees", "fulfilment"),
    "reactive_service": ("Reactive service", "service"),
}
OMNICHANNEL = 0.9  # the level of `integration=omnichannel`
PAIRS = 1  # orders of switching per replication, beside their reverses; luck outweighs them


@dataclass(frozen=True)
class Outcome:
    """What an arm earned in one replication, a year: EUR, orders; read from probabilities."""

    contribution: float
    integration_cost: float
    overhead: float
    orders: float

    @property
    def profit(self) -> float:
        """Return what is left after integration and overhead."""
        return self.contribution - self.integration_cost - self.overhead


def outcome(book: Records) -> Outcome:
    """Return what the ledgers of an arm add up to."""
    weekly = book.weekly[book.weekly["week"] >= 0]
    company = book.company[book.company["week"] >= 0]
    years = len(company) / WEEKS_IN_YEAR
    sums = weekly[
        ["expected_margin", "expected_cost_to_serve", "spent_cents", "expected_orders"]
    ].sum()
    kept = sums["expected_margin"] - sums["expected_cost_to_serve"] - sums["spent_cents"] / 100
    return Outcome(
        float(kept) / years,
        float(company["integration_cost"].sum()) / years,
        float(company["overhead"].sum()) / years,
        float(sums["expected_orders"]) / years,
    )


@dataclass(frozen=True)
class World:
    """What the arms of one replication earned, by any name of each.

    `same` is the arm that lives through the strategy of a name; `told` by arm and replication.
    """

    baseline: str
    same: Mapping[str, str]
    told: Mapping[tuple[str, int], Outcome]
    replication: int

    def __call__(self, name: str) -> Outcome:
        """Return what an arm earned."""
        return self.told[self.same.get(name, name), self.replication]


@dataclass(frozen=True)
class Game:
    """Switches that turn one strategy into another, and the strategy of any set of them.

    `players` are the switches that change anything; `key` draws the orders of switching.
    """

    key: str
    players: tuple[str, ...]
    strategy: Callable[[Coalition], Strategy]

    def drawn(self, replication: int) -> list[Order]:
        """Return the orders of switching that a replication lives through."""
        return shapley.orders(self.players, f"{self.key}/{replication}", PAIRS)

    def arms(self, replication: int) -> dict[str, Strategy]:
        """Return the strategies that a replication lives through, by name."""
        sets = shapley.coalitions(self.drawn(replication))
        return {self.name(switched): self.strategy(switched) for switched in sets}

    def name(self, switched: Collection[str]) -> str:
        """Return the name of the arm in which some switches are on; no arm of a user has it."""
        return f"{self.key}: {' + '.join(sorted(switched))}"

    def parts(self, replication: int, worth: Mapping[str, float]) -> dict[str, float]:
        """Return what each switch brings in a replication, from what its arms are worth."""
        drawn = self.drawn(replication)
        told = {switched: worth[self.name(switched)] for switched in shapley.coalitions(drawn)}
        return shapley.values(drawn, told)


def steering_game(spec: ExperimentSpec, known: Mapping[str, Lesson]) -> Game:
    """Return the game from the baseline's steering to one centre that knows what it reads."""
    start = spec.arms[spec.baseline]

    def strategy(switched: Coalition) -> Strategy:
        return mended(start, switched, known)

    return _game("steering", tuple(STEERING), start, strategy)


def integration_game(spec: ExperimentSpec) -> Game:
    """Return the game from the baseline's integration to that of an omnichannel firm."""
    start = spec.arms[spec.baseline]

    def strategy(switched: Coalition) -> Strategy:
        return linked(start, switched)

    several = len(spec.market.channels) > 1 and spec.market.kind == "people"
    return _game("integration", tuple(INTEGRATION) if several else (), start, strategy)


def _game(
    key: str, names: tuple[str, ...], start: Strategy, strategy: Callable[[Coalition], Strategy]
) -> Game:
    every = frozenset(names)
    players = [
        name
        for name in names
        if strategy(frozenset((name,))) != start or strategy(every) != strategy(every - {name})
    ]
    return Game(key, tuple(players), strategy)


def mended(start: Strategy, switched: Collection[str], known: Mapping[str, Lesson]) -> Strategy:
    """Return a strategy without some errors of steering.

    Budgets: one centre splits them all, on the claims that departments read. Credit: what a
    medium is credited with is multiplied by what forks have taught. Information: reports are
    exact and at once, and who decides begins with the true elasticity of what it reads.
    """
    steering, organigram = start.steering, start.organigram
    changes: dict[str, object] = {}
    attribution = start.attribution
    if "frozen_shares" in switched and steering.kind != "central":
        changes |= {"kind": "central", "scope": (), "committee": 0}
        if start.incentives.company_weight < 1:
            update = {"kind": "claims", "deduplicated": None}
            attribution = attribution.model_copy(update=update)
    calibration = {
        name: one.mended(*(error in switched for error in CREDIT)) for name, one in known.items()
    }
    if any(one != Calibration(at=one.at) for one in calibration.values()):
        changes["calibration"] = calibration
    if "late_or_noisy" in switched:
        changes |= {"report_delay_weeks": 0, "report_noise": 0.0}
        changes["elasticities"] = {
            name: max(0.0, one.told + calibration[name].slope) for name, one in known.items()
        }
    if "politics" in switched:
        changes |= {"evenness": 0.0, "mandate": 1.0}
        organigram = {
            key: unit.model_copy(update={"power": 0.0, "inflation": 0.0})
            for key, unit in organigram.items()
        }
    found = start.model_copy(
        update={
            "steering": steering.model_copy(update=changes),
            "attribution": attribution,
            "organigram": organigram,
        }
    )
    return _within_what_was_tried(found, known) if "calibration" in changes else found


def _within_what_was_tried(strategy: Strategy, known: Mapping[str, Lesson]) -> Strategy:
    """Return a strategy that gives no medium more than trials have told of."""
    caps = dict(strategy.steering.cap)
    for scope in budget_scopes(strategy, known).values():
        whole = sum(known[name].at for name in scope)
        for name in scope:
            caps[name] = min(caps.get(name, 1.0), TRIED * known[name].at / whole)
    steering = strategy.steering.model_copy(update={"cap": caps})
    return strategy.model_copy(update={"steering": steering})


def linked(start: Strategy, switched: Collection[str]) -> Strategy:
    """Return a strategy in which some dimensions of integration are those of one firm."""
    raised = {INTEGRATION[name][1] for name in switched}
    rollout = start.rollout
    if rollout.kind != "none":  # whoever is there already need not build it
        target = rollout.target.model_copy(update=_levels(rollout.target, raised))
        rollout = rollout.model_copy(update={"target": target})
    begins = start.integration.model_copy(update=_levels(start.integration, raised))
    return start.model_copy(update={"integration": begins, "rollout": rollout})


def _levels(words: Levels, raised: Collection[Dimension]) -> dict[str, object]:
    """Return what changes where some dimensions are raised for every pair of channels."""
    pairs = {
        pair: {dimension: level for dimension, level in own.items() if dimension not in raised}
        for pair, own in words.pairs.items()
    }
    levels = {dimension: max(OMNICHANNEL, getattr(words, dimension)) for dimension in raised}
    return levels | {"pairs": {pair: own for pair, own in pairs.items() if own}}
