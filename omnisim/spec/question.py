"""Questions: a market, what the firm does today, and what it might do instead."""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from omnisim.spec.market import Market, Marketplace
from omnisim.spec.strategy import FIXED, Attribution, Steering, Strategy, budget_scopes
from omnisim.spec.textbook import AnyMarket, TextbookMarket
from omnisim.spec.words import (
    DIMENSIONS,
    HALVES,
    TRUTH_REPLICATIONS,
    WEEKS_IN_YEAR,
    Fault,
    Name,
    Positive,
    Words,
    known,
    pairs,
)

MOST_IN_COALITIONS = 15  # 2^15 coalitions a week are still nothing


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


class Interaction(Words):
    """Two changes, each `alone` in an arm and `both` in a third, all against the baseline.

    What is asked is what they bring together beyond the sum of each alone.
    """

    both: Name
    alone: Annotated[tuple[Name, ...], Field(min_length=2, max_length=2)]


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
    interaction: Interaction | None = None
    truth: Literal["none", "quick", "full"] = "quick"

    def truth_of(self, arm: str, replication: int) -> str:
        """Return how deep the truth is measured for an arm in a replication.

        Five replications know the extra orders of most media to a fifth; where splits are
        given or foreseen nobody believes anything, and only what the whole budget causes
        is measured (`budget`), if all is.
        """
        steering = self.arms[arm].steering
        if replication >= TRUTH_REPLICATIONS or self.horizon.weeks < WEEKS_IN_YEAR:
            return "none"
        if steering.kind in ("given", "oracle"):
            return "budget" if self.truth == "full" and steering.given else "none"
        return self.truth if self.market.media else "none"

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
        _crosses("interaction", self.interaction, sorted(self.arms), self.baseline)
        _owned_once("organigram", self.status_quo, self.market)
        _counts("organigram", self.status_quo, self.market)
        _steers("steering", self.status_quo, self.market)
        _links_known_channels("", self.status_quo, self.market)
        _credits_what_is_recorded("attribution", self.status_quo.attribution, self.market)
        for name, arm in self.arms.items():
            _owned_once(f"arms.{name}.organigram", arm, self.market)
            _counts(f"arms.{name}.organigram", arm, self.market)
            _steers(f"arms.{name}.steering", arm, self.market)
            _links_known_channels(f"arms.{name}.", arm, self.market)
            _credits_what_is_recorded(f"arms.{name}.attribution", arm.attribution, self.market)
        return self


def _crosses(key: str, interaction: Interaction | None, arms: list[str], baseline: str) -> None:
    """Refuse an interaction unless it names three arms beside the baseline."""
    if interaction is None:
        return
    others = [name for name in arms if name != baseline]
    named = (interaction.both, *interaction.alone)
    for nth, (place, name) in enumerate(zip(("both", "alone.0", "alone.1"), named, strict=True)):
        if name not in others or name in named[:nth]:
            raise Fault(f"{key}.{place}", f"'{name}'", "three arms beside the baseline", others)


def _steers(key: str, strategy: Strategy, market: Marketplace) -> None:
    """Refuse media, departments and bounds that the firm cannot keep."""
    steering = strategy.steering
    known(f"{key}.fixed", steering.fixed, market.media, "medium")
    known(f"{key}.cap", steering.cap, market.media, "medium")
    known(f"{key}.elasticities", steering.elasticities, market.media, "medium")
    known(f"{key}.calibration", steering.calibration, market.media, "medium")
    for name in steering.scope:
        if name not in strategy.organigram:
            there = sorted(strategy.organigram)
            raise Fault(f"{key}.scope.{name}", f"'{name}'", "a department of the organigram", there)
    for week, shares in steering.given.items():
        known(f"{key}.given.{week}", shares, market.media, "medium")
        missing = sorted(set(market.media) - set(shares))
        if missing:
            raise Fault(f"{key}.given.{week}.{missing[0]}", "nothing", "a share for every medium")
    _can_be_read(key.removesuffix("steering"), strategy, market)
    if steering.kind in ("frozen", "oracle", "given"):
        return
    for holder, media in budget_scopes(strategy, market.media).items():
        if holder != FIXED:
            _feasible(key, holder, media, steering)


