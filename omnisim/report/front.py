"""Page one: the price of silos, what to do first, who loses, when it stops paying, how sure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from omnisim.comparison import glance
from omnisim.language import Language, message
from omnisim.misallocation import BEST
from omnisim.report.charts import Table, told
from omnisim.report.placement import losers
from omnisim.report.results import Results

LEVERS = {
    "overhead": message("What central steering costs beside media"),
    "noise": message("Noise of its reports"),
    "delay": message("Delay of its reports"),
}
CLOSE = 0.1  # of the price: an interval that is narrow enough


@dataclass(frozen=True)
class Fact:
    """One number that is read from far: what it is, the number, how far it can be trusted."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Front:
    """What stands on page one; what no file knows is empty."""

    verdict: tuple[str, ...]
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    moves: Table | None
    losers: str
    break_even: tuple[str, ...]
    missing: str


def front(results: Results, words: Language) -> Front:
    """Return page one."""
    numbers = results.summary.get("page_one") or {}
    facts = [
        _price(numbers, results, words),
        _orders(numbers, words),
        _money(numbers, words),
        _sure(numbers, words),
    ]
    moves = _moves(results, words)
    return Front(
        (*results.comparison.sentences(words), *_beyond(results, words)),
        tuple(notes(results, words)),
        tuple(fact for fact in facts if fact is not None),
        moves,
        losers(results, words) or _nobody(results, words),
        tuple(_break_even(results, words)),
        " ".join(_missing(results, moves, words)),
    )


def _missing(results: Results, moves: Table | None, words: Language) -> Iterator[str]:
    """Yield what else could be asked for."""
    if moves is None:
        yield words.say(
            "The first moves and the break-even are measured when the question is asked with"
            " truth=quick or truth=full."
        )
    elif not len(results.table("price_of_silos")):
        yield words.say(
            "The price of silos part by part, and at which noise and delay of reports central"
            " steering stops paying, are measured when the question is asked with truth=full."
        )
    if not len(results.table("robustness")):
        yield words.say("Whether another start changes the answer is told by robustness=true.")


def notes(results: Results, words: Language) -> list[str]:
    """Return in a few words the verdict from other starts, where it was asked for."""
    found = results.table("robustness")
    if not len(found):
        return []
    said = []
    for _, rows in found[found["point"] > 0].groupby("point"):
        comparison = results.among(rows)
        verdicts = [row.verdict for row in comparison.of(comparison.primary).values()]
        verdict = f"{glance(comparison, words)}: {', '.join(words.say(word) for word in verdicts)}"
        asked = str(rows["asked with"].iloc[0])
        base = words.plain(results.baseline)
        said.append(
            words.say(
                "With {what}, against {baseline}: {verdict}",
                what=asked,
                baseline=base,
                verdict=verdict,
            )
        )
    return said


def _beyond(results: Results, words: Language) -> list[str]:
    """Return what the best fixed split surely earns beyond the baseline, and who wins how much."""
    short = {gap.policy: gap for gap in results.gaps if gap.against == BEST}
    base = short.get(results.baseline)
    if base is None or not base.ci_low > 0:
        return []
    won = []
    for arm in (arm for arm in results.arms[1:4] if arm in short):
        share = (base.mean - short[arm].mean) / base.mean
        wins = words.say(
            "{arm} wins {share} of it", arm=words.plain(arm), share=words.percent(share)
        )
        nothing = words.say("{arm} wins nothing of it", arm=words.plain(arm))
        won.append(wins if share > 0 else nothing)
    found = words.say(
        "The best fixed split of the same budget would earn {amount} a year more than {baseline}",
        amount=words.money(base.mean),
        baseline=words.plain(results.baseline),
    )
    return [told([found, *won])]


def _nobody(results: Results, words: Language) -> str:
    """Return that nobody loses, where pay was measured in more than one arm."""
    if len(results.arms) < 2 or not len(results.table("departments")):
        return ""
    return words.say("No department is sure to be paid less.")


def _price(numbers: Mapping[str, Any], results: Results, words: Language) -> Fact | None:
    found = numbers.get("price_of_silos")
    if not found:
        return None
    mean, low, high = _interval(found)
    note = _reach(words, low, high, words.money)
    if low <= 0 <= high:
        note += " " + words.say("It is not sure that silos cost anything.")
    elif high < 0:
        note += " " + words.say("Silos cost nothing here: they earn more.")
    label, of = words.say("Price of silos"), numbers.get("of")
    if of == "steering":
        label = words.say("Price of silo steering")
        what = words.say("Against the best use of the same budget.")
    else:
        what = _ways(results, words)
    return Fact(
        label,
        words.say("{amount} a year", amount=words.money(mean)),
        f"{note} {what}".strip(),
    )


def _ways(results: Results, words: Language) -> str:
    """Return what the price is made of."""
    bars = results.table("price_of_silos")
    whole = bars[bars["waterfall"] == "together"] if len(bars) else bars
    told = {
        str(bar["part" if bar["kind"] == "part" else "kind"]): words.money(
            float(bar["eur_year"]), signed=True
        )
        for bar in whole.to_dict("records")
    }
    if "interaction" not in told:
        return words.say("Against the best use of the same budget.")
    return words.say(
        "Steering {steering}, missing integration less what links cost {integration}, what both"
        " bring only together {interaction}.",
        **told,
    )


