"""Roll-outs: the order of links, their money, and what building many at once does to them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim import rollout
from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS
from omnisim.rollout import BUILDS, FAILED, LIVES, WAITS, Floats, Known, Links, Terms
from omnisim.simulation import Simulation, linking
from omnisim.spec import (
    DAYS_IN_WEEK,
    DIMENSIONS,
    WEEKS_IN_YEAR,
    Integration,
    Levels,
    LinkCost,
    Plan,
    Rollout,
    Strategy,
    pairs,
)
from tests.worlds import at_fork, booked, digest, question

PLANS: tuple[Plan, ...] = get_args(Plan)
BUILDING = PLANS[1:]
STEPWISE = ("stepwise_revenue", "stepwise_demand", "stepwise_ease")
LONG = 3_000


# -- plans in markets of any size ----------------------------------------------------------


def some_terms(
    channels: int, costs: list[LinkCost], capacity: float = 3.0, failure: float = 0.0
) -> Terms:
    """Return what links take among so many channels, called a, b, c, ..."""
    names = tuple("abcde"[:channels])
    ends = [[names.index(end) for end in key.split("+")] for key in pairs(names)]
    by_dimension = {
        name: np.array([getattr(cost, name) for cost in costs]) for name in LinkCost.model_fields
    }
    return Terms(
        channels=names,
        pairs=pairs(names),
        ends=np.array(ends, np.int64).reshape(-1, 2),
        one_off=by_dimension["one_off"],
        running=by_dimension["running"],
        weeks=by_dimension["weeks"],
        disruption=by_dimension["disruption"],
        capacity=capacity,
        failure=failure,
    )


@st.composite
def markets(draw: st.DrawFn) -> Terms:
    """Draw what links take, running costs left out."""
    money = st.sampled_from([0.0, 1.0, 77.7, 1e5])
    costs = [
        LinkCost(
            one_off=draw(money),
            weeks=draw(st.sampled_from([0.0, 0.5, 8.0, 12.3])),
            disruption=draw(st.sampled_from([0.0, 0.01, 1.0])),
        )
        for _ in DIMENSIONS
    ]
    return some_terms(
        draw(st.integers(1, 5)),
        costs,
        capacity=draw(st.sampled_from([0.5, 1.0, 3.0, 100.0])),
        failure=draw(st.sampled_from([0.0, 0.01, 0.2, 1.0])),
    )


@st.composite
def numbers(draw: st.DrawFn, shape: tuple[int, ...], choices: list[float]) -> Floats:
    """Draw an array of some numbers."""
    count = int(np.prod(shape))
    listed = draw(st.lists(st.sampled_from(choices), min_size=count, max_size=count))
    return np.array(listed, float).reshape(shape)


@st.composite
def firms(draw: st.DrawFn, terms: Terms) -> dict[str, Any]:
    """Draw where a firm stands, what it knows, and its luck."""
    shape = (len(DIMENSIONS), len(terms.pairs))
    one, other = (draw(numbers(shape, [0.0, 0.3, 0.5, 0.9, 1.0])) for _ in range(2))
    count = len(terms.channels)
    return {
        "start": np.minimum(one, other),
        "target": np.maximum(one, other),
        "known": Known(
            sells=draw(numbers((count,), [0.0, 1.0, 2.0, 5.0])),
            asked=draw(numbers((len(terms.pairs),), [0.0, 1.0, 2.0])),
            owner=draw(numbers((count,), [0, 1, 2])).astype(np.int64),
        ),
        "luck": draw(numbers((2, *shape), [0.01, 0.2, 0.4, 0.6, 0.77, 0.99])),
    }


def plan(
    terms: Terms,
    kind: Plan,
    *,
    start: Floats,
    target: Floats,
    known: Known,
    luck: Floats,
    budget: float | None = None,
) -> Links:
    words = Rollout(kind=kind, budget=budget, steps=3)
    return rollout.planned(rollout.unplanned(start), words, target, 7, terms, known, luck)


def weeks_of(links: Links, terms: Terms) -> list[Links]:
    """Return links week by week until nothing is left to build."""
    lived = [links]
    while (lived[-1].changes["status"] < LIVES).any():
        lived.append(rollout.advanced(lived[-1], terms, 7 + len(lived)))
        assert len(lived) < LONG
    return lived


@given(st.data(), st.sampled_from(["all", "none", "some"]))
def test_every_plan_spends_the_same_money(data: st.DataObject, means: str) -> None:
    terms = data.draw(markets())
    firm = data.draw(firms(terms))
    whole = rollout.one_off(firm["start"], firm["target"], terms)
    budget = {"all": None, "none": 0.0, "some": 0.37 * whole}[means]
    for kind in BUILDING:
        spent = weeks_of(plan(terms, kind, budget=budget, **firm), terms)[-1].owed
        assert spent == pytest.approx(whole if budget is None else budget)


@given(st.data(), st.sampled_from(BUILDING))
def test_levels_only_rise_and_never_beyond_their_target(data: st.DataObject, kind: Plan) -> None:
    terms = data.draw(markets())
    firm = data.draw(firms(terms))
    lived = weeks_of(plan(terms, kind, **firm), terms)
    for before, after in pairwise(lived):
        assert (after.levels >= before.levels).all()
        assert (after.levels <= firm["target"]).all()
    changes = lived[-1].changes
    where = changes["dimension"], changes["pair"]
    failed = changes["status"] == FAILED
    reached = np.where(failed, firm["start"][where], firm["target"][where])
    assert (lived[-1].levels[where] == reached).all()
    if terms.failure == 0:
        assert (lived[-1].levels == firm["target"]).all()


@given(st.data(), st.sampled_from(BUILDING))
def test_capacity_is_never_exceeded_without_taking_longer(data: st.DataObject, kind: Plan) -> None:
    terms = data.draw(markets())
    lived = weeks_of(plan(terms, kind, **data.draw(firms(terms))), terms)
    most = 0
    for before, after in pairwise(lived):
        work = after.changes["done"] - before.changes["done"]
        assert work.sum() <= terms.capacity + 1e-9
        most = max(most, int((after.changes["status"] == BUILDS).sum()))
    alone = np.maximum(1, np.ceil(lived[-1].changes["needs"] - 1e-9))
    assert (lived[-1].changes["taken"] >= alone).all()
    if most <= terms.capacity:
        assert (lived[-1].changes["taken"] == alone).all()


@given(st.data(), st.sampled_from(["big_bang", *STEPWISE]))
def test_with_less_capacity_no_link_is_quicker_and_none_fails_less(
    data: st.DataObject, kind: Plan
) -> None:
    terms = data.draw(markets())
    firm = data.draw(firms(terms))
    tight = replace(terms, capacity=terms.capacity / 2)
    much, little = (weeks_of(plan(each, kind, **firm), each)[-1].changes for each in (terms, tight))
    assert (little["taken"] >= much["taken"]).all()
    assert ((little["status"] == FAILED) >= (much["status"] == FAILED)).all()


@given(st.data(), st.sampled_from(STEPWISE))
def test_what_is_built_all_at_once_takes_no_less_and_fails_no_less_than_in_steps(
    data: st.DataObject, kind: Plan
) -> None:
    terms = data.draw(markets())
    firm = data.draw(firms(terms))
    at_once, stepwise = (
        np.sort(weeks_of(plan(terms, each, **firm), terms)[-1].changes, order=("dimension", "pair"))
        for each in ("big_bang", kind)
    )
    assert (at_once["taken"] >= stepwise["taken"]).all()
    assert ((at_once["status"] == FAILED) >= (stepwise["status"] == FAILED)).all()


@given(st.data(), st.sampled_from(BUILDING))
def test_no_plan_builds_a_link_twice(data: st.DataObject, kind: Plan) -> None:
    terms = data.draw(markets())
    changes = plan(terms, kind, **data.draw(firms(terms))).changes
    assert len(np.unique(changes[["dimension", "pair"]])) == len(changes)


@given(st.data())
def test_levels_by_pair_survive_being_put_into_words(data: st.DataObject) -> None:
    terms = data.draw(markets())
    live = data.draw(numbers((len(DIMENSIONS), len(terms.pairs)), [0.0, 0.5, 0.9, 1.0]))
    some = data.draw(st.lists(st.sampled_from(terms.channels), unique=True))
    words = Integration(open=tuple(some))
    shut = rollout.closed(words, terms)
    told = rollout.levels(rollout.in_words(words, live, terms), terms, shut)
    there = ~np.array(shut)[terms.ends].any(axis=1)
    assert (told[:, there] == live[:, there]).all()
    assert (told[:, ~there] == 0).all()


# -- what plans do first --------------------------------------------------------------------

ALIKE = [LinkCost(one_off=10.0 * (1 + nth), weeks=4.0) for nth in range(len(DIMENSIONS))]
THREE = some_terms(3, ALIKE)
NOTHING = np.zeros((len(DIMENSIONS), 3))
STORES, ONLINE = 0, 1
FIRM: dict[str, Any] = {
    "start": NOTHING,
    "target": np.full_like(NOTHING, 0.5),
    # a+b, a+c, b+c
    "known": Known(
        sells=np.array([1.0, 3.0, 2.0]),
        asked=np.array([1.0, 9.0, 5.0]),
        owner=np.array([STORES, ONLINE, ONLINE]),
    ),
    "luck": (0.618 * np.arange(2 * NOTHING.size) % 1).reshape(2, *NOTHING.shape),
}


def first_step(kind: Plan, terms: Terms = THREE) -> np.ndarray:
    changes = plan(terms, kind, **FIRM).changes
    assert len(set(changes["step"])) == 3
    first: np.ndarray = changes[changes["step"] == 0]
    return first


def test_links_of_the_pair_that_sells_most_come_first() -> None:
    assert set(first_step("stepwise_revenue")["pair"]) == {THREE.pairs.index("b+c")}


def test_links_of_the_pair_that_is_asked_for_most_come_first() -> None:
    assert set(first_step("stepwise_demand")["pair"]) == {THREE.pairs.index("a+c")}


def test_links_that_cost_least_come_first() -> None:
    changes = plan(THREE, "stepwise_ease", **FIRM).changes
    costs = THREE.one_off[changes["dimension"]]
    assert (np.diff(costs) >= 0).all()
    assert set(first_step("stepwise_ease")["pair"]) == {0, 1, 2}


def test_steps_wait_for_the_step_before() -> None:
    for links in weeks_of(plan(THREE, "stepwise_revenue", **FIRM), THREE):
        begun = links.changes[links.changes["status"] != WAITS]
        for step in begun["step"]:
            earlier = links.changes[links.changes["step"] < step]
            assert (earlier["status"] >= LIVES).all()


def test_departments_without_a_goal_build_their_own_links_one_by_one() -> None:
    lived = weeks_of(plan(THREE, "goalless", **FIRM), THREE)
    owners = FIRM["known"].owner[THREE.ends]
    shared = set()
    for links in lived:
        for queue in (STORES, ONLINE):
            building = (links.changes["status"] == BUILDS) & (links.changes["queue"] == queue)
            assert building.sum() <= 1
    for change in lived[0].changes:
        assert change["queue"] in owners[change["pair"]]
        shared.add((int(change["pair"]), int(change["queue"])))
    assert {(0, STORES), (0, ONLINE)} <= shared


def test_money_that_does_not_reach_ends_in_the_middle_of_a_link_or_of_all_at_once() -> None:
    whole = rollout.one_off(NOTHING, FIRM["target"], THREE)
    at_once = plan(THREE, "big_bang", budget=whole / 4, **FIRM).changes
    assert at_once["after"] == pytest.approx(0.5 / 4)
    stepwise = plan(THREE, "stepwise_ease", budget=whole / 4, **FIRM).changes
    assert (stepwise["after"][:-1] == 0.5).all()
    assert 0 < stepwise["after"][-1] < 0.5
    assert len(stepwise) < len(at_once)


def test_a_roll_out_starts_in_its_week() -> None:
    words = Rollout(kind="big_bang", start=5)
    links = rollout.planned(
        rollout.unplanned(NOTHING), words, FIRM["target"], 7, THREE, FIRM["known"], FIRM["luck"]
    )
    for week in range(7, 12):
        links = rollout.advanced(links, THREE, week)
        assert (links.changes["status"] == WAITS).all()
    assert (rollout.advanced(links, THREE, 12).changes["status"] == BUILDS).all()


def test_only_channels_that_are_being_linked_are_disturbed() -> None:
    costs = [LinkCost(weeks=4.0, disruption=0.1)] * len(DIMENSIONS)
    terms, target = some_terms(3, costs), NOTHING.copy()
    target[0, 0] = 0.5  # a+b
    links = plan(terms, "big_bang", **(FIRM | {"target": target}))
    assert (rollout.disruption(links, terms) == 1).all()
    links = rollout.advanced(links, terms, 7)
    assert rollout.disruption(links, terms) == pytest.approx([0.95, 0.95, 1.0])
    assert (rollout.disruption(weeks_of(links, terms)[-1], terms) == 1).all()


def test_levels_between_two_channels_do_not_depend_on_which_is_named_first() -> None:
    words = Levels(price=0.3, pairs={"c+a": {"price": 1.0}})
    assert words == Levels(price=0.3, pairs={"a+c": {"price": 1.0}})
    assert words.level("price", "a", "c") == words.level("price", "c", "a") == 1.0
    table = rollout.between(rollout.levels(words, THREE), THREE)
    assert (table == table.transpose(0, 2, 1)).all()
    assert table[DIMENSIONS.index("price")].tolist() == [[1, 0.3, 1], [0.3, 1, 0.3], [1, 0.3, 1]]


# -- in a world ------------------------------------------------------------------------------

NINE_TENTHS = Levels.model_validate(dict.fromkeys(DIMENSIONS, 0.9))


def a_morning(*overrides: str) -> Simulation:
    return at_fork(question("steering=frozen", *overrides))


@pytest.fixture(scope="module")
def morning() -> Simulation:
    return a_morning()


def deciding(world: Simulation, **changes: Any) -> Strategy:
    return world.spec.status_quo.model_copy(update=changes)


def lived(world: Simulation, weeks: int, **changes: Any) -> Simulation:
    """Return a fork under a strategy that differs in some words, some weeks on."""
    fork = world.fork(deciding(world, **changes))
    fork.run_to(world.state.day + weeks * DAYS_IN_WEEK)
    return fork


def costs(world: Simulation, weeks: int) -> np.ndarray:
    index = COMPANY_COLUMNS.index("integration_cost")
    return np.array(world.state.ledger.company[-weeks:])[:, index]


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize("empty", [{"target": Levels()}, {"target": NINE_TENTHS, "budget": 0.0}])
def test_a_plan_without_changes_leaves_every_ledger_to_the_bit(
    morning: Simulation, kind: Plan, empty: dict[str, Any]
) -> None:
    plain = lived(morning, 6)
    planned = lived(morning, 6, rollout=Rollout(kind=kind, **empty))
    assert digest(planned) == digest(plain)


@pytest.mark.parametrize("kind", BUILDING)
def test_links_that_all_fail_cost_their_money_and_bring_nothing(kind: Plan) -> None:
    world = a_morning("market.change.failure=1", "market.change.capacity=30")
    weeks = 30
    fork = lived(world, weeks, rollout=Rollout(kind=kind, target=NINE_TENTHS, budget=3e5))
    assert costs(fork, weeks).sum() == pytest.approx(3e5)
    assert (fork.state.links.changes["status"] == FAILED).all()
    assert (fork.state.links.levels == 0).all()
    untouched, booked_there = booked(lived(world, weeks), weeks), booked(fork, weeks)
    assert booked_there["expected_orders"] < untouched["expected_orders"]


def test_building_disturbs_and_the_more_links_at_once_the_more() -> None:
    world = a_morning("market.change.failure=1", "market.people=4000")
    weeks = 8
    orders = [
        booked(lived(world, weeks, rollout=Rollout(kind=kind, target=NINE_TENTHS)), weeks)
        for kind in ("none", "stepwise_ease", "big_bang")
    ]
    expected = [books["expected_orders"] for books in orders]
    assert expected[0] > expected[1] > expected[2]


def test_a_roll_out_reaches_people_link_by_link(morning: Simulation) -> None:
    words = Rollout(kind="stepwise_ease", target=NINE_TENTHS)
    fork = morning.fork(deciding(morning, rollout=words))
    made = []
    for _ in range(12):
        fork.run_to(fork.state.day + 13 * DAYS_IN_WEEK)
        made.append(booked(fork, 13)["hand_overs_made"])
    assert made[0] == 0 < made[-1]
    live = fork.state.links.levels[fork.state.links.levels > 0]
    assert (live == 0.9).all()
    assert len(live) > 9


def test_levels_from_the_fork_on_are_paid_at_once_and_run_every_week(morning: Simulation) -> None:
    weeks, words = 4, Integration(price=0.5, pairs={"store+web": {"price": 1.0}})
    cost = morning.market.integration_costs["price"]
    booked_costs = costs(lived(morning, weeks, integration=words), weeks)
    weekly = 2.0 * cost.running / WEEKS_IN_YEAR  # two pairs at .5, one at 1
    assert booked_costs[1:] == pytest.approx(weekly)
    assert booked_costs[0] == pytest.approx(weekly + 2.0 * cost.one_off)


def test_what_a_firm_has_had_all_along_only_runs() -> None:
    world = a_morning("integration=omnichannel")
    whole = sum(cost.running for cost in world.market.integration_costs.values())
    everything = 0.9 * len(world.terms.pairs) * whole / WEEKS_IN_YEAR
    fork = lived(world, 4)
    assert costs(fork, 16) == pytest.approx(everything)


def test_no_roll_out_begins_before_the_fork() -> None:
    words = ("rollout=big_bang", "rollout.budget=1e5")
    world, plain = a_morning(*words), a_morning()
    assert digest(world) == digest(plain)
    assert costs(lived(world, 26, rollout=world.strategy.rollout), 26).sum() > 0


def test_a_fork_in_the_middle_of_a_roll_out_builds_on(morning: Simulation) -> None:
    words = Rollout(kind="goalless", target=NINE_TENTHS)
    world = lived(morning, 9, rollout=words)
    assert (world.state.links.changes["status"] == BUILDS).any()
    twin = world.fork(world.strategy)
    day = world.state.day + 9 * DAYS_IN_WEEK
    for each in (world, twin):
        each.run_to(day)
    assert (twin.state.links.changes == world.state.links.changes).all()
    assert (costs(twin, 18) == costs(world, 18)).all()


def test_who_plans_knows_what_channels_have_sold_and_who_owns_them(morning: Simulation) -> None:
    known = linking.known(morning, morning.strategy)
    year = np.sum(morning.state.ledger.channels[-WEEKS_IN_YEAR:], axis=0)
    assert (known.sells == year[:, CHANNEL_COLUMNS.index("expected_revenue_gross")]).all()
    departments = sorted(morning.strategy.organigram)
    owners = [departments[owner] for owner in known.owner]
    assert dict(zip(morning.channels, owners, strict=True)) == {
        "app": "online",
        "store": "stores",
        "web": "online",
    }


# -- closed channels ---------------------------------------------------------------------------


def test_nobody_orders_in_a_channel_that_is_closed_and_fewer_order_at_all(
    morning: Simulation,
) -> None:
    weeks = 8
    fork = lived(morning, weeks, integration=Integration(open=("store", "web")))
    assert booked(fork, weeks, "app")["expected_orders"] == 0
    assert booked(fork, weeks, "app")["orders"] == 0
    plain = lived(morning, weeks)
    assert booked(fork, weeks)["expected_orders"] < booked(plain, weeks)["expected_orders"]
    assert booked(fork, weeks, "web")["expected_orders"] > 0


def test_naming_all_channels_closes_none(morning: Simulation) -> None:
    everything = lived(morning, 4, integration=Integration(open=tuple(morning.channels)))
    assert digest(everything) == digest(lived(morning, 4))


def test_who_goes_elsewhere_when_a_channel_is_closed_is_lost() -> None:
    weeks, shut = 8, Integration(open=("store",))
    orders = [
        booked(lived(world, weeks, integration=shut), weeks)["expected_orders"]
        for world in (a_morning(f"market.journey.closed_lost={lost}") for lost in (0, 1))
    ]
    assert orders[0] > orders[1]


def test_nothing_is_linked_with_a_closed_channel_and_nothing_paid_for_it(
    morning: Simulation,
) -> None:
    few = Integration(open=("store", "web"), **NINE_TENTHS.model_dump(exclude={"pairs"}))
    linked = lived(morning, 4, integration=few)
    assert (linked.state.links.levels > 0).sum() == len(DIMENSIONS)
    alone = lived(morning, 4, integration=few.model_copy(update={"open": ("store",)}))
    assert not costs(alone, 4).any()
    words = Rollout(kind="big_bang", target=NINE_TENTHS)
    built = lived(morning, 4, integration=Integration(open=("store", "web")), rollout=words)
    assert len(built.state.links.changes) == len(DIMENSIONS)
