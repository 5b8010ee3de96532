"""The moves of budget to make first: from today's split towards the best one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

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


def arms(
    spec: ExperimentSpec, books: Iterable[Records], best: Mapping[str, float]
) -> dict[str, Strategy]:
    """Return the arms that make one of the first moves each, and the one that makes none.

    They lead from last year's split, the mean over `books`, to the best one: somebody who has
    too much gives to somebody who lacks, until one of both is served, the most promising
    pair first.
    """
    today = _today(spec, books)
    left = dict(today)
    found = {STAYS: _given(spec, today)}
    for nth in range(1, MOST + 1):
        names = sorted(left)
        pairs = [(giver, taker) for giver in names for taker in names if giver != taker]
        giver, taker = max(pairs, key=lambda pair: _promise(pair[0], pair[1], left, best))
        part = _part(giver, taker, left, best)
        if part < LEAST:
            break
        found[f"moves: {nth}"] = _given(spec, _moved(today, giver, taker, part))
        left = _moved(left, giver, taker, part)
    return found if len(found) > 1 else {}


def _part(giver: str, taker: str, split: Mapping[str, float], best: Mapping[str, float]) -> float:
    """Return the part of the budget that serves the giver or the taker."""
    return min(split[giver] - best[giver], best[taker] - split[taker])


def _promise(
    giver: str, taker: str, split: Mapping[str, float], best: Mapping[str, float]
) -> float:
    """Return what a move would gain if response were a square root, best where `best` is.

    All next euros earn the same at the best split, so that a medium's response is in
    proportion to √(best · spend). From who has most too much to who lacks most was tried:
    what came first then earns a sixth of what comes first now.
    """
    part = _part(giver, taker, split, best)
    if part <= 0:
        return part
    moved = _moved(split, giver, taker, part)
    return sum(
        math.sqrt(best[name]) * (math.sqrt(moved[name]) - math.sqrt(split[name]))
        for name in (giver, taker)
    )


def _moved(split: Mapping[str, float], giver: str, taker: str, part: float) -> dict[str, float]:
    return {**split, giver: split[giver] - part, taker: split[taker] + part}


def table(
    spec: ExperimentSpec, lived: Mapping[str, Strategy], worlds: Sequence[World]
) -> pd.DataFrame:
    """Return a row per move among the arms: what it alone earns a year (EUR of contribution)."""
    units = spec.status_quo.organigram.items()
    owner = {channel: key for key, unit in units for channel in unit.owns}
    rows = []
    for nth, name, giver, taker, part in _moves(lived):
        gain = [world(name).contribution - world(STAYS).contribution for world in worlds]
        orders = np.mean([world(name).orders - world(STAYS).orders for world in worlds])
        who = (giver, taker, owner[giver], owner[taker], part * spec.market.budget)
        rows.append((nth, *who, *interval(np.array(gain)), float(orders)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _moves(lived: Mapping[str, Strategy]) -> Iterator[tuple[int, str, str, str, float]]:
    """Yield number and arm of every move, who gives and who gets, and the part of the budget."""
    for nth in range(1, MOST + 1):
        name = f"moves: {nth}"
        if name not in lived:
            return
        before, after = (lived[arm].steering.given[0] for arm in (STAYS, name))
        more = {medium: share - before[medium] for medium, share in sorted(after.items())}
        giver, taker = (pick(more, key=lambda medium: more[medium]) for pick in (min, max))
        yield nth, name, giver, taker, more[taker]


def _today(spec: ExperimentSpec, books: Iterable[Records]) -> dict[str, float]:
    """Return the split that was planned in the last year before the fork (mean over books)."""
    rows = pd.concat([book.weekly for book in books])
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
