"""Roll-outs: in which order sales channels are linked, what it costs, what it disturbs.

A link is one dimension of integration between two sales channels. All links that are being
built draw on one capacity for change, whatever the plan is called: beyond it each takes
longer, disturbs for longer and fails more often. Pure rules: luck comes in as numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from omnisim.spec import (
    DIMENSIONS,
    WEEKS_IN_YEAR,
    Integration,
    Levels,
    LinkCost,
    Marketplace,
    Rollout,
    pairs,
)

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

NEVER = -1
WAITS, BUILDS, LIVES, FAILED = range(4)
DUST = 1e-9  # weeks of work or parts of a link that are rounding
CHANGE = np.dtype(
    [
        ("dimension", np.int64),
        ("pair", np.int64),
        ("before", np.float64),
        ("after", np.float64),
        ("queue", np.int64),  # within a queue a step waits for the one before
        ("step", np.int64),
        ("needs", np.float64),  # weeks of work at full speed
        ("done", np.float64),  # of them
        ("taken", np.int64),  # weeks since it began
        ("fate", np.float64),  # uniform luck: fails if below the chance to fail
        ("status", np.int64),
    ]
)


@dataclass(frozen=True)
class Terms:
    """What links take in a market.

    `pairs` are the keys of all pairs of `channels`, `ends` int64[pairs, 2] their rows in
    `channels`; `one_off` (EUR), `running` (EUR a year), `weeks` and `disruption`
    float64[dimensions] are for a whole level of one pair.
    """

    channels: tuple[str, ...]
    pairs: tuple[str, ...]
    ends: Whole
    one_off: Floats
    running: Floats
    weeks: Floats
    disruption: Floats
    capacity: float
    failure: float


@dataclass(frozen=True)
class Links:
    """How far channels are linked, and what is being built; never changed in place.

    `levels` float64[dimensions, pairs] are live; `changes` CHANGE[changes] what the plan
    holds; `begins` the week in which it begins (`NEVER`: nothing was planned yet); `owed`
    in EUR what integration has cost since it was last booked.
    """

    levels: Floats
    changes: np.ndarray
    begins: int = NEVER
    owed: float = 0.0


@dataclass(frozen=True)
class Known:
    """What a firm knows when it plans.

    `sells` float64[channels] revenue; `asked` float64[pairs] how often customers wanted
    two channels at once; `owner` int64[channels] the department of each channel.
    """

    sells: Floats
    asked: Floats
    owner: Whole


# What is linked


def terms_of(market: Marketplace) -> Terms:
    """Lay out what links take in a market; a dimension without costs has none."""
    channels, keys = tuple(sorted(market.channels)), pairs(market.channels)
    costs = [market.integration_costs.get(name, LinkCost()) for name in DIMENSIONS]
    ends = [[channels.index(name) for name in key.split("+")] for key in keys]
    return Terms(
        channels=channels,
        pairs=keys,
        ends=np.array(ends, np.int64).reshape(-1, 2),
        one_off=np.array([cost.one_off for cost in costs]),
        running=np.array([cost.running for cost in costs]),
        weeks=np.array([cost.weeks for cost in costs]),
        disruption=np.array([cost.disruption for cost in costs]),
        capacity=market.change.capacity,
        failure=market.change.failure,
    )


def levels(words: Levels, terms: Terms, shut: Sequence[bool] = ()) -> Floats:
    """Return the level of every dimension for every pair (float64[dimensions, pairs]).

    Nothing is linked with a channel that is `shut` (bool[channels]; none given: all open).
    """
    found = np.array(
        [[words.level(name, *key.split("+")) for key in terms.pairs] for name in DIMENSIONS]
    ).reshape(len(DIMENSIONS), len(terms.pairs))
    if len(shut):
        found[:, np.array(shut)[terms.ends].any(axis=1)] = 0.0
    return found


def between(live: Floats, terms: Terms) -> Floats:
    """Return levels by two channels (float64[dimensions, channels, channels]), 1 with itself."""
    count = len(terms.channels)
    found: Floats = np.tile(np.eye(count), (len(live), 1, 1))
    one, other = terms.ends.T
    found[:, one, other] = found[:, other, one] = live
    return found


def closed(integration: Integration, terms: Terms) -> list[bool]:
    """Tell of every sales channel whether the firm has closed it."""
    return [bool(integration.open) and name not in integration.open for name in terms.channels]


def in_words(integration: Integration, live: Floats, terms: Terms) -> Integration:
    """Return integration with the levels that are live (float64[dimensions, pairs]).

    The number of a dimension is the mean over pairs of open channels, which are named
    where they differ.
    """
    shut = closed(integration, terms)
    there = np.flatnonzero(~np.array(shut)[terms.ends].any(axis=1))
    if (live == levels(integration, terms, shut))[:, there].all():
        return integration
    firm_wide: dict[str, float] = {}
    by_pair: dict[str, dict[str, float]] = {}
    for name, row in zip(DIMENSIONS, live[:, there].tolist(), strict=True):
        alike = min(row) == max(row)
        firm_wide[name] = row[0] if alike else min(1.0, sum(row) / len(row))
        for pair, level in zip(there.tolist(), row, strict=True):
            if not alike:
                by_pair.setdefault(terms.pairs[pair], {})[name] = level
    return Integration.model_validate(
        {**firm_wide, "pairs": by_pair, "open": tuple(integration.open)}
    )


# What it costs and disturbs


def one_off(before: Floats, after: Floats, terms: Terms) -> float:
    """Return what it costs to raise levels (EUR); what is taken down brings nothing back."""
    return float((terms.one_off[:, None] * np.maximum(after - before, 0.0)).sum())


def running(live: Floats, terms: Terms) -> float:
    """Return what levels cost in a week (EUR)."""
    return float((terms.running[:, None] * live).sum() / WEEKS_IN_YEAR)


def disruption(links: Links, terms: Terms) -> Floats:
    """Return the factor on the success of contacts, by sales channel (float64[channels])."""
    factor: Floats = np.ones(len(terms.channels))
    for change in links.changes[links.changes["status"] == BUILDS]:
        rise = change["after"] - change["before"]
        factor[terms.ends[change["pair"]]] *= 1 - terms.disruption[change["dimension"]] * rise
    return factor


def worth(steps: int, value: float, cost: float, complement: float) -> float:
    """Return what the first steps of an integration are worth, in the unit of its arguments.

    Every step has a `value` and a `cost` of its own; every two steps together bring
    `complement` (M14).
    """
    return steps * (value - cost) + complement * steps * (steps - 1) / 2


def pays_beyond(value: float, cost: float, complement: float) -> float:
    """Return the number of steps beyond which an integration is worth more than none.

    0 where the first one pays, infinite where steps cost more than they are worth and none
    completes another.
    """
    if value >= cost:
        return 0.0
    return 1 + 2 * (cost - value) / complement if complement > 0 else math.inf


# The plan


def unplanned(live: Floats) -> Links:
    """Return links of which none is being built."""
    return Links(live, np.zeros(0, CHANGE))


def adopted(links: Links, live: Floats, terms: Terms) -> Links:
    """Return links at other levels from today on: bought at once, paid at once, no plan."""
    owed = links.owed + one_off(links.levels, live, terms)
    return replace(unplanned(live), owed=owed)


def planned(
    links: Links,
    rollout: Rollout,
    target: Floats,
    week: int,
    terms: Terms,
    known: Known,
    luck: Floats,
) -> Links:
    """Return links with the changes that lead to a target, in the order of a roll-out.

    `target` float64[dimensions, pairs]; `week` is the present one; `luck` float64[2,
    dimensions, pairs] is uniform: each link's place in an order without a goal, and its
    fate. Every plan costs the same: its budget, or what the target costs if that is less.
    """
    links = replace(links, begins=week + rollout.start)
    dimension, pair = np.nonzero(target > links.levels)
    if rollout.kind == "none" or not len(pair):
        return links
    changes = np.zeros(len(pair), CHANGE)
    changes["dimension"], changes["pair"] = dimension, pair
    changes["before"], changes["after"] = links.levels[dimension, pair], target[dimension, pair]
    changes["fate"] = luck[1, dimension, pair]
    if rollout.kind == "goalless":
        owners = known.owner[terms.ends[pair]]
        changes["queue"], turn = _departments(luck[0, dimension, pair], owners)
        changes["step"] = _ranks(changes["queue"], turn)
        order = np.lexsort((changes["queue"], changes["step"]))
    else:
        order = np.lexsort((terms.one_off[dimension], _first(rollout, changes, terms, known)))
    return replace(links, changes=_afforded(changes[order], rollout, terms))


def _first(rollout: Rollout, changes: np.ndarray, terms: Terms, known: Known) -> Floats:
    """Return a number per change that is the lower the earlier the plan has it."""
    first: Floats = terms.one_off[changes["dimension"]]
    if rollout.kind == "stepwise_revenue":
        first = -known.sells[terms.ends].sum(axis=1)[changes["pair"]]
    if rollout.kind == "stepwise_demand":
        first = -known.asked[changes["pair"]]
    return first


def _departments(luck: Floats, owners: Whole) -> tuple[Whole, Floats]:
    """Return who builds each link, one of its two owners, and its place in their order.

    `luck` float64[links] is used twice: its first binary digit picks the owner (`owners`
    int64[links, 2]), the rest is the place.
    """
    side = (luck >= 0.5).astype(np.int64)
    return owners[np.arange(len(luck)), side], 2 * luck - side


def _ranks(queue: Whole, turn: Floats) -> Whole:
    """Return the rank of each entry within its queue."""
    return np.array(
        [((queue == own) & (turn < mine)).sum() for own, mine in zip(queue, turn, strict=True)]
    )


def _afforded(changes: np.ndarray, rollout: Rollout, terms: Terms) -> np.ndarray:
    """Return the changes as far as the money goes, cut into steps of equal cost.

    All at once every link gets the same part; else the last one is built part of the way.
    """
    changes, rises = changes.copy(), changes["after"] - changes["before"]
    costs = terms.one_off[changes["dimension"]] * rises
    spent, total = np.cumsum(costs) - costs, float(costs.sum())
    money = total if rollout.budget is None else min(rollout.budget, total)
    if rollout.kind == "big_bang":
        part = np.full(len(costs), money / total if total > 0 else 1.0)
    else:
        part = np.where(costs > 0, np.clip((money - spent) / np.maximum(costs, DUST), 0, 1), 1.0)
        if rollout.kind != "goalless" and money > 0:
            step = (rollout.steps * (spent / money) + DUST).astype(np.int64)
            changes["step"] = np.minimum(step, rollout.steps - 1)
    part[part > 1 - DUST] = 1.0
    changes["after"] -= (1 - part) * rises
    changes["needs"] = terms.weeks[changes["dimension"]] * part * rises
    return changes[part > DUST]


# The weeks


def advanced(links: Links, terms: Terms, week: int) -> Links:
    """Return links a week later: what is ready goes live or fails, what waits may begin.

    Links that are being built share the capacity; each pays for the work that is done.
    """
    changes, live = links.changes.copy(), links.levels.copy()
    _end(changes, live, terms)
    if week >= links.begins:
        _begin(changes)
    owed = links.owed + _build(changes, terms) + running(live, terms)
    return replace(links, levels=live, changes=changes, owed=owed)


def _end(changes: np.ndarray, live: Floats, terms: Terms) -> None:
    """Let links that are ready go live; some fail, and leave the level where it was."""
    for change in changes:
        if change["status"] == BUILDS and change["done"] >= change["needs"] - DUST:
            fails = change["fate"] < 1 - (1 - terms.failure) ** int(change["taken"])
            change["status"] = FAILED if fails else LIVES
            if not fails:
                live[change["dimension"], change["pair"]] = change["after"]


def _begin(changes: np.ndarray) -> None:
    """Begin the first step of each queue that is not over, if nothing of it has begun."""
    over = changes["status"] >= LIVES
    for queue in np.unique(changes["queue"]):
        mine = changes["queue"] == queue
        left = changes["step"][mine & ~over]
        if len(left):
            now = mine & (changes["step"] == left.min()) & (changes["status"] == WAITS)
            changes["status"][now] = BUILDS


def _build(changes: np.ndarray, terms: Terms) -> float:
    """Do a week's work on everything that is being built, and return what it costs (EUR)."""
    now = changes["status"] == BUILDS
    if not now.any():
        return 0.0
    speed = min(1.0, terms.capacity / now.sum())
    needs, done = changes["needs"][now], changes["done"][now]
    work = np.minimum(speed, needs - done)
    part = np.where(needs > 0, work / np.where(needs > 0, needs, 1.0), 1.0)
    changes["done"][now] += work
    changes["taken"][now] += 1
    rises = changes["after"][now] - changes["before"][now]
    return float((terms.one_off[changes["dimension"][now]] * rises * part).sum())
