"""The programme of a workshop: which steps follow one another, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omnisim.workshop.roles import ACTS, ROUNDS, Act

Kind = Literal["lobby", "practice", "round", "guess", "reveal"]
Form = Literal["short", "full"]
FORMS: tuple[Form, ...] = ("short", "full")
SCENES = ("claims", "costs", "acts", "walk")  # of the reveal, one after the other


@dataclass(frozen=True)
class Step:
    """One step: a round of an act, or what stands between the acts."""

    kind: Kind
    act: Act = "silo"
    nth: int = 0

    @property
    def is_played(self) -> bool:
        """Tell whether a quarter is lived in this step."""
        return self.kind in ("practice", "round")


def programme(form: Form, practice: bool) -> tuple[Step, ...]:
    """Return the steps: the first act and the reveal (25 minutes), or all three acts."""
    acts = ACTS[:1] if form == "short" else ACTS
    rounds = [Step("round", act, nth) for act in acts for nth in range(ROUNDS)]
    before = [Step("lobby"), *([Step("practice")] if practice else [])]
    return (*before, *rounds, Step("guess"), Step("reveal"))
