from __future__ import annotations

from typing import Any

import mesa
import numpy as np
import pytest

from omnisim import steering
from omnisim.allocation import View
from omnisim.departments import Department
from omnisim.spec import FIXED, Strategy, budget_scopes
from omnisim.steering import Decider, deciders

MEDIA = ("display", "email", "print", "search", "tv")
ORGANIGRAM: dict[str, Any] = {
    "performance": {"owns": ["search", "display", "shop"]},
    "brand": {"owns": ["tv", "print"]},
    "crm": {"owns": ["email"]},
    "stores": {"owns": ["store"]},
}


def a_strategy(
    kind: str, company_weight: float = 0.0, shown: str = "last_touch", **words: Any
) -> Strategy:
    return Strategy.model_validate(
        {
            "steering": {"kind": kind, **words},
            "integration": {},
            "incentives": {"company_weight": company_weight},
            "attribution": {"kind": shown},
            "organigram": ORGANIGRAM,
        }
    )


def who(strategy: Strategy) -> dict[str, Decider]:
    return {decider.key: decider for decider in deciders(strategy, MEDIA, mesa.Model())}


def a_view(media: tuple[str, ...]) -> View:
    weeks = np.arange(60)
    wave = 1 + 0.2 * np.sin(weeks[:, None] * (1.1 + 0.7 * np.arange(len(media))))
    credit = np.rint(300 * wave ** np.linspace(0.2, 0.7, len(media)))
    shares = np.linspace(1, 2, len(media))
    return View(media, 1000 * wave, credit, 60 - weeks, shares / shares.sum(), 1000 * wave)


def test_in_silos_every_department_with_media_decides_over_its_own_and_no_other() -> None:
    heads = who(a_strategy("siloed", company_weight=0.3))
    assert {key: head.media for key, head in heads.items()} == {
        "brand": ("print", "tv"),
        "crm": ("email",),
        "performance": ("display", "search"),
    }
    for head in heads.values():
        assert isinstance(head, Department)
        assert (head.reads, head.company_weight) == ("own_claims", 0.3)
        assert (head.delay_weeks, head.noise) == (0, 0.0)


@pytest.mark.parametrize("shown", ["last_touch", "claims"])
def test_a_centre_decides_over_all_media_on_late_and_noisy_reports(shown: str) -> None:
    strategy = a_strategy("central", shown=shown, report_delay_weeks=5, report_noise=0.4)
    (manager,) = who(strategy).values()
    assert manager.media == MEDIA
    assert (manager.reads, manager.delay_weeks, manager.noise) == (shown, 5, 0.4)


def test_frozen_shares_have_nobody_who_decides() -> None:
    assert who(a_strategy("frozen")) == {}


def test_an_equal_splitter_needs_no_reports_and_one_review() -> None:
    (splitter,) = who(a_strategy("equal")).values()
    assert splitter.decide(a_view(MEDIA)).tolist() == [0.2] * 5
    assert not splitter.explores


@pytest.mark.parametrize("kind", ["siloed", "central", "equal", "frozen"])
def test_every_medium_is_in_one_scope_and_fixed_ones_are_in_nobody_s(kind: str) -> None:
    strategy = a_strategy(kind, fixed=["email", "tv"])
    scopes = budget_scopes(strategy, MEDIA)
    assert sorted(name for scope in scopes.values() for name in scope) == list(MEDIA)
    assert scopes[FIXED] == ("email", "tv")
    assert all("email" not in decider.media for decider in who(strategy).values())
    assert all(decider.media == scopes[decider.key] for decider in who(strategy).values())


def test_budgets_of_silos_are_what_their_media_hold() -> None:
    scopes = budget_scopes(a_strategy("siloed"), MEDIA)
    shares = {"display": 0.1, "email": 0.05, "print": 0.2, "search": 0.35, "tv": 0.3}
    split = steering.split_budget(1_000_000, scopes, shares)
    assert split == {"brand": 500_000, "crm": 50_000, "performance": 450_000}


def test_the_order_in_which_the_organigram_lists_its_channels_changes_nothing() -> None:
    strategy = a_strategy("siloed")
    turned = Strategy.model_validate(
        strategy.model_dump()
        | {"organigram": {k: {"owns": v["owns"][::-1]} for k, v in reversed(ORGANIGRAM.items())}}
    )
    assert budget_scopes(turned, MEDIA[::-1]) == budget_scopes(strategy, MEDIA)
    assert list(who(turned)) == list(who(strategy))


@pytest.mark.parametrize("rule", ["marginal", "credit_share", "average_cpo"])
def test_who_sees_the_same_decides_the_same_to_the_bit(rule: str) -> None:
    everything = {"all": {"owns": [*MEDIA, "shop", "store"]}}
    silo = a_strategy("siloed", rule=rule)
    silo = Strategy.model_validate(silo.model_dump() | {"organigram": everything})
    (head,) = who(silo).values()
    (manager,) = who(a_strategy("central", rule=rule)).values()
    assert head.media == manager.media
    view = a_view(MEDIA)
    decided = head.decide(view)
    assert decided.tobytes() == manager.decide(view).tobytes()
    assert np.abs(decided - view.shares).max() > 0.01


def test_a_decider_remembers_nothing_but_its_view() -> None:
    (manager,) = who(a_strategy("central")).values()
    first = manager.decide(a_view(MEDIA))
    other = a_view(MEDIA)
    manager.decide(
        View(MEDIA, other.spend[::-1], other.credit, other.weeks_ago, other.shares, other.used)
    )
    assert manager.decide(a_view(MEDIA)).tobytes() == first.tobytes()


def test_a_department_goes_back_to_a_state_that_was_kept() -> None:
    words = a_strategy("siloed")
    head = Department(mesa.Model(), "crm", ("email",), words.steering, 0.0, budget_cents=12_345)
    kept = head.state()
    head.budget_cents = 1
    head.restore(kept)
    assert head.state() == kept
    assert sum(head.weekly_plan()) == 12_345
