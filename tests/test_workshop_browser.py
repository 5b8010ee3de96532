"""Whole workshops in real browsers, with no network but this machine."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, sync_playwright

from omnisim.workshop.texts import texts
from tests.rooms import KEY, a_server, people, served

PHONE: ViewportSize = {"width": 360, "height": 740}
SCREEN: ViewportSize = {"width": 1920, "height": 1080}
SOON = 2.0  # seconds in which every answer is to be seen
QUIET = (
    *("--no-sandbox", "--disable-background-networking", "--disable-component-update"),
    *("--disable-quic", "--disable-sync", "--no-first-run"),
)
DE, EN = texts("de"), texts("en")


class Line:
    """The way from one phone to the program, which can be cut and mended."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.open: list[socket.socket] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listening.accept()
                if self.is_cut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self.to))
                self.open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()

    def cut(self) -> None:
        """Let nothing pass."""
        self.is_cut = True
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.open.clear()

    def mend(self) -> None:
        """Let everything pass again."""
        self.is_cut = False


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return a browser without a window."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "these tests drive Chromium: install the package chromium"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve workshops about a small market of people."""
    with served(a_server(tmp_path_factory.mktemp("rooms"), people())) as where:
        yield where


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve workshops about a market of curves."""
    with served(a_server(tmp_path_factory.mktemp("rooms"))) as where:
        yield where


class Watch:
    """All that went wrong in browsers: errors of pages, and requests to other machines."""

    def __init__(self, chromium: Browser) -> None:
        self.chromium = chromium
        self.wrong: list[str] = []

    def page(self, language: str = "en-GB", size: ViewportSize = PHONE) -> Page:
        """Return a page of somebody new, who can reach this machine only."""
        person = self.chromium.new_context(viewport=size, locale=language)
        person.route("**/*", self._only_here)
        page = person.new_page()
        page.set_default_timeout(60_000)  # kernels may have to be compiled first
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def _only_here(self, route: Route) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:")):
            route.continue_()
        else:
            self.wrong.append(route.request.url)
            route.abort()

    def _said(self, kind: str, words: str) -> None:
        cut_off = "ERR_" in words and "Failed to load resource" in words
        if kind in ("error", "warning") and not cut_off:
            self.wrong.append(words)


def new_room(page: Page, address: str, form: str = "short") -> str:
    """Open a room on the trainer's page and return its code."""
    page.goto(f"{address}/trainer?key={KEY}")
    page.check(f"input[value={form}]")
    page.click("form button.main")
    page.wait_for_selector("#next")
    return page.inner_text("#code")


def sit(page: Page, address: str, code: str, role: str, name: str) -> None:
    """Join a room by its code and take a seat."""
    page.goto(f"{address}/")
    page.fill("#code", code.lower())
    page.press("#code", "Enter")
    page.fill("#name", name)
    page.check(f"input[value='0 {role}']")
    page.press("#name", "Enter")
    page.wait_for_selector(".card >> nth=1")


def go(page: Page, label: str | None = None) -> None:
    """Press the trainer's button, perhaps once it is called as expected."""
    chosen = "#next:not([disabled])"
    page.click(f"{chosen}:has-text('{label}')" if label else chosen)


