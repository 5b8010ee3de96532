"""Pure rules of what measurements can tell: sizes of tests, and what regressions mistake."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from scipy.special import stdtr

from omnisim.spec import Ideas

REACH, STEPS = 1e3, 2000  # how far tails are followed, in prior scales, and how finely


def best_test(customers: float, outcome_sd: float, prior_sd: float) -> float:
    """Return the customers per arm of the test of two that earns most (Feit & Berman 2019).

    Of `customers` all that are not tested get what won; `outcome_sd` is the spread between
    customers, `prior_sd` that of the means of what might be tried.
    """
    noise = (outcome_sd / prior_sd) ** 2
    return math.sqrt(customers * noise / 4 + (0.75 * noise) ** 2) - 0.75 * noise


def gain_of_test(per_arm: float, outcome_sd: float, prior_sd: float) -> float:
    """Return what the winner of a test of two is expected to be better than their mean.

    Per customer, in the unit of both standard deviations.
    """
    spread = math.sqrt(prior_sd**2 + outcome_sd**2 / per_arm)
    return prior_sd**2 / (math.sqrt(math.pi) * spread)


def ships(rule: str, shown: float, error: float, believed: float, ideas: Ideas) -> bool:
    """Tell whether an idea is shipped that a test has `shown` to gain orders, with an `error`.

    `believed` is how many orders hang on what it changes. The posterior weighs what is shown
    against what ideas are usually worth, as if their tails were thin.
    """
    match rule:
        case "gain":
            return shown > 0
        case "significant":
            return shown > 2 * error
    hope = shown * believed * ideas.scale**2
    return bool(hope + ideas.mean * error**2 > 0)


def gain_of_idea(noise: float, mean: float, tails: float) -> float:
    """Return what an idea that is tested is expected to bring if what looks good is shipped.

    In units of the prior's scale: effects follow Student's t with `tails` degrees of freedom
    (infinite: normal) around `mean`, a test shows one with a normal error `noise`, and it is
    shipped if its posterior mean is above 0 (Azevedo et al. 2020).
    """
    fine = np.geomspace(1e-4, REACH, STEPS)
    effects = np.concatenate([-fine[::-1], [0.0], fine])
    edges = np.concatenate([[-np.inf], (effects[1:] + effects[:-1]) / 2, [np.inf]])
    weights = np.diff(stdtr(tails, edges - mean))
    near = 6 * noise + 6
    shown = np.concatenate([np.linspace(-near, near, 800), np.geomspace(near, REACH, 200)[1:]])
    likely = np.exp(-0.5 * ((shown[:, None] - effects) / noise) ** 2)
    expected = likely @ (weights * effects) / (noise * math.sqrt(2 * math.pi))
    return float(np.trapezoid(np.maximum(expected, 0.0), shown))


def needed_test(effect: float, outcome_sd: float, error: float = 0.05, power: float = 0.8) -> float:
    """Return the customers per arm that show an effect at a two-sided `error` with a `power`."""
    normal = NormalDist()
    wanted = normal.inv_cdf(1 - error / 2) + normal.inv_cdf(power)
    return 2 * (wanted * outcome_sd / effect) ** 2


def half_width(per_arm: float, outcome_sd: float, error: float = 0.05) -> float:
    """Return the half-width of the interval of a difference between two arms."""
    return NormalDist().inv_cdf(1 - error / 2) * outcome_sd * math.sqrt(2 / per_arm)


def overstated(following: float, demand_sd: float, own_sd: float) -> float:
    """Return by how much a regression of orders on spend overstates the effect of a euro.

    Spend is `following` x demand + variation of its own (standard deviation `own_sd`), and
    the regression does not see demand (Chen et al. 2018, on paid search).
    """
    variance = (following * demand_sd) ** 2 + own_sd**2
    return following * demand_sd**2 / variance
