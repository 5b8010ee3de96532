"""Closed forms of the facts pages (O1-O9, B1), held against the market that lives by them."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnisim import attribution, config, streams
from omnisim.__main__ import main
from omnisim.allocation import Floats, best_funding, best_split, evened, politics
from omnisim.curves import Curve, Exponential, Hill, Log, MichaelisMenten, Power, Scaled, Steady
from omnisim.measures import measure
from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation, simulate, truth
from omnisim.simulation.textbook import steady_curves
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec, Steering, TextbookMarket
from tests.worlds import paid

O1 = (Log(400, 20), Log(300, 40), Log(200, 30), Log(100, 10))
O2 = (Exponential(500, 0.01), Exponential(300, 0.02), Exponential(200, 0.005))
O3 = (Power(60, 0.5), Power(40, 0.5), Power(20, 0.5), Power(10, 0.5))
O3_UNEQUAL = (Power(90, 0.15), Power(30, 0.35), Power(12, 0.5), Power(8, 0.6))
O3B = (
    MichaelisMenten(600, 100),
    MichaelisMenten(400, 50),
    MichaelisMenten(300, 200),
    MichaelisMenten(200, 25),
)
SIZE, MONEY = 1000.0, 500.0  # A and M of O1
WANTED = np.array([0.4, 0.3, 0.2, 0.1])  # p
OFFSETS = np.array([20.0, 40.0, 30.0, 10.0])  # b
OPTIMUM = (180.0, 110.0, 70.0, 40.0)
LEGACY = (80.0, 60.0, 110.0, 150.0)
EQUAL = (100.0, 100.0, 100.0, 100.0)
MOST = 1719.299141
SPREAD = 1 - float((WANTED**2).sum())

RICH = 10_000.0  # so much money that whole cents do not count
HUGE = 1e10  # so many orders that luck does not count

CENTRAL = {"kind": "central", "report_delay_weeks": 0, "report_noise": 0.0}
AVERAGE = CENTRAL | {"rule": "credit_share"}
PER_EURO = CENTRAL | {"rule": "average_cpo"}
LEAK, CAPTURE = (0.25, 0.45, 0.35, 0.05), (0.10, 0.05, 0.05, 0.45)


def words(curve: Curve, orders: float) -> dict[str, Any]:
    """Return a curve as YAML has it, for money that is `RICH` times as much."""
    match curve:
        case Log(a, b):
            return {"kind": "log", "a": a * orders, "b": b * RICH}
        case Exponential(k, b):
            return {"kind": "exponential", "k": k * orders, "b": b / RICH}
        case Power(a, beta):
            return {"kind": "power", "a": a * orders / RICH**beta, "beta": beta}
        case MichaelisMenten(most, half):
            return {"kind": "michaelis_menten", "most": most * orders, "half": half * RICH}
        case Hill(most, half, shape):
            scale = {"most": most * orders, "half": half * RICH}
            return {"kind": "hill", "shape": shape} | scale
    raise TypeError(curve)


def asked(
    curves: Sequence[Curve],
    spends: Sequence[float] | Floats,
    steering: Mapping[str, Any] | None = None,
    *,
    orders: float = 1.0,
    media: Mapping[str, Sequence[float]] | None = None,
    departments: Sequence[int] | None = None,
    attribution: str = "last_touch",
    **market: Any,
) -> ExperimentSpec:
    """Return a question about curves, paid at first with so many euros a week.

    `media` has a number per medium for each key; `departments` how many media each owns.
    """
    names = [f"m{m + 1}" for m in range(len(curves))]
    own = iter(names)
    organigram = {
        f"d{d + 1}": {"owns": list(itertools.islice(own, size))}
        for d, size in enumerate(departments or [len(names)])
    }
    strategy = {
        "steering": steering or {"kind": "frozen"},
        "integration": {},
        "incentives": {},
        "attribution": {"kind": attribution},
        "organigram": organigram | {"sales": {"owns": ["shop"]}},
    }
    budget = math.fsum(spends)
    split = {name: float(x) / budget for name, x in zip(names, spends, strict=True)}
    specs = {
        name: {"curve": words(curve, orders)}
        | {key: float(numbers[m]) for key, numbers in (media or {}).items()}
        for m, (name, curve) in enumerate(zip(names, curves, strict=True))
    }
    return ExperimentSpec.model_validate(
        {
            "experiment": "closed_form",
            "question": "",
            "hypothesis": "",
            "decision_rule": "",
            "market": {
                "kind": "textbook",
                "name": "closed_form",
                "budget": budget * RICH * 52,
                "start": "paid",
                "splits": {"paid": split},
                "media": specs,
                "channels": {"shop": {"basket": 11.9, "margin": 0.3}},  # 3 EUR an order
                **market,
            },
            "status_quo": strategy,
            "arms": {"only": strategy},
            "baseline": "only",
            "horizon": {"history_weeks": 0, "weeks": 104},
            "truth": "none",
        }
    )


def plans(weekly: Sequence[Sequence[float] | Floats]) -> dict[str, Any]:
    """Return a steering that pays another split every week."""
    splits = [np.asarray(spends) / np.sum(spends) for spends in weekly]
    named = [{f"m{m + 1}": float(q) for m, q in enumerate(split)} for split in splits]
    return {"kind": "given", "given": dict(enumerate(named))}


def lived(spec: ExperimentSpec, weeks: int, replication: int = 0) -> Simulation:
    """Return the world of a question after some weeks."""
    world = Simulation(spec, replication)
    world.adopt(spec.status_quo)
    world.run_to(weeks * DAYS_IN_WEEK)
    return world


def told(world: Simulation, column: str) -> Floats:
    """Return a weekly column: float64[weeks] of the shop, float64[weeks, media] of media."""
    ledger = world.state.ledger
    if column in MEDIA_COLUMNS:
        return np.array(ledger.media)[:, :, MEDIA_COLUMNS.index(column)]
    return np.array(ledger.channels)[:, 0, CHANNEL_COLUMNS.index(column)]


def orders_a_week(
    curves: Sequence[Curve], spends: Sequence[float] | Floats, **media: Sequence[float]
) -> float:
    """Return the orders of a week in which this is paid, as it was for ever."""
    return float(told(lived(asked(curves, spends, media=media), 1), "expected_orders")[0])


def lost(held: Floats, wanted: Floats = WANTED) -> float:
    """Return A x KL(p, q): the orders that plan q loses (O1)."""
    return SIZE * float((wanted * np.log(wanted / held)).sum())


# -- O1, O2, O3: what a split brings, and which one is best ------------------------------------


@pytest.mark.parametrize(
    ("curves", "spends", "orders"),
    [
        (O1, OPTIMUM, MOST),
        (O1, EQUAL, 1625.589619),
        (O1, LEGACY, 1504.010265),
        (O2, (175.077573, 96.654864, 28.267563), 696.131409653),
        (O2, (100, 100, 100), 654.153562501),
        (O3, best_split(O3, 400), 1509.966887),
        (O3, EQUAL, 0.860946 * 1509.966887),
        (O3_UNEQUAL, (38.8805, 81.4641, 99.5818, 180.0736), 595.994159),
        (O3_UNEQUAL, EQUAL, 0.967663 * 595.994159),
        (O3B, (170.409327, 106.120898, 70.409327, 53.060449), 864.069552),
        (O3B, EQUAL, 826.666667),
    ],
)
def test_the_market_answers_a_split_as_the_closed_form_does(
    curves: Sequence[Curve], spends: Sequence[float], orders: float
) -> None:
    assert orders_a_week(curves, spends) == pytest.approx(orders, rel=1e-6)


@pytest.mark.parametrize(
    ("curves", "budget"),
    [(O1, 400.0), (O1, 30.0), (O2, 300.0), (O3, 400.0), (O3_UNEQUAL, 400.0), (O3B, 400.0)],
)
def test_no_small_move_between_two_media_beats_the_best_split(
    curves: Sequence[Curve], budget: float
) -> None:
    best = best_split(curves, budget)
    moves = [best]
    for giver, taker in itertools.permutations(range(len(curves)), 2):
        moved = min(0.05 * budget, best[giver])
        moves.append(best.copy())
        moves[-1][[giver, taker]] += (-moved, moved)
    reached = told(lived(asked(curves, best, plans(moves)), len(moves)), "expected_orders")
    assert (reached[1:] <= reached[0] * (1 + 1e-9)).all()


@settings(max_examples=25)
@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_the_loss_of_any_split_of_log_curves_is_a_divergence(weights: list[float]) -> None:
    spends = 400 * np.array(weights) / sum(weights)
    assert MOST - orders_a_week(O1, spends) == pytest.approx(
        lost((spends + OFFSETS) / MONEY), abs=1e-5
    )


def test_one_more_euro_brings_what_the_curve_says() -> None:
    world = lived(asked(O1, LEGACY), 4)
    names = ("m1", "m2", "m3", "m4")
    plain, *raised = (
        told(fork, "expected_orders")[-1]
        for fork in (paid(world, 1), *(paid(world, 1, **{name: 1.0001}) for name in names))
    )
    marginal = 1e-4 * np.array(LEGACY) / (np.array(raised) - plain)
    assert marginal == pytest.approx(np.array([0.25, 1 / 3, 0.7, 1.6]), rel=1e-3)


def test_the_loss_of_any_split_of_saturating_curves_is_a_chi_square() -> None:
    roots = np.sqrt([curve.most * curve.half for curve in O3B])
    halves = np.array([curve.half for curve in O3B])
    money = 400 + halves.sum()
    wanted = roots / roots.sum()
    for spends in (EQUAL, LEGACY, (400.0, 0.0, 0.0, 0.0)):
        held = (spends + halves) / money
        distance = float(((wanted - held) ** 2 / held).sum())
        lost = 864.069552 - orders_a_week(O3B, spends)
        assert lost == pytest.approx(roots.sum() ** 2 / money * distance, abs=2e-6)


FREE = {"damping": 0.5, "step": 1.0, "floor": 0.0, "exploration": 0.0, "review_weeks": 1}


@pytest.mark.parametrize(
    ("rule", "curves", "baseline", "part"),
    [
        ("credit_share", O3, 0.0, 1.0),
        ("credit_share", O3_UNEQUAL, 0.0, 0.935652),
        ("credit_share", O3_UNEQUAL, 120.0, 0.876925),
        ("average_cpo", O3, 0.0, 0.948785),
    ],
)
def test_rules_of_averages_come_to_rest_where_the_closed_form_says(
    rule: str, curves: Sequence[Curve], baseline: float, part: float
) -> None:
    captures = {"capture": (1.0, 0.0, 0.0, 0.0)}  # the first medium is told to bring the baseline
    steering = CENTRAL | FREE | {"rule": rule}
    spec = asked(
        curves, EQUAL, steering, orders=HUGE, media=captures, baseline_orders=baseline * HUGE
    )
    reached = told(lived(spec, 100), "expected_orders")[-1] / HUGE - baseline
    best = orders_a_week(curves, best_split(curves, 400))
    assert reached / best == pytest.approx(part, abs=1e-5)


# -- O5: curves of S shape ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media", "budget", "funded", "most", "even"),
    [
        (5, 200.0, 2, 100.0, 68.9655),
        (5, 300.0, 3, 150.0, 132.3529),
        (4, 260.0, 3, 128.6802, 118.8049),
    ],
)
def test_of_alike_curves_of_s_shape_some_are_funded_in_full_and_the_others_not(
    media: int, budget: float, funded: int, most: float, even: float
) -> None:
    curves = (Hill(100, 100, 2),) * media
    best = best_funding(curves, budget)
    assert sorted(best)[: media - funded] == [0.0] * (media - funded)
    assert np.abs(np.sort(best)[media - funded :] - budget / funded).sum() <= 1e-3 * budget
    assert orders_a_week(curves, best) == pytest.approx(most, rel=1e-6)
    assert orders_a_week(curves, [budget / media] * media) == pytest.approx(even, rel=1e-6)


def test_who_follows_the_next_euro_misses_the_best_of_s_shaped_curves() -> None:
    curves = (Hill(100, 100, 2),) * 5
    start = np.array([40.5, 39.5, 40.0, 40.0, 40.0])
    spec = asked(curves, start, CENTRAL, orders=HUGE)
    assert told(lived(spec, 150), "expected_orders").max() / HUGE < 0.97 * 100


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.builds(Hill, st.floats(10, 1000), st.floats(10, 300), st.floats(0.5, 5)),
        min_size=2,
        max_size=4,
    ),
    st.floats(50, 500),
)
def test_no_split_of_a_grid_beats_the_best_funding(curves: list[Hill], budget: float) -> None:
    best = best_funding(curves, budget)
    assert best.sum() == pytest.approx(budget, rel=1e-9)
    reached = math.fsum(curve.orders(x) for curve, x in zip(curves, best, strict=True))
    parts = np.linspace(0, budget, 17)
    for some in itertools.product(parts, repeat=len(curves) - 1):
        rest = budget - math.fsum(some)
        if rest >= 0:
            split = (*some, rest)
            other = math.fsum(curve.orders(x) for curve, x in zip(curves, split, strict=True))
            assert other <= reached * (1 + 1e-6)


@pytest.mark.parametrize(
    ("curves", "budget"), [(O1, 400.0), (O1, 30.0), (O2, 300.0), (O3_UNEQUAL, 400.0), (O3B, 400.0)]
)
def test_where_curves_are_concave_both_ways_to_the_best_split_agree(
    curves: Sequence[Curve], budget: float
) -> None:
    filled, funded = best_split(curves, budget), best_funding(curves, budget)
    assert np.abs(filled - funded).sum() <= 1e-3 * budget


# -- what pairs of media bring together ----------------------------------------------------------

PAIR = (Power(2, 0.5), Power(1, 0.5))


def together(
    kappa: float,
    shares: Sequence[float] | Floats = (0.8, 0.2),
    steering: Mapping[str, Any] | None = None,
    orders: float = HUGE,
    **more: Any,
) -> ExperimentSpec:
    """Return a question about S = 2 sqrt(u) + sqrt(v) + kappa sqrt(u v), with u + v = 1."""
    # On money that is RICH times as much, a synergy counts it whole where a root counts half.
    synergy = {"media": ["m2", "m1"], "kappa": kappa * orders / RICH}
    return asked(PAIR, shares, steering, orders=orders, synergies=[synergy], **more)


@pytest.mark.parametrize(
    ("kappa", "share"),
    [(0, 0.800), (0.5, 0.717), (1, 0.668), (2, 0.614), (4, 0.570), (8, 0.539)],
)
def test_the_more_two_media_bring_together_the_more_even_is_their_best_split(
    kappa: float, share: float
) -> None:
    first = np.arange(0.501, 0.9, 0.001)
    splits = [(u, 1 - u) for u in first]
    world = lived(together(kappa, splits[0], plans(splits)), len(splits))
    reached = told(world, "expected_orders") / HUGE
    exact = 2 * np.sqrt(first) + np.sqrt(1 - first) + kappa * np.sqrt(first * (1 - first))
    assert reached == pytest.approx(exact, rel=1e-6)
    assert first[reached.argmax()] == pytest.approx(share, abs=1.001e-3)


@pytest.mark.parametrize(("kappa", "share"), [(0.5, 0.717), (2, 0.614), (8, 0.539)])
def test_forks_that_measure_the_truth_see_what_two_media_bring_together(
    kappa: float, share: float
) -> None:
    soon, best = (truth.best_shares(lived(together(kappa), 1), rounds) for rounds in (3, 7))
    assert best[0] == pytest.approx(share, abs=1e-3)
    reached = [told(lived(together(kappa, split), 1), "expected_orders") for split in (soon, best)]
    assert reached[0] == pytest.approx(reached[1], rel=1e-3)
    world = lived(together(kappa, (share, 1 - share)), 1)
    plain, *raised = (
        told(fork, "expected_orders")[-1]
        for fork in (paid(world, 1), paid(world, 1, m1=1.001), paid(world, 1, m2=1.001))
    )
    gains = (np.array(raised) - plain) / np.array([share, 1 - share])
    assert gains[0] == pytest.approx(gains[1], rel=5e-3)


def test_silos_that_ignore_what_media_bring_together_stay_where_their_own_curves_are_best() -> None:
    assert best_split(PAIR, 1.0)[0] == pytest.approx(0.8, abs=1e-9)
    silos = lived(together(4, steering={"kind": "siloed"}, departments=(1, 1)), 60)
    assert silos.state.shares == pytest.approx([0.8, 0.2], abs=1e-4)


def test_an_order_of_two_media_is_claimed_by_both_and_credited_once() -> None:
    world = lived(together(4, (0.64, 0.36)), 1)
    alone, joint = np.array([1.6, 0.6]), 4 * 0.48
    orders = float(told(world, "expected_orders")[0]) / HUGE
    assert orders == pytest.approx(alone.sum() + joint, rel=1e-6)
    credit = told(world, "expected_last_touch")[0] / HUGE
    claims = told(world, "expected_claims")[0] / HUGE
    assert credit == pytest.approx(alone + joint / 2, rel=1e-6)
    assert claims == pytest.approx(alone + joint, rel=1e-6)
    company = dict(zip(COMPANY_COLUMNS, world.state.ledger.company[0], strict=True))
    assert company["expected_department_claims"] / HUGE == pytest.approx(orders, rel=1e-6)
    apart = lived(together(4, (0.64, 0.36), departments=(1, 1)), 1)
    company = dict(zip(COMPANY_COLUMNS, apart.state.ledger.company[0], strict=True))
    assert company["expected_department_claims"] / HUGE == pytest.approx(claims.sum(), rel=1e-6)


def test_what_media_bring_together_does_not_hang_on_the_order_in_which_pairs_are_listed() -> None:
    pairs = [{"media": ["m1", "m2"], "kappa": 1.0}, {"media": ["m4", "m1"], "kappa": 3.0}]
    ledgers = [
        lived(asked(O1, LEGACY, CENTRAL, synergies=listed), 12).state.ledger
        for listed in (pairs, pairs[::-1])
    ]
    for one, other in zip(ledgers[0].media, ledgers[1].media, strict=True):
        assert (one == other).all()


# -- O6: the maximum is flat in money and steep in shares ----------------------------------------


def earned(curves: Sequence[Curve], spends: Sequence[float] | Floats) -> float:
    """Return the contribution of a week by the measures of a whole run (EUR of the bench).

    An order leaves 3 EUR, and all orders are as many times more as the money is.
    """
    spec = asked(curves, spends, orders=RICH)
    spec = spec.model_copy(update={"horizon": spec.horizon.model_copy(update={"weeks": 2})})
    rows = measure(spec, simulate(spec, 0).values()).set_index(["outcome", "channel"])["value"]
    return float(rows["expected_contribution", ""]) / 2 / RICH


@pytest.mark.parametrize(
    ("elasticity", "ratios"),
    [
        (0.12, (0.9775, 0.9955, 0.9967, 0.9885, 0.9622, 0.8874)),
        (0.24, (0.9562, 0.9912, 0.9934, 0.9766, 0.9224, 0.7654)),
    ],
)
def test_spending_far_too_little_or_too_much_costs_little(
    elasticity: float, ratios: tuple[float, ...]
) -> None:
    best = 400.0
    curve = Power(best ** (1 - elasticity) / (3 * elasticity), elasticity)
    most = earned([curve], [best])
    for times, ratio in zip((0.5, 0.75, 1.25, 1.5, 2, 3), ratios, strict=True):
        exact = (times**elasticity - elasticity * times) / (1 - elasticity)
        reached = earned([curve], [times * best]) / most
        assert reached == pytest.approx(exact, rel=1e-6)
        assert reached == pytest.approx(ratio, abs=5.1e-5)


def test_a_wrong_split_of_the_right_budget_costs_more_than_a_wrong_budget() -> None:
    best = 2900.0
    profits = [earned(O1, best_split(O1, times * best)) for times in (1, 0.5, 1.5)]
    profits.append(earned(O1, best * np.array(LEGACY) / 400))
    assert profits == pytest.approx([7633.176, 7102.104, 7366.051, 6808.217], rel=1e-6)
    assert max(earned(O1, best_split(O1, times * best)) for times in (0.99, 1.01)) < profits[0]


# -- O7: those who look at a few weeks miss what media leave behind -------------------------------

CARRY_OVER = (0.0, 0.3, 0.6, 0.85)
# Steady curves are those of O1: orders at a spend that lasts.
CARRIED = tuple(
    Log(curve.a, curve.b / (1 - kept)) for curve, kept in zip(O1, CARRY_OVER, strict=True)
)


@pytest.mark.parametrize(
    ("window", "loss"), [(1, 130.415), (2, 57.907), (4, 20.036), (8, 4.113), (13, 0.719)]
)
def test_a_short_window_underfunds_media_that_last(window: int, loss: float) -> None:
    seen = 1 - np.array(CARRY_OVER) ** window
    myopic = MONEY * WANTED * seen / (WANTED * seen).sum() - OFFSETS
    reached = orders_a_week(CARRIED, myopic, carry_over=CARRY_OVER)
    assert MOST - reached == pytest.approx(loss, abs=6e-4)


def test_a_window_sees_a_fraction_of_what_a_pulse_of_money_brings() -> None:
    world = lived(asked(CARRIED, OPTIMUM, media={"carry_over": CARRY_OVER}), 1)
    for name, kept in zip(("m2", "m3", "m4"), CARRY_OVER[1:], strict=True):
        pulse = world.fork(world.strategy)
        pulse.change = np.where(np.array(pulse.media) == name, 1.0001, 1.0)
        pulse.run_to(2 * DAYS_IN_WEEK)
        pulse.change = np.ones(len(pulse.media))
        pulse.run_to(120 * DAYS_IN_WEEK)
        gain = (told(pulse, "expected_orders") - told(paid(world, 119), "expected_orders"))[1:]
        for window in (1, 2, 4, 8, 13):
            part = gain[:window].sum() / gain.sum()
            assert part == pytest.approx(1 - kept**window, rel=2e-4)


def test_the_oracles_curves_are_what_a_spend_brings_that_lasts() -> None:
    spec = asked(CARRIED, OPTIMUM, media={"carry_over": CARRY_OVER})
    market = spec.market
    assert isinstance(market, TextbookMarket)
    best = best_split(steady_curves(market), 400 * RICH) / RICH
    assert best == pytest.approx(np.array(OPTIMUM), abs=1e-6)
    changed = asked(CARRIED, LEGACY, plans([OPTIMUM]), media={"carry_over": CARRY_OVER})
    weekly = told(lived(changed, 150), "expected_orders")
    assert weekly[-1] == pytest.approx(MOST, rel=1e-6)
    assert weekly[0] > 1.05 * MOST  # what was paid before still works


# -- O11, O12b: politics and small trials of other splits ------------------------------------------


def loss_of_plans(weekly: Sequence[Floats]) -> float:
    """Return the mean orders that plans q of the money M lose on the market."""
    spends = [MONEY * held / held.sum() - OFFSETS for held in weekly]
    reached = told(lived(asked(O1, OPTIMUM, plans(spends)), len(spends)), "expected_orders")
    return float(MOST - reached.mean())


@pytest.mark.parametrize(("evenness", "loss"), [(0.25, 8.174), (0.5, 29.641), (1.0, 106.440)])
def test_drawing_a_plan_to_equal_parts_costs_what_the_closed_form_says(
    evenness: float, loss: float
) -> None:
    held = evened(WANTED, Steering(kind="central", evenness=evenness))
    assert loss_of_plans([held]) == pytest.approx(loss, abs=6e-4)


@pytest.mark.parametrize(("power", "loss"), [(0.2, 1.899), (0.5, 12.855), (1.0, 58.565)])
def test_the_power_of_one_costs_what_the_closed_form_says_and_that_of_all_nothing(
    power: float, loss: float
) -> None:
    none = np.zeros(4)
    heard = politics(WANTED, none, np.array([0, 0, 0, power]), 0.0)
    assert loss_of_plans([heard]) == pytest.approx(loss, abs=6e-4)
    for alike in (
        politics(WANTED, none, none + power, 0.0),
        politics(WANTED, none + power, none, 0.0),
    ):
        assert loss_of_plans([alike]) == pytest.approx(0, abs=6e-4)


@pytest.mark.parametrize(("eta", "loss"), [(0.10, 3.52), (0.15, 7.98), (0.30, 33.2)])
def test_trying_a_little_more_and_less_costs_what_the_closed_form_says(
    eta: float, loss: float
) -> None:
    signs = [np.array(signs) for signs in itertools.product((-1.0, 1.0), repeat=4)]
    cost = loss_of_plans([WANTED * (1 + eta * sign) for sign in signs])
    assert cost == pytest.approx(loss, abs=0.05)
    assert cost == pytest.approx(SIZE * eta**2 / 2 * SPREAD, rel=0.06)


# -- O8: how much noise makes it wiser not to move ------------------------------------------------


def noise(plans: int) -> Floats:
    """Return standard normal errors of estimates (float64[plans, media])."""
    root = streams.replication_key(8, 0)
    draws = [
        streams.normal(root, streams.REPORT_NOISE, f"m{m + 1}", plan)
        for plan in range(plans)
        for m in range(4)
    ]
    return np.array(draws).reshape(plans, 4)


def loss_of_one_shot(sd: float, errors: Floats) -> float:
    """Return the mean orders that the market loses to plans made on noisy curves."""
    guesses = WANTED * np.exp(sd * errors)
    weekly = [best_split([Log(a, c.b) for a, c in zip(g, O1, strict=True)], 400) for g in guesses]
    reached = told(lived(asked(O1, OPTIMUM, plans(weekly)), len(weekly)), "expected_orders")
    return float(MOST - reached.mean())


def test_noise_costs_what_the_closed_form_says() -> None:
    errors = noise(600)
    for sd, loss in ((0.1, 3.49), (0.2, 13.95), (0.4, 55.0)):
        assert loss_of_one_shot(sd, errors) == pytest.approx(loss, rel=0.05)
        assert loss == pytest.approx(SIZE * sd**2 / 2 * SPREAD, rel=0.03)


@pytest.mark.parametrize(("start", "even"), [(LEGACY, 0.812), (EQUAL, 0.526)])
def test_noise_breaks_even_with_a_wrong_split_where_the_closed_form_says(
    start: tuple[float, ...], even: float
) -> None:
    stay = lost((np.array(start) + OFFSETS) / MONEY)
    errors = noise(600)
    assert loss_of_one_shot(0.9 * even, errors) < stay < loss_of_one_shot(1.1 * even, errors)
    many = noise(20_000)

    def expected(sd: float) -> float:
        return SIZE * float(np.log((WANTED * np.exp(sd * many)).sum(axis=1)).mean())

    assert expected(even - 0.012) < stay < expected(even + 0.012)


# -- O9: how much delay costs where the world moves -----------------------------------------------

DRIFT = 0.05


def wandered(replication: int, weeks: int) -> Floats:
    """Return the log of what drift makes of every curve (float64[weeks, media])."""
    root = streams.replication_key(1, replication)
    steps = [
        [streams.normal(root, streams.DRIFT, f"m{m + 1}", week * DAYS_IN_WEEK) for m in range(4)]
        for week in range(weeks)
    ]
    return DRIFT * np.cumsum(steps, axis=0)


def loss_of_old_plans(delay: int, review: int, replications: int, weeks: int = 130) -> float:
    """Return the loss per A of plans of the age `delay` to `delay` + `review` - 1 weeks."""
    losses = []
    for replication in range(replications):
        strength = WANTED * np.exp(wandered(replication, weeks))
        made = [max(0, week - week % review - delay) for week in range(weeks)]
        weekly = [
            best_split([Log(a, c.b) for a, c in zip(strength[then], O1, strict=True)], 400)
            for then in made
        ]
        spec = asked(O1, OPTIMUM, plans(weekly), drift=DRIFT)
        reached = told(lived(spec, weeks, replication), "expected_orders")
        for week in range(max(26, delay + review), weeks):
            now = [Log(SIZE * a, c.b) for a, c in zip(strength[week], O1, strict=True)]
            most = math.fsum(c.orders(x) for c, x in zip(now, best_split(now, 400), strict=True))
            losses.append((most - reached[week]) / (SIZE * strength[week].sum()))
    return float(np.mean(losses))


@pytest.mark.parametrize(("delay", "review", "replications"), [(0, 4, 4), (4, 4, 6), (13, 13, 15)])
def test_old_plans_cost_what_the_closed_form_says(
    delay: int, review: int, replications: int
) -> None:
    expected = DRIFT**2 / 2 * SPREAD * (delay + (review - 1) / 2)
    assert loss_of_old_plans(delay, review, replications) == pytest.approx(expected, rel=0.15)


# -- B1: rules that must learn -------------------------------------------------------------------

DEMAND = {"sd": 0.10, "autocorrelation": 0.5}
STILL = {"exploration": 0.0}
BLURRED = {"leak": LEAK, "capture": CAPTURE}


def reached(
    spends: Sequence[float],
    steering: Mapping[str, Any] | None,
    media: Mapping[str, Sequence[float]] | None = None,
    departments: Sequence[int] | None = None,
    replications: int = 3,
) -> tuple[float, float]:
    """Return the part of the oracle's ad-driven orders, in two years and their last 26 weeks."""
    market: dict[str, Any] = {"baseline_orders": 800.0, "demand": DEMAND}
    parts = []
    for replication in range(replications):
        best = lived(asked(O1, OPTIMUM, **market), 104, replication)
        spec = asked(O1, spends, steering, media=media, departments=departments, **market)
        orders = told(lived(spec, 104, replication), "expected_orders")
        demand = told(best, "expected_orders") / (800 + MOST)
        parts.append((orders / demand - 800) / MOST)
    return float(np.mean(parts)), float(np.mean(np.array(parts)[:, -26:]))


