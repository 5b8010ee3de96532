"""Shapley values: what each of several switches brings, whatever the order of switching."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence

Coalition = frozenset[str]
Order = tuple[str, ...]


def orders(players: Sequence[str], key: str, pairs: int) -> list[Order]:
    """Return orders of switching: all of them if there are few, else `pairs` and their reverses.

    Drawn by the hash of a key, so that nothing depends on who asks. A reverse has everybody
    late who was early, which takes out much of the luck of the draw (Mitchell, Cooper, Frank
    & Holmes 2022, JMLR 23).
    """
    names = sorted(players)
    if math.factorial(len(names)) <= 2 * pairs:
        return list(itertools.permutations(names))
    drawn = [_shuffled(names, f"{key}/{nth}") for nth in range(pairs)]
    return [one for order in drawn for one in (order, order[::-1])]


def _shuffled(names: Sequence[str], key: str) -> Order:
    return tuple(sorted(names, key=lambda name: hashlib.sha256(f"{key}/{name}".encode()).digest()))


def coalitions(drawn: Sequence[Order]) -> set[Coalition]:
    """Return every set of switches that is on at some moment in some order."""
    return {frozenset(order[:size]) for order in drawn for size in range(len(order) + 1)}


def values(drawn: Sequence[Order], worth: Mapping[Coalition, float]) -> dict[str, float]:
    """Return the mean over orders of what is gained when a switch is turned on.

    In every order, hence also in the mean, gains add up to what all switches bring together.
    """
    gained: dict[str, float] = {}
    for order in drawn:
        for size, name in enumerate(order):
            before, after = frozenset(order[:size]), frozenset(order[: size + 1])
            gain = (worth[after] - worth[before]) / len(drawn)
            gained[name] = gained.get(name, 0.0) + gain
    return gained
