"""Numbers, lists and touchpoints as people write them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from omnisim.language import REGION, Language

EMPTY = "–"


def percent(share: float | None, words: Language) -> str:
    """Return a share in percent."""
    return EMPTY if share is None else words.percent(share, places(100 * share))


def places(value: float) -> int:
    """Return the digits after the point: none from ten, one from one, else two."""
    return 0 if value >= 10 or value == 0 else 1 if value >= 1 else 2


def cents(euros: float) -> int:
    """Return the digits after the point: two, of less than ten cents those of its first two."""
    if euros >= 0.1 or euros == 0:
        return 2
    return max(0, -int(Decimal(f"{euros:.2g}").as_tuple().exponent))


def named(keys: Iterable[str], words: Language) -> str:
    """Return what has these keys as in a sentence: a, b and c."""
    return words.listed([words.name(key) for key in keys])


def regions(keys: Iterable[str], words: Language) -> str:
    """Return regions as in a sentence."""
    return words.listed([words.at(REGION, key) for key in keys])


def touchpoint(key: str, words: Language) -> str:
    """Return a channel at a stage."""
    channel, _, stage = key.partition(".")
    return words.say("{channel}.{stage}", channel=words.name(channel), stage=words.name(stage))
