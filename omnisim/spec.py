"""Typed words: what a market is, what a strategy decides, what an experiment asks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

Stage = Literal["inform", "evaluate", "buy"]
STAGES: tuple[Stage, ...] = ("inform", "evaluate", "buy")
AnyStage = Literal["inform", "evaluate", "buy", "receive", "use"]
ALL_STAGES: tuple[AnyStage, ...] = (*STAGES, "receive", "use")
DAYS_IN_YEAR = 364
WEEKS_IN_YEAR = 52
DAYS_IN_WEEK = 7
TRUTH_REPLICATIONS = 8
Dimension = Literal[
    "promotion", "price", "transaction_data", "information_access", "fulfilment", "service"
]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[tuple[Name, ...], AfterValidator(lambda names: tuple(sorted(names)))]
Stages = Annotated[
    tuple[AnyStage, ...],
    Field(min_length=1),
    AfterValidator(lambda stages: tuple(stage for stage in ALL_STAGES if stage in stages)),
]


class Fault(ValueError):
    """A value that is well-typed but wrong: where, what was found, what is allowed.

    `key` is relative to the model that raises it; `choices` feeds the nearest right name.
    """

    def __init__(self, key: str, found: object, allowed: str, choices: Iterable[str] = ()) -> None:
        super().__init__(f"found {found}, allowed: {allowed}")
        self.key = key
        self.found = found
        self.allowed = allowed
        self.choices = tuple(choices)


class Words(BaseModel):
    """Base of every spec: frozen, no unknown keys, no NaN and no infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def pair(*channels: str) -> str:
    """Return the key of two channels, whichever is named first."""
    return "+".join(sorted(channels))