@pytest.mark.parametrize(
    ("start", "steering", "media", "part"),
    [
        (LEGACY, None, {}, 0.875),
        (EQUAL, None, {}, 0.946),
        (LEGACY, AVERAGE | STILL, {}, 0.975),
        (LEGACY, PER_EURO | STILL, {}, 0.981),
        (LEGACY, PER_EURO | STILL, BLURRED, 0.933),
        (LEGACY, CENTRAL, {}, 0.982),
        (OPTIMUM, CENTRAL, {}, 0.990),
        (LEGACY, AVERAGE | STILL, BLURRED, 0.880),
        (LEGACY, CENTRAL, BLURRED, 0.947),
        (OPTIMUM, AVERAGE | STILL, BLURRED, 0.894),
        (LEGACY, CENTRAL | {"report_delay_weeks": 13, "review_weeks": 13}, {}, 0.953),
    ],
)
def test_rules_reach_about_what_they_reached_on_the_reference_bench(
    start: tuple[float, ...],
    steering: dict[str, Any] | None,
    media: dict[str, tuple[float, ...]],
    part: float,
) -> None:
    assert reached(start, steering, media)[0] == pytest.approx(part, abs=0.03)


def test_the_learning_rule_finds_nearly_all_orders_from_the_legacy_split() -> None:
    whole, at_last = reached(LEGACY, CENTRAL)
    assert whole >= 0.97  # promised: .95
    assert at_last >= 0.99


