"""People in columns: who they are, what they remember, and how they are born."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import mesa
import numpy as np
from scipy import special

from omnisim import streams
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, Market
from omnisim.streams import kernel

NEVER = -20000
PROSPECT, CUSTOMER = 0, 1
COOKIES, MAIL = 1, 2  # bits of consent
BUSY, WRITABLE = 1, 2  # bits of what tomorrow may bring

# What a person decides with. Records compile to plain loads; small types keep a person in
# one cache line. What is looked at on every day, also on those on which nothing happens,
# stands in columns of its own (`People.need`, `People.awake`).
PERSON = np.dtype(
    [
        ("drop", np.float32),  # probability to drop out at a repeat need
        ("satisfaction", np.float32),
        ("walk_us", np.float32),  # probability that the walk under way is with us
        ("reminded", np.float32),  # reminders met during the walk
        ("expects", np.float32),  # satisfaction that the best service met has left
        ("talk", np.float32),  # what friends have told, in satisfaction
        ("last_basket", np.float32),  # EUR with VAT of the last order
        ("price", np.float32),  # lowest price index seen, fading from walk to walk
        ("joins", np.int16),  # day of the first order, where a cohort is given
        ("last_visit", np.int16),
        ("last_order", np.int16),
        ("last_online", np.int16),
        ("last_offline", np.int16),
        ("walk_since", np.int16),
        ("talk_day", np.int16),  # until when talk has been forgotten
        ("path", np.uint16),  # channel + 1 of each stage of the walk, four bits each
        ("cell", np.uint8),  # persona in a region
        ("category", np.uint8),  # what is needed in the walk under way
        ("consent", np.uint8),
        ("identity", np.uint8),  # bit per sales channel
        ("status", np.uint8),
        ("habit", np.int8),
        ("stage", np.uint8),  # 0: no walk, else 1 + index of the stage
        ("ours", np.uint8),  # the walk under way is really with us
        ("channel", np.int8),  # last touchpoint's channel in the walk
        ("met", np.uint8),  # bit per sales channel to which the walk has been
        ("leaves", np.uint8),  # drops out when the walk ends
        ("repeats", np.uint8),
        ("orders", np.uint32),  # fills the cache line: padding would have no value
    ],
    align=True,
)


@dataclass
class People:
    """All persons of a market, sorted by segment; luck stays with `ids`.

    `need` float32[people] needs a day; `awake` uint8[people] bits of what tomorrow may bring
    beside a chance need; `aimed_from`, `aimed_until` int16[people] the days on which media
    may follow a visitor; `state` PERSON[people]; `goodwill` float32[media, people] in noticed
    contacts; `clicked`, `viewed` int16[media, people] the last day of each; `walk_clicked`,
    `walk_viewed` int16[aimed media, people] the same of walks, older than the walk under way
    where they are not its own; `claim` uint8[people] the claim heard last (0: none);
    `letters` int32[2, 2, people] what friends send, talk and invitations, by the parity of
    the day on which it arrives; `row` int32[people] of every id, where there are friends;
    `reach` uint32 bit per medium; `bounds` int64[cells + 1] the rows of each cell.
    """

    ids: np.ndarray
    need: np.ndarray
    awake: np.ndarray
    aimed_from: np.ndarray
    aimed_until: np.ndarray
    state: np.recarray
    goodwill: np.ndarray
    clicked: np.ndarray
    viewed: np.ndarray
    walk_clicked: np.ndarray
    walk_viewed: np.ndarray
    claim: np.ndarray
    letters: np.ndarray
    row: np.ndarray
    reach: np.ndarray
    bounds: np.ndarray

    def __len__(self) -> int:
        """Return the number of persons."""
        return len(self.ids)

    def copy(self) -> People:
        """Return a copy that shares what never changes."""
        return People(
            self.ids,
            self.need,
            self.awake.copy(),
            self.aimed_from.copy(),
            self.aimed_until.copy(),
            self.state.copy(),
            self.goodwill.copy(),
            self.clicked.copy(),
            self.viewed.copy(),
            self.walk_clicked.copy(),
            self.walk_viewed.copy(),
            self.claim.copy(),
            self.letters.copy(),
            self.row,
            self.reach,
            self.bounds,
        )

    def row_of(self, person: int) -> int:
        """Return the row of a person's id; raises KeyError for an unknown one."""
        rows = np.flatnonzero(self.ids == person)
        if not len(rows):
            raise KeyError(person)
        return int(rows[0])


