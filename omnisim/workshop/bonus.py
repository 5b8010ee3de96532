"""The bonus: what a role is paid for a quarter, without steps and caps."""

from __future__ import annotations

from omnisim.workshop.roles import MANAGER, Cast
from omnisim.workshop.worlds import Report

FULL = 10_000  # EUR for as much as in the same quarter of the year before


def bonus(cast: Cast, role: str, now: Report, before: Report, company_weight: float) -> int:
    """Return a role's bonus (EUR) for a quarter beside the same quarter of the year before.

    Departments are paid on the orders that their own media claim, in the share
    `company_weight` on the company's contribution, as the manager always is (lambda in M1).
    """
    company = _beside(now.contribution, before.contribution)
    if role == MANAGER:
        return round(FULL * company)
    owned = cast.owned(role)
    own = _beside(
        sum(now.claims[name] for name in owned), sum(before.claims[name] for name in owned)
    )
    return round(FULL * ((1 - company_weight) * own + company_weight * company))


def _beside(now: float, before: float) -> float:
    return max(0.0, now) / max(before, 1.0)