def test_without_luck_a_year_of_learning_ends_within_two_percent() -> None:
    spec = asked(O1, LEGACY, CENTRAL, orders=HUGE)
    assert told(lived(spec, 78), "expected_orders")[-26:].mean() >= 0.98 * MOST * HUGE


def test_last_touch_spoils_a_good_split_and_hardly_mends_a_bad_one() -> None:
    spoiled, _ = reached(OPTIMUM, AVERAGE | STILL, BLURRED)
    mended, _ = reached(LEGACY, AVERAGE | STILL, BLURRED)
    assert spoiled <= 0.95
    assert mended - reached(LEGACY, None, replications=1)[0] <= 0.02
    assert reached(LEGACY, CENTRAL, BLURRED)[0] >= mended + 0.05


def test_noise_and_delay_each_make_the_centre_worse() -> None:
    clear, _ = reached(LEGACY, CENTRAL)
    assert reached(LEGACY, CENTRAL | {"report_noise": 0.8})[0] < clear - 0.01
    late = [reached(LEGACY, CENTRAL | {"report_delay_weeks": weeks})[0] for weeks in (13, 26)]
    assert clear > late[0] > late[1]


def test_departments_find_what_lies_within_their_media_and_nothing_between() -> None:
    budgets = (LEGACY[0] + LEGACY[1], LEGACY[2] + LEGACY[3])
    within = np.concatenate(
        [best_split(own, money) for own, money in zip((O1[:2], O1[2:]), budgets, strict=True)]
    )
    bound = orders_a_week(O1, within) / MOST
    _, at_last = reached(LEGACY, {"kind": "siloed"}, departments=(2, 2))
    assert bound - 0.01 <= at_last <= bound
    assert reached(LEGACY, CENTRAL, departments=(2, 2))[1] >= bound + 0.03


