"""Priors: how far every number that is assumed could be from what stands in the configs."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

import yaml

from omnisim.config import OWN, ConfigError

FILE = OWN / "priors.yaml"
ANY, ORGANISATION = "any", "organisation"
Distribution = Literal["uniform", "loguniform", "dirichlet", "whole", "fixed"]


@dataclass(frozen=True)
class Prior:
    """A range, and how what may be true is spread over it."""

    low: float
    high: float
    distribution: Distribution

    def holds(self, value: float) -> bool:
        """Tell whether a value lies in the range."""
        return self.low <= value <= self.high

    def at(self, part: float) -> float:
        """Return the value below which a part (0 to 1) of the prior lies."""
        if self.distribution == "loguniform" and self.low > 0:
            return float(self.low * (self.high / self.low) ** part)
        value = self.low + part * (self.high - self.low)
        return float(round(value)) if self.distribution == "whole" else value


def prior(key: str, value: float, market: str) -> Prior:
    """Return the prior of a full key that now has a value; raise ConfigError if there is none."""
    for pattern, words in _lines(market):
        if fits(pattern, key):
            return _prior(pattern, words, value)
    raise ConfigError(key, "no prior", f"a line in {FILE.name} that fits")


def numbers(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number below a key, with its own full key."""
    match value:
        case bool():
            return
        case int() | float():
            yield key, float(value)
        case dict():
            for name, inner in value.items():
                yield from numbers(inner, f"{key}.{name}".lstrip("."))
        case list() | tuple():
            for nth, inner in enumerate(value):
                yield from numbers(inner, f"{key}.{nth}")


@functools.cache
def _document() -> dict[str, dict[str, dict[str, Any]]]:
    document: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(FILE.read_text("utf-8"))
    return document


def patterns() -> Iterator[tuple[str, str]]:
    """Yield every line's section and pattern."""
    for section, lines in _document().items():
        yield from ((section, pattern) for pattern in lines)


def _lines(market: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for section in (market, ANY, ORGANISATION):
        yield from _document().get(section, {}).items()


def fits(pattern: str, key: str) -> bool:
    """Tell whether a key fits a pattern, name by name."""
    names, wanted = key.split("."), pattern.split(".")
    return len(names) == len(wanted) and all(map(fnmatchcase, names, wanted))


def _prior(pattern: str, words: Mapping[str, Any], value: float) -> Prior:
    distribution = words.get("distribution", "loguniform" if "factor" in words else "uniform")
    if distribution == "fixed":
        return Prior(value, value, distribution)
    if not {"factor", "within"} & set(words) and not {"low", "high"} <= set(words):
        raise ConfigError(pattern, f"{sorted(words)}", "low and high, factor, or within")
    low, high = -math.inf, math.inf
    if factor := words.get("factor"):
        low, high = sorted((value / factor, value * factor))
    if within := words.get("within"):
        low, high = value - within, value + within
    low, high = max(low, words.get("low", low)), min(high, words.get("high", high))
    if distribution == "whole":
        low, high = math.ceil(low), math.floor(high)
    return Prior(low, high, distribution)
