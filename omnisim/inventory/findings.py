"""Strengths and gaps: sentences computed from an inventory, none where there is nothing to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from omnisim.inventory.benchmarks import Check
from omnisim.inventory.channels import is_open, owners, recognised
from omnisim.inventory.hand_over import ACCESS, RECORD, Change, lacking
from omnisim.inventory.texts import named, percent, regions
from omnisim.inventory.use_cases import Tried
from omnisim.language import Language, message
from omnisim.spec import ALL_STAGES, Market, Strategy

# [A] from here on a share is worth a sentence
WELL_KNOWN, HARDLY_KNOWN = 0.75, 0.5
OFTEN_KEPT, HARDLY_KEPT = 0.25, 0.1


def strengths(
    market: Market,
    strategy: Strategy,
    words: Language,
    changes: Sequence[Change],
    tried: Sequence[Tried],
) -> Iterator[str]:
    """Yield what the channels do well."""
    for name, channel in sorted(market.channels.items()):
        if channel.identity >= WELL_KNOWN:
            yield words.say(
                "{channel} recognises {share} of its customers.",
                channel=words.name(name),
                share=percent(channel.identity, words),
            )
    best = max(changes, key=lambda change: change.kept, default=None)
    if best and best.kept >= OFTEN_KEPT:
        yield _keeps(best, words)
    yield from _under_one_roof(market, strategy, words)
    yield from _served_on_both_sides(market, words)
    yield from _possible(tried, words)


def gaps(
    market: Market,
    strategy: Strategy,
    words: Language,
    changes: Sequence[Change],
    tried: Sequence[Tried],
    checks: Sequence[Check],
) -> Iterator[str]:
    """Yield what the channels lack."""
    yield from _unserved(market, words)
    yield from _unsold(market, strategy, words)
    yield from _unseen(market, strategy, words)
    yield from _unfollowed(market, words)
    for name, channel in sorted(market.channels.items()):
        if channel.identity < HARDLY_KNOWN:
            yield words.say(
                "{channel} recognises {share} of its customers, less than half.",
                channel=words.name(name),
                share=percent(channel.identity, words),
            )
    yield from _lost(changes, words)
    yield from _same_audience(market, strategy, words)
    yield from _apart(market, strategy, words)
    yield from _broken(tried, words)
    yield from _outside(checks, words)


def _keeps(change: Change, words: Language) -> str:
    return words.say(
        "A change from {channel} to {next} keeps the context for {share} of customers.",
        channel=words.name(change.came_from),
        next=words.name(change.goes_to),
        share=percent(change.kept, words),
    )


def _possible(tried: Sequence[Tried], words: Language) -> Iterator[str]:
    yield from _counted(
        [case.name for case in tried if not case.breaks],
        message("{count} of {cases} is possible: {names}."),
        message("{count} of {cases} are possible: {names}."),
        tried,
        words,
    )


def _broken(tried: Sequence[Tried], words: Language) -> Iterator[str]:
    yield from _counted(
        [case.name for case in tried if case.breaks],
        message("{count} of {cases} breaks: {names}."),
        message("{count} of {cases} break: {names}."),
        tried,
        words,
    )


def _counted(
    names: Sequence[str], one: str, more: str, tried: Sequence[Tried], words: Language
) -> Iterator[str]:
    """Yield in one sentence, of one or more, how many of the use cases these are."""
    if names:
        said = one if len(names) == 1 else more
        cases = _cases(tried, words)
        yield words.say(said, count=len(names), cases=cases, names=named(names, words))


def _cases(tried: Sequence[Tried], words: Language) -> str:
    """Return how many there are, as what a part is of."""
    if len(tried) == 1:
        return words.say("{count} use case", count=1)
    return words.say("{count} use cases", count=len(tried))


def _outside(checks: Sequence[Check], words: Language) -> Iterator[str]:
    """Yield, by channel, what lies outside its benchmark."""
    sides = {
        "below": message("{measure} {value} (below {range})"),
        "above": message("{measure} {value} (above {range})"),
    }
    found: dict[str, list[str]] = {}
    for check in checks:
        if check.mark in sides:
            said = words.say(
                sides[check.mark], measure=check.label, value=check.in_unit, range=check.range
            )
            found.setdefault(check.channel, []).append(said)
    for channel, outside in found.items():
        yield words.say(
            "{channel} is outside its benchmarks: {measures}.",
            channel=words.name(channel),
            measures=words.listed(outside),
        )


def _under_one_roof(market: Market, strategy: Strategy, words: Language) -> Iterator[str]:
    """Yield who owns a medium and the sales channel to which its clicks lead."""
    owner = owners(strategy)
    for name, medium in sorted(market.media.items()):
        if medium.lands_on and owner[name] == owner[medium.lands_on]:
            yield words.say(
                "{department} owns both {medium} and {channel}, where its clicks lead.",
                department=words.name(owner[name]),
                medium=words.name(name),
                channel=words.name(medium.lands_on),
            )


def _served_on_both_sides(market: Market, words: Language) -> Iterator[str]:
    online, offline = (
        {stage for c in market.channels.values() if c.online == side for stage in c.serves}
        for side in (True, False)
    )
    both = [stage for stage in ALL_STAGES if stage in online & offline]
    if len(both) == 1:
        said = message("{stages} is served both online and offline.")
    else:
        said = message("{stages} are served both online and offline.")
    stages = named(both, words)
    if both:
        yield words.say(said, stages=f"{stages[0].upper()}{stages[1:]}")


def _unserved(market: Market, words: Language) -> Iterator[str]:
    """Yield stages that nobody serves, or nobody on a side on which there are channels."""
    everywhere = [stage for medium in market.media.values() for stage in medium.serves]
    sides = {}
    for online, side in ((True, words.say("online")), (False, words.say("offline"))):
        there = [channel for channel in market.channels.values() if channel.online == online]
        if there:
            sides[side] = {stage for channel in there for stage in channel.serves}
            everywhere += sides[side]
    nobody = [stage for stage in ALL_STAGES if stage not in everywhere]
    if nobody:
        yield words.say("No channel serves {stages}.", stages=_stages(nobody, words))
    for side, served in sides.items():
        lacks = [stage for stage in ALL_STAGES if stage in everywhere and stage not in served]
        if lacks:
            stages = _stages(lacks, words)
            yield words.say("No sales channel serves {stages} {side}.", stages=stages, side=side)


def _stages(stages: Sequence[str], words: Language) -> str:
    if len(stages) == 1:
        return words.say("the stage {stages}", stages=named(stages, words))
    return words.say("the stages {stages}", stages=named(stages, words))


def _unsold(market: Market, strategy: Strategy, words: Language) -> Iterator[str]:
    """Yield categories, regions and ways of paying for which no open channel takes an order."""
    tills = [
        channel
        for name, channel in market.channels.items()
        if "buy" in channel.serves and is_open(name, strategy)
    ]
    ways = {way for persona in market.segments.values() for way in persona.pays_by}
    if goods := _left_over(market.categories, [till.sells for till in tills]):
        yield words.say("No open sales channel sells {goods}.", goods=named(goods, words))
    if there := _left_over(market.regions, [till.regions for till in tills]):
        yield words.say("No open sales channel sells to {regions}.", regions=regions(there, words))
    if refused := _left_over(ways, [till.accepts for till in tills]):
        yield words.say("No open sales channel accepts {ways}.", ways=named(refused, words))


def _left_over(wanted: Iterable[str], served: Sequence[Sequence[str]]) -> list[str]:
    """Return what nobody serves; who names nothing serves all."""
    return [one for one in sorted(wanted) if not any(not s or one in s for s in served)]


def _unseen(market: Market, strategy: Strategy, words: Language) -> Iterator[str]:
    kind = strategy.attribution.kind
    if kind == "claims":
        return
    for name, share in market.start_split().items():
        if not market.media[name].tracked:
            yield words.say(
                "{medium}, {share} of the budget, is not tracked:"
                " a rule that reads {credit} cannot see it.",
                medium=words.name(name),
                share=percent(share, words),
                credit=words.plain(kind),
            )


def _unfollowed(market: Market, words: Language) -> Iterator[str]:
    """Yield media that follow by cookies, to which too few persons consent."""
    by_cookie = {
        name: recognised(market, medium)
        for name, medium in sorted(market.media.items())
        if medium.aim not in ("customers", "friends")
    }
    few = {name: share for name, share in by_cookie.items() if share is not None}
    share = min(few.values(), default=1.0)
    if share < HARDLY_KNOWN:
        yield words.say(
            "Cookies let {media} recognise {share} of persons, less than half.",
            media=named(few, words),
            share=percent(share, words),
        )


def _lost(changes: Sequence[Change], words: Language) -> Iterator[str]:
    worst = min(changes, key=lambda change: change.kept, default=None)
    if worst is None or worst.kept >= HARDLY_KEPT:
        return
    if any(change.kept for change in changes):
        yield _keeps(worst, words)
        return
    shared = [name for name in (RECORD, ACCESS) if worst.levels[name] == 0]
    zero = words.listed([words.plain(name) for name in shared or lacking(worst.levels)])
    yield words.say("No change of sales channel keeps the context ({lacks}: 0).", lacks=zero)


def _same_audience(market: Market, strategy: Strategy, words: Language) -> Iterator[str]:
    owner = owners(strategy)
    buyers: dict[str, dict[str, list[str]]] = {}
    for name, medium in sorted(market.media.items()):
        buyers.setdefault(medium.aim, {}).setdefault(owner[name], []).append(words.name(name))
    for aim, departments in sorted(buyers.items()):
        if len(departments) > 1:
            who = [f"{words.name(one)} ({', '.join(m)})" for one, m in sorted(departments.items())]
            yield words.say(
                "{departments} buy the same audience: {aim}.",
                departments=words.listed(who),
                aim=words.plain(aim),
            )


def _apart(market: Market, strategy: Strategy, words: Language) -> Iterator[str]:
    """Yield that nobody who pays for contacts owns a channel in which orders are placed."""
    both = [
        department
        for department in strategy.organigram.values()
        if set(department.owns) & set(market.media) and set(department.owns) & set(market.channels)
    ]
    if market.media and not both:
        yield words.say("No department owns both a medium and a sales channel.")
