"""The game: rounds, seats, views, bonus, computer players, rewind. No server, no browser."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from omnisim.spec import Fault, LogCurve, TextbookMarket
from omnisim.workshop.bonus import FULL, bonus
from omnisim.workshop.messages import LARGEST, direct, parsed, say
from omnisim.workshop.patience import LONGEST_WAIT, Patience
from omnisim.workshop.programme import SCENES, Step, programme
from omnisim.workshop.refusal import Refused
from omnisim.workshop.reveal import next_order, reveal
from omnisim.workshop.roles import ACTS, MANAGER, QUARTER, ROUNDS, Act, cast
from omnisim.workshop.room import Guess, Room, as_words, from_words, shown_name
from omnisim.workshop.views import door, lead, view
from omnisim.workshop.worlds import Plan, Worlds
from tests.rooms import a_room, live, numbers, opening, people, spec, standing, until, worlds

CAST = worlds().cast
ONE, OTHER = sorted(CAST.departments)[:2]


def budget(role: str) -> int:
    """Return what a role may spend in a quarter of the first act."""
    return sum(opening()[-1].plan[name] for name in CAST.owned(role))


def all_on_first(role: str, euros: int) -> Plan:
    """Return a plan that gives everything to a role's first medium."""
    first, *rest = CAST.owned(role)
    return {first: euros, **dict.fromkeys(rest, 0)}


def refused(why: str) -> pytest.RaisesExc[Refused]:
    """Expect a refusal for a reason."""
    return pytest.raises(Refused, check=lambda error: error.why == why)


# -- worlds -----------------------------------------------------------------------------


def test_the_same_plans_live_the_same_quarters_in_a_program_that_was_started_anew() -> None:
    plans = [quarter.plan for quarter in worlds().play("together")]
    again = Worlds(spec())
    for nth in range(2):
        lived = again.quarter("together", plans[:nth], plans[nth])
        assert lived == worlds().quarter("together", plans[:nth], plans[nth])


def test_another_plan_lives_another_quarter_with_the_same_start() -> None:
    today = worlds().today()
    other = today | all_on_first(ONE, budget(ONE))
    before = worlds().quarter("silo", [], today)
    assert worlds().quarter("silo", [], other).report != before.report
    assert worlds().quarter("silo", [], today) == before


def test_computer_departments_keep_their_own_budgets_and_a_centre_moves_them() -> None:
    def budgets(act: Act) -> list[dict[str, int]]:
        return [
            {
                role: sum(quarter.plan[name] for name in owned)
                for role, owned in CAST.departments.items()
            }
            for quarter in worlds().play(act)
        ]

    own = {role: budget(role) for role in CAST.departments}
    assert budgets("silo") == [own] * ROUNDS
    for act in ("central", "together"):
        assert budgets(act)[-1] != own
        assert {sum(held.values()) for held in budgets(act)} == {CAST.quarter}


def test_what_people_type_is_carried_out_and_the_others_decide_as_if_nobody_had() -> None:
    typed = all_on_first(ONE, budget(ONE))
    plan = worlds().quarter("silo", [], typed).plan
    alone = worlds().quarter("silo", [], {}).plan
    assert {name: plan[name] for name in CAST.owned(ONE)} == typed
    assert {name: plan[name] for name in CAST.owned(OTHER)} == {
        name: alone[name] for name in CAST.owned(OTHER)
    }


def test_the_computer_spends_what_people_leave_in_the_third_act() -> None:
    typed = dict.fromkeys(CAST.owned(ONE), 1000)
    plan = worlds().quarter("together", [], typed).plan
    assert sum(plan.values()) == CAST.quarter
    assert {name: plan[name] for name in typed} == typed
    everything = all_on_first(ONE, CAST.quarter)
    assert worlds().quarter("together", [], everything).plan == everything | dict.fromkeys(
        CAST.owned(OTHER), 0
    )


