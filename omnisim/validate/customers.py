"""What a plain history of a market shows: customers, channels, seasons, records."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from omnisim.people import COOKIES
from omnisim.spec import DAYS_IN_YEAR
from omnisim.validate.diary import ratio, remembered
from omnisim.validate.replication import Measure, Replication, booked, sold
from omnisim.validate.targets import Target

EIGHTEEN_MONTHS = 546
SECOND_ORDER_WITHIN = 365
YEAR_END = range(304, DAYS_IN_YEAR)  # November and December


def spend(orders: pd.DataFrame) -> pd.Series:
    """Return what each of some orders brought (EUR), as persons remember it."""
    basket: pd.Series = orders[remembered("last_basket")].astype(float)
    return basket


def usual_spend(replication: Replication, orders: pd.DataFrame) -> np.ndarray:
    """Return what each of some orders would bring at its channel's mean basket (EUR)."""
    world, past = replication.morning, replication.past
    revenue, placed = (
        np.array([sold(world, column, past, [name]) for name in world.channels])
        for column in ("revenue_gross", "orders")
    )
    worth: np.ndarray = (revenue / np.maximum(placed, 1))[orders["channel"].to_numpy()]
    return worth


def is_online(replication: Replication, orders: pd.DataFrame) -> np.ndarray:
    """Tell of each order whether it was placed online."""
    flags = np.array([name in replication.online for name in replication.morning.channels])
    online: np.ndarray = flags[orders["channel"].to_numpy()]
    return online


def bits(replication: Replication, channels: tuple[str, ...]) -> np.uint8:
    """Return the bits of some sales channels in what persons have `met`."""
    names = replication.morning.channels
    return np.uint8(sum(1 << names.index(name) for name in channels))


# -- E5, E6: the base ----------------------------------------------------------------------


def customers_spend(replication: Replication) -> np.ndarray:
    """Return what each customer of 18 months spent, ascending (EUR)."""
    orders = replication.diary.last_days(EIGHTEEN_MONTHS)
    return np.sort(spend(orders).groupby(orders["row"]).sum().to_numpy())


def top_fifth(replication: Replication, target: Target) -> float:
    """Return the part of revenue that the biggest fifth of customers brings (%)."""
    spent = customers_spend(replication)
    return 100 * ratio(spent[-round(len(spent) / 5) :].sum(), spent.sum())


def gini(replication: Replication, target: Target) -> float:
    """Return the Gini coefficient of spend over customers."""
    spent = customers_spend(replication)
    rank = np.arange(1, len(spent) + 1)
    mean_rank = ratio((rank * spent).sum(), spent.sum())
    return (2 * mean_rank - 1) / len(spent) - 1


def second_order(replication: Replication, target: Target) -> float:
    """Return the part of new customers who order again within 365 days (%)."""
    diary = replication.diary
    orders = diary.orders.sort_values(["row", "day"])
    gap = orders.groupby("row")["day"].shift(-1) - orders["day"]
    new = orders["is_first"] & (orders["day"] + SECOND_ORDER_WITHIN <= diary.last_day)
    return 100 * ratio((gap[new] <= SECOND_ORDER_WITHIN).sum(), new.sum())


# -- E21, E23, E24: channels ---------------------------------------------------------------


def multichannel_share(replication: Replication, target: Target) -> float:
    """Return the part of a year's customers who bought both online and offline (%)."""
    bought = _bought(replication)
    return 100 * ratio((bought["online"] & bought["offline"]).sum(), len(bought))


def multichannel_spend(replication: Replication, target: Target) -> float:
    """Return spend per head of those who bought both ways over that of all others."""
    bought = _bought(replication)
    both = bought["online"] & bought["offline"]
    return _mean_over(bought["spend"], both)


def _bought(replication: Replication) -> pd.DataFrame:
    """Return, by customer of the last year, whether online, whether offline, and spend."""
    orders = replication.diary.last_days(DAYS_IN_YEAR)
    online = is_online(replication, orders)
    worth = usual_spend(replication, orders)
    told = pd.DataFrame({"online": online, "offline": ~online, "spend": worth})
    by_customer = told.groupby(orders["row"].to_numpy())
    return by_customer.agg({"online": "any", "offline": "any", "spend": "sum"})


def touching_share(replication: Replication, target: Target) -> float:
    """Return the part of customers whose ways led both online and offline (%)."""
    orders = replication.diary.last_days(DAYS_IN_YEAR)
    customers = orders["row"].unique()
    return 100 * ratio(_touches_both(replication)[customers].sum(), len(customers))


