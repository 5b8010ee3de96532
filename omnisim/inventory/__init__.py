"""The inventory: what the configured channels and touchpoints can do; nothing is simulated."""

from omnisim.inventory.audit import Inventory, take
from omnisim.inventory.use_cases import missing

__all__ = ["Inventory", "missing", "take"]
