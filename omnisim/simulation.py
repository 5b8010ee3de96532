"""The world's clock: builds the actors, runs days, forks the arms from one history.

SimPy has the time, Mesa the actors who decide. Everything that a day changes lies in
`State`, in plain arrays; appointments wait as dataclasses, so that a fork is a copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import mesa
import numpy as np
import simpy

from omnisim import attribution, contacts, journeys, people, streams
from omnisim.allocation import View, largest_remainder
from omnisim.people import People
from omnisim.records import (
    CHANNEL_COLUMNS,
    COMPANY_COLUMNS,
    MEDIA_COLUMNS,
    Ledger,
    Records,
    records,
)
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, WEEKS_IN_YEAR, ExperimentSpec, Strategy
from omnisim.steering import Decider, deciders

MODEL_SOURCES = (
    "spec streams people contacts journeys records attribution allocation departments "
    "steering simulation"
).split()
AUDIENCE_MEMORY = DAYS_IN_WEEK


def _model_version() -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for name in MODEL_SOURCES:
        digest.update((here / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


MODEL_VERSION = _model_version()


@dataclass(frozen=True, order=True)
class Appointment:
    """Something that will happen: on a day, in an order within the day, to somebody."""

    due: int
    priority: int
    key: str
    kind: Literal["review", "week", "day"]


REVIEW, WEEK, DAY = 1, 2, 9  # order within a day


@dataclass
class State:
    """All that a day can change.

    `shares` float64[media] of the company's budget as decided; `planned` and `spent`
    int64[media] cents of the week under way; the books of the week under way; `searches`
    float64[memory, 2] the last days' searches and brand searches (agents); `aimable` and
    `writable` the audiences counted at midnight (agents).
    """

    day: int
    people: People
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
            **{
                name: getattr(self, name).copy()
                for name in (
                    "shares planned spent media_book channel_book company_book searches wander"
                ).split()
            },
        )


class Simulation(mesa.Model):  # type: ignore[misc]  # Mesa 3.3 ships no types
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

    def _first_state(self) -> State:
        market = self.market
        day = -market.burn_in_weeks * DAYS_IN_WEEK
        split = market.start_split()
        media, channels = len(self.media), len(self.channels)
        return State(
            day=day,
            people=people.born(market, self.root, day),
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
        self.deciders = deciders(strategy, self.media, self)
        self.world = journeys.world(self.market, strategy, self.root)
        today = self.state.day
        self.state.agenda = [
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
        self.env.schedule(event, priority=rank + 2, delay=appointment.due - self.env.now)
        return event

    def _happen(self, appointment: Appointment) -> int:
        """Do what is due and return the days until it is due again."""
        if appointment.kind == "review":
            decider = next(d for d in self.deciders if d.key == appointment.key)
            self._review(decider)
            return self.strategy.steering.review_weeks * DAYS_IN_WEEK
        if appointment.kind == "week":
            self._plan_week()
            return DAYS_IN_WEEK
        self._live_day()
        return 1

    # -- running ----------------------------------------------------------------------

    def step(self) -> None:
        """Live one day."""
        self.env.run(until=self.state.day + 1)

    def run_to(self, day: int) -> None:
        """Live until the morning of a day."""
        if day > self.state.day:
            self.env.run(until=day)

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
            luck = [
                [streams.normal(self.root, streams.REPORT_NOISE, m, w) for m in decider.media]
                for w in range(len(credit))
            ]
            credit = attribution.distorted(credit, decider.noise, np.array(luck).reshape(credit.shape))
        shares = self.state.shares[rows]
        return View(
            media=decider.media,
            spend=ledger.media_column("spent_cents", 0, after)[:, rows] / 100,
            credit=credit,
            weeks_ago=week - np.arange(after),
            shares=shares / shares.sum(),
        )

    def _plan_week(self) -> None:
        """Turn shares into this week's cents, varied a little so that there is something to learn."""
        if not self.media:
            return
        week = self.state.day // DAYS_IN_WEEK
        shares = self.state.shares.copy()
        eta = self.strategy.steering.exploration
        for decider in self.deciders if week >= 0 else ():
            if eta > 0 and decider.explores and len(decider.media) > 1:
                rows = [self.media.index(name) for name in decider.media]
                luck = [
                    streams.normal(self.root, streams.EXPLORATION, name, week)
                    for name in decider.media
                ]
                varied = shares[rows] * np.exp(eta * np.array(luck))
                shares[rows] = shares[rows].sum() * varied / varied.sum()
        money = largest_remainder(self._week_budget(week), shares)
        self.state.planned, self.state.spent = money, np.zeros_like(money)

    def _week_budget(self, week: int) -> int:
        """Return a week's cents, so that 52 weeks are the year's budget to the cent."""
        year = round(self.market.budget * 100)
        nth = week % WEEKS_IN_YEAR
        return year * (nth + 1) // WEEKS_IN_YEAR - year * nth // WEEKS_IN_YEAR

    # -- the day ----------------------------------------------------------------------

    def _live_day(self) -> None:
        state, market = self.state, self.market
        day = state.day
        self._drift(day)
        money = self._money_today(day)
        years = contacts.years_from_fork(day, self.history_days)
        prices = np.array([contacts.price(market, market.media[m], years) for m in self.media])
        pressure = self._pressure(money, prices)
        media, channel, company = (
            np.zeros_like(book)
            for book in (state.media_book, state.channel_book, state.company_book)
        )
        journeys.set_day(self.world, market, day, self.history_days, state.wander, pressure)
        self.run_rows(0, len(state.people), pressure, media, channel, company)
        self._charge(media, money, prices)
        state.searches[day % AUDIENCE_MEMORY] = (
            company[journeys.SEARCHES],
            company[journeys.BRAND_SEARCHES],
        )
        state.aimable = float(company[journeys.AIMABLE])
        state.writable = float(company[journeys.WRITABLE])
        state.media_book += media
        state.channel_book += channel
        state.company_book += company
        state.day = day + 1
        if state.day % DAYS_IN_WEEK == 0:
            self._close_week()

    def run_rows(
        self,
        first: int,
        last: int,
        pressure: np.ndarray,
        media: np.ndarray,
        channel: np.ndarray,
        company: np.ndarray,
    ) -> None:
        """Live today in the rows [first, last) and count it into the three books."""
        day, who, world = self.state.day, self.state.people, self.world
        keys = streams.keys(self.root, day)
        thresholds, terms = contacts.thresholds(self._reach, pressure)
        reach, rules = self._reach, world.rules[0]
        with np.errstate(over="ignore"):
            contacts.meet(
                first, last, day, keys, self._media_labels,
                rules.attention, rules.rival_contacts,
                reach.decay, reach.mass, reach.click, thresholds, terms,
                who.ids, who.reach, who.bounds, who.goodwill, who.viewed, who.pushed,
                *self._scratch, media,
            )  # fmt: skip
            journeys.live(
                first, last, day, keys, self._media_labels, self._channel_labels,
                world.rules, world.media, world.segments, world.channels,
                world.prefers, world.success, world.lost,
                world.messages, world.visitors, world.searchers, world.brands,
                who.ids, who.state, who.goodwill, who.clicked, who.viewed,
                who.walk_clicked, who.walk_viewed, who.pushed, media, channel, company,
            )  # fmt: skip

    def _drift(self, day: int) -> None:
        """Let every medium's log pull take its weekly step of the random walk."""
        if self.market.drift and day >= 0 and day % DAYS_IN_WEEK == 0:
            steps = [streams.normal(self.root, streams.DRIFT, name, day) for name in self.media]
            self.state.wander = self.state.wander + self.market.drift * np.array(steps)

    def _money_today(self, day: int) -> np.ndarray:
        """Return today's cents: what is left of the week over the days that are left."""
        left = DAYS_IN_WEEK - day % DAYS_IN_WEEK
        return (self.state.planned - self.state.spent) // left

    def _pressure(self, money: np.ndarray, prices: np.ndarray) -> np.ndarray:
        """Return contacts a day per member of each medium's audience, fixed at midnight."""
        pressure = np.zeros(len(self.media))
        for m, name in enumerate(self.media):
            medium = self.market.media[name]
            audience = self._audience(name)
            bought = money[m] / 100 / prices[m] / self.market.weight
            if medium.payment == "per_click":
                bought = bought / medium.click_rate if medium.click_rate > 0 else 0.0
            pressure[m] = bought / audience if audience > 0 else 0.0
            if medium.aim in ("searchers", "brand_searchers"):
                pressure[m] = min(pressure[m], 1.0)
            elif medium.aim == "customers":
                pressure[m] = min(pressure[m], contacts.weekly_cap(medium))
        return pressure

    def _audience(self, name: str) -> float:
        """Return the audience counted at midnight, or the planned one, in agents."""
        aim = self.market.media[name].aim
        planned = contacts.planned_audience(self.market, name)
        if aim == "everybody" or self.market.pressure == "open":
            return planned
        if aim in ("searchers", "brand_searchers"):
            seen = self.state.searches[:, 0 if aim == "searchers" else 1]
            counted = float(seen[seen >= 0].mean()) if (seen >= 0).any() else -1.0
        else:
            counted = self.state.aimable if aim == "visitors" else self.state.writable
        return planned if counted < 0 else counted

    def _charge(self, media: np.ndarray, money: np.ndarray, prices: np.ndarray) -> None:
        """Charge what was delivered, at most the day's money; the excess is made good."""
        for m, name in enumerate(self.media):
            clicks = self.market.media[name].payment == "per_click"
            units = media[m, contacts.CLICKS if clicks else contacts.CONTACTS]
            cost = round(float(units) * self.market.weight * prices[m] * 100)
            self.state.spent[m] += min(cost, int(money[m]))

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
        budget = self._week_budget(state.ledger.next_week) if self.media else 0
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
