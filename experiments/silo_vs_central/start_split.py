"""Compute the budget splits with which `fashion_home_de` may start; kept, run once by hand.

`grown` is the best fixed split of the market as it stood when the shared history began,
`optimal` of the market as it stands at the fork. Each round pays every medium a fifth more
for two years from the same morning with the same luck, reads the extra margin per planned
euro from the probabilities of orders, and moves money towards where it is larger, until no
move matters. Print the result and copy it into `configs/market/fashion_home_de.yaml`:

    python experiments/silo_vs_central/start_split.py grown
"""

from __future__ import annotations

import sys

import numpy as np

from omnisim import config
from omnisim.records import CHANNEL_COLUMNS
from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec, Market

WEEKS, RISE, ROUNDS, REPLICATIONS = 104, 0.2, 10, 3
MARGIN = CHANNEL_COLUMNS.index("expected_margin")
SERVE = CHANNEL_COLUMNS.index("expected_cost_to_serve")


def still(market: Market, start: str) -> Market:
    """Return the market standing still: at the fork, or where the history began."""
    if start == "optimal":
        return market.model_copy(update={"trend": 0.0})
    return market.model_copy(update={"burn_in_weeks": market.burn_in_weeks + WEEKS})


def margin(simulation: Simulation) -> float:
    """Return the expected margin after cost to serve of the last weeks (EUR)."""
    weeks = np.sum(simulation.state.ledger.channels[-WEEKS:], axis=0)
    return float(np.sum(weeks[:, MARGIN] - weeks[:, SERVE]))


def returns(spec: ExperimentSpec, replication: int) -> np.ndarray:
    """Return the extra margin per extra planned euro of every medium."""
    history = Simulation(spec, replication)
    history.adopt(spec.status_quo)
    morning = history.state.day + spec.market.burn_in_weeks * DAYS_IN_WEEK
    if spec.market.trend:
        morning -= WEEKS * DAYS_IN_WEEK
    history.run_to(morning)
    gains = []
    for change in [np.ones(len(history.media)), *(1 + RISE * np.eye(len(history.media)))]:
        fork = history.fork(spec.status_quo)
        fork.change = change
        fork.run_to(morning + WEEKS * DAYS_IN_WEEK)
        gains.append(margin(fork))
    planned = history.state.shares * spec.market.budget * WEEKS / 52
    return (np.array(gains[1:]) - gains[0]) / (RISE * planned)


def best_split(spec: ExperimentSpec, start: str) -> dict[str, float]:
    """Climb to the split at which a planned euro earns the same everywhere."""
    market = still(spec.market, start)
    media = sorted(market.media)
    shares = np.array([market.splits["grown"][name] for name in media])
    for turn in range(ROUNDS):
        split = dict(zip(media, shares.tolist(), strict=True))
        now = market.model_copy(update={"splits": {"grown": split}, "start": "grown"})
        trial = spec.model_copy(update={"market": now})
        earned = np.mean([returns(trial, r) for r in range(REPLICATIONS)], axis=0)
        level = float(shares @ earned)
        print(turn, dict(zip(media, shares.round(4), strict=True)), earned.round(3), flush=True)
        shares = shares * np.exp(np.clip(0.5 * np.log(np.maximum(earned, 0.01) / level), -0.4, 0.4))
        shares /= shares.sum()
    return dict(zip(media, shares.round(3).tolist(), strict=True))


if __name__ == "__main__":
    question, _ = config.load(["steering=frozen", "horizon.history_weeks=156"], None)
    print(best_split(question, sys.argv[1] if len(sys.argv) > 1 else "grown"))
