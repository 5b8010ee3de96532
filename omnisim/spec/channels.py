"""Channels in words: media that make contacts, sales channels that take orders."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from omnisim.spec.words import (
    ALL_STAGES,
    STAGES,
    Fault,
    Name,
    Names,
    NonNegative,
    Positive,
    Share,
    Stage,
    Stages,
    Words,
)


class Benchmark(Words):
    """A range in which a measure of a channel lies elsewhere, and who says so."""

    low: NonNegative
    high: NonNegative
    source: str

    @model_validator(mode="after")
    def _is_ordered(self) -> Benchmark:
        if self.high < self.low:
            raise Fault("high", f"{self.high:g}", f"at least low = {self.low:g}")
        return self


class UseCase(Words):
    """One persona's way over touchpoints in order; a touchpoint is a channel at a stage.

    `web.inform` is the channel `web` at the stage `inform`.
    """

    persona: Name
    touchpoints: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_stages(self) -> UseCase:
        for nth, touchpoint in enumerate(self.touchpoints):
            channel, _, stage = touchpoint.partition(".")
            if not channel or stage not in ALL_STAGES:
                known = [f"{channel}.{stage}" for stage in ALL_STAGES] if channel else []
                raise Fault(f"touchpoints.{nth}", f"'{touchpoint}'", "a channel at a stage", known)
        return self


Aim = Literal[
    "everybody",
    "interest",
    "visitors",
    "customers",
    "searchers",
    "brand_searchers",
    "checkouts",
    "friends",
]
MASS: tuple[Aim, ...] = ("everybody", "interest")  # they meet whoever is within reach
Payment = Literal["per_thousand", "per_click", "per_message", "per_order", "per_success", "fixed"]
MediumMeasure = Literal["cpm", "cpc", "ctr", "unsubscribes"]
SalesMeasure = Literal["conversion", "checkout", "basket", "returned", "margin"]


class Medium(Words):
    """One paid medium.

    `price` in EUR per thousand contacts, per click, per message, per order with last touch
    here, per success (the same, for a friend's reward) or, where it is fixed, per thousand
    contacts that the fixed sum is meant to make; `converts` orders planned per contact,
    where orders are paid; `lift` the share of checkouts otherwise broken off that a coupon
    mends; `reach` the share of
    persons it can meet at all; `half_life` of goodwill in days; `pull` in log odds at
    full goodwill today, moving by `trend` a year (log); `half_pull` the goodwill, in
    noticed contacts, at which half the pull is felt; `click_rate` per contact, a click
    counting as `click_goodwill` contacts; `weekly_cap` messages per person and week;
    `reminder`: n of its contacts during a walk divide the risk of losing that walk by
    1 + n x reminder; `unsubscribes` per message; windows in days; `audience` the planned
    share of persons, used when pressure is open-loop; `opens` weeks after the fork (None:
    always open). `serves` and `benchmarks` describe.
    """

    aim: Aim
    payment: Payment
    price: Positive
    price_trend: float = 0.0
    reach: Share = 1.0
    half_life: Positive
    pull: NonNegative
    trend: float = 0.0
    half_pull: Positive
    click_rate: Share = 0.0
    click_goodwill: NonNegative = 0.0
    lands_on: Name | None = None
    weekly_cap: Positive = 7.0
    reminder: NonNegative = 0.0
    unsubscribes: Share = 0.0
    tracked: bool = True
    click_window: NonNegative = 30
    view_window: NonNegative = 0
    audience: Annotated[float, Field(gt=0, le=1)] = 1.0
    converts: Annotated[float, Field(gt=0, le=1)] = 0.1
    lift: Share = 0.0
    opens: Annotated[int, Field(ge=0)] | None = None
    serves: Stages = ("inform",)
    benchmarks: dict[MediumMeasure, Benchmark] = {}


class Till(Words):
    """What an order is worth in a sales channel.

    `basket` in EUR with VAT; `margin` on net revenue; `cost_to_serve` in EUR per order;
    `returned` the share of value that comes back.
    """

    basket: Positive
    margin: Share
    cost_to_serve: NonNegative = 0.0
    returned: Share = 0.0


class SalesChannel(Till):
    """One channel in which orders are placed.

    `serves` names the stages at which it can be turned to. `success` and `lost` are
    probabilities per contact and stage; what is left repeats the stage. `identity` is the
    share of customers who can be recognised here; `quality` the satisfaction an order
    leaves. `sells` and `regions` name categories and regions (none named: all), `accepts`
    ways of paying (none: all). `wait` and `stock_out` are the chances that a contact waits
    too long and that what is wanted is not there; `late` that a delivery is; `facts` the
    share of products that are described rightly; `personalised` the part by which contacts
    with a person known here succeed more often; `opens` weeks after the fork (None: always
    open); `benchmarks` describe.
    """

    online: bool
    identity: Share
    success: dict[Stage, Share]
    lost: dict[Stage, Share]
    basket_spread: NonNegative = 0.0
    quality: float = 0.0
    sells: Names = ()
    regions: Names = ()
    accepts: Names = ()
    wait: Share = 0.0
    stock_out: Share = 0.0
    late: Share = 0.0
    facts: Share = 1.0
    personalised: NonNegative = 0.0
    opens: int | None = None
    serves: Stages = (*STAGES, "receive")
    benchmarks: dict[SalesMeasure, Benchmark] = {}

    @model_validator(mode="after")
    def _stages_are_whole(self) -> SalesChannel:
        for stage in STAGES:
            for name, table in (("success", self.success), ("lost", self.lost)):
                if stage not in table and stage in self.serves:
                    raise Fault(f"{name}.{stage}", "nothing", "a probability for every stage")
                if stage in table and stage not in self.serves:
                    raise Fault(
                        f"{name}.{stage}",
                        "a touchpoint at a stage that its channel does not serve",
                        f"the stages it serves: {', '.join(self.serves)}",
                    )
            if self.success.get(stage, 0) + self.lost.get(stage, 0) > 1:
                raise Fault(
                    f"lost.{stage}",
                    f"{self.lost[stage]:g} beside a success of {self.success[stage]:g}",
                    "success + lost of at most 1",
                )
        return self
