"""Strengths and gaps: sentences computed from an inventory, none where there is nothing to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omnisim.inventory.benchmarks import Check
from omnisim.inventory.channels import is_open, owners, recognised
from omnisim.inventory.hand_over import ACCESS, RECORD, Change, lacking
from omnisim.inventory.texts import listed, percent
from omnisim.inventory.use_cases import Tried
from omnisim.spec import ALL_STAGES, Market, Strategy

# [A] from here on a share is worth a sentence
WELL_KNOWN, HARDLY_KNOWN = 0.75, 0.5
OFTEN_KEPT, HARDLY_KEPT = 0.25, 0.1


def strengths(
    market: Market, strategy: Strategy, changes: Sequence[Change], tried: Sequence[Tried]
) -> Iterator[str]:
    """Yield what the channels do well."""
    for name, channel in sorted(market.channels.items()):
        if channel.identity >= WELL_KNOWN:
            yield f"{name} recognises {percent(channel.identity)} of its customers."
    best = max(changes, key=lambda change: change.kept, default=None)
    if best and best.kept >= OFTEN_KEPT:
        yield f"{_way(best)} keeps the context for {percent(best.kept)} of customers."
    yield from _under_one_roof(market, strategy)
    yield from _served_on_both_sides(market)
    possible = [case.name for case in tried if not case.breaks]
    if possible:
        yield f"{_of(possible, tried)} possible: {listed(possible)}."


def gaps(
    market: Market,
    strategy: Strategy,
    changes: Sequence[Change],
    tried: Sequence[Tried],
    checks: Sequence[Check],
) -> Iterator[str]:
    """Yield what the channels lack."""
    yield from _unserved(market)
    yield from _unsold(market, strategy)
    yield from _unseen(market, strategy)
    yield from _unfollowed(market)
    for name, channel in sorted(market.channels.items()):
        if channel.identity < HARDLY_KNOWN:
            yield (
                f"{name} recognises {percent(channel.identity)} of its customers, less than half."
            )
    yield from _lost(changes)
    yield from _same_audience(market, strategy)
    yield from _apart(market, strategy)
    broken = [case.name for case in tried if case.breaks]
    if broken:
        verb = "breaks" if len(broken) == 1 else "break"
        yield f"{len(broken)} of {_cases(len(tried))} {verb}: {listed(broken)}."
    yield from _outside(checks)


def _outside(checks: Sequence[Check]) -> Iterator[str]:
    """Yield, by channel, what lies outside its benchmark."""
    found: dict[str, list[str]] = {}
    for check in checks:
        if check.mark in ("below", "above"):
            words = f"{check.label} {check.in_unit} ({check.mark} {check.range})"
            found.setdefault(check.channel, []).append(words)
    for channel, outside in found.items():
        yield f"{channel} is outside its benchmarks: {listed(outside)}."


def _of(some: Sequence[str], every: Sequence[Tried]) -> str:
    return f"{len(some)} of {_cases(len(every))} {'is' if len(some) == 1 else 'are'}"


def _cases(count: int) -> str:
    return f"{count} use case{'s' * (count != 1)}"


def _way(change: Change) -> str:
    return f"A change from {change.came_from} to {change.goes_to}"


def _under_one_roof(market: Market, strategy: Strategy) -> Iterator[str]:
    """Yield who owns a medium and the sales channel to which its clicks lead."""
    owner = owners(strategy)
    for name, medium in sorted(market.media.items()):
        if medium.lands_on and owner[name] == owner[medium.lands_on]:
            yield f"{owner[name]} owns both {name} and {medium.lands_on}, where its clicks lead."


def _served_on_both_sides(market: Market) -> Iterator[str]:
    online, offline = (
        {stage for c in market.channels.values() if c.online == side for stage in c.serves}
        for side in (True, False)
    )
    both = [stage for stage in ALL_STAGES if stage in online & offline]
    if both:
        verb = "is" if len(both) == 1 else "are"
        yield f"{listed(both).capitalize()} {verb} served both online and offline."


def _unserved(market: Market) -> Iterator[str]:
    """Yield stages that nobody serves, or nobody on a side on which there are channels."""
    everywhere = [stage for medium in market.media.values() for stage in medium.serves]
    sides = {}
    for online, side in ((True, "online"), (False, "offline")):
        there = [channel for channel in market.channels.values() if channel.online == online]
        if there:
            sides[side] = {stage for channel in there for stage in channel.serves}
            everywhere += sides[side]
    nobody = [stage for stage in ALL_STAGES if stage not in everywhere]
    if nobody:
        yield f"No channel serves {_stages(nobody)}."
    for side, served in sides.items():
        lacks = [stage for stage in ALL_STAGES if stage in everywhere and stage not in served]
        if lacks:
            yield f"No sales channel serves {_stages(lacks)} {side}."


def _stages(stages: Sequence[str]) -> str:
    return f"the stage{'s' * (len(stages) > 1)} {listed(stages)}"


def _unsold(market: Market, strategy: Strategy) -> Iterator[str]:
    """Yield categories, regions and ways of paying for which no open channel takes an order."""
    tills = [
        channel
        for name, channel in market.channels.items()
        if "buy" in channel.serves and is_open(name, strategy)
    ]
    ways = {way for persona in market.segments.values() for way in persona.pays_by}
    for what, wanted, served in (
        ("sells", market.categories, [till.sells for till in tills]),
        ("sells to", market.regions, [till.regions for till in tills]),
        ("accepts", ways, [till.accepts for till in tills]),
    ):
        nobody = [one for one in sorted(wanted) if not any(not s or one in s for s in served)]
        if nobody:
            yield f"No open sales channel {what} {listed(nobody)}."


def _unseen(market: Market, strategy: Strategy) -> Iterator[str]:
    kind = strategy.attribution.kind
    if kind == "claims":
        return
    for name, share in market.start_split().items():
        if not market.media[name].tracked:
            yield (
                f"{name}, {percent(share)} of the budget, is not tracked:"
                f" a rule that reads {kind.replace('_', ' ')} cannot see it."
            )


def _unfollowed(market: Market) -> Iterator[str]:
    """Yield media that follow by cookies, to which too few persons consent."""
    by_cookie = {
        name: recognised(market, medium)
        for name, medium in sorted(market.media.items())
        if medium.aim not in ("customers", "friends")
    }
    few = {name: share for name, share in by_cookie.items() if share is not None}
    share = min(few.values(), default=1.0)
    if share < HARDLY_KNOWN:
        yield (
            f"Cookies let {listed(list(few))} recognise {percent(share)} of persons,"
            " less than half."
        )


def _lost(changes: Sequence[Change]) -> Iterator[str]:
    worst = min(changes, key=lambda change: change.kept, default=None)
    if worst is None or worst.kept >= HARDLY_KEPT:
        return
    if any(change.kept for change in changes):
        yield f"{_way(worst)} keeps the context for {percent(worst.kept)} of customers."
        return
    shared = [name for name in (RECORD, ACCESS) if worst.levels[name] == 0]
    zero = listed([name.replace("_", " ") for name in shared] or lacking(worst.levels))
    yield f"No change of sales channel keeps the context ({zero}: 0)."


def _same_audience(market: Market, strategy: Strategy) -> Iterator[str]:
    owner = owners(strategy)
    buyers: dict[str, dict[str, list[str]]] = {}
    for name, medium in sorted(market.media.items()):
        buyers.setdefault(medium.aim, {}).setdefault(owner[name], []).append(name)
    for aim, departments in sorted(buyers.items()):
        if len(departments) > 1:
            who = listed([f"{one} ({', '.join(m)})" for one, m in sorted(departments.items())])
            yield f"{who} buy the same audience: {aim.replace('_', ' ')}."


def _apart(market: Market, strategy: Strategy) -> Iterator[str]:
    """Yield that nobody who pays for contacts owns a channel in which orders are placed."""
    both = [
        department
        for department in strategy.organigram.values()
        if set(department.owns) & set(market.media) and set(department.owns) & set(market.channels)
    ]
    if market.media and not both:
        yield "No department owns both a medium and a sales channel."
