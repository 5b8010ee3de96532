"""The small market vectorised: every step of the day over all people at once, with NumPy.

The same behaviour as `plain_mesa`. The Poisson contacts of a medium are drawn for the
whole population and dealt out at random, which is the same and much cheaper than a draw
for each person.
"""

from __future__ import annotations

import numpy as np

from omnisim.bench.small import Counts, Small


class Columns:
    """All people as arrays: `goodwill` float32[media, people], the rest [people]."""

    def __init__(self, small: Small, people: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        rate = self.rng.gamma(small.needs_shape, small.needs / small.needs_shape, people)
        self.small = small
        self.people = people
        self.need = -np.expm1(-rate).astype(np.float32)
        self.goodwill = np.zeros((len(small.media), people), np.float32)
        self.satisfaction = np.zeros(people, np.float32)
        self.habit = np.full(people, -1, np.int8)
        self.orders = np.zeros(people, np.uint16)
        self.fade = np.array([[medium.fade] for medium in small.media], np.float32)
        self.pull = np.array([[medium.pull] for medium in small.media])
        self.half_pull = np.array([[medium.half_pull] for medium in small.media])
        self.utility = np.array([channel.utility for channel in small.channels])
        self.success = np.array([channel.success for channel in small.channels])
        self.quality = np.array([channel.quality for channel in small.channels])
        self.basket = np.array([channel.basket for channel in small.channels])
        self.spread = np.array([channel.spread for channel in small.channels])
        self.contacts = self.journeys = self.placed = 0
        self.revenue = 0.0

    def step(self) -> None:
        """Live one day."""
        self._meet_media()
        with_need = np.flatnonzero(self.rng.random(self.people, np.float32) < self.need)
        self.journeys += len(with_need)
        self._walk(with_need)

    def _meet_media(self) -> None:
        small, rng = self.small, self.rng
        counts = np.empty(self.goodwill.shape, np.float32)
        for m, medium in enumerate(small.media):
            met = rng.integers(self.people, size=rng.poisson(medium.mean * self.people))
            counts[m] = np.bincount(met, minlength=self.people)
            self.contacts += len(met)
        noticed = small.attention / (small.attention + small.rival_contacts + counts.sum(axis=0))
        self.goodwill *= self.fade
        counts *= noticed
        self.goodwill += counts

    def _walk(self, who: np.ndarray) -> None:
        small, rng = self.small, self.rng
        goodwill = self.goodwill[:, who]
        drawn = (self.pull * goodwill / (goodwill + self.half_pull)).sum(axis=0)
        drawn += small.base + small.pulls * self.satisfaction[who]
        who = who[rng.random(len(who)) < 1 / (1 + np.exp(small.rival - drawn))]
        utility = self.utility + rng.gumbel(size=(len(who), len(self.utility)))
        settled = np.flatnonzero(self.habit[who] >= 0)
        utility[settled, self.habit[who[settled]]] += small.habit
        choice = utility.argmax(axis=1)
        buys = rng.random(len(who)) < self.success[choice]
        self._order(who[buys], choice[buys])

    def _order(self, who: np.ndarray, choice: np.ndarray) -> None:
        small, rng, spread = self.small, self.rng, self.spread[choice]
        luck = rng.standard_normal(len(who))
        self.placed += len(who)
        self.revenue += float((self.basket[choice] * np.exp(spread * (luck - spread / 2))).sum())
        felt = self.quality[choice] + rng.uniform(-small.noise, small.noise, len(who))
        self.satisfaction[who] += small.step * (felt - self.satisfaction[who])
        self.habit[who] = choice
        self.orders[who] += 1

    def counts(self) -> Counts:
        """Return what has happened so far."""
        return Counts(self.contacts, self.journeys, self.placed)
