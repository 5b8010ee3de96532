"""Trials as an experimenter would run them, with everybody in both groups.

Two forks live with the same luck, one with the medium and one without it, so that the effect
on those whom it meets is the difference between the same people's two lives.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pandas as pd

from omnisim.people import CUSTOMER, MAIL
from omnisim.simulation import Simulation
from omnisim.simulation.truth import earned
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, STAGES, WEEKS_IN_YEAR, Market
from omnisim.validate.diary import Diary, Open, ratio, watched
from omnisim.validate.replication import (
    QUARTER,
    Measure,
    Replication,
    aired,
    booked,
    forked,
    once,
    sold,
)
from omnisim.validate.targets import Target

FOUR_WEEKS = 4
MAIL_DAYS = 14
ABUNDANT = 100.0  # times what is planned: more than can be spent, so that a cap binds
MONTHS = 12
FREQUENCIES = (2.0, 4.0, 7.0, 10.0, 14.0)  # mails a month
STORE_SHARE = 0.875  # the middle of 85 to 90 %
TRIES = 4
LITTLE_KNOWN = 1.0  # log odds by which a brand that few know is liked less


# -- E11, E12: brand search switched off ----------------------------------------------------


def brand_traffic_change(bids: bool, replication: Replication, target: Target) -> float:
    """Return by how much searches for our name that reach us change without our ads (%)."""
    market = replication.market if bids else _nobody_bids(replication.market)
    on, off = _with_and_without(replication, target, market)
    month = replication.first(FOUR_WEEKS)
    return 100 * (ratio(_brand_traffic(off, month), _brand_traffic(on, month)) - 1)


def paid_traffic_lost(replication: Replication, target: Target) -> float:
    """Return which part of a little-known brand's paid visits is lost without them (%)."""
    on, off = _with_and_without(replication, target, little_known(replication.market))
    month = replication.first(FOUR_WEEKS)
    lost = _brand_traffic(on, month) - _brand_traffic(off, month)
    return 100 * ratio(lost, aired(on, "clicks", month, replication.media(target)))


def _with_and_without(
    replication: Replication, target: Target, market: Market
) -> tuple[Simulation, Simulation]:
    off = dict.fromkeys(replication.media(target), 0.0)
    on = replication.paid({}, FOUR_WEEKS, market=market)
    return on, replication.paid(off, FOUR_WEEKS, FOUR_WEEKS, market)


def _brand_traffic(world: Simulation, weeks: slice) -> float:
    """Return the searches for our name after which the visit was ours."""
    return booked(world, "brand_searches", weeks) - booked(world, "brand_searches_taken", weeks)


def _nobody_bids(market: Market) -> Market:
    rivals = market.rivals
    silent = rivals.model_copy(update={"steal_unguarded": rivals.steal_guarded})
    return market.model_copy(update={"rivals": silent})


def little_known(market: Market) -> Market:
    """Return the market in which everybody likes us less."""
    segments = {
        name: one.model_copy(update={"base": one.base - LITTLE_KNOWN})
        for name, one in market.segments.items()
    }
    return market.model_copy(update={"segments": segments})


# -- E13: retargeting -----------------------------------------------------------------------


def lift(what: str, replication: Replication, target: Target) -> float:
    """Return by how much orders or visits of those exposed rise, from the first contact on (%)."""
    [medium] = replication.media(target)
    on, off = _exposed(replication, medium)
    counts = []
    for diary in (on, off):
        events = diary.orders if what == "orders" else diary.visits
        counts.append(int((events["day"] >= on.exposed[events["row"]]).sum()))
    return 100 * (ratio(*counts) - 1)


@once
def _exposed(replication: Replication, medium: str) -> tuple[Diary, Diary]:
    """Return four weeks with a medium, watching whom it meets, and the same without it."""
    days = FOUR_WEEKS * DAYS_IN_WEEK
    on, off = replication.fork({}), replication.fork({medium: 0.0})
    return watched(on, days, medium), watched(off, days)


# -- E15: online advertising, sales in stores -------------------------------------------------


def extra_in_stores(replication: Replication, target: Target) -> float:
    """Return which part of the sales that online advertising causes is made in stores (%)."""
    channels = replication.channels(target)
    on, off, *_ = _store_heavy(replication, replication.media(target), channels)
    quarter = replication.first(QUARTER)
    column = "expected_revenue_gross"
    extra = [
        sold(on, column, quarter, names) - sold(off, column, quarter, names)
        for names in (channels, None)
    ]
    return 100 * ratio(*extra)


def extra_without_click(replication: Replication, target: Target) -> float:
    """Return which part of the orders that it causes comes from people who did not click (%)."""
    media, channels = replication.media(target), replication.channels(target)
    on, _, with_it, without = _store_heavy(replication, media, channels)
    rows = [on.media.index(name) for name in media]
    clicked: np.ndarray = on.people.clicked[rows].max(axis=0) >= with_it.first_day
    extra = [np.bincount(clicked[diary.orders["row"]], minlength=2) for diary in (with_it, without)]
    caused = extra[0] - extra[1]
    return 100 * ratio(caused[0], caused.sum())


