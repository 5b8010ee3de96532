"""Who reports to whom, what departments are paid on, agencies, and targets with kinks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from omnisim import config, incentives
from omnisim.records import COMPANY_COLUMNS
from omnisim.simulation import Simulation, snapshot
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec, Target, budget_scopes
from tests.worlds import at_fork, but, composed, rich

CURVES = ("market=textbook", "horizon.history_weeks=0", "truth=none")
UNKINKED = Target(floor=0.0, ceiling=100.0)


def asked(*words: str) -> ExperimentSpec:
    return but(composed(*CURVES), *words)


def lived(spec: ExperimentSpec, weeks: int) -> Simulation:
    world = at_fork(spec)
    world.run_to(world.state.day + weeks * DAYS_IN_WEEK)
    return world


def company(world: Simulation, column: str) -> np.ndarray:
    return np.array(world.state.ledger.company)[:, COMPANY_COLUMNS.index(column)]


def sold(world: Simulation) -> bytes:
    return b"".join(week.tobytes() for week in world.state.ledger.channels)


# -- lines of reporting ------------------------------------------------------------------------


def test_one_who_reports_leaves_its_media_to_the_other_s_head() -> None:
    spec = asked("organigram.left.reports_to=right")
    assert budget_scopes(spec.status_quo, spec.market.media) == {"right": ("m1", "m2", "m3", "m4")}
    deep = asked("organigram.left.reports_to=right", "organigram.right.reports_to=sales")
    assert list(budget_scopes(deep.status_quo, deep.market.media)) == ["sales"]


def test_a_house_under_one_head_sells_what_one_department_would() -> None:
    house = lived(asked("organigram.left.reports_to=right"), 40)
    one = lived(asked("organigram.left.owns=[]", "organigram.right.owns=[m1, m2, m3, m4]"), 40)
    assert sold(house) == sold(one)
    assert sold(house) != sold(lived(asked(), 40))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("+organigram.left.reports_to=right", "+organigram.right.reports_to=left"),
            "organigram.left.reports_to: found a circle: left to right to left; allowed: lines",
        ),
        (
            ("+organigram.left.reports_to=left",),
            "organigram.left.reports_to: found a circle: left to left",
        ),
        (
            ("+organigram.left.reports_to=rigth",),
            "organigram.left.reports_to: found 'rigth'; allowed: another department",
        ),
        (
            ("+organigram.oracle={owns: []}",),
            "organigram.oracle: found a department that knows the truth; allowed: departments",
        ),
        (
            ("+organigram.left.kpi=contacts",),
            "organigram.left.kpi: found 'contacts', which no ledger of curves holds; allowed:",
        ),
        (
            ("+organigram.left.kpi=profit",),
            "organigram.left.kpi: found 'profit'; allowed: claims, clicks, contacts, last_touch",
        ),
        (
            ("+organigram.left.target={floor: 1.3}",),
            "organigram.left.target.ceiling: found 1.2; allowed: more than floor = 1.3",
        ),
    ],
)
def test_what_is_no_organisation_is_refused(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(config.ConfigError) as error:
        config.load([*CURVES, *words])
    assert str(error.value).startswith(told)


def test_an_arm_is_refused_as_the_status_quo_is() -> None:
    words = "+arms.central.organigram.left.reports_to=left"
    with pytest.raises(config.ConfigError, match=r"arms.central.organigram.left.reports_to"):
        config.load([*CURVES, words])


@pytest.mark.parametrize(
    "name", ["by_function", "by_category", "by_region", "cross_functional", "with_targets"]
)
def test_every_organigram_of_the_menu_owns_every_channel_of_the_default_market_once(
    name: str,
) -> None:
    spec, _ = config.load([f"organigram={name}"])
    owned = [channel for unit in spec.status_quo.organigram.values() for channel in unit.owns]
    assert sorted(owned) == sorted([*spec.market.media, *spec.market.channels])


# -- what departments are paid on ----------------------------------------------------------------


def test_departments_that_are_paid_on_contacts_buy_other_media() -> None:
    claims, contacts = (
        at_fork(rich(*(f"organigram.{key}.kpi={kpi}" for key in rich().status_quo.organigram)))
        for kpi in ("claims", "contacts")
    )
    assert not np.array_equal(claims.state.shares, contacts.state.shares)
    assert math.fsum(contacts.state.shares) == pytest.approx(1)


def test_a_kpi_weighs_as_much_in_all_as_the_claims_do() -> None:
    spec = asked("organigram.left.kpi=last_touch", "market.media.m1.leak=0.6")
    world = lived(spec, 12)
    (head,) = (who for who in world.deciders if who.key == "left")
    rows = [world.media.index(name) for name in head.media]
    shown = world.view(head, rows).credit
    claims = world.state.ledger.media_column("reported_claims", rows, 0, 12)
    assert shown.sum() == pytest.approx(claims.sum())
    assert shown[:, 0].sum() < claims[:, 0].sum()


def test_a_team_decides_at_its_own_pace() -> None:
    world = at_fork(asked("organigram.left.review_weeks=1"))
    paces = {who.key: who.every_weeks for who in world.deciders}
    assert paces == {"left": 1, "right": 4}
    world.run_to(8)
    before = world.state.shares.copy()
    world.run_to(15)
    moved = world.state.shares != before
    assert moved[:2].any()
    assert not moved[2:].any()


def test_an_agency_is_paid_its_share_of_the_media_that_it_buys() -> None:
    world = lived(asked("organigram.left.agency=0.1"), 20)
    spent = sum(float(week[:2, 1].sum()) for week in world.state.ledger.media) / 100
    assert company(world, "overhead").sum() == pytest.approx(0.1 * spent)
    assert sold(world) == sold(lived(asked(), 20))


def test_an_agency_spends_the_reserve_that_its_department_would_give_back() -> None:
    margin, reserve = "market.channels.shop.margin=0.03", "incentives.reserve=0.0691"
    thin = (margin, reserve, "incentives.company_weight=0.5")
    saves = lived(asked(*thin), 53)
    buys = lived(asked(*thin, "organigram.right.agency=0.9", "organigram.left.agency=0.9"), 53)
    assert company(saves, "held_back_cents").sum() > company(buys, "held_back_cents").sum() + 100


# -- targets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reached", "worth"), [(0.5, -5 / 6), (0.8, 1 / 6), (1.0, 1 / 6), (1.2, 1 / 6), (1.5, -5 / 6)]
)
def test_more_is_worth_what_the_closed_form_says_between_the_kinks_and_less_beyond(
    reached: float, worth: float
) -> None:
    assert incentives.paid_for_more(reached, Target()) == pytest.approx(worth)
    assert incentives.paid_for_more(reached, UNKINKED) == pytest.approx(1 / 6)


def with_target(*words: str) -> Simulation:
    told = (f"organigram.{key}.target={{{', '.join(words)}}}" for key in ("left", "right"))
    spec = but(composed("market=textbook", "horizon.history_weeks=52", "truth=none"), *told)
    return lived(spec, 52)


def test_a_target_that_cannot_be_reached_makes_heads_save_only_if_it_follows_them() -> None:
    hopeless = with_target("growth: 3.0")
    year = (
        company(hopeless, "held_back_cents")[53:].sum()
        / company(hopeless, "budget_cents")[53:].sum()
    )
    assert year == pytest.approx(0.2, abs=0.002)
    assert not company(with_target("growth: 3.0", "ratchet: 0"), "held_back_cents").any()


def test_a_target_within_the_kinks_changes_no_order() -> None:
    near = with_target("floor: 0", "ceiling: 100")
    spec = composed("market=textbook", "horizon.history_weeks=52", "truth=none")
    assert sold(near) == sold(lived(spec, 52))


def test_what_is_attained_is_logged_once_there_is_a_target() -> None:
    world = with_target("floor: 0", "ceiling: 100", "growth: 0")
    targeted, attained = company(world, "targeted"), company(world, "attained")
    assert not targeted[:52].any()
    assert not attained[:52].any()
    assert 0.8 < attained[52:].sum() / targeted[52:].sum() < 1.25


def test_the_next_target_goes_half_of_the_way_to_what_was_reached() -> None:
    world = with_target("growth: 0", "floor: 0", "ceiling: 100")
    first, reached = dict(world.state.targets), dict(world.state.reached)
    world.run_to(world.state.day + 1)
    for key in ("left", "right"):
        assert world.state.targets[key] == pytest.approx((first[key] + reached[key]) / 2)


def test_a_world_with_targets_goes_on_from_a_snapshot_to_the_bit(tmp_path: Path) -> None:
    spec = but(
        composed("market=textbook", "horizon.history_weeks=52", "truth=none"),
        "organigram.left.target={growth: 3.0}",
    )
    kept = lived(spec, 20)
    snapshot.save(kept, tmp_path / "world.npz")
    again = snapshot.load(tmp_path / "world.npz", spec)
    again.run_to(again.state.day + 7 * 20)
    assert sold(again) == sold(lived(spec, 40))


def test_the_question_of_rules_asks_every_way_of_steering_that_is_one() -> None:
    beside = {"oracle", "central_paid", "ecommerce_manager"}  # a yardstick; what managers cost
    spec, _ = config.load(["experiment=steering_rules"])
    assert set(spec.arms) == set(config.menu()["steering"]) - beside
