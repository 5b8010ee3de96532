"""Pure rules of credit: who is said to have caused an order, and what is reported of it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from omnisim.spec import CreditKind

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Reads = CreditKind | Literal["own_claims"]


def read(reads: Reads, company_weight: float, claims: Floats, company: Floats) -> Floats:
    """Return the credit that a decider reads, from weekly counts of one shape.

    A department mixes its claims with the company's credit by what it is paid on
    (`company_weight`, lambda in M1); the centre reads one of the two unmixed.
    """
    match reads:
        case "own_claims":
            return (1 - company_weight) * claims + company_weight * company
        case "claims":
            return claims
        case _:
            return company


def last_touched(caused: Floats, baseline: float, leak: Floats, capture: Floats) -> Floats:
    """Return the orders of which each medium has the last touch (float64[media], M4).

    Of the orders that it `caused` a medium misses the share `leak`; those, and the
    `baseline` orders that no medium caused, are touched last by each medium in the share
    `capture` (sum at most 1), else by none.
    """
    leaked = leak * caused
    touched: Floats = caused - leaked + capture * (baseline + math.fsum(leaked))
    return touched


def shared(causes: Floats, parts: Flags) -> Floats:
    """Return the orders that each medium caused, every order once (float64[media]).

    `causes` float64[causes] are orders, `parts` bool[causes, media] the media that each
    needs: media that bring orders only together share them alike (their Shapley value).
    """
    return touched(causes / parts.sum(axis=1), parts)


def touched(causes: Floats, parts: Flags) -> Floats:
    """Return the orders in which each medium has a part (float64[media])."""
    return np.array([math.fsum(causes[part]) for part in parts.T])


def claimed(causes: Floats, parts: Flags, baseline: float, capture: Floats) -> Floats:
    """Return the orders that each medium claims (float64[media], M4b).

    It has touched all in which it has a part and the share `capture` of all others, and
    takes them whoever else does.
    """
    own = touched(causes, parts)
    claims: Floats = own + capture * (baseline + math.fsum(causes) - own)
    return claims


def claimed_together(
    causes: Floats, parts: Flags, baseline: float, capture: Floats, own: Flags
) -> float:
    """Return the orders that a department claims for its `own` media, each order once.

    No two media capture the same order.
    """
    has_part = parts[:, own].any(axis=1)
    others = baseline + math.fsum(causes[~has_part])
    return math.fsum(causes[has_part]) + math.fsum(capture[own]) * others


def contested(caused: Floats, baseline: float, captured: Floats, contestable: float) -> Floats:
    """Return the credit of departments that pay to be seen last (float64[departments], M5).

    Of all orders the share `contestable` goes to whoever stands nearest to their end: in
    proportion to the EUR that each spends there (`captured`), which cause no order; of the
    rest each has what it `caused`. Where nobody spends, all is as caused.
    """
    money = math.fsum(captured)
    if money == 0:
        return caused.copy()
    pool = contestable * (baseline + math.fsum(caused))
    credit: Floats = (1 - contestable) * caused + pool * captured / money
    return credit


def reached(rates: Floats) -> float:
    """Return the share of orders that any touch meets which meet it independently.

    One list that knows an order once credits no more than this (M4c); claims of all are
    the sum of the rates.
    """
    return float(1 - np.prod(1 - rates))


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