@once
def _store_heavy(
    replication: Replication, media: tuple[str, ...], channels: tuple[str, ...]
) -> tuple[Simulation, Simulation, Diary, Diary]:
    """Return a quarter with and without some media where most sales are made in stores."""
    market = where_stores_sell_most(replication, channels)
    on, off = replication.fork({}, market), replication.fork(dict.fromkeys(media, 0.0), market)
    days = QUARTER * DAYS_IN_WEEK
    return on, off, watched(on, days), watched(off, days)


def where_stores_sell_most(replication: Replication, channels: tuple[str, ...]) -> Market:
    """Return the market in which stores are liked more, by as much as gives them their share."""
    quarter, tilt = replication.first(QUARTER), 0.0
    for _ in range(TRIES):
        world = replication.paid({}, QUARTER, market=_tilted(replication.market, channels, tilt))
        column = "expected_revenue_gross"
        share = ratio(sold(world, column, quarter, channels), sold(world, column, quarter))
        tilt += math.log(STORE_SHARE / (1 - STORE_SHARE)) - math.log(share / (1 - share))
    return _tilted(replication.market, channels, tilt)


def _tilted(market: Market, channels: tuple[str, ...], tilt: float) -> Market:
    segments = {}
    for name, one in market.segments.items():
        prefers = {stage: dict(one.prefers.get(stage, {})) for stage in STAGES}
        for liking in prefers.values():
            liking |= {channel: liking.get(channel, 0.0) + tilt for channel in channels}
        segments[name] = one.model_copy(update={"prefers": prefers})
    return market.model_copy(update={"segments": segments})


# -- E19, E20: mail ---------------------------------------------------------------------------


def mail_lift(what: str, replication: Replication, target: Target) -> float:
    """Return by how much more past buyers visit or order within two weeks of one mail (%)."""
    [medium] = replication.media(target)
    who = replication.morning.people.state
    buyers = (who["status"] == CUSTOMER) & (who["consent"] & MAIL > 0)
    buyers &= who["last_order"] >= replication.morning.state.day - DAYS_IN_YEAR
    counts = []
    for pages in _mailed(replication, medium):
        events = [page.orders if what == "orders" else page.visits for page in pages]
        rows = pd.concat(events)["row"].unique()
        counts.append(int(buyers[rows].sum()))
    return 100 * (ratio(*counts) - 1)


@once
def _mailed(replication: Replication, medium: str) -> tuple[tuple[Diary, Diary], ...]:
    """Return two weeks in which all who may be written to get one mail, and without it.

    The mail comes on the first day.
    """
    market = capped(replication.market, medium, float(DAYS_IN_WEEK))
    lives = []
    for factor in (ABUNDANT, 0.0):
        world = replication.fork({medium: factor}, market)
        first = watched(world, 1)
        lives.append((first, watched(forked(world, {medium: 0.0}), MAIL_DAYS - 1)))
    return tuple(lives)


def best_frequency(replication: Replication, target: Target) -> float:
    """Return how many mails a month earn most, of those that are tried."""
    gains = _mail_gains(replication, *replication.media(target))
    return max(gains, key=lambda mails: gains[mails])


def lost_at(mails: float, replication: Replication, target: Target) -> float:
    """Return which part of what mail earns at its best another frequency loses (%)."""
    gains = _mail_gains(replication, *replication.media(target))
    best = max(gains.values())
    if best <= 0:
        raise Open("mail earns nothing")
    return 100 * (1 - gains[mails] / best)


@once
def _mail_gains(replication: Replication, medium: str) -> dict[float, float]:
    """Return what a year of so many mails a month earns over a year of none (EUR)."""
    year = replication.first(WEEKS_IN_YEAR)

    def profit(mails: float) -> float:
        weekly = mails * MONTHS / WEEKS_IN_YEAR
        market = capped(replication.market, medium, weekly) if mails else None
        factors = {medium: ABUNDANT if mails else 0.0}
        world = replication.paid(factors, WEEKS_IN_YEAR, WEEKS_IN_YEAR, market)
        return earned(world, year.start) - aired(world, "spent_cents", year) / 100

    nothing = profit(0.0)
    return {mails: profit(mails) - nothing for mails in FREQUENCIES}


def capped(market: Market, medium: str, weekly_cap: float) -> Market:
    """Return the market in which people accept so many messages a week."""
    capped = market.media[medium].model_copy(update={"weekly_cap": weekly_cap})
    return market.model_copy(update={"media": market.media | {medium: capped}})


MEASURES: dict[str, Measure] = {
    "E11.nobody_bids": partial(brand_traffic_change, False),
    "E11.rivals_bid": partial(brand_traffic_change, True),
    "E12.paid_lost": paid_traffic_lost,
    "E13.purchases": partial(lift, "orders"),
    "E13.visits": partial(lift, "visits"),
    "E15.in_stores": extra_in_stores,
    "E15.non_clickers": extra_without_click,
    "E19.visits": partial(mail_lift, "visits"),
    "E19.orders": partial(mail_lift, "orders"),
    "E20.best": best_frequency,
    "E20.lost_at_4": partial(lost_at, 4.0),
    "E20.lost_at_10": partial(lost_at, 10.0),
}
