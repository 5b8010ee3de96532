"""Closed forms of what can be measured and what wears out (O12, O13, O18, O19)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from omnisim import attribution, inference, streams
from omnisim.curves import Wearing

# -- O12: how large a test should be ------------------------------------------------------------

TESTS = [
    (100_000, 0.466, 0.0314, 2187.15),
    (1_000_000, 100.0, 0.5, 74403.07),
    (20_000, 0.2, 0.01, 1145.68),
]


@pytest.mark.parametrize(("customers", "outcome_sd", "prior_sd", "per_arm"), TESTS)
def test_the_best_test_is_as_large_as_the_closed_form_says(
    customers: int, outcome_sd: float, prior_sd: float, per_arm: float
) -> None:
    best = inference.best_test(customers, outcome_sd, prior_sd)
    assert best == pytest.approx(per_arm, abs=0.005)

    def earned(size: float) -> float:
        untested = customers - 2 * size
        return untested * inference.gain_of_test(size, outcome_sd, prior_sd)

    assert earned(best) > max(earned(0.99 * best), earned(1.01 * best))


def test_the_winner_of_a_test_is_as_much_better_as_the_closed_form_says() -> None:
    root, tries = streams.replication_key(12, 0), 100_000
    prior_sd, noise = 0.5, 1.2
    nobody = np.arange(2 * tries)
    means = prior_sd * normal(root, 1, nobody).reshape(2, tries)
    seen = means + noise * normal(root, 2, nobody).reshape(2, tries)
    gain = means[seen.argmax(axis=0), np.arange(tries)].mean()
    closed = inference.gain_of_test(100.0, 10 * noise, prior_sd)
    assert gain == pytest.approx(closed, abs=4 * prior_sd / math.sqrt(tries))


def normal(root: np.uint64, purpose: int, ids: np.ndarray) -> np.ndarray:
    """Return a standard normal number for each id (Box & Muller)."""
    radius = np.sqrt(-2 * np.log(streams.trait(root, purpose, ids, "radius")))
    drawn: np.ndarray = radius * np.cos(2 * np.pi * streams.trait(root, purpose, ids, "angle"))
    return drawn


def test_tests_that_tell_returns_apart_are_as_large_as_is_known() -> None:
    spend, margin, sales_sd = 0.14, 0.5, 75.0
    profitable = spend * 1.25 / margin
    assert profitable == pytest.approx(0.35)
    assert inference.needed_test(profitable, sales_sd) == pytest.approx(720_823, rel=2e-5)
    ten_points = spend * 0.1 / margin
    assert inference.needed_test(ten_points, sales_sd) == pytest.approx(112.6e6, abs=0.05e6)
    width = inference.half_width(1e6, sales_sd) * margin / spend
    assert width == pytest.approx(0.742, abs=5e-4)


# -- O13: what a regression mistakes for an effect -----------------------------------------------


@pytest.mark.parametrize(
    ("following", "own_sd", "limit"), [(0.5, 5.0, 3.0), (0.5, 1.0, 3.923), (0.0, 5.0, 2.0)]
)
def test_spend_that_follows_demand_looks_better_than_it_is(
    following: float, own_sd: float, limit: float
) -> None:
    true, weeks = 2.0, 200_000
    assert true + inference.overstated(following, 10.0, own_sd) == pytest.approx(limit, abs=5e-4)
    root = streams.replication_key(13, 0)
    demand, own = (normal(root, purpose, np.arange(weeks)) for purpose in (1, 2))
    spend = following * 10 * demand + own_sd * own
    found = np.cov(spend, true * spend + 10 * demand)
    assert found[0, 1] / found[0, 0] == pytest.approx(limit, abs=0.02)


# -- O18: contacts that wear out -----------------------------------------------------------------


@pytest.mark.parametrize(("departments", "part"), [(2, 0.7358), (3, 0.4060)])
def test_departments_that_each_count_their_own_contacts_wear_people_out(
    departments: int, part: float
) -> None:
    wearing = Wearing(0.05)
    alone = wearing.best
    assert alone == pytest.approx(20)
    assert wearing.response(alone) > max(wearing.response(19.9), wearing.response(20.1))
    left = wearing.response(departments * alone) / wearing.response(alone)
    assert left == pytest.approx(departments * math.exp(1 - departments), rel=1e-12)
    assert left == pytest.approx(part, abs=5e-5)


@pytest.mark.parametrize("departments", [2, 3])
def test_a_common_cap_hurts_where_contacts_do_not_wear_out(departments: int) -> None:
    tireless = Wearing(0.0)
    assert tireless.response(departments * 20) / tireless.response(20) == departments
    assert math.isinf(tireless.best)


# -- O18, O19: who is reached twice, what is claimed twice -----------------------------------------


def test_reach_of_two_media_overlaps() -> None:
    assert attribution.reached(np.array([0.6, 0.7])) == pytest.approx(0.6 + 0.7 - 0.42)
    assert attribution.reached(np.array([0.0, 0.3])) == pytest.approx(0.3)
    assert attribution.reached(np.array([1.0, 0.3])) == 1.0


def test_claims_of_all_exceed_orders_and_one_list_never_does() -> None:
    rates = np.array([0.6, 0.5, 0.3])
    assert math.fsum(rates) == pytest.approx(1.4)
    assert attribution.reached(rates) == pytest.approx(0.86)
    root, orders = streams.replication_key(19, 0), 200_000
    meets = np.array(
        [streams.trait(root, nth, np.arange(orders)) < rate for nth, rate in enumerate(rates)]
    )
    assert meets.sum() / orders == pytest.approx(1.4, abs=0.01)
    assert meets.any(axis=0).mean() == pytest.approx(0.86, abs=0.005)