# -- properties ----------------------------------------------------------------------------------

curve = st.one_of(
    st.builds(MichaelisMenten, st.floats(1, 1000), st.floats(1, 100)),
    st.builds(Hill, st.floats(1, 1000), st.floats(1, 100), st.floats(0.5, 1)),
    st.builds(Log, st.floats(1, 1000), st.floats(1, 100)),
    st.builds(Exponential, st.floats(1, 1000), st.floats(0.001, 0.1)),
    st.builds(Power, st.floats(1, 100), st.floats(0.05, 0.9)),
)
shares = st.floats(0, 1)


@given(
    st.one_of(
        curve,
        st.builds(Steady, curve, st.floats(0, 0.9)),
        st.builds(Scaled, curve, st.floats(0.1, 2)),
    ),
    st.floats(1, 400),
)
def test_slopes_are_derivatives_and_find_their_spend_again(response: Curve, spend: float) -> None:
    step = 1e-4 * spend
    rise = response.orders(spend + step) - response.orders(spend - step)
    slope = response.slope(spend)
    assert rise / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-9)
    if slope > 1e-9:
        assert response.spend_at(slope) == pytest.approx(spend, rel=1e-5)


@given(st.floats(1, 1000), st.floats(1, 100), st.floats(1.1, 6), st.floats(1.001, 5))
def test_an_s_shaped_curve_is_steepest_at_its_inflection_and_cheapest_at_its_best_average(
    most: float, half: float, shape: float, times: float
) -> None:
    response = Hill(most, half, shape)
    bend, best = response.inflection, response.best_average
    assert response.slope(bend) >= max(response.slope(bend * times), response.slope(bend / times))
    cheapest = response.orders(best) / best
    assert cheapest >= response.orders(best * times) / (best * times) * (1 - 1e-12)
    assert cheapest >= response.orders(best / times) / (best / times) * (1 - 1e-12)
    slope = response.slope(bend * times)
    assert response.spend_at(slope) == pytest.approx(bend * times, rel=1e-4)
    assert response.spend_at(1.01 * response.slope(bend)) == 0.0


