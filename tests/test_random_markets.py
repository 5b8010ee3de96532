from __future__ import annotations

import math

import pytest

from omnisim.spec import TextbookMarket
from omnisim.validate import random_markets
from omnisim.validate.random_markets import Agreement, Contrast, agreement, contrasts, predicted

MANY = range(200)


def test_random_markets_are_the_same_again_and_differ_from_each_other() -> None:
    first, again, other = (
        random_markets.random_question(number, 1).model_dump_json() for number in (3, 3, 4)
    )
    assert first == again != other
    assert random_markets.random_question(3, 2).model_dump_json() != first


def test_random_markets_have_every_kind_of_curve_and_of_firm() -> None:
    markets, sizes = [], set()
    for number in MANY:
        spec = random_markets.random_question(number, 1)
        assert isinstance(spec.market, TextbookMarket)
        markets.append(spec.market)
        sizes.add((len(spec.market.media), len(spec.status_quo.organigram) - 1))
    assert sizes == {(media, units) for media in range(3, 7) for units in range(2, media + 1)}
    media = [medium for market in markets for medium in market.media.values()]
    assert {medium.curve.kind for medium in media} == set(random_markets.KINDS)
    blurred = [any(medium.leak for medium in market.media.values()) for market in markets]
    assert 0.35 < sum(blurred) / len(blurred) < 0.65


def test_theory_sees_markets_in_which_the_centre_wins_and_such_in_which_it_loses() -> None:
    told = [predicted(random_markets.random_question(number, 1)) for number in MANY]
    assert sum(gain > 0.005 for gain in told) > 0.3 * len(told)
    assert sum(gain < -0.005 for gain in told) > 0.03 * len(told)


def test_where_credit_is_clean_the_centre_loses_no_more_than_its_exploration() -> None:
    for number in MANY:
        spec = random_markets.random_question(number, 1)
        assert isinstance(spec.market, TextbookMarket)
        if not any(medium.leak for medium in spec.market.media.values()):
            assert predicted(spec) > -0.015


@pytest.mark.slow
def test_random_worlds_agree_with_theory_where_luck_does_not_count() -> None:
    found = agreement(contrasts(range(30)), 0.005)
    assert found.clear >= 12
    assert found.rate >= 0.95


@pytest.mark.slow
def test_small_firms_with_usual_reports_agree_where_theory_is_sure() -> None:
    found = list(contrasts(range(20), steering={}, size=1.0))
    sure = agreement(found, 0.03)
    assert sure.clear >= 4
    assert sure.rate == 1


def test_agreement_counts_clear_predictions_only() -> None:
    found = [Contrast(0, 0.1, 0.2), Contrast(1, -0.1, 0.2), Contrast(2, 0.001, -0.2)]
    assert agreement(found, 0.005) == Agreement(clear=2, agreed=1, markets=3)
    assert agreement(found, 0.005).rate == pytest.approx(0.5)
    assert math.isnan(agreement(found, 0.5).rate)
