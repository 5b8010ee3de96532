"""Benchmarks: what a channel costs and converts, beside what sources say of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from omnisim.inventory.texts import EMPTY, cents, percent, places
from omnisim.language import Language, message
from omnisim.spec import STAGES, Benchmark, Market, Medium, SalesChannel

# how people call a measure, and what it means
MEASURES = {
    "cpm": (message("CPM"), message("planned price per thousand contacts, whatever is paid for")),
    "cpc": (message("CPC"), message("price per click, whatever is paid for")),
    "ctr": (message("CTR"), message("clicks per contact")),
    "unsubscribes": (message("unsubscribes"), message("of messages")),
    "conversion": (
        message("conversion"),
        message("orders per visit, if all visits for a need are to this channel"),
    ),
    "checkout": (message("checkout"), message("orders per visit at the stage buy")),
    "basket": (message("basket"), message("with VAT")),
    "returned": (message("returned"), message("of the value of orders")),
    "margin": (message("margin"), message("of net revenue")),
}
ALWAYS = ("cpm", "cpc", "ctr", "conversion")
IN_EUROS = ("cpm", "cpc", "basket")


@dataclass(frozen=True)
class Check:
    """A measure of a channel beside its benchmark, told in a language; either may be missing."""

    channel: str
    measure: str
    value: float | None
    benchmark: Benchmark | None
    words: Language

    @property
    def mark(self) -> str:
        """Return inside, below or above; a dash where there is nothing to compare."""
        if self.value is None or self.benchmark is None:
            return EMPTY
        if self.value < self.benchmark.low:
            return message("below")
        return message("above") if self.value > self.benchmark.high else message("inside")

    @property
    def label(self) -> str:
        """Return the measure as people call it."""
        return self.words.say(MEASURES[self.measure][0])

    @property
    def meaning(self) -> str:
        """Return what is measured."""
        return self.words.say(MEASURES[self.measure][1])

    @property
    def unit(self) -> str:
        """Return EUR or %."""
        return "EUR" if self.measure in IN_EUROS else "%"

    @property
    def shown(self) -> str:
        """Return the value in its unit."""
        return EMPTY if self.value is None else self._text(self.value)

    @property
    def in_unit(self) -> str:
        """Return the value with its unit."""
        if self.value is None or self.unit == "%":
            return percent(self.value, self.words)
        return self.words.euros(self.value, cents(self.value))

    @property
    def range(self) -> str:
        """Return the benchmark in the same unit."""
        found = self.benchmark
        if found is None:
            return EMPTY
        low, high = self._text(found.low), self._text(found.high)
        return self.words.say("{low} to {high}", low=low, high=high)

    @property
    def source(self) -> str:
        """Return who says so."""
        return self.words.say(self.benchmark.source) if self.benchmark else EMPTY

    def _text(self, value: float) -> str:
        if self.unit == "EUR":
            return self.words.number(value, cents(value))
        return self.words.number(100 * value, places(100 * value))


def checks(market: Market, words: Language) -> tuple[Check, ...]:
    """Return what each channel costs and converts, by name, and all that has a benchmark."""
    media = [
        check
        for name, medium in sorted(market.media.items())
        for check in _beside(name, _of_medium(medium), medium.benchmarks.items(), words)
    ]
    sales = [
        check
        for name, channel in sorted(market.channels.items())
        for check in _beside(name, _of_channel(channel), channel.benchmarks.items(), words)
    ]
    return (*media, *sales)


def _beside(
    channel: str,
    values: Mapping[str, float | None],
    benchmarks: Iterable[tuple[str, Benchmark]],
    words: Language,
) -> Iterator[Check]:
    known = dict(benchmarks)
    for measure, value in values.items():
        if measure in known or (measure in ALWAYS and value is not None):
            yield Check(channel, measure, value, known.get(measure), words)


def _of_medium(medium: Medium) -> dict[str, float | None]:
    """Return what a medium costs by contact and by click, whatever is paid for."""
    clicks = medium.click_rate
    match medium.payment:
        case "per_thousand" | "fixed":
            contact = medium.price / 1000
        case "per_click":
            contact = medium.price * clicks
        case "per_order" | "per_success":
            contact = medium.price * medium.converts
        case "per_message":
            contact = medium.price
    return {
        "cpm": 1000 * contact,
        "cpc": contact / clicks if clicks > 0 else None,
        "ctr": clicks if clicks > 0 else None,
        "unsubscribes": medium.unsubscribes,
    }


def _of_channel(channel: SalesChannel) -> dict[str, float | None]:
    return {
        "conversion": conversion(channel),
        "checkout": channel.success.get("buy"),
        "basket": channel.basket,
        "returned": channel.returned,
        "margin": channel.margin,
    }


def conversion(channel: SalesChannel) -> float | None:
    """Return orders per visit of walks that stay in a channel, None if it cannot serve them.

    A contact at a stage succeeds with p, loses the walk with l and is else repeated: of those
    who come to the stage p / (p + l) get on, in 1 / (p + l) visits. Visits without a need
    are not among them.
    """
    here, visits = 1.0, 0.0
    for stage in STAGES:
        ends = channel.success.get(stage, 0.0) + channel.lost.get(stage, 0.0)
        if ends == 0:
            return None
        visits += here / ends
        here *= channel.success[stage] / ends
    return here / visits
