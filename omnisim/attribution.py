"""Pure rules of credit: who is said to have caused an order, and what is reported of it."""

from __future__ import annotations

import math
from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Reads = Literal["own_claims", "last_touch", "claims"]


def read(reads: Reads, company_weight: float, claims: Floats, last_touch: Floats) -> Floats:
    """Return the credit that a decider reads, from weekly counts of one shape.

    A department mixes its claims with the company's deduplicated orders by what it is
    paid on (`company_weight`, lambda in M1); the centre reads one of the two unmixed.
    """
    match reads:
        case "own_claims":
            return (1 - company_weight) * claims + company_weight * last_touch
        case "claims":
            return claims
        case "last_touch":
            return last_touch
        case _:
            assert_never(reads)


def last_touched(caused: Floats, baseline: float, leak: Floats, capture: Floats) -> Floats:
    """Return the orders of which each medium has the last touch (float64[media], M4).

    Of the orders that it `caused` a medium misses the share `leak`; those, and the
    `baseline` orders that no medium caused, are touched last by each medium in the share
    `capture` (sum at most 1), else by none.
    """
    leaked = leak * caused
    touched: Floats = caused - leaked + capture * (baseline + math.fsum(leaked))
    return touched


def claimed(caused: Floats, baseline: float, capture: Floats) -> Floats:
    """Return the orders that each medium claims (float64[media], M4b).

    It has touched all that it `caused` and the share `capture` of all others, and takes
    them whoever else does.
    """
    claims: Floats = caused + capture * (baseline + math.fsum(caused) - caused)
    return claims


def claimed_together(
    caused: Floats, baseline: float, capture: Floats, own: npt.NDArray[np.bool_]
) -> float:
    """Return the orders that a department claims for its `own` media, each order once.

    No two media capture the same order.
    """
    others = baseline + math.fsum(caused[~own])
    return math.fsum(caused[own]) + math.fsum(capture[own]) * others


def counted(expected: Floats, luck: Floats) -> Floats:
    """Return counts with the Poisson luck of the real firm, whole and never negative.

    `luck` holds standard normal numbers (normal approximation).
    """
    counts: Floats = np.maximum(np.rint(expected + np.sqrt(expected) * luck), 0.0)
    return counts


def distorted(credit: Floats, noise: float, luck: Floats) -> Floats:
    """Return credit with a log error of standard deviation `noise` (M10).

    `luck` holds standard normal numbers.
    """
    blurred: Floats = credit * np.exp(noise * luck)
    return blurred
