"""Small worlds for tests: the tests' own markets and the shipped ones, few people and weeks."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from omnisim import config
from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec

SMALL = ("market.people=400", "market.burn_in_weeks=4", "horizon.history_weeks=12")
PLAIN = ("market=plain", "organigram=plain")
OWN = Path(__file__).parent / "own"
UNCOUPLED = ("market.pressure=open", "steering=frozen")


def question(*overrides: str) -> ExperimentSpec:
    """Return the default question about a small plain market, or another one, with overrides."""
    plain = () if any(word.startswith("market=") for word in overrides) else PLAIN
    return composed(*plain, *SMALL, "horizon.weeks=13", *overrides)


@cache
def composed(*overrides: str) -> ExperimentSpec:
    """Return a question, perhaps about a market of these tests."""
    return config.load(overrides, OWN)[0]


def but(spec: ExperimentSpec, *words: str) -> ExperimentSpec:
    """Return the question with other words in its market or status quo, as `market.vat=0`.

    What is written takes the place of all that stood there.
    """
    told = spec.model_dump()
    for word in words:
        key, _, value = word.partition("=")
        *way, last = key.split(".")
        home = told if way[0] == "market" else told["status_quo"]
        for name in way:
            home = home[name]
        home[last] = yaml.safe_load(value)
    return ExperimentSpec.model_validate(told)


def rich(*words: str) -> ExperimentSpec:
    """Return a question about a small market in which every mechanism is at work."""
    return but(composed("experiment=rich"), *words)


def at_fork(spec: ExperimentSpec, replication: int = 0) -> Simulation:
    """Return the world on the morning of the fork."""
    return lived(spec, spec.horizon.history_weeks, replication)


def lived(spec: ExperimentSpec, weeks: int, replication: int = 0) -> Simulation:
    """Return the world of the status quo after some weeks."""
    world = Simulation(spec, replication)
    world.adopt(spec.status_quo)
    world.run_to(weeks * DAYS_IN_WEEK)
    return world


def company(world: Simulation, column: str) -> np.ndarray:
    """Return a column of the company's ledger, week by week."""
    return np.array(world.state.ledger.company)[:, COMPANY_COLUMNS.index(column)]


def paid(world: Simulation, weeks: int, **factors: float) -> Simulation:
    """Return a fork that pays some media another part of their plan, some weeks on."""
    fork = world.fork(world.strategy)
    fork.change = np.array([factors.get(name, 1.0) for name in fork.media])
    fork.run_to(world.state.day + weeks * DAYS_IN_WEEK)
    return fork


def total(world: Simulation, column: str, weeks: int) -> float:
    """Return the sum of a channel column over the last weeks."""
    booked = np.sum(world.state.ledger.channels[-weeks:], axis=0)
    return float(booked[:, CHANNEL_COLUMNS.index(column)].sum())


def booked(world: Simulation, weeks: int, only: str | None = None) -> dict[str, float]:
    """Return the sums of all columns over the last weeks, of one channel if it is named.

    What channels and the company both count is the company's if none is named.
    """
    ledger = world.state.ledger
    sums: dict[str, float] = {}
    for names, columns, rows in (
        (world.media, MEDIA_COLUMNS, ledger.media),
        (world.channels, CHANNEL_COLUMNS, ledger.channels),
    ):
        kept = [nth for nth, name in enumerate(names) if only in (None, name)]
        sums |= dict(zip(columns, np.sum(rows[-weeks:], axis=0)[kept].sum(axis=0), strict=True))
    company = dict(zip(COMPANY_COLUMNS, np.sum(ledger.company[-weeks:], axis=0), strict=True))
    return sums | company if only is None else company | sums


def digest(world: Simulation) -> str:
    """Return a hash of everything that a run has changed, to the bit."""
    who, ledger = world.state.people, world.state.ledger
    bits = hashlib.sha256()
    touched = (who.clicked, who.viewed, who.walk_clicked, who.walk_viewed)
    for column in (who.state, who.goodwill, *touched, who.claim, who.letters, who.awake):
        bits.update(np.ascontiguousarray(column).tobytes())
    for week in (*ledger.media, *ledger.channels, *ledger.company, *ledger.credit):
        bits.update(week.tobytes())
    return bits.hexdigest()
