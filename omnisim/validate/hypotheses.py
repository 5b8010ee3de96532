"""Hypotheses about organisations: contrasts in worlds of curves and in the market of people."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from omnisim.comparison import interval
from omnisim.spec import Fault

FILE = Path(__file__).with_name("hypotheses.yaml")
MARGIN = 0.005  # of orders: less is no effect
TEXTBOOK, PEOPLE = "textbook", "people"
Half = Literal["textbook", "people"]
Shown = Literal["pass", "fail", "undecided"]
Verdict = Literal["pass", "textbook only", "fail", "undecided"]


@dataclass(frozen=True)
class World:
    """A market in which contrasts are asked: curves or people, and a patch on it."""

    name: str
    half: Half
    market: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """One contrast: `arm` less `against`, two patches on what the firm does today.

    A `law` is a closed form and needs no `world`. The whole interval must lie within `low`
    and `high` (None: no bound on that side).
    """

    id: str
    half: Half
    name: str
    what: str
    world: str
    arm: Mapping[str, Any]
    against: Mapping[str, Any] | None
    outcome: str
    scale: str
    weeks: str
    law: str
    low: float | None
    high: float | None

    @property
    def key(self) -> str:
        """Return the name by which it is measured, as `H4.people.best`."""
        return f"{self.id}.{self.half}.{self.name}"

    @property
    def wanted(self) -> str:
        """Return the bounds in words."""
        match self.low, self.high:
            case 0.0, None:
                return "more"
            case None, 0.0:
                return "less"
            case None, high:
                return f"at most {high:g}"
            case low, None:
                return f"at least {low:g}"
            case low, high:
                return "none at all" if low == high == 0 else f"{low:g} to {high:g}"


@dataclass(frozen=True)
class Hypothesis:
    """A proposition with its contrasts; `opening` says why people cannot be asked."""

    id: str
    says: str
    basis: str
    parts: tuple[Part, ...]
    opening: str = ""

    def half(self, half: Half) -> tuple[Part, ...]:
        """Return the parts of one half of the evidence."""
        return tuple(part for part in self.parts if part.half == half)


@dataclass(frozen=True)
class Contrast:
    """A part with its values by replication; a closed form is exact, the mean of what it counts."""

    part: Part
    values: tuple[float, ...]

    @property
    def interval(self) -> tuple[float, float, float]:
        """Return mean and 95 % interval."""
        if self.part.law:
            share = math.fsum(self.values) / len(self.values) if self.values else math.nan
            return (share,) * 3
        return interval(np.array(self.values))

    @property
    def shown(self) -> Shown:
        """Tell whether the whole interval lies within the bounds, or wholly beyond one."""
        _, low, high = self.interval
        if math.isnan(low):
            return "undecided"
        least = -math.inf if self.part.low is None else self.part.low
        most = math.inf if self.part.high is None else self.part.high
        # A bound of 0 asks for a sign, which nothing at all has not.
        strict = not (self.part.low == self.part.high == 0)
        if high < least or low > most or (strict and low == high == 0 in (least, most)):
            return "fail"
        return "pass" if least <= low and high <= most else "undecided"


@dataclass(frozen=True)
class Finding:
    """A hypothesis with what was found on all of its parts."""

    hypothesis: Hypothesis
    contrasts: tuple[Contrast, ...]

    def shown(self, half: Half) -> Shown | None:
        """Return what one half of the evidence shows (None: it was not asked)."""
        told = {one.shown for one in self.contrasts if one.part.half == half}
        for shown in ("fail", "undecided", "pass"):
            if shown in told:
                return shown
        return None

    @property
    def verdict(self) -> Verdict:
        """Return what all evidence says: a pass in full needs people who show the sign too."""
        curves, people = self.shown("textbook"), self.shown("people")
        if curves == "pass":
            return "pass" if people == "pass" else "textbook only"
        return curves or people or "undecided"

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield every part under names, for files."""
        for one in self.contrasts:
            mean, low, high = one.interval
            yield {
                "hypothesis": self.hypothesis.id,
                "says": self.hypothesis.says,
                "basis": self.hypothesis.basis,
                "half": one.part.half,
                "part": one.part.name,
                "measured": one.part.what,
                "low": one.part.low,
                "high": one.part.high,
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "replications": 0 if one.part.law else len(one.values),
                "shown": one.shown,
                "verdict": self.verdict,
                "open": self.hypothesis.opening,
            }


@functools.cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return document


@functools.cache
def worlds() -> dict[str, World]:
    """Return the worlds of the file by name."""
    told = _document()["worlds"].items()
    return {name: World(name, words["kind"], words.get("market", {})) for name, words in told}


@functools.cache
def every() -> tuple[Hypothesis, ...]:
    """Return all hypotheses of the file."""
    told = _document().items()
    return tuple(_hypothesis(key, words) for key, words in told if key != "worlds")


def chosen(names: Iterable[str]) -> tuple[Hypothesis, ...]:
    """Return those with these ids, all if none is named; raise Fault for an unknown one."""
    wanted, known = list(names), [one.id for one in every()]
    for name in wanted:
        if name not in known:
            raise Fault("--only", f"'{name}'", "hypotheses by id, with commas between", known)
    return tuple(one for one in every() if not wanted or one.id in wanted)


def _hypothesis(key: str, words: dict[str, Any]) -> Hypothesis:
    halves: tuple[Half, ...] = ("textbook", "people")
    told = [(half, words.get(half, {})) for half in halves]
    parts = [
        _part(key, half, name, part)
        for half, inner in told
        for name, part in inner.items()
        if name != "open"
    ]
    return Hypothesis(
        key, words["says"], words["basis"], tuple(parts), dict(told)["people"].get("open", "")
    )


def _part(key: str, half: Half, name: str, words: dict[str, Any]) -> Part:
    return Part(
        id=key,
        half=half,
        name=name,
        what=words["what"],
        world=words.get("world", ""),
        arm=words.get("arm", {}),
        against=words.get("against"),
        outcome=words.get("outcome", ""),
        scale=words.get("scale", "own"),
        weeks=words.get("weeks", "all"),
        law=words.get("law", ""),
        low=words.get("low"),
        high=words.get("high"),
    )


def findings(
    hypotheses: Iterable[Hypothesis], values: Mapping[str, Iterable[float]]
) -> list[Finding]:
    """Return a finding per hypothesis from the values of every part by its key."""
    return [
        Finding(one, tuple(Contrast(part, tuple(values[part.key])) for part in one.parts))
        for one in hypotheses
    ]


def tally(found: Iterable[Finding]) -> str:
    """Return in a sentence how many hypotheses passed, and which did not."""
    by_verdict: dict[str, list[str]] = {}
    for one in found:
        by_verdict.setdefault(one.verdict, []).append(one.hypothesis.id)
    told = [
        f"{verdict}: {', '.join(ids)}"
        for verdict in ("pass", "textbook only", "undecided", "fail")
        if (ids := by_verdict.get(verdict))
    ]
    return f"{'; '.join(told)}."
