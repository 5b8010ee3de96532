"""Targets: what the output should hit, how near, and who found it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from omnisim.spec import Fault

FILE = Path(__file__).with_name("targets.yaml")
STATUS = re.compile(r"\[((?:V2|V|C|M|A)(?:, (?:V2|V|C|M|A))*)\]")


@dataclass(frozen=True)
class Target:
    """One measurable part of a target, with the words of the whole.

    The mean over seeds must lie in [`low`, `high`], in `unit` (nothing: no bound on that
    side); `opening` says why it cannot be measured yet.
    """

    id: str
    part: str
    title: str
    what: str
    market: str
    kind: Literal["hard", "soft"]
    source: str
    found: str
    low: float | None
    high: float | None
    unit: str
    media: tuple[str, ...]
    channels: tuple[str, ...]
    opening: str

    @property
    def key(self) -> str:
        """Return the name by which it is measured, as `E7.ratio`."""
        return f"{self.id}.{self.part}"

    @property
    def status(self) -> str:
        """Return the status of its sources: V, V2, C, M or A, several joined by a slash."""
        codes = [code for group in STATUS.findall(self.source) for code in group.split(", ")]
        return "/".join(dict.fromkeys(codes))

    @property
    def tolerance(self) -> str:
        """Return the bounds in words."""
        match self.low, self.high:
            case None, None:
                return ""
            case None, high:
                return f"at most {high:g}"
            case low, None:
                return f"at least {low:g}"
            case low, high:
                return f"{low:g} to {high:g}"

    def holds(self, mean: float) -> bool:
        """Tell whether a mean lies inside the tolerance; NaN never does."""
        return (self.low is None or mean >= self.low) and (self.high is None or mean <= self.high)


@functools.cache
def every() -> tuple[Target, ...]:
    """Return all targets of the file, part by part."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        _target(name, part, {**words, **inner}, words["what"])
        for name, words in document.items()
        for part, inner in words["parts"].items()
    )


def _target(name: str, part: str, words: dict[str, Any], title: str) -> Target:
    return Target(
        id=name,
        part=part,
        title=title,
        what=words["what"],
        market=words["market"],
        kind=words["kind"],
        source=words["source"],
        found=str(words["found"]).removeprefix("0"),
        low=words.get("low"),
        high=words.get("high"),
        unit=words.get("unit", ""),
        media=tuple(words.get("media", ())),
        channels=tuple(words.get("channels", ())),
        opening=words.get("open", ""),
    )


def chosen(names: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets with these ids, all if none is named; raise Fault for an unknown one."""
    wanted = list(names)
    known = list(dict.fromkeys(target.id for target in every()))
    for name in wanted:
        if name not in known:
            raise Fault("--only", f"'{name}'", "targets by id, with commas between", known)
    return tuple(target for target in every() if not wanted or target.id in wanted)
