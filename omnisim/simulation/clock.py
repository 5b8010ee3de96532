"""The world's clock: builds the actors, runs days, forks the arms from one history.

SimPy has the time, Mesa the actors who decide. Everything that a day changes lies in
`State`, in plain arrays; appointments wait as dataclasses, so that a fork is a copy.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Literal

import mesa
import numpy as np
import simpy
from simpy.events import EventPriority

from omnisim import allocation, attribution, paths, rollout, streams
from omnisim.allocation import View
from omnisim.departments import Department, company_weight
from omnisim.people import People, Person
from omnisim.records import Ledger
from omnisim.simulation import budgets, halves, ideas, linking, moves, targets, truth
from omnisim.simulation.crowd import Crowd, CrowdState
from omnisim.simulation.population import Living, population
from omnisim.spec import (
    DAYS_IN_WEEK,
    DAYS_IN_YEAR,
    GIVEN,
    HALVES,
    ORACLE,
    WEEKS_IN_YEAR,
    Calibration,
    ExperimentSpec,
    Strategy,
    budget_scopes,
)
from omnisim.steering import Decider, OmnichannelManager, deciders


@dataclass(frozen=True, order=True)
class Appointment:
    """Something that will happen: on a day, in an order within the day, to somebody."""

    due: int
    priority: int
    key: str
    kind: Literal[
        "year", "board", "review", "trade", "committee", "request", "trial", "idea", "week", "day"
    ]


# order within a day
YEAR, BOARD, REVIEW, TRADE, COMMITTEE, REQUEST, TRIAL, IDEA, WEEK, DAY = range(10)
LONGEST = 200  # bytes of a key by which appointments of one priority are told apart
NO_MORE_WEEKS = 10_000
OVER = 0  # days until an appointment that does not come again


@dataclass
class State:
    """All that a day can change.

    `adopted` is the day on which the present strategy took over; `budgets` in cents of the
    year under way by scope; `shares` float64[media] of the company's budget as decided;
    `carried` what of it rolled over; `unspent` and `unplanned` what of it, week by week, was
    not spent and not even planned; `planned` and `spent` int64[media] cents of the week;
    `wander` float64[media] what drift has added to every log pull; `links` how far sales
    channels are linked; `released` float64[media] the part of a plan that is not held back;
    `tilt` float64[HALVES, media] the money a head that each half of the regions gets, against
    that of all; `touch`
    float64[channels] what ideas have added to the log of success, and `trials` what tests
    under way will show, with the error of it; `targets` are what departments should reach in
    the year, `reached` what they have.
    """

    day: int
    adopted: int
    budgets: dict[str, int]
    shares: np.ndarray
    planned: np.ndarray
    spent: np.ndarray
    wander: np.ndarray
    ledger: Ledger
    agenda: list[Appointment]
    links: rollout.Links
    population: Living
    released: np.ndarray
    tilt: np.ndarray
    touch: np.ndarray
    trials: dict[str, tuple[float, float]] = field(default_factory=dict)
    targets: dict[str, float] = field(default_factory=dict)
    reached: dict[str, float] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)
    unspent: dict[str, int] = field(default_factory=dict)
    unplanned: dict[str, int] = field(default_factory=dict)

    @property
    def people(self) -> People:
        """Return everybody; raises AttributeError in a market without people."""
        if not isinstance(self.population, CrowdState):
            raise AttributeError("a textbook market has no people")
        return self.population.people

    def copy(self) -> State:
        """Return a state that can go its own way."""
        arrays = ("shares", "planned", "spent", "wander", "released", "tilt", "touch")
        sums = ("budgets", "carried", "unspent", "unplanned", "trials", "targets", "reached")
        return replace(
            self,
            ledger=self.ledger.copy(),
            agenda=list(self.agenda),
            population=self.population.copy(),
            **{name: getattr(self, name).copy() for name in (*arrays, *sums)},
        )


class Simulation(mesa.Model):
    """One firm in one market, in one replication, under one strategy at a time.

    `step` lives one day; nothing reads Mesa's own counters and generators.
    """

    def __init__(
        self,
        spec: ExperimentSpec,
        replication: int,
        state: State | None = None,
        rules: tuple[paths.Rule, ...] | None = None,
    ) -> None:
        super().__init__()
        self.spec = spec
        self.market = spec.market
        self.replication = replication
        self.root = streams.replication_key(spec.seed, replication)
        self.media = sorted(self.market.media)
        self.channels = sorted(self.market.channels)
        self.fork_day = spec.horizon.history_weeks * DAYS_IN_WEEK
        self.rules = _rules(spec) if rules is None else rules
        self.population = population(self.market, self.root, self.fork_day, self.rules)
        self.terms = rollout.terms_of(self.market)
        self.strategy = spec.status_quo
        self.state = state if state is not None else self._first_state()
        self.env = simpy.Environment(initial_time=self.state.day)
        self.deciders: tuple[Decider, ...] = ()
        self.scopes: dict[str, tuple[str, ...]] = {}
        self._heard = 0
        self.change = np.ones(len(self.media))
        self.beliefs: list[tuple[int, str, float]] | None = None  # kept where it is a list

    def _first_state(self) -> State:
        day = -self.market.burn_in_weeks * DAYS_IN_WEEK
        split = self.market.start_split()
        media = len(self.media)
        return State(
            day=day,
            adopted=day,
            budgets={},
            shares=np.array([split[name] for name in self.media]),
            planned=np.zeros(media, np.int64),
            spent=np.zeros(media, np.int64),
            wander=np.zeros(media),
            ledger=Ledger(day // DAYS_IN_WEEK),
            agenda=[],
            links=rollout.unplanned(linking.levels(self.strategy, self.terms)),
            population=self.population.born(day),
            released=np.ones(media),
            tilt=np.ones((HALVES, media)),
            touch=np.zeros(len(self.channels)),
        )

    # -- strategy ---------------------------------------------------------------------

    def adopt(self, strategy: Strategy) -> None:
        """Let a strategy decide from today on; its reviews begin today."""
        ideas.abandon(self)
        linking.adopt(self, strategy)
        self._follow(strategy)
        today = self.state.day
        budgets.open_books(self)
        if not strategy.steering.holds_back:
            self.state.released = np.ones(len(self.media))
        self.state.tilt = np.ones((HALVES, len(self.media)))
        self.state.agenda = self._first_agenda()
        self.state.adopted = today
        self._open_agenda()

    def _first_agenda(self) -> list[Appointment]:
        today, words = self.state.day, self.strategy.steering
        new_year = today + DAYS_IN_YEAR - today % DAYS_IN_YEAR
        agenda = [
            Appointment(new_year, YEAR, "", "year"),
            Appointment(today, DAY, "", "day"),
            Appointment(today, WEEK, "", "week"),
        ]
        reviewers = [d.key for d in self.deciders if not self._is_ordered(d)]
        if words.kind in ("oracle", "given"):
            reviewers.append(f"({words.kind})")
        agenda += [Appointment(today, REVIEW, key, "review") for key in reviewers]
        if self.strategy.trying.ideas > 0:
            agenda.append(Appointment(max(today, 0), IDEA, "", "idea"))
        match words.kind:
            case "bottom_up":
                agenda.append(Appointment(today, BOARD, "", "board"))
            case "side_by_side":
                agenda.append(Appointment(today, TRADE, "", "trade"))
            case "siloed" if words.committee > 0:
                first = today + words.committee * DAYS_IN_WEEK
                agenda.append(Appointment(first, COMMITTEE, "", "committee"))
        return agenda

    def _is_ordered(self, decider: Decider) -> bool:
        """Tell whether somebody reviews together with a manager whose mandate is partial."""
        manager = next((d for d in self.deciders if isinstance(d, OmnichannelManager)), None)
        return manager is not None and not manager.obeyed and decider is not manager

    def resume(self, strategy: Strategy, change: np.ndarray) -> None:
        """Go on under a strategy adopted on an earlier day: what waits in the agenda is kept."""
        self._follow(strategy)
        self.change = change
        self._open_agenda()

    def _follow(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.scopes = budget_scopes(strategy, self.media)
        self.deciders = deciders(strategy, self.media, self)
        linking.settle(self)

    def _open_agenda(self) -> None:
        """Start a SimPy process for every appointment, in the order they are due."""
        self.env = simpy.Environment(initial_time=self.state.day)
        for appointment in sorted(self.state.agenda):
            self.env.process(self._keep(appointment))

    def _keep(self, appointment: Appointment) -> Generator[simpy.Event, None, None]:
        while True:
            yield self._at(appointment)
            days = self._happen(appointment)
            nth = self.state.agenda.index(appointment)
            if days == OVER:
                del self.state.agenda[nth]
                return
            appointment = replace(appointment, due=appointment.due + days)
            self.state.agenda[nth] = appointment

    def _at(self, appointment: Appointment) -> simpy.Event:
        """Return an event of SimPy for an appointment.

        Events of one day follow their priority, and within it their key, whenever they were
        made: SimPy's own order, that of scheduling, would differ after a resume. Priorities
        of SimPy are whole numbers, so that the key is read as one.
        """
        event = simpy.Event(self.env)
        event._ok, event._value = True, None
        key = int.from_bytes(appointment.key.encode()[:LONGEST].ljust(LONGEST, b"\0"), "big")
        rank = (appointment.priority << 8 * LONGEST) + key
        priority = EventPriority(rank + 2)  # after SimPy's own urgent and normal ones
        self.env.schedule(event, priority, delay=appointment.due - self.env.now)
        return event

    def _happen(self, appointment: Appointment) -> int:
        """Do what is due and return the days until it is due again."""
        if appointment.kind == "year":
            budgets.new_year(self)
            return DAYS_IN_YEAR
        if appointment.key == GIVEN:
            return self._take_given()
        if appointment.key == ORACLE:
            first = self.state.day == self.state.adopted
            rounds = truth.SEARCH_ROUNDS if first else 1
            self.state.released = np.ones(len(self.media))
            self.state.shares = truth.best_shares(self, rounds)
            self.state.released = np.full(len(self.media), truth.best_release(self))
            return self.strategy.steering.review_weeks * DAYS_IN_WEEK
        if appointment.kind == "review":
            return self._meet(next(d for d in self.deciders if d.key == appointment.key))
        if appointment.kind in ("board", "trade", "committee", "request"):
            return self._move(appointment)
        if appointment.kind == "trial":
            ideas.end(self, appointment.key)
            return OVER
        if appointment.kind == "idea":
            return self._try()
        if appointment.kind == "week":
            linking.build(self)
            budgets.plan_week(self, self._varied(self.state.day // DAYS_IN_WEEK))
            return DAYS_IN_WEEK
        self._live_day()
        return 1

    def _meet(self, decider: Decider) -> int:
        """Let somebody decide, and those with it whom it orders; return the days until again."""
        if isinstance(decider, OmnichannelManager) and not decider.obeyed:
            moves.order(self, decider)
        else:
            self.review(decider)
        if self.strategy.steering.committee > 0 and isinstance(decider, Department):
            self._ask(decider)
        return decider.every_weeks * DAYS_IN_WEEK

    def _ask(self, head: Department) -> None:
        """File a request for the committee, unless one of this department waits already.

        The first to ask is the first to be heard: the day of asking leads the key.
        """
        siloed = self.strategy.steering.kind == "siloed"
        if self.state.day < 0 or not siloed or head.key in moves.waiting(self):
            return
        key = f"{self.state.day:08d} {head.key}"
        self._note(Appointment(moves.next_meeting(self), REQUEST, key, "request"))

    def _try(self) -> int:
        """Begin to test an idea; return the days until the next one."""
        words = self.strategy.trying
        name = ideas.begin(self)
        self._note(Appointment(self.state.day + words.weeks * DAYS_IN_WEEK, TRIAL, name, "trial"))
        return ideas.spacing(words) * DAYS_IN_WEEK

    def _note(self, appointment: Appointment) -> None:
        """Put something into the agenda while the clock runs."""
        self.state.agenda.append(appointment)
        self.env.process(self._keep(appointment))

    def _move(self, appointment: Appointment) -> int:
        """Let budget move between departments; return the days until it may again."""
        words = self.strategy.steering
        match appointment.kind:
            case "board":
                moves.board(self)
                return DAYS_IN_YEAR
            case "trade":
                moves.trade(self)
                return words.review_weeks * DAYS_IN_WEEK
            case "committee":
                self._heard = 0  # begins anew with every meeting, so that no snapshot needs it
                return words.committee * DAYS_IN_WEEK
        if self._heard >= words.hears:
            return words.committee * DAYS_IN_WEEK
        self._heard += 1
        moves.hear(self, appointment.key.partition(" ")[2])
        return OVER

    @property
    def company_weight(self) -> float:
        """Return the weight of the company's result in what departments are paid on today."""
        weeks = (self.state.day - self.state.adopted) // DAYS_IN_WEEK
        return company_weight(self.strategy.incentives, weeks)

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
        twin = Simulation(self.spec, self.replication, self.state.copy(), self.rules)
        twin.strategy = self.strategy
        twin.adopt(strategy)
        return twin

    def listening(self, rules: tuple[paths.Rule, ...]) -> Simulation:
        """Return a fork whose split stands still and which is credited by all of some rules."""
        steering = self.strategy.steering.model_copy(update={"kind": "frozen"})
        twin = Simulation(self.spec, self.replication, self.state.copy(), rules)
        twin.strategy = self.strategy
        twin.adopt(self.strategy.model_copy(update={"steering": steering}))
        if isinstance(twin.population, Crowd):
            twin.population.credits_all = True
        return twin

    # -- steering ---------------------------------------------------------------------

    def review(self, decider: Decider) -> None:
        """Let one who decides split the money of its scope, on what it is shown."""
        if self.state.day < 0 or not decider.media:
            return
        rows = [self.media.index(name) for name in decider.media if self._is_open(name)]
        scope = self.state.shares[rows].sum()
        if scope <= 0:
            return
        view, words = self.view(decider, rows), self.strategy.steering
        if self.beliefs is not None:
            week, told = self.state.day // DAYS_IN_WEEK, allocation.believed(view, words)
            beliefs = zip(view.media, told.tolist(), strict=True)
            self.beliefs += [(week, name, belief) for name, belief in beliefs]
        self.state.shares[rows] = scope * decider.decide(view)
        if isinstance(decider, OmnichannelManager) and len(view.weeks_ago):
            self._release(view, rows)
        halves.try_next(self, view)

    def _release(self, view: View, rows: list[int]) -> None:
        """Hold back, or let go, what a centre may leave unspent."""
        words, so_far = self.strategy.steering, self.state.released[rows]
        if words.holds_back:
            belief = allocation.believed(view, words)
            limit = allocation.limit(so_far, belief, view, words)
            self.state.released[rows] = allocation.released(so_far, belief, limit, words)

    def _is_open(self, medium: str) -> bool:
        """Tell whether a medium can be bought yet."""
        opens = self.market.media[medium].opens
        return opens is None or self.state.day >= self.fork_day + opens * DAYS_IN_WEEK

    def _take_given(self) -> int:
        """Take over the split that is given for this week; return the days until the next."""
        given = self.strategy.steering.given
        week = (self.state.day - self.state.adopted) // DAYS_IN_WEEK
        if week in given:
            self.state.shares = np.array([given[week][name] for name in self.media])
        later = [start - week for start in given if start > week]
        return min(later, default=NO_MORE_WEEKS) * DAYS_IN_WEEK

    def view(self, decider: Decider, rows: list[int]) -> View:
        """Show what this decider may see: reports, late and noisy where they have travelled."""
        week = self.state.day // DAYS_IN_WEEK
        names = tuple(self.media[row] for row in rows)
        after = max(0, week - decider.delay_weeks)
        ledger = self.state.ledger
        spend = ledger.media_column("planned_cents", rows, 0, after) / 100
        credit = attribution.read(
            decider.reads,
            self.company_weight if isinstance(decider, Department) else 0.0,
            self._own_credit(decider, rows, after),
            self._company_credit(decider, rows, after),
        )
        if decider.reads == "claims":
            credit = credit * moves.exaggeration(self, names)
        if self.strategy.steering.calibration:
            credit = credit * self._calibration(names, spend)
        if isinstance(decider, OmnichannelManager):
            credit = credit * self._worth_for_the_goal(rows, after)
        if decider.noise > 0:
            luck = self._report_luck(names, after)
            credit = attribution.distorted(credit, decider.noise, luck)
        shares = self.state.shares[rows]
        if not shares.any():  # a budget of nothing is split evenly, should money come
            shares = np.ones(len(rows))
        return View(
            media=names,
            spend=spend,
            credit=credit,
            weeks_ago=week - np.arange(after),
            shares=shares / shares.sum(),
            used=ledger.media_column("spent_cents", rows, 0, after) / 100,
            seen=halves.seen(self, rows, after) if self.strategy.steering.tests else None,
            sales=ledger.sales(0, after if self.strategy.steering.holds_back else 0),
        )

    def _worth_for_the_goal(self, rows: list[int], after: int) -> np.ndarray:
        """Return what an order of every medium counts for the centre's goal (float64[media]).

        The part of new customers, or the value (in mean orders), among those that it touched
        last in the year before; of all orders where it touched none.
        """
        goal = self.strategy.steering.goal
        if goal == "contribution":
            return np.ones(len(rows))
        column = {"new_customers": "new", "revenue": "value"}[goal]
        everything, first = list(range(len(self.media))), max(0, after - WEEKS_IN_YEAR)
        told, orders = (
            self.state.ledger.media_column(name, everything, first, after).sum(axis=0)
            for name in (f"expected_last_touch_{column}", "expected_last_touch")
        )
        usual = told.sum() / max(orders.sum(), 1e-9)
        if usual <= 0:
            return np.ones(len(rows))
        worth: np.ndarray = np.where(orders > 0, told / np.maximum(orders, 1e-9), usual) / usual
        return worth[rows]

    def _calibration(self, media: tuple[str, ...], spend: np.ndarray) -> np.ndarray:
        """Return what credit is multiplied by, by what was planned (float64[weeks, media])."""
        known = self.strategy.steering.calibration
        words = [known.get(name, Calibration()) for name in media]
        factor, slope, at = (
            np.array([getattr(one, key) for one in words]) for key in ("factor", "slope", "at")
        )
        multiplied: np.ndarray = factor * np.where(spend > 0, spend / at, 1.0) ** slope
        return multiplied

    def _own_credit(self, decider: Decider, rows: list[int], after: int) -> np.ndarray:
        """Return what a department is paid on: its claims, or a KPI worth as much in all."""
        claims = self.state.ledger.media_column("reported_claims", rows, 0, after)
        kpi = decider.kpi if isinstance(decider, Department) else "claims"
        if kpi == "claims":
            return claims
        told = self.state.ledger.media_column(targets.column(kpi), rows, 0, after)
        worth: np.ndarray = told * (claims.sum() / max(told.sum(), 1e-9))
        return worth

    def _company_credit(self, decider: Decider, rows: list[int], after: int) -> np.ndarray:
        """Return what reports show by the firm's rule, applied to all that is on record.

        Departments are paid on orders that count once: on last touch, where the firm's rule
        lets orders count twice.
        """
        if self.strategy.attribution.kind == "experiment":
            return halves.shown(self, rows, after)
        ledger, rule = self.state.ledger, paths.rule_of(self.strategy, self.media)
        twice = self.strategy.attribution.by_department and decider.reads == "own_claims"
        if rule is None or twice:
            return ledger.media_column("reported_last_touch", rows, 0, after)
        return ledger.credited(self.rules.index(rule), rows, 0, after)

    def _report_luck(self, media: tuple[str, ...], weeks: int) -> np.ndarray:
        """Return the standard normal luck of reports that have travelled ([weeks, media])."""
        return np.array(
            [
                [streams.normal(self.root, streams.REPORT_NOISE, name, w) for name in media]
                for w in range(weeks)
            ]
        ).reshape(weeks, len(media))

    def _varied(self, week: int) -> np.ndarray:
        """Return shares varied a little around the plan, so that there is something to learn.

        A variation lasts for a review window: goodwill needs weeks to follow money.
        """
        shares = self.state.shares.copy()
        steering = self.strategy.steering
        window = week // steering.review_weeks
        for decider in self.deciders if week >= 0 else ():
            if not decider.explores:
                continue
            rows = [self.media.index(name) for name in decider.media]
            if not shares[rows].any():
                continue
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
        self.population.live(self.state.population)
        self.dusk()

    def dawn(self) -> None:
        """Fix at midnight what the day will bring."""
        state = self.state
        self._drift(state.day)
        money = (state.planned, state.spent)
        self.population.dawn(state.population, state.day, *money, state.wander, state.tilt)

    def live_rows(self, first: int, last: int) -> None:
        """Live today in the rows [first, last) of the people."""
        crowd, state = self.population, self.state.population
        if isinstance(crowd, Crowd) and isinstance(state, CrowdState):
            crowd.live_rows(state, first, last)

    def dusk(self) -> None:
        """Charge and book the day; at the week's end close the week."""
        self.state.spent += self.population.dusk(self.state.population)
        self.state.day += 1
        if self.state.day % DAYS_IN_WEEK == 0:
            self._close_week()

    def _drift(self, day: int) -> None:
        """Let every medium's log pull take its weekly step of the random walk."""
        if self.market.drift and day >= 0 and day % DAYS_IN_WEEK == 0:
            steps = [streams.normal(self.root, streams.DRIFT, name, day) for name in self.media]
            self.state.wander = self.state.wander + self.market.drift * np.array(steps)

    def _close_week(self) -> None:
        """Book the week at the real firm's size and begin an empty one."""
        state = self.state
        week = state.ledger.next_week
        booked = self.population.close_week(state.population, week, state.planned, state.spent)
        company: dict[str, float] = {**budgets.close_week(self, week)}
        company |= targets.close_week(self, booked.media)
        company |= {"integration_cost": state.links.owed, "overhead": budgets.overhead(self, week)}
        state.links = replace(state.links, owed=0.0)
        state.ledger.book(booked, company, state.tilt.copy())


def _rules(spec: ExperimentSpec) -> tuple[paths.Rule, ...]:
    """Return every rule of paths that an arm asks for: each is applied to the history."""
    strategies = (spec.status_quo, *spec.arms.values())
    rules = {paths.rule_of(strategy, spec.market.media) for strategy in strategies}
    return tuple(sorted(rule for rule in rules if rule is not None))
