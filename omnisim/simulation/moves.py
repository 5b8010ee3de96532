"""Moves of budget between departments: asked for, traded, ordered, heard by a committee."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnisim import allocation
from omnisim.departments import Department, gives_up
from omnisim.simulation import budgets
from omnisim.spec import DAYS_IN_WEEK
from omnisim.steering import Decider, OmnichannelManager, split_budget

if TYPE_CHECKING:
    from omnisim.simulation.clock import Simulation


def heads(world: Simulation) -> list[Department]:
    """Return the departments that hold budgets, sorted by key."""
    return [who for who in world.deciders if isinstance(who, Department)]


# -- bottom up ------------------------------------------------------------------------------


def board(world: Simulation) -> None:
    """Let departments ask for money, and a board cut what they ask for in proportion.

    Each asks for what its next orders are worth to it, by its own rule on its own claims.
    """
    asking = heads(world)
    if world.state.day < 0 or len(asking) < 2:
        return
    steering = world.strategy.steering
    units = [world.strategy.organigram[head.key] for head in asking]
    asked = np.array([allocation.worth(_view(world, head), steering).sum() for head in asking])
    heard = allocation.politics(
        asked,
        np.array([unit.inflation for unit in units]),
        np.array([unit.power for unit in units]),
        world.company_weight,
    )
    _share_out(world, asking, heard)


def exaggeration(world: Simulation, media: tuple[str, ...]) -> np.ndarray:
    """Return by what departments that report themselves exaggerate (float64[media], M11)."""
    units = world.strategy.organigram.values()
    owner = {name: unit for unit in units for name in unit.owns}
    told = np.array([owner[name].inflation for name in media])
    ones = np.ones(len(media))
    return allocation.politics(ones, told, np.zeros(len(media)), world.company_weight)


# -- side by side ---------------------------------------------------------------------------


def trade(world: Simulation) -> None:
    """Let departments trade in pairs, the dearest with the cheapest, where both gain."""
    if world.state.day < 0:
        return
    quoted = sorted(((_quote(world, head), head.key) for head in heads(world)), reverse=True)
    by_key = {head.key: head for head in heads(world)}
    margin = budgets.margin_of_an_order(world)
    private = world.strategy.incentives.private_value
    pairs = zip(quoted[: len(quoted) // 2], quoted[::-1], strict=False)
    for (dear, giver), (cheap, taker) in pairs:
        if dear > cheap and gives_up(dear, cheap, margin, world.company_weight, private):
            _even_out(world, [by_key[giver], by_key[taker]])


# -- a committee ----------------------------------------------------------------------------


def hear(world: Simulation, taker: str) -> None:
    """Let a committee give a department what the dearest other can spare, on their quotes."""
    quotes = {head.key: _quote(world, head) for head in heads(world)}
    giver = max(sorted(quotes), key=lambda key: quotes[key])
    if quotes[giver] > quotes[taker]:
        _even_out(world, [head for head in heads(world) if head.key in (giver, taker)])


# -- a centre with a mandate of its own -------------------------------------------------------


def order(world: Simulation, manager: OmnichannelManager) -> None:
    """Let departments review their media, and carry out a part of what the manager orders.

    Both start from the same plan; the part is her mandate, or what she may move alone.
    """
    state, words = world.state, world.strategy.steering
    before = state.shares.copy()
    for head in heads(world):
        world.review(head)
    kept, state.shares = state.shares, before.copy()
    world.review(manager)
    wanted, rows = state.shares, [world.media.index(name) for name in manager.media]
    size = 0.5 * float(np.abs(wanted - kept)[rows].sum())
    part = words.mandate if size <= 0 else max(words.mandate, min(1.0, words.alone / size))
    state.shares = kept.copy()
    state.shares[rows] += part * (wanted - kept)[rows]
    shares = dict(zip(world.media, state.shares.tolist(), strict=True))
    _hand_over(world, split_budget(sum(_bases(world).values()), world.scopes, shares))


# -- all --------------------------------------------------------------------------------------


def _view(world: Simulation, head: Decider) -> allocation.View:
    return world.view(head, [world.media.index(name) for name in head.media])


def _quote(world: Simulation, head: Decider) -> float:
    return allocation.quote(_view(world, head), world.strategy.steering)


def _bases(world: Simulation) -> dict[str, int]:
    """Return the budgets of the year without what rolled over."""
    state = world.state
    return {scope: cents - state.carried[scope] for scope, cents in state.budgets.items()}


def _even_out(world: Simulation, pair: list[Department]) -> None:
    """Go a step towards budgets of two departments at which both quote the same."""
    steering = world.strategy.steering
    worth = [allocation.worth(_view(world, head), steering).sum() for head in pair]
    _share_out(world, pair, np.array(worth))


def _share_out(world: Simulation, among: list[Department], target: np.ndarray) -> None:
    """Go a step towards budgets in proportion to a target; their sum stays."""
    bases = _bases(world)
    held = np.array([bases[head.key] for head in among], float)
    if held.sum() <= 0:
        return
    shares = allocation.between(held / held.sum(), target, world.strategy.steering)
    cents = allocation.largest_remainder(sum(bases[head.key] for head in among), shares)
    given = dict(zip((head.key for head in among), cents.tolist(), strict=True))
    _hand_over(world, bases | given)


def _hand_over(world: Simulation, bases: dict[str, int]) -> None:
    """Give departments other budgets from today on."""
    moved = [scope for scope, cents in _bases(world).items() if cents != bases[scope]]
    if moved:
        budgets.weigh(world, bases)
    state = world.state
    state.budgets = {scope: cents + state.carried[scope] for scope, cents in bases.items()}


def next_meeting(world: Simulation) -> int:
    """Return the day of the next meeting of the committee, at least a day ahead."""
    every = world.strategy.steering.committee * DAYS_IN_WEEK
    return world.state.day + every - (world.state.day - world.state.adopted) % every


def waiting(world: Simulation) -> set[str]:
    """Return the departments whose requests wait for the committee."""
    requests = (entry.key for entry in world.state.agenda if entry.kind == "request")
    return {key.partition(" ")[2] for key in requests}
