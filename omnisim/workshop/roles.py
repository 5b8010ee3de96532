"""Roles: who sits where, what they own, and in which act they decide what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omnisim.spec import ExperimentSpec, Fault, budget_scopes

Act = Literal["silo", "central", "together"]
ACTS: tuple[Act, ...] = ("silo", "central", "together")
ROUNDS = 4
QUARTER = 13  # weeks
QUARTERS_IN_YEAR = 4
MANAGER = "omnichannel_manager"


@dataclass(frozen=True)
class Cast:
    """The firm's roles: departments with the media that they own, and the manager.

    `quarter` is the company's media budget of a quarter (EUR).
    """

    departments: dict[str, tuple[str, ...]]
    quarter: int

    @property
    def roles(self) -> tuple[str, ...]:
        """Return all roles, the manager last."""
        return (*self.departments, MANAGER)

    @property
    def media(self) -> tuple[str, ...]:
        """Return all media, department by department."""
        return tuple(name for owned in self.departments.values() for name in owned)

    def owned(self, role: str) -> tuple[str, ...]:
        """Return the media of a role; the manager's are all."""
        return self.media if role == MANAGER else self.departments[role]

    def decides(self, act: Act, role: str) -> bool:
        """Tell whether what a role types in an act is carried out."""
        match act:
            case "silo":
                return role != MANAGER
            case "central":
                return role == MANAGER
        return True

    def asks(self, act: Act, role: str) -> bool:
        """Tell whether a role may ask the manager for money in an act."""
        return act == "central" and role != MANAGER


def cast(spec: ExperimentSpec) -> Cast:
    """Return the roles of a question; raise Fault where it cannot be played."""
    for act in ACTS:
        if act not in spec.arms:
            raise Fault(f"arms.{act}", "nothing", "a strategy for every act", sorted(spec.arms))
    scopes = budget_scopes(spec.status_quo, spec.market.media)
    departments = {key: media for key, media in scopes.items() if key in spec.status_quo.organigram}
    if len(departments) < 2:
        raise Fault("organigram", f"{len(departments)} departments with media", "at least two")
    return Cast(departments, round(spec.market.budget / QUARTERS_IN_YEAR))
