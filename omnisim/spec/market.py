"""Markets of people: everything that management does not decide."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from omnisim.spec.channels import MASS, Medium, SalesChannel, Till, UseCase
from omnisim.spec.people import (
    Buying,
    Category,
    Friends,
    Journey,
    Messages,
    Pricing,
    Region,
    Rivals,
    Season,
    Segment,
    Service,
    Shock,
)
from omnisim.spec.words import (
    STAGES,
    Dimension,
    Fault,
    Name,
    NonNegative,
    Positive,
    Share,
    Words,
    known,
    sums_to_one,
)


class LinkCost(Words):
    """What it takes to link two sales channels in one dimension of integration.

    For a whole level (0 to 1) and a pair: `one_off` in EUR, `running` in EUR a year,
    `weeks` of work at full speed; meanwhile contacts in both channels succeed less often
    by the share `disruption`. Parts of a level take the same part of each.
    """

    one_off: NonNegative = 0.0
    running: NonNegative = 0.0
    weeks: NonNegative = 0.0
    disruption: Share = 0.0


class Change(Words):
    """How much change a firm bears at once.

    Up to `capacity` links are built at full speed; more share it and take longer. Of the
    links that are being built, the share `failure` goes wrong in every week that they
    take, which shows when they are to go live.
    """

    capacity: Positive = 3.0
    failure: Share = 0.0


class Ideas(Words):
    """What ideas are worth that nobody has tried yet: most do nothing or harm.

    An idea changes the log of a medium's effect, or of how often contacts in a sales channel
    succeed, by Student's t with `tails` degrees of freedom, times `scale`, plus `mean`.
    """

    mean: float = -0.03
    scale: NonNegative = 0.03
    tails: Positive = 3.0


class Marketplace(Words):
    """What every kind of market has, and management does not decide.

    `budget` in EUR a year over all media; `start` picks from `splits` the budget shares
    with which the shared history begins (`equal` needs no split); `trend` scales every
    medium's own trend and `drift` is the weekly standard deviation of a random walk in
    the log of what every medium does; `vat` as a rate; a dimension that is absent from
    `integration_costs` costs nothing and is built within a week; `ideas` are what could be
    changed.
    """

    name: Name
    budget: NonNegative
    start: Name = "equal"
    splits: dict[Name, dict[Name, Share]] = {}
    trend: NonNegative = 1.0
    drift: NonNegative = 0.0
    vat: Share = 0.19
    burn_in_weeks: Annotated[int, Field(ge=0)] = 0
    media: Mapping[Name, Words] = {}
    channels: Mapping[Name, Till]
    integration_costs: dict[Dimension, LinkCost] = {}
    change: Change = Change()
    ideas: Ideas = Ideas()

    @model_validator(mode="after")
    def _starts_somewhere(self) -> Marketplace:
        both = sorted(set(self.media) & set(self.channels))
        if both:
            raise Fault(f"media.{both[0]}", f"'{both[0]}'", "a name that no sales channel has")
        for start, shares in self.splits.items():
            known(f"splits.{start}", shares, self.media, "medium")
            missing = sorted(set(self.media) - set(shares))
            if missing:
                raise Fault(f"splits.{start}.{missing[0]}", "nothing", "a share for every medium")
            sums_to_one(f"splits.{start}", shares)
            for name in sorted(set(shares) - set(self.open_media)):
                if shares[name] > 0:
                    found = f"{shares[name]:g} for a medium that opens later"
                    raise Fault(f"splits.{start}.{name}", found, "0")
        starts = sorted({*self.splits, "equal"})
        if self.start not in starts:
            raise Fault("start", f"'{self.start}'", "equal or a start that has a split", starts)
        if self.budget > 0 and not self.media:
            raise Fault("budget", self.budget, "0 in a market without media")
        return self

    @property
    def open_media(self) -> tuple[str, ...]:
        """Return the media that can be bought from the first day on, sorted."""
        media = sorted(self.media.items())
        return tuple(name for name, one in media if getattr(one, "opens", None) is None)

    def start_split(self) -> dict[str, float]:
        """Return each medium's share of the budget when the shared history begins."""
        if self.start not in self.splits:
            there = self.open_media
            return {name: (name in there) / len(there) for name in sorted(self.media)}
        return {name: self.splits[self.start][name] for name in sorted(self.media)}


