"""Findings: what was measured over seeds, held against the targets."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from omnisim.validate.targets import Target
from omnisim.validate.work import Measured

Verdict = Literal["pass", "fail", "open"]


@dataclass(frozen=True)
class Finding:
    """A target with its values by seed; `opening` says why there is none, or not one per seed."""

    target: Target
    values: tuple[float, ...]
    opening: str = ""

    @property
    def mean(self) -> float:
        """Return the mean over seeds, NaN if nothing was measured."""
        return statistics.fmean(self.values) if self.values else math.nan

    @property
    def spread(self) -> float:
        """Return the standard deviation over seeds, NaN below two of them."""
        return statistics.stdev(self.values) if len(self.values) > 1 else math.nan

    @property
    def verdict(self) -> Verdict:
        """Return whether the mean lies inside the tolerance."""
        if not self.values:
            return "open"
        return "pass" if self.target.holds(self.mean) else "fail"

    def row(self) -> dict[str, object]:
        """Return everything under names, for files."""
        target = self.target
        return {
            "target": target.id,
            "part": target.part,
            "title": target.title,
            "measured": target.what,
            "unit": target.unit,
            "found": target.found,
            "low": target.low,
            "high": target.high,
            "mean": self.mean,
            "spread": self.spread,
            "seeds": len(self.values),
            "verdict": self.verdict,
            "open": self.opening,
            "kind": target.kind,
            "market": target.market,
            "source": target.source,
            "status": target.status,
        }


def findings(targets: Sequence[Target], measured: Iterable[Measured]) -> list[Finding]:
    """Return a finding per target, whatever the order in which seeds were measured."""
    by_seed = sorted(measured, key=lambda one: one.seed)
    return [
        Finding(
            target,
            tuple(one.values[target.key] for one in by_seed if target.key in one.values),
            target.opening
            or next(
                (one.openings[target.key] for one in by_seed if target.key in one.openings), ""
            ),
        )
        for target in targets
    ]


def openings(found: Sequence[Finding]) -> dict[str, list[str]]:
    """Return which targets are open, by the reason."""
    reasons: dict[str, list[str]] = {}
    for one in found:
        if one.verdict == "open":
            reasons.setdefault(one.opening, []).append(one.target.key)
    return reasons


def tally(found: Sequence[Finding]) -> str:
    """Return in a sentence how many parts of targets pass, fail or are open."""
    counts = [sum(one.verdict == word for one in found) for word in ("pass", "fail", "open")]
    failing = list(dict.fromkeys(one.target.id for one in found if one.verdict == "fail"))
    told = f"Of {len(found)} parts {counts[0]} pass, {counts[1]} fail, {counts[2]} are open."
    return told + (f" Failing: {', '.join(failing)}." if failing else "")
