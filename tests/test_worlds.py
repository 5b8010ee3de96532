"""Common random numbers, told as worlds: what differs differs because somebody decided so."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from omnisim import compute, streams
from omnisim.people import Person
from omnisim.records import CHANNEL_COLUMNS
from omnisim.simulation import Simulation, simulate
from omnisim.spec import ExperimentSpec, Market
from tests.worlds import UNCOUPLED, at_fork, digest, paid, question, rich, total


def test_arms_that_decide_alike_have_the_same_ledgers_to_the_bit() -> None:
    spec = question("arms.twin.steering.kind=siloed")
    lived = simulate(spec, 0)
    for frame in ("weekly", "company"):
        twin, siloed = getattr(lived["twin"], frame), getattr(lived["siloed"], frame)
        assert twin.equals(siloed)
        assert not getattr(lived["central"], frame).equals(siloed)


def test_an_arm_lives_the_same_alone_and_beside_others() -> None:
    spec = question()
    together, alone = simulate(spec, 1), simulate(spec, 1, ["central"])
    assert alone["central"].weekly.equals(together["central"].weekly)


def test_a_fork_that_changes_nothing_is_the_history_going_on() -> None:
    spec = question()
    history = at_fork(spec)
    fork = history.fork(spec.status_quo)
    history.run_to(history.state.day + 35)
    fork.run_to(history.state.day)
    assert digest(fork) == digest(history)


def _digest_of(replication: int) -> str:
    return digest(at_fork(question(), replication))


def test_workers_and_their_order_change_no_bit() -> None:
    here = {r: _digest_of(r) for r in (0, 1, 2)}
    there = dict(compute.run_units([2, 0, 1], _digest_of, "local", 2))
    assert there == here
    assert len(set(here.values())) == 3


def _busy(*words: str) -> str:
    return (
        f"question(*{words}, 'market.people=120', 'market.drift=0.02',"
        " 'integration=omnichannel', 'attribution=markov', 'horizon.history_weeks=2',"
        " 'market.burn_in_weeks=2',"
        " 'market.seasons=[{first_day: 0, last_day: 363, needs: 4, online: 0.5}]')"
    )


@pytest.mark.slow
@pytest.mark.parametrize("spec", [_busy(), _busy("market=identical"), "rich()"])
def test_uncompiled_code_gives_the_same_bits(spec: str) -> None:
    script = (
        "from tests.worlds import *\n"
        f"world = at_fork({spec})\n"
        "print(digest(world), total(world, 'orders', 4) > 0)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"NUMBA_DISABLE_JIT": disable},
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for disable in ("0", "1")
    ]
    assert told[0] == told[1]
    assert told[0][1] == "True"


def test_the_first_people_of_a_larger_population_live_the_same_life() -> None:
    few, many = (
        at_fork(question(*UNCOUPLED, f"market.people={n}")).state.people for n in (300, 900)
    )
    rows = [many.row_of(int(person)) for person in few.ids]
    assert (few.state == many.state[rows]).all()
    assert (few.goodwill == many.goodwill[:, rows]).all()
    assert (few.clicked == many.clicked[:, rows]).all()


def test_one_extra_exposure_changes_one_persons_rows_only() -> None:
    world = at_fork(question(*UNCOUPLED))
    fork = world.fork(world.strategy)
    row = 123
    fork.state.people.goodwill[:, row] += 5.0
    for twin in (world, fork):
        twin.run_to(twin.state.day + 180)
    same = (world.state.people.goodwill == fork.state.people.goodwill).all(axis=0)
    same &= world.state.people.state == fork.state.people.state
    assert set(np.flatnonzero(~same)) <= {row}
    assert (world.state.people.clicked != fork.state.people.clicked).any(axis=0).sum() <= 1


def test_ten_thousand_single_exposures_never_lower_the_odds_of_coming_to_us() -> None:
    # Nobody touches anybody else here, so that 10,000 people exposed at once are 10,000
    # single exposures.
    world = at_fork(question(*UNCOUPLED, "market.people=10000", "horizon.history_weeks=2"))
    fork = world.fork(world.strategy)
    fork.state.people.goodwill[fork.media.index("tv")] += np.float32(1.0)
    day = world.state.day
    for twin in (world, fork):
        twin.step()
    before, after = world.state.people.state, fork.state.people.state
    began = (before.walk_since == day) & (before.stage > 0)
    assert began.sum() > 50
    assert (after.walk_us[began] > before.walk_us[began]).all()
    assert (after.ours[began] >= before.ours[began]).all()


@pytest.mark.parametrize("spec", [question(), rich()], ids=["plain", "rich"])
def test_the_order_of_listing_changes_nothing(spec: ExperimentSpec) -> None:
    assert isinstance(spec.market, Market)
    named = ("media", "channels", "segments", "categories", "regions", "use_cases")
    market = spec.market.model_copy(
        update={name: dict(reversed(getattr(spec.market, name).items())) for name in named}
    )
    listed = spec.model_copy(update={"market": market})
    assert digest(at_fork(listed)) == digest(at_fork(spec))


def test_another_seed_and_another_replication_are_other_worlds() -> None:
    spec = question()
    other = spec.model_copy(update={"seed": 2})
    assert len({digest(at_fork(spec)), digest(at_fork(other)), digest(at_fork(spec, 1))}) == 3


@pytest.mark.parametrize("spec", [question(), rich("market.people=200")], ids=["plain", "rich"])
def test_a_person_stepped_as_an_agent_lives_the_compiled_day(spec: ExperimentSpec) -> None:
    morning = at_fork(spec)
    world, twin = (morning.fork(spec.status_quo) for _ in range(2))
    for both in (world, twin):
        both.step()  # the week is planned
    for _ in range(6):
        world.step()
        twin.dawn()
        for identity in reversed(range(len(world.people))):
            person = twin.person(identity)
            assert isinstance(person, Person)
            person.step()
        twin.dusk()
    assert digest(twin) == digest(world)


def _contribution(world: Simulation, twin: str, weeks: int) -> float:
    cost = world.state.ledger.media[-weeks:]
    spent = float(np.sum(cost, axis=0)[:, 1].sum()) / 100
    return (
        total(world, f"{twin}margin", weeks) - total(world, f"{twin}cost_to_serve", weeks) - spent
    )


def _two_splits(spec: ExperimentSpec, replication: int, weeks: int) -> tuple[float, float]:
    morning = at_fork(spec, replication)
    ends = []
    for tilt in (0.5, 2.0):
        fork = morning.fork(spec.status_quo)
        tv = fork.media.index("tv")
        fork.state.shares[tv] *= tilt
        fork.state.shares /= fork.state.shares.sum()
        fork.adopt(spec.status_quo)
        fork.run_to(morning.state.day + weeks * 7)
        ends.append(_contribution(fork, "expected_", weeks))
    return ends[0], ends[1]


@pytest.mark.slow
def test_pairing_cuts_the_variance_of_a_difference_twentyfold() -> None:
    spec = question("steering=frozen", "market.people=2000", "market.burn_in_weeks=26")
    pairs = np.array([_two_splits(spec, r, 26) for r in range(24)])
    paired = (pairs[:, 0] - pairs[:, 1]).var(ddof=1)
    apart = (pairs[:, 0] - np.roll(pairs[:, 1], 1)).var(ddof=1)
    assert apart >= 20 * paired


@pytest.mark.slow
def test_probabilities_cut_the_variance_of_a_forks_effect_fivefold_again() -> None:
    spec = question("steering=frozen", "market.people=2000", "market.burn_in_weeks=26")
    effects = []
    for replication in range(24):
        morning = at_fork(spec, replication)
        plain, raised = paid(morning, 13), paid(morning, 13, paid_social=1.2)
        effects.append(
            [
                total(raised, column, 13) - total(plain, column, 13)
                for column in ("orders", "expected_orders")
            ]
        )
    realised, expected = np.array(effects).var(axis=0, ddof=1)
    assert realised >= 5 * expected


def test_orders_and_their_probabilities_have_the_same_mean() -> None:
    spec = question("market.people=6000", "market.burn_in_weeks=8", "horizon.history_weeks=40")
    world = at_fork(spec)
    assert isinstance(spec.market, Market)
    weight = spec.market.weight
    columns = [CHANNEL_COLUMNS.index(c) for c in ("orders", "expected_orders")]
    orders, expected = np.sum(world.state.ledger.channels, axis=0)[:, columns].T / weight
    assert orders.sum() > 3000
    # The orders are a sum of Bernoulli draws: their variance is below their mean.
    assert (np.abs(orders - expected) < 4 * np.sqrt(expected)).all()
    assert abs(orders.sum() - expected.sum()) < 4 * np.sqrt(expected.sum())


def test_value_and_its_expectation_have_the_same_mean_where_everything_happens() -> None:
    spec = rich("market.people=20000")
    assert isinstance(spec.market, Market)
    weeks = np.sum(at_fork(spec).state.ledger.channels, axis=0).sum(axis=0)
    book = dict(zip(CHANNEL_COLUMNS, weeks, strict=True))
    orders = book["orders"] / spec.market.weight
    assert orders > 8000
    assert abs(1 - book["expected_orders"] / book["orders"]) < 4 / np.sqrt(orders)
    # A basket's standard deviation is 1.5 means, of what is bought along more.
    for kind in ("new_customers", "revenue_gross", "revenue_net", "margin", "cost_to_serve"):
        assert abs(1 - book[f"expected_{kind}"] / book[kind]) < 4 * 1.5 / np.sqrt(orders), kind


def test_traits_are_the_persons_own() -> None:
    ids = np.arange(1000, dtype=np.uint32)
    drawn = streams.trait(np.uint64(7), streams.TRAIT_NEEDS, ids)
    assert (streams.trait(np.uint64(7), streams.TRAIT_NEEDS, ids[::-1])[::-1] == drawn).all()
    assert ((drawn > 0) & (drawn < 1)).all()


def test_the_uniforms_of_a_day_are_uniform_and_unlike_each_other() -> None:
    keys = streams.keys(np.uint64(3), 17)
    ids = range(4000)
    with np.errstate(over="ignore"):
        halves = np.array(
            [
                [f(np.uint64(streams.draw(keys[p], np.uint32(i)))) for i in ids]
                for p in (streams.DAILY, streams.SEARCH)
                for f in (streams.high, streams.low)
            ]
        )
    for row in halves:
        counts = np.histogram(row, 20, (0, 1))[0]
        assert ((counts - 200) ** 2 / 200).sum() < 45  # chi square, 19 degrees, p = .001
    for one, other in pairwise(halves):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.06
