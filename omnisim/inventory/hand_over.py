"""Hand-over: what a customer's change from one sales channel to another keeps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from omnisim.spec import DIMENSIONS, Dimension, Integration, Market

BOTH = "recognised in both"
# as omnisim.journeys.walk has it: one shared record a person, access anew at every change
RECORD: Dimension = "transaction_data"
ACCESS: Dimension = "information_access"


@dataclass(frozen=True)
class Change:
    """A change of sales channel: the level of all it hangs on, and how often it keeps the context.

    `levels` and `kept` are shares of customers; a prospect's context is never kept.
    """

    came_from: str
    goes_to: str
    levels: Mapping[str, float]
    kept: float


def changes(market: Market, integration: Integration) -> tuple[Change, ...]:
    """Return every ordered pair of sales channels."""
    return tuple(
        Change(
            came_from,
            goes_to,
            levels={
                BOTH: recognised(market, {came_from, goes_to}),
                **{name: integration.level(name, came_from, goes_to) for name in DIMENSIONS},
            },
            kept=kept(market, integration, [came_from, goes_to]),
        )
        for came_from, goes_to in itertools.permutations(sorted(market.channels), 2)
    )


def kept(market: Market, integration: Integration, way: Sequence[str]) -> float:
    """Return the share of customers whose context is kept all the way from channel to channel.

    A person's luck with the record is the same at every change: the least shared one decides.
    """
    changed = [(one, other) for one, other in itertools.pairwise(way) if one != other]
    if not changed:
        return 1.0
    record = min(integration.level(RECORD, *two) for two in changed)
    access = math.prod(integration.level(ACCESS, *two) for two in changed)
    return recognised(market, set(way)) * record * access


def recognised(market: Market, names: Collection[str]) -> float:
    """Return the share of customers whom all of these channels recognise, each by itself."""
    return math.prod(market.channels[name].identity for name in sorted(names))


def lacking(levels: Mapping[str, float]) -> list[str]:
    """Return which of the levels a hand-over hangs on are zero."""
    return [name for name in (BOTH, RECORD, ACCESS) if levels[name] == 0]