def _orders(numbers: Mapping[str, Any], words: Language) -> Fact | None:
    return _won(
        numbers.get("same_money_more_orders"),
        words.say("The same money buys"),
        words.say("{count} more orders a year"),
        words.say("not surely more orders"),
        words.count,
        words,
    )


def _money(numbers: Mapping[str, Any], words: Language) -> Fact | None:
    return _won(
        numbers.get("same_orders_less_money"),
        words.say("The same orders cost"),
        words.say("{amount} less a year"),
        words.say("not surely less money"),
        words.money,
        words,
    )


def _won(
    found: Mapping[str, Any] | None,
    label: str,
    won: str,
    unsure: str,
    written: Callable[[float], str],
    words: Language,
) -> Fact | None:
    """Return what would surely be won, or that nothing would."""
    if not found:
        return None
    mean, low, high = _interval(found)
    reach = (high - low) / 2
    if reach > 1:  # digits that say something
        mean, low, high = (
            round(value, 1 - math.floor(math.log10(reach))) for value in (mean, low, high)
        )
    value = won.format(count=written(mean), amount=written(mean)) if low > 0 else unsure
    return Fact(label, value, _reach(words, low, high, written))


def _sure(numbers: Mapping[str, Any], words: Language) -> Fact | None:
    found = numbers.get("how_sure")
    if not found:
        return None
    count, positive = int(found["replications"]), int(found["positive"])
    value = words.say("{times} of {count} replications", times=positive, count=count)
    note = words.say("in which silos cost something.")
    if numbers.get("of") == "steering":
        note = words.say(
            "in which silo steering costs something, of those that lived through the best split,"
            " too."
        )
    share = found.get("half_width_share")
    if share is not None and share < 1:
        note += " " + words.say("The price is known to ± {share}.", share=words.percent(share))
        if share > CLOSE:
            needed = math.ceil(count * (share / CLOSE) ** 2)
            note += " " + words.say(
                "truth=full replications.min={count} would tell it to about ± {share}.",
                count=needed,
                share=words.percent(CLOSE),
            )
    else:
        note += " " + words.say("How much is not known; more replications would tell.")
    return Fact(words.say("How sure"), value, note)


def _moves(results: Results, words: Language) -> Table | None:
    """Return the moves that surely gain; those that were tried for nothing are named below."""
    found = results.table("first_moves")
    if not len(found):
        return None
    rows, unsure = [], []
    for move in found.sort_values("nth").to_dict("records"):
        low, high = words.money(float(move["ci_low"])), words.money(float(move["ci_high"]))
        giver, taker = words.plain(str(move["from"])), words.plain(str(move["to"]))
        gain = words.money(float(move["gain_year"]), signed=True)
        reach = words.say("{low} to {high}", low=low, high=high)
        if move["ci_low"] > 0:
            rows.append([giver, taker, gain, reach, words.money(float(move["eur_year"]))])
        else:
            unsure.append(f"{giver} → {taker} ({gain})")
    heads = [
        words.say("From"),
        words.say("To"),
        words.say("Gain a year"),
        words.say("95 % interval"),
        words.say("Money a year"),
    ]
    caption = words.say(
        "Each move alone, in contribution a year against the split of the year before the fork."
    )
    if unsure:
        caption += " " + words.say("Tried, not sure to gain: {moves}.", moves=words.listed(unsure))
    return Table(caption, heads, rows, texts=2)


def _break_even(results: Results, words: Language) -> list[str]:
    found = results.table("break_even")
    if not len(found):
        return []
    said = []
    for lever, rows in found.groupby("lever", sort=False):
        first = rows.iloc[0]
        what = words.say(LEVERS.get(str(lever), str(lever)))
        unit = str(first["unit"]) if pd.notna(first["unit"]) else ""
        today = _setting(words, float(first["today"]), unit)
        if ((rows["ci_low"] <= 0) & (rows["ci_high"] >= 0)).all():
            said.append(
                words.say(
                    "{what}: at no setting that was tried is it sure whether central steering"
                    " pays.",
                    what=what,
                )
            )
            continue
        if first["status"] == "stops" and pd.notna(first["break_even"]):
            said.append(
                words.say(
                    "{what}: central steering stops paying at {limit} (today {today}).",
                    limit=_setting(words, float(first["break_even"]), unit),
                    today=today,
                    what=what,
                )
            )
        elif first["status"] == "never pays":
            said.append(
                words.say("{what}: central steering pays at no setting that was tried.", what=what)
            )
        else:
            said.append(
                words.say(
                    "{what}: central steering pays at every setting that was tried, up to {most}.",
                    most=_setting(words, float(rows["setting"].max()), unit),
                    what=what,
                )
            )
    return said


def _setting(words: Language, value: float, unit: str) -> str:
    """Return a lever's setting; a unit that people do not use is left out."""
    if unit == "EUR a year":
        told = words.money(value) if value else words.say("EUR {}").format("0")
        return words.say("{amount} a year", amount=told)
    number = words.number(value, 0 if value == round(value) else 2)
    return words.say("{count} weeks", count=number) if unit == "weeks" else number


def _interval(found: Mapping[str, Any]) -> tuple[float, float, float]:
    mean, low, high = (
        math.nan if found.get(key) is None else float(found[key])
        for key in ("mean", "ci_low", "ci_high")
    )
    return mean, low, high


def _reach(words: Language, low: float, high: float, written: Callable[[float], str]) -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    reach = words.say("{low} to {high}", low=written(low), high=written(high))
    return words.say("95 % interval: {reach}.", reach=reach)
