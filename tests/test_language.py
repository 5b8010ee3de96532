from __future__ import annotations

import re
import runpy
from pathlib import Path
from string import Formatter

import pytest
import yaml
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from omnisim.language import CATALOGUES, LANGUAGES, NAME, language

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "docs" / "catalogues.py"))
ENGLISH, GERMAN = language("en"), language("de")


def messages(code: str) -> dict[tuple[str | None, str], str]:
    """Return what a catalogue says, by context and message."""
    with (CATALOGUES / f"{code}.po").open(encoding="utf-8") as file:
        found = read_po(file)
    return {(m.context, str(m.id)): str(m.string) for m in found if m.id}


def test_all_languages_have_the_keys_that_the_sources_use() -> None:
    asked = SCRIPT["gathered"]()
    assert len(asked) > 300
    for code in LANGUAGES:
        assert set(messages(code)) == asked, "run: python docs/catalogues.py"


def test_german_leaves_nothing_untranslated() -> None:
    assert not [key for key, said in messages("de").items() if not said]


def test_translations_have_the_places_of_their_messages() -> None:
    for (context, key), said in messages("de").items():
        if context is None and "{{" not in key:
            assert places(key) == places(said), key


def places(text: str) -> set[str]:
    """Return the names of the {places} of a message."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_catalogues_stand_as_their_script_writes_them() -> None:
    for code in LANGUAGES:
        kept = (CATALOGUES / f"{code}.po").read_text(encoding="utf-8")
        assert kept == SCRIPT["written"](code), "run: python docs/catalogues.py"


def test_braces_of_a_question_of_ones_own_stay() -> None:
    assert GERMAN.say("{{ 7 * 7 }} {0}") == "{{ 7 * 7 }} {0}"
    assert GERMAN.say("With {what}: {verdict}", what="{0}", verdict="{x}") == "Mit {0}: {x}"


def test_nothing_is_nothing_in_every_language() -> None:
    assert ENGLISH.say("") == GERMAN.say("") == ""


def test_names_of_ones_own_stay_as_they_are() -> None:
    assert GERMAN.name("my_channel") == "my_channel"
    assert GERMAN.plain("my_channel") == "my channel"
    assert GERMAN.plain("search_brand") == messages("de")[NAME, "search_brand"]


def test_what_stands_side_by_side_has_different_names() -> None:
    for path in sorted((ROOT / "configs").glob("*/*.yaml")):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        market = told.get("market", {})
        departments = told if path.parent.name == "organigram" else {}
        arms = {*told.get("arms", {}), *re.findall(r"@arms\.(\w+)\.", str(told.get("defaults")))}
        parts = ("media", "channels", "segments", "categories", "use_cases")
        for keys in (arms, departments, *(market.get(part, {}) for part in parts)):
            assert len({GERMAN.plain(key) for key in keys}) == len(keys), path


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (1_520_000, "EUR 1.52 m", "1,52 Mio. EUR"),
        (-45_678, "EUR -45.7 k", "-45,7 Tsd. EUR"),
        (18.24, "EUR 18.2", "18,2 EUR"),
        (0, "EUR 0", "0 EUR"),
    ],
)
def test_money_is_written_as_people_write_it(value: float, english: str, german: str) -> None:
    assert ENGLISH.money(value) == english
    assert GERMAN.money(value) == german


@given(st.floats(-1e6, 1e6), st.integers(0, 3))
def test_a_number_with_its_sign_is_written_as_python_does(value: float, decimals: int) -> None:
    assert ENGLISH.with_sign(value, decimals) == f"{value:+,.{decimals}f}"


def test_euros_are_written_in_full() -> None:
    assert ENGLISH.euros(12345.6) == "EUR 12,345.60"
    assert GERMAN.euros(0.003, 3) == "0,003 EUR"


@given(st.floats(-1e12, 1e12), st.integers(0, 3))
def test_both_languages_write_the_same_number(value: float, decimals: int) -> None:
    english, german = ENGLISH.number(value, decimals), GERMAN.number(value, decimals)
    assert float(english.replace(",", "")) == pytest.approx(value, abs=0.51 * 10**-decimals)
    assert german == english.translate(str.maketrans(",.", ".,"))
    assert not re.fullmatch(r"-0([.,]0*)?", english)
