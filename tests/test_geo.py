"""Geo experiments: halves of the regions that are paid differently, and what is read from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim import config, geo
from omnisim.records import CHANNEL_COLUMNS, MEDIA_COLUMNS, REGION_COLUMNS
from omnisim.simulation import Simulation, snapshot
from omnisim.spec import HALVES, ExperimentSpec
from tests.worlds import at_fork, composed, lived, question, rich

RULES = ("spsa", "thompson")
TEXTBOOK = ("market=textbook", "horizon.history_weeks=0", "horizon.weeks=104", "truth=none")
BASELINE, BEST = 800.0, 1718.9


def asked(*words: str) -> ExperimentSpec:
    return composed(*TEXTBOOK, *words)


def caused(world: Simulation, weeks: int) -> float:
    told = np.array(world.state.ledger.channels)[-weeks:, 0]
    return float(told[:, CHANNEL_COLUMNS.index("expected_orders")].mean()) - BASELINE


def seen(plans: np.ndarray, gains: np.ndarray, weeks_alike: int = 30) -> geo.Seen:
    """Return weeks in which both halves were alike, and tests after which the first gained."""
    alike = np.full((weeks_alike, HALVES, plans.shape[2]), 1 / 3)
    usual = np.full((weeks_alike, HALVES), 1e6)
    told = np.column_stack([1e6 * np.exp(gains), np.full(len(gains), 1e6)])
    weeks = weeks_alike + len(gains)
    return geo.Seen(
        plans=np.concatenate([alike, plans]),
        orders=np.concatenate([usual, told]),
        parts=np.array([0.5, 0.5]),
        weights=np.ones(weeks),
        luck=np.array([1.0, -1.0, 0.5]),
    )


# -- pure rules ---------------------------------------------------------------------------


@given(st.lists(st.floats(0.02, 1), min_size=3, max_size=3), st.sampled_from(RULES))
def test_what_is_tried_is_a_plan_for_each_half(sizes: list[float], rule: str) -> None:
    shares = np.array(sizes) / sum(sizes)
    tried = geo.trial(rule, seen(np.zeros((0, 2, 3)), np.zeros(0)), shares, 4, 0.15)
    assert tried.sum(axis=1) == pytest.approx(1)
    assert (tried > 0).all()
    assert not np.allclose(tried[0], tried[1])


def test_tests_find_what_a_budget_adds_where_there_is_no_noise() -> None:
    worth = np.array([0.3, 0.1, 0.0])
    luck = 0.05 * np.sin(1.7 * np.arange(600.0)).reshape(200, 3)
    apart = luck - luck.mean(axis=1, keepdims=True)
    plans = 1 / 3 + np.stack([apart, -apart], axis=1)
    cost = geo.believed(seen(plans, 2 * apart @ worth), 3000.0)
    more_than_most = worth[0] - worth.mean()  # tests move money: no more is told than contrasts
    assert 3000.0 / cost[0] == pytest.approx(more_than_most * 2e6, rel=0.02)
    assert np.isnan(cost[2])


def test_the_better_half_is_where_thompson_goes_next() -> None:
    plans = np.array([[[0.5, 0.3, 0.2], [0.4, 0.4, 0.2]]] * 4)
    for gain, half in ((0.02, 0), (-0.02, 1)):
        told = seen(plans, np.full(4, gain))
        assert geo.target("thompson", told, np.array([0.45, 0.35, 0.2]), 4, 1.0) == pytest.approx(
            plans[0, half]
        )


def test_spsa_follows_the_half_that_gained_and_smaller_steps_follow() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    up = shares * np.exp([0.1, -0.1, 0.1])
    down = shares * np.exp([-0.1, 0.1, -0.1])
    test = np.array([[up / up.sum(), down / down.sum()]])
    moves = [
        geo.target("spsa", seen(np.repeat(test, n, axis=0), np.full(n, 0.01)), shares, 4, 4.0)
        - shares
        for n in (4, 40)
    ]
    assert moves[0][1] < 0 < moves[0][0]
    assert 0 < moves[1][0] < moves[0][0]


def test_what_is_held_out_is_what_the_half_without_it_lacks() -> None:
    plans = np.repeat([[[0.0, 0.6, 0.4], [0.5, 0.3, 0.2]]], 4, axis=0)
    told = seen(plans, np.full(4, np.log(0.9)))
    off = np.zeros((34, 3), bool)
    off[30:, 0] = True
    found = geo.caused(told, off)
    assert found[0] == pytest.approx(0.1 * 2e6)
    assert np.isnan(found[1:]).all()


# -- in a world -----------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_a_test_spends_the_budget_within_its_bounds(rule: str) -> None:
    bounds = ("steering.cap={m1: 0.5}", "steering.floor=0.05")
    world = lived(asked(f"steering=central_{rule}", *bounds), 30)
    ledger = world.state.ledger
    planned = np.array(ledger.media)[:, :, MEDIA_COLUMNS.index("planned_cents")]
    assert set(planned.sum(axis=1).tolist()) == {world.market.budget * 100 / 52}
    halves = planned[:, None, :] * np.array(ledger.tilt)
    shares = halves / halves.sum(axis=2, keepdims=True)
    assert shares.min() >= 0.05 - 1e-6
    assert shares[:, :, 0].max() <= 0.5 + 1e-6
    assert halves.sum(axis=2) == pytest.approx(halves.sum(axis=2).mean(), rel=1e-4)
    assert np.abs(np.diff(shares, axis=1)).max() > 0.01


@pytest.mark.parametrize("rule", RULES)
def test_trying_finds_orders_that_lie_elsewhere_and_costs_some_where_none_do(rule: str) -> None:
    def mean(*words: str) -> float:
        return float(np.mean([caused(lived(asked(*words), 104, r), 26) for r in range(3)]))

    assert mean(f"steering=central_{rule}") > mean("steering=frozen") + 0.05 * BEST
    optimal = "market.start=optimal"
    assert mean(f"steering=central_{rule}", optimal) < mean("steering=frozen", optimal)


def test_hold_outs_credit_what_media_cause() -> None:
    words = ("steering=central_share", "attribution=experiment", "market.demand.sd=0")
    world = lived(asked(*words), 104)
    assert caused(world, 13) > 0.95 * BEST
    silos = lived(asked(*words, "attribution.kind=last_touch", "market.media.m1.leak=0.9"), 104)
    tested = lived(asked(*words, "market.media.m1.leak=0.9"), 104)
    assert caused(tested, 13) > caused(silos, 13)


def test_a_region_that_does_without_meets_nobody_and_the_others_as_ever() -> None:
    words = ("attribution=experiment", "attribution.test_weeks=2", "market.people=4000")
    spec = question(*words, "market.regions={north: {share: 0.5}, south: {share: 0.5}}")
    world = at_fork(spec)
    plain = at_fork(question(words[2], "market.regions={north: {share: 0.5}, south: {share: 0.5}}"))
    column = REGION_COLUMNS.index("contacts")
    told, usual = (np.array(w.state.ledger.regions)[-12:, :, :, column] for w in (world, plain))
    tv = world.media.index("tv")
    off = np.array(world.state.ledger.tilt)[-12:, 0, tv] == 0
    assert 0 < off.sum() < 12
    assert (told[off, 0, tv] == 0).all()
    assert told[off, 1, tv].sum() == pytest.approx(usual[off, 1, tv].sum(), rel=0.1)
    assert (told[~off, :, tv] > 0).all()


def test_regions_add_up_to_the_firm() -> None:
    world = at_fork(rich())
    ledger, media = world.state.ledger, len(world.media)
    regions = np.array(ledger.regions).sum(axis=1)
    for name in ("orders", "visits", "new_customers", "revenue_gross", "expected_orders"):
        whole = np.array(ledger.channels)[:, :, CHANNEL_COLUMNS.index(name)]
        assert regions[:, media:, REGION_COLUMNS.index(name)] == pytest.approx(whole)
    for name in ("contacts", "clicks"):
        whole = np.array(ledger.media)[:, :, MEDIA_COLUMNS.index(name)]
        assert regions[:, :media, REGION_COLUMNS.index(name)] == pytest.approx(whole)


@pytest.mark.parametrize("words", [("steering=central_spsa",), ("attribution=experiment",)])
def test_a_world_under_test_goes_on_to_the_bit(words: tuple[str], tmp_path: Path) -> None:
    spec = asked(*words)
    world = lived(spec, 9)
    world.run_to(65)
    snapshot.save(world, tmp_path / "s")
    twin = snapshot.load(tmp_path / "s", spec)
    for one in (world, twin):
        one.run_to(140)
    for books in ("media", "channels", "regions", "tilt"):
        pairs = zip(*(getattr(one.state.ledger, books) for one in (world, twin)), strict=True)
        assert all((a == b).all() for a, b in pairs)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("steering=central_spsa", "steering.mandate=0.5"), "mandate"),
        (("steering=central_spsa", "steering.attention=3"), "attention"),
        (("steering=central_spsa", "attribution=experiment"), "attribution.kind"),
        (("steering=central_thompson", "market=small", "organigram=small"), "steering.geo"),
        (("attribution=experiment", "attribution.deduplicated=false"), "deduplicated"),
    ],
)
def test_tests_that_nobody_can_run_are_refused(words: tuple[str, ...], where: str) -> None:
    with pytest.raises(config.ConfigError, match=where):
        composed(*words)