def test_money_that_is_not_planned_is_not_spent() -> None:
    today = worlds().today()
    half = {name: euros // 2 for name, euros in today.items()}
    much, less = (worlds().quarter("silo", [], plan).report for plan in (today, half))
    assert sum(less.spent.values()) == pytest.approx(sum(half.values()), rel=0.1)
    assert sum(less.spent.values()) < 0.6 * sum(much.spent.values())
    nothing = worlds().quarter("silo", [], dict.fromkeys(today, 0)).report
    assert sum(nothing.spent.values()) == 0


def test_effects_are_orders_that_would_be_missing() -> None:
    plans = [quarter.plan for quarter in worlds().stay()]
    effects = worlds().effects("central", plans)
    assert effects.without > 0
    assert set(effects.departments) == set(CAST.departments)
    idle = [*plans[:-1], dict.fromkeys(plans[-1], 0)]
    none = worlds().effects("central", idle)
    assert none.without == 0
    assert set(none.cost.values()) == {0.0}


def test_where_the_best_is_known_the_search_finds_it_and_the_acts_come_nearer_to_it() -> None:
    best = spec().market.splits["optimal"]
    assert worlds().possible()[0].plan == pytest.approx(
        {name: share * CAST.quarter for name, share in best.items()}, rel=0.1
    )
    stay, possible, *acts = (
        sum(quarter.report.contribution for quarter in year)
        for year in (worlds().stay(), worlds().possible(), *map(worlds().play, ACTS))
    )
    silo, _, together = acts
    assert silo == pytest.approx(stay, rel=0.02)  # what is lost lies between departments
    assert silo < together < possible


def test_tests_find_what_the_next_order_costs_where_that_is_known() -> None:
    market = spec().market
    assert isinstance(market, TextbookMarket)
    cost, orders = worlds().tests([worlds().today()])
    for name, euros in worlds().today().items():
        weekly = euros / QUARTER
        curve = market.media[name].curve
        assert isinstance(curve, LogCurve)
        gain = QUARTER * curve.a * math.log((curve.b + 1.2 * weekly) / (curve.b + weekly))
        assert cost[name] == pytest.approx(0.2 * euros, rel=0.01)
        assert orders[name] == pytest.approx(gain, rel=0.2)


def test_a_walk_names_media_and_days_of_one_customer() -> None:
    assert worlds().walk() is None
    walk = Worlds(people()).walk()
    assert walk is not None
    assert {event["lane"] for event in walk["events"]} & set(people().market.media)
    assert all(0 <= event["day"] < walk["days"] for event in walk["events"])


def test_a_question_without_the_three_acts_or_with_one_department_cannot_be_played() -> None:
    asked = spec()
    with pytest.raises(Fault) as missing:
        cast(asked.model_copy(update={"arms": {"silo": asked.arms["silo"]}}))
    assert missing.value.key == "arms.central"
    organigram = asked.status_quo.organigram
    whole = organigram[ONE].model_copy(update={"owns": CAST.media})
    alone = {key: unit for key, unit in organigram.items() if key != OTHER} | {ONE: whole}
    status_quo = asked.status_quo.model_copy(update={"organigram": alone})
    with pytest.raises(Fault) as single:
        cast(asked.model_copy(update={"status_quo": status_quo}))
    assert single.value.key == "organigram"


# -- programme --------------------------------------------------------------------------


def test_the_short_version_is_the_first_act_and_the_reveal() -> None:
    kinds = [step.kind for step in programme("short", practice=False)]
    assert kinds == ["lobby", *["round"] * ROUNDS, "guess", "reveal"]


def test_the_full_version_has_three_acts_of_four_rounds() -> None:
    steps = programme("full", practice=True)
    assert steps[1].kind == "practice"
    for act in ACTS:
        assert [step.nth for step in steps if step.kind == "round" and step.act == act] == [
            *range(ROUNDS)
        ]


def test_a_whole_workshop_by_the_computer_alone_is_its_own_control() -> None:
    room = until(a_room("full"), "reveal")
    for act in ACTS:
        assert [row.plan for row in room.lived(0, act)] == [
            quarter.plan for quarter in worlds().play(act)
        ]
    with refused("at_the_end"):
        for _ in SCENES:
            room.next(0.0)


def test_a_practice_round_does_not_count() -> None:
    room = until(a_room(practice=True), "practice")
    room.join(0, ONE, "Ann")
    room.decide(0, ONE, all_on_first(ONE, budget(ONE)), 0.0)
    live(room)
    shown = view(room, 0, ONE, 0.0)["quarters"][-1]
    assert shown["when"] == "practice"
    room.next(0.0)
    assert room.standing(0) == worlds().today()
    assert room.lived(0, "silo") == []


def test_the_next_step_waits_for_the_quarter() -> None:
    room = until(a_room(), "round")
    with refused("quarter_first"):
        room.next(0.0)
    room.close()
    for change in (room.close, lambda: room.next(0.0), lambda: room.rewind("silo", 0, 0.0)):
        with pytest.raises(Refused):
            change()


# -- deciding ---------------------------------------------------------------------------


def test_a_department_spends_its_own_budget_and_not_a_euro_more() -> None:
    room = until(a_room(), "round")
    most = budget(ONE)
    room.decide(0, ONE, all_on_first(ONE, most), 0.0)
    with refused("over_budget"):
        room.decide(0, ONE, all_on_first(ONE, most + 1), 0.0)
    with refused("not_your_media"):
        room.decide(0, ONE, all_on_first(OTHER, 1), 0.0)
    with refused("not_yours_to_decide"):
        room.decide(0, MANAGER, dict.fromkeys(CAST.media, 0), 0.0)
    live(room)
    assert room.played[-1].plan[CAST.owned(ONE)[0]] == most


def test_in_the_second_act_the_manager_decides_and_departments_ask() -> None:
    room = until(a_room("full"), "round", "central")
    wish = all_on_first(ONE, CAST.quarter)
    with refused("not_yours_to_decide"):
        room.decide(0, ONE, wish, 0.0)
    room.ask(0, ONE, wish, 0.0)
    assert view(room, 0, MANAGER, 0.0)["asked"] == {ONE: wish}
    assert view(room, 0, OTHER, 0.0)["asked"] == {}
    with refused("not_yours_to_decide"):
        room.ask(0, MANAGER, dict.fromkeys(CAST.media, 0), 0.0)
    plan = dict.fromkeys(CAST.media, 0) | all_on_first(OTHER, CAST.quarter)
    room.decide(0, MANAGER, plan, 0.0)
    live(room)
    assert room.played[-1].plan == plan


def test_in_the_third_act_one_takes_what_another_has_left() -> None:
    room = until(a_room("full"), "round", "together")
    for role in (ONE, OTHER):
        room.join(0, role, role)
    mine = room.limit(0, ONE)
    assert mine == CAST.quarter - sum(standing(room, OTHER).values())
    with refused("over_budget"):
        room.decide(0, ONE, all_on_first(ONE, mine + 1000), 0.0)
    room.decide(0, OTHER, dict.fromkeys(CAST.owned(OTHER), 0), 0.0)
    room.decide(0, ONE, all_on_first(ONE, CAST.quarter), 0.0)
    live(room)
    assert sum(room.played[-1].plan.values()) == CAST.quarter


def test_a_team_never_plans_more_than_there_is_whoever_comes_late() -> None:
    room = until(a_room("full"), "round", "together")
    room.join(0, ONE, "early")
    room.decide(0, ONE, all_on_first(ONE, CAST.quarter - 10), 0.0)
    room.join(0, OTHER, "late")
    typed = room.typed(0)
    assert sum(typed.values()) <= CAST.quarter
    assert typed[CAST.owned(ONE)[0]] == CAST.quarter - 10


def test_who_sends_nothing_spends_as_before_and_an_empty_seat_is_the_computers() -> None:
    room = until(a_room(), "round")
    room.join(0, ONE, "Ann")
    live(room)
    row = room.played[-1]
    assert {name: row.plan[name] for name in CAST.owned(ONE)} == {
        name: opening()[-1].plan[name] for name in CAST.owned(ONE)
    }
    assert row.by == {ONE: "person", OTHER: "computer", MANAGER: ""} | dict.fromkeys(
        [role for role in CAST.departments if role not in (ONE, OTHER)], "computer"
    )


def test_after_the_deadline_only_the_trainer_decides() -> None:
    room = a_room()
    room.set_clock(60, 0.0)
    until(room, "round")
    plan = standing(room, ONE)
    room.decide(0, ONE, plan, 60.0)
    with refused("too_late"):
        room.decide(0, ONE, plan, 60.1)
    room.decide(0, ONE, plan, 99.0, led=True)


def test_a_pause_stops_the_clock() -> None:
    room = a_room()
    room.set_clock(60, 0.0)
    until(room, "round")
    room.pause(40.0)
    with refused("paused"):
        room.decide(0, ONE, standing(room, ONE), 41.0)
    assert lead(room, 500.0)["left"] == 20
    room.resume(1000.0)
    room.decide(0, ONE, standing(room, ONE), 1019.0)
    with refused("too_late"):
        room.decide(0, ONE, standing(room, ONE), 1021.0)


def test_predictions_end_where_the_reveal_begins() -> None:
    room = until(a_room(), "guess")
    room.guess(0, ONE, Guess(120, {CAST.owned(ONE)[0]: 30}))
    with refused("not_your_media"):
        room.guess(0, ONE, Guess(120, {CAST.owned(OTHER)[0]: 30}))
    room.next(0.0)
    with refused("not_now"):
        room.guess(0, ONE, Guess(1))
    assert reveal(room, {}, None)["firms"][0]["guesses"] == {
        "claims": {ONE: 120},
        "costs": {CAST.owned(ONE)[0]: 30},
    }


# -- rewind -----------------------------------------------------------------------------


def test_rewind_gives_the_same_numbers_for_the_same_decisions() -> None:
    room = until(a_room("full"), "round", "central")
    first = [row for row in room.played if row.act == "silo"]
    room.rewind("silo", 1, 0.0)
    assert room.now == Step("round", "silo", 1)
    assert [row.nth for row in room.lived(0, "silo")] == [0]
    until(room, "round", "central")
    second = room.lived(0, "silo")[1:]
    assert [row.report for row in second] == [row.report for row in first[1:]]
    assert [row.bonus for row in second] == [row.bonus for row in first[1:]]


def test_rewind_tries_other_decisions_with_the_same_luck_and_keeps_the_old_ones() -> None:
    room = until(a_room(), "guess")
    old = room.lived(0, "silo")
    room.rewind("silo", 2, 0.0)
    room.decide(0, ONE, all_on_first(ONE, budget(ONE)), 0.0)
    live(room)
    new = room.lived(0, "silo")
    assert new[:2] == old[:2]
    assert new[2].report != old[2].report
    assert new[2].attempt == 2
    assert [row.undone for row in room.played] == [False, False, True, True, False]


def test_only_what_was_lived_can_be_rewound() -> None:
    room = until(a_room("full"), "round")
    for act, nth in ((ACTS[0], 0), (ACTS[0], 9), (ACTS[1], 0)):
        with refused("nothing_to_rewind"):
            room.rewind(act, nth, 0.0)


# -- seats ------------------------------------------------------------------------------


def test_a_seat_is_given_once_and_its_token_opens_no_other() -> None:
    room = a_room(firms=2)
    tokens = {(firm, role): room.join(firm, role, "x") for firm in (0, 1) for role in CAST.roles}
    assert {room.seat_of(token): token for token in tokens.values()} == tokens
    with refused("seat_taken"):
        room.join(0, ONE, "y")
    assert room.seat_of("") is None
    assert room.seat_of("0 " + ONE) is None


def test_who_takes_over_a_seat_finds_its_numbers_and_the_old_token_opens_nothing() -> None:
    room = until(a_room(), "round")
    old = room.join(0, ONE, "Ann")
    live(room)
    room.free(0, ONE)
    assert room.seat_of(old) is None
    new = room.join(0, ONE, "Bob")
    assert room.seat_of(new) == (0, ONE)
    assert view(room, 0, ONE, 0.0)["quarters"][-1]["bonus"] == room.played[-1].bonus[ONE]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ann   Lee ", "Ann Lee"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"[:24]),
        ("a\u202eb\u0000c\nd", "abcd"),
        ("x" * 500, "x" * 24),
    ],
)
def test_names_are_text_without_what_is_not_seen(typed: str, kept: str) -> None:
    assert shown_name(typed) == kept


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u202e", "\n\t"])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with refused("no_name"):
        shown_name(name)


