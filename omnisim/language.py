"""Languages: words, numbers, money and dates as people write them."""

from __future__ import annotations

import io
import math
from datetime import datetime
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale
from babel.dates import format_datetime
from babel.messages import mofile, pofile
from babel.numbers import format_decimal

LANGUAGES = ("de", "en")
CATALOGUES = Path(__file__).parent / "catalogues"
NAME = "name"  # the context of media, departments and arms, which people type as keys
REGION = "region"  # the context of regions: home is one, and a category of goods


def message(text: str) -> str:
    """Mark a message that is said later, for those who gather messages."""
    return text


class Language:
    """One language: messages of its catalogue, and Babel's rules for its numbers and dates.

    Messages are keyed by their English words; what no catalogue knows is said in English.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        self.locale = Locale(code)
        self._messages = _messages(code)

    def say(self, message: str, /, **values: object) -> str:
        """Return a message with values in its {places}; without values braces stay."""
        found = self._messages.gettext(message) if message else ""  # "" is a catalogue's head
        return found.format(**values) if values else found

    def name(self, key: str) -> str:
        """Return how people call what has this key; a key of their own stays as it is."""
        return self._messages.pgettext(NAME, key)

    def plain(self, key: str) -> str:
        """Return a name as a word of a sentence."""
        return self.name(key).replace("_", " ")

    def at(self, place: str, message: str) -> str:
        """Return a message of a page, where its place tells what it means."""
        return self._messages.pgettext(place, message)

    def listed(self, words: list[str]) -> str:
        """Return words as an enumeration."""
        if len(words) < 2:
            return "".join(words)
        return self.say("{first} and {last}", first=", ".join(words[:-1]), last=words[-1])

    def number(self, value: float, decimals: int = 0, *, signed: bool = False) -> str:
        """Return a number with its decimals; a positive one with its sign if asked."""
        rounded = round(float(value), decimals) + 0.0  # no "-0"
        shown = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
        plus = "+" if signed and rounded else ""
        exact = Decimal(repr(rounded))
        return format_decimal(exact, format=f"{plus}{shown};-{shown}", locale=self.locale)

    def with_sign(self, value: float, decimals: int = 0) -> str:
        """Return a number with its sign, which zero has, too."""
        sign = "-" if math.copysign(1, value) < 0 else "+"
        return f"{sign}{self.number(abs(value), decimals)}"

    def percent(self, share: float, decimals: int = 0, *, signed: bool = False) -> str:
        """Return a share as percent."""
        return self.say("{} %").format(self.number(100 * share, decimals, signed=signed))

    def euros(self, value: float, decimals: int = 2) -> str:
        """Return EUR in full, to the cent unless told otherwise."""
        return self.say(message("EUR {}")).format(self.number(value, decimals))

    def money(self, value: float, *, digits: int = 3, signed: bool = False) -> str:
        """Return EUR with so many digits that say something, in millions or thousands."""
        pattern, divisor = message("EUR {}"), 1.0
        if abs(value) >= 1e6:
            pattern, divisor = message("EUR {} m"), 1e6
        elif abs(value) >= 1e4:
            pattern, divisor = message("EUR {} k"), 1e3
        decimals = places(abs(value) / divisor, digits)
        return self.say(pattern).format(self.number(value / divisor, decimals, signed=signed))

    def count(self, value: float, *, digits: int = 3, signed: bool = False) -> str:
        """Return a number of people or orders with so many digits that say something."""
        divisor, pattern = (1e6, message("{} m")) if abs(value) >= 1e6 else (1.0, "{}")
        decimals = places(abs(value) / divisor, digits)
        told = self.number(value / divisor, decimals if divisor > 1 else 0, signed=signed)
        return self.say(pattern).format(told)

    def vega(self) -> dict[str, object]:
        """Return how charts in a browser write numbers (a format locale of D3)."""
        symbols = self.locale.number_symbols["latn"]
        decimal, group = str(symbols["decimal"]), str(symbols["group"])
        return {"decimal": decimal, "thousands": group, "grouping": [3], "currency": ["", ""]}

    def date(self, moment: datetime) -> str:
        """Return day and time of day."""
        return format_datetime(moment, format="medium", locale=self.locale)


def places(size: float, digits: int) -> int:
    """Return the decimals that show a number of this size with so many digits (at most 3)."""
    if not size or not math.isfinite(size):
        return 0
    return min(max(digits - 1 - math.floor(math.log10(size)), 0), 3)


@cache
def language(code: str) -> Language:
    """Return one of LANGUAGES."""
    return Language(code)


def _messages(code: str) -> NullTranslations:
    path = CATALOGUES / f"{code}.po"
    if not path.exists():
        return NullTranslations()
    # Compiled as it is read: a file made beforehand could be older than its catalogue.
    compiled = io.BytesIO()
    with path.open(encoding="utf-8") as file:
        mofile.write_mo(compiled, pofile.read_po(file, locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)


ENGLISH = language("en")
