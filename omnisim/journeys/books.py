"""What a market under a strategy means to every person, as arrays; and the columns of books."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnisim import streams
from omnisim.contacts import (
    names_by_aim,
)
from omnisim.spec import DAYS_IN_YEAR, STAGES, Market, Strategy

MOST_STEPS = 8  # contacts of one walk on one day
LAST_TOUCH_DAYS = 30
BUY = len(STAGES)
LARGEST_UTILITY = 300.0  # the product of a few such factors is still a number
PROBABILITY = 2.0**32  # expected counts are booked as whole multiples of 1 / PROBABILITY
VISITS, ORDERS, NEW, CENTS, EXPECTED, EXPECTED_NEW = range(6)
CHANNEL_FIELDS = 6
(
    NEEDS,
    WALKS,
    LOST_INFORM,
    LOST_EVALUATE,
    LOST_BUY,
    MADE,
    MISSED,
    DROPPED,
    TRACKED,
    SEARCHES,
    BRAND_SEARCHES,
    DEPARTMENT_CLAIMS,
    SEEN_DEPARTMENT_CLAIMS,
    AIMABLE,
    WRITABLE,
) = range(15)
COMPANY_FIELDS = 15

RULES = np.dtype(
    [
        ("record_key", np.uint64),
        ("needs_factor", np.float64),
        ("attention", np.float64),
        ("rival_contacts", np.float64),
        ("rival", np.float64),
        ("has_rival", np.int64),
        ("steal_unguarded", np.float64),
        ("steal_guarded", np.float64),
        ("newcomers", np.float64),
        ("cohort", np.int64),
        ("satisfaction_step", np.float64),
        ("satisfaction_noise", np.float64),
        ("satisfaction_pulls", np.float64),
        ("satisfaction_keeps", np.float64),
        ("repeat_basket", np.float64),
        ("contact", np.float64),
        ("same_day", np.float64),
        ("most_days", np.int64),
        ("habit", np.float64),  # these three as factors on a touchpoint's delay
        ("inertia", np.float64),
        ("push", np.float64),
        ("repeat_lost", np.float64),
        ("friction", np.float64),
        ("brand_search", np.float64),
        ("blocks_needs", np.int64),
        ("visit_days", np.int64),
        ("buyer_days", np.int64),
        ("transaction_data", np.float64),
        ("information_access", np.float64),
        ("browses_on", np.int64),
    ]
)
MEDIUM = np.dtype(
    [
        ("pull", np.float64),
        ("half_pull", np.float64),
        ("pressure", np.float64),
        ("none", np.float64),  # probability of no contact under that pressure
        ("click_rate", np.float64),
        ("click_goodwill", np.float64),
        ("lands_on", np.int64),
        ("reminder", np.float64),
        ("unsubscribes", np.float64),
        ("click_window", np.int64),
        ("view_window", np.int64),
        ("tracked", np.int64),
        ("needs_cookies", np.int64),
        ("owner", np.int64),
        ("walk_row", np.int64),  # row of an aimed medium in the memory of walks, else -1
    ]
)
SEGMENT = np.dtype(
    [
        ("prospects", np.float64),  # log odds; `base` is taken by NumPy
        ("loyalty", np.float64),
        ("searches", np.float64),
        ("browse", np.float64),
        ("mail_opt_in", np.float64),
    ]
)
CHANNEL = np.dtype(
    [
        ("online", np.int64),
        ("quality", np.float64),
        ("basket", np.float64),
        ("spread", np.float64),
    ]
)


@dataclass(frozen=True)
class World:
    """What a strategy in a market means to every person: constant between decisions.

    `rules` RULES[1], `media` MEDIUM[media], `segments` SEGMENT[segments] and `channels`
    CHANNEL[channels] in the order of sorted names; `delays` float64[segments, stages,
    channels] the mean time until a channel comes to mind, exp(-utility), today, and
    `usual_delays` without the season; `usual_pull` and `trend` float64[media] of every pull
    and its log a year; `success` and `lost` float64[channels, stages]; the
    index arrays list media by aim.
    """

    rules: np.recarray
    media: np.recarray
    segments: np.recarray
    channels: np.recarray
    delays: np.ndarray
    usual_delays: np.ndarray
    usual_pull: np.ndarray
    trend: np.ndarray
    success: np.ndarray
    lost: np.ndarray
    messages: np.ndarray
    visitors: np.ndarray
    searchers: np.ndarray
    brands: np.ndarray


def world(market: Market, strategy: Strategy, root: np.uint64) -> World:
    """Lay out a market under a strategy as arrays, so that no kernel branches on words."""
    channel_names = sorted(market.channels)
    segments = [market.segments[name] for name in sorted(market.segments)]
    channels = [market.channels[name] for name in channel_names]
    delays = delay(
        np.array(
            [
                [[s.prefers.get(stage, {}).get(c, 0.0) for c in channel_names] for stage in STAGES]
                for s in segments
            ]
        )
    )
    return World(
        rules=_rules(market, strategy, root),
        media=_media(market, strategy),
        segments=_table(
            SEGMENT,
            [
                (s.base, s.loyalty, s.searches, s.browse / DAYS_IN_YEAR, s.mail_opt_in)
                for s in segments
            ],
        ),
        channels=_table(
            CHANNEL, [(c.online, c.quality, c.basket, c.basket_spread) for c in channels]
        ),
        delays=delays.copy(),
        usual_delays=delays,
        usual_pull=np.array([market.media[name].pull for name in sorted(market.media)]),
        trend=np.array([market.trend * market.media[m].trend for m in sorted(market.media)]),
        success=np.array([[c.success[stage] for stage in STAGES] for c in channels]),
        lost=np.array([[c.lost[stage] for stage in STAGES] for c in channels]),
        messages=names_by_aim(market, "customers"),
        visitors=names_by_aim(market, "visitors"),
        searchers=names_by_aim(market, "searchers"),
        brands=names_by_aim(market, "brand_searchers"),
    )


def delay(utility: np.ndarray) -> np.ndarray:
    """Return the mean time until an option of this utility comes to mind."""
    delays: np.ndarray = np.exp(np.clip(-utility, -LARGEST_UTILITY, LARGEST_UTILITY))
    return delays


def _table(kind: np.dtype, rows: list[tuple[float, ...]]) -> np.recarray:
    return np.array(rows, dtype=kind).view(np.recarray)


def _rules(market: Market, strategy: Strategy, root: np.uint64) -> np.recarray:
    rules = np.zeros(1, RULES)
    rivals, buying, journey = market.rivals, market.buying, market.journey
    online = [i for i, c in enumerate(sorted(market.channels)) if market.channels[c].online]
    values = {
        "record_key": streams.label(f"record/{int(root)}"),
        "needs_factor": 1.0,
        "attention": market.attention,
        "rival_contacts": rivals.contacts,
        "rival": rivals.attraction or 0.0,
        "has_rival": rivals.attraction is not None,
        "steal_unguarded": rivals.steal_unguarded,
        "steal_guarded": rivals.steal_guarded,
        "newcomers": buying.newcomers / DAYS_IN_YEAR,
        "cohort": buying.cohort_weeks is not None,
        "visit_days": market.recent_visit_days,
        "buyer_days": market.recent_buyer_days,
        "transaction_data": strategy.integration.transaction_data,
        "information_access": strategy.integration.information_access,
        "browses_on": online[-1] if online else 0,
    }
    for spec in (buying, journey):
        values |= {
            k: v
            for k, v in spec.model_dump().items()
            if k in (RULES.names or ()) and k not in values
        }
    for field in ("habit", "inertia", "push"):
        values[field] = delay(np.array(values[field]))
    for field, value in values.items():
        rules[field] = value
    return rules.view(np.recarray)


def _media(market: Market, strategy: Strategy) -> np.recarray:
    channel_names = sorted(market.channels)
    owners = sorted(strategy.organigram)
    owner = {c: owners.index(d) for d in owners for c in strategy.organigram[d].owns}
    media = np.zeros(len(market.media), MEDIUM)
    aimed = [name for name in sorted(market.media) if market.media[name].aim != "everybody"]
    for m, name in enumerate(sorted(market.media)):
        spec = market.media[name]
        media[m] = (
            spec.pull,
            spec.half_pull,
            0.0,
            1.0,
            spec.click_rate,
            spec.click_goodwill,
            channel_names.index(spec.lands_on) if spec.lands_on else -1,
            spec.reminder,
            spec.unsubscribes,
            spec.click_window,
            spec.view_window,
            spec.tracked,
            spec.aim != "customers",
            owner[name],
            aimed.index(name) if name in aimed else -1,
        )
    return media.view(np.recarray)


def set_day(
    world: World,
    market: Market,
    day: int,
    years: float,
    wander: np.ndarray,
    pressure: np.ndarray,
) -> None:
    """Write the day's season, drift and pressure into the world.

    `years` from the fork; `wander` float64[media]: what a random walk has added to every
    log pull.
    """
    date = day % DAYS_IN_YEAR
    needs, tilt = 1.0, 0.0
    for season in market.seasons:
        if season.first_day <= date <= season.last_day:
            needs, tilt = season.needs, season.online
    world.rules["needs_factor"] = needs
    world.delays[:] = world.usual_delays * delay(tilt * world.channels["online"])
    if len(pressure):
        world.media["pull"] = world.usual_pull * np.exp(world.trend * years + wander)
        world.media["pressure"] = pressure
        world.media["none"] = np.exp(-pressure)
