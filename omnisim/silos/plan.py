"""What must be lived through to price silos, and the tables that come out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omnisim.misallocation import BEST, compared
from omnisim.records import Records
from omnisim.silos import break_even, moves, waterfall
from omnisim.silos.game import (
    Game,
    Outcome,
    World,
    integration_game,
    linked,
    steering_game,
)
from omnisim.silos.lessons import lessons
from omnisim.spec import ExperimentSpec, Strategy

TOGETHER = "both: all"


@dataclass(frozen=True)
class Priced:
    """The price of silos: `whole` EUR a year in every replication, and the tables by name."""

    whole: np.ndarray
    tables: dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Plan:
    """The arms that price silos, beside those of a question.

    `spec` holds them all; `same` says for every name which arm lives through its strategy, for
    many names mean the same one.
    """

    spec: ExperimentSpec
    worlds: range
    same: Mapping[str, str]
    wanted: tuple[tuple[str, ...], ...]
    steering: Game
    integration: Game
    first_moves: tuple[moves.Move, ...]
    levers: tuple[break_even.Setting, ...]

    def arms(self, replication: int) -> tuple[str, ...]:
        """Return the arms that a replication must live through."""
        lived = {self.same[name] for name in self.wanted[replication]}
        return tuple(sorted(lived & set(self.spec.arms)))

    def priced(self, told: Mapping[tuple[str, int], Outcome]) -> Priced:
        """Return the price of silos, from what every arm earned in every replication."""
        worlds = [World(self.spec.baseline, self.same, told, nth) for nth in self.worlds]
        steering = waterfall.steering(self.steering, worlds)
        integration = waterfall.integration(self.integration, worlds)
        whole = waterfall.together(steering, integration, worlds, TOGETHER, self.steering)
        tables = {
            "price_of_silos": waterfall.table((steering, integration, whole)),
            "first_moves": moves.table(self.spec, self.first_moves, worlds),
            "break_even": break_even.table(self.levers, worlds),
        }
        return Priced(
            whole.whole.values, {name: rows for name, rows in tables.items() if len(rows)}
        )


def plan(
    spec: ExperimentSpec, books: Iterable[Records], yardsticks: Mapping[str, Strategy]
) -> Plan:
    """Return what must be lived through; `books` are the records of the question's own arms."""
    own = [book for book in books if book.replication < compared(spec)]
    replications = len({book.replication for book in own})
    steering = steering_game(spec, lessons(own, spec.baseline))
    integration = integration_game(spec)
    first_moves = moves.first_moves(spec, own, yardsticks[BEST].steering.given[0])
    levers = break_even.settings(spec)
    always = moves.stays(spec, own)
    always |= {move.name: move.strategy for move in first_moves}
    always |= {lever.name: lever.strategy for lever in levers}
    if integration.players:
        best = steering.strategy(frozenset(steering.players))
        always[TOGETHER] = linked(best, integration.players)
    named = dict(always)
    wanted = []
    for nth in range(replications):
        arms = always | steering.arms(nth) | integration.arms(nth)
        named |= arms
        wanted.append(tuple(sorted(arms)))
    lives = {_key(strategy): name for name, strategy in sorted(named.items())}
    lives |= {_key(strategy): name for name, strategy in sorted(spec.arms.items())}
    same = {name: lives[_key(strategy)] for name, strategy in named.items()}
    arms = {name: named[name] for name in sorted(set(same.values())) if name in named}
    return Plan(
        spec.model_copy(update={"truth": "none", "arms": arms}),
        range(replications),
        same,
        tuple(wanted),
        steering,
        integration,
        first_moves,
        levers,
    )


def _key(strategy: Strategy) -> str:
    return strategy.model_dump_json()
