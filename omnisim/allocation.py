"""Pure rules of allocation: what was seen goes in, shares of a budget come out.

Departments and the centre call the same `decide`; only the scope of their views differs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from omnisim.curves import Curve
from omnisim.spec import Steering

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

FAST = 10.0  # the fast pace of drift, as a multiple of the slow one
ODDS = 10.0  # prior odds that drift is slow
PASSES = 3  # noise and response are estimated in turn, each given the other
FEWEST_ROWS = 3
SATED = 0.98  # a medium that spends a smaller part of its plan than this cannot take more
NEGLIGIBLE = 0.01  # rows that forgetting has made lighter than this are left out


@dataclass(frozen=True)
class View:
    """What a decider sees of its scope, and nothing else.

    `media` is sorted; `spend` (EUR planned for each week) and `credit` (reported orders a
    week, as late and as noisy as the decider gets them) are float64[weeks, media];
    `weeks_ago` is the age of each row; `shares` the present plan; `used` float64[weeks,
    media] what of the plan was spent. Rules learn from planned money: demand moves what a
    medium manages to spend together with credit, and one that cannot spend more would look
    as if more money bought more orders.
    """

    media: tuple[str, ...]
    spend: Floats
    credit: Floats
    weeks_ago: Whole
    shares: Floats
    used: Floats


def decide(view: View, steering: Steering) -> Floats:
    """Return new shares of the scope's budget (float64[media], sum 1).

    Without a visible row, or without credit in the last review window, the plan stays.
    """
    if len(view.media) == 1:
        return np.ones(1)
    if len(view.weeks_ago) == 0:
        return view.shares.copy()
    order = _by_content(view)
    shares, spend, credit = view.shares[order], view.spend[:, order], view.credit[:, order]
    window = view.weeks_ago < view.weeks_ago.min() + steering.review_weeks
    worth = credit[window].sum(axis=0)
    if steering.rule == "marginal":
        worth = worth * elasticities(spend, credit, view.weeks_ago, steering)
    total = worth.sum()
    most = _capacity(spend[window].sum(axis=0), view.used[window][:, order].sum(axis=0))
    decided: Floats = np.empty_like(shares)
    decided[order] = step(shares, worth / total, most, steering) if total > 0 else shares
    return decided


def believed(view: View, steering: Steering) -> Floats:
    """Return the marginal CPO in which the rule believes (EUR per order, float64[media]).

    Empty (NaN) where the last review window shows no credit.
    """
    if len(view.weeks_ago) == 0:
        return np.full(len(view.media), np.nan)
    window = view.weeks_ago < view.weeks_ago.min() + steering.review_weeks
    orders = view.credit[window].sum(axis=0)
    if steering.rule == "marginal":
        orders = orders * elasticities(view.spend, view.credit, view.weeks_ago, steering)
    spend = view.spend[window].sum(axis=0)
    belief: Floats = np.where(orders > 0, spend / np.where(orders > 0, orders, 1.0), np.nan)
    return belief


def _capacity(planned: Floats, used: Floats) -> Floats:
    """Return the largest share that each medium could spend (infinite where it spent its plan)."""
    sated = used < SATED * planned
    most: Floats = np.where(sated, used / max(planned.sum(), 1e-9), np.inf)
    return most


def equal(view: View) -> Floats:
    """Return the same share for every medium of the scope (float64[media])."""
    return np.full(len(view.media), 1 / len(view.media))


def step(shares: Floats, target: Floats, most: Floats, steering: Steering) -> Floats:
    """Return the shares after one damped step towards a target.

    No medium falls below the floor, gets more than `most`, or moves by more than `step`
    times its own share; what the bounds leave over or short is spread in proportion. The
    floor wins over the rest, and money that sated media leave wins over the step.
    """
    floor = min(steering.floor, 1 / len(shares))
    low = np.maximum(floor, np.minimum(most, shares * (1 - steering.step)))
    high = np.maximum(floor, np.minimum(most, shares * (1 + steering.step)))
    if low.sum() > 1:
        low, high = np.full_like(shares, floor), np.ones_like(shares)
    if high.sum() < 1:
        high = np.where(np.isinf(most), 1.0, high)
    if high.sum() < 1:  # nobody can take more: the plan stays and the rest goes unspent
        return shares.copy()
    wanted = np.maximum(shares + steering.damping * (target - shares), 1e-12)
    # The sum is piecewise linear in the common factor: its corners are the bounds.
    factors = np.sort(np.concatenate([low / wanted, high / wanted]))
    totals = np.clip(factors[:, None] * wanted, low, high).sum(axis=1)
    stepped: Floats = np.clip(np.interp(1.0, totals, factors) * wanted, low, high)
    return stepped


def elasticities(spend: Floats, credit: Floats, weeks_ago: Whole, steering: Steering) -> Floats:
    """Return the learned elasticity of credit to spend (float64[media], at least 0).

    Bayesian regression of log credit on log spend, all media jointly. Each medium has a
    level of its own that drifts, at one of two paces that are weighted by their evidence,
    so that drift is not mistaken for response; a movement that all media share in a week
    (demand, season) is taken out as far as it exceeds their noise.
    """
    learned: Floats = np.full(spend.shape[1], steering.elasticity_mean)
    weight = steering.forgetting ** (weeks_ago - weeks_ago.min())
    rows = weight >= NEGLIGIBLE
    seen = (credit[rows] > 0).any(axis=0) & (spend[rows] > 0).any(axis=0)
    if rows.sum() < FEWEST_ROWS or not seen.any():
        return learned
    weight, ages = weight[rows], weeks_ago[rows]
    spend, credit = spend[rows][:, seen], credit[rows][:, seen]
    counts = (weight[:, None] * credit).sum(axis=0) / weight.sum() + 0.5
    x, y = _logs(spend, spend > 0), _logs(credit + 0.5, spend > 0)
    slow = 1 - steering.forgetting
    (by_slow, evidence), (by_fast, rival) = (
        _posterior(*_surprises(x, y, weight, ages, pace), counts, steering)
        for pace in (slow, min(1.0, FAST * slow))
    )
    odds = ODDS * math.exp(min(500.0, evidence - rival))
    learned[seen] = np.maximum((odds * by_slow + by_fast) / (odds + 1), 0.0)
    return learned


def _surprises(
    x: Floats, y: Floats, weight: Floats, ages: Whole, pace: float
) -> tuple[Floats, Floats, Floats]:
    """Return x and y less what each medium's past foretold, scaled to equal variance.

    The forecast is exponential smoothing, the right filter for a level that walks
    randomly (Muth 1960, JASA 55); at a pace of 0 the level stands still.
    """
    lag = ages[None, :] - ages[:, None]
    memory = np.where(lag > 0, (1 - pace) ** np.maximum(lag - 1.0, 0.0), 0.0)
    total = memory.sum(axis=1, keepdims=True)
    later = total[:, 0] > 0
    memory = memory[later] / total[later]
    scale = np.sqrt(1 + (memory**2).sum(axis=1, keepdims=True))
    return (
        (x[later] - np.einsum("st,ti->si", memory, x)) / scale,
        (y[later] - np.einsum("st,ti->si", memory, y)) / scale,
        weight[later],
    )


def _posterior(
    x: Floats, y: Floats, weight: Floats, counts: Floats, steering: Steering
) -> tuple[Floats, float]:
    """Return the posterior mean elasticities and the log evidence for the rows.

    The variance of log credit is 1 / count, plus a part of its own that is alike for all
    media, plus a part that they share in a week; both by the method of moments
    (DerSimonian & Laird 1986, Controlled Clinical Trials 7). Evidence looks only at what
    sets the media apart.
    """
    weeks, media, doubt = weight.sum(), len(counts), steering.elasticity_sd**2
    room = counts.sum() - (counts**2).sum() / counts.sum()
    spread = np.einsum("t,ti,tj->ij", weight, x, x)
    mean = np.full(media, steering.elasticity_mean)
    for _ in range(PASSES):
        rest = y - mean * x
        apart = rest - (rest * counts).sum(axis=1, keepdims=True) / counts.sum()
        excess = np.einsum("t,ti,i->", weight, apart**2, counts) / weeks - (media - 1)
        own = max(0.0, excess / room) if media > 1 else 0.0
        precise = 1 / (1 / counts + own)
        common = (rest * precise).sum(axis=1) / precise.sum()
        shared = max(0.0, (weight * common**2).sum() / weeks - 1 / precise.sum())
        removed = shared / (1 + shared * precise.sum())
        known = np.diag(precise * np.diag(spread)) - removed * np.outer(precise, precise) * spread
        clean = y - removed * (y * precise).sum(axis=1, keepdims=True)
        told = precise * np.einsum("t,ti,ti->i", weight, x, clean)
        mean = np.linalg.solve(
            known + np.eye(media) / doubt, told + steering.elasticity_mean / doubt
        )
    left = y - mean * x
    square = (left**2 * precise).sum(axis=1) - (left * precise).sum(axis=1) ** 2 / precise.sum()
    size = math.log(precise.sum()) - np.log(precise).sum()
    return mean, -0.5 * float((weight * square).sum() + weeks * size)


def _logs(values: Floats, bought: npt.NDArray[np.bool_]) -> Floats:
    """Return logs; a week in which a medium was not bought gets its mean: it says nothing."""
    logs = np.log(np.where(bought, values, 1.0))
    filled: Floats = np.where(bought, logs, logs.sum(axis=0) / bought.sum(axis=0))
    return filled


def _by_content(view: View) -> npt.NDArray[np.intp]:
    """Return an order of the media that depends on their numbers, never on their names.

    Sums then run in the same order under any labels, so that renaming changes no bit.
    """
    return np.lexsort(np.vstack([view.spend, view.credit, view.shares]))


def largest_remainder(cents: int, shares: Sequence[float] | Floats) -> Whole:
    """Split cents by shares of any scale: exact sum, each within a cent (int64[shares]).

    Ties go to the first, so hand shares over sorted by key. Raises ValueError for negative
    or infinite numbers, and for cents of which nobody has a share.
    """
    if cents < 0 or not all(0 <= share < math.inf for share in shares):
        raise ValueError("cents and shares must be finite and at least 0")
    exact = [Fraction(float(share)) for share in shares]
    total = sum(exact)
    if total == 0:
        if cents > 0:
            raise ValueError(f"nobody has a share of {cents} cents")
        return np.zeros(len(exact), np.int64)
    quotas = [cents * share / total for share in exact]
    split = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(exact)), key=lambda nth: split[nth] - quotas[nth])
    for nth in by_remainder[: cents - sum(split)]:
        split[nth] += 1
    return np.array(split, np.int64)


def best_split(curves: Sequence[Curve], budget: float) -> Floats:
    """Return the spends that cause most orders (float64[curves], EUR, sum `budget`).

    Concave curves only: marginal returns are made equal by bisection on their common
    level, and a curve whose first euro returns less gets nothing (water-filling).
    """
    if budget <= 0:
        return np.zeros(len(curves))

    def spends(log_slope: float) -> Floats:
        return np.array([curve.spend_at(math.exp(log_slope)) for curve in curves])

    low, high = -1.0, 1.0
    while spends(low).sum() < budget:
        low *= 2
    while spends(high).sum() > budget:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if spends(middle).sum() > budget else (low, middle)
    best: Floats = spends(low)
    return best * (budget / math.fsum(best))
