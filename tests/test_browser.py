"""The report in a browser whose network is cut: what it draws, how wide, how it prints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from omnisim import report
from omnisim.language import language
from tests.stored import an_answer, everything

PHONE, DESK = 360, 1280
FITTED = """() => [...document.querySelectorAll(".chart")].every((chart) => {
  const share = chart.querySelector("svg").getBoundingClientRect().width / chart.clientWidth;
  return share > 0.8 && share < 1.01;
})"""
CHROMIUM = next(
    (found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))),
    "chromium",
)
HOSTILE = '<img src=x onerror="alert(1)"> </script><script>alert(2)</script> ' + "wide" * 60


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write(everything(tmp_path_factory.mktemp("german")), language("de"))


def shown(browser: Browser, path: Path, width: int, complaints: list[str]) -> Page:
    """Open a page with the network cut; note what the console says and what would be loaded."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))

    def cut(route: Route) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            complaints.append(route.request.url)
            route.abort()

    page.route("**/*", cut)
    page.goto(path.as_uri())
    page.wait_for_selector("html.drawn", state="attached")
    return page


@pytest.fixture(scope="module")
def desk(browser: Browser, german: Path) -> Iterator[Page]:
    complaints: list[str] = []
    page = shown(browser, german, DESK, complaints)
    assert not complaints
    yield page
    page.close()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_chart_is_drawn_without_a_network_and_nothing_is_too_wide(
    desk: Page, width: int
) -> None:
    desk.set_viewport_size({"width": width, "height": 900})
    desk.wait_for_function(FITTED)
    assert desk.evaluate("document.documentElement.scrollWidth") <= width
    assert desk.locator(".chart svg").count() == desk.locator(".chart").count() > 15
    desk.set_viewport_size({"width": DESK, "height": 900})


def test_hostile_names_draw_and_do_nothing(browser: Browser, tmp_path: Path) -> None:
    folder = everything(tmp_path, an_answer(question=HOSTILE), tv=HOSTILE, central=HOSTILE)
    complaints: list[str] = []
    page = shown(browser, report.write(folder), PHONE, complaints)
    assert not complaints
    assert page.locator("img").count() == 0
    assert page.locator("h1").inner_text() == HOSTILE.strip()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    page.close()


def test_page_one_prints_alone_on_a4(desk: Page) -> None:
    desk.emulate_media(media="print")
    desk.set_viewport_size({"width": 680, "height": 1009})  # A4 less 15 mm, at 96 dots an inch
    front = desk.locator("section.front").bounding_box()
    assert front is not None
    assert front["height"] <= 1009
    assert desk.evaluate("getComputedStyle(document.querySelector('.front')).breakAfter") == "page"
    assert desk.evaluate("document.documentElement.scrollWidth") <= 680
    desk.emulate_media(media="screen")


def test_keys_reach_links_and_wide_tables_and_text_is_dark_enough(desk: Page) -> None:
    reached = set()
    for _ in range(12):
        desk.keyboard.press("Tab")
        reached.add(desk.evaluate("document.activeElement.tagName"))
    assert {"A", "DIV", "BUTTON"} <= reached
    faint = desk.evaluate(
        """() => [...document.querySelectorAll("p, td, th, caption, figcaption, a, li")].filter(
          (element) => {
            const light = getComputedStyle(element).color.match(/\\d+/g).slice(0, 3).map((part) => {
              const share = part / 255;
              return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            const [red, green, blue] = light;
            return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) < 4.5;
          },
        ).length"""
    )
    assert faint == 0
