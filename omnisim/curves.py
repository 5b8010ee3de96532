"""Closed-form response curves: the textbook in place of people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Curve(Protocol):
    """A response of orders to spend, both per week; concave, but for a Hill curve of S shape."""

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
class Hill:
    """Orders = most spend^shape / (half^shape + spend^shape).

    With a `shape` above 1 it is S-shaped: slopes rise until the `inflection`, and orders
    per euro until the `best_average`; both are 0 for all others.
    """

    most: float
    half: float
    shape: float

    def orders(self, spend: float) -> float:
        """Return the orders that a spend causes."""
        return self.most * self._reached(spend)[0] if spend > 0 else 0.0

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro (infinite at a spend of 0 and a shape below 1).

        The first euro of a shape of 1 brings most / half, of a shape above it nothing.
        """
        if spend <= 0:
            first = math.inf if self.shape < 1 else 0.0
            return self.most / self.half if self.shape == 1 else first
        reached, left = self._reached(spend)
        return self.most * self.shape / spend * reached * left

    def spend_at(self, slope: float) -> float:
        """Return the spend beyond the inflection at which the slope has fallen to `slope`."""
        low = self.inflection
        if slope >= self.slope(low):
            return 0.0
        high = max(low, self.half)
        while self.slope(high) > slope:
            high *= 2
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if self.slope(middle) > slope else (low, middle)
        return low

    @property
    def inflection(self) -> float:
        """Return the spend at which the slope is steepest."""
        h = self.shape
        return self.half * ((h - 1) / (h + 1)) ** (1 / h) if h > 1 else 0.0

    @property
    def best_average(self) -> float:
        """Return the spend at which an order costs least on average."""
        return self.half * (self.shape - 1) ** (1 / self.shape) if self.shape > 1 else 0.0

    def _reached(self, spend: float) -> tuple[float, float]:
        """Return which part of the most orders a spend reaches, and which part is left."""
        log_odds = self.shape * math.log(spend / self.half)
        small = math.exp(-abs(log_odds))
        parts = (1 / (1 + small), small / (1 + small))
        return parts if log_odds > 0 else parts[::-1]


@dataclass(frozen=True)
class Wearing:
    """Response to the contacts of a person that wears out: contacts exp(-wear contacts) (M7)."""

    wear: float

    def response(self, contacts: float) -> float:
        """Return the response, in contacts that are as good as a first one."""
        return contacts * math.exp(-self.wear * contacts)

    @property
    def best(self) -> float:
        """Return the contacts beyond which one more does harm (infinite without wear)."""
        return 1 / self.wear if self.wear > 0 else math.inf


@dataclass(frozen=True)
class Scaled:
    """A curve of which only a part of the orders counts, `factor` of each."""

    curve: Curve
    factor: float

    def orders(self, spend: float) -> float:
        """Return the orders that a spend causes, as far as they count."""
        return self.factor * self.curve.orders(spend)

    def slope(self, spend: float) -> float:
        """Return the extra orders of one more euro, as far as they count."""
        return self.factor * self.curve.slope(spend)

    def spend_at(self, slope: float) -> float:
        """Return the spend at which the slope has fallen to `slope`."""
        return self.curve.spend_at(slope / self.factor) if self.factor > 0 else 0.0


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
