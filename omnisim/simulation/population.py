"""What answers to media: whoever lives by the clock, people or curves in their place."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from omnisim.paths import Rule
from omnisim.records import Week
from omnisim.simulation.crowd import Crowd
from omnisim.simulation.textbook import Textbook
from omnisim.spec import Market, Strategy, TextbookMarket


class Living(Protocol):
    """What living changes, in plain arrays and numbers."""

    def copy(self) -> Living:
        """Return a state that can go its own way."""
        ...


class Population(Protocol):
    """Those who answer, under a strategy; each takes only the state that it has born.

    `half_shares` float64[HALVES] is the part of them in each half of the regions.

    A day is `dawn`, `live`, `dusk`; a week ends with `close_week`.
    """

    @property
    def half_shares(self) -> np.ndarray:
        """Return which part of all lives in each half of the regions (0: nobody)."""
        ...

    def born(self, day: int) -> Living:
        """Return the state on the first morning."""
        ...

    def adopt(self, strategy: Strategy) -> None:
        """Live under a strategy from now on."""
        ...

    def dawn(
        self,
        state: Any,
        day: int,
        planned: np.ndarray,
        spent: np.ndarray,
        wander: np.ndarray,
        tilt: np.ndarray,
    ) -> None:
        """Fix at midnight what the day will bring, from the week's cents (int64[media])."""
        ...

    def live(self, state: Any) -> None:
        """Live today."""
        ...

    def dusk(self, state: Any) -> np.ndarray:
        """Book the day and return what is charged (int64[media], cents)."""
        ...

    def close_week(self, state: Any, week: int, planned: np.ndarray, spent: np.ndarray) -> Week:
        """Return the week at the real firm's size and begin an empty one."""
        ...


def population(
    market: Market | TextbookMarket,
    root: np.uint64,
    history_days: int,
    rules: tuple[Rule, ...] = (),
) -> Population:
    """Return those who answer in a market of this kind; `rules` of paths may be asked for."""
    if isinstance(market, TextbookMarket):
        return Textbook(market, root, history_days)
    return Crowd(market, root, history_days, rules)