@settings(max_examples=25)
@given(
    st.lists(st.tuples(curve, st.floats(0, 0.9), st.floats(1, 500)), min_size=1, max_size=5),
    st.floats(1, 3),
)
def test_more_money_never_brings_fewer_orders(
    media: list[tuple[Curve, float, float]], times: float
) -> None:
    curves, carried, spends = (list(column) for column in zip(*media, strict=True))
    weekly = [
        told(
            lived(asked(curves, [rich * x for x in spends], media={"carry_over": carried}), 6),
            "expected_orders",
        )
        for rich in (1.0, times)
    ]
    assert (weekly[1] >= weekly[0] * (1 - 1e-9)).all()


@settings(max_examples=10)
@given(
    st.lists(curve, min_size=2, max_size=5),
    st.integers(0, 1000),
    st.floats(0, 0.15),
    st.floats(0, 1),
)
def test_one_department_that_owns_all_media_is_the_centre(
    curves: list[Curve], replication: int, capture: float, leak: float
) -> None:
    media = {"capture": [capture] * len(curves), "leak": [leak] * len(curves)}
    spends = [50.0 + 30.0 * m for m in range(len(curves))]
    silo, centre = (
        lived(
            asked(
                curves,
                spends,
                CENTRAL | {"kind": kind},
                media=media,
                attribution="claims",
                baseline_orders=100.0,
                demand=DEMAND,
                drift=0.03,
            ),
            26,
            replication,
        ).state.ledger
        for kind in ("siloed", "central")
    )
    for one, other in zip(
        (*silo.media, *silo.channels, *silo.company),
        (*centre.media, *centre.channels, *centre.company),
        strict=True,
    ):
        assert (one == other).all()


