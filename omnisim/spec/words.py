"""Words of every spec: names, shares, stages, what a mistake says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Stage = Literal["inform", "evaluate", "buy"]
STAGES: tuple[Stage, ...] = ("inform", "evaluate", "buy")
AnyStage = Literal["inform", "evaluate", "buy", "receive", "use"]
ALL_STAGES: tuple[AnyStage, ...] = (*STAGES, "receive", "use")
DAYS_IN_YEAR = 364
HALVES = 2  # of the regions, which a test of money tells apart
WEEKS_IN_YEAR = 52
DAYS_IN_WEEK = 7
TRUTH_REPLICATIONS = 5
Dimension = Literal[
    "promotion", "price", "transaction_data", "information_access", "fulfilment", "service"
]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[tuple[Name, ...], AfterValidator(lambda names: tuple(sorted(names)))]
Stages = Annotated[
    tuple[AnyStage, ...],
    Field(min_length=1),
    AfterValidator(lambda stages: tuple(stage for stage in ALL_STAGES if stage in stages)),
]


class Fault(ValueError):
    """A value that is well-typed but wrong: where, what was found, what is allowed.

    `key` is relative to the model that raises it; `choices` feeds the nearest right name.
    """

    def __init__(self, key: str, found: object, allowed: str, choices: Iterable[str] = ()) -> None:
        super().__init__(f"found {found}, allowed: {allowed}")
        self.key = key
        self.found = found
        self.allowed = allowed
        self.choices = tuple(choices)


class Words(BaseModel):
    """Base of every spec: frozen, no unknown keys, no NaN and no infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def pair(*channels: str) -> str:
    """Return the key of two channels, whichever is named first."""
    return "+".join(sorted(channels))


def pairs(channels: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of all pairs of channels, sorted."""
    return tuple(sorted(pair(*two) for two in itertools.combinations(sorted(channels), 2)))


def sums_to_one(key: str, shares: Mapping[str, float]) -> None:
    """Raise Fault unless shares sum to 1."""
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-6:
        raise Fault(key, f"a sum of {total:g}", "shares that sum to 1")


def known(key: str, names: Iterable[str], choices: Iterable[str], what: str) -> None:
    """Raise Fault unless every name is one of the market's choices."""
    there = sorted(choices)
    for name in names:
        if name not in there:
            raise Fault(f"{key}.{name}", f"'{name}'", f"a {what} of the market", there)
