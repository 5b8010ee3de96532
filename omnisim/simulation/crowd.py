"""The crowd: people in columns who live through days in two compiled passes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from omnisim import attribution, contacts, journeys, paths, people, streams
from omnisim.journeys import books
from omnisim.people import People
from omnisim.records import (
    CHANNEL_COLUMNS,
    CREDIT_COLUMNS,
    FLOW_COLUMNS,
    MEDIA_COLUMNS,
    ORDERED,
    REGION_COLUMNS,
    Week,
    worth,
)
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, HALVES, STAGES, Market, Strategy, Till

AUDIENCE_MEMORY = DAYS_IN_WEEK
CROWD_ARRAYS = (
    *("media_book", "channel_book", "company_book", "events", "missed", "ways"),
    "paths",
)
EVENTS = (books.SEARCHES, books.BRAND_SEARCHES, books.CHECKOUTS, books.INVITERS)


@dataclass
class CrowdState:
    """What living changes: the people, the books of the week under way, audiences.

    `media_book` and `channel_book` are kept by region; the latter has a row per sales channel
    and category. `events` float64[memory, 4]
    the last days' searches, brand searches, looks for a coupon and orders that could bring
    a friend, `aimable` and `writable` the audiences counted at midnight (agents; negative:
    not counted yet); `missed` int64[channels, channels] hand-overs missed so far, from one
    to another; `ways` int64[cells, stages + 1, channels + 1, … once a stage] journeys so far
    by the stage at which they were lost (the last: none) and the channel of every stage
    (0: none); `paths` int64[decisions, PATH_FIELDS + media] of the week under way.
    """

    people: People
    media_book: np.ndarray
    channel_book: np.ndarray
    company_book: np.ndarray
    events: np.ndarray
    missed: np.ndarray
    ways: np.ndarray
    paths: np.ndarray
    aimable: float = -1.0
    writable: float = -1.0

    def copy(self) -> CrowdState:
        """Return a state that can go its own way."""
        arrays = {name: getattr(self, name).copy() for name in CROWD_ARRAYS}
        return replace(self, people=self.people.copy(), **arrays)


@dataclass(frozen=True)
class Today:
    """What was fixed at midnight, and the books of the day.

    `money` int64[media] in cents; by half of the regions `prices` float64[HALVES, media] in
    EUR per contact, click or message and `pressure` float64[HALVES, media] in contacts per
    member of the audience.
    """

    day: int
    money: np.ndarray
    prices: np.ndarray
    pressure: np.ndarray
    media: np.ndarray
    channels: np.ndarray
    company: np.ndarray


class Crowd:
    """The people of a market under a strategy.

    A day is `dawn`, `live`, `dusk`; a week ends with `close_week`. By all of the `rules` of
    paths history is credited, later weeks by the strategy's own, or by all (`credits_all`).
    """

    def __init__(
        self,
        market: Market,
        root: np.uint64,
        history_days: int,
        rules: tuple[paths.Rule, ...] = (),
    ) -> None:
        self.market = market
        self.root = root
        self.history_days = history_days
        self.rules = rules
        self.credits_all = False
        self._own: paths.Rule | None = None
        self.media = sorted(market.media)
        self.channels = sorted(market.channels)
        self._media_labels = np.array([streams.label(name) for name in self.media], np.uint64)
        self._channel_labels = np.array([streams.label(c) for c in self.channels], np.uint64)
        self.areas = _areas(market)
        self._halves = self.areas % HALVES
        self._reach = contacts.reach(market)
        self._purchase = contacts.purchase(market)
        self._scratch = (
            np.empty(contacts.TILE, np.uint32),
            np.empty(contacts.TILE, np.float32),
            np.empty((len(self._reach.mass), contacts.TILE), np.int32),
            np.empty(contacts.TILE, np.uint32),
            np.empty(contacts.TILE, np.uint8),
            np.empty(contacts.TILE, np.int64),
        )
        # one decision a person and day at most
        decisions = market.people if rules else 0
        self._paths = np.zeros((decisions, books.PATH_FIELDS + len(self.media)), np.int64)

    @property
    def half_shares(self) -> np.ndarray:
        """Return which part of the people lives in each half of the regions."""
        shares = np.array([self.market.share(cell) for cell in self.market.cells])
        halves: np.ndarray = np.bincount(self._halves, shares, HALVES)
        return halves

    @property
    def decay(self) -> np.ndarray:
        """Return the part of goodwill that is left after a day (float32[media])."""
        return self._reach.decay

    def born(self, day: int) -> CrowdState:
        """Return everybody on the first morning."""
        regions, sold = self.areas.max() + 1, len(self.channels) * len(self.market.goods)
        return CrowdState(
            people=people.born(self.market, self.root, day),
            media_book=np.zeros(
                (regions, max(1, len(self.media)), contacts.MEDIA_FIELDS), np.int64
            ),
            channel_book=np.zeros((regions, sold, books.CHANNEL_FIELDS), np.int64),
            company_book=np.zeros(books.COMPANY_FIELDS, np.int64),
            events=np.full((AUDIENCE_MEMORY, len(EVENTS)), -1.0),
            missed=np.zeros((len(self.channels), len(self.channels)), np.int64),
            ways=np.zeros(
                (len(self.areas), len(STAGES) + 1, *[len(self.channels) + 1] * len(STAGES)),
                np.int64,
            ),
            paths=self._paths[:0].copy(),
        )

    def adopt(self, strategy: Strategy) -> None:
        """Let people live under a strategy from now on."""
        self.world = journeys.world(self.market, strategy, self.root)
        self._talks = Talks(self.market, strategy, self.root)
        self._talks.count_together(self.world)
        self._own = paths.rule_of(strategy, self.media)

    # -- the day ----------------------------------------------------------------------

    def dawn(
        self,
        state: CrowdState,
        day: int,
        planned: np.ndarray,
        spent: np.ndarray,
        wander: np.ndarray,
        tilt: np.ndarray,
    ) -> None:
        """Fix at midnight what the day will bring: season, drift, prices, pressure.

        `planned` and `spent` int64[media] are the week's cents, `wander` float64[media] what
        drift has added to every log pull, `tilt` float64[HALVES, media] the money a head in
        each half of the regions against that in all.
        """
        money = self._money(day, planned, spent)
        years = contacts.years_from_fork(day, self.history_days)
        pressure, prices = self._purchase.pressure(
            money * tilt, self._purchase.prices(years), self._audiences(state)
        )
        self._talks.speak(self.world, day)
        journeys.set_day(
            self.world, self.market, day, day - self.history_days, wander, pressure, years
        )
        books = (state.media_book, state.channel_book, state.company_book)
        self.today = Today(
            day, money, prices, pressure, *(np.zeros(book.shape, np.int64) for book in books)
        )

    def live(self, state: CrowdState) -> None:
        """Live today, everybody."""
        self.live_rows(state, 0, len(state.people))

    def live_rows(
        self, state: CrowdState, first: int, last: int, keys: np.ndarray | None = None
    ) -> None:
        """Live today in the rows [first, last); raises AttributeError before a first `dawn`.

        `keys` uint64[PURPOSES] bring other luck than today's.
        """
        today, who, world, reach = self.today, state.people, self.world, self._reach
        day, keys = today.day, streams.keys(self.root, today.day) if keys is None else keys
        thresholds, terms = contacts.thresholds(reach, today.pressure, self._halves)
        kept = self._paths if self._asked(day) else self._paths[:0]
        with np.errstate(over="ignore"):
            journeys.live(
                first, last, day, keys, self._media_labels, self._channel_labels,
                reach.decay, reach.mass, reach.click, thresholds, terms,
                self.areas, self._halves,
                world.rules, world.bought, world.cells, world.channels,
                world.goods, world.wants, world.cross, world.delays, world.success, world.lost,
                world.messages, world.visitors, world.searchers, world.brands,
                world.coupons, world.friends, world.data, world.information,
                world.prices, world.closed, world.claims,
                who.ids, who.need, who.awake, who.aimed_from, who.aimed_until, who.state,
                who.reach, who.bounds, who.claim,
                who.goodwill, who.clicked, who.viewed, who.walk_clicked, who.walk_viewed,
                who.row, who.letters, state.missed, state.ways, kept,
                *self._scratch, today.media, today.channels, today.company,
            )  # fmt: skip

    def dusk(self, state: CrowdState) -> np.ndarray:
        """Book the day and return what is charged (int64[media], cents).

        At most the day's money is charged: what was delivered beyond it is made good.
        """
        today = self.today
        state.events[today.day % AUDIENCE_MEMORY] = today.company[list(EVENTS)]
        state.aimable = float(today.company[books.AIMABLE])
        state.writable = float(today.company[books.WRITABLE])
        state.media_book += today.media
        state.channel_book += today.channels
        state.company_book += today.company
        walked = self._paths[: today.company[books.PATHS]]
        if len(walked):
            state.paths = np.concatenate([state.paths, walked])
        paid = self._purchase.paid
        units = today.media[:, np.arange(len(paid)), paid]
        cost = np.rint(self._cost(units, today.prices))
        cost[paid == contacts.ALL_OF_IT] = np.inf
        charged: np.ndarray = np.minimum(cost, today.money).astype(np.int64)
        return charged

    def _cost(self, units: np.ndarray, prices: np.ndarray) -> np.ndarray:
        """Return what units cost (float64[media], cents), by region and the half it lies in."""
        weight = self.market.weight * 100
        if (prices[0] == prices[1]).all():  # one product, as if there were no halves
            same: np.ndarray = units.sum(axis=0) * weight * prices[0]
            return same
        dear: np.ndarray = (units * weight * prices[np.arange(len(units)) % HALVES]).sum(axis=0)
        return dear

    def _money(self, day: int, planned: np.ndarray, spent: np.ndarray) -> np.ndarray:
        """Return today's cents: what is left of the week over the days that are left.

        Under open-loop pressure the week is cut in seven whatever has been spent, for what
        is spent hangs on everybody's day.
        """
        gone = day % DAYS_IN_WEEK
        money: np.ndarray = (planned - spent) // (DAYS_IN_WEEK - gone)
        if self.market.pressure == "open":
            money = planned * (gone + 1) // DAYS_IN_WEEK - planned * gone // DAYS_IN_WEEK
        return money

    def _audiences(self, state: CrowdState) -> np.ndarray:
        """Return each medium's audience in real persons: counted at midnight, or planned."""
        planned, counted = self._purchase.planned, self._purchase.counted
        if self.market.pressure == "open":
            return planned
        known = state.events >= 0
        days = known.sum(axis=0)
        totals = np.where(known, state.events, 0.0).sum(axis=0)
        events = np.where(days > 0, totals / np.maximum(days, 1), -1.0)
        people = np.array([*events, state.aimable, state.writable])[counted]
        audiences: np.ndarray = np.where(
            (counted < 0) | (people < 0), planned, people * self.market.weight
        )
        return audiences

    # -- the week's books ---------------------------------------------------------------

    def close_week(
        self, state: CrowdState, week: int, planned: np.ndarray, spent: np.ndarray
    ) -> Week:
        """Return the week at the real firm's size and begin an empty one."""
        rows = Week(
            self._media_week(state, week, planned, spent),
            self._channel_week(state),
            self._company_week(state, (week + 1) * DAYS_IN_WEEK),
            self._credit_week(state, week),
            self._region_week(state, planned, spent),
        )
        state.paths = state.paths[:0].copy()
        for book in (state.media_book, state.channel_book, state.company_book):
            book[:] = 0
        return rows

    def _media_week(
        self, state: CrowdState, week: int, planned: np.ndarray, spent: np.ndarray
    ) -> np.ndarray:
        book = state.media_book.sum(axis=0)[: len(self.media)] * self.market.weight
        touches = book[:, contacts.SEEN_LAST_TOUCH] / books.PROBABILITY
        claims = book[:, contacts.SEEN_CLAIMS] / books.PROBABILITY
        luck = self._count_luck(week)
        columns = {
            "planned_cents": planned,
            "spent_cents": spent,
            "contacts": book[:, contacts.CONTACTS],
            "clicks": book[:, contacts.CLICKS],
            "contacts_to_recent_buyers": book[:, contacts.RECENT_BUYERS],
            "last_touch": book[:, contacts.LAST_TOUCH],
            "expected_last_touch": touches,
            "claims": book[:, contacts.CLAIMS],
            "expected_claims": claims,
            "reported_last_touch": attribution.counted(touches, luck),
            "reported_claims": attribution.counted(claims, luck),
            "expected_last_touch_new": book[:, contacts.SEEN_NEW] / books.PROBABILITY,
            "expected_last_touch_value": book[:, contacts.SEEN_VALUE] / books.PROBABILITY,
        }
        return np.column_stack([columns[name] for name in MEDIA_COLUMNS]).astype(float)

    def _count_luck(self, week: int) -> np.ndarray:
        return np.array(
            [streams.normal(self.root, streams.REPORT_COUNT, name, week) for name in self.media]
        )

    def _asked(self, day: int) -> tuple[paths.Rule, ...]:
        """Return the rules by which a day is credited: none before the history."""
        if day < 0:
            return ()
        if self.credits_all or day < self.history_days:
            return self.rules
        return tuple(rule for rule in self.rules if rule == self._own)

    def _credit_week(self, state: CrowdState, week: int) -> np.ndarray:
        credit = np.zeros((len(self.rules), len(self.media), len(CREDIT_COLUMNS)))
        asked = self._asked(week * DAYS_IN_WEEK)
        if not asked:
            return credit
        rows, media = state.paths[np.lexsort(state.paths.T)], books.PATH_FIELDS
        touched = rows[:, media:]
        ages = (books.LAST_TOUCH_DAYS - (touched >> books.RECENCY_BITS) // 2).astype(float)
        realised = paths.Paths(touched, ages, rows[:, books.OURS], rows[:, books.MADE_ORDER])
        expected = paths.Paths(touched, ages, rows[:, books.TRIED], rows[:, books.SEEN])
        weight, luck = self.market.weight, self._count_luck(week)
        for nth, rule in enumerate(self.rules):
            if rule in asked:
                told = paths.credit(rule, expected) / books.PROBABILITY * weight
                made = paths.credit(rule, realised) * weight
                credit[nth] = np.column_stack([made, told, attribution.counted(told, luck)])
        return credit

    def _channel_week(self, state: CrowdState) -> np.ndarray:
        market = self.market
        tills = [till(market, name, good) for name in self.channels for good in market.goods]
        book = state.channel_book.sum(axis=0) * market.weight
        expected = book[:, books.EXPECTED] / books.PROBABILITY
        baskets = np.array([market.channels[name].basket for name in self.channels])
        value = book[:, books.EXPECTED_VALUE] / books.PROBABILITY
        gross = value * np.repeat(baskets, len(market.goods))
        seen = worth(tills, market.vat, expected, gross)
        columns = {
            "visits": book[:, books.VISITS],
            "carts": book[:, books.CARTS],
            **{f"lost_{stage}": book[:, books.LOST + s] for s, stage in enumerate(STAGES)},
            "late": book[:, books.LATE],
            "incidents": book[:, books.INCIDENTS],
            "orders": book[:, books.ORDERS],
            "expected_orders": expected,
            "new_customers": book[:, books.NEW],
            "expected_new_customers": book[:, books.EXPECTED_NEW] / books.PROBABILITY,
            **worth(tills, market.vat, book[:, books.ORDERS], book[:, books.CENTS] / 100),
            **{f"expected_{name}": column for name, column in seen.items()},
        }
        rows = np.column_stack([columns[name] for name in CHANNEL_COLUMNS]).astype(float)
        week: np.ndarray = rows.reshape(len(self.channels), len(market.goods), -1).sum(axis=1)
        return week

    def flows(self, state: CrowdState, before: np.ndarray) -> pd.DataFrame:
        """Return the journeys since `before`, the ways of an earlier state (FLOW_COLUMNS)."""
        ways = state.ways - before
        cells, ends, *passed = np.nonzero(ways)
        personas = np.array([persona for persona, _ in self.market.cells])
        names, ended = np.array(["", *self.channels]), np.array([*STAGES, ORDERED])
        columns = [personas[cells], *(names[rows] for rows in passed), ended[ends]]
        journeys = ways[cells, ends, *passed] * self.market.weight
        told = pd.DataFrame(dict(zip(FLOW_COLUMNS, [*columns, journeys], strict=True)))
        return told.groupby(list(FLOW_COLUMNS[:-1]), as_index=False).sum()

    def _region_week(self, state: CrowdState, planned: np.ndarray, spent: np.ndarray) -> np.ndarray:
        """Return the week by region; money is laid where what was paid for was delivered."""
        weight, media, goods = self.market.weight, len(self.media), len(self.market.goods)
        met = state.media_book[:, :media]
        sold = state.channel_book.reshape(len(met), -1, goods, books.CHANNEL_FIELDS).sum(axis=2)
        parts = met[:, :, contacts.CONTACTS] / np.maximum(1, met[:, :, contacts.CONTACTS].sum(0))
        baskets = np.array([self.market.channels[name].basket for name in self.channels])
        columns = {
            "spent_cents": (parts * spent, 0.0),
            "contacts": (met[:, :, contacts.CONTACTS] * weight, 0.0),
            "clicks": (met[:, :, contacts.CLICKS] * weight, 0.0),
            "visits": (0.0, sold[:, :, books.VISITS] * weight),
            "orders": (0.0, sold[:, :, books.ORDERS] * weight),
            "expected_orders": (0.0, sold[:, :, books.EXPECTED] / books.PROBABILITY * weight),
            "new_customers": (0.0, sold[:, :, books.NEW] * weight),
            "expected_new_customers": (
                0.0,
                sold[:, :, books.EXPECTED_NEW] / books.PROBABILITY * weight,
            ),
            "revenue_gross": (0.0, sold[:, :, books.CENTS] / 100 * weight),
            "expected_revenue_gross": (
                0.0,
                sold[:, :, books.EXPECTED_VALUE] / books.PROBABILITY * weight * baskets,
            ),
        }
        rows = np.zeros((len(met), media + len(baskets), len(REGION_COLUMNS)))
        for nth, name in enumerate(REGION_COLUMNS):
            rows[:, :media, nth], rows[:, media:, nth] = columns[name]
        return rows

    def _company_week(self, state: CrowdState, day: int) -> dict[str, float]:
        weight, who = self.market.weight, state.people.state
        book = state.company_book * weight
        year_ago = day - DAYS_IN_YEAR
        active = who.last_order >= year_ago
        both = (who.last_online >= year_ago) & (who.last_offline >= year_ago)
        customers = who.status == people.CUSTOMER
        tried, through = self._use_cases(state.people.state, day)
        satisfied = (
            float(who.satisfaction[customers].astype(float).mean()) if customers.any() else 0
        )
        return {
            "needs": book[books.NEEDS],
            "walks": book[books.WALKS],
            "lost_inform": book[books.LOST_INFORM],
            "lost_evaluate": book[books.LOST_EVALUATE],
            "lost_buy": book[books.LOST_BUY],
            "hand_overs_made": book[books.MADE],
            "hand_overs_missed": book[books.MISSED],
            "drop_outs": book[books.DROPPED],
            "tracked_orders": book[books.TRACKED],
            "searches": book[books.SEARCHES],
            "brand_searches": book[books.BRAND_SEARCHES],
            "brand_searches_taken": book[books.BRAND_SEARCHES_TAKEN],
            "use_cases_tried": float(tried.sum()) * weight,
            "use_cases_through": float(through.sum()) * weight,
            "department_claims": book[books.DEPARTMENT_CLAIMS],
            "expected_department_claims": book[books.SEEN_DEPARTMENT_CLAIMS] / books.PROBABILITY,
            "customers": active.sum() * weight,
            "multichannel_customers": both.sum() * weight,
            "satisfaction": satisfied,
        }

    def _use_cases(self, who: np.recarray, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Return how many began every use case in the last week, and how many got through.

        Read from the way that a person's last walk took: whoever walked twice in a week
        counts once.
        """
        cases = self.world.use_cases
        if not len(cases):
            return np.zeros(0), np.zeros(0)
        fresh = (who.walk_since >= day - DAYS_IN_WEEK) & (who.path > 0)
        way, cell = who.path[fresh].astype(np.int64), who.cell[fresh]
        ordered = who.last_order[fresh] >= who.walk_since[fresh]
        persona = self.world.cells["persona"][cell]
        stages = np.arange(cases.shape[1] - 1)
        went = (way[:, None] >> (4 * stages)) & 15
        tried, through = np.zeros(len(cases)), np.zeros(len(cases))
        for nth, (whose, *wanted) in enumerate(cases):
            asked = np.flatnonzero(wanted)
            fits = went[:, asked] == np.array(wanted)[asked]
            own = persona == whose
            tried[nth] = (own & fits[:, 0]).sum()
            through[nth] = (own & fits.all(axis=1) & ordered).sum()
        return tried, through


def _areas(market: Market) -> np.ndarray:
    """Return the number of the region in which every cell lives (int64[cells])."""
    names = sorted(market.regions) or [""]
    return np.array([names.index(region) for _, region in market.cells], np.int64)


def till(market: Market, channel: str, good: str) -> Till:
    """Return what an order of a category is worth in a sales channel.

    Products that are described wrongly come back, and incidents cost their mending.
    """
    sold, category = market.channels[channel], market.goods[good]
    margin = sold.margin if category.margin is None else category.margin
    returned = sold.returned if category.returned is None else category.returned
    return Till(
        basket=sold.basket * category.basket,
        margin=margin,
        cost_to_serve=sold.cost_to_serve + category.incident * market.service.cost,
        returned=1 - (1 - returned) * sold.facts,
    )


class Talks:
    """What departments ask and say for some weeks: prices and claims, each its own.

    Where channels are integrated, a department keeps to the firm's calendar and claim, and
    counts a person's contacts with the others.
    """

    def __init__(self, market: Market, strategy: Strategy, root: np.uint64) -> None:
        self.market, self.root = market, root
        self.owner = {c: d for d, owned in strategy.organigram.items() for c in owned.owns}
        self.departments = strategy.organigram
        channels, level = sorted(market.channels), strategy.integration.level
        self.price = {
            name: _mean(level("price", name, other) for other in channels if other != name)
            for name in channels
        }
        both = [level("promotion", *two) for two in itertools.combinations(channels, 2)]
        promotion = _mean(both) if both else strategy.integration.promotion
        self.agree = {
            name
            for name in self.departments
            if streams.uniform(root, streams.CLAIM, f"joins/{name}", 0) < promotion
        }

    def count_together(self, world: journeys.World) -> None:
        """Let those who agree count a person's contacts together, as the firm (-1)."""
        for m, name in enumerate(sorted(self.market.media)):
            if self.owner[name] in self.agree:
                world.bought["counted_by"][:, m] = -1

    def speak(self, world: journeys.World, day: int) -> None:
        """Write today's prices and claims into the world; they change from week to week."""
        week = day // DAYS_IN_WEEK
        for c, name in enumerate(sorted(self.market.channels)):
            world.prices[c] = self._price(name, week)
        if self.market.messages.clash > 0:
            window = week // self.market.messages.weeks
            for m, name in enumerate(sorted(self.market.media)):
                world.claims[m] = 1 + self._claim(name, window)

    def _price(self, channel: str, week: int) -> float:
        """Return a channel's price index: its department promotes when its own luck says so."""
        department = self.departments[self.owner[channel]]
        if department.promotes == 0:
            return 1.0
        joins = streams.uniform(self.root, streams.PROMOTION, f"joins/{channel}", 0)
        common = joins < self.price[channel]
        whose = "" if common else self.owner[channel]
        promotes = streams.uniform(self.root, streams.PROMOTION, whose, week) < department.promotes
        return 1.0 - department.depth if promotes else 1.0

    def _claim(self, medium: str, window: int) -> int:
        """Return the number of the claim that a medium's department makes."""
        whose = "" if self.owner[medium] in self.agree else self.owner[medium]
        luck = streams.uniform(self.root, streams.CLAIM, whose, window)
        return int(luck * self.market.messages.claims)


def _mean(levels: Iterable[float]) -> float:
    known = list(levels)
    return sum(known) / len(known) if known else 0.0
