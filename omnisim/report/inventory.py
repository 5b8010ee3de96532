"""The page of the inventory: channels, hand-over, use cases, benchmarks, strengths and gaps."""

from __future__ import annotations

from functools import partial

from omnisim.inventory import Inventory
from omnisim.inventory.texts import percent
from omnisim.report import page


def render(found: Inventory, command: str) -> str:
    """Return the page; `command` is what makes it again."""
    words = found.words
    shares = partial(percent, words=words)
    return page(
        "inventory.html", found=found, words=words, say=words.say, percent=shares, command=command
    )
