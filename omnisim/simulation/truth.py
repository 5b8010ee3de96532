"""The truth: what a change of spend causes, read from forks with the same luck.

A fork pays one medium more or less and is otherwise the same world, with the same luck and
a budget that nobody steers meanwhile. Orders are read from their probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from omnisim import allocation, paths
from omnisim.records import (
    CHANNEL_COLUMNS,
    CHECK_COLUMNS,
    CREDIT_COLUMNS,
    MEDIA_COLUMNS,
    RULE_COLUMNS,
    TRUTH_COLUMNS,
)
from omnisim.spec import (
    DAYS_IN_WEEK,
    MOST_IN_COALITIONS,
    WEEKS_IN_YEAR,
    CreditKind,
    TextbookMarket,
    Trying,
)

if TYPE_CHECKING:
    from omnisim.simulation.clock import Simulation

RISE = 0.2  # a fifth more, as the definition of marginal CPO has it
PAID_WEEKS, LONG_WEEKS = 13, 52
SEARCH_WEEKS, SEARCH_ROUNDS = 52, 3
RELEASES = 7  # to within a hundredth of the budget
HALVINGS = 3  # how often a step that earns less is halved before the search ends
LEAST_CHANGE = 0.01  # of the budget: less on a small medium drowns in luck
MOVE = 0.05  # of the budget, from one medium to another: the certificate of a best split
FACTORS = {"quick": (1 + RISE,), "full": (0.0, 0.5, 1 - RISE, 1 + RISE, 2.0)}


def frozen(world: Simulation, change: np.ndarray | None = None) -> Simulation:
    """Return a fork whose split stands still and in which nothing is tried.

    `change` float64[media] scales what is planned.
    """
    words = world.strategy
    steering = words.steering.model_copy(update={"kind": "frozen"})
    fork = world.fork(words.model_copy(update={"steering": steering, "trying": Trying()}))
    if change is not None:
        fork.change = change
    return fork


@dataclass(frozen=True)
class Trial:
    """What a fork pays another part of for 13 weeks: one medium, a department's, or all."""

    kind: Literal["medium", "department", "company"]
    name: str
    media: tuple[int, ...]
    factor: float


def trials(world: Simulation, depth: str) -> list[Trial]:
    """Return what is tried at a depth of the truth; only what is paid for at all."""
    paid = {name: m for m, name in enumerate(world.media) if world.state.shares[m] > 0}
    tried = _of_media(world, FACTORS.get(depth, ()))
    everything = tuple(paid.values())
    if depth == "full":
        owned = {
            key: tuple(sorted(paid[name] for name in unit.owns if name in paid))
            for key, unit in sorted(world.strategy.organigram.items())
        }
        tried += [Trial("department", key, own, 0.0) for key, own in owned.items() if own]
        tried += [Trial("company", "", everything, factor) for factor in (0.0, 1 - RISE)]
    if depth == "budget":
        tried.append(Trial("company", "", everything, 1 - RISE))
    return tried


def _of_media(world: Simulation, factors: Iterable[float]) -> list[Trial]:
    return [
        Trial("medium", name, (m,), factor)
        for factor in factors
        for m, name in enumerate(world.media)
        if world.state.shares[m] > 0
    ]


def truth(world: Simulation, factors: Iterable[float] = (1 + RISE,)) -> pd.DataFrame:
    """Return what paying each funded medium another part for 13 weeks causes; see `measured`."""
    return measured(world, _of_media(world, factors))


