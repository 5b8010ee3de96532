"""The floor: a day that reads and writes omnisim's own columns and draws one number a person.

No engine that keeps the same columns can be faster; nothing is simulated.
"""

from __future__ import annotations

import numpy as np

from omnisim import streams
from omnisim.bench.small import NOTHING, Counts
from omnisim.people import People
from omnisim.streams import draw, high, kernel


class Floor:
    """omnisim's people without a life."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.day = 0
        self.drawn = 0.0

    def step(self) -> None:
        """Let a day pass."""
        who, key = self.people, streams.keys(np.uint64(0), self.day)[streams.DAILY]
        with np.errstate(over="ignore"):
            self.drawn += touch(key, who.ids, who.state, who.need, who.goodwill, who.viewed)
        self.day += 1

    def counts(self) -> Counts:
        """Return nothing: nothing happens."""
        return NOTHING


@kernel
def touch(
    key: np.uint64,
    ids: np.ndarray,
    state: np.ndarray,
    need: np.ndarray,
    goodwill: np.ndarray,
    viewed: np.ndarray,
) -> float:
    """Read and write what a day reads and writes; return the sum of one draw per person."""
    for m in range(len(goodwill)):
        for i in range(len(ids)):
            goodwill[m, i] = goodwill[m, i] * np.float32(0.875)
            viewed[m, i] = viewed[m, i] + np.int16(1)
    total = 0.0
    for i in range(len(ids)):
        person = state[i]
        chance = high(draw(key, ids[i]))
        person.satisfaction = person.satisfaction + need[i]
        total += chance
    return total