def born(market: Market, root: np.uint64, first_day: int) -> People:
    """Draw every person's traits from its own id, without quotas."""
    ids = np.arange(market.people, dtype=np.uint32)
    segment = _picked(
        root, streams.TRAIT_SEGMENT, ids, [s.share for _, s in sorted(market.segments.items())]
    )
    if market.regions:
        regions = [region.share for _, region in sorted(market.regions.items())]
        cell = segment * len(regions) + _picked(root, streams.TRAIT_REGION, ids, regions)
    else:
        cell = segment
    order = np.argsort(cell, kind="stable")
    ids, cell, segment = ids[order], cell[order].astype(np.uint8), segment[order]
    friends = people_with_friends(market)
    row = np.zeros(friends, np.int32)
    row[ids[:friends]] = np.arange(friends, dtype=np.int32)
    media, people = sorted(market.media), len(ids)
    never = np.full((max(1, len(media)), people), NEVER, np.int16)
    aimed = len(market.aimed)
    never_aimed = np.full((max(1, aimed), people), NEVER, np.int16)
    return People(
        ids=ids,
        need=_needs(market, root, ids, segment),
        awake=np.full(people, BUSY, np.uint8),
        aimed_from=np.full(people, NEVER, np.int16),
        aimed_until=np.full(people, NEVER, np.int16),
        state=_states(market, root, ids, segment, cell, first_day),
        goodwill=np.zeros((max(1, len(media)), people), np.float32),
        clicked=never,
        viewed=never.copy(),
        walk_clicked=never_aimed,
        walk_viewed=never_aimed.copy(),
        claim=np.zeros(people, np.uint8),
        letters=np.zeros((2, 2, friends), np.int32),
        row=row,
        reach=_reach(market, root, ids, segment),
        bounds=np.searchsorted(cell, np.arange(len(market.cells) + 1)).astype(np.int64),
    )


def people_with_friends(market: Market) -> int:
    """Return how many people have friends: all or none."""
    return market.people if market.friends.degree > 0 else 0


def _picked(root: np.uint64, purpose: int, ids: np.ndarray, shares: list[float]) -> np.ndarray:
    bounds = np.cumsum(shares)[:-1]
    picked: np.ndarray = np.searchsorted(bounds, streams.trait(root, purpose, ids), "right")
    return picked


def _reach(market: Market, root: np.uint64, ids: np.ndarray, segment: np.ndarray) -> np.ndarray:
    """Return a bit per medium that can meet the person; a profile needs consent (uint32)."""
    names = sorted(market.media)
    chances = {name: market.media[name].reach for name in names}
    reach = _bits(root, streams.TRAIT_REACH, ids, chances)
    profiled = sum(1 << m for m, name in enumerate(names) if market.media[name].aim == "interest")
    silent = ~_consents(market, root, ids, segment)
    reach[silent] &= np.uint32(~profiled & 0xFFFFFFFF)
    return reach


def _consents(market: Market, root: np.uint64, ids: np.ndarray, segment: np.ndarray) -> np.ndarray:
    shares = np.array([s.consent for _, s in sorted(market.segments.items())])
    consents: np.ndarray = (
        streams.trait(root, streams.TRAIT_CONSENT, ids, "cookies") < shares[segment]
    )
    return consents


def _needs(market: Market, root: np.uint64, ids: np.ndarray, segment: np.ndarray) -> np.ndarray:
    """Return gamma-distributed needs a day (float32[people])."""
    shape = market.buying.needs_shape
    gamma = special.gammaincinv(shape, streams.trait(root, streams.TRAIT_NEEDS, ids))
    means = [market.segments[name].needs / DAYS_IN_YEAR for name in sorted(market.segments)]
    needs: np.ndarray = (np.array(means)[segment] * gamma / shape).astype(np.float32)
    return needs


