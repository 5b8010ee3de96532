"""Rules that divide credit along paths: by hand, by brute force, as published software does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim.paths import Paths, Rule, credit, removal_effects, rule_of, shapley_values
from omnisim.records import CREDIT_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import simulate, snapshot
from omnisim.simulation.crowd import CrowdState
from omnisim.simulation.snapshot import SnapshotError
from omnisim.spec import CreditKind, ExperimentSpec
from tests.worlds import at_fork, digest, question

KINDS: tuple[CreditKind, ...] = (
    *("last_touch", "first_touch", "linear"),
    *("position", "time_decay", "markov", "shapley"),
)
# Orders and decisions by path. Credit, transitions and removal effects were computed with the
# package ChannelAttribution 2.2.5 (PyPI), whose Markov chain is a Monte Carlo estimate.
PUBLIC = {
    "abc": (30, 200),
    "ac": (12, 100),
    "b": (25, 300),
    "ca": (8, 100),
    "bac": (15, 150),
    "a": (10, 200),
    "cb": (6, 100),
}
PUBLIC_CREDIT = {
    "first_touch": [52.0, 40.0, 14.0],
    "last_touch": [18.0, 31.0, 57.0],
    "linear": [35.0, 43.0, 28.0],
}
PUBLIC_MARKOV = [32.736895, 34.416722, 38.846383]


def walked(paths: dict[str, tuple[int, int]], names: str = "abc") -> Paths:
    """Return paths told as letters in the order of touch, a day apart, the last one today."""
    touched = [[path.find(name) + 1 for name in names] for path in paths]
    ages = [[max(len(path) - 1 - path.find(name), 0) for name in names] for path in paths]
    orders, tried = zip(*paths.values(), strict=True)
    return Paths(np.array(touched), np.array(ages, float), np.array(tried), np.array(orders))


def together(kind: CreditKind, media: int = 3) -> Rule:
    return Rule(kind, (tuple(range(media)),))


@pytest.mark.parametrize("kind", PUBLIC_CREDIT)
def test_credit_by_place_is_that_of_the_public_package(kind: CreditKind) -> None:
    told = credit(together(kind), walked(PUBLIC))
    assert told.tolist() == pytest.approx(PUBLIC_CREDIT[kind], abs=1e-9)


def test_credit_by_removal_is_that_of_the_public_package_but_for_its_luck() -> None:
    told = credit(together("markov"), walked(PUBLIC))
    assert told.tolist() == pytest.approx(PUBLIC_MARKOV, rel=0.01)


def test_position_gives_forty_percent_to_both_ends_and_the_rest_to_those_between() -> None:
    paths = {"abcd": (100, 100), "ab": (10, 10), "c": (1, 1)}
    told = credit(together("position", 4), walked(paths, "abcd"))
    assert told.tolist() == pytest.approx([45.0, 15.0, 11.0, 40.0])


def test_a_touch_a_week_older_counts_half_in_time_decay() -> None:
    paths = Paths(np.array([[1, 2]]), np.array([[9.0, 2.0]]), np.array([1]), np.array([30]))
    assert credit(together("time_decay", 2), paths).tolist() == pytest.approx([10.0, 20.0])


def test_removal_effects_of_a_chain_computed_by_hand() -> None:
    # start -> a always; a -> order .3, a -> b .5; b -> order .6
    paths = walked({"a": (30, 50), "ab": (30, 50)}, "ab")
    assert removal_effects(paths).tolist() == pytest.approx([1.0, 0.5])


def chained(paths: Paths, without: int | None = None) -> float:
    """Return the share that ends with an order, by walking the chain a thousand steps."""
    media = paths.touched.shape[1]
    jumps = np.zeros((media + 3, media + 3))
    start, order, none = media, media + 1, media + 2
    for touched, tried, orders in zip(paths.touched, paths.tried, paths.orders, strict=True):
        way = [m for m in np.argsort(touched) if touched[m] > 0]
        for one, other in itertools.pairwise([start, *way]):
            jumps[one, other] += tried
        jumps[way[-1], order] += orders
        jumps[way[-1], none] += tried - orders
    jumps[order, order] = jumps[none, none] = 1
    jumps /= np.maximum(jumps.sum(axis=1, keepdims=True), 1)
    if without is not None:
        jumps[:, none] += jumps[:, without]
        jumps[:, without] = 0
    return float(np.linalg.matrix_power(jumps, 1024)[start, order])


def by_permutations(paths: Paths) -> Iterator[float]:
    """Return Shapley values from their definition: what each adds to those who came before."""
    media = range(paths.touched.shape[1])
    sets = [frozenset(np.flatnonzero(row).tolist()) for row in paths.touched]
    tried: list[int] = paths.tried.tolist()
    orders: list[int] = paths.orders.tolist()
    rows = list(zip(sets, tried, orders, strict=True))

    def rate(coalition: frozenset[int]) -> float:
        alike = [row for row in rows if row[0] == coalition]
        alike = alike or [row for row in rows if row[0] <= coalition]
        return sum(row[2] for row in alike) / max(sum(row[1] for row in alike), 1)

    def worth(coalition: frozenset[int]) -> float:
        return sum(tried * rate(touched & coalition) for touched, tried, _ in rows)

    for m in media:
        added = [
            worth(frozenset(turn[: turn.index(m) + 1])) - worth(frozenset(turn[: turn.index(m)]))
            for turn in itertools.permutations(media)
        ]
        yield math.fsum(added) / len(added)


@st.composite
def some_paths(draw: st.DrawFn) -> Paths:
    """Draw paths over up to four media, touched in any order."""
    media = draw(st.integers(1, 4))
    rows = draw(st.integers(1, 8))
    touched, ages, tried, orders = [], [], [], []
    for _ in range(rows):
        way = draw(st.permutations(range(media)))[: draw(st.integers(1, media))]
        touched.append([way.index(m) + 1 if m in way else 0 for m in range(media)])
        ages.append([float(len(way) - way.index(m)) if m in way else 0.0 for m in range(media)])
        tried.append(draw(st.integers(1, 1000)))
        orders.append(draw(st.integers(0, tried[-1])))
    return Paths(np.array(touched), np.array(ages), np.array(tried), np.array(orders))


@given(paths=some_paths())
def test_removal_effects_are_those_of_the_chain_walked_step_by_step(paths: Paths) -> None:
    if not paths.orders.sum():
        return
    media = range(paths.touched.shape[1])
    lost = [1 - chained(paths, m) / chained(paths) for m in media]
    assert removal_effects(paths).tolist() == pytest.approx(lost, abs=1e-6)


@given(paths=some_paths())
def test_shapley_values_are_those_of_their_definition(paths: Paths) -> None:
    told = shapley_values(paths)
    assert told.tolist() == pytest.approx(list(by_permutations(paths)), abs=1e-6)
    assert told.sum() == pytest.approx(paths.orders.sum())


@pytest.mark.parametrize("kind", KINDS)
@given(paths=some_paths())
def test_credit_is_never_negative_and_adds_up_to_the_orders(kind: CreditKind, paths: Paths) -> None:
    media = paths.touched.shape[1]
    told = credit(together(kind, media), paths)
    assert (told >= 0).all()
    assert told.sum() == pytest.approx(paths.orders.sum())
    assert (told[~paths.touched.any(axis=0)] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
@given(paths=some_paths(), data=st.data())
def test_names_and_the_order_of_rows_do_not_matter(
    kind: CreditKind, paths: Paths, data: st.DataObject
) -> None:
    media, rows = paths.touched.shape[1], len(paths.tried)
    names = data.draw(st.permutations(range(media)))
    turn = data.draw(st.permutations(range(rows)))
    other = Paths(
        paths.touched[turn][:, names],
        paths.ages[turn][:, names],
        paths.tried[turn],
        paths.orders[turn],
    )
    told, again = credit(together(kind, media), paths), credit(together(kind, media), other)
    assert again.tolist() == pytest.approx(told[names].tolist(), abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_paths_of_one_touch_are_credited_alike_by_all_rules(kind: CreditKind) -> None:
    paths = walked({"a": (30, 200), "b": (7, 10), "c": (0, 50)})
    assert credit(together(kind), paths).tolist() == pytest.approx([30.0, 7.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_departments_that_look_at_their_own_media_only_count_orders_more_than_once(
    kind: CreditKind,
) -> None:
    paths = walked(PUBLIC)
    alone = credit(Rule(kind, ((0,), (1, 2))), paths)
    assert alone[0] == pytest.approx(sum(n for way, (n, _) in PUBLIC.items() if "a" in way))
    assert alone[1:].sum() == pytest.approx(
        sum(n for way, (n, _) in PUBLIC.items() if set(way) & set("bc"))
    )


# In a world

ASKED = ("linear", "markov", "shapley", "time_decay")


@pytest.fixture(scope="module")
def spec() -> ExperimentSpec:
    """Return a question whose arms differ in what is shown, and nobody acts on it."""
    kinds = [f"arms.{kind}.attribution.kind={kind}" for kind in (*ASKED, "claims", "last_touch")]
    alone = ("arms.alone.attribution.kind=last_touch", "arms.alone.attribution.deduplicated=false")
    return question(
        "steering=frozen",
        "market.people=1500",
        *kinds,
        *alone,
        "baseline=linear",
        "~arms.siloed",
        "~arms.central",
    )


def test_every_rule_divides_the_orders_that_last_touch_divides(spec: ExperimentSpec) -> None:
    world = at_fork(spec)
    media, credited = np.array(world.state.ledger.media), np.array(world.state.ledger.credit)
    for nth, rule in enumerate(world.rules):
        for column, twin in (("credit", "last_touch"), ("expected_credit", "expected_last_touch")):
            told = credited[-12:, nth, :, CREDIT_COLUMNS.index(column)].sum(axis=1)
            whole = media[-12:, :, MEDIA_COLUMNS.index(twin)].sum(axis=1)
            assert whole.sum() > 0
            if len(rule.groups) == 1:
                assert told == pytest.approx(whole)
            else:
                assert (told >= whole * (1 - 1e-12)).all()
                assert told.sum() > whole.sum()


def test_arms_that_are_shown_other_credit_live_the_same_life(spec: ExperimentSpec) -> None:
    lived = simulate(spec, 0)
    plain = lived["last_touch"].weekly.drop(columns=list(CREDIT_COLUMNS))
    for arm, records in lived.items():
        assert records.weekly.drop(columns=list(CREDIT_COLUMNS)).equals(plain), arm
    shown = lived["last_touch"].weekly
    assert (shown["reported_credit"] == shown["reported_last_touch"]).all()
    assert (lived["claims"].weekly["credit"] == shown["claims"]).all()
    for arm in ASKED:
        weekly = lived[arm].weekly
        for half in (weekly["week"] < 0, weekly["week"] >= 0):
            assert (weekly["expected_credit"] != shown["expected_last_touch"])[half].any()


def test_an_arm_is_credited_the_same_beside_other_arms_and_alone(spec: ExperimentSpec) -> None:
    alone = spec.model_copy(update={"arms": {"markov": spec.arms["markov"]}, "baseline": "markov"})
    assert simulate(alone, 0)["markov"].weekly.equals(simulate(spec, 0)["markov"].weekly)


def test_the_centre_reads_what_its_rule_credits_history_included(spec: ExperimentSpec) -> None:
    central = spec.arms["markov"].model_copy(
        update={"steering": spec.arms["markov"].steering.model_copy(update={"kind": "central"})}
    )
    world = at_fork(spec.model_copy(update={"arms": {"markov": central}, "baseline": "markov"}))
    fork = world.fork(central)
    (manager,) = fork.deciders
    quiet = manager
    quiet.noise, quiet.delay_weeks = 0.0, 0
    rows = list(range(len(fork.media)))
    told = np.array(
        [
            week[0, :, CREDIT_COLUMNS.index("reported_credit")]
            for week in fork.state.ledger.credit[-12:]
        ]
    )
    assert told.sum() > 0
    assert (fork.view(quiet, rows).credit == told).all()


def test_nothing_is_kept_where_nobody_asks_for_paths() -> None:
    world = at_fork(question())
    world.step()
    population = world.state.population
    assert isinstance(population, CrowdState)
    assert world.rules == ()
    assert population.paths.size == 0
    assert all(week.size == 0 for week in world.state.ledger.credit)


def test_a_world_goes_on_from_a_snapshot_in_the_middle_of_a_week(tmp_path: Path) -> None:
    spec = question("attribution=time_decay")
    world = at_fork(spec).fork(spec.arms["central"])
    world.run_to(world.state.day + 10)
    population = world.state.population
    assert isinstance(population, CrowdState)
    assert len(population.paths) > 0
    snapshot.save(world, tmp_path / "wednesday")
    resumed = snapshot.load(tmp_path / "wednesday", spec)
    for each in (world, resumed):
        each.run_to(each.state.day + 18)
    assert digest(resumed) == digest(world)


def test_a_snapshot_credited_otherwise_is_refused(tmp_path: Path) -> None:
    world = at_fork(question())
    snapshot.save(world, tmp_path / "morning")
    other = question("arms.central.attribution.kind=markov")
    with pytest.raises(SnapshotError, match="has not credited its weeks"):
        snapshot.load(tmp_path / "morning", other)


def test_only_a_rule_of_paths_needs_paths() -> None:
    arms = question("attribution=claims").arms
    assert rule_of(arms["siloed"], "ab") is None
