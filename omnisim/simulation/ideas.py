"""Ideas: what a firm tries on a part of all people, and ships if it looks good (M13)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from omnisim import inference, streams
from omnisim.records import CHANNEL_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import linking, truth
from omnisim.spec import DAYS_IN_WEEK, WEEKS_IN_YEAR, Market, Trying

if TYPE_CHECKING:
    from omnisim.simulation.clock import Simulation


def spacing(trying: Trying) -> int:
    """Return the weeks from one idea to the next, whole ones (0: there are none)."""
    return max(1, round(WEEKS_IN_YEAR / trying.ideas)) if trying.ideas > 0 else 0


def begin(world: Simulation) -> str:
    """Begin the test of the next idea and return the name of the test.

    What it shows is what the idea does to all orders of those weeks, with the error of
    counts in two groups of the real firm's customers.
    """
    words = world.strategy.trying
    name = f"{world.state.adopted}/{world.state.day}"
    without, gained = tried(world, name)
    error = math.sqrt(without / words.share + without / (1 - words.share))
    luck = streams.normal(world.root, streams.TRIAL, name, 0)
    world.state.trials[name] = (gained + error * luck, error)
    _change(world, name, words.share)
    return name


def end(world: Simulation, name: str) -> None:
    """End a test: the idea is shipped to everybody, or forgotten."""
    words = world.strategy.trying
    shown, error = world.state.trials.pop(name)
    _change(world, name, -words.share)
    if inference.ships(words.ships, shown, error, _believed(world, name), world.market.ideas):
        _change(world, name, 1.0)


def abandon(world: Simulation) -> None:
    """End all tests under way, whatever they might have shown."""
    for name in tuple(world.state.trials):
        del world.state.trials[name]
        _change(world, name, -world.strategy.trying.share)


def cost(world: Simulation, week: int) -> float:
    """Return what the tests that begin in a week cost (EUR)."""
    words = world.strategy.trying
    since = week - world.state.adopted // DAYS_IN_WEEK
    begins = words.ideas > 0 and week >= 0 and since % spacing(words) == 0
    return words.cost if begins else 0.0


def effect(world: Simulation, name: str) -> float:
    """Return what an idea really changes (log of an effect or a success)."""
    ideas = world.market.ideas
    luck = streams.uniform(world.root, streams.IDEA, name, 0)
    return ideas.mean + ideas.scale * float(stdtrit(ideas.tails, luck))


def place(world: Simulation, name: str) -> str:
    """Return the medium or the sales channel that an idea changes: any, alike."""
    sells = world.channels if isinstance(world.market, Market) else []
    there = [*world.market.open_media, *sells]
    luck = [streams.uniform(world.root, streams.IDEA, f"{name} {one}", 1) for one in there]
    return there[int(np.argmax(luck))]


def tried(world: Simulation, name: str) -> tuple[float, float]:
    """Return the orders of the weeks of a test without an idea, and what it adds for all."""
    sold = []
    for part in (0.0, 1.0):
        fork = truth.frozen(world)
        begun = len(fork.state.ledger.channels)
        _change(fork, name, part)
        fork.run_to(fork.state.day + world.strategy.trying.weeks * DAYS_IN_WEEK)
        column = CHANNEL_COLUMNS.index("expected_orders")
        sold.append(float(np.sum([week[:, column] for week in fork.state.ledger.channels[begun:]])))
    return sold[0], sold[1] - sold[0]


def _believed(world: Simulation, name: str) -> float:
    """Return the orders of a test's weeks that the books lay to what the idea changes."""
    where, weeks = place(world, name), world.strategy.trying.weeks
    ledger = world.state.ledger
    if where in world.media:
        book, row = ledger.media, world.media.index(where)
        column = MEDIA_COLUMNS.index("claims")
    else:
        book, row = ledger.channels, world.channels.index(where)
        column = CHANNEL_COLUMNS.index("orders")
    return float(np.sum([week[row, column] for week in book[-weeks:]]))


def _change(world: Simulation, name: str, part: float) -> None:
    """Let a part of all people live with an idea."""
    where, more = place(world, name), part * effect(world, name)
    if where in world.media:
        state = world.state
        state.wander = state.wander + more * (np.array(world.media) == where)
    else:
        world.state.touch = world.state.touch + more * (np.array(world.channels) == where)
        linking.settle(world)
