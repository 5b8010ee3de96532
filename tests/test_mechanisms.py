"""Mechanisms: everything happens in the rich market, and each leaves alone what it does not touch.

`tests/own/experiment/rich.yaml` switches every mechanism on; which way each works stands in
`test_directions`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK
from tests.worlds import at_fork, digest, rich

WEEKS = 6


def lived(*overrides: str) -> Simulation:
    """Return the rich market at the end of its weeks after the fork."""
    world = at_fork(rich(*overrides))
    world.run_to(world.state.day + WEEKS * DAYS_IN_WEEK)
    return world


@cache
def whole() -> Simulation:
    return lived()


# -- everything happens -------------------------------------------------------------------


def test_in_the_rich_market_every_column_of_every_ledger_is_filled() -> None:
    ledger = whole().state.ledger
    for columns, rows in (
        (MEDIA_COLUMNS, [week.sum(axis=0) for week in ledger.media]),
        (CHANNEL_COLUMNS, [week.sum(axis=0) for week in ledger.channels]),
        (COMPANY_COLUMNS, ledger.company),
    ):
        empty = {
            name for name, total in zip(columns, np.abs(rows).sum(axis=0), strict=True) if not total
        }
        assert empty <= {"held_back_cents"}


def test_in_the_rich_market_people_differ_in_everything_they_remember() -> None:
    state = whole().state.people.state
    alike = {name for name in state.dtype.names if len(np.unique(state[name])) == 1}
    assert alike == {"joins"}
    assert len(np.unique(whole().state.people.claim)) > 3


SWITCHES = {
    "categories": "market.categories.clothes.basket=1",
    "cross-selling": "market.categories.clothes.cross={}",
    "what a region likes": "market.regions.country.prefers={}",
    "what a region sees": "market.regions.country.affinity={}",
    "promotions": "organigram.stores.promotes=0",
    "the taste for low prices": "market.segments.store_regulars.price=0",
    "distrust": "market.pricing.distrust=0",
    "haggling": "market.pricing.haggles=0",
    "clashing claims": "market.messages.clash=0",
    "coupons": "market.media.coupons.lift=0",
    "looking for coupons": "market.segments.bargain_hunters.coupons=0",
    "referrals": "market.media.referral.pull=0",
    "talk": "market.friends.talk=0",
    "rewired friends": "market.friends.rewired=0",
    "profiles": "market.media.profiles.pull=0",
    "what is fixed": "market.media.seo.price=80",
    "growing expectations": "market.buying.expectation=0",
    "the best service of others": "market.rivals.service=0",
    "late deliveries": "market.channels.web.late=0",
    "incidents": "market.categories.furniture.incident=0",
    "telling it twice": "market.service.twice=0",
    "mending": "market.service.mended=0.9",
    "what mending costs": "market.service.cost=0",
    "one case file": "integration.service=0",
    "waiting": "market.channels.store.wait=0",
    "empty shelves": "market.channels.store.stock_out=0",
    "the stock of others": "integration.fulfilment=0",
    "ways of paying": "market.channels.store.accepts=[]",
    "wrong descriptions": "market.channels.web.facts=1",
    "personalisation": "market.channels.app.personalised=0",
    "phones that help": "market.journey.assist=0",
    "phones that confuse": "market.journey.confuses=0",
    "campaigns of rivals": "market.rivals.campaigns=[]",
    "shocks": "market.shocks=[]",
    "who leaves before a closed door": "market.journey.closed_lost=0.9",
    "a channel that opens late": "market.channels.marketplace.opens=0",
    "where a channel sells": "market.channels.app.regions=[]",
    "what a channel sells": "market.channels.store.sells=[]",
    "channels that the firm opens": "integration.open=[store, web]",
    "levels of a pair": "integration.pairs={}",
    "one calendar of prices": "integration.price=0",
    "one claim": "integration.promotion=0",
}


@pytest.mark.parametrize("override", SWITCHES.values(), ids=SWITCHES)
def test_every_mechanism_is_at_work_in_the_rich_market(override: str) -> None:
    assert digest(lived(override)) != digest(whole())
