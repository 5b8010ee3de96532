"""Strategies: everything that management decides, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from omnisim.spec.words import (
    WEEKS_IN_YEAR,
    Dimension,
    Fault,
    Name,
    Names,
    NonNegative,
    Positive,
    Share,
    Words,
    pair,
    sums_to_one,
)

Kind = Literal[
    "frozen",
    "equal",
    "siloed",
    "bottom_up",
    "side_by_side",
    "percent_of_sales",
    "central",
    "oracle",
    "given",
]
CENTRE, SPLITTER, FINANCE = "omnichannel_manager", "equal_splitter", "finance_office"
FIXED, ORACLE, GIVEN = "(fixed)", "(oracle)", "(given)"  # no department can have these names


class Calibration(Words):
    """What a medium's credit is multiplied by: factor x (spend of the week / at)^slope.

    What trials have taught about the orders that it causes, in place of those that it is
    credited with; `at` in EUR a week.
    """

    factor: NonNegative = 1.0
    slope: float = 0.0
    at: Positive = 1.0


class Steering(Words):
    """Who decides the budget over media, by which rule, how fast, on what reports.

    `kind` is the scope of one decision: nobody (`frozen`), an equal share for every
    medium (`equal`), each department over its own media (`siloed`), the same with budgets
    that follow once a year what departments ask for (`bottom_up`) or that they trade among
    each other (`side_by_side`), last year's credited sales (`percent_of_sales`), one centre
    over all (`central`), a plan made in advance (`given`: shares by week after adoption,
    else the split stays), or one who tries every move in forks of the world and so knows the
    truth (`oracle`: the upper bound, which no strategist can have). `rule` is what the one
    who decides does: shares by what the next euro brings (`marginal`, C4), by credit
    (`credit_share`, C3a) or by credit per euro, the inverse of the average CPO
    (`average_cpo`, C3b). A centre may decide by `geo` experiments instead, which read the
    orders of two halves of the regions and no credit (C5): many media up and down at once
    (`spsa`, with `gain` the log share per log order and `exploration` the width of the test)
    or one move between two media at a time (`thompson`). `review_weeks` between decisions;
    `damping`, `step`, `floor` and, by medium, `cap` as shares of the budget of whoever splits
    it; `evenness` how far a target is drawn to equal parts (M11);
    `exploration` the standard deviation of log spend around the plan; `elasticities` by
    medium take the place of the prior belief `elasticity_mean`, and `calibration` by medium
    is what credit is multiplied by before anybody decides on it, as a firm does that has
    tried what is caused;
    `report_delay_weeks` and `report_noise` (standard deviation of log credit) hold for
    reports that leave a department; `fixed` names media that keep their share; `overhead` is
    what steering costs beside media (EUR a year).

    Of a centre and of the oracle: `goal` is what it wants most of. It holds money back where the
    next order costs more than `limit` (EUR); or, as far as gross revenue keeps above
    `revenue_floor` (EUR a year), to reach the lowest CPO; or as far as is needed to bring the
    CPO of all orders to `cpo_cap` (EUR). Of a centre alone: `scope` names the departments that
    it steers (none named: all), `mandate` the share of a
    move it orders that is carried out, `alone` what it may move whatever its mandate (share
    of the budget), `attention` how many media it looks at in a review (None: all).
    In silos a `committee` that meets every so many weeks (0: none) moves money between
    departments; it hears `hears` requests a meeting.
    """

    kind: Kind
    rule: Literal["marginal", "credit_share", "average_cpo"] = "marginal"
    geo: Literal["none", "spsa", "thompson"] = "none"
    review_weeks: Annotated[int, Field(ge=1)] = 4
    damping: Annotated[float, Field(gt=0, le=1)] = 0.5
    step: Annotated[float, Field(gt=0, le=1)] = 0.25
    floor: Share = 0.01
    cap: dict[Name, Share] = {}
    evenness: Share = 0.0
    exploration: NonNegative = 0.15
    gain: Positive = 4.0
    elasticity_mean: Positive = 0.4
    elasticity_sd: Positive = 0.2
    elasticities: dict[Name, NonNegative] = {}
    calibration: dict[Name, Calibration] = {}
    forgetting: Annotated[float, Field(gt=0, le=1)] = 0.97
    report_delay_weeks: Annotated[int, Field(ge=0)] = 2
    report_noise: NonNegative = 0.2
    fixed: Names = ()
    overhead: NonNegative = 0.0
    scope: Names = ()
    goal: Literal["contribution", "revenue", "new_customers"] = "contribution"
    limit: Positive | None = None
    revenue_floor: Positive | None = None
    cpo_cap: Positive | None = None
    mandate: Share = 1.0
    alone: Share = 0.0
    attention: Annotated[int, Field(ge=2)] | None = None
    committee: Annotated[int, Field(ge=0)] = 0
    hears: Annotated[int, Field(ge=1)] = 1
    given: dict[Annotated[int, Field(ge=0)], dict[Name, Share]] = {}

    @property
    def tests(self) -> bool:
        """Tell whether a centre learns from geo experiments: nobody else pays whole regions."""
        return self.kind == "central" and self.geo != "none"

    @property
    def holds_back(self) -> bool:
        """Tell whether who steers may leave money unspent."""
        return any(k is not None for k in (self.limit, self.revenue_floor, self.cpo_cap))

    @model_validator(mode="after")
    def _holds_back_for_one_reason(self) -> Steering:
        reasons = [k for k in ("limit", "revenue_floor", "cpo_cap") if getattr(self, k) is not None]
        if len(reasons) > 1:
            raise Fault(reasons[1], f"a value beside {reasons[0]}", "one of them")
        return self

    @model_validator(mode="after")
    def _who_tests_decides_alone(self) -> Steering:
        if self.tests and self.mandate < 1:
            raise Fault("mandate", f"{self.mandate:g} with geo {self.geo}", "1")
        if self.tests and self.attention is not None:
            raise Fault("attention", f"{self.attention} with geo {self.geo}", "none")
        return self

    @model_validator(mode="after")
    def _given_splits_are_whole(self) -> Steering:
        for week, shares in self.given.items():
            sums_to_one(f"given.{week}", shares)
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

    `open` names the sales channels in which the firm sells; none named: all. A person who
    still feels `frequency_cap` noticed contacts is left alone that day by advertisements,
    mails and reminders. Every department counts its own media; those whose promotion is
    integrated count theirs together.
    """

    open: Names = ()
    frequency_cap: Positive | None = None


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


