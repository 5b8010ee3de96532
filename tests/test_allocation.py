from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim import attribution, streams
from omnisim.allocation import Floats, View, decide, elasticities, step
from omnisim.spec import Steering

C4 = Steering(kind="central")
C3A = Steering(kind="central", rule="credit_share")
C3B = Steering(kind="central", rule="average_cpo")
NAMES = ("email", "print", "search", "social", "tv")


def luck(purpose: int, weeks: int, media: int) -> Floats:
    root = streams.replication_key(7, 0)
    return np.array(
        [[streams.normal(root, purpose, NAMES[m], t) for m in range(media)] for t in range(weeks)]
    )


def a_view(
    response: tuple[float, ...] = (0.2, 0.4, 0.6, 0.3, 0.5),
    weeks: int = 104,
    common: float = 0.0,
    trend: float = 0.0,
) -> View:
    """Return what a decider sees whose media have power curves with these elasticities."""
    media = len(response)
    varied = np.exp(0.15 * luck(1, weeks, media))
    spend = 1000 * varied / varied.mean(axis=1, keepdims=True)
    demand = np.exp(common * luck(2, weeks, 1))
    fading = np.exp(trend * np.outer(np.arange(weeks), np.linspace(-1, 1, media)))
    expected = 400 * (spend / 1000) ** np.array(response) * demand * fading
    credit = attribution.counted(expected, luck(3, weeks, media))
    shares = np.linspace(1, 2, media)
    return View(NAMES[:media], spend, credit, np.arange(weeks, 0, -1), shares / shares.sum(), spend)


def learned(view: View, steering: Steering = C4) -> Floats:
    return elasticities(view.spend, view.credit, view.weeks_ago, steering)


# -- what is learned ----------------------------------------------------------------------


def test_elasticities_are_learned_from_small_variations_of_spend() -> None:
    view = a_view()
    assert learned(view) == pytest.approx([0.2, 0.4, 0.6, 0.3, 0.5], abs=0.15)
    trusting = replace(view, credit=view.credit * 1000)  # the same, from a far larger firm
    sure = C4.model_copy(update={"elasticity_sd": 10.0, "forgetting": 1.0})
    assert learned(trusting, sure) == pytest.approx([0.2, 0.4, 0.6, 0.3, 0.5], abs=0.1)


def test_demand_that_moves_all_media_is_not_mistaken_for_response() -> None:
    calm, stormy = learned(a_view()), learned(a_view(common=0.5))
    assert stormy == pytest.approx(calm, abs=0.12)


def test_media_that_fade_and_grow_are_not_mistaken_for_response() -> None:
    view = a_view(trend=0.01)
    chased = view.spend * np.exp(0.005 * np.outer(np.arange(104), np.linspace(-1, 1, 5)))
    assert learned(replace(view, spend=chased)) == pytest.approx(learned(a_view()), abs=0.12)


def test_without_variation_the_prior_is_all_there_is() -> None:
    view = a_view()
    flat = replace(view, spend=np.full_like(view.spend, 1000.0))
    assert learned(flat) == pytest.approx(0.4)


def test_the_currency_changes_nothing() -> None:
    view = a_view()
    dear = replace(view, spend=view.spend * 117, used=view.used * 117)
    assert decide(dear, C4) == pytest.approx(decide(view, C4), abs=1e-9)


def test_a_medium_that_left_money_unspent_gets_at_most_what_it_spent() -> None:
    view = a_view()
    sated = view.used.copy()
    sated[:, 2] *= 0.5
    spent = sated[-4:, 2].sum() / view.spend[-4:].sum()
    decided = decide(replace(view, used=sated), C4)
    assert decided[2] <= spent + 1e-9
    assert decided.sum() == pytest.approx(1)
    assert (np.delete(decided, 2) >= np.delete(decide(view, C4), 2)).all()


def test_old_rows_are_forgotten() -> None:
    view = a_view(weeks=156)
    spoilt = view.credit.copy()
    spoilt[:52] = spoilt[:52][::-1]
    forgetful = C4.model_copy(update={"forgetting": 0.9})
    assert learned(replace(view, credit=spoilt), forgetful) == pytest.approx(
        learned(view, forgetful), abs=1e-3
    )