def fits(page: Page) -> bool:
    """Tell whether nothing sticks out sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return bool(wide <= 0)


UNNAMED = """() => [...document.querySelectorAll('input, select, button')].filter(one =>
  !(one.labels?.length || one.getAttribute('aria-label') || one.textContent.trim())).length"""


@pytest.mark.slow
def test_a_whole_workshop_with_a_trainer_and_four_phones(chromium: Browser, address: str) -> None:
    watch = Watch(chromium)
    line = Line(int(address.rpartition(":")[2]))
    trainer = watch.page(size=SCREEN)
    code = new_room(trainer, address)
    german, german_too = watch.page("de-DE"), watch.page("de-DE")
    english, manager = watch.page(), watch.page()
    cut = f"http://127.0.0.1:{line.port}"
    sit(german, cut, code, "front", "<b>Änne</b>")
    sit(german_too, address, code, "back", "Jörg")
    sit(manager, address, code, "omnichannel_manager", "Max")
    late = watch.page()  # the seat is taken
    late.goto(f"{address}/j/{code}")
    late.wait_for_selector("#name")
    assert late.is_disabled("input[value='0 front']")

    go(trainer, "Start")
    german.wait_for_selector("#m-tv")
    assert fits(german)
    assert german.evaluate(UNNAMED) == 0
    assert german.inner_text("h2 >> nth=0") == DE["seat"]["decision"]
    assert german.inner_text("header strong").endswith("<b>Änne</b>")
    german.fill("#m-tv", "99999999")
    assert german.is_disabled("form button.main")
    german.fill("#m-tv", "0")
    german.press("#m-tv", "Enter")
    german.wait_for_selector(f"text={DE['seat']['sent']}")
    manager.wait_for_selector(f"text={EN['seat']['nothing']}")
    trainer.wait_for_selector("text=1 of 2")

    line.cut()
    german.wait_for_selector(f"text={DE['seat']['offline'][:20]}")
    german.fill("#m-tv", "1234")
    began = time.monotonic()
    go(trainer, EN["trainer"]["next"]["run"])
    for page in (german_too, manager):
        page.wait_for_selector(".bonus")
    trainer.wait_for_selector(f"text={EN['trainer']['told']['silo'][:30]}")
    assert time.monotonic() - began < 2 * SOON  # all in one process here
    line.mend()
    german.wait_for_selector(f"text={DE['seat']['told']}")
    german.wait_for_selector(".bonus")
    assert german.locator("text=" + DE["seat"]["offline"][:20]).count() == 0

    german_too.click("#language")
    german_too.wait_for_selector(f"text={EN['seat']['told']}")
    english.goto(f"{address}/j/{code}")
    trainer.click(".seatline:has-text('Jörg') button")
    german_too.wait_for_selector(f"text={EN['seat']['gone']}")
    german_too.wait_for_selector("#name")
    sit(english, address, code, "back", "Eve")
    assert english.locator(".bonus").count() == 1  # what the seat has earned

    for _ in range(3):
        go(trainer, "Go on")
        go(trainer, EN["trainer"]["next"]["run"])
    go(trainer, "Go on")
    for page in (german, english, manager):
        page.fill("#g-claims", "120")
        page.press("#g-claims", "Enter")
    english.wait_for_selector(f"text={EN['seat']['guess_sent']}")
    trainer.wait_for_selector("text=3 of 3")
    go(trainer, EN["trainer"]["next"]["reveal"])
    for name in ("claims", "costs", "acts", "walk"):
        trainer.wait_for_selector(f"h2:has-text('{EN['reveal'][name]}')")
        trainer.wait_for_selector("figure svg[role=img]")
        assert len(trainer.inner_text("figcaption")) > 30
        assert fits(trainer)
        if name != "walk":
            go(trainer, EN["trainer"]["next"]["scene"])
    german.wait_for_selector(f"text={DE['seat']['reveal']}")
    assert german.evaluate("document.documentElement.lang") == "de"
    german.reload()
    german.wait_for_selector(f"text={DE['seat']['reveal']}")  # the seat is kept
    assert watch.wrong == []


def test_a_trainer_alone_plays_on_paper_and_finds_the_reveal(
    chromium: Browser, curves: str, tmp_path: Path
) -> None:
    watch, address = Watch(chromium), curves
    trainer = watch.page(size=SCREEN)
    code = new_room(trainer, address)
    paper = trainer.context.new_page()
    paper.goto(f"{address}/paper/{code}")
    paper.wait_for_selector("text=Decision sheet")
    assert paper.locator(".sheet").count() == 2 * 3
    paper.close()
    go(trainer, "Start")
    trainer.click("#type")
    sheet = trainer.locator(".typing form").nth(0)
    sheet.locator("input").first.fill("2400000")
    assert sheet.locator("button.main").is_disabled()
    sheet.locator("input").first.fill("0")
    sheet.locator("button.main").click()
    trainer.wait_for_selector(f"text={EN['trainer']['saved']}")
    trainer.keyboard.press("Escape")
    for nth in range(4):
        go(trainer, EN["trainer"]["next"]["run"])
        go(trainer, "Go on")
        if nth == 1:
            trainer.select_option("select[aria-label='Rewind to']", "silo 1")
            trainer.wait_for_selector("text=attempt 2")
            go(trainer, EN["trainer"]["next"]["run"])
            go(trainer, "Go on")
    go(trainer, EN["trainer"]["next"]["reveal"])
    trainer.wait_for_selector("figure svg")
    page = tmp_path / "debrief.html"
    page.write_text(
        trainer.request.get(f"{address}/api/rooms/{code}/debrief.html?language=de").text()
    )
    alone = watch.page("de-DE")
    alone.context.unroute_all()
    alone.goto(page.as_uri())
    alone.wait_for_selector("figure svg")
    assert alone.inner_text("h1") == DE["debrief"]["title"].replace("{code}", code)
    assert fits(alone)
    assert watch.wrong == []
