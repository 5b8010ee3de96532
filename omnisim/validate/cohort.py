"""The CDNOW cohort: people who buy for the first time in twelve weeks, and buy again or not.

Data: Fader & Hardie's sample of CDNOW's customers of 1997; model: BG/NBD of Fader, Hardie &
Lee 2005, Marketing Science 24(2) 275-284.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import gammaln

from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec
from omnisim.validate.diary import watched

# Buyers with 0, 1, ... 6, and 7 or more repeat orders in 39 weeks.
PUBLISHED = np.array([1411, 439, 214, 100, 62, 38, 29, 64]) / 2357
SEEN_WEEKS = 39


@dataclass(frozen=True)
class Cohort:
    """One cohort: the `day` and the person (`row`) of every order, in the order of days.

    Nobody orders twice a day; `people` have all bought at least once.
    """

    people: int
    day: np.ndarray
    row: np.ndarray

    @cached_property
    def joined(self) -> np.ndarray:
        """Return the day of each person's first order."""
        first = np.full(self.people, self.day.max() + 1)
        np.minimum.at(first, self.row, self.day)
        return first

    def repeats(self, weeks: int) -> np.ndarray:
        """Return each person's repeat orders until the end of a week."""
        rows = self.row[self.day < weeks * DAYS_IN_WEEK]
        counts: np.ndarray = np.bincount(rows, minlength=self.people) - 1
        return counts

    def repeats_within(self, days: int) -> np.ndarray:
        """Return each person's repeat orders in so many days after the first one."""
        age = self.day - self.joined[self.row]
        return np.bincount(self.row[(age > 0) & (age <= days)], minlength=self.people)

    def last_order(self, weeks: int) -> np.ndarray:
        """Return the day of each person's last order until the end of a week."""
        last = self.joined.copy()
        known = self.day < weeks * DAYS_IN_WEEK
        np.maximum.at(last, self.row[known], self.day[known])
        return last

    @cached_property
    def fit(self) -> dict[str, float]:
        """Return BG/NBD's parameters as 39 weeks tell them."""
        seen = SEEN_WEEKS * DAYS_IN_WEEK - 1
        return fitted(
            self.repeats(SEEN_WEEKS),
            (self.last_order(SEEN_WEEKS) - self.joined) / DAYS_IN_WEEK,
            (seen - self.joined) / DAYS_IN_WEEK,
        )


def lived(spec: ExperimentSpec, replication: int = 0) -> Cohort:
    """Live the weeks of one cohort."""
    world = Simulation(spec, replication)
    world.adopt(spec.status_quo)
    orders = watched(world, spec.horizon.weeks * DAYS_IN_WEEK).orders
    return Cohort(len(world.people), orders["day"].to_numpy(), orders["row"].to_numpy())


def histogram(repeats: np.ndarray) -> np.ndarray:
    """Return the shares of people with 0, 1, ... 7 or more repeat orders."""
    return np.bincount(np.minimum(repeats, 7), minlength=8) / len(repeats)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the total variation between two histograms."""
    return float(np.abs(one - other).sum() / 2)


def fitted(repeats: np.ndarray, recency: np.ndarray, age: np.ndarray) -> dict[str, float]:
    """Return r, alpha, a and b of BG/NBD by maximum likelihood.

    Repeat orders of each person, weeks from the first to the last one, and weeks since the
    first one. Likelihood: Fader, Hardie & Lee 2005, equation (6).
    """
    people = pd.DataFrame({"x": repeats, "recency": recency, "age": age})
    groups = people.value_counts().reset_index()
    x, last, age = (groups[name].to_numpy(float) for name in ("x", "recency", "age"))
    count = groups["count"].to_numpy(float)

    def loss(logs: np.ndarray) -> float:
        r, alpha, a, b = np.exp(logs)
        stays = -(r + x) * np.log(alpha + age)
        left = np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * np.log(alpha + last)
        each = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        each += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        each += np.where(x > 0, np.logaddexp(stays, left), stays)
        return -float((count * each).sum() / count.sum())

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-7.0, 7.0)] * 4)
    return dict(zip(("r", "alpha", "a", "b"), np.exp(found.x).tolist(), strict=True))


def _repeats(weeks: int, cohort: Cohort) -> float:
    return float(cohort.repeats(weeks).mean())


def _parameter(name: str, cohort: Cohort) -> float:
    return cohort.fit[name]


MEASURES: Mapping[str, Callable[[Cohort], float]] = {
    "E1.distance": lambda cohort: distance(histogram(cohort.repeats(SEEN_WEEKS)), PUBLISHED),
    **{f"E2.{name}": partial(_parameter, name) for name in ("r", "alpha", "a", "b")},
    **{f"E3.week_{weeks}": partial(_repeats, weeks) for weeks in (39, 52, 78)},
    "E6.cdnow": lambda cohort: 100 * float((cohort.repeats_within(365) > 0).mean()),
}
