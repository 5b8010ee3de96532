"""What must be lived through to price silos, and the tables that come out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omnisim.misallocation import compared
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
    """The price of silos: `whole` EUR a year in every replication, and the tables by name.

    No `whole` where silos were not priced part by part.
    """

    whole: np.ndarray | None
    tables: dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Plan:
    """The arms that price silos, beside those of a question and its yardsticks.

    `spec` holds them all; `same` says for every name which arm lives through its strategy, for
    many names mean the same one. `games` are those of steering and of integration, where silos
    are priced part by part; `yardsticks` have the first moves among them.
    """

    spec: ExperimentSpec
    worlds: range
    same: Mapping[str, str]
    wanted: tuple[tuple[str, ...], ...]
    games: tuple[Game, Game] | None
    yardsticks: Mapping[str, Strategy]
    levers: tuple[break_even.Setting, ...]

    def arms(self, replication: int) -> tuple[str, ...]:
        """Return the arms that a replication must live through."""
        lived = {self.same[name] for name in self.wanted[replication]}
        return tuple(sorted(lived & set(self.spec.arms)))

    def priced(self, told: Mapping[tuple[str, int], Outcome]) -> Priced:
        """Return the price of silos, from what every arm earned in every replication."""
        worlds = [World(self.spec.baseline, self.same, told, nth) for nth in self.worlds]
        tables = {
            "first_moves": moves.table(self.spec, self.yardsticks, worlds),
            "break_even": break_even.table(self.levers, worlds),
        }
        whole = None
        if self.games is not None:
            steering = waterfall.steering(self.games[0], worlds)
            integration = waterfall.integration(self.games[1], worlds)
            both = waterfall.together(steering, integration, worlds, TOGETHER, self.games[0])
            tables["price_of_silos"] = waterfall.table((steering, integration, both))
            whole = both.whole.values
        return Priced(whole, {name: rows for name, rows in tables.items() if len(rows)})


def plan(
    spec: ExperimentSpec, books: Iterable[Records], yardsticks: Mapping[str, Strategy]
) -> Plan:
    """Return what must be lived through; `books` are the records of the question's own arms.

    Silos are priced part by part where the truth is known in full.
    """
    own = [book for book in books if book.replication < compared(spec)]
    replications = len({book.replication for book in own})
    in_full = spec.truth == "full"
    levers = break_even.settings(spec, in_full)
    always = {lever.name: lever.strategy for lever in levers}
    games = None
    if in_full:
        games = steering_game(spec, lessons(own, spec.baseline)), integration_game(spec)
        best = games[0].strategy(frozenset(games[0].players))
        if games[1].players:
            always[TOGETHER] = linked(best, games[1].players)
    named = dict(always)
    wanted = []
    for nth in range(replications):
        arms = dict(always)
        for game in games or ():
            arms |= game.arms(nth)
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
        games,
        yardsticks,
        levers,
    )


def _key(strategy: Strategy) -> str:
    return strategy.model_dump_json()
