"""Linking: a world's integration goes on week by week, and people live with what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnisim import rollout, streams
from omnisim.records import CHANNEL_COLUMNS
from omnisim.simulation.crowd import Crowd, CrowdState
from omnisim.spec import DAYS_IN_WEEK, DIMENSIONS, WEEKS_IN_YEAR, Strategy

if TYPE_CHECKING:
    from omnisim.simulation.clock import Simulation


def levels(strategy: Strategy, terms: rollout.Terms) -> np.ndarray:
    """Return the levels with which a strategy begins (float64[dimensions, pairs])."""
    shut = rollout.closed(strategy.integration, terms)
    return rollout.levels(strategy.integration, terms, shut)


def adopt(world: Simulation, strategy: Strategy) -> None:
    """Take over a strategy's levels at once; plan its roll-out if the arms have forked.

    Under the integration and roll-out of the day before, building just goes on.
    """
    state, terms, was = world.state, world.terms, world.strategy
    forked = state.day >= world.fork_day
    goes_on = (strategy.integration, strategy.rollout) == (was.integration, was.rollout)
    if goes_on and (state.links.begins != rollout.NEVER or not forked):
        return
    state.links = rollout.adopted(state.links, levels(strategy, terms), terms)
    if forked:
        shut = rollout.closed(strategy.integration, terms)
        target = rollout.levels(strategy.rollout.target, terms, shut)
        week, luck = state.day // DAYS_IN_WEEK, _luck(world.root, terms)
        state.links = rollout.planned(
            state.links, strategy.rollout, target, week, terms, known(world, strategy), luck
        )


def known(world: Simulation, strategy: Strategy) -> rollout.Known:
    """Return what the books of the last year tell who plans a roll-out.

    Two channels are asked for together as often as a change between them lost the context;
    where there are no people, as often as both are visited.
    """
    weeks = world.state.ledger.channels[-WEEKS_IN_YEAR:]
    year = np.sum(weeks or [np.zeros((len(world.channels), len(CHANNEL_COLUMNS)))], axis=0)
    visits = year[:, CHANNEL_COLUMNS.index("visits")]
    one, other = world.terms.ends.T
    asked = visits[one] * visits[other]
    if isinstance(world.state.population, CrowdState):
        missed = world.state.population.missed
        asked = (missed[one, other] + missed[other, one]).astype(float)
    owner = {
        channel: nth
        for nth, key in enumerate(sorted(strategy.organigram))
        for channel in strategy.organigram[key].owns
    }
    return rollout.Known(
        sells=year[:, CHANNEL_COLUMNS.index("expected_revenue_gross")],
        asked=asked,
        owner=np.array([owner[name] for name in world.channels], np.int64),
    )


def build(world: Simulation) -> None:
    """Let the roll-out go on for a week; people live with what is new."""
    before = world.state.links
    week = world.state.day // DAYS_IN_WEEK
    world.state.links = rollout.advanced(before, world.terms, week)
    if (world.state.links.changes["status"] != before.changes["status"]).any():
        settle(world)


def settle(world: Simulation) -> None:
    """Let those who answer live under the strategy with the links that are live."""
    words, links, terms = world.strategy.integration, world.state.links, world.terms
    live = rollout.in_words(words, links.levels, terms)
    world.population.adopt(world.strategy.model_copy(update={"integration": live}))
    if isinstance(world.population, Crowd):
        chances = world.population.world
        chances.success[:] *= rollout.disruption(links, terms)[:, None]
        if world.state.touch.any():  # what was tried and shipped; nobody succeeds and is lost
            better = chances.success * np.exp(world.state.touch)[:, None]
            chances.success[:] = np.minimum(better, 1 - chances.lost)


def _luck(root: np.uint64, terms: rollout.Terms) -> np.ndarray:
    """Return the luck of every link's order and fate (float64[2, dimensions, pairs])."""
    luck = [
        streams.uniform(root, streams.ROLLOUT, f"{what}/{dimension}/{pair}", 0)
        for what in ("order", "fate")
        for dimension in DIMENSIONS
        for pair in terms.pairs
    ]
    return np.array(luck).reshape(2, len(DIMENSIONS), len(terms.pairs))
