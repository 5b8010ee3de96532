"""Closed-form response curves: the textbook in place of people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Curve(Protocol):
    """A concave response of orders to spend, both per week."""

    def orders(self, spend: float) -> float:
        """Return the orders that a spend (EUR, at least 0) causes."""
        ...

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro: the inverse of the marginal CPO."""
        ...

    def spend_at(self, slope: float) -> float:
        """Return the spend at which the slope has fallen to `slope` (0 if it starts lower)."""
        ...


@dataclass(frozen=True)
class Log:
    """Orders = a ln(1 + spend / b)."""

    a: float
    b: float

    def orders(self, spend: float) -> float:
        """Return the orders that a spend causes."""
        return self.a * math.log1p(spend / self.b)

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro."""
        return self.a / (spend + self.b)

    def spend_at(self, slope: float) -> float:
        """Return the spend at which the slope has fallen to `slope`."""
        return max(0.0, self.a / slope - self.b)


@dataclass(frozen=True)
class Exponential:
    """Orders = k (1 - exp(-b spend))."""

    k: float
    b: float

    def orders(self, spend: float) -> float:
        """Return the orders that a spend causes."""
        return -self.k * math.expm1(-self.b * spend)

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro."""
        return self.k * self.b * math.exp(-self.b * spend)

    def spend_at(self, slope: float) -> float:
        """Return the spend at which the slope has fallen to `slope`."""
        first = self.k * self.b
        return math.log(first / slope) / self.b if first > slope else 0.0


@dataclass(frozen=True)
class Power:
    """Orders = a spend^beta, with 0 < beta < 1 the elasticity at every spend."""

    a: float
    beta: float

    def orders(self, spend: float) -> float:
        """Return the orders that a spend causes."""
        return float(self.a * spend**self.beta)

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro (infinite at a spend of 0)."""
        return float(self.a * self.beta * spend ** (self.beta - 1)) if spend > 0 else math.inf

    def spend_at(self, slope: float) -> float:
        """Return the spend at which the slope has fallen to `slope`."""
        return float((self.a * self.beta / slope) ** (1 / (1 - self.beta)))


@dataclass(frozen=True)
class MichaelisMenten:
    """Orders = most spend / (half + spend)."""

    most: float
    half: float

    def orders(self, spend: float) -> float:
        """Return the orders that a spend causes."""
        return self.most * spend / (self.half + spend)

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro."""
        return self.most * self.half / (self.half + spend) ** 2

    def spend_at(self, slope: float) -> float:
        """Return the spend at which the slope has fallen to `slope`."""
        return max(0.0, math.sqrt(self.most * self.half / slope) - self.half)


@dataclass(frozen=True)
class Steady:
    """A curve over adstock as a curve over a spend that never changes.

    What is left of the adstock after a week is `carry_over` of it, so that in the end it
    is spend / (1 - carry_over).
    """

    curve: Curve
    carry_over: float

    def orders(self, spend: float) -> float:
        """Return the orders that a spend causes."""
        return self.curve.orders(spend / (1 - self.carry_over))

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro."""
        return self.curve.slope(spend / (1 - self.carry_over)) / (1 - self.carry_over)

    def spend_at(self, slope: float) -> float:
        """Return the spend at which the slope has fallen to `slope`."""
        return self.curve.spend_at(slope * (1 - self.carry_over)) * (1 - self.carry_over)