def occasion(where: str, replication: Replication, target: Target) -> float:
    """Return by how much more those who touch both spend per order, in stores or online (%)."""
    orders = replication.diary.last_days(DAYS_IN_YEAR)
    online = is_online(replication, orders)
    orders = orders[online if where == "online" else ~online]
    both = _touches_both(replication)[orders["row"]]
    return 100 * (_mean_over(spend(orders), both) - 1)


def _mean_over(values: pd.Series, chosen: np.ndarray | pd.Series) -> float:
    """Return the mean of the values that are chosen over that of all others."""
    means = [ratio(values[rows].sum(), rows.sum()) for rows in (chosen, ~chosen)]
    return ratio(*means)


def _touches_both(replication: Replication) -> np.ndarray:
    remembered("met")
    met = replication.diary.met
    online = bits(replication, replication.online)
    both: np.ndarray = (met & online > 0) & (met & ~online > 0)
    return both


def webrooming(replication: Replication, target: Target) -> float:
    """Return the part of store orders whose way led online first (%)."""
    [store] = replication.channels(target)
    return _crossed(replication, (store,), replication.online)


def showrooming(replication: Replication, target: Target) -> float:
    """Return the part of online orders whose way led to a store first (%)."""
    return _crossed(replication, replication.online, replication.channels(target))


def rooming_ratio(replication: Replication, target: Target) -> float:
    """Return webrooming over showrooming."""
    return ratio(webrooming(replication, target), showrooming(replication, target))


def _crossed(replication: Replication, bought: tuple[str, ...], seen: tuple[str, ...]) -> float:
    """Return the part of orders in some channels whose way led to others (%)."""
    orders = replication.diary.orders
    met = orders[remembered("met")].to_numpy()
    rows = [replication.morning.channels.index(name) for name in bought]
    there = orders["channel"].isin(rows).to_numpy()
    return 100 * ratio((met[there] & bits(replication, seen) > 0).sum(), there.sum())


# -- E28, E29, E32, E33: conversion, season, records ----------------------------------------


def conversion(replication: Replication, target: Target) -> float:
    """Return orders per visit of the target's channels (%)."""
    return 100 * _per(replication, "orders", "visits", replication.channels(target))


def abandoned_carts(replication: Replication, target: Target) -> float:
    """Return the part of carts that become no order (%)."""
    return 100 - 100 * _per(replication, "orders", "carts", replication.channels(target))


def app_over_web(replication: Replication, target: Target) -> float:
    """Return the app's conversion over the web shop's."""
    app, web = replication.channels(target)
    ratios = [_per(replication, "orders", "visits", (name,)) for name in (app, web)]
    return ratio(*ratios)


def _per(replication: Replication, column: str, base: str, channels: tuple[str, ...]) -> float:
    world, past = replication.morning, replication.past
    return ratio(sold(world, column, past, channels), sold(world, base, past, channels))


def year_end(where: str, replication: Replication, target: Target) -> float:
    """Return what November and December bring of sales in stores or online (%)."""
    orders = replication.diary.orders
    online = is_online(replication, orders)
    stores = [replication.morning.channels.index(name) for name in replication.channels(target)]
    there = online if where == "online" else orders["channel"].isin(stores).to_numpy()
    worth = usual_spend(replication, orders)[there]
    late = (orders["day"] % DAYS_IN_YEAR).isin(YEAR_END).to_numpy()[there]
    return 100 * ratio(worth[late].sum(), worth.sum())


def recorded_gap(replication: Replication, target: Target) -> float:
    """Return the recorded share of online orders less the share who consent (points)."""
    world, past = replication.morning, replication.past
    online = sold(world, "orders", past, replication.online)
    consents = (world.people.state["consent"] & COOKIES > 0).mean()
    return 100 * (ratio(booked(world, "tracked_orders", past), online) - float(consents))


MEASURES: dict[str, Measure] = {
    "E5.top_fifth": top_fifth,
    "E5.gini": gini,
    "E6.fashion_home": second_order,
    "E21.share": multichannel_share,
    "E21.spend": multichannel_spend,
    "E23.share": touching_share,
    "E23.store": partial(occasion, "store"),
    "E23.online": partial(occasion, "online"),
    "E24.webrooming": webrooming,
    "E24.showrooming": showrooming,
    "E24.ratio": rooming_ratio,
    "E28.web": conversion,
    "E28.store": conversion,
    "E28.carts": abandoned_carts,
    "E29.ratio": app_over_web,
    "E32.store": partial(year_end, "store"),
    "E32.online": partial(year_end, "online"),
    "E33.recorded": recorded_gap,
}
