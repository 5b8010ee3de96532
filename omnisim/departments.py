"""Departments: who owns channels, keeps a yearly budget and splits it over its own media."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import mesa

from omnisim import allocation
from omnisim.attribution import Reads
from omnisim.spec import WEEKS_IN_YEAR, Incentives, Kpi, Steering
from omnisim.spec import Department as Words


class Department(mesa.Agent):
    """A head of department: knows the own media, at once and exactly, and nothing else.

    `media` (sorted) are the steerable media that it owns or that report to it, `kpi` is what
    it is paid on, `budget_cents` what it may spend in a year.
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
        words: Words | None = None,
    ) -> None:
        """Open the department."""
        super().__init__(model)
        self.key = key
        self.media = tuple(sorted(media))
        self.steering = steering
        self.company_weight = company_weight
        self.budget_cents = budget_cents
        self.kpi: Kpi = "claims" if words is None else words.kpi
        own_weeks = None if words is None else words.review_weeks
        self.every_weeks = own_weeks or steering.review_weeks

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


@functools.lru_cache(256)  # the same budgets are asked for week by week
def weekly_plan(budget_cents: int, reserve: float = 0.0, rush_weeks: int = 0) -> tuple[int, ...]:
    """Return the cents of each week: a year's budget in equal parts, to the cent.

    The share `reserve` is kept back and spent in equal parts in the last `rush_weeks` of the
    year, or not at all if there are none. Cents that are left over go to the first weeks.
    """
    kept = round(reserve * budget_cents)
    plan = list(_alike(budget_cents - kept, WEEKS_IN_YEAR))
    first = WEEKS_IN_YEAR - rush_weeks
    for week, cents in enumerate(_alike(kept, rush_weeks), first):
        plan[week] += cents
    return tuple(plan)


def _alike(cents: int, parts: int) -> tuple[int, ...]:
    """Return cents in equal parts, those left over in the first."""
    each, over = divmod(cents, max(parts, 1))
    return tuple(each + (part < over) for part in range(parts))


def next_budgets(
    budgets: Mapping[str, int],
    growth: float,
    total_cents: int,
    ratchet: float = 0.0,
    unspent: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Return next year's budgets, scaled to the company's total, to the cent (M2).

    What a department had grows alike for all, less the part `ratchet` of what it did not
    spend (`unspent` cents; overspending earns nothing). Where all would lose everything,
    nobody loses anything.
    """
    keys = sorted(budgets)
    grown = [(1 + growth) * budgets[key] for key in keys]
    lost = [ratchet * max(0, (unspent or {}).get(key, 0)) for key in keys]
    asked = [max(0.0, had - less) for had, less in zip(grown, lost, strict=True)]
    split = allocation.largest_remainder(total_cents, asked if any(asked) else grown).tolist()
    return dict(zip(keys, split, strict=True))


def company_weight(incentives: Incentives, weeks: int) -> float:
    """Return the weight of the company's result in what heads care for, weeks after adoption.

    It is what pay rewards, raised by a programme of culture as long as that is paid, and
    falling back at the same pace when it ends.
    """
    paid_for, words = incentives.company_weight, incentives.culture
    if words.weeks == 0:
        return paid_for
    weeks = max(0, weeks - words.start)
    under_way = min(weeks, words.weeks)
    risen = max(0.0, words.goal - paid_for) * (1 - math.exp(-under_way / words.pace))
    return paid_for + risen * math.exp(-(weeks - under_way) / words.pace)


def spends_the_rest(own: float, firm: float, company_weight: float, incentives: Incentives) -> bool:
    """Tell whether a head spends the last euro of the year rather than lose it (O10).

    `own` is what the euro earns in orders that the department claims, `firm` what it earns
    the company (EUR of margin each). Not to spend it saves the company the euro, and costs
    the head what the ratchet takes from all budgets to come.
    """
    fear = incentives.ratchet * incentives.private_value
    fear *= incentives.discount / (1 - incentives.discount)
    return (1 - company_weight) * own + company_weight * (firm - 1) + fear >= 0


def gives_up(
    own_cost: float, their_cost: float, margin: float, company_weight: float, private_value: float
) -> bool:
    """Tell whether a head gains by leaving a euro of budget to another department (M1).

    `own_cost` and `their_cost` are the marginal CPOs that both quote, `margin` what an order
    leaves (EUR). It loses what the euro earned it in credit and the euro itself, and gains
    what the company gains.
    """
    mine, theirs = margin / own_cost, margin / their_cost
    lost = (1 - company_weight) * mine + private_value
    return company_weight * (theirs - mine) > lost