@given(
    st.lists(st.tuples(st.floats(0, 500), shares, shares), min_size=1, max_size=6),
    st.floats(0, 1000),
    st.data(),
)
def test_credit_is_given_once_by_last_touch_and_again_by_every_platform(
    media: list[tuple[float, float, float]], baseline: float, data: st.DataObject
) -> None:
    caused, leak, capture = (np.array(column) for column in zip(*media, strict=True))
    capture = capture / max(1.0, math.fsum(capture))
    orders = baseline + math.fsum(caused)
    touched = attribution.last_touched(caused, baseline, leak, capture)
    alone = np.eye(len(media), dtype=bool)
    claims = attribution.claimed(caused, alone, baseline, capture)
    own = np.array(data.draw(st.lists(st.booleans(), min_size=len(media), max_size=len(media))))
    together = attribution.claimed_together(caused, alone, baseline, capture, own)
    assert math.fsum(touched) <= orders * (1 + 1e-9)
    assert (touched <= claims * (1 + 1e-9) + 1e-9).all()
    assert together <= min(orders, math.fsum(claims[own])) * (1 + 1e-9) + 1e-9
    assert attribution.last_touched(caused, baseline, 0 * leak, 0 * capture) == pytest.approx(
        caused
    )


# -- the books -----------------------------------------------------------------------------------


