"""Journeys: pass two of a person's day, from aimed media to the order."""

from omnisim.journeys.books import World, set_day, world
from omnisim.journeys.day import live

__all__ = ["World", "live", "set_day", "world"]