def test_a_room_comes_back_from_a_file_as_it_was() -> None:
    room = until(a_room("full", firms=2, practice=True), "round", "together")
    token = room.join(1, OTHER, "Änne")
    room.decide(1, OTHER, standing(room, OTHER), 0.0)
    room.weigh(1, OTHER, 0.5, 0.0)
    told = dict.fromkeys(CAST.media, 1.5)
    room.learn(0, room.plans(0), told, told)
    text = json.dumps(as_words(room))
    assert from_words(json.loads(text)) == room
    assert token not in text


# -- views ------------------------------------------------------------------------------


def marked(room: Room) -> Room:
    """Return a room in whose reports every number of every medium is one of a kind."""
    columns = ("spent", "contacts", "clicks", "claims", "last_touch", "share", "seen")
    for row in room.played:
        for place, column in enumerate(columns):
            row.report[column] = {
                name: 1_000_003.0 * (1 + nth) + 10_007 * place + row.nth
                for nth, name in enumerate(CAST.media)
            }
        row.report |= {"orders": 9e9 + 1, "revenue": 9e9 + 2, "contribution": 9e9 + 3}
    return room


@pytest.mark.parametrize("act", ["silo", "central"])
def test_no_department_sees_anything_of_another_or_of_the_company(act: Act) -> None:
    room = until(a_room("full"), "round", act)
    live(room)
    marked(room)
    for role in CAST.departments:
        seen = numbers(view(room, 0, role, 0.0))
        row = room.lived(0, act)[-1]
        theirs = {
            value
            for column in row.report.values()
            if isinstance(column, dict)
            for name, value in column.items()
            if name not in CAST.owned(role)
        }
        assert not seen & theirs
        assert not {value for value in seen if value >= 9e9}
        assert row.report["claims"][CAST.owned(role)[0]] in seen


