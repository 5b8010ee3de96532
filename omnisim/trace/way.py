"""The way of a walk: one day's touchpoints in order, by the kernel that walks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from omnisim.contacts import CLICKS
from omnisim.journeys.books import (
    BRAND_SEARCHES,
    BRAND_SEARCHES_TAKEN,
    CHECKOUTS,
    MADE,
    MISSED,
    MOST_STEPS,
    NEEDS,
    ORDERS,
    VISITS,
)
from omnisim.simulation.crowd import Crowd, CrowdState
from omnisim.spec import STAGES, Stage
from omnisim.trace.again import HALF, Lived, again, stopping

End = Literal["gets on", "does not get on", "is lost", "orders", "is taken"]


@dataclass(frozen=True)
class Touch:
    """A contact of a walk with a sales channel at a stage (channel "": none was reached).

    `came_from` is the sales channel that handed over, or should have (`kept`); `phone`
    whether a phone in hand showed the same basket (None: none in hand); `searched` for our
    name first; `coupon` looked for, and `found`.
    """

    channel: str
    stage: Stage
    end: End
    came_from: str = ""
    kept: bool = False
    phone: bool | None = None
    searched: bool = False
    coupon: bool = False
    found: bool = False


def way(crowd: Crowd, morning: CrowdState, row: int) -> Iterator[Touch]:
    """Yield the contacts of a person's walk today, whoever gets it.

    Where a walk leads does not depend on whose it is, and only ours are booked: so it is
    walked as if it were ours, up to its first contact, its second, and so on.
    """
    ours = morning.copy()
    ours.people.state["ours"][row] = 1
    me = ours.people.ids[row]
    as_ours = {"has_rival": 0.0, "same_day": HALF}
    last = again(crowd, ours, row, stopping(crowd, me, 1), **as_ours, contact=0.0)
    if last.company[NEEDS]:
        last = _unwalked(last)
    for touches in range(1, MOST_STEPS + 1):
        now = again(crowd, ours, row, stopping(crowd, me, touches), **as_ours)
        same = (np.array_equal(getattr(now, b), getattr(last, b)) for b in ("company", "channels"))
        if all(same):
            return
        yield _touch(crowd, last, now)
        last = now


def _unwalked(day: Lived) -> Lived:
    """Return a day on which a walk began as it stood before the first contact."""
    begun = day.after.copy()
    begun.stage, begun.channel, begun.repeats = 1, -1, 0
    empty = {book: np.zeros_like(getattr(day, book)) for book in ("media", "channels", "company")}
    return replace(day, after=begun, **empty)


def _touch(crowd: Crowd, last: Lived, now: Lived) -> Touch:
    """Return what stands between two states of the same day, one contact apart."""
    company, before, after = now.company - last.company, last.after, now.after
    missed = after.repeats > before.repeats
    stage = int(before.stage) - 1 - missed
    kept = not missed
    if not _reached(last, now):
        end: End = "is lost" if after.stage == 0 else "is taken"
        return Touch("", STAGES[stage], end, searched=bool(company[BRAND_SEARCHES_TAKEN]))
    changed = stage + missed > 0 and before.channel >= 0 and before.channel != after.channel
    in_hand = company[MADE] + company[MISSED] - changed
    coupons = crowd.world.coupons
    return Touch(
        crowd.channels[after.channel],
        STAGES[stage],
        _end(now, last, stage),
        came_from=crowd.channels[before.channel] if changed else "",
        kept=bool(changed and kept),
        phone=bool(company[MADE] - (changed and kept)) if in_hand else None,
        searched=bool(company[BRAND_SEARCHES]),
        coupon=bool(company[CHECKOUTS]),
        found=bool((now.media - last.media)[coupons, CLICKS].any()) if len(coupons) else False,
    )


def _reached(last: Lived, now: Lived) -> bool:
    """Tell whether a contact reached a sales channel: none does behind a rival or a shut door."""
    taken = now.company[BRAND_SEARCHES_TAKEN] > last.company[BRAND_SEARCHES_TAKEN]
    nowhere = now.after.channel < 0 or _visits(now) == _visits(last)
    return not taken and not (now.after.stage == 0 and nowhere)


def _visits(day: Lived) -> int:
    return int(day.channels[:, VISITS].sum())


def _end(now: Lived, last: Lived, stage: int) -> End:
    if now.channels[:, ORDERS].sum() > last.channels[:, ORDERS].sum():
        return "orders"
    if now.after.stage == 0:
        return "is lost"
    return "gets on" if now.after.stage > stage + 1 else "does not get on"
