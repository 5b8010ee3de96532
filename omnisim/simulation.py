"""The world's clock: builds the actors, runs days, forks the arms from one history.

SimPy has the time, Mesa the actors who decide. Everything that a day changes lies in
`State`, in plain arrays; appointments wait as dataclasses, so that a fork is a copy.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import mesa
import numpy as np
import simpy
from simpy.events import EventPriority

from omnisim import attribution, contacts, journeys, people, streams
from omnisim.allocation import View, largest_remainder
from omnisim.departments import next_budgets, weekly_plan
from omnisim.people import People, Person
from omnisim.records import (
    CHANNEL_COLUMNS,
    COMPANY_COLUMNS,
    MEDIA_COLUMNS,
    Ledger,
    Records,
    records,
)
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, WEEKS_IN_YEAR, ExperimentSpec, Strategy
from omnisim.steering import Decider, budget_scopes, deciders, split_budget

AUDIENCE_MEMORY = DAYS_IN_WEEK
ARRAYS = (
    *("shares", "planned", "spent", "wander", "searches"),
    *("media_book", "channel_book", "company_book"),
)  # of the state


@dataclass(frozen=True, order=True)
class Appointment:
    """Something that will happen: on a day, in an order within the day, to somebody."""

    due: int
    priority: int
    key: str
    kind: Literal["year", "review", "week", "day"]


YEAR, REVIEW, WEEK, DAY = 0, 1, 2, 9  # order within a day


@dataclass
class State:
    """All that a day can change.

    `budgets` in cents of the year under way by scope; `shares` float64[media] of the
    company's budget as decided; `planned` and `spent` int64[media] cents of the week, whose
    books stand beside them; `searches` float64[memory, 2] the last days' searches and brand
    searches, `aimable` and `writable` the audiences counted at midnight (agents); `wander`
    float64[media] what drift has added to every log pull.
    """

    day: int
    people: People
    budgets: dict[str, int]
    shares: np.ndarray
    planned: np.ndarray
    spent: np.ndarray
    media_book: np.ndarray
    channel_book: np.ndarray
    company_book: np.ndarray
    searches: np.ndarray
    aimable: float
    writable: float
    wander: np.ndarray
    ledger: Ledger
    agenda: list[Appointment]

    def copy(self) -> State:
        """Return a state that can go its own way."""
        return replace(
            self,
            people=self.people.copy(),
            ledger=self.ledger.copy(),
            agenda=list(self.agenda),
            budgets=dict(self.budgets),
            **{name: getattr(self, name).copy() for name in ARRAYS},
        )


@dataclass(frozen=True)
class Today:
    """What was fixed at midnight, and the books of the day.

    `money` int64[media] in cents; `prices` float64[media] in EUR per contact, click or
    message; `pressure` float64[media] in contacts per member of the audience.
    """

    money: np.ndarray
    prices: np.ndarray
    pressure: np.ndarray
    media: np.ndarray
    channels: np.ndarray
    company: np.ndarray


class Simulation(mesa.Model):
    """One firm in one market, in one replication, under one strategy at a time.

    `step` lives one day; nothing reads Mesa's own counters and generators.
    """

    def __init__(self, spec: ExperimentSpec, replication: int, state: State | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.market = spec.market
        self.replication = replication
        self.root = streams.replication_key(spec.seed, replication)
        self.media = sorted(self.market.media)
        self.channels = sorted(self.market.channels)
        self.history_days = spec.horizon.history_weeks * DAYS_IN_WEEK
        self._media_labels = np.array([streams.label(name) for name in self.media], np.uint64)
        self._channel_labels = np.array([streams.label(c) for c in self.channels], np.uint64)
        self._reach = contacts.reach(self.market)
        self._scratch = (
            np.empty(contacts.TILE, np.uint64),
            np.empty(contacts.TILE),
            np.empty((len(self._reach.mass), contacts.TILE), np.int32),
        )
        self.state = state if state is not None else self._first_state()
        self.env = simpy.Environment(initial_time=self.state.day)
        self.deciders: tuple[Decider, ...] = ()
        self.change = np.ones(len(self.media))

    def _first_state(self) -> State:
        market = self.market
        day = -market.burn_in_weeks * DAYS_IN_WEEK
        split = market.start_split()
        media, channels = len(self.media), len(self.channels)
        return State(
            day=day,
            people=people.born(market, self.root, day),
            budgets={},
            shares=np.array([split[name] for name in self.media]),
            planned=np.zeros(media, np.int64),
            spent=np.zeros(media, np.int64),
            media_book=np.zeros((max(1, media), contacts.MEDIA_FIELDS), np.int64),
            channel_book=np.zeros((channels, journeys.CHANNEL_FIELDS), np.int64),
            company_book=np.zeros(journeys.COMPANY_FIELDS, np.int64),
            searches=np.full((AUDIENCE_MEMORY, 2), -1.0),
            aimable=-1.0,
            writable=-1.0,
            wander=np.zeros(media),
            ledger=Ledger(day // DAYS_IN_WEEK),
            agenda=[],
        )

    # -- strategy ---------------------------------------------------------------------

    def adopt(self, strategy: Strategy) -> None:
        """Let a strategy decide from today on; its reviews begin today."""
        self.strategy = strategy
        self._scopes = budget_scopes(strategy, self.media)
        self.deciders = deciders(strategy, self.media, self)
        self.world = journeys.world(self.market, strategy, self.root)
        today = self.state.day
        self.state.budgets = self._split(self._year_cents())
        self.state.agenda = [
            Appointment(today + DAYS_IN_YEAR - today % DAYS_IN_YEAR, YEAR, "", "year"),
            Appointment(today, DAY, "", "day"),
            Appointment(today, WEEK, "", "week"),
            *(Appointment(today, REVIEW, decider.key, "review") for decider in self.deciders),
        ]
        self._open_agenda()

    def _open_agenda(self) -> None:
        """Start a SimPy process for every appointment, in the order they are due."""
        self.env = simpy.Environment(initial_time=self.state.day)
        for appointment in sorted(self.state.agenda):
            self.env.process(self._keep(appointment))

    def _keep(self, appointment: Appointment) -> Generator[simpy.Event, None, None]:
        while True:
            yield self._at(appointment)
            follow_up = replace(appointment, due=appointment.due + self._happen(appointment))
            agenda = self.state.agenda
            agenda[agenda.index(appointment)] = follow_up
            appointment = follow_up

    def _at(self, appointment: Appointment) -> simpy.Event:
        """Return an event of SimPy for an appointment.

        Events of one day follow their priority, and within it their key: SimPy's own
        order, that of scheduling, would differ after a resume.
        """
        keys = sorted({entry.key for entry in self.state.agenda})
        event = simpy.Event(self.env)
        event._ok, event._value = True, None
        rank = appointment.priority * (len(keys) + 1) + keys.index(appointment.key)
        priority = EventPriority(rank + 2)  # after SimPy's own urgent and normal ones
        self.env.schedule(event, priority, delay=appointment.due - self.env.now)
        return event

    def _happen(self, appointment: Appointment) -> int:
        """Do what is due and return the days until it is due again."""
        if appointment.kind == "year":
            growth = self.strategy.incentives.growth
            self.state.budgets = next_budgets(self.state.budgets, growth, self._year_cents())
            return DAYS_IN_YEAR
        if appointment.kind == "review":
            decider = next(d for d in self.deciders if d.key == appointment.key)
            self._review(decider)
            return self.strategy.steering.review_weeks * DAYS_IN_WEEK
        if appointment.kind == "week":
            self._plan_week()
            return DAYS_IN_WEEK
        self._live_day()
        return 1

    @property
    def people(self) -> People:
        """Return everybody."""
        return self.state.people

    # -- running ----------------------------------------------------------------------

    def step(self) -> None:
        """Live one day."""
        self.env.run(until=self.state.day + 1)

    def run_to(self, day: int) -> None:
        """Live until the morning of a day."""
        if day > self.state.day:
            self.env.run(until=day)

    def person(self, identity: int) -> Person:
        """Return a view on one person; raises KeyError for an unknown id."""
        return Person(self, self.state.people.row_of(identity))

    def fork(self, strategy: Strategy) -> Simulation:
        """Return a second world that shares everything until today and goes its own way."""
        twin = Simulation(self.spec, self.replication, self.state.copy())
        twin.adopt(strategy)
        return twin

    # -- steering ---------------------------------------------------------------------

    def _review(self, decider: Decider) -> None:
        """Let one who decides split the money of its scope, on what it is shown."""
        if self.state.day < 0 or not decider.media:
            return
        rows = [self.media.index(name) for name in decider.media]
        scope = self.state.shares[rows].sum()
        if scope <= 0:
            return
        self.state.shares[rows] = scope * decider.decide(self._view(decider, rows))

    def _view(self, decider: Decider, rows: list[int]) -> View:
        """Show what this decider may see: reports, late and noisy where they have travelled."""
        week = self.state.day // DAYS_IN_WEEK
        after = max(0, week - decider.delay_weeks)
        ledger = self.state.ledger
        credit = attribution.read(
            decider.reads,
            decider.company_weight,
            ledger.media_column("reported_claims", 0, after)[:, rows],
            ledger.media_column("reported_last_touch", 0, after)[:, rows],
        )
        if decider.noise > 0:
            luck = self._report_luck(decider, after)
            credit = attribution.distorted(credit, decider.noise, luck)
        shares = self.state.shares[rows]
        return View(
            media=decider.media,
            spend=ledger.media_column("planned_cents", 0, after)[:, rows] / 100,
            credit=credit,
            weeks_ago=week - np.arange(after),
            shares=shares / shares.sum(),
            used=ledger.media_column("spent_cents", 0, after)[:, rows] / 100,
        )

    def _report_luck(self, decider: Decider, weeks: int) -> np.ndarray:
        """Return the standard normal luck of reports that have travelled ([weeks, media])."""
        return np.array(
            [
                [streams.normal(self.root, streams.REPORT_NOISE, name, w) for name in decider.media]
                for w in range(weeks)
            ]
        ).reshape(weeks, len(decider.media))

    def _year_cents(self) -> int:
        return round(self.market.budget * 100)

    def _split(self, cents: int) -> dict[str, int]:
        """Return what each scope gets of a sum, by the shares that its media hold."""
        if not self._scopes:
            return {}
        shares = dict(zip(self.media, self.state.shares.tolist(), strict=True))
        return split_budget(cents, self._scopes, shares)

    def _plan_week(self) -> None:
        """Turn every scope's money of the week into cents per medium."""
        week = self.state.day // DAYS_IN_WEEK
        shares = self._varied(week)
        planned = np.zeros(len(self.media), np.int64)
        for scope, names in self._scopes.items():
            rows = [self.media.index(name) for name in names]
            money = weekly_plan(self.state.budgets[scope])[week % WEEKS_IN_YEAR]
            planned[rows] = largest_remainder(money, shares[rows])
        self.state.planned = np.rint(planned * self.change).astype(np.int64)
        self.state.spent = np.zeros_like(planned)

    def _varied(self, week: int) -> np.ndarray:
        """Return shares varied a little around the plan, so that there is something to learn.

        A variation lasts for a review window: goodwill needs weeks to follow money.
        """
        shares = self.state.shares.copy()
        steering = self.strategy.steering
        window = week // steering.review_weeks
        if week < 0 or steering.kind not in ("siloed", "central"):
            return shares
        for decider in self.deciders:
            rows = [self.media.index(name) for name in decider.media]
            luck = [
                streams.normal(self.root, streams.EXPLORATION, name, window)
                for name in decider.media
            ]
            varied = shares[rows] * np.exp(steering.exploration * np.array(luck))
            shares[rows] = shares[rows].sum() * varied / varied.sum()
        return shares

    # -- the day ----------------------------------------------------------------------

    def _live_day(self) -> None:
        self.dawn()
        self.live_rows(0, len(self.state.people))
        self.dusk()

    def dawn(self) -> None:
        """Fix at midnight what the day will bring: season, drift, prices, pressure."""
        state, market = self.state, self.market
        self._drift(state.day)
        years = contacts.years_from_fork(state.day, self.history_days)
        money = self._money_today(state.day)
        first = np.array([contacts.price(market, market.media[m], years) for m in self.media])
        pressure, prices = self._pressure(money, first)
        journeys.set_day(self.world, market, state.day, self.history_days, state.wander, pressure)
        books = (state.media_book, state.channel_book, state.company_book)
        self.today = Today(money, prices, pressure, *(np.zeros_like(book) for book in books))

    def live_rows(self, first: int, last: int) -> None:
        """Live today in the rows [first, last); raises AttributeError before a first `dawn`."""
        today, who, world, reach = self.today, self.state.people, self.world, self._reach
        keys = streams.keys(self.root, self.state.day)
        thresholds, terms = contacts.thresholds(reach, today.pressure)
        rules = world.rules[0]
        with np.errstate(over="ignore"):
            contacts.meet(
                first, last, self.state.day, keys, self._media_labels,
                rules.attention, rules.rival_contacts,
                reach.decay, reach.mass, reach.click, thresholds, terms,
                who.ids, who.reach, who.bounds, who.goodwill, who.viewed, who.pushed,
                *self._scratch, today.media,
            )  # fmt: skip
            journeys.live(
                first, last, self.state.day, keys, self._media_labels, self._channel_labels,
                world.rules, world.media, world.segments, world.channels,
                world.prefers, world.success, world.lost,
                world.messages, world.visitors, world.searchers, world.brands,
                who.ids, who.state, who.goodwill, who.clicked, who.viewed,
                who.walk_clicked, who.walk_viewed, who.pushed,
                today.media, today.channels, today.company,
            )  # fmt: skip

    def dusk(self) -> None:
        """Charge and book the day; at the week's end close the week."""
        state, today = self.state, self.today
        self._charge(today)
        state.searches[state.day % AUDIENCE_MEMORY] = (
            today.company[journeys.SEARCHES],
            today.company[journeys.BRAND_SEARCHES],
        )
        state.aimable = float(today.company[journeys.AIMABLE])
        state.writable = float(today.company[journeys.WRITABLE])
        state.media_book += today.media
        state.channel_book += today.channels
        state.company_book += today.company
        state.day += 1
        if state.day % DAYS_IN_WEEK == 0:
            self._close_week()

    def _drift(self, day: int) -> None:
        """Let every medium's log pull take its weekly step of the random walk."""
        if self.market.drift and day >= 0 and day % DAYS_IN_WEEK == 0:
            steps = [streams.normal(self.root, streams.DRIFT, name, day) for name in self.media]
            self.state.wander = self.state.wander + self.market.drift * np.array(steps)

    def _money_today(self, day: int) -> np.ndarray:
        """Return today's cents: what is left of the week over the days that are left.

        Under open-loop pressure the week is cut in seven whatever has been spent, for what
        is spent hangs on everybody's day.
        """
        gone, planned = day % DAYS_IN_WEEK, self.state.planned
        money: np.ndarray = (planned - self.state.spent) // (DAYS_IN_WEEK - gone)
        if self.market.pressure == "open":
            money = planned * (gone + 1) // DAYS_IN_WEEK - planned * gone // DAYS_IN_WEEK
        return money

    def _pressure(self, money: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return contacts a day per member of each medium's audience, and what they cost.

        Fixed at midnight. Searches are auctioned: whoever wants to be shown in more of them
        pays more for each, so that a share of 1 - exp(-p) is shown for the money that would
        buy a share p at the first price.
        """
        pressure, charged = np.zeros(len(self.media)), prices.copy()
        for m, name in enumerate(self.media):
            medium = self.market.media[name]
            audience = self._audience(name)
            bought = money[m] / 100 / prices[m]
            if medium.payment == "per_click":
                bought = bought / medium.click_rate if medium.click_rate > 0 else 0.0
            pressure[m] = bought / audience if audience > 0 else 0.0
            if medium.aim in ("searchers", "brand_searchers") and pressure[m] > 0:
                shown = -math.expm1(-pressure[m])
                charged[m] *= pressure[m] / shown
                pressure[m] = shown
            elif medium.aim == "customers":
                pressure[m] = min(pressure[m], contacts.weekly_cap(medium))
        return pressure, charged

    def _audience(self, name: str) -> float:
        """Return the audience counted at midnight, or the planned one, in real persons."""
        aim = self.market.media[name].aim
        planned = contacts.planned_audience(self.market, name)
        if aim == "everybody" or self.market.pressure == "open":
            return planned
        if aim in ("searchers", "brand_searchers"):
            seen = self.state.searches[:, 0 if aim == "searchers" else 1]
            counted = float(seen[seen >= 0].mean()) if (seen >= 0).any() else -1.0
        else:
            counted = self.state.aimable if aim == "visitors" else self.state.writable
        return planned if counted < 0 else counted * self.market.weight

    def _charge(self, today: Today) -> None:
        """Charge what was delivered, at most the day's money; the excess is made good."""
        for m, name in enumerate(self.media):
            clicks = self.market.media[name].payment == "per_click"
            units = today.media[m, contacts.CLICKS if clicks else contacts.CONTACTS]
            cost = round(float(units) * self.market.weight * today.prices[m] * 100)
            self.state.spent[m] += min(cost, int(today.money[m]))

    # -- the week's books ---------------------------------------------------------------

    def _close_week(self) -> None:
        """Book the week at the real firm's size and begin an empty one."""
        state = self.state
        state.ledger.book(self._media_week(), self._channel_week(), self._company_week())
        for book in (state.media_book, state.channel_book, state.company_book):
            book[:] = 0

    def _media_week(self) -> np.ndarray:
        state, weight = self.state, self.market.weight
        week = state.ledger.next_week
        book = state.media_book[: len(self.media)] * weight
        expected_touch = book[:, contacts.SEEN_LAST_TOUCH] / journeys.PROBABILITY
        expected_claims = book[:, contacts.SEEN_CLAIMS] / journeys.PROBABILITY
        luck = np.array(
            [streams.normal(self.root, streams.REPORT_COUNT, name, week) for name in self.media]
        )
        columns = {
            "planned_cents": state.planned,
            "spent_cents": state.spent,
            "contacts": book[:, contacts.CONTACTS],
            "clicks": book[:, contacts.CLICKS],
            "contacts_to_recent_buyers": book[:, contacts.RECENT_BUYERS],
            "last_touch": book[:, contacts.LAST_TOUCH],
            "expected_last_touch": expected_touch,
            "claims": book[:, contacts.CLAIMS],
            "expected_claims": expected_claims,
            "reported_last_touch": attribution.counted(expected_touch, luck),
            "reported_claims": attribution.counted(expected_claims, luck),
        }
        return np.column_stack([columns[name] for name in MEDIA_COLUMNS]).astype(float)

    def _channel_week(self) -> np.ndarray:
        market = self.market
        book = self.state.channel_book * market.weight
        specs = [market.channels[name] for name in self.channels]
        expected = book[:, journeys.EXPECTED] / journeys.PROBABILITY
        expected_new = book[:, journeys.EXPECTED_NEW] / journeys.PROBABILITY
        repeat = market.buying.repeat_basket
        gross = book[:, journeys.CENTS] / 100
        baskets = np.array([spec.basket for spec in specs])
        expected_gross = baskets * (expected_new + repeat * (expected - expected_new))
        kept = np.array([(1 - spec.returned) / (1 + market.vat) for spec in specs])
        margin = kept * np.array([spec.margin for spec in specs])
        serve = np.array([spec.cost_to_serve for spec in specs])
        columns = {
            "visits": book[:, journeys.VISITS],
            "orders": book[:, journeys.ORDERS],
            "expected_orders": expected,
            "new_customers": book[:, journeys.NEW],
            "expected_new_customers": expected_new,
            "revenue_gross": gross,
            "expected_revenue_gross": expected_gross,
            "revenue_net": gross * kept,
            "expected_revenue_net": expected_gross * kept,
            "margin": gross * margin,
            "expected_margin": expected_gross * margin,
            "cost_to_serve": book[:, journeys.ORDERS] * serve,
            "expected_cost_to_serve": expected * serve,
        }
        return np.column_stack([columns[name] for name in CHANNEL_COLUMNS]).astype(float)

    def _company_week(self) -> np.ndarray:
        state, weight = self.state, self.market.weight
        book = state.company_book * weight
        who = state.people.state
        year_ago = state.day - DAYS_IN_YEAR
        active = who.last_order >= year_ago
        both = (who.last_online >= year_ago) & (who.last_offline >= year_ago)
        customers = who.status == people.CUSTOMER
        week = state.ledger.next_week % WEEKS_IN_YEAR
        budget = sum(weekly_plan(cents)[week] for cents in state.budgets.values())
        allocated = int(state.planned.sum())
        columns = {
            "budget_cents": budget,
            "allocated_cents": allocated,
            "held_back_cents": budget - allocated,
            "spent_cents": int(state.spent.sum()),
            "needs": book[journeys.NEEDS],
            "walks": book[journeys.WALKS],
            "lost_inform": book[journeys.LOST_INFORM],
            "lost_evaluate": book[journeys.LOST_EVALUATE],
            "lost_buy": book[journeys.LOST_BUY],
            "hand_overs_made": book[journeys.MADE],
            "hand_overs_missed": book[journeys.MISSED],
            "drop_outs": book[journeys.DROPPED],
            "tracked_orders": book[journeys.TRACKED],
            "searches": book[journeys.SEARCHES],
            "brand_searches": book[journeys.BRAND_SEARCHES],
            "department_claims": book[journeys.DEPARTMENT_CLAIMS],
            "expected_department_claims": book[journeys.SEEN_DEPARTMENT_CLAIMS]
            / journeys.PROBABILITY,
            "customers": active.sum() * weight,
            "multichannel_customers": both.sum() * weight,
            "satisfaction": float(who.satisfaction[customers].astype(float).mean())
            if customers.any()
            else 0.0,
        }
        return np.array([columns[name] for name in COMPANY_COLUMNS], float)


def shared_history(spec: ExperimentSpec, replication: int) -> Simulation:
    """Live the burn-in and the shared history under what the firm does today."""
    simulation = Simulation(spec, replication)
    simulation.adopt(spec.status_quo)
    simulation.run_to(spec.horizon.history_weeks * DAYS_IN_WEEK)
    return simulation


def simulate(
    spec: ExperimentSpec, replication: int, arms: Iterable[str] | None = None
) -> dict[str, Records]:
    """Live one replication: the history once, then every arm from the same fork.

    Weeks of the records count from the fork: history is negative, burn-in is left out.
    """
    history = shared_history(spec, replication)
    last_day = history.state.day + spec.horizon.weeks * DAYS_IN_WEEK
    lived = {}
    for name in sorted(spec.arms if arms is None else arms):
        arm = history.fork(spec.arms[name])
        arm.run_to(last_day)
        lived[name] = _since_history(arm, name, replication)
    return lived


def _since_history(arm: Simulation, name: str, replication: int) -> Records:
    ledger = arm.state.ledger
    skip = max(0, -ledger.first_week)
    told = Ledger(
        -arm.spec.horizon.history_weeks,
        ledger.media[skip:],
        ledger.channels[skip:],
        ledger.company[skip:],
    )
    return records(told, name, replication, arm.media, arm.channels)
