"""The server: who may say and see what, what is refused, what survives a restart."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from omnisim.__main__ import main
from omnisim.workshop.roles import MANAGER
from omnisim.workshop.room import as_words
from omnisim.workshop.server import STREAMS, TRAINER, Server, stream
from omnisim.workshop.texts import LANGUAGES, PAGES, messages, preferred, texts
from tests.rooms import KEY, a_server, spec, worlds

HOME = "http://127.0.0.1:8765"
STATIC = Path(__file__).parents[1] / "omnisim" / "workshop" / "static"
CAST = worlds().cast
ONE, OTHER = sorted(CAST.departments)[:2]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Return a server with an empty folder."""
    return a_server(tmp_path)


@pytest.fixture
def trainer(server: Server) -> Iterator[TestClient]:
    """Return the trainer's browser."""
    with TestClient(server.app(), base_url=HOME) as browser:
        browser.get(f"/trainer?key={KEY}")
        yield browser


def browser(server: Server) -> TestClient:
    """Return a browser that nobody has used."""
    return TestClient(server.app(), base_url=HOME)


def opened(trainer: TestClient, **more: Any) -> str:
    """Open a room and return its code."""
    asked = {"form": "short", "firms": 1, "practice": False} | more
    answer = trainer.post("/api/rooms", json=asked)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["code"])


def seated(server: Server, code: str, role: str, firm: int = 0) -> TestClient:
    """Return the phone of somebody who has just sat down."""
    phone = browser(server)
    asked = {"code": code, "firm": firm, "role": role, "name": "Ann"}
    assert phone.post("/api/join", json=asked).status_code == 200
    return phone


def lead(trainer: TestClient, code: str, kind: str, **more: Any) -> Any:
    """Let the trainer say something and return the answer."""
    place = trainer.get(f"/api/rooms/{code}/led").json()["place"]
    return trainer.post(f"/api/rooms/{code}/lead", json={"kind": kind, "place": place, **more})


def told(trainer: TestClient, code: str) -> Any:
    """Run the quarter and return what the trainer sees when it is over."""
    assert lead(trainer, code, "run").status_code == 200
    return wait(trainer, code, lambda state: state["phase"] == "told")


def wait(trainer: TestClient, code: str, is_so: Any) -> Any:
    """Return the trainer's view once it is so."""
    for _ in range(500):
        state = trainer.get(f"/api/rooms/{code}/led").json()
        if is_so(state):
            return state
        time.sleep(0.02)
    raise AssertionError(state)


def decision(phone: TestClient, code: str, number: int, **more: Any) -> Any:
    """Send what was there before as a decision and return the answer."""
    state = phone.get(f"/api/rooms/{code}/state").json()
    amounts = {its["name"]: its["last"] for its in state["sheet"]["media"]}
    words = {"kind": "decide", "number": number, "place": state["place"], "amounts": amounts}
    return phone.post(f"/api/rooms/{code}/say", json=words | more)


# -- who may what -----------------------------------------------------------------------

LEADS = ("next", "run", "show", "rewind", "pause", "resume", "clock", "free", "decide", "guess")
FOR_TRAINERS = (
    *("/api/rooms", "/api/rooms/{code}/led", "/api/rooms/{code}/led-events"),
    *("/api/rooms/{code}/reveal", "/api/rooms/{code}/rounds.csv", "/qr/{code}.svg"),
    "/api/rooms/{code}/debrief.html",
)


def test_nobody_but_the_trainer_leads_or_sees_what_the_trainer_sees(
    server: Server, trainer: TestClient
) -> None:
    code = opened(trainer)
    stranger, forger = browser(server), browser(server)
    forger.cookies.set(TRAINER, KEY[:-1] + "x")
    for phone in (stranger, forger, seated(server, code, ONE), seated(server, code, MANAGER)):
        for path in FOR_TRAINERS:
            assert phone.get(path.format(code=code)).status_code == 403, path
        for kind in LEADS:
            words = {"kind": kind, "place": "0 1", "firm": 0, "role": ONE, "seconds": 1}
            answer = phone.post(f"/api/rooms/{code}/lead", json=words)
            assert answer.status_code == 403, kind
        assert phone.post("/api/rooms", json={"form": "short", "firms": 1}).status_code == 403
        assert phone.get("/trainer", follow_redirects=False).status_code == 403
        assert phone.get("/trainer?key=guess", follow_redirects=False).status_code == 403
    assert trainer.get(f"/api/rooms/{code}/led").json()["step"]["kind"] == "lobby"
    for path in set(FOR_TRAINERS) - {"/api/rooms/{code}/led-events"}:
        assert trainer.get(path.format(code=code)).status_code == 200, path


