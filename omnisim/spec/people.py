"""People in words: personas, where they live, what they want, how they walk and talk."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from omnisim.spec.words import (
    DAYS_IN_YEAR,
    Fault,
    Name,
    Names,
    NonNegative,
    Positive,
    Share,
    Stage,
    Words,
)


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
    Every noticed contact that a person still feels beyond `patience` annoys: it takes
    `annoys` from the log odds that a need becomes a walk with us.
    """

    claims: Annotated[int, Field(ge=1, le=200)] = 1
    weeks: Annotated[int, Field(ge=1)] = 4
    clash: Share = 0.0
    patience: NonNegative = 7.0
    annoys: NonNegative = 0.0


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