class Market(Marketplace):
    """A market of people, who meet media and place orders.

    `people` agents stand for `persons` real persons; `attention` in contacts a day;
    `pressure` is closed (audiences counted at midnight) or open (planned audiences, so
    that nobody's life touches anybody else's); `use_cases` describe.
    """

    kind: Literal["people"] = "people"
    people: Annotated[int, Field(ge=1)]
    persons: Positive
    attention: Positive = 10.0
    recent_visit_days: Annotated[int, Field(ge=1)] = 30
    recent_buyer_days: Annotated[int, Field(ge=0)] = 30
    pressure: Literal["closed", "open"] = "closed"
    segments: Annotated[dict[Name, Segment], Field(min_length=1)]
    media: dict[Name, Medium] = {}
    channels: Annotated[dict[Name, SalesChannel], Field(min_length=1)]
    categories: dict[Name, Category] = {}
    regions: dict[Name, Region] = {}
    seasons: tuple[Season, ...] = ()
    shocks: tuple[Shock, ...] = ()
    rivals: Rivals
    buying: Buying
    journey: Journey
    friends: Friends = Friends()
    service: Service = Service()
    pricing: Pricing = Pricing()
    messages: Messages = Messages()
    use_cases: dict[Name, UseCase] = {}

    @property
    def weight(self) -> float:
        """Return the real persons that one agent stands for."""
        return self.persons / self.people

    @property
    def cells(self) -> tuple[tuple[str, str], ...]:
        """Return every persona in every region ("": the only one), in the order of rows."""
        return tuple(itertools.product(sorted(self.segments), sorted(self.regions) or [""]))

    @property
    def goods(self) -> dict[str, Category]:
        """Return the categories ("": the only one), in the order of their names."""
        return dict(sorted(self.categories.items())) or {"": Category()}

    @property
    def aimed(self) -> tuple[str, ...]:
        """Return the media that seek out whom they meet."""
        return tuple(name for name in sorted(self.media) if self.media[name].aim not in MASS)

    def affinity(self, cell: tuple[str, str], medium: str) -> float:
        """Return by how much a medium meets the people of a cell more often."""
        segment, region = cell
        there = self.regions[region].affinity.get(medium, 1.0) if region else 1.0
        return self.segments[segment].affinity.get(medium, 1.0) * there

    def share(self, cell: tuple[str, str]) -> float:
        """Return the share of people in a cell."""
        segment, region = cell
        return self.segments[segment].share * (self.regions[region].share if region else 1.0)

    @model_validator(mode="after")
    def _is_sold_and_lived_in(self) -> Market:
        if self.regions:
            sums_to_one("regions", {name: r.share for name, r in self.regions.items()})
        for name, region in self.regions.items():
            known(f"regions.{name}.prefers", region.prefers, self.channels, "sales channel")
            known(f"regions.{name}.affinity", region.affinity, self.media, "medium")
        for name, segment in self.segments.items():
            known(f"segments.{name}.categories", segment.categories, self.categories, "category")
            for key in ("categories", "pays_by"):
                if shares := getattr(segment, key):
                    sums_to_one(f"segments.{name}.{key}", shares)
        for name, category in self.categories.items():
            known(f"categories.{name}.cross", category.cross, self.categories, "category")
            if all(c.sells and name not in c.sells for c in self.channels.values()):
                raise Fault(f"categories.{name}", "no channel that sells it", "at least one")
        ways = {way for segment in self.segments.values() for way in segment.pays_by}
        for name, channel in self.channels.items():
            known(f"channels.{name}.sells", channel.sells, self.categories, "category")
            known(f"channels.{name}.regions", channel.regions, self.regions, "region")
            known(f"channels.{name}.accepts", channel.accepts, ways, "way of paying")
        for nth, shock in enumerate(self.shocks):
            known(f"shocks.{nth}.closed", shock.closed, self.channels, "sales channel")
        if self.friends.degree >= self.people:
            raise Fault(
                "friends.degree", self.friends.degree, f"less than market.people = {self.people}"
            )
        return self

    @model_validator(mode="after")
    def _is_coherent(self) -> Market:
        sums_to_one("segments", {name: s.share for name, s in self.segments.items()})
        for name, segment in self.segments.items():
            known(f"segments.{name}.affinity", segment.affinity, self.media, "medium")
            for stage, table in segment.prefers.items():
                known(f"segments.{name}.prefers.{stage}", table, self.channels, "sales channel")
        for name, medium in self.media.items():
            if medium.lands_on is not None and medium.lands_on not in self.channels:
                raise Fault(
                    f"media.{name}.lands_on",
                    f"'{medium.lands_on}'",
                    "a sales channel of the market",
                    sorted(self.channels),
                )
        return self

    @model_validator(mode="after")
    def _is_served(self) -> Market:
        for stage in STAGES:
            serving = sorted(name for name, c in self.channels.items() if stage in c.serves)
            if not serving:
                raise Fault(
                    "channels", f"none that serves {stage}", "one for every stage of a walk"
                )
            for name, segment in self.segments.items():
                for channel in sorted(set(segment.prefers.get(stage, {})) - set(serving)):
                    raise Fault(
                        f"segments.{name}.prefers.{stage}.{channel}",
                        "a touchpoint at a stage that its channel does not serve",
                        "a sales channel that serves it",
                        serving,
                    )
        for name, case in self.use_cases.items():
            if case.persona not in self.segments:
                raise Fault(
                    f"use_cases.{name}.persona",
                    f"'{case.persona}'",
                    "a persona of the market",
                    sorted(self.segments),
                )
        return self
