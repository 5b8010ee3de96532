"""Bring the catalogues of messages up to date: `python docs/catalogues.py` does it.

Messages are gathered from the sources and templates (what is handed to `say` and `message`),
from outcomes and verdicts, from the workshop's pages and the menu's questions, and from the names
and sources that markets and strategies give. What is new has no translation yet; what is gone goes.
"""

from __future__ import annotations

import functools
import io
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from omnisim.comparison import Verdict, within
from omnisim.inventory.hand_over import BOTH
from omnisim.language import CATALOGUES, LANGUAGES, NAME, REGION
from omnisim.measures import OUTCOMES
from omnisim.misallocation import BEST, FORK, ORACLE
from omnisim.spec import ALL_STAGES, DIMENSIONS, Aim
from omnisim.workshop.texts import english, messages

ROOT = Path(__file__).parents[1]
KEYWORDS: dict[str, Any] = {"say": None, "message": None}
VOLATILE = (
    *('"POT-Creation', '"PO-Revision', '"Generated-By', '"Report-Msgid'),
    *('"Last-Translator', '"Language-Team', '"Project-Id'),
)
ASKED = ("question", "hypothesis", "decision_rule", "expectation")

Key = tuple[str | None, str]  # context, message


@functools.cache
def gathered() -> set[Key]:
    """Return all messages."""
    return {*_sources(), *_templates(), *_words(), *_menu(), *_pages()}


def written(code: str) -> str:
    """Return a language's catalogue with all messages and what is translated of them."""
    path = CATALOGUES / f"{code}.po"
    with path.open(encoding="utf-8") if path.exists() else io.StringIO() as file:
        known = read_po(file, locale=code)
    catalogue = Catalog(code, project="omnisim", fuzzy=False, header_comment=f"# omnisim, {code}")
    for context, key in sorted(gathered(), key=str):
        old = known.get(key, context)
        catalogue.add(key, old.string if old else "", context=context)
    for entry in catalogue:
        entry.flags.discard("python-format")  # a percent sign is one
    text = io.BytesIO()
    write_po(text, catalogue, width=100, omit_header=False)
    lines = text.getvalue().decode().splitlines()
    return "\n".join(x for x in lines if not x.startswith(VOLATILE)) + "\n"


def _sources() -> Iterator[Key]:
    for path in sorted((ROOT / "omnisim").rglob("*.py")):
        with path.open("rb") as file:
            for _, found, _, _ in extract("python", file, KEYWORDS):
                yield None, found if isinstance(found, str) else str(found[0])


def _templates() -> Iterator[Key]:
    for path in sorted((ROOT / "omnisim" / "report").glob("*.html")):
        with path.open("rb") as file:
            for _, _, found, _ in babel_extract(file, ("say",), (), {"trim_blocks": "true"}):
                if found is not None:  # what is said is no literal: it was gathered elsewhere
                    yield None, found if isinstance(found, str) else str(found[0])


def _words() -> Iterator[Key]:
    for outcome in OUTCOMES.values():
        yield None, outcome.label
        yield None, within(outcome.label)
    for verdict in typing.get_args(Verdict):
        if verdict:
            yield None, verdict
    for name in (*ALL_STAGES, *DIMENSIONS, BOTH, *typing.get_args(Aim), FORK, BEST, ORACLE):
        yield NAME, name


def _pages() -> Iterator[Key]:
    """Yield what pages of the workshop say, each in its own place."""
    yield from messages(english())


def _menu() -> Iterator[Key]:
    for path in sorted((ROOT / "configs").glob("*/*.yaml")):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        group = path.parent.name
        for key in ASKED:
            if told.get(key):
                yield None, told[key]
        chosen = re.findall(r"@arms\.(\w+)\.", str(told.get("defaults", "")))
        for name in (*told.get("arms", {}), *chosen, *_named(group, path.stem, told)):
            yield NAME, str(name)
        for name in told.get("market", {}).get("regions", {}):
            yield REGION, name
        for source in _sourced(told.get("market", {})):
            yield None, source


def _sourced(market: dict[str, Any]) -> Iterator[str]:
    """Yield who says what a channel of a market is held against."""
    for channel in (*market.get("media", {}).values(), *market.get("channels", {}).values()):
        for benchmark in channel.get("benchmarks", {}).values():
            yield benchmark["source"]


def _named(group: str, option: str, told: dict[str, Any]) -> Iterator[str]:
    """Yield what an option names: channels, people, departments, ways of steering and credit."""
    if group == "market":
        market = told.get("market", {})
        for part in ("media", "channels", "splits", "segments", "categories", "use_cases"):
            yield from market.get(part, {})
        for persona in market.get("segments", {}).values():
            yield from persona.get("pays_by", {})
    if group == "organigram":
        yield from (name for name in told if name != "defaults")
    if group in ("steering", "attribution"):
        yield option


if __name__ == "__main__":
    for code in LANGUAGES:
        (CATALOGUES / f"{code}.po").write_text(written(code), encoding="utf-8")
