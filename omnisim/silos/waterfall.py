"""Waterfalls: parts that add up to a whole, each with its interval over replications."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from omnisim.comparison import interval
from omnisim.misallocation import ORACLE
from omnisim.silos.game import INTEGRATION, STEERING, Game, World

COLUMNS = ("waterfall", "nth", "part", "label", "kind", "eur_year", "ci_low", "ci_high")
Kind = Literal["part", "remainder", "cost", "interaction", "whole"]


@dataclass(frozen=True)
class Bar:
    """One bar: its key, how people call it, and EUR a year in every replication."""

    part: str
    label: str
    kind: Kind
    values: np.ndarray


@dataclass(frozen=True)
class Waterfall:
    """Bars that add up to the last one, in every replication."""

    key: str
    bars: tuple[Bar, ...]

    @property
    def whole(self) -> Bar:
        """Return what the others add up to."""
        return self.bars[-1]


def steering(game: Game, worlds: Sequence[World]) -> Waterfall:
    """Return the way from the baseline to the oracle, at equal integration."""
    parts = _shapley(game, worlds, STEERING)
    base = _earned(worlds, worlds[0].baseline)
    whole = _earned(worlds, ORACLE) - base
    rest = Bar("learning", "What one must learn by trying", "remainder", whole - _sum(parts))
    bars = (*parts, rest, Bar("whole", "From today to the oracle", "whole", whole))
    return Waterfall("steering", bars)


def integration(game: Game, worlds: Sequence[World]) -> Waterfall | None:
    """Return the way from many channels to one firm at equal steering, net of what links cost."""
    if not game.players:
        return None
    labels = {key: label for key, (label, _) in INTEGRATION.items()}
    parts = _shapley(game, worlds, labels)
    every = game.name(game.players)
    paid = np.array([w(w.baseline).integration_cost - w(every).integration_cost for w in worlds])
    cost = Bar("links", "What links cost", "cost", paid)
    whole = _sum(parts) + paid
    bars = (*parts, cost, Bar("whole", "From many channels to one firm", "whole", whole))
    return Waterfall("integration", bars)


def together(
    steered: Waterfall, linked: Waterfall | None, worlds: Sequence[World], both: str, game: Game
) -> Waterfall:
    """Return both ways and what they bring only together.

    The interaction is read where steering is that of a centre without the errors of silos;
    nobody has looked for the oracle's split in an integrated firm.
    """
    bars = [replace(steered.whole, part="steering")]
    if linked is not None:
        bars.append(replace(linked.whole, part="integration", kind="part"))
        mended = _earned(worlds, game.name(game.players))
        gross = sum(
            (bar.values for bar in linked.bars if bar.kind == "part"), np.zeros(len(worlds))
        )
        more = _earned(worlds, both) - mended - gross
        bars.append(Bar("interaction", "What both bring only together", "interaction", more))
    bars[0] = replace(bars[0], kind="part")
    return Waterfall("together", (*bars, Bar("whole", "The price of silos", "whole", _sum(bars))))


def _shapley(game: Game, worlds: Sequence[World], labels: Mapping[str, str]) -> list[Bar]:
    """Return the bar of every switch; those that change nothing bring nothing."""
    told = []
    for world in worlds:
        names = game.arms(world.replication)
        worth = {name: world(name).contribution for name in names}
        told.append(game.parts(world.replication, worth))
    return [
        Bar(key, label, "part", np.array([parts.get(key, 0.0) for parts in told]))
        for key, label in labels.items()
    ]


def _earned(worlds: Sequence[World], arm: str) -> np.ndarray:
    return np.array([world(arm).contribution for world in worlds])


def _sum(bars: Sequence[Bar]) -> np.ndarray:
    total: np.ndarray = np.sum([bar.values for bar in bars], axis=0)
    return total


def table(waterfalls: Sequence[Waterfall | None]) -> pd.DataFrame:
    """Return a row per bar, in whole cents that add up as the bars do."""
    rows: list[tuple[object, ...]] = []
    wholes: dict[str, int] = {}
    for waterfall in waterfalls:
        if waterfall is None:
            continue
        exact = [100 * float(np.mean(bar.values)) for bar in waterfall.bars[:-1]]
        cents = to_cents(exact)
        if waterfall.key == "together":  # built of wholes that are in cents already
            keys = [bar.part for bar in waterfall.bars[:-1]]
            cents = [wholes.get(key, cent) for key, cent in zip(keys, cents, strict=True)]
        wholes[waterfall.key] = sum(cents)
        told = zip(waterfall.bars, [*cents, sum(cents)], strict=True)
        for nth, (bar, cent) in enumerate(told, 1):
            _, low, high = interval(bar.values)
            row = (waterfall.key, nth, bar.part, bar.label, bar.kind)
            rows.append((*row, cent / 100, round(low, 2), round(high, 2)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def to_cents(exact: Sequence[float]) -> list[int]:
    """Return whole numbers that add up to the rounded sum: the largest remainders are raised."""
    whole = [math.floor(value) for value in exact]
    left = round(math.fsum(exact)) - sum(whole)
    by_remainder = sorted(range(len(exact)), key=lambda nth: whole[nth] - exact[nth])
    for nth in by_remainder[:left]:
        whole[nth] += 1
    return whole