def test_every_kind_of_message_needs_a_seat_of_this_very_room(
    server: Server, trainer: TestClient
) -> None:
    code, elsewhere = opened(trainer), opened(trainer)
    stranger, neighbour = browser(server), seated(server, elsewhere, ONE)
    moved = browser(server)  # with the right cookie of the wrong room
    moved.cookies.set(f"omnisim_seat_{code}", neighbour.cookies[f"omnisim_seat_{elsewhere}"])
    lead(trainer, code, "next")
    room = server.host.room(code)
    before = as_words(room)
    for phone in (stranger, neighbour, moved):
        for kind in ("decide", "ask", "weigh", "guess", "leave"):
            words: dict[str, Any] = {"kind": kind, "number": 1, "place": "1 1", "amounts": {}}
            assert phone.post(f"/api/rooms/{code}/say", json=words).status_code == 403
        for path in ("state", "events"):
            assert phone.get(f"/api/rooms/{code}/{path}").status_code == 403
    assert as_words(room) | {"version": 0} == before | {"version": 0}


def test_a_seat_acts_for_itself_whatever_its_message_names(
    server: Server, trainer: TestClient
) -> None:
    code = opened(trainer, firms=2)
    phone = seated(server, code, ONE)
    lead(trainer, code, "next")
    theirs = dict.fromkeys(CAST.owned(OTHER), 1)
    for more in ({"role": OTHER, "firm": 1}, {"seat": f"1 {OTHER}"}, {"role": MANAGER}):
        number = time.time_ns() // 1000
        assert decision(phone, code, number, **more).status_code == 200
        answer = decision(phone, code, number + 1, amounts=theirs, **more)
        assert answer.json()["refused"] == "not_your_media"
    sheets = server.host.room(code).sheets
    assert set(sheets[0]) == set(CAST.owned(ONE))
    assert sheets[1] == {}


def test_a_seat_that_was_freed_is_closed_at_once(server: Server, trainer: TestClient) -> None:
    code = opened(trainer)
    phone = seated(server, code, ONE)
    assert phone.get(f"/api/rooms/{code}/state").json()["role"] == ONE
    lead(trainer, code, "free", firm=0, role=ONE)
    assert phone.get(f"/api/rooms/{code}/state").status_code == 403
    assert seated(server, code, ONE).get(f"/api/rooms/{code}/state").status_code == 200


def test_who_moves_to_another_seat_leaves_the_old_one(server: Server, trainer: TestClient) -> None:
    code = opened(trainer)
    phone = seated(server, code, ONE)
    asked = {"code": code, "firm": 0, "role": OTHER, "name": "Ann"}
    assert phone.post("/api/join", json=asked).status_code == 200
    seats = server.host.room(code).seats
    assert [key for key, seat in seats.items() if seat.is_taken] == [f"0 {OTHER}"]


def test_who_opens_too_many_streams_loses_the_oldest_and_disturbs_nobody(
    server: Server, trainer: TestClient
) -> None:
    code = opened(trainer)
    seated(server, code, ONE)
    room = server.host.room(code)
    streams = [
        stream(server, room, "token", lambda: {"version": room.version}).body_iterator.__aiter__()
        for _ in range(STREAMS + 1)
    ]

    async def listen() -> str:
        for one in streams:
            assert "event: state" in str(await anext(one))
        return str(await anext(streams[0]))

    assert "event: elsewhere" in asyncio.run(listen())


# -- what is refused --------------------------------------------------------------------


def test_wrong_codes_wait_and_right_ones_do_not(server: Server, trainer: TestClient) -> None:
    code = opened(trainer)
    phone = browser(server)
    assert phone.post("/api/door", json={"code": code.lower()}).status_code == 200
    assert phone.post("/api/door", json={"code": "XXXXX"}).json()["refused"] == "no_such_room"
    answer = phone.post("/api/door", json={"code": "XXXXY"})
    assert answer.json()["refused"] == "wait"
    assert answer.json()["seconds"] >= 1


def test_unknown_rooms_and_seats_taken_are_refused(server: Server, trainer: TestClient) -> None:
    code = opened(trainer)
    seated(server, code, ONE)
    late = {"code": code, "firm": 0, "role": ONE, "name": "Bob"}
    assert browser(server).post("/api/join", json=late).json()["refused"] == "seat_taken"
    for more in ({"firm": 7}, {"firm": "0"}, {"role": "nobody"}, {"name": ""}, {"name": None}):
        answer = browser(server).post("/api/join", json=late | {"role": OTHER} | more)
        assert 400 <= answer.status_code < 500, more
    assert trainer.get("/api/rooms/NONE/led").status_code == 404
    assert seated(server, code, OTHER).get("/api/rooms/NONE/state").status_code == 404


