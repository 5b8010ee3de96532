"""What answers to media: whoever lives by the clock, people or curves in their place."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from omnisim.paths import Rule
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

    A day is `dawn`, `live`, `dusk`; a week ends with `close_week`.
    """

    def born(self, day: int) -> Living:
        """Return the state on the first morning."""
        ...

    def adopt(self, strategy: Strategy) -> None:
        """Live under a strategy from now on."""
        ...

    def dawn(
        self, state: Any, day: int, planned: np.ndarray, spent: np.ndarray, wander: np.ndarray
    ) -> None:
        """Fix at midnight what the day will bring, from the week's cents (int64[media])."""
        ...

    def live(self, state: Any) -> None:
        """Live today."""
        ...

    def dusk(self, state: Any) -> np.ndarray:
        """Book the day and return what is charged (int64[media], cents)."""
        ...

    def close_week(
        self, state: Any, week: int, planned: np.ndarray, spent: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, dict[str, float], np.ndarray]:
        """Return the week's rows of media and channels, the company's columns and credit.

        Credit is float64[rules, media, CREDIT_COLUMNS] by the rules of paths.
        """
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
