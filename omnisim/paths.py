"""Paths to an order: which media were touched in which order, and rules that divide the credit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from omnisim.spec import CreditKind, Strategy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
HALF_LIFE = 7.0  # of time decay, in days
ENDS = 0.4  # what the first and the last touch of three or more get each


@dataclass(frozen=True, order=True)
class Rule:
    """How orders are divided: by a kind, within each group of media (their sorted indices)."""

    kind: CreditKind
    groups: tuple[tuple[int, ...], ...]


def rule_of(strategy: Strategy, media: Iterable[str]) -> Rule | None:
    """Return the rule by which a strategy divides orders; None if it asks for no paths."""
    if not strategy.attribution.needs_paths:
        return None
    names = sorted(media)
    groups = [tuple(range(len(names)))]
    if strategy.attribution.by_department:
        groups = [
            tuple(m for m, name in enumerate(names) if name in unit.owns)
            for _, unit in sorted(strategy.organigram.items())
        ]
    return Rule(strategy.attribution.kind, tuple(group for group in groups if group))


@dataclass(frozen=True)
class Paths:
    """Touched contacts at which an order was decided, one a row.

    `touched` int64[paths, media] says when each medium was touched last: later is larger,
    0 is never; `ages` float64[paths, media] how many days ago. `tried` and `orders`
    int64[paths] weigh the decision and the order in one unit, whole, so that no order of
    adding shows; orders are at most tried.
    """

    touched: Ints
    ages: Floats
    tried: Ints
    orders: Ints

    def among(self, media: Iterable[int]) -> Paths:
        """Return the paths as seen by somebody who knows these media only."""
        known = np.zeros(self.touched.shape[1], bool)
        known[list(media)] = True
        touched = self.touched * known
        rows = touched.any(axis=1)
        return Paths(touched[rows], self.ages[rows], self.tried[rows], self.orders[rows])

    def steps(self) -> tuple[Ints, Ints]:
        """Return media in the order of touch and the lengths (int64[paths, media], [paths]).

        What stands behind the length of a path was not touched.
        """
        when = np.where(self.touched > 0, self.touched, np.iinfo(np.int64).max)
        return np.argsort(when, axis=1, kind="stable"), (self.touched > 0).sum(axis=1)


def credit(rule: Rule, paths: Paths) -> Floats:
    """Return the orders that a rule credits each medium with (float64[media]).

    Within a group of media it adds up to the orders that one of them has touched.
    """
    total = np.zeros(paths.touched.shape[1])
    for group in rule.groups:
        total += _divided(rule.kind, paths.among(group))
    return total


def _divided(kind: CreditKind, paths: Paths) -> Floats:
    orders = float(paths.orders.sum())
    if orders == 0:
        return np.zeros(paths.touched.shape[1])
    match kind:
        case "markov":
            return orders * _normed(removal_effects(paths))
        case "shapley":
            return orders * _normed(np.maximum(shapley_values(paths), 0.0))
        case "claims" | "experiment":
            raise ValueError(f"{kind} divides no path")
        case _:
            return _by_place(kind, paths)


def _normed(values: Floats) -> Floats:
    normed: Floats = values / values.sum()
    return normed


def _by_place(
    kind: Literal["first_touch", "last_touch", "linear", "position", "time_decay"], paths: Paths
) -> Floats:
    """Divide every order by where on its path, or how long ago, a medium was touched."""
    steps, lengths = paths.steps()
    place, length = np.arange(steps.shape[1])[None, :], lengths[:, None]
    first, last = place == 0, place == length - 1
    match kind:
        case "first_touch":
            weights = first.astype(float)
        case "last_touch":
            weights = last.astype(float)
        case "linear":
            weights = np.ones(steps.shape)
        case "position":
            between = (1 - 2 * ENDS) / np.maximum(length - 2, 1)
            weights = np.where(first | last, ENDS, between)
        case "time_decay":
            weights = 2.0 ** (-np.take_along_axis(paths.ages, steps, axis=1) / HALF_LIFE)
    weights = np.where(place < length, weights, 0.0)
    shares = weights / weights.sum(axis=1, keepdims=True) * paths.orders[:, None]
    divided = np.zeros(steps.shape[1])
    np.add.at(divided, steps, shares)
    return divided


def removal_effects(paths: Paths) -> Floats:
    """Return the share of orders lost if nobody got past a medium (float64[media]).

    Markov chain of the first order over start, media, order and none (Anderl et al. 2016).
    """
    media = paths.touched.shape[1]
    steps, lengths = paths.steps()
    rows = np.arange(len(steps))
    start, buys, seen = (np.zeros(media, np.int64) for _ in range(3))
    goes = np.zeros((media, media), np.int64)
    np.add.at(start, steps[:, 0], paths.tried)
    np.add.at(buys, steps[rows, lengths - 1], paths.orders)
    for nth in range(media):
        on, further = lengths > nth, lengths > nth + 1
        np.add.at(seen, steps[on, nth], paths.tried[on])
        if further.any():
            np.add.at(goes, (steps[further, nth], steps[further, nth + 1]), paths.tried[further])
    met = np.maximum(seen, 1)
    chances, buying = goes / met[:, None], buys / met
    without = np.repeat((np.eye(media) - chances)[None], media + 1, axis=0)
    begins = np.repeat(start[None].astype(float), media + 1, axis=0)
    for m in range(media):
        without[m, :, m] = np.eye(media)[m]
        begins[m, m] = 0.0
    ends = np.linalg.solve(without, np.repeat(buying[None, :, None], media + 1, axis=0))
    reached = (begins * ends[:, :, 0]).sum(axis=1)
    lost: Floats = np.maximum(1 - reached[:-1] / reached[-1], 0.0)
    return lost


def shapley_values(paths: Paths) -> Floats:
    """Return the Shapley value of every medium (float64[media]), in orders.

    Had only the media of a coalition been there, a path would have touched those of its
    media that are in it, and would have ended as paths do that touched just these (Dalessandro
    et al. 2012; where there are none, as those that touched no others; untouched: never). By
    linearity the value is the sum over coalitions of Harsanyi's dividend, shared equally,
    times the decisions on whose path the coalition is.
    """
    media = paths.touched.shape[1]
    code = (paths.touched > 0) @ (1 << np.arange(media))
    tried, orders = (np.zeros(1 << media, np.int64) for _ in range(2))
    np.add.at(tried, code, paths.tried)
    np.add.at(orders, code, paths.orders)
    within = _over_subsets(orders, 1) / np.maximum(_over_subsets(tried, 1), 1)
    rate = np.where(tried > 0, orders / np.maximum(tried, 1), within)
    on_path = _over_subsets(tried[::-1], 1)[::-1]
    member = (np.arange(1 << media)[:, None] >> np.arange(media)) & 1
    shared = _over_subsets(rate, -1) * on_path / np.maximum(member.sum(axis=1), 1)
    values: Floats = shared @ member
    return values


def _over_subsets(values: npt.NDArray[np.generic], sign: int) -> np.ndarray:
    """Return the sum of a set's subsets (zeta transform), or with sign -1 what undoes it."""
    sums = np.array(values)
    width = 1
    while width < len(sums):
        pairs = sums.reshape(-1, 2, width)
        pairs[:, 1] += sign * pairs[:, 0]
        width *= 2
    return sums
