"""Pure rules of allocation: what was seen goes in, shares of a budget come out.

Departments and the centre call the same `decide`; only the scope of their views differs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from omnisim import geo
from omnisim.curves import Curve
from omnisim.spec import WEEKS_IN_YEAR, Steering

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FAST = 10.0  # the fast pace of drift, as a multiple of the slow one
ODDS = 10.0  # prior odds that drift is slow
PASSES = 3  # noise and response are estimated in turn, each given the other
FEWEST_ROWS = 3
SATED = 0.98  # a medium that spends a smaller part of its plan than this cannot take more
COARSE, FINER, ROUNDS = 400, 8, 7  # parts of the budget that are tried, then parts of a part
BISECTIONS = 40
NEGLIGIBLE = 0.01  # rows that forgetting has made lighter than this are left out


@dataclass(frozen=True)
class View:
    """What a decider sees of its scope, and nothing else.

    `media` is sorted; `spend` (EUR planned for each week) and `credit` (reported orders a
    week, as late and as noisy as the decider gets them) are float64[weeks, media];
    `weeks_ago` is the age of each row; `shares` the present plan; `used` float64[weeks,
    media] what of the plan was spent; `seen` the geo experiments of those who decide by
    them; `sales` float64[weeks, 2] all orders and their gross value (EUR), for those who may
    hold money back. Rules learn from planned money: demand moves what a medium manages to spend
    together with credit, and one that cannot spend more would look as if more money bought
    more orders.
    """

    media: tuple[str, ...]
    spend: Floats
    credit: Floats
    weeks_ago: Whole
    shares: Floats
    used: Floats
    seen: geo.Seen | None = None
    sales: Floats = field(default_factory=lambda: np.zeros((0, 2)))


def part(view: View, media: Sequence[int]) -> View:
    """Return a view of some media of a view, as if there were no others."""
    rows = list(media)
    shares = view.shares[rows]
    return View(
        tuple(view.media[row] for row in rows),
        view.spend[:, rows],
        view.credit[:, rows],
        view.weeks_ago,
        shares / shares.sum(),
        view.used[:, rows],
    )


def decide(view: View, steering: Steering) -> Floats:
    """Return new shares of the scope's budget (float64[media], sum 1).

    Without a visible row, or without credit in the last review window, the plan stays, as
    far as caps allow it.
    """
    if len(view.media) == 1:
        return np.ones(1)
    if len(view.weeks_ago) == 0:
        return _within(view.shares, caps(view, steering))
    if view.seen is not None:
        return _tested(view, view.seen, steering)
    order = _by_content(view)
    shares, spend, credit = view.shares[order], view.spend[:, order], view.credit[:, order]
    window = view.weeks_ago < view.weeks_ago.min() + steering.review_weeks
    worth = credit[window].sum(axis=0)
    paid = spend[window].sum(axis=0)
    if steering.rule == "marginal":
        learned = elasticities(
            spend, credit, view.weeks_ago, steering, prior(view, steering)[order]
        )
        worth = worth * learned
    if steering.rule == "average_cpo":
        worth = np.where(paid > 0, worth / np.where(paid > 0, paid, 1.0), 0.0)
    total = worth.sum()
    most = _capacity(paid, view.used[window][:, order].sum(axis=0))
    cap = caps(view, steering)[order]
    decided: Floats = np.empty_like(shares)
    if total > 0:
        decided[order] = step(shares, evened(worth / total, steering), most, steering, cap)
    else:
        decided[order] = _within(shares, cap)
    return decided


def _tested(view: View, seen: geo.Seen, steering: Steering) -> Floats:
    """Return shares a step towards what geo experiments point to."""
    window = view.weeks_ago < view.weeks_ago.min() + steering.review_weeks
    most = _capacity(view.spend[window].sum(axis=0), view.used[window].sum(axis=0))
    goal = geo.target(steering.geo, seen, view.shares, steering.review_weeks, steering.gain)
    return step(view.shares, evened(goal, steering), most, steering, caps(view, steering))


def trial(view: View, seen: geo.Seen, shares: Floats, steering: Steering) -> Floats:
    """Return the plans to try in each half of the regions (float64[HALVES, media], sums 1)."""
    window, size = steering.review_weeks, steering.exploration
    tried = geo.trial(steering.geo, seen, shares, window, size)
    low = np.full(len(shares), min(steering.floor, 1 / len(shares)))
    cap = np.minimum(caps(view, steering), 1.0)
    return np.array([_fitted(np.maximum(plan, 1e-12), low, cap) for plan in tried])


def worth(view: View, steering: Steering) -> Floats:
    """Return what every medium's next share of money is worth (float64[media], orders).

    Learned elasticity times the credit of the last review window: where money over worth
    is alike, the next credited order costs the same.
    """
    if len(view.weeks_ago) == 0:
        return np.zeros(len(view.media))
    order = _by_content(view)
    spend, credit = view.spend[:, order], view.credit[:, order]
    window = view.weeks_ago < view.weeks_ago.min() + steering.review_weeks
    orders: Floats = np.empty(len(order))
    orders[order] = credit[window].sum(axis=0)
    if steering.rule == "marginal":
        told = prior(view, steering)[order]
        orders[order] *= elasticities(spend, credit, view.weeks_ago, steering, told)
    return orders


def quote(view: View, steering: Steering) -> float:
    """Return the marginal CPO at which a whole scope would grow (EUR; infinite without credit)."""
    orders = math.fsum(worth(view, steering))
    if orders <= 0:
        return math.inf
    window = view.weeks_ago < view.weeks_ago.min() + steering.review_weeks
    return math.fsum(view.spend[window].flat) / orders


def follow_sales(view: View, steering: Steering) -> Floats:
    """Return each medium's share of last year's credit, between floor and cap (C2)."""
    cap = caps(view, steering)
    if len(view.media) == 1 or len(view.weeks_ago) == 0:
        return _within(view.shares, cap)
    year = view.weeks_ago < view.weeks_ago.min() + WEEKS_IN_YEAR
    sold = view.credit[year].sum(axis=0)
    if sold.sum() <= 0:
        return _within(view.shares, cap)
    low = np.full(len(sold), min(steering.floor, 1 / len(sold)))
    return _fitted(np.maximum(sold / sold.sum(), 1e-12), low, np.minimum(cap, 1.0))


def between(shares: Floats, target: Floats, steering: Steering) -> Floats:
    """Return shares of several budgets after one step towards a target of any scale.

    Evenness draws it to equal parts, as it does among media; step and damping hold, caps of
    media do not.
    """
    if target.sum() <= 0 or len(shares) == 1:
        return shares.copy()
    unbounded = np.full(len(shares), np.inf)
    return step(shares, evened(target / target.sum(), steering), unbounded, steering)


def released(so_far: Floats, belief: Floats, limit: float, steering: Steering) -> Floats:
    """Return the part of every medium's money that is not held back (float64[belief]).

    What the next order costs beyond `limit` (EUR) is held back step by step, and let go
    again; a medium without credit buys no order at any price.
    """
    cost = np.where(np.isnan(belief), np.inf, belief)
    ratio = np.clip(limit / cost, 1 - steering.step, 1 + steering.step)
    freed: Floats = np.clip(so_far * ratio, steering.floor, 1.0)
    return freed


def limit(so_far: Floats, belief: Floats, view: View, steering: Steering) -> float:
    """Return the marginal CPO above which money is held back (EUR; infinite: none is).

    `limit` itself; else the lowest at which gross revenue is believed to stay above
    `revenue_floor`, or the highest at which all orders together are believed to cost no more
    than `cpo_cap` each. Raises IndexError where `view` has no sales.
    """
    if steering.limit is not None:
        return steering.limit
    known = belief[np.isfinite(belief)]
    if not steering.holds_back or len(known) == 0:
        return math.inf
    low, high = math.log(known.min() / 4), math.log(known.max() * 4)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        tried = released(so_far, belief, math.exp(middle), steering)
        revenue, cpo = _foreseen(tried / so_far, belief, view, steering)
        if steering.revenue_floor is not None:
            enough = revenue < steering.revenue_floor
        else:
            enough = steering.cpo_cap is not None and cpo <= steering.cpo_cap
        low, high = (middle, high) if enough else (low, middle)
    return math.exp(high if steering.revenue_floor is not None else low)


def _foreseen(ratio: Floats, belief: Floats, view: View, steering: Steering) -> tuple[float, float]:
    """Return gross revenue (EUR a year) and CPO (EUR) if every medium's money changes so.

    Orders follow what the next one is believed to cost; logs bend them. Weeks stand for a
    year by what the same weeks were to the year before, where that is known.
    """
    age = view.weeks_ago - view.weeks_ago.min()
    window = age < steering.review_weeks
    then, before = _a_year_ago(age, steering.review_weeks)
    season = 1.0
    if before.sum() >= WEEKS_IN_YEAR:
        season = float(view.sales[then, 1].mean() / max(view.sales[before, 1].mean(), 1e-9))
    spend = view.spend[window].sum(axis=0)
    bought = np.where(np.isfinite(belief), spend / belief, 0.0)
    orders = float(view.sales[window, 0].sum())
    grown = max(0.0, 1 + float(bought @ np.log(ratio)) / max(orders, 1e-9))
    cpo = float(spend @ ratio) / max(orders * grown, 1e-9)
    level = float(view.sales[window, 1].mean()) / max(season, 1e-9)
    return level * WEEKS_IN_YEAR * grown, cpo


def _a_year_ago(age: Whole, weeks: int) -> tuple[Flags, Flags]:
    """Tell which weeks were the newest ones a year ago, and which the year that ended with them."""
    then = (age >= WEEKS_IN_YEAR) & (age < WEEKS_IN_YEAR + weeks)
    return then, (age >= WEEKS_IN_YEAR) & (age < 2 * WEEKS_IN_YEAR)


def politics(asked: Floats, inflation: Floats, power: Floats, company_weight: float) -> Floats:
    """Return what a board is asked for, as it hears it (float64[asked], M11).

    What all departments exaggerate alike cancels, to the bit.
    """
    louder = (1 - company_weight) * (inflation - inflation.max()) + power - power.max()
    heard: Floats = asked * np.exp(louder)
    return heard


def evened(target: Floats, steering: Steering) -> Floats:
    """Return a target drawn towards equal parts by `evenness` (M11: (1 - s) p + s / n)."""
    drawn: Floats = (1 - steering.evenness) * target + steering.evenness / len(target)
    return drawn


def caps(view: View, steering: Steering) -> Floats:
    """Return the cap of every medium of a view (float64[media], infinite without one)."""
    return np.array([steering.cap.get(name, np.inf) for name in view.media])


def _within(shares: Floats, cap: Floats) -> Floats:
    """Return a plan that stays, but for what caps take from it."""
    if (shares <= cap).all():
        return shares.copy()
    return _fitted(np.maximum(shares, 1e-12), np.zeros(len(shares)), np.minimum(cap, 1.0))


def believed(view: View, steering: Steering) -> Floats:
    """Return the marginal CPO in which the rule believes (EUR per order, float64[media]).

    Empty (NaN) where the last review window shows no credit.
    """
    if len(view.weeks_ago) == 0:
        return np.full(len(view.media), np.nan)
    window = view.weeks_ago < view.weeks_ago.min() + steering.review_weeks
    if view.seen is not None:
        return geo.believed(view.seen, float(view.spend[window].sum(axis=1).mean()))
    orders = view.credit[window].sum(axis=0)
    if steering.rule == "marginal":
        told = prior(view, steering)
        orders = orders * elasticities(view.spend, view.credit, view.weeks_ago, steering, told)
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


def step(
    shares: Floats, target: Floats, most: Floats, steering: Steering, cap: Floats | None = None
) -> Floats:
    """Return the shares after one damped step towards a target.

    No medium falls below the floor, gets more than `most` or its `cap`, or moves by more than
    `step` times its own share; what the bounds leave over or short is spread in proportion.
    The floor wins over the rest, and money that sated media or caps leave wins over the step.
    """
    cap = np.full(len(shares), np.inf) if cap is None else cap
    free = np.minimum(cap, 1.0)
    floor = min(steering.floor, 1 / len(shares))
    most = np.minimum(most, cap)
    sated = most < cap
    low = np.maximum(floor, np.minimum(most, shares * (1 - steering.step)))
    high = np.maximum(floor, np.minimum(most, shares * (1 + steering.step)))
    if low.sum() > 1:
        low, high = np.full_like(shares, floor), np.maximum(floor, free)
    if high.sum() < 1:
        high = np.where(sated, high, np.maximum(floor, free))
    if high.sum() < 1:  # nobody can take more: the plan stays and the rest goes unspent
        return _within(shares, cap)
    return _fitted(np.maximum(shares + steering.damping * (target - shares), 1e-12), low, high)


def _fitted(wanted: Floats, low: Floats, high: Floats) -> Floats:
    """Return what is wanted times a common factor, within bounds, with sum 1."""
    # The sum is piecewise linear in the common factor: its corners are the bounds.
    factors = np.sort(np.concatenate([low / wanted, high / wanted]))
    totals = np.clip(factors[:, None] * wanted, low, high).sum(axis=1)
    fitted: Floats = np.clip(np.interp(1.0, totals, factors) * wanted, low, high)
    return fitted


def prior(view: View, steering: Steering) -> Floats:
    """Return the elasticity in which a decider believes before any report (float64[media])."""
    usual = steering.elasticity_mean
    return np.array([steering.elasticities.get(name, usual) for name in view.media])


def elasticities(
    spend: Floats,
    credit: Floats,
    weeks_ago: Whole,
    steering: Steering,
    prior: Floats | None = None,
) -> Floats:
    """Return the learned elasticity of credit to spend (float64[media], at least 0).

    `prior` float64[media] is what is believed before (None: the same of all media).
    Bayesian regression of log credit on log spend, all media jointly. Each medium has a
    level of its own that drifts, at one of two paces that are weighted by their evidence,
    so that drift is not mistaken for response; a movement that all media share in a week
    (demand, season) is taken out as far as it exceeds their noise.
    """
    learned: Floats = np.full(spend.shape[1], steering.elasticity_mean)
    if prior is not None:
        learned = prior.copy()
    weight = steering.forgetting ** (weeks_ago - weeks_ago.min())
    rows = weight >= NEGLIGIBLE
    seen = (credit[rows] > 0).any(axis=0) & (spend[rows] > 0).any(axis=0)
    if rows.sum() < FEWEST_ROWS or not seen.any():
        return learned
    weight, ages = weight[rows], weeks_ago[rows]
    spend, credit = spend[rows][:, seen], credit[rows][:, seen]
    counts = (weight[:, None] * credit).sum(axis=0) / weight.sum() + 0.5
    x, y = _logs(spend, spend > 0), _logs(credit + 0.5, spend > 0)
    slow, before = 1 - steering.forgetting, learned[seen]
    (by_slow, evidence), (by_fast, rival) = (
        _posterior(*_surprises(x, y, weight, ages, pace), counts, before, steering.elasticity_sd)
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
    x: Floats, y: Floats, weight: Floats, counts: Floats, prior: Floats, sd: float
) -> tuple[Floats, float]:
    """Return the posterior mean elasticities and the log evidence for the rows.

    The variance of log credit is 1 / count, plus a part of its own that is alike for all
    media, plus a part that they share in a week; both by the method of moments
    (DerSimonian & Laird 1986, Controlled Clinical Trials 7). Evidence looks only at what
    sets the media apart.
    """
    weeks, media, doubt = weight.sum(), len(counts), sd**2
    room = counts.sum() - (counts**2).sum() / counts.sum()
    spread = np.einsum("t,ti,tj->ij", weight, x, x)
    mean = prior
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
        mean = np.linalg.solve(known + np.eye(media) / doubt, told + prior / doubt)
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
    # A float is a whole number over a power of two, so that whole numbers are exact.
    ratios = [float(share).as_integer_ratio() for share in shares]
    finest = max((below for _, below in ratios), default=1)
    exact = [above * (finest // below) for above, below in ratios]
    total = sum(exact)
    if total == 0:
        if cents > 0:
            raise ValueError(f"nobody has a share of {cents} cents")
        return np.zeros(len(exact), np.int64)
    quotas = [divmod(int(cents) * share, total) for share in exact]
    split = [whole for whole, _ in quotas]
    by_remainder = sorted(range(len(exact)), key=lambda nth: -quotas[nth][1])
    for nth in by_remainder[: int(cents) - sum(split)]:
        split[nth] += 1
    return np.array(split, np.int64)


def best_split(curves: Sequence[Curve], budget: float) -> Floats:
    """Return the spends that cause most orders (float64[curves], EUR, sum `budget`).

    Concave curves only (else `best_funding`): marginal returns are made equal by bisection
    on their common level, and a curve whose first euro returns less gets nothing
    (water-filling).
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