def measured(world: Simulation, tried: Iterable[Trial]) -> pd.DataFrame:
    """Return what each trial causes, a row per trial.

    Yearly spend today (EUR), the marginal CPO that the one who decides believes in, the
    credit that it reads in 13 weeks; and the extra cost (EUR, all media), orders, margin
    (EUR, after cost to serve) and credit after 13 and after 52 weeks (`others_long`: credit
    of all other media). Marginal CPO is cost over orders.
    """
    weight = _weight_of_claims(world)
    plain = _traced(frozen(world), weight)
    spends = world.state.shares * world.market.budget
    beliefs = believed(world)
    rows = []
    for trial in tried:
        own = list(trial.media)
        change = np.ones(len(world.media))
        change[own] = trial.factor
        short, long = (_traced(frozen(world, change), weight) - plain).tolist()
        credit, paid = np.array([short[3:], long[3:]]), plain[0][3:][own].sum()
        belief = beliefs[own[0]] if trial.kind == "medium" else math.nan
        mine, all_of_it = credit[:, own].sum(axis=1).tolist(), float(credit[1].sum())
        head = (trial.kind, trial.name, trial.factor, spends[own].sum(), belief, paid)
        rows.append((*head, *short[:3], mine[0], *long[:3], mine[1], all_of_it - mine[1]))
    return pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))


def believed(world: Simulation) -> np.ndarray:
    """Return the marginal CPO that those who decide see in their reports (float64[media]).

    Empty (NaN) for media that nobody steers or of which no report says anything.
    """
    beliefs = np.full(len(world.media), np.nan)
    for decider in world.deciders:
        rows = [world.media.index(name) for name in decider.media]
        beliefs[rows] = allocation.believed(world.view(decider, rows), world.strategy.steering)
    return beliefs


