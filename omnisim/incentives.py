"""Pure rules of what pays whom: what a department does that is paid on its own credit.

`company_weight` is lambda of M1: 0 for a department that is paid on its own credit alone, 1
for one that is paid on what the company earns.
"""

from __future__ import annotations

from omnisim.curves import Curve
from omnisim.spec import Target

HALVINGS = 200


def captures(
    curve: Curve,
    budget: float,
    others_captured: float,
    others_orders: float,
    contestable: float,
    company_weight: float,
) -> float:
    """Return the EUR of a budget that pay best for being seen last (M5).

    They cause no order, but take a part of the share `contestable` of all orders, beside
    what the others spend on it (alone one takes all for next to nothing: 0); the rest of
    the budget causes orders on `curve`. `others_orders` are all orders that this budget
    does not cause. A best response, by bisection: the more is captured, the less the next
    euro takes and the more orders it prevents.
    """

    def gain(captured: float) -> float:
        slope, orders = curve.slope(budget - captured), curve.orders(budget - captured)
        pot = captured + others_captured
        if pot == 0:
            return -slope
        taken = contestable * (orders + others_orders) * others_captured / pot**2
        prevented = slope * (1 - contestable * others_captured / pot)
        return (1 - company_weight) * (taken - prevented) - company_weight * slope

    low, high = 0.0, budget
    if gain(low) <= 0:
        return low
    if gain(high) >= 0:
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if gain(middle) > 0 else (low, middle)
    return low


def under_ratchet(bonus: float, ratchet: float, interest: float) -> float:
    """Return what a bonus is worth if success lifts the target of next year (Weitzman 1980).

    Next year's target goes the part `ratchet` of the way to this year's result; later years
    count less by the rate `interest`.
    """
    return bonus / (1 + ratchet / interest)


def paid_for_more(reached: float, target: Target) -> float:
    """Return what one more of the KPI is worth where the year will end, as a part of its bonus.

    `reached` is the part of the target. Between the kinks the bonus rises, and so does next
    year's target; beyond them only the target does.
    """
    worth = under_ratchet(1.0, target.ratchet, target.interest)
    return worth if target.floor <= reached <= target.ceiling else worth - 1.0


def spends(curve: Curve, margin: float, spill: float, company_weight: float) -> float:
    """Return the EUR that a department spends that pays for its media itself (M8).

    Each own order leaves `margin` EUR and brings `spill` orders to the others (below 0: it
    takes them), which it minds as far as it is paid on the company's.
    """
    return curve.spend_at(1 / (margin * (1 + company_weight * spill)))


def stake(referral: float, company_weight: float) -> float:
    """Return what another's order is worth to a department beside one of its own (M6).

    `referral` is the share of the credit that is paid for handing a customer over.
    """
    return (1 - company_weight) * referral + company_weight


def refers(here: float, there: float, stake: float) -> bool:
    """Tell whether a department hands a customer over (M6).

    `here` and `there` are the chances of an order as it believes them: without shared
    data the best belief about another's customer is the mean.
    """
    return stake * there > here
