"""Strategies: everything that management decides, and nothing else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from omnisim.spec.words import (
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
