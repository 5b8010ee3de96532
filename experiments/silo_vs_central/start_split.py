"""Compute the budget splits with which `fashion_home_de` may start; kept, run once by hand.

`grown` is the best fixed split of the market as it stood when the shared history began,
`optimal` of the market as it stands at the fork. Each round pays every medium three tenths
more for two years from the same morning with the same luck, reads the extra margin per planned
euro from the probabilities of orders, and moves money towards where it is larger. E-mail is
left at what sending costs. The result is the mean of the last rounds; copy it into
`configs/market/fashion_home_de.yaml`:

    python experiments/silo_vs_central/start_split.py grown
"""

from __future__ import annotations

import sys

import numpy as np

from omnisim import config
from omnisim.allocation import largest_remainder
from omnisim.records import CHANNEL_COLUMNS
from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK, ExperimentSpec, Market

WEEKS, RISE, ROUNDS, REPLICATIONS = 104, 0.3, 5, 2
SETTLED = 3  # the last rounds, over which the noise of returns is averaged out
PEOPLE = 12_000
LEAST = 0.003  # what nobody would bother to plan
LEFT = ("email",)  # at what sending costs: beyond its cap money on mail buys nothing
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
    moving = np.array([name not in LEFT for name in media])
    settled = []
    for turn in range(ROUNDS):
        split = dict(zip(media, shares.tolist(), strict=True))
        now = market.model_copy(update={"splits": {"grown": split}, "start": "grown"})
        trial = spec.model_copy(update={"market": now})
        earned = np.mean([returns(trial, r) for r in range(REPLICATIONS)], axis=0)
        level = float(shares[moving] @ earned[moving] / shares[moving].sum())
        print(turn, dict(zip(media, shares.round(4), strict=True)), earned.round(3), flush=True)
        better = np.clip(0.5 * np.log(np.maximum(earned, 0.01) / level), -0.4, 0.4)
        moved = np.where(moving, np.maximum(shares * np.exp(better), LEAST), 0.0)
        shares = np.where(moving, moved / moved.sum() * shares[moving].sum(), shares)
        settled.append(shares)
    return rounded(dict(zip(media, np.mean(settled[-SETTLED:], axis=0).tolist(), strict=True)))


def rounded(shares: dict[str, float]) -> dict[str, float]:
    """Return shares in thousandths that sum to 1."""
    parts = largest_remainder(1000, np.array(list(shares.values())))
    return {name: round(int(part) / 1000, 3) for name, part in zip(shares, parts, strict=True)}


if __name__ == "__main__":
    few = ["steering=frozen", "horizon.history_weeks=156", f"market.people={PEOPLE}"]
    question, _ = config.load(few, None)
    print(best_split(question, sys.argv[1] if len(sys.argv) > 1 else "grown"))
