"""A person's day, lived again: from the same morning, alone, with empty books.

Persons touch each other at midnight only and luck has an address, so that whoever lives
their day once more lives the same one; what stands in the books is then theirs alone, and
the world goes on as if nobody had looked.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np

from omnisim import streams
from omnisim.journeys.books import MOST_STEPS
from omnisim.simulation.crowd import Crowd, CrowdState

HALF = 0.5


@dataclass(frozen=True)
class Lived:
    """What one day did to one person and, through this person, to the books.

    `before` and `after` the person's record, `felt` and `feels` float32[media] goodwill,
    `heard` int32[2] the letters that lay there, `wrote` int32[2, people] those for
    tomorrow; `media`, `channels`, `company` the day's books.
    """

    day: int
    before: np.record
    after: np.record
    felt: np.ndarray
    feels: np.ndarray
    heard: np.ndarray
    wrote: np.ndarray
    media: np.ndarray
    channels: np.ndarray
    company: np.ndarray


def again(
    crowd: Crowd,
    morning: CrowdState,
    row: int,
    keys: np.ndarray | None = None,
    **rules: float,
) -> Lived:
    """Return the day that a row had after a morning, perhaps by other luck and other rules.

    To be asked between that day's dusk and the next dawn: prices, claims and pressure of the
    day are the crowd's.
    """
    alone, state, day = copy.copy(crowd), morning.copy(), crowd.today.day
    books = {name: np.zeros_like(getattr(crowd.today, name)) for name in BOOKS}
    alone.today = replace(crowd.today, **books)
    own = crowd.world.rules.copy()
    for name, value in rules.items():
        own[name] = value
    alone.world = replace(crowd.world, rules=own)
    alone.live_rows(state, row, row + 1, keys)
    letters, later = morning.people.letters, state.people.letters
    return Lived(
        day,
        before=morning.people.state[row].copy(),
        after=state.people.state[row].copy(),
        felt=morning.people.goodwill[:, row].copy(),
        feels=state.people.goodwill[:, row].copy(),
        heard=letters[day & 1, :, row].copy() if letters.size else np.zeros(2, np.int32),
        wrote=later[(day + 1) & 1] - letters[(day + 1) & 1],
        media=books["media"].sum(axis=0),  # a person lives in one region
        channels=books["channels"].sum(axis=0),
        company=books["company"],
    )


BOOKS = ("media", "channels", "company")


def stopping(crowd: Crowd, me: np.uint32, touches: int) -> np.ndarray:
    """Return the day's luck, by which a walk ends the day after so many contacts at most.

    Holds beside the rule that half of the contacts are followed by another one at once.
    """
    keys = streams.keys(crowd.root, crowd.today.day)
    same_day = crowd.world.rules[0].same_day
    with np.errstate(over="ignore"):
        for nth in range(MOST_STEPS):
            luck = _luck(keys[streams.SAME_DAY + nth], me)
            goes_on = nth + 1 < touches and luck < same_day
            keys[streams.SAME_DAY + nth] = _key(me, goes_on)
    return keys


def _key(me: np.uint32, goes_on: bool) -> np.uint64:
    """Return a key whose draw for this person is below a half, or is not."""
    key = np.uint64(1)
    while (_luck(key, me) < HALF) != goes_on:
        key += np.uint64(1)
    return key


def _luck(key: np.uint64, me: np.uint32) -> float:
    # outside of a kernel what another one returns is a Python integer
    return streams.high(np.uint64(streams.draw(key, me)))
