"""Break-even: the overhead, noise or delay at which central steering stops paying."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omnisim.comparison import interval
from omnisim.silos.game import World
from omnisim.spec import ExperimentSpec, Strategy

TRIED = {"noise": (0.0, 0.4, 0.8), "delay": (0, 8, 26)}
KEYS = {"noise": "report_noise", "delay": "report_delay_weeks"}
UNITS = {"overhead": "EUR a year", "noise": "sd of log credit", "delay": "weeks"}
COLUMNS = (
    *("lever", "unit", "today", "setting", "gain_year", "ci_low", "ci_high"),
    *("break_even", "status"),
)


@dataclass(frozen=True)
class Setting:
    """Central steering with one lever set otherwise."""

    lever: str
    today: float
    setting: float
    strategy: Strategy

    @property
    def name(self) -> str:
        """Return the name of the arm that lives through it."""
        return f"centre: {self.lever} {self.setting:g}"


def settings(spec: ExperimentSpec, more: bool = True) -> tuple[Setting, ...]:
    """Return what is tried: the first other arm with a centre, or else the baseline with one.

    Nothing where the baseline itself has the only centre. Unless `more` is asked for, nothing
    but what is lived through anyhow.
    """
    start = spec.arms[spec.baseline]
    rivals = [arm for name, arm in sorted(spec.arms.items()) if name != spec.baseline]
    others = [arm for arm in rivals if arm.steering.kind == "central"]
    if not others and (start.steering.kind == "central" or not more):
        return ()
    centre = others[0] if others else _steered(start, "kind", "central")
    found = []
    for lever, key in KEYS.items():
        today = float(getattr(centre.steering, key))
        for value in sorted({*map(float, TRIED[lever] if more else ()), today}):
            kept = int(value) if lever == "delay" else value
            found.append(Setting(lever, today, value, _steered(centre, key, kept)))
    return tuple(found)


def _steered(strategy: Strategy, key: str, value: object) -> Strategy:
    steering = strategy.steering.model_copy(update={key: value})
    return strategy.model_copy(update={"steering": steering})


def table(tried: Sequence[Setting], worlds: Sequence[World]) -> pd.DataFrame:
    """Return a row per setting: what the centre gains there, in EUR of profit a year."""
    rows: list[tuple[object, ...]] = []
    if not tried:
        return pd.DataFrame(rows, columns=list(COLUMNS))
    usual = next(one for one in tried if one.setting == one.today)
    paid = np.mean([world(usual.name).overhead for world in worlds])
    gain = _gain(usual, worlds)
    rows += _lever("overhead", float(paid), [0.0, float(paid)], [gain + paid, gain], linear=True)
    for lever in KEYS:
        own = [one for one in tried if one.lever == lever]
        if len(own) < 2:  # as it is: nothing was set otherwise
            continue
        gains = [_gain(one, worlds) for one in own]
        rows += _lever(lever, own[0].today, [one.setting for one in own], gains)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _gain(setting: Setting, worlds: Sequence[World]) -> np.ndarray:
    return np.array([w(setting.name).profit - w(w.baseline).profit for w in worlds])


def _lever(
    lever: str,
    today: float,
    at: Sequence[float],
    gains: Sequence[np.ndarray],
    linear: bool = False,
) -> list[tuple[object, ...]]:
    means = [float(np.mean(gain)) for gain in gains]
    if linear:  # a euro of overhead costs a euro
        found, status = (means[0], "stops") if means[0] > 0 else (math.nan, "never pays")
    else:
        found, status = crossing(at, means)
    told = dict(zip(at, gains, strict=True))  # where nothing is paid today one row says it all
    return [
        (lever, UNITS[lever], today, setting, *interval(gain), found, status)
        for setting, gain in told.items()
    ]


def crossing(at: Sequence[float], gains: Sequence[float]) -> tuple[float, str]:
    """Return the setting at which a gain first falls to nothing, between two that were tried."""
    if gains[0] <= 0:
        return math.nan, "never pays"
    for (low, more), (high, less) in itertools.pairwise(zip(at, gains, strict=True)):
        if less <= 0:
            return low + (high - low) * more / (more - less), "stops"
    return math.nan, "pays as far as tried"