def _can_be_read(key: str, strategy: Strategy, market: Marketplace) -> None:
    """Refuse tests without regions, two kinds of them at once, and goals that nobody counts."""
    steering, kind = strategy.steering, strategy.attribution.kind
    asked = {
        f"{key}steering.geo": steering.geo if steering.tests else "",
        f"{key}attribution.kind": kind if kind == "experiment" else "",
    }
    one_place = isinstance(market, Market) and len(market.regions) < HALVES
    if steering.goal == "new_customers" and isinstance(market, TextbookMarket):
        what = "'new_customers', of which curves know nothing"
        raise Fault(f"{key}steering.goal", what, "contribution or revenue in a market of curves")
    for where, word in asked.items():
        if word and one_place:
            raise Fault(where, f"'{word}' in a market of one region", "a market of two or more")
    if all(asked.values()):
        raise Fault(
            f"{key}attribution.kind", f"'experiment' with geo {steering.geo}", "one of them"
        )


def _feasible(key: str, holder: str, media: tuple[str, ...], steering: Steering) -> None:
    """Refuse bounds between which the budget of whoever splits it cannot be placed."""
    capped = [name for name in media if name in steering.cap]
    room = math.fsum(steering.cap.get(name, 1.0) for name in media)
    if room < 1 - 1e-9:
        caps = ", ".join(f"{name} {steering.cap[name]:g}" for name in capped)
        found = f"{room:g} of the budget of {holder} ({caps})"
        raise Fault(f"{key}.cap", found, f"caps that together hold all of the budget of {holder}")
    if len(media) > 1 and steering.floor * len(media) > 1 + 1e-9:
        found = f"{steering.floor:g} for each of {len(media)} media of {holder}"
        raise Fault(f"{key}.floor", found, f"at most {1 / len(media):g}, so that all have room")
    for name in capped:
        if len(media) > 1 and steering.cap[name] < steering.floor:
            allowed = f"at least steering.floor = {steering.floor:g}"
            raise Fault(f"{key}.cap.{name}", f"{steering.cap[name]:g}", allowed)


def _links_known_channels(key: str, strategy: Strategy, market: Marketplace) -> None:
    """Refuse pairs and channels that the market does not have, and a roll-out that leads down."""
    start, rollout = strategy.integration, strategy.rollout
    known(f"{key}integration.open", start.open, market.channels, "sales channel")
    there = pairs(market.channels)
    for place, levels in (("integration", start), ("rollout.target", rollout.target)):
        known(f"{key}{place}.pairs", levels.pairs, there, "pair of sales channels")
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


def _credits_what_is_recorded(key: str, attribution: Attribution, market: Marketplace) -> None:
    """Refuse rules of paths where there are no people, and coalitions of too many media."""
    if isinstance(market, TextbookMarket) and attribution.needs_paths:
        if attribution.kind == "last_touch":
            raise Fault(f"{key}.deduplicated", "false", "true in a market of curves")
        raise Fault(
            f"{key}.kind",
            f"'{attribution.kind}', for which curves have no paths",
            "claims or last_touch in a market of curves",
            ("claims", "last_touch"),
        )
    if attribution.kind == "shapley" and len(market.media) > MOST_IN_COALITIONS:
        raise Fault(
            f"{key}.kind",
            f"'shapley' over {len(market.media)} media",
            f"at most {MOST_IN_COALITIONS} media, or another kind",
        )


def _counts(key: str, strategy: Strategy, market: Marketplace) -> None:
    """Refuse a KPI that the ledgers of a market of curves do not hold."""
    if not isinstance(market, TextbookMarket):
        return
    for name, unit in sorted(strategy.organigram.items()):
        if unit.kpi in ("clicks", "contacts"):
            found = f"'{unit.kpi}', which no ledger of curves holds"
            raise Fault(f"{key}.{name}.kpi", found, "claims or last_touch", ("claims",))


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
