from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from omnisim import trace
from omnisim.__main__ import main
from omnisim.journeys.books import CARTS, MISSED, ORDERS, VISITS
from omnisim.journeys.walk import pass_stage
from omnisim.language import ENGLISH, Language, language
from omnisim.people import PERSON
from omnisim.report.trace import render
from omnisim.simulation import Simulation
from omnisim.simulation.crowd import Crowd, CrowdState
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec, Fault
from omnisim.trace.again import Lived, again
from omnisim.trace.way import Touch, way
from tests.loud import LOUD, silent
from tests.test_report import HOSTILE, Page
from tests.worlds import at_fork, digest, question

FEW = ("market.people=60", "market.burn_in_weeks=4", "horizon.history_weeks=8")
RICH = (
    "market.friends={degree: 4, tells: 1, talk: 0.5}",
    "+market.categories.shirts={cross: {shoes: 0.5}}",
    "+market.categories.shoes={incident: 0.5}",
    "market.channels.web.late=0.5",
    "market.rivals.attraction=-2",
    "market.journey.same_day=0.7",
    "market.segments.research_shoppers.phone=0.8",
    "market.segments.store_regulars.phone=0.8",
    "market.segments.online_first.needs=40",
)
COLUMNS = ("media", "channels", "company")


def rich(*words: str) -> ExperimentSpec:
    """Return a question about a few people to whom much happens."""
    return question(*FEW, *RICH, *words)


def crowd_of(world: Simulation) -> tuple[Crowd, CrowdState]:
    """Return those who live in a world, and their state."""
    crowd, state = world.population, world.state.population
    assert isinstance(crowd, Crowd)
    assert isinstance(state, CrowdState)
    return crowd, state


def days(world: Simulation, count: int) -> list[tuple[CrowdState, list[Lived]]]:
    """Live some days and return each morning with the day of every row, lived again."""
    found = []
    for _ in range(count):
        crowd, state = crowd_of(world)
        morning = state.copy()
        world.step()
        lived = [again(crowd, morning, row) for row in range(len(morning.people))]
        evening = crowd_of(world)[1].people
        for book in COLUMNS:
            whole = sum(getattr(day, book) for day in lived)
            kept = getattr(crowd.today, book)
            kept = kept.sum(axis=0) if kept.ndim > whole.ndim else kept
            assert np.array_equal(whole, kept), book
        for row, day in enumerate(lived):
            assert day.after.tobytes() == evening.state[row].tobytes()
            assert np.array_equal(day.feels, evening.goodwill[:, row])
        found.append((morning, lived))
    return found


def test_days_lived_again_add_up_to_the_books_and_leave_the_same_people() -> None:
    lived = days(at_fork(rich()), 14)
    company = np.sum([day.company for _, those in lived for day in those], axis=0)
    assert company[MISSED] > 0


def test_the_way_has_every_contact_of_ours_in_the_books() -> None:
    world = at_fork(rich())
    walked: list[Touch] = []
    for _ in range(21):
        crowd, state = crowd_of(world)
        morning = state.copy()
        world.step()
        for row in range(len(morning.people)):
            touches, day = list(way(crowd, morning, row)), again(crowd, morning, row)
            walked += touches
            reached = [touch for touch in touches if touch.channel]
            if day.after.ours and reached:
                assert day.channels[:, CARTS].sum() == sum(t.stage == "buy" for t in reached)
                assert day.channels[:, VISITS].sum() >= len(reached)
                orders = sum(touch.end == "orders" for touch in touches)
                assert day.channels[:, ORDERS].sum() == orders
                missed = sum(touch.came_from != "" and not touch.kept for touch in touches)
                phones = sum(touch.phone is False for touch in touches)
                assert day.company[MISSED] == missed + phones
    assert len(walked) > 50
    assert {touch.end for touch in walked} >= {"gets on", "does not get on", "is lost", "orders"}
    assert any(touch.phone is not None for touch in walked)


def test_a_walk_that_goes_on_at_once_is_followed_to_its_last_contact() -> None:
    world = at_fork(rich("market.journey.same_day=1"))
    most = 0
    for _ in range(14):
        crowd, state = crowd_of(world)
        morning = state.copy()
        world.step()
        for row in range(len(morning.people)):
            touches = list(way(crowd, morning, row))
            assert all(touch.end == "gets on" for touch in touches[:-1])
            most = max(most, len(touches))
    assert most >= 3


def test_tracing_a_person_leaves_the_world_as_it_would_have_been() -> None:
    spec = question()
    traced, plain = (at_fork(spec).fork(spec.arms["central"]) for _ in range(2))
    trace.follow(traced, "central", 7, weeks=4)
    plain.run_to(plain.state.day + 4 * DAYS_IN_WEEK)
    assert digest(traced) == digest(plain)