def best_funding(curves: Sequence[Curve], budget: float) -> Floats:
    """Return the spends that cause most orders (float64[curves], EUR, sum `budget`).

    Curves of any shape that rise: S-shaped ones may be funded in full or not at all. All
    splits into parts of the budget are compared (dynamic programming), then all splits
    into smaller parts around the best one.
    """
    low, parts = np.zeros(len(curves), np.int64), COARSE
    held, unit = low, 0.0
    for _ in range(ROUNDS):
        unit, room = budget / parts, range(int(parts - low.sum()) + 1)
        gains = [
            [c.orders((at + n) * unit) for n in room] for c, at in zip(curves, low, strict=True)
        ]
        held = low + _most(np.array(gains))
        low, parts = np.maximum(0, (held - 2) * FINER), parts * FINER
    best: Floats = held.astype(np.float64) * unit
    return best


def _most(gains: Floats) -> Whole:
    """Return how many parts each curve gets so that gains add up to most (int64[curves]).

    `gains` float64[curves, parts + 1] by the number of parts; all parts are handed out.
    """
    every = np.arange(gains.shape[1])
    left = every[:, None] - every[None, :]  # for whom came before, by parts in all and of one
    best: Floats = gains[0]
    chosen = []
    for own in gains[1:]:
        together = np.where(left >= 0, best[left] + own, -np.inf)
        chosen.append(together.argmax(axis=1))
        best = np.max(together, axis=1)
    split, rest = [], len(every) - 1
    for choice in reversed(chosen):
        split.append(int(choice[rest]))
        rest -= split[-1]
    return np.array([rest, *reversed(split)], np.int64)