def pairs(channels: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of all pairs of channels, sorted."""
    return tuple(sorted(pair(*two) for two in itertools.combinations(sorted(channels), 2)))


def _sums_to_one(key: str, shares: Mapping[str, float]) -> None:
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-6:
        raise Fault(key, f"a sum of {total:g}", "shares that sum to 1")


def _known(key: str, names: Iterable[str], choices: Iterable[str], what: str) -> None:
    known = sorted(choices)
    for name in names:
        if name not in known:
            raise Fault(f"{key}.{name}", f"'{name}'", f"a {what} of the market", known)


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


class Segment(Words):
    """One persona: how much it needs, whom it trusts, where it likes to shop.

    `needs` per year (mean over persons); `base` and `loyalty` in log odds against the
    rivals, for prospects and added for customers; `prefers` in utility by stage and
    sales channel; `affinity` scales a medium's contacts (absent: 1). `categories` are the
    shares of its needs (absent: all alike) and `pays_by` of its ways of paying (absent:
    any); `price` in log odds per log price; `phone` the share of contacts in a shop with
    the phone in hand, `coupons` that of checkouts with a look for a coupon.
    """

    share: Share
    needs: NonNegative
    base: float
    loyalty: float = 0.0
    consent: Share
    mail_opt_in: Share = 0.0
    searches: Share
    browse: NonNegative = 0.0
    affinity: dict[Name, NonNegative] = {}
    prefers: dict[Stage, dict[Name, float]] = {}
    categories: dict[Name, Share] = {}
    pays_by: dict[Name, Share] = {}
    price: NonNegative = 0.0
    phone: Share = 0.0
    coupons: Share = 0.0


class Region(Words):
    """Where people live: `prefers` adds utility to a sales channel near or far.

    `affinity` scales a medium's contacts there (absent: 1).
    """

    share: Annotated[float, Field(gt=0, le=1)]
    prefers: dict[Name, float] = {}
    affinity: dict[Name, NonNegative] = {}


class Category(Words):
    """A kind of product: `basket` as a factor on the channel's.

    `margin` and `returned` take the place of the channel's (None: as there); `incident` is
    the share of orders with something wrong; `cross` the chance that an order also holds
    another category.
    """

    basket: Positive = 1.0
    margin: Share | None = None
    returned: Share | None = None
    incident: Share = 0.0
    cross: dict[Name, Share] = {}


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
    share of persons, used when pressure is open-loop. `serves` and `benchmarks` describe.
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


class Season(Words):
    """A stretch of the 364-day year: `needs` multiplies needs, `online` tilts utility."""

    first_day: Annotated[int, Field(ge=0, lt=DAYS_IN_YEAR)]
    last_day: Annotated[int, Field(ge=0, lt=DAYS_IN_YEAR)]
    needs: NonNegative
    online: float = 0.0


class Campaign(Words):
    """What rivals do on some days of the year: added attraction (log odds) and contacts."""

    first_day: Annotated[int, Field(ge=0, lt=DAYS_IN_YEAR)]
    last_day: Annotated[int, Field(ge=0, lt=DAYS_IN_YEAR)]
    attraction: float = 0.0
    contacts: NonNegative = 0.0


class Shock(Words):
    """What hits the market for some weeks after the fork.

    `needs` multiplies needs; nobody can turn to a channel that is `closed`.
    """

    first_week: int
    last_week: int
    needs: NonNegative = 1.0
    closed: Names = ()

    @model_validator(mode="after")
    def _ends(self) -> Shock:
        if self.last_week < self.first_week:
            raise Fault("last_week", self.last_week, f"at least first_week = {self.first_week}")
        return self


class Friends(Words):
    """Who talks to whom: a ring of `degree` friends each, of whom `rewired` are anybody.

    An order is told to a friend with chance `tells`; a friend's satisfaction adds `talk` in
    log odds, of which half is forgotten in `forgets` days.
    Source of the graph: Watts & Strogatz 1998, Nature 393 (small world).
    """

    degree: Annotated[int, Field(ge=0, multiple_of=2)] = 0
    rewired: Share = 0.1
    tells: Share = 0.0
    talk: NonNegative = 0.0
    forgets: Positive = 14.0


class Service(Words):
    """What goes wrong after an order, in satisfaction, and what mending it costs (EUR).

    `twice` is what telling it twice adds, `mended` the part of an incident that is felt
    when the firm learns first.
    """

    late_hurts: NonNegative = 0.0
    incident_hurts: NonNegative = 0.0
    twice: NonNegative = 0.0
    mended: Share = 0.3
    cost: NonNegative = 0.0


class Pricing(Words):
    """How people take different prices for the same thing in one firm.

    Seeing a price that is higher than one seen elsewhere divides success by
    exp(`distrust` x difference); `haggles` is the chance to be given the lower one; half of
    the difference is forgotten from walk to walk.
    """

    distrust: NonNegative = 0.0
    haggles: Share = 0.0


class Messages(Words):
    """What departments claim: one of `claims`, for `weeks` at a time, each its own.

    A contact whose claim is not the one heard last loses the part `clash` of its effect.
    """

    claims: Annotated[int, Field(ge=1, le=200)] = 1
    weeks: Annotated[int, Field(ge=1)] = 4
    clash: Share = 0.0


class Rivals(Words):
    """Everybody else who wants the order.

    `attraction` in log odds (None: no rival exists); `contacts` a day that compete for
    attention; `steal_unguarded` and `steal_guarded` the share of brand searches that end
    with a rival without and with our own advertisement; `service` the satisfaction that
    orders from them leave, against which ours is held.
    """

    attraction: float | None
    contacts: NonNegative = 0.0
    steal_unguarded: Share = 0.0
    steal_guarded: Share = 0.0
    service: float = 0.0
    campaigns: tuple[Campaign, ...] = ()


class Buying(Words):
    """The customer base: BG/NBD when media, season, satisfaction and rivals are off.

    Needs per day are gamma with shape `needs_shape`; at each repeat need a customer
    drops out with a beta(`drop_a`, `drop_b`) personal probability, times
    exp(-`satisfaction_keeps` x satisfaction). Satisfaction is held against what is
    expected, which moves by the part `expectation` to the best service met. `newcomers` is
    the yearly share of persons replaced by new ones. `cohort_weeks`: every person buys for
    the first time on a day of these weeks and prospects have no needs (None: needs alone
    decide).
    Source: Fader, Hardie & Lee 2005, Marketing Science 24(2).
    """

    needs_shape: Positive
    drop_a: Positive
    drop_b: Positive
    newcomers: Share = 0.0
    first_customers: Share = 0.0
    cohort_weeks: Annotated[int, Field(ge=1)] | None = None
    satisfaction_step: Share = 0.0
    satisfaction_noise: NonNegative = 0.0
    satisfaction_pulls: NonNegative = 0.0
    satisfaction_keeps: NonNegative = 0.0
    expectation: Share = 0.0
    repeat_basket: Positive = 1.0


class Journey(Words):
    """How a need walks: `contact` probability a day, `same_day` another contact at once.

    `habit`, `inertia` and `push` in utility (the channel of the last order, the one just
    used, the one a click leads to); `most_days` in days; `repeat_lost` the probability
    that a stage told twice loses the person; `friction` satisfaction lost per repeat;
    `brand_search` the share of online contacts that begin with a search for our name;
    `closed_lost` the probability that who finds our channel closed goes to a rival. A
    phone in a shop helps by the share `assist` of what fails if it shows the same basket
    and advice, and else confuses the share `confuses` of what succeeds.
    """

    contact: Annotated[float, Field(gt=0, le=1)]
    same_day: Share
    most_days: Annotated[int, Field(ge=1)]
    habit: float = 0.0
    inertia: float = 0.0
    push: float = 0.0
    repeat_lost: Share = 0.0
    friction: NonNegative = 0.0
    brand_search: Share = 0.0
    assist: Share = 0.0
    confuses: Share = 0.0
    closed_lost: Share = 0.5
    blocks_needs: bool = True


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


class Marketplace(Words):
    """What every kind of market has, and management does not decide.

    `budget` in EUR a year over all media; `start` picks from `splits` the budget shares
    with which the shared history begins (`equal` needs no split); `trend` scales every
    medium's own trend and `drift` is the weekly standard deviation of a random walk in
    the log of what every medium does; `vat` as a rate; a dimension that is absent from
    `integration_costs` costs nothing and is built within a week.
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

    @model_validator(mode="after")
    def _starts_somewhere(self) -> Marketplace:
        both = sorted(set(self.media) & set(self.channels))
        if both:
            raise Fault(f"media.{both[0]}", f"'{both[0]}'", "a name that no sales channel has")
        for start, shares in self.splits.items():
            _known(f"splits.{start}", shares, self.media, "medium")
            missing = sorted(set(self.media) - set(shares))
            if missing:
                raise Fault(f"splits.{start}.{missing[0]}", "nothing", "a share for every medium")
            _sums_to_one(f"splits.{start}", shares)
        starts = sorted({*self.splits, "equal"})
        if self.start not in starts:
            raise Fault("start", f"'{self.start}'", "equal or a start that has a split", starts)
        if self.budget > 0 and not self.media:
            raise Fault("budget", self.budget, "0 in a market without media")
        return self

    def start_split(self) -> dict[str, float]:
        """Return each medium's share of the budget when the shared history begins."""
        if self.start not in self.splits:
            return {name: 1 / len(self.media) for name in sorted(self.media)}
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
            _sums_to_one("regions", {name: r.share for name, r in self.regions.items()})
        for name, region in self.regions.items():
            _known(f"regions.{name}.prefers", region.prefers, self.channels, "sales channel")
            _known(f"regions.{name}.affinity", region.affinity, self.media, "medium")
        for name, segment in self.segments.items():
            _known(f"segments.{name}.categories", segment.categories, self.categories, "category")
            for key in ("categories", "pays_by"):
                if shares := getattr(segment, key):
                    _sums_to_one(f"segments.{name}.{key}", shares)
        for name, category in self.categories.items():
            _known(f"categories.{name}.cross", category.cross, self.categories, "category")
            if all(c.sells and name not in c.sells for c in self.channels.values()):
                raise Fault(f"categories.{name}", "no channel that sells it", "at least one")
        ways = {way for segment in self.segments.values() for way in segment.pays_by}
        for name, channel in self.channels.items():
            _known(f"channels.{name}.sells", channel.sells, self.categories, "category")
            _known(f"channels.{name}.regions", channel.regions, self.regions, "region")
            _known(f"channels.{name}.accepts", channel.accepts, ways, "way of paying")
        for nth, shock in enumerate(self.shocks):
            _known(f"shocks.{nth}.closed", shock.closed, self.channels, "sales channel")
        if self.friends.degree >= self.people:
            raise Fault(
                "friends.degree", self.friends.degree, f"less than market.people = {self.people}"
            )
        return self

    @model_validator(mode="after")
    def _is_coherent(self) -> Market:
        _sums_to_one("segments", {name: s.share for name, s in self.segments.items()})
        for name, segment in self.segments.items():
            _known(f"segments.{name}.affinity", segment.affinity, self.media, "medium")
            for stage, table in segment.prefers.items():
                _known(f"segments.{name}.prefers.{stage}", table, self.channels, "sales channel")
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


class LogCurve(Words):
    """Orders = a ln(1 + spend / b)."""

    kind: Literal["log"]
    a: NonNegative
    b: Positive


class ExponentialCurve(Words):
    """Orders = k (1 - exp(-b spend))."""

    kind: Literal["exponential"]
    k: NonNegative
    b: Positive


class PowerCurve(Words):
    """Orders = a spend^beta."""

    kind: Literal["power"]
    a: NonNegative
    beta: Annotated[float, Field(gt=0, lt=1)]


class TextbookMedium(Words):
    """One medium as a response curve: orders a week by the adstock of its spend in EUR.

    `carry_over` is the part of the adstock that is left after a week: this week's spend
    plus that part of the last adstock; with it the curve gives, for a spend that does not
    change, the orders at spend / (1 - `carry_over`). Last touch misses the share `leak`
    of the orders that the medium causes; the medium also touches the share `capture` of
    the orders that it does not cause, and of those that were missed. `trend` of the log
    response a year.
    """

    curve: Annotated[LogCurve | ExponentialCurve | PowerCurve, Field(discriminator="kind")]
    carry_over: Annotated[float, Field(ge=0, lt=1)] = 0.0
    leak: Share = 0.0
    capture: Share = 0.0
    trend: float = 0.0


class Demand(Words):
    """How much more or less of everything is bought in a week: exp of an AR(1).

    `sd` of its stationary distribution, `autocorrelation` from week to week.
    """

    sd: NonNegative = 0.0
    autocorrelation: Annotated[float, Field(ge=0, lt=1)] = 0.5


class TextbookMarket(Marketplace):
    """A market without people: closed-form curves in their place, for which truth is known.

    Orders a week are `baseline_orders` plus what the curves of all media give, times
    demand; the real firm's orders are Poisson around them, all in the one sales channel.
    """

    kind: Literal["textbook"]
    baseline_orders: NonNegative = 0.0
    demand: Demand = Demand()
    media: dict[Name, TextbookMedium] = {}
    channels: Annotated[dict[Name, Till], Field(min_length=1, max_length=1)]

    @model_validator(mode="after")
    def _credits_at_most_every_order(self) -> TextbookMarket:
        captured = math.fsum(medium.capture for medium in self.media.values())
        if captured > 1 + 1e-9:
            raise Fault("media", f"a sum of {captured:g} captured", "a sum of capture of at most 1")
        return self


def _kind_of_market(market: Any) -> str | None:
    """Return what a market says it is: of people, unless it says something else."""
    if isinstance(market, Mapping):
        return str(market.get("kind", "people"))
    return getattr(market, "kind", None)


AnyMarket = Annotated[
    Annotated[Market, Tag("people")] | Annotated[TextbookMarket, Tag("textbook")],
    Discriminator(_kind_of_market),
]


class Steering(Words):
    """Who decides the budget over media, by which rule, how fast, on what reports.

    `kind` is the scope of one decision: nobody (`frozen`), an equal share for every
    medium (`equal`), each department over its own media (`siloed`), one centre over all
    (`central`), a plan made in advance (`given`: shares by week after adoption, else the
    split stays), or one who tries every move in forks of the world and so knows the truth
    (`oracle`: the upper bound, which no strategist can have). `rule` is what the one who
    decides does: `marginal` (C4) or `credit_share` (C3a). `review_weeks` between
    decisions; `damping`, `step` and `floor` as shares; `exploration` the standard
    deviation of log spend around the plan;
    `report_delay_weeks` and `report_noise` (standard deviation of log credit) hold for
    reports that leave a department; `fixed` names media that keep their share.
    """

    kind: Literal["frozen", "equal", "siloed", "central", "oracle", "given"]
    rule: Literal["marginal", "credit_share"] = "marginal"
    review_weeks: Annotated[int, Field(ge=1)] = 4
    damping: Annotated[float, Field(gt=0, le=1)] = 0.5
    step: Annotated[float, Field(gt=0, le=1)] = 0.25
    floor: Share = 0.01
    exploration: NonNegative = 0.15
    elasticity_mean: Positive = 0.4
    elasticity_sd: Positive = 0.2
    forgetting: Annotated[float, Field(gt=0, le=1)] = 0.97
    report_delay_weeks: Annotated[int, Field(ge=0)] = 2
    report_noise: NonNegative = 0.2
    fixed: Names = ()
    given: dict[Annotated[int, Field(ge=0)], dict[Name, Share]] = {}

    @model_validator(mode="after")
    def _given_splits_are_whole(self) -> Steering:
        for week, shares in self.given.items():
            _sums_to_one(f"given.{week}", shares)
        return self


def _each_once(levels: dict[str, dict[Dimension, float]]) -> dict[str, dict[Dimension, float]]:
    """Return levels by pair under sorted keys; refuse a pair that is none or stands there twice."""
    typed: dict[str, str] = {}
    for key in levels:
        names = key.split("+")
        if len(set(names)) < len(names):
            raise Fault(key, f"'{key}'", "a pair of two channels, as one+other")
        if pair(*names) in typed:
            raise Fault(key, f"'{key}' beside '{typed[pair(*names)]}'", "every pair once")
        typed[pair(*names)] = key
    return {key: levels[typed[key]] for key in sorted(typed)}


class Levels(Words):
    """How far sales channels are linked, from 0 to 1, in six dimensions of integration.

    The number of a dimension holds for every pair of sales channels that `pairs` does not
    name otherwise ("store+web", in any order). `promotion`: one claim and one cap on
    contacts; `price`: one price and one calendar of promotions; `transaction_data`: one
    customer record, so that a person known in two channels is recognised in both and
    advertising knows who has just bought; `information_access`: baskets and advice are
    visible in the channel that a person changes to; `fulfilment`: collect, ship and return
    anywhere; `service`: one case file.
    """

    promotion: Share = 0.0
    price: Share = 0.0
    transaction_data: Share = 0.0
    information_access: Share = 0.0
    fulfilment: Share = 0.0
    service: Share = 0.0
    pairs: Annotated[dict[str, dict[Dimension, Share]], AfterValidator(_each_once)] = {}

    def level(self, dimension: Dimension, one: str, other: str) -> float:
        """Return the level of a dimension between two channels, whichever is named first."""
        firm_wide: float = getattr(self, dimension)
        return self.pairs.get(pair(one, other), {}).get(dimension, firm_wide)


class Integration(Levels):
    """What channels share, and which of them there are.

    `open` names the sales channels in which the firm sells; none named: all.
    """

    open: Names = ()


Plan = Literal[
    "none", "big_bang", "stepwise_revenue", "stepwise_demand", "stepwise_ease", "goalless"
]


class Rollout(Words):
    """How the firm gets from its own levels of integration to a target, after the fork.

    `kind` is the order in which links are built: nothing (`none`), all at once
    (`big_bang`), in `steps` of equal cost of which each waits for the one before: pairs
    that sell most (`stepwise_revenue`), that customers ask for most (`stepwise_demand`) or
    links that cost least (`stepwise_ease`) first; or one after the other by every
    department for itself, in an order of its own (`goalless`). `budget` in EUR for one-off
    costs (None: what the target costs): where it ends, building ends, in the middle of a
    link or, all at once, of all of them. `start` in weeks after the fork.
    """

    kind: Plan = "none"
    budget: NonNegative | None = None
    start: Annotated[int, Field(ge=0)] = 0
    steps: Annotated[int, Field(ge=1)] = 4
    target: Levels = Levels()


class Incentives(Words):
    """What departments are paid on.

    `company_weight` (lambda in M1) is the weight on the company's deduplicated orders
    in what a department's rule reads; the rest is the department's own claims.
    `growth` is the yearly growth of every budget before it is scaled to the total.
    """

    company_weight: Share = 0.0
    growth: float = 0.02


class Attribution(Words):
    """Which credit the centre is shown: deduplicated last touch, or departments' claims."""

    kind: Literal["last_touch", "claims"] = "last_touch"


class Department(Words):
    """One department and the channels, paid or selling, that it owns.

    In the share `promotes` of all weeks it sells for the part `depth` less.
    """

    owns: Names
    promotes: Share = 0.0
    depth: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Strategy(Words):
    """Everything that management decides; as an arm of an experiment it holds nothing else."""

    steering: Steering
    integration: Integration
    rollout: Rollout = Rollout()
    incentives: Incentives
    attribution: Attribution
    organigram: Annotated[dict[Name, Department], Field(min_length=1)]


class Horizon(Words):
    """Weeks of shared history before the fork, and weeks that each arm runs after it."""

    history_weeks: Annotated[int, Field(ge=0)] = 156
    weeks: Annotated[int, Field(ge=1)] = 104


class Replications(Words):
    """How many; stops between `min` and `max` once the half-width reaches `precision`.

    `precision` is a share of the margin (None: always `max`).
    """

    min: Annotated[int, Field(ge=2)] = 10
    max: Annotated[int, Field(ge=2)] = 10
    precision: Positive | None = 0.5

    @model_validator(mode="after")
    def _are_ordered(self) -> Replications:
        if self.max < self.min:
            raise Fault("max", self.max, f"at least replications.min = {self.min}")
        return self


class Outcomes(Words):
    """The primary outcome and the margin below which a difference does not matter.

    `margin` is a share of the baseline's gross revenue for outcomes in EUR, and of the
    baseline's own value for all others.
    """

    primary: Name = "contribution"
    margin: Positive = 0.005


class ExperimentSpec(Words):
    """One question: a market, what the firm does today, and what it might do instead."""

    experiment: Name
    question: str
    hypothesis: str
    decision_rule: str
    expectation: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    market: AnyMarket
    status_quo: Strategy
    arms: Annotated[dict[Name, Strategy], Field(min_length=1)]
    baseline: Name
    horizon: Horizon = Horizon()
    replications: Replications = Replications()
    outcomes: Outcomes = Outcomes()
    truth: Literal["none", "quick", "full"] = "quick"

    def truth_of(self, arm: str, replication: int) -> str:
        """Return how deep the truth is measured for an arm in a replication.

        Eight replications know the extra orders of most media to a seventh; where splits are
        given or foreseen nobody believes anything.
        """
        kind = self.arms[arm].steering.kind
        measured = replication < TRUTH_REPLICATIONS and kind not in ("given", "oracle")
        long_enough = self.horizon.weeks >= WEEKS_IN_YEAR
        return self.truth if measured and long_enough and self.market.media else "none"

    def determining(self) -> dict[str, Any]:
        """Return what determines every number of a world but the strategy that is adopted.

        The market's name, the starts that are not taken and what only describes change none.
        """
        silent = dict.fromkeys(("name", "start", "splits"), True)
        media = {"__all__": {"serves", "benchmarks"}}
        market = self.market.model_dump(
            mode="json",
            exclude={**silent, "media": media, "channels": {"__all__": {"benchmarks"}}},
        )
        return {
            "market": market | {"split": self.market.start_split()},
            "status_quo": self.status_quo.model_dump(mode="json"),
            "horizon": self.horizon.model_dump(mode="json"),
            "seed": self.seed,
        }

    @model_validator(mode="after")
    def _fits_the_market(self) -> ExperimentSpec:
        if self.baseline not in self.arms:
            raise Fault("baseline", f"'{self.baseline}'", "one of the arms", sorted(self.arms))
        _owned_once("organigram", self.status_quo, self.market)
        _plans_known_media("steering", self.status_quo.steering, self.market)
        _links_known_channels("", self.status_quo, self.market)
        for name, arm in self.arms.items():
            _owned_once(f"arms.{name}.organigram", arm, self.market)
            _plans_known_media(f"arms.{name}.steering", arm.steering, self.market)
            _links_known_channels(f"arms.{name}.", arm, self.market)
        return self


def _plans_known_media(key: str, steering: Steering, market: Marketplace) -> None:
    _known(f"{key}.fixed", steering.fixed, market.media, "medium")
    for week, shares in steering.given.items():
        _known(f"{key}.given.{week}", shares, market.media, "medium")
        missing = sorted(set(market.media) - set(shares))
        if missing:
            raise Fault(f"{key}.given.{week}.{missing[0]}", "nothing", "a share for every medium")


def _links_known_channels(key: str, strategy: Strategy, market: Marketplace) -> None:
    """Refuse pairs and channels that the market does not have, and a roll-out that leads down."""
    start, rollout = strategy.integration, strategy.rollout
    _known(f"{key}integration.open", start.open, market.channels, "sales channel")
    there = pairs(market.channels)
    for place, levels in (("integration", start), ("rollout.target", rollout.target)):
        _known(f"{key}{place}.pairs", levels.pairs, there, "pair of sales channels")
    if rollout.kind == "none":
        return
    for dimension, two in itertools.product(DIMENSIONS, there):
        begin, end = (
            levels.level(dimension, *two.split("+")) for levels in (start, rollout.target)
        )
        if end < begin:
            by_pair = dimension in rollout.target.pairs.get(two, {})
            where = f"pairs.{two}.{dimension}" if by_pair else dimension
            raise Fault(
                f"{key}rollout.target.{where}",
                f"{end:g} for {two}",
                f"at least the {begin:g} from which integration starts",
            )


def _owned_once(key: str, strategy: Strategy, market: Marketplace) -> None:
    channels = set(market.media) | set(market.channels)
    owner: dict[str, str] = {}
    for name, department in sorted(strategy.organigram.items()):
        for channel in department.owns:
            if channel not in channels:
                raise Fault(
                    f"{key}.{name}.owns", f"'{channel}'", "a channel of the market", channels
                )
            if channel in owner:
                raise Fault(
                    f"{key}.{name}.owns",
                    f"'{channel}', which {owner[channel]} owns already",
                    "one owner for every channel",
                )
            owner[channel] = name
    homeless = sorted(channels - set(owner))
    if homeless:
        raise Fault(key, f"'{homeless[0]}' owned by nobody", "one owner for every channel")