def test_messages_that_are_too_large_or_from_other_pages_are_refused(
    server: Server, trainer: TestClient
) -> None:
    code = opened(trainer)
    phone = seated(server, code, ONE)
    path = f"/api/rooms/{code}/say"
    large = json.dumps({"kind": "leave", "number": 1, "more": "x" * 100_000})
    kinds = {"content-type": "application/json"}
    assert phone.post(path, content=large, headers=kinds).status_code == 413
    assert phone.post(path, content="{}", headers={"content-type": "text/plain"}).status_code == 415
    assert phone.post(path, data={"kind": "leave"}).status_code == 415
    assert phone.get(f"/api/rooms/{code}/state").status_code == 200


def test_too_many_messages_of_one_seat_do_not_disturb_another(
    server: Server, trainer: TestClient
) -> None:
    code = opened(trainer)
    busy, calm = seated(server, code, ONE), seated(server, code, OTHER)
    lead(trainer, code, "next")
    statuses = [decision(busy, code, nth).status_code for nth in range(1, 80)]
    assert statuses[0] == 200
    assert 429 in statuses
    assert decision(calm, code, 1).json() == {"heard": True}


def test_a_button_pressed_twice_goes_on_once(server: Server, trainer: TestClient) -> None:
    code = opened(trainer)
    words = {"kind": "next", "place": trainer.get(f"/api/rooms/{code}/led").json()["place"]}
    answers = [trainer.post(f"/api/rooms/{code}/lead", json=words).status_code for _ in "ab"]
    assert answers == [200, 409]
    assert server.host.room(code).step == 1


def test_no_name_but_an_address_leads_here(server: Server, trainer: TestClient) -> None:
    for host in ("evil.example", "localhost.evil.example", "omnisim"):
        assert browser(server).get("/", headers={"host": host}).status_code == 400
    for host in ("localhost:8765", "192.168.1.4:8765", "[::1]:8765"):
        assert browser(server).get("/", headers={"host": host}).status_code == 200


def test_files_outside_the_pages_folder_are_not_served(trainer: TestClient) -> None:
    for name in ("..%2fserver.py", "%2e%2e%2fhost.py", "seat.html", "nothing.js", ".css"):
        assert trainer.get(f"/static/{name}").status_code == 404


# -- a workshop over the wire -----------------------------------------------------------


def test_a_round_is_played_told_revealed_and_exported(server: Server, trainer: TestClient) -> None:
    code = opened(trainer)
    name = "<img src=x onerror=alert(1)>"
    phone = browser(server)
    asked = {"code": code, "firm": 0, "role": ONE, "name": name}
    assert phone.post("/api/join", json=asked).status_code == 200
    for _ in range(4):
        lead(trainer, code, "next")
        number = time.time_ns() // 1000
        assert decision(phone, code, number).json() == {"heard": True}
        assert decision(phone, code, number).json() == {"heard": False}
        told(trainer, code)
    state = phone.get(f"/api/rooms/{code}/state").json()
    assert [quarter["when"] for quarter in state["quarters"]][-4:] == ["round"] * 4
    lead(trainer, code, "next")
    place = phone.get(f"/api/rooms/{code}/state").json()["place"]
    words: dict[str, Any] = {
        "kind": "guess",
        "number": time.time_ns(),
        "place": place,
        "claims": 120,
        "costs": {},
    }
    assert phone.post(f"/api/rooms/{code}/say", json=words).status_code == 422  # a huge number
    words["number"] = time.time_ns() // 1000
    assert phone.post(f"/api/rooms/{code}/say", json=words).status_code == 200
    lead(trainer, code, "next")
    wait(trainer, code, lambda state: not state["explaining"])
    shown = trainer.get(f"/api/rooms/{code}/reveal").json()
    assert shown["firms"][0]["acts"]["silo"]["caused"]
    rows = list(csv.DictReader(io.StringIO(trainer.get(f"/api/rooms/{code}/rounds.csv").text)))
    played = [row for row in rows if row["firm"] == "1"]
    assert len(played) == 4 * len(CAST.media)
    assert {row["decided_by"] for row in played} == {"person", "computer"}
    for language in LANGUAGES:
        page = trainer.get(f"/api/rooms/{code}/debrief.html?language={language}").text
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
        assert "<img" not in page
        assert not re.search(r"^(import|export) ", page, re.MULTILINE)


def test_rooms_seats_and_a_quarter_under_way_survive_a_restart(tmp_path: Path) -> None:
    first = a_server(tmp_path)
    with TestClient(first.app(), base_url=HOME) as trainer:
        trainer.get(f"/trainer?key={KEY}")
        code = opened(trainer)
        cookies = seated(first, code, ONE).cookies
        lead(trainer, code, "next")
        told(trainer, code)
        lead(trainer, code, "next")
        room = first.host.room(code)
        room.close()  # and before the quarter is lived the program ends
        first.host.changed(room)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.suffix for path in files] == [".json"]
    second = a_server(tmp_path)
    with TestClient(second.app(), base_url=HOME) as trainer:
        trainer.get(f"/trainer?key={KEY}")
        state = wait(trainer, code, lambda state: state["phase"] == "told")
        assert state["step"]["nth"] == 1
        phone = browser(second)
        phone.cookies = cookies
        assert len(phone.get(f"/api/rooms/{code}/state").json()["quarters"]) == 4 + 2


