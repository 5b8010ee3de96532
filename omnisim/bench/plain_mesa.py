"""The small market as a Mesa user would write it: one agent per person, one step a day.

Ordinary attributes, `AgentSet.do("step")`, Mesa's own generator. It lives as omnisim's
people do on this market, with these differences: luck comes in order instead of being
keyed; a rival's journey ends at once, where omnisim walks it to its end; the channel is
chosen once for the three stages of the day; nothing is remembered or booked for
attribution, and orders are not also booked as probabilities; nobody drops out. All of
them make this twin do less than omnisim does.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Callable

import mesa

from omnisim.bench.small import NOTHING, Counts, Small


class Person(mesa.Agent):
    """One person: notices media, has needs, takes them to us or to a rival."""

    model: Society

    def __init__(self, model: Society, need: float) -> None:
        """Move in; `need` is the probability of a need on a day."""
        super().__init__(model)
        self.need = need
        self.goodwill = [0.0] * len(model.small.media)
        self.satisfaction = 0.0
        self.habit: int | None = None
        self.orders = 0

    def step(self) -> None:
        """Live today."""
        random = self.random.random
        self.meet_media(random)
        if random() < self.need:
            self.walk()

    def meet_media(self, random: Callable[[], float]) -> None:
        """Let goodwill fade and notice the day's contacts, each the less the more there are."""
        small, goodwill = self.model.small, self.goodwill
        met: list[int] = []
        for m, medium in enumerate(small.media):
            goodwill[m] *= medium.fade
            chance = random()
            if chance >= medium.none:
                met += [m] * bisect(medium.at_most, chance)
        if met:
            noticed = small.attention / (small.attention + small.rival_contacts + len(met))
            for m in met:
                goodwill[m] += noticed
            self.model.contacts += len(met)

    def walk(self) -> None:
        """Take a need to us or to a rival; with us, choose a channel and perhaps order."""
        small, random = self.model.small, self.random
        self.model.journeys += 1
        drawn = small.base + small.pulls * self.satisfaction
        for goodwill, medium in zip(self.goodwill, small.media, strict=True):
            drawn += medium.pull * goodwill / (goodwill + medium.half_pull)
        if random.random() >= 1 / (1 + math.exp(small.rival - drawn)):
            return
        choice = self.choose_channel()
        if random.random() < small.channels[choice].success:
            self.order(choice)

    def choose_channel(self) -> int:
        """Choose by multinomial logit, with a habit for the channel of the last order."""
        small = self.model.small
        utilities = [channel.utility for channel in small.channels]
        if self.habit is not None:
            utilities[self.habit] += small.habit
        weights = [math.exp(utility) for utility in utilities]
        return self.random.choices(range(len(weights)), weights)[0]

    def order(self, choice: int) -> None:
        """Place an order and live through it."""
        small, random = self.model.small, self.random
        channel = small.channels[choice]
        luck = random.gauss(0.0, 1.0)
        spread = channel.spread
        self.model.orders += 1
        self.model.revenue += channel.basket * math.exp(spread * luck - spread * spread / 2)
        felt = channel.quality + random.uniform(-small.noise, small.noise)
        self.satisfaction += small.step * (felt - self.satisfaction)
        self.habit = choice
        self.orders += 1


class Society(mesa.Model):
    """Everybody, and what the firm counts."""

    def __init__(self, small: Small, people: int, seed: int) -> None:
        """Let people move in."""
        super().__init__(rng=seed)
        self.small = small
        self.contacts = self.journeys = self.orders = 0
        self.revenue = 0.0
        scale = small.needs / small.needs_shape
        rates = (self.random.gammavariate(small.needs_shape, scale) for _ in range(people))
        Person.create_agents(self, people, [1 - math.exp(-rate) for rate in rates])

    def step(self) -> None:
        """Live one day."""
        self.agents.do("step")

    def counts(self) -> Counts:
        """Return what has happened so far."""
        return Counts(self.contacts, self.journeys, self.orders)


class Idle(mesa.Model):
    """As many agents whose step is empty: what `AgentSet.do` itself costs."""

    def __init__(self, people: int) -> None:
        """Let agents move in that never do anything."""
        super().__init__()
        mesa.Agent.create_agents(self, people)

    def step(self) -> None:
        """Let a day pass."""
        self.agents.do("step")

    def counts(self) -> Counts:
        """Return nothing: nothing happens."""
        return NOTHING
