"""Arms of a question: a history that they share, the years that each of them goes its own way."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from omnisim import paths
from omnisim.records import BELIEF_COLUMNS, Ledger, Records, records
from omnisim.simulation import halves, truth
from omnisim.simulation.clock import Simulation
from omnisim.simulation.crowd import Crowd, CrowdState
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, ExperimentSpec

CHECKED_WEEKS = 26  # between two looks at whether beliefs are true


def shared_history(spec: ExperimentSpec, replication: int) -> Simulation:
    """Live the burn-in and the shared history under what the firm does today."""
    simulation = Simulation(spec, replication)
    simulation.adopt(spec.status_quo)
    simulation.run_to(spec.horizon.history_weeks * DAYS_IN_WEEK)
    return simulation


def simulate(
    spec: ExperimentSpec, replication: int, arms: Iterable[str] | None = None
) -> dict[str, Records]:
    """Live one replication: the history once, then every arm from the same fork.

    Weeks of the records count from the fork: history is negative, burn-in is left out.
    """
    history = shared_history(spec, replication)
    last_day = history.state.day + spec.horizon.weeks * DAYS_IN_WEEK
    lived = {}
    for name in sorted(spec.arms if arms is None else arms):
        arm = history.fork(spec.arms[name])
        found = _live(arm, spec.truth_of(name, replication), last_day)
        found |= _flows(arm, history)
        lived[name] = _since_history(arm, found, name, replication)
    return lived


def _live(arm: Simulation, depth: str, last_day: int) -> dict[str, pd.DataFrame]:
    """Live an arm to its end, and measure the truth on the way as it is a year before that.

    Return the tables of what was measured.
    """
    if depth == "none":
        arm.run_to(last_day)
        return {}
    found: dict[str, pd.DataFrame] = {}
    year_before = last_day - DAYS_IN_YEAR
    looks = range(arm.state.day, last_day, CHECKED_WEEKS * DAYS_IN_WEEK)
    checks = []
    if depth == "full":
        arm.beliefs = []
    for day in sorted({year_before, *looks} if depth == "full" else {year_before}):
        arm.run_to(day)
        if day == year_before:
            found["truth"] = truth.measured(arm, truth.trials(arm, depth))
        if depth == "full" and day == year_before:
            found["credits"] = truth.credits(arm)
        if depth == "full" and day in looks:
            checks.append(truth.checked(arm))
    arm.run_to(last_day)
    if arm.beliefs is not None:
        told = pd.DataFrame(arm.beliefs, columns=list(BELIEF_COLUMNS))
        found["beliefs"] = _since_fork(told, arm)
        found["checks"] = _since_fork(pd.concat(checks, ignore_index=True), arm)
    return found


def _flows(arm: Simulation, history: Simulation) -> dict[str, pd.DataFrame]:
    """Return the table of journeys since the fork, where there are persons."""
    crowd, now, before = arm.population, arm.state.population, history.state.population
    if isinstance(crowd, Crowd) and isinstance(now, CrowdState) and isinstance(before, CrowdState):
        return {"flows": crowd.flows(now, before.ways)}
    return {}


def _since_fork(rows: pd.DataFrame, arm: Simulation) -> pd.DataFrame:
    return rows.assign(week=rows["week"] - arm.spec.horizon.history_weeks)


def _since_history(
    arm: Simulation, found: dict[str, pd.DataFrame], name: str, replication: int
) -> Records:
    ledger = arm.state.ledger
    skip = max(0, -ledger.first_week)
    told = Ledger(
        -arm.spec.horizon.history_weeks,
        ledger.media[skip:],
        ledger.channels[skip:],
        ledger.company[skip:],
        ledger.credit[skip:],
    )
    rule = paths.rule_of(arm.strategy, arm.media)
    shown = arm.strategy.attribution.kind if rule is None else arm.rules.index(rule)
    if shown == "experiment":
        whole = halves.shown(arm, list(range(len(arm.media))), ledger.next_week)
        return records(told, found, name, replication, arm.media, arm.channels, whole)
    return records(told, found, name, replication, arm.media, arm.channels, shown)