def test_the_manager_sees_the_books_and_in_the_second_act_late_reports_of_all_media() -> None:
    room = until(a_room("full"), "round", "silo")
    live(room)
    told = view(room, 0, MANAGER, 0.0)["quarters"][-1]
    assert told["media"] == {}
    assert told["company"]["contribution"] == round(room.played[-1].report["contribution"])
    room.next(0.0)
    until(room, "round", "central")
    live(room)
    told = view(room, 0, MANAGER, 0.0)["quarters"][-1]
    assert {column for its in told["media"].values() for column in its} == {"spent", "seen"}


def test_in_the_third_act_everybody_sees_the_same_reports() -> None:
    room = until(a_room("full"), "round", "together")
    live(room)
    reports = []
    for role in CAST.roles:
        quarter = dict(view(room, 0, role, 0.0)["quarters"][-1])
        quarter.pop("bonus")
        reports.append(quarter)
    assert all(report == reports[0] for report in reports)
    assert set(reports[0]["media"]) == set(CAST.media)


def test_no_view_of_a_seat_holds_another_firms_numbers_or_any_token() -> None:
    room = until(a_room(firms=2), "round")
    room.decide(1, ONE, all_on_first(ONE, 1357), 0.0)
    tokens = [room.join(firm, ONE, "x") for firm in (0, 1)]
    text = json.dumps(view(room, 0, ONE, 0.0)) + json.dumps(door(room))
    assert "1357" not in text
    assert not any(
        token in text or seat.token in text
        for token in tokens
        for seat in room.seats.values()
        if seat.token
    )


