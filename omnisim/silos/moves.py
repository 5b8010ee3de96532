"""The moves of budget to make first: from today's split towards the best one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omnisim.comparison import interval
from omnisim.records import Records
from omnisim.silos.game import World
from omnisim.spec import WEEKS_IN_YEAR, ExperimentSpec, Strategy

MOST = 3
LEAST = 0.001  # of the budget: less is not worth a move
STAYS = "moves: none"
COLUMNS = (
    *("nth", "from", "to", "from_department", "to_department", "eur_year"),
    *("gain_year", "ci_low", "ci_high", "orders_year"),
)


@dataclass(frozen=True)
class Move:
    """Money that goes from one medium to another, and the plan in which it has gone."""

    nth: int
    giver: str
    taker: str
    eur_year: float
    strategy: Strategy

    @property
    def name(self) -> str:
        """Return the name of the arm that lives through it."""
        return f"moves: {self.nth}"


def first_moves(
    spec: ExperimentSpec, books: Iterable[Records], best: Mapping[str, float]
) -> tuple[Move, ...]:
    """Return the largest moves on the way from last year's split to the best one.

    Whoever has most too much gives to whoever lacks most, until one of both is served.
    """
    today = _today(spec, books)
    over = {name: share - best[name] for name, share in today.items()}
    found = []
    for nth in range(1, MOST + 1):
        giver, taker = (pick(sorted(over), key=lambda name: over[name]) for pick in (max, min))
        part = min(over[giver], -over[taker])
        if part < LEAST:
            break
        over[giver] -= part
        over[taker] += part
        moved = today | {giver: today[giver] - part, taker: today[taker] + part}
        plan = _given(spec, moved)
        found.append(Move(nth, giver, taker, part * spec.market.budget, plan))
    return tuple(found)


def stays(spec: ExperimentSpec, books: Iterable[Records]) -> dict[str, Strategy]:
    """Return the arm that keeps last year's split, with which moves are compared."""
    return {STAYS: _given(spec, _today(spec, books))}


def table(spec: ExperimentSpec, found: Sequence[Move], worlds: Sequence[World]) -> pd.DataFrame:
    """Return a row per move: what it earns alone, in EUR of contribution and orders a year."""
    units = spec.status_quo.organigram.items()
    owner = {channel: key for key, unit in units for channel in unit.owns}
    rows = []
    for move in found:
        gain = [world(move.name).contribution - world(STAYS).contribution for world in worlds]
        orders = np.mean([world(move.name).orders - world(STAYS).orders for world in worlds])
        who = (move.giver, move.taker, owner[move.giver], owner[move.taker])
        rows.append((move.nth, *who, move.eur_year, *interval(np.array(gain)), float(orders)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _today(spec: ExperimentSpec, books: Iterable[Records]) -> dict[str, float]:
    """Return the split that was planned in the last year before the fork (mean over worlds)."""
    own = [book.weekly for book in books if book.arm == spec.baseline]
    rows = pd.concat(own)
    first = -min(WEEKS_IN_YEAR, spec.horizon.history_weeks)
    last = rows[(rows["kind"] == "media") & (rows["week"] >= first) & (rows["week"] < 0)]
    cents = last.groupby("channel")["planned_cents"].sum()
    if not cents.sum():  # without a history the plan is that of the start
        return spec.market.start_split()
    return {str(name): float(part) for name, part in (cents / cents.sum()).items()}


def _given(spec: ExperimentSpec, shares: Mapping[str, float]) -> Strategy:
    steering = spec.status_quo.steering.model_copy(
        update={"kind": "given", "given": {0: dict(shares)}, "review_weeks": WEEKS_IN_YEAR}
    )
    return spec.status_quo.model_copy(update={"steering": steering})