def test_orders_are_poisson_around_what_is_expected() -> None:
    spec = asked(O1, LEGACY, media=BLURRED, baseline_orders=800.0, demand=DEMAND)
    world = lived(spec, 400)
    expected, orders = told(world, "expected_orders"), told(world, "orders")
    surprise = (orders - expected) / np.sqrt(expected)
    assert abs(surprise.mean()) < 3 / math.sqrt(400)
    assert surprise.var(ddof=1) == pytest.approx(1, abs=3 * math.sqrt(2 / 400))
    demand = np.log(expected / (800 + orders_a_week(O1, LEGACY)))
    assert demand.std(ddof=1) == pytest.approx(0.10, abs=0.02)
    assert np.corrcoef(demand[1:], demand[:-1])[0, 1] == pytest.approx(0.5, abs=0.12)
    touches, claims = told(world, "last_touch"), told(world, "claims")
    assert (touches.sum(axis=1) <= orders).all()
    company = np.array(world.state.ledger.company)
    tracked = company[:, COMPANY_COLUMNS.index("tracked_orders")]
    assert (tracked == touches.sum(axis=1)).all()
    departments = company[:, COMPANY_COLUMNS.index("department_claims")]
    assert (departments <= claims.sum(axis=1)).all()


def test_a_fork_that_changes_nothing_is_the_history_going_on() -> None:
    spec = asked(
        O1, LEGACY, {"kind": "siloed"}, media={"carry_over": CARRY_OVER}, demand=DEMAND, drift=0.02
    )
    history = lived(spec, 12)
    fork = history.fork(spec.status_quo)
    history.run_to(40 * DAYS_IN_WEEK)
    before = told(fork, "orders").copy()
    fork.run_to(40 * DAYS_IN_WEEK)
    assert len(before) == 12
    assert (told(fork, "orders") == told(history, "orders")).all()
    assert (told(fork, "reported_claims") == told(history, "reported_claims")).all()