def test_the_door_tells_nothing_but_which_seats_are_free() -> None:
    room = until(a_room(), "round")
    room.join(0, ONE, "Secret Name")
    told = door(room)
    assert set(told) == {"code", "firms", "roles", "free"}
    assert f"0 {ONE}" not in told["free"]


def test_tests_of_the_third_act_are_known_to_their_firm_alone_and_only_then() -> None:
    room = until(a_room("full", firms=2), "round", "together")
    assert [firm for firm, _ in room.untested()] == [0, 1]
    cost, orders = worlds().tests([])
    room.learn(0, [], cost, orders)
    assert set(view(room, 0, ONE, 0.0)["tests"]) == set(CAST.media)
    assert view(room, 1, ONE, 0.0)["tests"] == {}
    live(room)
    assert [firm for firm, _ in room.untested()] == [0, 1]


# -- bonus ------------------------------------------------------------------------------


def test_as_much_as_last_year_pays_the_full_bonus_and_twice_as_much_twice() -> None:
    before = opening()[0].report
    for role in CAST.roles:
        assert bonus(CAST, role, before, before, 0.3) == FULL
    doubled = replace(before, claims={name: 2 * n for name, n in before.claims.items()})
    assert bonus(CAST, ONE, doubled, before, 0.0) == 2 * FULL
    assert bonus(CAST, ONE, doubled, before, 1.0) == FULL
    assert bonus(CAST, MANAGER, doubled, before, 0.0) == FULL


