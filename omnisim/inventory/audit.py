"""The audit: all that can be said of the channels of a question before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from omnisim.inventory import findings
from omnisim.inventory.benchmarks import Check, checks
from omnisim.inventory.channels import Channel, channels
from omnisim.inventory.hand_over import Change, changes
from omnisim.inventory.use_cases import Tried, use_cases
from omnisim.language import ENGLISH, Language
from omnisim.spec import ExperimentSpec, Market


@dataclass(frozen=True)
class Inventory:
    """What the channels of a market can do under the status quo, told in a language.

    Channels and all else that has a name stand by their keys. A market of curves has channels
    with owners, and nothing else.
    """

    market: str
    words: Language
    channels: tuple[Channel, ...]
    changes: tuple[Change, ...] = ()
    use_cases: tuple[Tried, ...] = ()
    checks: tuple[Check, ...] = ()
    strengths: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    def matrix(self) -> dict[str, list[float | None]]:
        """Return what changes keep, by the sales channel that is left; None for staying."""
        kept = {(change.came_from, change.goes_to): change.kept for change in self.changes}
        names = sorted({name for pair in kept for name in pair})
        return {name: [kept.get((name, other)) for other in names] for name in names}


def take(spec: ExperimentSpec, words: Language = ENGLISH) -> Inventory:
    """Return the inventory of a question's market under its status quo."""
    market, strategy = spec.market, spec.status_quo
    owned = channels(market, strategy, words)
    if not isinstance(market, Market):
        return Inventory(market.name, words, owned)
    handed = changes(market, strategy.integration)
    tried = use_cases(market, strategy.integration, words)
    compared = checks(market, words)
    return Inventory(
        market=market.name,
        words=words,
        channels=owned,
        changes=handed,
        use_cases=tried,
        checks=compared,
        strengths=tuple(findings.strengths(market, strategy, words, handed, tried)),
        gaps=tuple(findings.gaps(market, strategy, words, handed, tried, compared)),
    )