def test_a_medium_that_cannot_spend_more_is_not_given_more() -> None:
    view = a_view()
    credit = view.credit.copy()
    credit[:, 4] = attribution.counted(np.full(104, 400.0), luck(3, 104, 5)[:, 4])
    assert learned(replace(view, credit=credit))[4] < learned(view)[4] - 0.15


# -- what is decided ----------------------------------------------------------------------


@pytest.mark.parametrize("steering", [C4, C3A, C3B])
def test_renaming_the_media_permutes_the_decision_to_the_bit(steering: Steering) -> None:
    view = a_view(common=0.1)
    decided = decide(view, steering)
    for order in itertools.islice(itertools.permutations(range(5)), 0, 120, 7):
        turned = View(
            view.media,
            view.spend[:, order],
            view.credit[:, order],
            view.weeks_ago,
            view.shares[list(order)],
            view.used[:, order],
        )
        assert decide(turned, steering).tobytes() == decided[list(order)].tobytes()


@pytest.mark.parametrize("steering", [C4, C3A, C3B])
def test_deciding_changes_nothing_that_was_seen(steering: Steering) -> None:
    view = a_view()
    before = [array.copy() for array in (view.spend, view.credit, view.shares)]
    decide(view, steering)
    for array, kept in zip((view.spend, view.credit, view.shares), before, strict=True):
        assert array.tobytes() == kept.tobytes()


@pytest.mark.parametrize("steering", [C4, C3A, C3B])
def test_who_has_seen_nothing_keeps_the_plan(steering: Steering) -> None:
    view = a_view()
    blind = replace(
        view, spend=view.spend[:0], credit=view.credit[:0], weeks_ago=view.weeks_ago[:0]
    )
    assert decide(blind, steering).tolist() == view.shares.tolist()
    uncredited = replace(view, credit=np.zeros_like(view.credit))
    assert decide(uncredited, steering).tolist() == view.shares.tolist()


@pytest.mark.parametrize("steering", [C4, C3A, C3B])
def test_a_scope_of_one_medium_has_nothing_to_decide(steering: Steering) -> None:
    view = a_view(response=(0.4,))
    assert decide(view, steering).tolist() == [1.0]


@pytest.mark.parametrize("steering", [C4, C3A, C3B])
def test_a_medium_without_credit_falls_to_the_floor_step_by_step(steering: Steering) -> None:
    view = a_view()
    credit = view.credit.copy()
    credit[:, 4] = 0
    shares = view.shares
    for _ in range(20):
        fallen = decide(replace(view, credit=credit, shares=shares), steering)
        assert fallen[4] == pytest.approx(max(0.01, 0.75 * shares[4]))
        shares = fallen
    assert shares[4] == 0.01


def test_only_the_last_review_window_is_credited() -> None:
    view = a_view()
    credit = view.credit.copy()
    credit[:-4] *= np.array([9, 1, 1, 1, 1])
    assert decide(replace(view, credit=credit), C3A).tolist() == decide(view, C3A).tolist()


def test_credit_per_euro_ranks_media_by_what_an_order_costs_on_average() -> None:
    view = replace(a_view(), credit=np.tile([50.0, 100.0, 100.0, 200.0, 100.0], (104, 1)))
    spend = np.tile([100.0, 100.0, 200.0, 200.0, 400.0], (104, 1))
    free = C3B.model_copy(update={"damping": 1.0, "step": 1.0, "floor": 0.0})
    decided = decide(replace(view, spend=spend, used=spend, shares=np.full(5, 0.2)), free)
    assert decided == pytest.approx(np.array([0.5, 1.0, 0.5, 1.0, 0.25]) / 3.25)


def test_a_medium_that_was_not_bought_has_no_average_cost() -> None:
    view = a_view()
    spend = view.spend.copy()
    spend[-4:, 2] = 0.0
    decided = decide(replace(view, spend=spend, used=spend), C3B)
    assert decided[2] == pytest.approx(0.75 * view.shares[2])


