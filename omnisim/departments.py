"""Departments: who owns channels, keeps a yearly budget and splits it over its own media."""

from __future__ import annotations

from collections.abc import Mapping

import mesa

from omnisim import allocation
from omnisim.attribution import Reads
from omnisim.spec import WEEKS_IN_YEAR, Steering


class Department(mesa.Agent):
    """A head of department: knows the own media, at once and exactly, and nothing else.

    `media` (sorted) are the steerable media that it owns, `budget_cents` what it may
    spend on them in a year.
    """

    reads: Reads = "own_claims"
    delay_weeks = 0
    noise = 0.0
    explores = True

    def __init__(
        self,
        model: mesa.Model,
        key: str,
        media: tuple[str, ...],
        steering: Steering,
        company_weight: float,
        budget_cents: int = 0,
    ) -> None:
        """Open the department."""
        super().__init__(model)
        self.key = key
        self.media = tuple(sorted(media))
        self.steering = steering
        self.company_weight = company_weight
        self.budget_cents = budget_cents

    def decide(self, view: allocation.View) -> allocation.Floats:
        """Return new shares of the own budget (float64[media], sum 1)."""
        return allocation.decide(view, self.steering)

    def weekly_plan(self) -> tuple[int, ...]:
        """Return the cents of each week of the year, alike to the cent."""
        return weekly_plan(self.budget_cents)

    def state(self) -> dict[str, int]:
        """Return all that changes during a run, as plain values."""
        return {"budget_cents": self.budget_cents}

    def restore(self, state: Mapping[str, int]) -> None:
        """Go back to a state that was kept."""
        self.budget_cents = state["budget_cents"]


def weekly_plan(budget_cents: int) -> tuple[int, ...]:
    """Return the cents of each week: a year's budget in equal parts, to the cent.

    Cents that are left over go to the first weeks.
    """
    each, over = divmod(budget_cents, WEEKS_IN_YEAR)
    return tuple(each + (week < over) for week in range(WEEKS_IN_YEAR))


def next_budgets(budgets: Mapping[str, int], growth: float, total_cents: int) -> dict[str, int]:
    """Return next year's budgets: all grow alike, then are scaled to the company's total.

    What a department had is what it gets (M2 without ratchet), to the cent.
    """
    keys = sorted(budgets)
    asked = [(1 + growth) * budgets[key] for key in keys]
    split = allocation.largest_remainder(total_cents, asked).tolist()
    return dict(zip(keys, split, strict=True))
