"""Move the default market's free numbers, jointly, towards what its output should hit.

A (1 + 2) evolution strategy: two variations of the best point known run at once, on the same
seeds; the step shrinks while nothing is won. The loss is the weighted sum of squared misses:
how far the mean over seeds lies from the middle of its tolerance, in half tolerances, beyond
`INSIDE`. Every trial is written down, so that a run that was interrupted goes on:

    python experiments/calibration/calibrate.py 40

The proposal is printed as YAML, for a person to judge and to copy into
`configs/market/fashion_home_de.yaml`. The README beside this file says what is free and why.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from joblib import Parallel, delayed

from omnisim import config, streams, validate
from omnisim.spec import ExperimentSpec, Market
from omnisim.validate import Unit, measured
from omnisim.validate.replication import Replication, booked, sold

SEEDS, PEOPLE, AT_ONCE = (1, 2, 3), 10_000, 2
LOG = Path("results/calibration.jsonl")
INSIDE = 0.5  # half tolerances from the middle that cost nothing
FAR = 4.0  # no miss counts as more half tolerances than these
WEEKS = 104

EARLY_STAGES = {
    site: tuple(f"channels.{site}.success.{stage}" for stage in ("inform", "evaluate"))
    for site in ("web", "app")
}
# What is free: keys with `*` for every name, how a value v moves, and its bounds.
FREE: dict[str, tuple[tuple[str, ...], str, float, float]] = {
    "persons": (("persons",), "factor", 0.6, 1.6),
    "needs": (("segments.*.needs",), "factor", 0.6, 1.8),
    "needs_shape": (("buying.needs_shape",), "factor", 0.5, 2.5),
    "drop_a": (("buying.drop_a",), "factor", 0.4, 2.5),
    "drop_b": (("buying.drop_b",), "factor", 0.4, 2.5),
    "base": (("segments.*.base",), "shift", -1.0, 1.0),
    "loyalty": (("segments.*.loyalty",), "shift", -1.2, 1.2),
    "opt_in": (("segments.*.mail_opt_in",), "factor", 0.5, 2.0),
    "mail_pull": (("media.email.pull",), "factor", 0.4, 2.5),
    "mail_half_pull": (("media.email.half_pull",), "factor", 0.3, 5.0),
    "mail_cap": (("media.email.weekly_cap",), "factor", 0.5, 3.0),
    "mail_half_life": (("media.email.half_life",), "factor", 0.53, 1.3),
    "pulls": (
        tuple(f"media.{m}.pull" for m in ("print", "paid_social", "display", "search_generic")),
        "factor",
        0.3,
        2.5,
    ),
    "tv_pull": (("media.tv.pull",), "factor", 0.4, 2.0),
    "reminder": (("media.retargeting.reminder",), "factor", 0.3, 2.5),
    "year_end": (("seasons.1.needs",), "factor", 0.8, 1.3),
    "year_end_online": (("seasons.1.online",), "shift", -0.4, 0.4),
    "online": (("segments.*.prefers.*.web", "segments.*.prefers.*.app"), "shift", -0.5, 0.5),
    "web_works": (EARLY_STAGES["web"], "factor", 0.7, 1.3),
    "app_works": (EARLY_STAGES["app"], "factor", 0.7, 1.3),
}
# The firm that the market is about: what, its tolerance, its weight.
FIRM = {
    "revenue (EUR m)": (235.0, 265.0, 2.0),
    "active customers (m)": (0.85, 1.25, 1.0),
    "online share (%)": (27.0, 33.0, 1.0),
}
WEIGHTS = {"hard": 1.0, "soft": 0.5}

Point = dict[str, float]  # what is free by name: 0 is the YAML, -1 and 1 are the bounds


def moved(market: Market, point: Point) -> dict[str, float]:
    """Return every number that a point changes, by its key."""
    tree = market.model_dump(mode="json")
    values = {}
    for name, place in point.items():
        keys, how, low, high = FREE[name]
        step = _step(place, how, low, high)
        for key in (found for pattern in keys for found in _found(tree, pattern.split("."))):
            old = _at(tree, key)
            new = old * step if how == "factor" else old + step
            values[".".join(key)] = float(f"{new:.3g}")
    return values


def _step(place: float, how: str, low: float, high: float) -> float:
    if how == "factor":
        return math.exp(place * math.log(high)) if place > 0 else math.exp(-place * math.log(low))
    return place * high if place > 0 else -place * low


def _found(node: Any, keys: list[str]) -> Iterable[tuple[str, ...]]:
    """Yield the keys of all numbers that a pattern names."""
    if not keys:
        yield ()
        return
    inside = dict(enumerate(node)) if isinstance(node, list) else node
    for name in inside:
        if keys[0] in ("*", str(name)):
            yield from ((str(name), *rest) for rest in _found(inside[name], keys[1:]))


def _at(node: Any, key: tuple[str, ...]) -> Any:
    for name in key:
        node = node[int(name) if isinstance(node, list) else name]
    return node


def changed(market: Market, values: dict[str, float]) -> Market:
    """Return a market with other numbers."""
    tree = market.model_dump(mode="json")
    for key, value in values.items():
        *way, last = key.split(".")
        node = _at(tree, tuple(way))
        node[int(last) if isinstance(node, list) else last] = value
    return Market.model_validate(tree)


def firm(spec: ExperimentSpec) -> dict[str, float]:
    """Return what the firm looks like in the last year of its history."""
    replication = Replication(spec)
    world, year = replication.morning, slice(-52, None)
    revenue = sold(world, "revenue_gross", year)
    online = sold(world, "revenue_gross", year, replication.online)
    return {
        "revenue (EUR m)": revenue / 1e6,
        "active customers (m)": booked(world, "customers", slice(-1, None)) / 1e6,
        "online share (%)": 100 * online / revenue,
    }


def trial(spec: ExperimentSpec, seed: int) -> dict[str, float]:
    """Return all that is measured under one seed."""
    seeded = spec.model_copy(update={"seed": seed})
    targets = tuple(t for t in validate.chosen([]) if t.market == "fashion_home_de")
    unit = Unit(seeded, tuple(t for t in targets if not t.opening))
    return dict(measured(unit).values) | firm(seeded)


def loss(found: dict[str, float]) -> float:
    """Return the weighted sum of squared misses."""
    total = 0.0
    for name, (low, high, weight) in FIRM.items():
        total += weight * _miss(found[name], low, high)
    for target in validate.chosen([]):
        if target.key in found:
            low = target.low if target.low is not None else -math.inf
            high = target.high if target.high is not None else math.inf
            total += WEIGHTS[target.kind] * _miss(found[target.key], low, high)
    return total


def _miss(value: float, low: float, high: float) -> float:
    if math.isinf(low) or math.isinf(high):
        bound = high if math.isinf(low) else low
        beyond = max(0.0, value - high, low - value) / (abs(bound) / 4)
    else:
        beyond = max(0.0, abs(value - (low + high) / 2) / ((high - low) / 2) - INSIDE)
    return min(beyond, FAR) ** 2


def tried(spec: ExperimentSpec, point: Point) -> dict[str, Any]:
    """Run a point on all seeds and return it with its means and its loss."""
    market = changed(spec.market, moved(spec.market, point))
    there = spec.model_copy(update={"market": market})
    rows = [trial(there, seed) for seed in SEEDS]
    keys = sorted(set().union(*rows))
    means = {key: float(np.mean([row[key] for row in rows if key in row])) for key in keys}
    return {"point": point, "found": means, "loss": loss(means)}


def varied(point: Point, step: float, trial_number: int) -> Point:
    """Return a point with about a third of its numbers moved, by a luck of its own."""
    key = streams.replication_key(0, trial_number)

    def luck(what: str, name: str) -> float:
        return streams.uniform(key, streams.EXPLORATION, f"{what}/{name}", trial_number)

    moved_on = dict(point)
    for name in FREE:
        if luck("whether", name) < 1 / 3:
            place = point.get(name, 0.0) + step * (2 * luck("where", name) - 1)
            moved_on[name] = float(np.clip(place, -1, 1))
    return moved_on


def search(spec: ExperimentSpec, rounds: int) -> dict[str, Any]:
    """Go on from what is written down, for some rounds; return the best trial."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in LOG.read_text().splitlines()] if LOG.exists() else []
    if not done:
        done = [_written(tried(spec, {}))]
    with Parallel(n_jobs=AT_ONCE) as run:
        for turn in range(len(done), len(done) + rounds * AT_ONCE, AT_ONCE):
            best = min(done, key=lambda one: one["loss"])
            step = max(0.1, 0.4 * 0.9 ** ((turn - done.index(best)) / AT_ONCE))
            points = [varied(best["point"], step, turn + nth) for nth in range(AT_ONCE)]
            done += [_written(one) for one in run(delayed(tried)(spec, p) for p in points)]
            print(
                turn, *(f"{one['loss']:.2f}" for one in done[-AT_ONCE:]), f"of {best['loss']:.2f}"
            )
    return min(done, key=lambda one: one["loss"])


def _written(one: dict[str, Any]) -> dict[str, Any]:
    with LOG.open("a") as file:
        file.write(json.dumps(one) + "\n")
    return one


def proposal(market: Market, point: Point) -> str:
    """Return what a point changes as YAML."""
    tree: dict[str, Any] = {}
    for key, value in moved(market, point).items():
        *way, last = key.split(".")
        node = tree
        for name in way:
            node = node.setdefault(name, {})
        node[last] = value
    return yaml.safe_dump({"market": tree}, sort_keys=True)


if __name__ == "__main__":
    question, _ = config.load([*validate.WORDS["fashion_home_de"], f"market.people={PEOPLE}"], None)
    winner = search(question, int(sys.argv[1]) if len(sys.argv) > 1 else 40)
    for name, value in sorted(winner["found"].items()):
        print(f"# {name}: {value:.4g}")
    print(proposal(question.market, winner["point"]))