def test_a_weekly_review_of_two_rows_is_possible() -> None:
    view = a_view(weeks=2)
    weekly = C4.model_copy(update={"review_weeks": 1})
    assert decide(view, weekly).sum() == pytest.approx(1)


def test_a_week_in_which_a_medium_was_not_bought_teaches_nothing() -> None:
    view = a_view()
    spend, credit = view.spend.copy(), view.credit.copy()
    spend[40:44, 2] = 0
    credit[40:44, 2] = 0
    assert learned(replace(view, spend=spend, credit=credit)) == pytest.approx(
        learned(view), abs=0.05
    )


weights = st.lists(st.floats(0.01, 100), min_size=2, max_size=8)


@given(weights, weights, st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0, 0.5))
def test_a_step_keeps_the_sum_the_floor_and_the_cap(
    held: list[float], wanted: list[float], damping: float, cap: float, floor: float
) -> None:
    size = min(len(held), len(wanted))
    shares = np.array(held[:size]) / sum(held[:size])
    target = np.array(wanted[:size]) / sum(wanted[:size])
    steering = C4.model_copy(update={"damping": damping, "step": cap, "floor": floor})
    stepped = step(shares, target, np.full_like(shares, np.inf), steering)
    lowest = min(floor, 1 / size)
    assert stepped.sum() == pytest.approx(1, abs=1e-12)
    assert (stepped >= lowest - 1e-15).all()
    if np.maximum(lowest, shares * (1 - cap)).sum() <= 1:
        assert (stepped <= np.maximum(lowest, shares * (1 + cap)) + 1e-15).all()
        assert (stepped >= shares * (1 - cap) - 1e-15).all()


counts = st.integers(0, 500)


@given(
    st.lists(st.tuples(counts, counts, counts), min_size=0, max_size=12),
    st.sampled_from([C4, C3A, C3B]),
)
def test_no_report_however_odd_leads_to_shares_that_are_none(
    reports: list[tuple[int, int, int]], steering: Steering
) -> None:
    credit = np.array(reports, float).reshape(-1, 3)
    spend = np.roll(credit, 1, axis=0) + np.array([0, 1, 1000])
    shares = np.array([0.0, 0.3, 0.7])
    view = View(("a", "b", "c"), spend, credit, np.arange(len(credit), 0, -1), shares, spend)
    decided = decide(view, steering)
    assert np.isfinite(decided).all()
    assert (decided >= 0).all()
    assert decided.sum() == pytest.approx(1, abs=1e-9)


# -- what is reported ---------------------------------------------------------------------


def test_a_department_reads_what_it_is_paid_on_and_the_centre_what_it_is_shown() -> None:
    claims, touches = np.array([[10.0, 4.0]]), np.array([[6.0, 2.0]])
    assert attribution.read("own_claims", 0.0, claims, touches).tolist() == claims.tolist()
    assert attribution.read("own_claims", 0.25, claims, touches).tolist() == [[9.0, 3.5]]
    assert attribution.read("own_claims", 1.0, claims, touches).tolist() == touches.tolist()
    assert attribution.read("claims", 0.25, claims, touches).tolist() == claims.tolist()
    assert attribution.read("last_touch", 0.25, claims, touches).tolist() == touches.tolist()


def test_reported_counts_have_the_mean_and_spread_of_poisson_luck() -> None:
    draws = luck(3, 2000, 1).ravel()
    told = attribution.counted(np.full(2000, 40.0), draws)
    assert (told == np.rint(told)).all()
    assert told.mean() == pytest.approx(40, abs=0.5)
    assert told.var() == pytest.approx(40, rel=0.1)
    assert attribution.counted(np.array([1.0, 0.0]), np.array([-3.0, 2.0])).tolist() == [0, 0]


def test_noise_is_a_factor_and_none_leaves_reports_alone() -> None:
    credit, draws = np.array([10.0, 0.0, 5.0]), np.array([1.0, 1.0, -1.0])
    assert attribution.distorted(credit, 0.0, draws).tolist() == credit.tolist()
    assert attribution.distorted(credit, 0.2, draws) == pytest.approx(
        [10 * np.exp(0.2), 0, 5 * np.exp(-0.2)]
    )