def _states(
    market: Market,
    root: np.uint64,
    ids: np.ndarray,
    segment: np.ndarray,
    cell: np.ndarray,
    first_day: int,
) -> np.recarray:
    state = np.zeros(len(ids), PERSON)
    buying = market.buying
    segments = [market.segments[name] for name in sorted(market.segments)]

    def by_segment(values: list[float]) -> np.ndarray:
        chosen: np.ndarray = np.array(values)[segment]
        return chosen

    state["cell"] = cell
    state["price"] = 1.0
    state["drop"] = special.betaincinv(
        buying.drop_a, buying.drop_b, streams.trait(root, streams.TRAIT_DROP, ids)
    )
    opts_in = streams.trait(root, streams.TRAIT_CONSENT, ids, "mail")
    state["consent"] = COOKIES * _consents(market, root, ids, segment)
    state["consent"] |= (MAIL * (opts_in < by_segment([s.mail_opt_in for s in segments]))).astype(
        np.uint8
    )
    state["identity"] = _bits(
        root,
        streams.TRAIT_IDENTITY,
        ids,
        {name: market.channels[name].identity for name in sorted(market.channels)},
    )
    for field in ("last_visit", "last_order", "last_online", "last_offline", "joins", "talk_day"):
        state[field] = NEVER
    state["habit"] = state["channel"] = -1
    first = streams.trait(root, streams.TRAIT_FIRST, ids) < buying.first_customers
    state["status"] = np.where(first, CUSTOMER, PROSPECT)
    if buying.cohort_weeks is not None:
        days = buying.cohort_weeks * DAYS_IN_WEEK
        joins = streams.trait(root, streams.TRAIT_COHORT, ids) * days
        state["joins"] = first_day + joins.astype(np.int16)
    return state.view(np.recarray)


def _bits(root: np.uint64, purpose: int, ids: np.ndarray, chances: dict[str, float]) -> np.ndarray:
    bits = np.zeros(len(ids), np.uint32)
    for index, (name, chance) in enumerate(chances.items()):
        has = streams.trait(root, purpose, ids, name) < chance
        bits |= (has.astype(np.uint32) << np.uint32(index)).astype(np.uint32)
    return bits


class Society(Protocol):
    """What a person lives in: the world's clock, which runs the compiled day."""

    media: list[str]

    @property
    def people(self) -> People:
        """Return the columns."""
        ...

    def live_rows(self, first: int, last: int) -> None:
        """Live today in the rows [first, last)."""
        ...


class Person(mesa.Agent):
    """One person as an agent: a view on one row, made on demand; it holds no state."""

    def __init__(self, model: mesa.Model, row: int) -> None:
        """Look at a row."""
        super().__init__(model)
        self.row = row
        self.society = cast(Society, model)

    def step(self) -> None:
        """Live today, by the same compiled day as everybody; between `dawn` and `dusk`."""
        self.society.live_rows(self.row, self.row + 1)

    @property
    def id(self) -> int:
        """Return the id with which the person's luck goes."""
        return int(self.society.people.ids[self.row])

    @property
    def goodwill(self) -> dict[str, float]:
        """Return goodwill by medium in noticed contacts."""
        column = self.society.people.goodwill[:, self.row].tolist()
        return dict(zip(self.society.media, column, strict=False))

    def __getattr__(self, field: str) -> object:
        """Return a field of the person's record; raises AttributeError for an unknown one."""
        if field in (PERSON.names or ()):
            return self.society.people.state[field][self.row].item()
        raise AttributeError(field)


@kernel
def forget(person: np.record) -> None:
    """Make a customer a prospect again: habit, satisfaction and record are reset.

    The days of the last orders stay: they are facts about the person, not our record.
    """
    person.status = PROSPECT
    person.satisfaction = np.float32(0.0)
    person.habit = -1
    person.orders = 0
