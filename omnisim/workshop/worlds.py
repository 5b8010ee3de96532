"""Worlds: a firm's market, lived quarter by quarter under what its people have decided.

A world is a function of the question and of the plans so far, and luck has an address: what is
kept is a cache, a rewind is another world, and the same plans live the same quarter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnisim import allocation, paths
from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation, budgets, truth
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec, Market, Strategy
from omnisim.steering import Decider
from omnisim.workshop.roles import QUARTER, ROUNDS, Act, cast

Plan = dict[str, int]  # EUR of a quarter by medium
Figures = dict[str, float]
KEPT = 60  # worlds
RISE = truth.RISE


@dataclass(frozen=True)
class Report:
    """The books of one quarter (EUR, orders at the firm's size).

    By medium: `spent`, `contacts`, `clicks`, the orders that it `claims`, those of which it had
    the `last_touch`, those of a record that all `share`, and what a centre has `seen` of last
    touches, late and blurred.
    """

    spent: Figures
    contacts: Figures
    clicks: Figures
    claims: Figures
    last_touch: Figures
    share: Figures
    seen: Figures
    orders: float
    new_customers: float
    revenue: float
    contribution: float


@dataclass(frozen=True)
class Quarter:
    """A quarter that was lived: the plan of all media, and its books."""

    plan: Plan
    report: Report


@dataclass(frozen=True)
class Effects:
    """What money caused in a quarter and the next one, from forks with the same luck.

    `departments` are the orders that would be missing without a department's media, `without`
    those missing without any; `cost` and `orders` by medium are what a fifth more would have
    brought.
    """

    departments: Figures
    without: float
    cost: Figures
    orders: Figures


class Worlds:
    """All worlds of one question in one replication."""

    def __init__(self, spec: ExperimentSpec, replication: int = 0) -> None:
        """Live the shared history."""
        self.spec = spec
        self.cast = cast(spec)
        world = Simulation(spec, replication)
        world.adopt(spec.status_quo)
        fork = spec.horizon.history_weeks * DAYS_IN_WEEK
        world.run_to(fork - QUARTER * DAYS_IN_WEEK)
        self.last_year = world.fork(spec.status_quo)
        world.run_to(fork)
        self.history = world
        self._kept: dict[tuple[object, ...], Simulation] = {}

    # -- the start ----------------------------------------------------------------------

    def opening(self) -> list[Quarter]:
        """Return the quarters of the year before, with today's plan in the last."""
        quarters = min(ROUNDS, self.spec.horizon.history_weeks // QUARTER)
        return [
            Quarter(self.today(), self._report(self.history, back * QUARTER))
            for back in range(quarters - 1, -1, -1)
        ]

    def today(self) -> Plan:
        """Return what the firm plans to spend as it is."""
        return self._plan(dict(zip(self.history.media, self.history.state.shares, strict=True)))

    def _plan(self, shares: Mapping[str, float], euros: int | None = None) -> Plan:
        """Split the company's quarter, or another sum, over media to the euro."""
        names = sorted(shares)
        whole = self.cast.quarter if euros is None else euros
        split = allocation.largest_remainder(whole, [float(shares[name]) for name in names])
        return dict(zip(names, split.tolist(), strict=True))

    # -- a quarter ----------------------------------------------------------------------

    def quarter(
        self,
        act: Act,
        plans: Sequence[Plan],
        typed: Plan,
        tests: tuple[Figures, Figures] | None = None,
    ) -> Quarter:
        """Live the quarter after `plans`, under what people have typed for their media.

        Media for which nobody typed anything are steered by the computer, which in the third
        act reads the `tests` of the last quarter (made now, if nobody has made them).
        """
        world = self._after(act, plans)
        if act == "together":
            plan = self._agreed(world, plans, typed, tests)
        else:
            plan = self._decided(world, act, typed)
        return Quarter(plan, self._report(self._after(act, [*plans, plan])))

    def play(self, act: Act) -> list[Quarter]:
        """Return an act that the computer plays alone."""
        played: list[Quarter] = []
        for _ in range(ROUNDS):
            played.append(self.quarter(act, [quarter.plan for quarter in played], {}))
        return played

    def stay(self) -> list[Quarter]:
        """Return a year in which nothing changes."""
        return self._repeat(self.today())

    def possible(self) -> list[Quarter]:
        """Return a year under the split that a search with the same luck found best."""
        world = truth.frozen(self.history)
        shares = truth.best_shares(world)
        return self._repeat(self._plan(dict(zip(world.media, shares, strict=True))))

    def _repeat(self, plan: Plan) -> list[Quarter]:
        return [self.quarter("central", [plan] * nth, plan) for nth in range(ROUNDS)]

    def _after(self, act: Act, plans: Sequence[Plan]) -> Simulation:
        """Return the world on the morning after these plans were lived."""
        key = (act, *(tuple(sorted(plan.items())) for plan in plans))
        if key in self._kept:
            self._kept[key] = self._kept.pop(key)  # the one used last goes last
            return self._kept[key]
        if plans:
            world = self._run(self._after(act, plans[:-1]), plans[-1])
        else:
            world = self.history.fork(_stands_still(self.spec.arms[act]))
        self._kept[key] = world
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return world

    def _run(
        self, before: Simulation, plan: Plan, change: np.ndarray | None = None, weeks: int = QUARTER
    ) -> Simulation:
        """Return a world some weeks on under a plan, of which `change` is paid for a quarter."""
        world = before.fork(before.strategy)
        euros = np.array([plan[name] for name in world.media], float)
        if euros.sum() > 0:
            world.state.shares = euros / euros.sum()
        budgets.open_books(world)
        world.state.released = np.full(len(euros), min(1.0, euros.sum() / self.cast.quarter))
        if change is not None:
            world.change = change
        start = world.state.day
        for until in (min(weeks, QUARTER), weeks):
            world.run_to(start + until * DAYS_IN_WEEK)
            world.change = np.ones(len(euros))
        return world

    # -- what computer players decide ---------------------------------------------------

    def _decided(self, world: Simulation, act: Act, typed: Plan) -> Plan:
        """Return the plan of all media: what was typed, and the engine's own rules elsewhere."""
        plan, whole = dict(typed), self.today()
        for head in _deciders(world, self.spec.arms[act]):
            if not set(head.media) & set(typed):
                budget = sum(whole[name] for name in head.media)
                plan |= self._plan(_wanted(world, head), budget)
        return plan

    def _agreed(
        self,
        world: Simulation,
        plans: Sequence[Plan],
        typed: Plan,
        tests: tuple[Figures, Figures] | None,
    ) -> Plan:
        """Return a common plan: what people typed, and the rest by the rule on caused orders.

        It is the rule of all computer players, on orders that tests have shown to be caused.
        """
        free = [name for name in self.cast.media if name not in typed]
        left = self.cast.quarter - sum(typed.values())
        if not free or left <= 0:
            return typed | dict.fromkeys(free, 0)
        cost, orders = tests or self.tests(plans)
        held = np.array([world.state.shares[world.media.index(name)] for name in free])
        target = held * [max(0.0, orders[name]) / max(cost[name], 1.0) for name in free]
        if held.sum() <= 0:
            held = np.ones(len(free))
        held = held / held.sum()
        if target.sum() > 0:
            held = allocation.between(held, target, self.spec.arms["together"].steering)
        return typed | self._plan(dict(zip(free, held.tolist(), strict=True)), left)

    # -- what money causes --------------------------------------------------------------

    def tests(self, plans: Sequence[Plan]) -> tuple[Figures, Figures]:
        """Return cost (EUR) and orders of a fifth more on each medium in the last quarter.

        Of the third act; before its first quarter, of the last one before the fork.
        """
        if plans:
            before, plan = self._after("together", plans[:-1]), plans[-1]
        else:
            before, plan = truth.frozen(self.last_year), self.today()
        plain = self._run(before, plan)
        return self._fifth_more(before, plan, plain, QUARTER)

    def _fifth_more(
        self, before: Simulation, plan: Plan, plain: Simulation, weeks: int
    ) -> tuple[Figures, Figures]:
        cost, orders = {}, {}
        for nth, name in enumerate(before.media):
            change = np.ones(len(before.media))
            change[nth] += RISE
            more = self._run(before, plan, change, weeks)
            cost[name] = _spent(more, weeks) - _spent(plain, weeks)
            orders[name] = _orders(more, weeks) - _orders(plain, weeks)
        return cost, orders

    def effects(self, act: Act, plans: Sequence[Plan]) -> Effects:
        """Return what money caused in the last quarter of an act, and until a quarter later."""
        weeks = 2 * QUARTER
        before, plan = self._after(act, plans[:-1]), plans[-1]
        plain = self._run(before, plan, weeks=weeks)

        def missing(media: Sequence[str]) -> float:
            change = np.array([float(name not in media) for name in before.media])
            return _orders(plain, weeks) - _orders(self._run(before, plan, change, weeks), weeks)

        cost, orders = self._fifth_more(before, plan, plain, weeks)
        return Effects(
            {role: missing(owned) for role, owned in self.cast.departments.items()},
            missing(self.cast.media),
            cost,
            orders,
        )

    # -- one customer -------------------------------------------------------------------

    def walk(self) -> dict[str, Any] | None:
        """Return what one customer met in half a year as it is, by day, kind and channel.

        None where there are curves in place of people.
        """
        from omnisim.trace import WEEKS, follow, worth_telling  # only the reveal needs it

        if not isinstance(self.spec.market, Market):
            return None
        stands = _stands_still(self.spec.arms["silo"])
        person = worth_telling(self.history.fork(stands), WEEKS)
        found = follow(self.history.fork(stands), "silo", person, WEEKS)
        events = [
            {"day": day.nth, "kind": event.kind, "lane": event.lane, "count": event.count}
            for day in found.days
            for event in day.events
        ]
        return {"days": WEEKS * DAYS_IN_WEEK, "media": found.media, "events": events}

    # -- books --------------------------------------------------------------------------

    def _report(self, world: Simulation, weeks_ago: int = 0) -> Report:
        """Return the books of the quarter that ended some weeks ago."""
        ledger = world.state.ledger
        after = len(ledger.company) - weeks_ago
        rows = slice(after - QUARTER, after)
        media = np.sum(ledger.media[rows], axis=0)
        channels = np.sum(ledger.channels[rows], axis=0).sum(axis=0)
        company = np.sum(ledger.company[rows], axis=0)
        sold = dict(zip(CHANNEL_COLUMNS, channels.tolist(), strict=True))
        whole = dict(zip(COMPANY_COLUMNS, company.tolist(), strict=True))

        def column(name: str) -> Figures:
            figures = media[:, MEDIA_COLUMNS.index(name)].tolist()
            return dict(zip(world.media, figures, strict=True))

        spent = {name: cents / 100 for name, cents in column("spent_cents").items()}
        earned = sold["expected_margin"] - sold["expected_cost_to_serve"]
        return Report(
            spent=spent,
            contacts=column("contacts"),
            clicks=column("clicks"),
            claims=column("reported_claims"),
            last_touch=column("reported_last_touch"),
            share=self._shared(world, rows),
            seen=self._seen(world, weeks_ago),
            orders=sold["expected_orders"],
            new_customers=sold["expected_new_customers"],
            revenue=sold["expected_revenue_gross"],
            contribution=earned - whole["spent_cents"] / 100,
        )

    def _shared(self, world: Simulation, rows: slice) -> Figures:
        """Return the orders of each medium on one record, each order once."""
        rule = paths.rule_of(self.spec.arms["together"], world.media)
        if rule is None:
            index = MEDIA_COLUMNS.index("reported_last_touch")
            booked = [week[:, index] for week in world.state.ledger.media[rows]]
        else:
            nth = world.rules.index(rule)
            booked = [week[nth][:, -1] for week in world.state.ledger.credit[rows]]
        return dict(zip(world.media, np.sum(booked, axis=0).tolist(), strict=True))

    def _seen(self, world: Simulation, weeks_ago: int) -> Figures:
        """Return the last touches that a centre has been shown of a quarter."""
        (centre,) = _deciders(world, self.spec.arms["central"])
        twin = world.fork(self.spec.arms["central"])
        names = list(centre.media)
        view = twin.view(centre, [world.media.index(name) for name in names])
        recent = view.weeks_ago <= centre.delay_weeks + QUARTER + weeks_ago
        recent &= view.weeks_ago > centre.delay_weeks + weeks_ago
        return dict(zip(names, view.credit[recent].sum(axis=0).tolist(), strict=True))


def _stands_still(strategy: Strategy) -> Strategy:
    """Return a strategy under which nobody but those at the table moves money."""
    steering = strategy.steering.model_copy(update={"kind": "frozen"})
    return strategy.model_copy(update={"steering": steering})


def _deciders(world: Simulation, strategy: Strategy) -> Sequence[Decider]:
    """Return who decides under a strategy in a world."""
    return world.fork(strategy).deciders


def _wanted(world: Simulation, head: Decider) -> Figures:
    """Return the shares that one who decides gives its media, by its own rule."""
    view = world.view(head, [world.media.index(name) for name in head.media])
    return dict(zip(head.media, head.decide(view).tolist(), strict=True))


def _spent(world: Simulation, weeks: int) -> float:
    index = MEDIA_COLUMNS.index("spent_cents")
    return float(np.sum([week[:, index] for week in world.state.ledger.media[-weeks:]])) / 100


def _orders(world: Simulation, weeks: int) -> float:
    index = CHANNEL_COLUMNS.index("expected_orders")
    return float(np.sum([week[:, index] for week in world.state.ledger.channels[-weeks:]]))