def checked(world: Simulation) -> pd.DataFrame:
    """Return what a fifth more on each funded medium costs and brings within 13 weeks."""
    plain = _short(frozen(world))
    rows = []
    for trial in _of_media(world, (1 + RISE,)):
        change = np.ones(len(world.media))
        change[list(trial.media)] = trial.factor
        extra = _short(frozen(world, change)) - plain
        rows.append((world.state.day // DAYS_IN_WEEK, trial.name, *extra.tolist()))
    return pd.DataFrame(rows, columns=list(CHECK_COLUMNS))


def _short(fork: Simulation) -> np.ndarray:
    begun = len(fork.state.ledger.company)
    fork.run_to(fork.state.day + PAID_WEEKS * DAYS_IN_WEEK)
    return np.array([_cost(fork, begun), _sold(fork, begun, "expected_orders")])


def credits(world: Simulation) -> pd.DataFrame:
    """Return the expected orders that every rule credits each medium with in 13 weeks."""
    rules = _every_rule(world)
    fork = world.listening(rules)
    begun = len(fork.state.ledger.company)
    fork.run_to(fork.state.day + PAID_WEEKS * DAYS_IN_WEEK)
    booked = np.sum(fork.state.ledger.media[begun:], axis=0)
    told = {
        kind: booked[:, MEDIA_COLUMNS.index(f"expected_{kind}")]
        for kind in ("claims", "last_touch")
    }
    divided = np.sum(fork.state.ledger.credit[begun:], axis=0)
    for nth, rule in enumerate(rules):
        told[rule.kind] = divided[nth, :, CREDIT_COLUMNS.index("expected_credit")]
    rows = [
        (name, kind, float(credit))
        for kind, column in told.items()
        for name, credit in zip(world.media, column, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(RULE_COLUMNS))


def _every_rule(world: Simulation) -> tuple[paths.Rule, ...]:
    if isinstance(world.market, TextbookMarket):
        return ()
    everything = (tuple(range(len(world.media))),)
    kinds = [
        kind for kind in get_args(CreditKind) if kind not in ("claims", "last_touch", "experiment")
    ]
    if len(world.media) > MOST_IN_COALITIONS:
        kinds.remove("shapley")
    return tuple(paths.Rule(kind, everything) for kind in sorted(kinds))


def _weight_of_claims(world: Simulation) -> float:
    """Return how far who decides reads claims, beside the company's credit (share)."""
    if any(who.explores and who.reads == "own_claims" for who in world.deciders):
        return 1 - world.company_weight
    return float(world.strategy.attribution.kind == "claims")


def _traced(fork: Simulation, weight: float) -> np.ndarray:
    """Run a fork and return what it booked after the short and the long run.

    float64[2, 3 + media]: cost, expected orders, margin after cost to serve, and the credit
    of every medium. The change ends with the short run, so that the long run holds what it
    leaves behind.
    """
    begun = len(fork.state.ledger.company)
    morning = fork.state.day
    told = []
    for weeks in (PAID_WEEKS, LONG_WEEKS):
        fork.run_to(morning + weeks * DAYS_IN_WEEK)
        sums = (_cost(fork, begun), _sold(fork, begun, "expected_orders"), earned(fork, begun))
        told.append([*sums, *_credit(fork, begun, weight)])
        fork.change = np.ones(len(fork.media))
    return np.array(told)


def _credit(world: Simulation, first: int, weight: float) -> np.ndarray:
    ledger, rule = world.state.ledger, paths.rule_of(world.strategy, world.media)
    booked = np.sum(ledger.media[first:], axis=0)
    claims, company = (
        booked[:, MEDIA_COLUMNS.index(f"expected_{kind}")] for kind in ("claims", "last_touch")
    )
    if rule is not None:
        divided = np.sum(ledger.credit[first:], axis=0)[world.rules.index(rule)]
        company = divided[:, CREDIT_COLUMNS.index("expected_credit")]
    mixed: np.ndarray = weight * claims + (1 - weight) * company
    return mixed


def _cost(world: Simulation, first: int) -> float:
    index = MEDIA_COLUMNS.index("spent_cents")
    return float(np.sum([week[:, index] for week in world.state.ledger.media[first:]]) / 100)


def earned(world: Simulation, first: int) -> float:
    """Return expected margin after cost to serve since a booked week (EUR)."""
    margin, serve = (
        CHANNEL_COLUMNS.index(column) for column in ("expected_margin", "expected_cost_to_serve")
    )
    weeks = world.state.ledger.channels[first:]
    return float(np.sum([week[:, margin] - week[:, serve] for week in weeks]))


# -- the oracle ---------------------------------------------------------------------------


def best_shares(world: Simulation, rounds: int = SEARCH_ROUNDS) -> np.ndarray:
    """Return the split of the budget that earns most from today on (float64[media]).

    It knows the luck: each round pays every medium more and less for a year, and moves the
    money to where the next euro earns as much everywhere, as far as that earns more than
    staying: slopes of small media are mostly luck, and a step too far is taken back by half.
    """
    search = frozen(world)
    level = _earned_by(frozen(search), SEARCH_WEEKS)
    before = search.state.shares
    for _ in range(rounds):
        shares = search.state.shares
        goal = settled(before, shares, levelled(shares, *slopes(search, level=level)))
        before = shares
        for _ in range(HALVINGS):
            search.state.shares = goal
            search.adopt(search.strategy)
            found = _earned_by(frozen(search), SEARCH_WEEKS)
            if found > level:
                level = found
                break
            goal = np.sqrt(shares * goal)
            goal /= goal.sum()
        else:
            search.state.shares = shares
            search.adopt(search.strategy)
            break
    return search.state.shares


def settled(before: np.ndarray, shares: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the shares to try next (float64[media]).

    Slopes are levelled as if media knew nothing of each other. Where they work together
    that goes too far: who is sent back by the next round goes half of the way.
    """
    back = (wanted - shares) * (shares - before) < 0
    moved = np.where(back, (wanted + shares) / 2, wanted)
    level: np.ndarray = moved / moved.sum()
    return level


def changes(shares: np.ndarray) -> np.ndarray:
    """Return by which part each medium's money is lowered and raised (float64[2, media]).

    A fifth, or a hundredth of the budget where that is more, as far as there is money.
    """
    rises = np.maximum(RISE, LEAST_CHANGE / np.maximum(shares, 1e-6))
    return np.array([np.minimum(rises, 0.9), np.minimum(rises, 4.0)])


def slopes(
    world: Simulation, weeks: int = SEARCH_WEEKS, level: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the last and the next planned euro earn (float64[media] each).

    `level` is what is earned as it is, where that is known.
    """
    planned = np.maximum(world.state.shares * world.market.budget * weeks / WEEKS_IN_YEAR, 1e-9)
    if level is None:
        level = _earned_by(frozen(world), weeks)
    sides = []
    for sign, parts in zip((-1, 1), changes(world.state.shares), strict=True):
        gains = []
        for m, part in enumerate(parts):
            change = np.ones(len(world.media))
            change[m] = 1 + sign * part
            gains.append(_earned_by(frozen(world, change), weeks) - level)
        sides.append(np.array(gains) / (sign * parts * planned))
    return sides[0], sides[1]


def _earned_by(fork: Simulation, weeks: int) -> float:
    """Return what a fork brings of its goal: margin after cost to serve, sales or people."""
    begun = len(fork.state.ledger.company)
    fork.run_to(fork.state.day + weeks * DAYS_IN_WEEK)
    match fork.strategy.steering.goal:
        case "revenue":
            return _sold(fork, begun, "expected_revenue_gross")
        case "new_customers":
            return _sold(fork, begun, "expected_new_customers")
        case _:
            return earned(fork, begun)


def _sold(world: Simulation, first: int, column: str) -> float:
    index = CHANNEL_COLUMNS.index(column)
    return float(np.sum([week[:, index] for week in world.state.ledger.channels[first:]]))


def best_release(world: Simulation) -> float:
    """Return the part of all money that is best spent in the year from today on.

    The least at which gross revenue keeps above `revenue_floor`, or the most at which an order
    costs no more than `cpo_cap`, found by halving; everything where neither is asked for.
    """
    words = world.strategy.steering
    if words.revenue_floor is None and words.cpo_cap is None:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(RELEASES):
        middle = (low + high) / 2
        fork = frozen(world, np.full(len(world.media), middle))
        begun = len(fork.state.ledger.company)
        fork.run_to(fork.state.day + SEARCH_WEEKS * DAYS_IN_WEEK)
        if words.revenue_floor is not None:
            revenue = _sold(fork, begun, "expected_revenue_gross")
            more = revenue < words.revenue_floor * SEARCH_WEEKS / WEEKS_IN_YEAR
        else:
            orders = _sold(fork, begun, "expected_orders")
            more = _cost(fork, begun) <= (words.cpo_cap or 0.0) * orders
        low, high = (middle, high) if more else (low, middle)
    return high if words.revenue_floor is not None else low


def levelled(shares: np.ndarray, less: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return shares at which the next euro earns the same, by two slopes per medium.

    A medium's slope is `less` between its money and the lower that was tried, `more` between
    its money and the higher (at the mean of their square roots: exact where response is a
    square root, and near it for the elasticities that are known), and of the same elasticity
    beyond; where it can spend no more, that is a kink, and it stays. No share moves by more
    than a factor of three at once.
    """
    less = np.maximum(less, 1e-6)
    more = np.clip(more, 1e-9, less)
    lower, higher = ((1 + np.sqrt(1 + changes(shares) * [[-1], [1]])) / 2) ** 2
    steepness = np.clip(np.log(less / more) / np.log(higher / lower), 0.3, 50.0)

    def wanted(slope: float) -> np.ndarray:
        power = 1 / np.where(slope > less, np.minimum(steepness, 5.0), steepness)
        moved: np.ndarray = shares * np.clip(lower * (less / slope) ** power, 1 / 3, 3.0)
        return moved

    low, high = math.log(1e-9), math.log(less.max() * 1e3)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if wanted(math.exp(middle)).sum() > 1 else (low, middle)
    found = wanted(math.exp(low))
    level: np.ndarray = found / found.sum()
    return level


def best_move(world: Simulation) -> float:
    """Return the most that moving 5 % of the budget between two media could earn (EUR).

    A bound where response is concave: the certificate of an optimum.
    """
    less, more = slopes(world)
    moved = MOVE * world.market.budget * SEARCH_WEEKS / WEEKS_IN_YEAR
    gains = moved * (more[None, :] - less[:, None])
    np.fill_diagonal(gains, 0.0)
    held = world.state.shares >= MOVE
    return float(np.max(gains[:, held], initial=0.0))
