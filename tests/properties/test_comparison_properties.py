from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omnisim.comparison import ALPHA, holm, interval, p_different, p_equivalent, p_matters
from omnisim.streams import normal, replication_key

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=8)
numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
pairs = st.lists(numbers, min_size=2, max_size=30).map(np.array)


@given(p_values)
def test_holm_never_makes_evidence_stronger_nor_turns_its_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= q <= 1 for p, q in zip(ps, adjusted, strict=True))
    assert all(q <= len(ps) * p for p, q in zip(ps, adjusted, strict=True) if p == min(ps))
    for p, q in zip(ps, adjusted, strict=True):
        for other, its in zip(ps, adjusted, strict=True):
            assert p >= other or q <= its


@given(p_values, st.integers(0, 7))
def test_holm_does_not_depend_on_the_order_of_arms(ps: list[float], turn: int) -> None:
    turn %= len(ps)
    assert holm(ps[turn:] + ps[:turn]) == holm(ps)[turn:] + holm(ps)[:turn]


@given(pairs, st.floats(0, 1e6))
def test_the_tests_say_what_the_interval_shows(d: np.ndarray, margin: float) -> None:
    mean, low, high = interval(d)
    edge = 1e-6 * (1 + abs(mean) + margin + high - low)
    if min(abs(low - margin), abs(high - margin), abs(low + margin), abs(high + margin)) < edge:
        return  # rounding decides here
    assert (p_equivalent(d, margin) < ALPHA) == (-margin < low and high < margin)
    assert (p_matters(d, margin) < ALPHA) == (low > margin or high < -margin)
    if min(abs(low), abs(high)) > edge:
        assert (p_different(d) < ALPHA) == (low > 0 or high < 0)


@given(pairs, numbers, st.floats(0.1, 10))
def test_intervals_move_and_stretch_with_the_data(
    d: np.ndarray, shift: float, stretch: float
) -> None:
    moved = np.array(interval(d * stretch + shift))
    np.testing.assert_allclose(moved, np.array(interval(d)) * stretch + shift, atol=1e-3)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    root = replication_key(1, 0)
    samples = [
        np.array([3 + normal(root, 0, f"{n}/{sample}", pair) for pair in range(n)])
        for n in (5, 10, 25)
        for sample in range(800)
    ]
    hits = np.mean([low <= 3 <= high for _, low, high in map(interval, samples)])
    assert abs(hits - 0.95) < 3.3 * np.sqrt(0.95 * 0.05 / len(samples))