class Culture(Words):
    """A programme that makes departments care for the company, as long as it is paid.

    It begins `start` weeks after adoption. For `weeks` (0: there is none) the weight of the
    company's result moves towards `goal`, and then back to what pay rewards; after `pace`
    weeks 63 % of the way is gone. It costs `cost` EUR a year while it is paid.
    """

    start: Annotated[int, Field(ge=0)] = 0
    goal: Share = 0.0
    weeks: Annotated[int, Field(ge=0)] = 0
    pace: Positive = 26.0
    cost: NonNegative = 0.0


class Incentives(Words):
    """What departments are paid on, and what becomes of money that they do not spend.

    `company_weight` (lambda in M1) is the weight on the company's deduplicated orders
    in what a department's rule reads; the rest is the department's own claims.
    `growth` is the yearly growth of every budget before it is scaled to the total, of which
    `ratchet` (rho in M2) takes back that part of what was not spent. Departments hold back
    the share `reserve` of every week and spend it in the last `rush_weeks` of the year, for
    else it is lost (M3), unless a euro of budget is worth less to them than it costs the
    company: `private_value` is what it is worth to a head a year, `discount` how much of next
    year's worth counts today. With `roll_over` nothing is lost and nothing taken back: the
    reserve belongs to next year's budget.
    """

    company_weight: Share = 0.0
    growth: float = 0.02
    ratchet: Share = 0.0
    reserve: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rush_weeks: Annotated[int, Field(ge=1, le=WEEKS_IN_YEAR)] = 1
    roll_over: bool = False
    private_value: NonNegative = 0.1
    discount: Annotated[float, Field(ge=0, lt=1)] = 0.9
    culture: Culture = Culture()


CreditKind = Literal[
    "claims",
    "last_touch",
    "first_touch",
    "linear",
    "position",
    "time_decay",
    "markov",
    "shapley",
    "experiment",
]


class Attribution(Words):
    """Which credit the centre is shown.

    `claims` is what every medium says of itself; all other kinds divide every recorded order
    among the media on its path. Not `deduplicated`, every department divides it among its
    own media, as if there were no others (None: as is customary, claims are not, all others
    are). `experiment` reads no path: once a year half of the regions does without one medium
    after the other, for `test_weeks` each, and what is missing there is what the medium has
    caused; until it was tested a medium is shown by last touch.
    """

    kind: CreditKind = "last_touch"
    deduplicated: bool | None = None
    test_weeks: Annotated[int, Field(ge=1)] = 4

    @model_validator(mode="after")
    def _claims_overlap(self) -> Attribution:
        if self.kind == "claims" and self.deduplicated:
            raise Fault("deduplicated", "true", "false for claims, or a kind that divides orders")
        if self.kind == "experiment" and self.deduplicated is False:
            raise Fault("deduplicated", "false", "true for experiment, which divides nothing")
        return self

    @property
    def by_department(self) -> bool:
        """Tell whether every department divides orders among its own media."""
        return self.kind != "claims" and self.deduplicated is False

    @property
    def needs_paths(self) -> bool:
        """Tell whether the kind is computed from whole paths to an order."""
        return self.by_department or self.kind not in ("claims", "last_touch", "experiment")


