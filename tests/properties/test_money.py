from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnisim.allocation import largest_remainder
from omnisim.departments import next_budgets, weekly_plan
from omnisim.steering import split_budget

cents = st.integers(0, 10**13)
shares = st.lists(st.floats(0, 1e6), min_size=1, max_size=12).filter(lambda held: max(held) > 0)
names = st.text("abcdefgh", min_size=1, max_size=4)
budgets = st.dictionaries(names, st.integers(1, 10**11), min_size=1, max_size=8)


@given(cents, shares)
def test_cents_are_split_without_rest_and_within_a_cent_of_the_share(
    money: int, held: list[float]
) -> None:
    split = largest_remainder(money, held).tolist()
    total = sum(map(Fraction, held))
    assert sum(split) == money
    for part, share in zip(split, held, strict=True):
        assert abs(part - money * Fraction(share) / total) < 1
        assert share > 0 or part == 0


@given(cents, shares)
def test_who_has_a_larger_share_never_gets_fewer_cents(money: int, held: list[float]) -> None:
    split = largest_remainder(money, held).tolist()
    ranked = sorted(zip(held, split, strict=True))
    for (low, little), (high, much) in itertools.pairwise(ranked):
        assert low == high or little <= much


@given(cents, shares)
def test_the_order_of_listing_moves_no_cent_but_among_equals(money: int, held: list[float]) -> None:
    split = largest_remainder(money, held).tolist()
    turned = largest_remainder(money, held[::-1]).tolist()
    assert sorted(zip(held, split, strict=True)) == sorted(zip(held[::-1], turned, strict=True))


@given(cents, st.integers(1, 12))
def test_cents_that_cannot_be_shared_alike_go_to_the_first(money: int, people: int) -> None:
    split = largest_remainder(money, [0.1] * people).tolist()
    assert split == sorted(split, reverse=True)
    assert split[0] - split[-1] <= 1


@pytest.mark.parametrize(
    ("money", "held"),
    [(-1, [1.0]), (5, [0.5, -0.5]), (5, [math.nan]), (5, [math.inf]), (5, [0.0, 0.0]), (5, [])],
)
def test_money_that_nobody_can_have_is_refused(money: int, held: list[float]) -> None:
    with pytest.raises(ValueError, match=r"share"):
        largest_remainder(money, held)


def test_no_money_needs_no_shares() -> None:
    assert largest_remainder(0, [0.0, 0.0]).tolist() == [0, 0]


@given(cents)
def test_fifty_two_weeks_are_a_year_to_the_cent(money: int) -> None:
    plan = weekly_plan(money)
    assert len(plan) == 52
    assert sum(plan) == money
    assert max(plan) - min(plan) <= 1


@given(budgets, st.floats(-0.5, 0.5), cents)
def test_the_budgets_of_the_departments_are_the_company_s_budget(
    held: dict[str, int], growth: float, total: int
) -> None:
    assert sum(next_budgets(held, growth, total).values()) == total


@given(budgets, st.floats(-0.5, 0.5))
def test_growth_that_is_alike_for_all_moves_hardly_a_cent(
    held: dict[str, int], growth: float
) -> None:
    after = next_budgets(held, growth, sum(held.values()))
    assert all(abs(after[key] - held[key]) <= 1 for key in held)


@given(cents, st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(any))
def test_scopes_hold_the_whole_budget(money: int, held: list[float]) -> None:
    media = dict(zip("abcd", held, strict=True))
    scopes = {"one": ("a", "c"), "two": ("b",), "(fixed)": ("d",)}
    split = split_budget(money, scopes, media)
    assert sum(split.values()) == money
    assert split["two"] == pytest.approx(money * held[1] / sum(held), abs=1.01)
