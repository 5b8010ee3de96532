"""The page of the inventory: channels, hand-over, use cases, benchmarks, strengths and gaps."""

from __future__ import annotations

from omnisim.inventory import Inventory
from omnisim.inventory.benchmarks import MEANINGS
from omnisim.inventory.texts import percent
from omnisim.report import page


def render(found: Inventory, command: str) -> str:
    """Return the page; `command` is what makes it again."""
    return page("inventory.html", found=found, meanings=MEANINGS, percent=percent, command=command)
