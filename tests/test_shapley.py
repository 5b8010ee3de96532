from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim import shapley
from omnisim.shapley import Coalition

NAMES = ("a", "b", "c", "d", "e")
sizes = st.floats(-1e6, 1e6, allow_nan=False)


def everybody(players: tuple[str, ...]) -> list[Coalition]:
    return [
        frozenset(some)
        for size in range(len(players) + 1)
        for some in itertools.combinations(players, size)
    ]


@given(st.lists(sizes, min_size=32, max_size=32), st.integers(0, 50))
def test_in_whatever_orders_gains_add_up_to_what_all_bring_together(
    worths: list[float], luck: int
) -> None:
    worth = dict(zip(everybody(NAMES), worths, strict=True))
    drawn = shapley.orders(NAMES, str(luck), pairs=2)
    gains = shapley.values(drawn, worth)
    whole = worth[frozenset(NAMES)] - worth[frozenset()]
    assert sum(gains.values()) == pytest.approx(whole, abs=1e-6)


@given(st.lists(sizes, min_size=5, max_size=5), st.integers(0, 50))
def test_who_adds_the_same_to_everybody_gets_that(alone: list[float], luck: int) -> None:
    own = dict(zip(NAMES, alone, strict=True))
    worth = {some: sum(own[name] for name in some) for some in everybody(NAMES)}
    gains = shapley.values(shapley.orders(NAMES, str(luck), pairs=1), worth)
    assert gains == pytest.approx(own, abs=1e-5)


def test_of_three_gloves_the_only_left_one_is_worth_two_thirds() -> None:
    worth = {
        some: float("left" in some and len(some) > 1) for some in everybody(("left", "r1", "r2"))
    }
    gains = shapley.values(shapley.orders(("r2", "left", "r1"), "", pairs=3), worth)
    assert gains == pytest.approx({"left": 2 / 3, "r1": 1 / 6, "r2": 1 / 6})


def test_few_switches_are_turned_in_every_order_and_many_in_pairs_of_reverses() -> None:
    assert len(shapley.orders(NAMES[:3], "", pairs=3)) == 6
    drawn = shapley.orders(NAMES, "", pairs=3)
    assert [order[::-1] for order in drawn[::2]] == drawn[1::2]
    assert all(sorted(order) == list(NAMES) for order in drawn)
    assert shapley.orders(NAMES, "other", pairs=3) != drawn
    assert shapley.orders(NAMES[::-1], "", pairs=3) == drawn


def test_drawn_orders_come_near_the_value_of_all_orders() -> None:
    worth = {some: float(len(some) ** 2 + 3 * ("a" in some)) for some in everybody(NAMES)}
    exact = shapley.values(list(itertools.permutations(NAMES)), worth)
    drawn = [order for luck in range(60) for order in shapley.orders(NAMES, str(luck), pairs=1)]
    assert shapley.values(drawn, worth) == pytest.approx(exact, abs=0.01)