def test_own_claims_pay_whatever_the_company_loses() -> None:
    before = opening()[0].report
    worse = replace(before, contribution=-5.0)
    assert bonus(CAST, ONE, worse, before, 0.0) == FULL
    assert bonus(CAST, ONE, worse, before, 1.0) == 0


def test_a_team_is_paid_on_its_median_vote_in_the_third_act_only() -> None:
    room = until(a_room("full"), "round", "silo")
    with refused("not_yours_to_decide"):
        room.weigh(0, ONE, 1.0, 0.0)
    until(room, "round", "together")
    for role, weight in zip(CAST.roles, (0.0, 0.4, 1.0), strict=False):
        room.weigh(0, role, weight, 0.0)
    assert room.weight(0) == 0.4
    live(room)
    assert room.played[-1].weight == 0.4


# -- the reveal -------------------------------------------------------------------------


def test_the_reveal_lays_claims_beside_what_was_caused() -> None:
    room = until(a_room(), "guess")
    act, firm, plans = room.unexplained()[0]
    effects = worlds().effects(act, plans)
    told = {
        "departments": effects.departments,
        "without": effects.without,
        "cost": effects.cost,
        "orders": effects.orders,
    }
    room.learn_effects(act, firm, told)
    assert room.unexplained() == []
    yardsticks = {act: worlds().play(act) for act in ACTS} | {
        "stay": worlds().stay(),
        "possible": worlds().play("together"),
    }
    found = reveal(room, yardsticks, None)
    shown = found["firms"][0]["acts"]["silo"]
    assert shown["caused"] == {role: round(n) for role, n in effects.departments.items()}
    assert set(shown["media"]) == set(CAST.media)
    known = [found["stay"], shown["contribution"], *found["computer"].values()]
    assert found["best"] == max(known)
    assert found["computer"]["silo"] == shown["contribution"]


@pytest.mark.parametrize(
    ("cost", "orders", "shown"), [(100.0, 10.0, 10.0), (100.0, 0.0, None), (100.0, -3.0, None)]
)
def test_where_more_money_brings_no_order_there_is_no_price(
    cost: float, orders: float, shown: float | None
) -> None:
    assert next_order(cost, orders) == shown


def test_a_rewind_forgets_effects_and_tests_of_what_no_longer_counts() -> None:
    room = until(a_room("full"), "guess")
    for act in ACTS:
        room.learn_effects(act, 0, {"without": 1})
    for nth in range(ROUNDS):
        plans = [row.plan for row in room.lived(0, "together")[:nth]]
        room.learn(0, plans, {}, {})
    room.rewind("together", 1, 0.0)
    assert set(room.effects) == {"silo 0", "central 0"}
    assert set(room.tests) == {"0 0", "0 1"}


# -- messages ---------------------------------------------------------------------------


def message(room: Room, role: str, nth: int, **more: object) -> dict[str, object]:
    """Return a decision as a phone sends it."""
    plan = standing(room, role)
    return {"kind": "decide", "number": nth, "place": room.place, "amounts": plan} | more


