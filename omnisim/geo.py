"""Geo experiments: what two halves of the regions, paid differently, tell of money.

Those who decide by them read the orders of each half and nothing that media are credited with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from omnisim.spec import HALVES

Floats = npt.NDArray[np.float64]
SAME = 1e-9  # plans of two halves that differ by less are no test
MOVED = 0.1  # of the budget, from one medium to another: the move that is tried
FADES, NARROWS, SETTLES = 0.602, 0.101, 2.0  # Spall 1998: steps, tests, iterations before them
DOUBT = 0.5  # prior standard deviation of what a whole budget adds to the log of orders


@dataclass(frozen=True)
class Seen:
    """What weeks of geo experiments show.

    `plans` float64[weeks, HALVES, media] the plan a head in each half, as shares of the
    budget; `orders` float64[weeks, HALVES] as reported; `parts` float64[HALVES] which part
    of all people lives there; `weights` float64[weeks] how much of a week is remembered;
    `luck` float64[media] standard normal numbers of today.
    """

    plans: Floats
    orders: Floats
    parts: Floats
    weights: Floats
    luck: Floats

    @property
    def tested(self) -> npt.NDArray[np.bool_]:
        """Tell in which weeks the halves were paid differently."""
        differs: npt.NDArray[np.bool_] = np.abs(np.diff(self.plans, axis=1)).max(axis=(1, 2)) > SAME
        return differs

    def gains(self) -> tuple[Floats, float]:
        """Return by how much the first half did better than usual, and its weekly variance.

        float64[weeks], in logs of orders: against the weeks in which both halves were paid
        alike; against their people where there are fewer than two such weeks.
        """
        ratio = np.log(np.maximum(self.orders[:, 0], 1.0) / np.maximum(self.orders[:, 1], 1.0))
        usual = ratio[~self.tested]
        if len(usual) < 2:
            return ratio - math.log(self.parts[0] / self.parts[1]), _counting(self.orders)
        return ratio - usual.mean(), max(float(usual.var(ddof=1)), _counting(self.orders))


def _counting(orders: Floats) -> float:
    """Return the variance of the log of two Poisson counts' ratio, in a usual week."""
    return float((1 / np.maximum(orders, 1.0)).sum(axis=1).mean()) if len(orders) else 1.0


def target(rule: str, seen: Seen, shares: Floats, window: int, gain: float) -> Floats:
    """Return the plan to which what was tried points (float64[media], sum 1).

    `window` is how many of the newest weeks count as one test.
    """
    if not seen.tested.any():
        return shares.copy()
    if rule == "spsa":
        pull = _spsa_gradient(seen, window)
        goal = shares * np.exp(_fading(gain, seen, window) * pull)
    else:
        mean, _ = _belief(seen)
        newest = seen.plans[np.flatnonzero(seen.tested)[-1]]
        goal = newest[0] if mean @ (newest[0] - newest[1]) > 0 else newest[1]
    normed: Floats = goal / goal.sum()
    return normed


def trial(rule: str, seen: Seen, shares: Floats, window: int, size: float) -> Floats:
    """Return the plans to try next in each half (float64[HALVES, media], sums 1).

    Simultaneous perturbation (Spall 1998) raises a random half of the media and lowers the
    others, in one half of the regions, and the other way round in the other. Thompson
    sampling (Thompson 1933) moves a tenth of the budget, or what there is, in the first half,
    between the two media where a draw from what is believed promises most.
    """
    if rule == "spsa":
        rounds = seen.tested.sum() // window
        width = size / (rounds + 1) ** NARROWS
        signs = np.where(seen.luck > 0, 1.0, -1.0)
        tried = shares * np.exp(width * np.outer([1.0, -1.0], signs))
        normed: Floats = tried / tried.sum(axis=1, keepdims=True)
        return normed
    mean, root = _belief(seen)
    drawn = mean + root @ seen.luck
    giver, taker = int(np.argmin(drawn)), int(np.argmax(drawn))
    tried = np.tile(shares, (HALVES, 1))
    moved = min(MOVED, 0.9 * shares[giver])
    tried[0, giver] -= moved
    tried[0, taker] += moved
    return tried


def _fading(gain: float, seen: Seen, window: int) -> float:
    rounds = max(0, seen.tested.sum() // window - 1)
    return float(gain / (rounds + 1 + SETTLES) ** FADES)


def _spsa_gradient(seen: Seen, window: int) -> Floats:
    """Return what the log of orders gains by the log of every share (float64[media])."""
    newest = np.flatnonzero(seen.tested)[-window:]
    gains, _ = seen.gains()
    logs = np.log(np.maximum(seen.plans[newest], SAME))
    apart = logs[:, 0] - logs[:, 1]
    slopes = gains[newest, None] * np.sign(apart) / np.maximum(np.abs(apart), SAME)
    gradient: Floats = slopes.mean(axis=0)
    return gradient


def _belief(seen: Seen) -> tuple[Floats, Floats]:
    """Return what a whole budget in each medium adds to the log of orders, as believed.

    Mean float64[media] and a root of the covariance, by Bayesian linear regression of gains
    on what the halves were paid differently.
    """
    gains, variance = seen.gains()
    apart = (seen.plans[:, 0] - seen.plans[:, 1])[seen.tested]
    told = (seen.weights[seen.tested, None] * apart).T / variance
    precision = np.eye(len(told)) / DOUBT**2 + told @ apart
    mean = np.asarray(np.linalg.solve(precision, told @ gains[seen.tested]), float)
    root = np.asarray(np.linalg.inv(np.linalg.cholesky(precision)).T, float)
    return mean, root


def believed(seen: Seen, budget: float) -> Floats:
    """Return the marginal CPO that the tests make believe in (EUR, float64[media]).

    `budget` in EUR a week. Empty (NaN) where more money seems to bring no order, and before
    the first test.
    """
    if not seen.tested.any():
        return np.full(seen.plans.shape[2], np.nan)
    mean, _ = _belief(seen)
    orders = mean * float(seen.orders.sum(axis=1).mean())
    belief: Floats = np.where(orders > 0, budget / np.where(orders > 0, orders, 1.0), np.nan)
    return belief


def caused(seen: Seen, off: npt.NDArray[np.bool_]) -> Floats:
    """Return the orders a week that each medium causes, by hold-outs (float64[media]).

    `off` bool[weeks, media] says which medium the first half of the regions did without.
    Media that were never held out are unknown (NaN). What a medium causes later than its test
    lasts is not seen.
    """
    gains, _ = seen.gains()
    told = np.full(off.shape[1], np.nan)
    for m in np.flatnonzero(off.any(axis=0)):
        weeks = off[:, m]
        whole = seen.orders[weeks, 1] / seen.parts[1]
        told[m] = max(0.0, float(np.mean((1 - np.exp(gains[weeks])) * whole)))
    return told