def test_every_order_of_the_person_is_in_the_trace() -> None:
    spec = rich()
    world = at_fork(spec).fork(spec.arms[spec.baseline])
    began, orders = world.state.day, dict.fromkeys(range(60), 0)
    for day in range(began, began + 8 * DAYS_IN_WEEK):
        world.step()
        people = world.state.people
        for person in people.ids[people.state.last_order == day]:
            orders[int(person)] += 1
    assert sum(orders.values()) > 20
    for person in sorted(orders, key=lambda one: orders[one])[-3:]:
        found = trace.trace(spec, person, weeks=8)
        assert len(found.of("order")) == orders[person]
        assert f"{orders[person]} order" in found.summary


def test_who_is_chosen_has_ordered_and_is_the_same_again() -> None:
    spec = question()
    found = trace.trace(spec, weeks=8)
    assert found.of("order")
    assert found == trace.trace(spec, found.person, weeks=8)
    assert len({event.lane for event in found.of("contact", "click")}) >= 3


def test_friends_and_what_comes_after_an_order_are_told() -> None:
    said = " ".join(
        event.words
        for person in range(0, 60, 3)
        for event in trace.trace(rich(), person, weeks=6).of("order", "afterwards", "friends")
    )
    for words in (
        "Tells person",
        "Friends tell",
        "Something is wrong",
        "is late",
        "shirts and shoes",
    ):
        assert words in said


def test_a_stage_passed_twice_keeps_the_channel_of_the_last_time() -> None:
    person = np.zeros(1, PERSON).view(np.recarray)[0]
    for channel, stage in ((0, 0), (2, 1), (1, 0), (3, 1)):
        pass_stage(person, stage, channel)
    assert person.path == 2 + (4 << 4)


# The faces


def test_the_terminal_tells_the_days_and_the_page_shows_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "new" / "trace.html"
    assert main(["trace", *FEW, *RICH, "--weeks", "6", "--html", str(path)]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert max(map(len, out.splitlines()[:-1])) <= 80
    assert "walks with" in " ".join(out.split())
    text = path.read_text()
    page = Page(text)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert all(load.startswith("data:image/svg+xml;base64,") for load in page.loads)
    [picture] = page.pictures.values()
    for lane in ("retargeting", "store", "walk", "Weeks since the fork"):
        assert lane in picture
    assert 'name="viewport"' in text


def texts(words: Language, nth: int) -> list[str]:
    """Return what is told of every nth person to whom much happens."""
    found = [trace.trace(rich(), person, weeks=6, words=words) for person in range(0, 60, nth)]
    return [
        text
        for one in found
        for text in (*one.traits, one.summary, *(e.words for day in one.days for e in day.events))
    ]


def test_nothing_that_is_told_passes_the_language_by() -> None:
    assert not silent(" ".join(texts(LOUD, 3)))
    found = trace.trace(rich(), 6, weeks=6, words=LOUD)
    page = Page(render(found, ""))
    assert not silent(page.text, found.market)
    [(alt, picture)] = page.pictures.items()
    assert not silent(alt)
    assert not silent(" ".join(re.findall(r"<text[^>]*>([^<]*)", picture)))


def test_german_tells_the_same_days_with_the_same_numbers() -> None:
    german, english = texts(language("de"), 10), texts(ENGLISH, 10)
    assert len(german) == len(english)
    assert not set(german) & set(english)
    for one, other in zip(german, english, strict=True):
        numbers = sorted(re.findall(r"\d+[,.]\d+", one.replace(",", ".")))
        assert numbers == sorted(re.findall(r"\d+\.\d+", other)), (one, other)


def test_hostile_words_are_shown_and_do_nothing() -> None:
    spec = rich()
    market = spec.market.model_copy(update={"name": HOSTILE})
    found = trace.trace(spec.model_copy(update={"market": market}), 3, weeks=2)
    text = render(found, HOSTILE)
    assert "script" not in Page(text).tags
    assert text.count("&lt;script&gt;") >= 3
    assert "{{ 7 * 7 }}" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["market.people=60", "--person", "60"], "--person: found 60; allowed: 0 to 59"),
        (["market.people=60", "--person", "-1"], "--person: found -1; allowed: 0 to 59"),
        (["--arm", "centrl"], "--arm: found 'centrl'; .*nearest: central"),
        (["experiment=textbook"], "market: found 'textbook', .*allowed: a market of people"),
        (["--weeks", "0"], "argument --weeks: found 0, allowed: at least 1"),
        (["--persn", "3"], "--persn: unknown; nearest: --person"),
        (["--html", ""], "--html: found .*allowed: a file that can be written"),
    ],
)
def test_what_cannot_be_traced_is_refused_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["trace", *words])
    except SystemExit as left:
        status = int(str(left.code))
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert re.fullmatch(f"omnisim: {said}\n", err)


def test_python_is_told_of_a_wrong_person_by_a_fault() -> None:
    with pytest.raises(Fault, match="allowed: 0 to 59"):
        trace.trace(rich(), 1000)
