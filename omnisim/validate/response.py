"""How sales respond to money: elasticities, the next euro, how long an effect lasts."""

from __future__ import annotations

import numpy as np

from omnisim.records import CHANNEL_COLUMNS
from omnisim.simulation import Simulation
from omnisim.simulation.truth import earned
from omnisim.spec import DAYS_IN_WEEK, WEEKS_IN_YEAR
from omnisim.validate.diary import Open, ratio
from omnisim.validate.replication import QUARTER, Measure, Replication, aired, once, sold
from omnisim.validate.targets import Target

LITTLE = 0.1  # one percent, of which the source speaks, drowns in luck and bends no less
FIFTH, BURST = 0.2, 4.0
FELT_WEEKS = 12
TV_BURST_WEEKS = 4
MOST = 0.9


# -- E7, E8: elasticities ------------------------------------------------------------------


def short_run(replication: Replication, target: Target) -> float:
    """Return the elasticity of a quarter's orders to all media in that quarter."""
    more = _paid_more(replication, tuple(replication.morning.media), LITTLE)
    return _extra(replication, more, QUARTER) / LITTLE


def long_over_short(replication: Replication, target: Target) -> float:
    """Return the extra orders of a year over those of the quarter in which more was paid."""
    more = _paid_more(replication, tuple(replication.morning.media), LITTLE)
    return ratio(_extra(replication, more, WEEKS_IN_YEAR), _extra(replication, more, QUARTER))


def long_run(replication: Replication, target: Target) -> float:
    """Return the elasticity of a quarter's orders, extra ones of a year, to some media."""
    more = _paid_more(replication, replication.media(target), FIFTH)
    return _extra(replication, more, WEEKS_IN_YEAR) / FIFTH


def loses_money(replication: Replication, target: Target) -> float:
    """Return 100 if the next euro on some media earns less than it costs, else 0 (% of seeds)."""
    more, plain = _paid_more(replication, replication.media(target), FIFTH), replication.plain
    year = replication.first(WEEKS_IN_YEAR)
    gain = earned(more, year.start) - earned(plain, year.start)
    cost = [aired(world, "spent_cents", year) / 100 for world in (more, plain)]
    return 100.0 * (gain < cost[0] - cost[1])


@once
def _paid_more(replication: Replication, media: tuple[str, ...], rise: float) -> Simulation:
    """Return a fork one year on that paid some media more in its first quarter."""
    return replication.paid(dict.fromkeys(media, 1 + rise), WEEKS_IN_YEAR)


def _extra(replication: Replication, more: Simulation, weeks: int) -> float:
    """Return extra orders within some weeks over the orders of a quarter."""
    later, base = replication.first(weeks), replication.first(QUARTER)
    extra = [sold(world, "expected_orders", later) for world in (more, replication.plain)]
    return ratio(extra[0] - extra[1], sold(replication.plain, "expected_orders", base))


# -- E10: how long ---------------------------------------------------------------------------


def felt_weeks(replication: Replication, target: Target) -> float:
    """Return the weeks after which 90 % of a week's burst were felt, of the slowest medium."""
    return max(_felt_weeks(replication, name) for name in replication.media(target))


def _felt_weeks(replication: Replication, medium: str) -> float:
    burst = replication.fork({medium: BURST})
    plain = replication.fork({})
    excess = []
    for day in range(FELT_WEEKS * DAYS_IN_WEEK):
        if day == DAYS_IN_WEEK:
            burst.change = np.ones(len(burst.media))
        for world in (burst, plain):
            world.step()
        excess.append(_felt(replication, burst, medium) - _felt(replication, plain, medium))
    return reached(np.array(excess)) / DAYS_IN_WEEK


def _felt(replication: Replication, world: Simulation, medium: str) -> float:
    """Return which part of a medium's pull is felt, mean over people."""
    goodwill = world.people.goodwill[world.media.index(medium)].astype(float)
    return float((goodwill / (goodwill + replication.market.media[medium].half_pull)).mean())


def repeat_weeks(replication: Replication, target: Target) -> float:
    """Return the weeks after which 90 % of a burst's extra orders of a year are made."""
    factors = dict.fromkeys(replication.media(target), BURST)
    burst = replication.paid(factors, WEEKS_IN_YEAR, TV_BURST_WEEKS)
    column = CHANNEL_COLUMNS.index("expected_orders")
    orders = [
        np.array(world.state.ledger.channels[replication.first(WEEKS_IN_YEAR)])[:, :, column]
        for world in (burst, replication.plain)
    ]
    return reached((orders[0] - orders[1]).sum(axis=1))


def reached(effect: np.ndarray) -> float:
    """Return how long it takes until 90 % of the sum of an effect are there for good.

    Raises Open if the effect adds up to nothing.
    """
    added = np.cumsum(effect)
    if added[-1] <= 0:
        raise Open("a burst has no effect")
    return float(np.flatnonzero(np.append(0.0, added) < MOST * added[-1])[-1] + 1)


MEASURES: dict[str, Measure] = {
    "E7.short_run": short_run,
    "E7.ratio": long_over_short,
    "E8.long_run": long_run,
    "E8.loses": loses_money,
    "E10.tv": felt_weeks,
    "E10.digital": felt_weeks,
    "E10.repeats": repeat_weeks,
}