class Trying(Words):
    """A culture of try and error (M13): ideas are tested on a part of all people.

    `ideas` a year, each in a test of `weeks` on the `share` of people, which costs `cost` EUR;
    what is shown decides: shipped is what gains (`gain`), what gains significantly
    (`significant`: two standard errors), or what is good in view of what ideas are usually
    worth (`posterior`). A test shows what an idea does to all orders, with the error of the
    real firm's counts.
    """

    ideas: Annotated[float, Field(ge=0, le=WEEKS_IN_YEAR)] = 0.0
    share: Annotated[float, Field(gt=0, lt=1)] = 0.05
    weeks: Annotated[int, Field(ge=1)] = 4
    ships: Literal["gain", "significant", "posterior"] = "posterior"
    cost: NonNegative = 0.0


Kpi = Literal["claims", "last_touch", "clicks", "contacts"]  # what ledgers of media hold


class Target(Words):
    """What a department should reach in a year, and what is paid for it (M3).

    The first target is last year's number plus `growth`; later ones grow too, and go the part
    `ratchet` of the way to what was reached. The bonus rises between the parts `floor` and
    `ceiling` of the target, and nowhere else: a head who is beyond them gains nothing by
    another order but a higher target, which counts less by the rate `interest` a year, and
    may hold back the part `slack` of every week.
    """

    growth: float = 0.02
    floor: NonNegative = 0.8
    ceiling: Positive = 1.2
    ratchet: Share = 0.5
    interest: Positive = 0.1
    slack: Share = 0.2

    @model_validator(mode="after")
    def _has_room(self) -> Target:
        if self.ceiling <= self.floor:
            raise Fault("ceiling", f"{self.ceiling:g}", f"more than floor = {self.floor:g}")
        return self


class Department(Words):
    """One department and the channels, paid or selling, that it owns.

    `kpi` is what it is paid on: a column of the ledgers of media. One that `reports_to`
    another leaves its media to that one's head. It reviews them every `review_weeks` (None:
    as often as all do). An `agency` that buys its media is paid that share of them on top,
    and has no reason to save. A `target` may be set. In the share `promotes` of all weeks it
    sells for the part `depth` less. Its `power` is the log of what a board gives it beyond
    its due, its `inflation` that by which it exaggerates (M11); only differences between
    departments count.
    """

    owns: Names
    kpi: Kpi = "claims"
    reports_to: Name | None = None
    review_weeks: Annotated[int, Field(ge=1)] | None = None
    agency: Share = 0.0
    target: Target | None = None
    power: float = 0.0
    inflation: float = 0.0
    promotes: Share = 0.0
    depth: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Strategy(Words):
    """Everything that management decides; as an arm of an experiment it holds nothing else."""

    steering: Steering
    integration: Integration
    rollout: Rollout = Rollout()
    incentives: Incentives
    attribution: Attribution
    trying: Trying = Trying()
    organigram: Annotated[dict[Name, Department], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_an_organisation(self) -> Strategy:
        for name, unit in sorted(self.organigram.items()):
            if name == "oracle":
                allowed = "departments that see ledgers (steering=oracle is a yardstick)"
                raise Fault("organigram.oracle", "a department that knows the truth", allowed)
            if unit.reports_to is not None and unit.reports_to not in self.organigram:
                key, others = f"organigram.{name}.reports_to", sorted(set(self.organigram) - {name})
                raise Fault(key, f"'{unit.reports_to}'", "another department", others)
        for name in sorted(self.organigram):
            line = reporting_line(self.organigram, name)
            if line[-1] in line[:-1]:
                found = f"a circle: {' to '.join(line)}"
                raise Fault(f"organigram.{name}.reports_to", found, "lines that end")
        return self


def reporting_line(organigram: Mapping[str, Department], name: str) -> tuple[str, ...]:
    """Return who reports to whom from a department upwards; a circle ends where it closes."""
    line = [name]
    while (head := organigram[line[-1]].reports_to) is not None:
        line.append(head)
        if head in line[:-1]:
            break
    return tuple(line)


def budget_scopes(strategy: Strategy, media: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return who holds the budget of which media (sorted keys, sorted media, each once).

    Departments keep their own where nobody steers across them, and where a centre may
    order but not carry out; media that are fixed belong to no decider and stand under `FIXED`.
    """
    paid, words = set(media), strategy.steering
    fixed = set(words.fixed)
    owners: dict[str, set[str]] = {key: set() for key in strategy.organigram}
    for key, unit in strategy.organigram.items():
        owners[reporting_line(strategy.organigram, key)[-1]] |= set(unit.owns) & paid
    match words.kind:
        case "central" if words.mandate == 1:
            steered = set(words.scope or owners)
            pools = {key: own for key, own in owners.items() if key not in steered}
            pools[CENTRE] = set().union(*(owners[key] for key in steered))
        case "equal":
            pools = {SPLITTER: paid}
        case "percent_of_sales":
            pools = {FINANCE: paid}
        case "oracle":
            pools = {ORACLE: paid}
        case "given":
            pools = {GIVEN: paid}
        case _:
            pools = owners
    scopes = {key: tuple(sorted(pool - fixed)) for key, pool in pools.items()}
    scopes[FIXED] = tuple(sorted(paid & fixed))
    return {key: scopes[key] for key in sorted(scopes) if scopes[key]}