def test_drift_and_trend_move_curves_and_demand_moves_all_orders() -> None:
    still = told(lived(asked(O1, OPTIMUM), 53), "expected_orders")
    trending = asked(O1, OPTIMUM, media={"trend": (0.1, 0.1, 0.1, 0.1)})
    grown = told(lived(trending, 53), "expected_orders")
    assert grown[0] == pytest.approx(still[0], rel=0.003)
    assert grown[52] == pytest.approx(still[52] * math.exp(0.1), rel=0.003)
    drifting = told(lived(asked(O1, OPTIMUM, drift=0.05), 53), "expected_orders")
    strength = SIZE * WANTED * np.exp(0.05 / DRIFT * wandered(0, 53)[52])
    moved = strength @ np.log1p(np.array(OPTIMUM) / OFFSETS)
    assert drifting[52] == pytest.approx(moved, rel=1e-9)


def test_a_textbook_question_is_answered_from_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["experiment=textbook", "replications.max=10", "hydra.run.dir=out"]
    short = ["horizon.history_weeks=8", "horizon.weeks=26", "truth=none"]
    assert main([*words, *short]) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["experiment"], summary["replications"]) == ("textbook", 10)
    assert (
        summary["arms"]["central"]["orders"]["mean"] > summary["arms"]["siloed"]["orders"]["mean"]
    )
    spec = config.read(tmp_path / "out" / "spec.yaml")
    assert isinstance(spec.market, TextbookMarket)
    assert "more contribution" in summary["verdict"], capsys.readouterr().out
