"""A language that shouts: small letters were never handed to it, or no catalogue knows them."""

from __future__ import annotations

import re
from string import Formatter

from babel.messages.pofile import read_po

from omnisim.language import CATALOGUES, Language

with (CATALOGUES / "de.po").open(encoding="utf-8") as _file:
    KNOWN = {str(message.id) for message in read_po(_file) if message.context is None}


class Loud(Language):
    """Every message that is translated, and every name, in capitals; numbers as in German."""

    def say(self, message: str, /, **values: object) -> str:
        """Return the message with values in its places."""
        parts = Formatter().parse(message)
        loud = "".join(
            text.upper() + ("" if place is None else f"{{{place}}}") for text, place, _, _ in parts
        )
        found = loud if message in KNOWN else message
        return found.format(**values) if values else found

    def name(self, key: str) -> str:
        """Return the key in capitals."""
        return key.upper()

    def at(self, place: str, message: str) -> str:
        """Return the message in capitals."""
        return message.upper()


LOUD = Loud("de")


def silent(text: str, known: str = "") -> list[str]:
    """Return the words of a text that nobody shouted, but for a known one."""
    return [word for word in re.findall(r"\w*[a-zäöü]\w*", text) if word != known]