def test_a_damaged_room_does_not_keep_the_others_from_opening(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = a_server(tmp_path)
    with TestClient(first.app(), base_url=HOME) as trainer:
        trainer.get(f"/trainer?key={KEY}")
        code = opened(trainer)
    (first.host.folder / "ABCDE.json").write_text("{")
    (first.host.folder / "ABCDF.json").write_text('{"code": "ABCDF", "step": 3}')
    second = a_server(tmp_path)
    with TestClient(second.app(), base_url=HOME) as trainer:
        trainer.get(f"/trainer?key={KEY}")
        rooms = trainer.get("/api/rooms").json()["rooms"]
        assert [room["code"] for room in rooms] == [code]
    assert "ABCDE" in caplog.text


# -- words ------------------------------------------------------------------------------


def keys() -> set[str]:
    """Return the keys of all texts, as pages ask for them."""
    return {place.removeprefix(f"{PAGES}.") for place, _ in messages(texts("en"))}


def test_german_says_everything_otherwise_and_with_the_same_details() -> None:
    english, german = (dict(messages(texts(code))) for code in LANGUAGES)
    assert list(english) == list(german)
    for place, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(
            re.findall(r"\{\w+\}", german[place])
        ), place
    same = [place for place, text in english.items() if german[place] == text]
    assert len(same) < 30  # TV, Retargeting, Pause


def test_every_word_that_a_page_asks_for_is_there_in_both_languages() -> None:
    known = keys()
    code = "".join(path.read_text() for path in STATIC.glob("*.js"))
    asked = set(re.findall(r'\bt\("([\w.]+)"', code))
    assert len(asked) > 80
    assert asked <= known
    program = "".join(path.read_text() for path in STATIC.parent.glob("*.py"))
    refusals = set(re.findall(r'Refused\(\s*"(\w+)"', program))
    assert {f"refused.{why}" for why in refusals} <= known


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-DE,de;q=0.9,en", "de"), ("fr, en", "en"), ("", "en"), ("fr", "en"), ("DE", "de")],
)
def test_a_page_speaks_the_language_that_the_browser_asks_for(
    accepted: str, language: str, trainer: TestClient
) -> None:
    assert preferred(accepted) == language
    page = trainer.get("/", headers={"accept-language": accepted}).text
    assert f'lang="{language}"' in page


def test_pages_ask_nothing_of_other_machines() -> None:
    for path in STATIC.iterdir():
        found = re.findall(r"(?:https?:)?//[\w.]+\.\w+[^\s\"'`]*", path.read_text())
        assert set(found) <= {"http://www.w3.org/2000/svg"}, path.name


# -- the command ------------------------------------------------------------------------


def test_the_command_says_which_address_it_opens_and_opens_no_other(tmp_path: Path) -> None:
    words = ["workshop", "--no-browser", "--port", "0", "--rooms", str(tmp_path)]
    words += ["market.people=50", "market.burn_in_weeks=0"]
    command = [sys.executable, "-m", "omnisim", *words]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        said = [running.stdout.readline() for _ in range(3)]
        address = re.search(r"http://127\.0\.0\.1:(\d+)/trainer\?key=(\S+)", said[0])
        assert address, said
        assert "Only this machine" in said[1]
        port = int(address[1])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert page.status == 200
        own = socket.gethostbyname(socket.gethostname())
        if not own.startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((own, port), timeout=5).close()
    finally:
        running.terminate()
        assert running.wait(30) == 0


def test_a_port_in_use_and_an_odd_one_take_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = ["--no-browser", "--rooms", str(tmp_path)]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["workshop", "--port", port, *rooms]) == 2
    assert "--port: found" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["workshop", "--port", "x", *rooms])
    assert main(["workshop", "organigram=nothing", *rooms]) == 2
    assert main(["workshop", "experiment=placebo", *rooms]) == 2
    assert all("Traceback" not in line for line in capsys.readouterr().err.splitlines())


def test_the_key_of_the_trainer_stays_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    from omnisim.cli.workshop import trainers_key

    key = trainers_key(tmp_path)
    assert len(key) >= 30
    assert trainers_key(tmp_path) == key
    assert (tmp_path / "trainer.key").stat().st_mode & 0o077 == 0


def test_the_fingerprint_keeps_rooms_of_other_markets_apart() -> None:
    from omnisim.workshop.host import fingerprint

    other = spec().model_copy(update={"seed": 99})
    assert fingerprint(spec()) == fingerprint(spec())
    assert fingerprint(other) != fingerprint(spec())
