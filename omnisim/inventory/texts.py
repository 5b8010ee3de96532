"""Numbers and lists as people write them."""

from __future__ import annotations

from collections.abc import Sequence

EMPTY = "–"


def percent(share: float | None) -> str:
    """Return a share in percent."""
    return EMPTY if share is None else f"{digits(100 * share)} %"


def digits(value: float) -> str:
    """Return a number with no digit after the point from ten, one from one, else two."""
    places = 0 if value >= 10 or value == 0 else 1 if value >= 1 else 2
    return f"{value:,.{places}f}"


def amount(euros: float) -> str:
    """Return an amount in EUR: to the cent, and of less than ten cents the first digits."""
    return f"{euros:,.2f}" if euros >= 0.1 or euros == 0 else f"{euros:.2g}"


def listed(names: Sequence[str]) -> str:
    """Return names as in a sentence: a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