def test_replayed_and_overtaken_messages_change_nothing() -> None:
    room = until(a_room(), "round")
    room.join(0, ONE, "Ann")
    first, second = all_on_first(ONE, 5), all_on_first(ONE, 7)
    assert say(room, 0, ONE, message(room, ONE, 10, amounts=second), 0.0)
    version = room.version
    assert not say(room, 0, ONE, message(room, ONE, 9, amounts=first), 0.0)
    assert not say(room, 0, ONE, message(room, ONE, 10, amounts=first), 0.0)
    assert room.version == version
    assert room.typed(0)[CAST.owned(ONE)[0]] == 7


def test_a_message_for_another_round_is_refused() -> None:
    room = until(a_room(), "round")
    late = message(room, ONE, 1)
    live(room)
    room.next(0.0)
    with refused("not_now"):
        say(room, 0, ONE, late, 0.0)


def test_a_refused_message_can_be_sent_again_with_its_number() -> None:
    room = until(a_room(), "round")
    with refused("over_budget"):
        say(room, 0, ONE, message(room, ONE, 3, amounts=all_on_first(ONE, budget(ONE) + 1)), 0.0)
    assert say(room, 0, ONE, message(room, ONE, 3), 0.0)


@pytest.mark.parametrize("amount", [-1, 1.5, float("inf"), 10**30, "7", None, True, [1], {"a": 1}])
def test_odd_numbers_are_refused_and_change_nothing(amount: object) -> None:
    room = until(a_room(), "round")
    before = as_words(room)
    odd: dict[str, object] = {**standing(room, ONE), CAST.owned(ONE)[0]: amount}
    with refused("bad_number"):
        say(room, 0, ONE, message(room, ONE, 1, amounts=odd), 0.0)
    for number in (0, -1, 2**60, 1.0, "1", None):
        with refused("bad_number"):
            say(room, 0, ONE, message(room, ONE, 1, number=number), 0.0)
    assert as_words(room) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"\xff\xfe",
        b'{"a":' + b"[" * 5000,
        b'{"a": ' + b"9" * 6000 + b"}",
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with refused("bad_message"):
        parsed(body)


def test_a_message_that_is_too_long_is_refused() -> None:
    with refused("too_large"):
        parsed(b'{"a": "' + b"x" * LARGEST + b'"}')


@given(
    some.dictionaries(
        some.sampled_from(
            ["kind", "number", "place", "amounts", "weight", "claims", "firm", "role"]
        ),
        some.one_of(
            some.none(),
            some.integers(),
            some.floats(),
            some.text(max_size=5),
            some.sampled_from(["decide", "ask", "weigh", "guess", "next", "rewind", "free", "1 1"]),
            some.dictionaries(some.sampled_from(CAST.media), some.integers(), max_size=3),
        ),
    )
)
def test_whatever_is_said_a_room_obeys_or_refuses_and_stays_whole(words: dict[str, object]) -> None:
    room = until(a_room(), "round")
    room.join(0, ONE, "Ann")
    for speak in (lambda: say(room, 0, ONE, words, 0.0), lambda: direct(room, words, 0.0)):
        with contextlib.suppress(Refused):
            speak()
    assert sum(room.typed(0).values()) <= CAST.quarter
    assert from_words(json.loads(json.dumps(as_words(room)))) == room


# -- patience ---------------------------------------------------------------------------


def test_wrong_codes_cost_time_each_time_more_and_nobody_else() -> None:
    patience, now, waits = Patience(), 0.0, []
    for _ in range(12):
        patience.blame("guesser", now)
        with pytest.raises(Refused) as wait:
            patience.admit("guesser", now)
        waits.append(int(str(wait.value.details["seconds"])))
        patience.admit("other", now)
        now += waits[-1] + 1
        patience.admit("guesser", now)
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    assert waits[0] < waits[3] < waits[6]


def test_too_many_messages_are_refused_until_there_was_silence() -> None:
    patience = Patience(burst=5, per_second=1)
    for _ in range(5):
        patience.count("busy", 0.0)
    with refused("too_many"):
        patience.count("busy", 0.0)
    patience.count("calm", 0.0)
    patience.count("busy", 2.0)
