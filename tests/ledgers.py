"""Ledgers made by a formula, for tests that need numbers and no simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from omnisim.records import (
    CHANNEL_COLUMNS,
    COMPANY_COLUMNS,
    CREDIT_COLUMNS,
    MEDIA_COLUMNS,
    Records,
)
from omnisim.spec import ExperimentSpec

MEDIA = ("search", "tv")
CHANNELS = ("shop", "store")


def a_spec(**changes: Any) -> ExperimentSpec:
    """Return a small question; `changes` replace its top-level words."""
    strategy = {
        "steering": {"kind": "siloed"},
        "integration": {},
        "incentives": {},
        "attribution": {},
        "organigram": {"sales": {"owns": ["shop", "store", "search"]}, "brand": {"owns": ["tv"]}},
    }
    medium = {"aim": "everybody", "payment": "per_thousand", "price": 5}
    medium |= {"half_life": 7, "pull": 0.5, "half_pull": 1}
    stages = dict.fromkeys(("inform", "evaluate", "buy"), 0.5)
    channel = {"online": True, "identity": 0.5, "success": stages, "lost": stages}
    channel |= {"basket": 80, "margin": 0.4}
    market = {
        "name": "tiny",
        "people": 100,
        "persons": 100_000,
        "budget": 1e6,
        "segments": {"all": {"share": 1, "needs": 4, "base": 0, "consent": 1, "searches": 1}},
        "media": dict.fromkeys(MEDIA, medium),
        "channels": dict.fromkeys(CHANNELS, channel),
        "rivals": {"attraction": None},
        "buying": {"needs_shape": 1, "drop_a": 1, "drop_b": 2},
        "journey": {"contact": 0.5, "same_day": 0.5, "most_days": 30},
    }
    words: dict[str, Any] = {
        "experiment": "tiny",
        "truth": "none",
        "question": "Does it pay?",
        "hypothesis": "It pays.",
        "decision_rule": "Do it if it matters.",
        "market": market,
        "status_quo": strategy,
        "arms": {"central": strategy | {"steering": {"kind": "central"}}, "siloed": strategy},
        "baseline": "siloed",
        "horizon": {"history_weeks": 60, "weeks": 104},
        "replications": {"min": 4, "max": 8, "precision": 0.5},
    }
    return ExperimentSpec.model_validate(words | changes)


def some_records(
    spec: ExperimentSpec, arm: str, replication: int, lift: float = 0.0, noise: float = 0.02
) -> Records:
    """Return ledgers whose luck is the replication's and whose orders a lift (share) raises.

    Realised columns are their expected twins times (1 + luck); arms share the luck. The
    lift begins with the fork, and moves as much of the budget from TV to search.
    """
    weeks = np.arange(-spec.horizon.history_weeks, spec.horizon.weeks)
    week, channel = np.repeat(weeks, 4), np.tile((*MEDIA, *CHANNELS), len(weeks))
    is_medium = np.isin(channel, MEDIA)
    luck = noise * np.sin(1.7 * replication + 0.9 * week + np.arange(len(week)) % 4)
    up = np.where(week >= 0, lift, 0.0)
    orders = np.where(channel == "shop", 2_000.0, 3_000.0) * (1 + up) * (1 + 0.1 * np.sin(week))
    plan = np.rint(1e6 * np.where(channel == "tv", 1 - up, 1 + up)).astype("int64")
    media = {
        "planned_cents": plan,
        "spent_cents": plan - 1_000,
        "contacts": plan / 10,
        "clicks": plan / 1_000,
        "contacts_to_recent_buyers": plan / 5_000,
        "last_touch": np.where(channel == "tv", 0, orders / 5),
        "last_touch_new": np.where(channel == "tv", 0, orders / 20),
        "last_touch_value": np.where(channel == "tv", 0, orders * 16),
        "claims": orders / 2,
        "expected_last_touch_new": np.where(channel == "tv", 0, orders / 20),
        "expected_last_touch_value": np.where(channel == "tv", 0, orders * 16),
        "reported_last_touch": orders / 5,
        "reported_claims": orders / 2,
        "credit": np.where(channel == "tv", 0, orders / 5),
        "reported_credit": orders / 5,
    }
    sales = {
        "visits": orders * 20,
        "carts": orders * 3,
        "lost_inform": orders / 2,
        "lost_evaluate": orders,
        "lost_buy": orders / 4,
        "late": orders / 20,
        "incidents": orders / 50,
        "orders": orders,
        "new_customers": orders / 4,
        "revenue_gross": orders * 80,
        "revenue_net": orders * 60,
        "margin": orders * 24,
        "cost_to_serve": orders * 4,
    }
    weekly = pd.DataFrame({"week": week, "channel": channel})
    weekly["kind"] = np.where(is_medium, "media", "sales")
    for of_kind, values, names in (
        (is_medium, media, (*MEDIA_COLUMNS, *CREDIT_COLUMNS)),
        (~is_medium, sales, CHANNEL_COLUMNS),
    ):
        for name in names:
            weekly[name] = np.where(of_kind, _column(values, name, luck), 0)
    return Records(arm, replication, weekly, _company(weeks, weekly))


def _column(values: Mapping[str, np.ndarray], name: str, luck: np.ndarray) -> np.ndarray:
    if name.startswith("expected_"):
        return values[name if name in values else name.removeprefix("expected_")]
    has_twin = name in ("orders", "new_customers", "last_touch", "claims", "credit")
    has_twin |= name in ("revenue_gross", "revenue_net", "margin", "cost_to_serve")
    return values[name] * (1 + luck) if has_twin else values[name]


def _company(weeks: np.ndarray, weekly: pd.DataFrame) -> pd.DataFrame:
    by_week = weekly.groupby("week").sum(numeric_only=True)
    known = {
        "budget_cents": by_week["planned_cents"],
        "allocated_cents": by_week["planned_cents"],
        "spent_cents": by_week["spent_cents"],
        "department_claims": by_week["claims"],
        "expected_department_claims": by_week["expected_claims"],
        "tracked_orders": by_week["last_touch"],
    }
    company = pd.DataFrame({"week": weeks})
    for name in COMPANY_COLUMNS:
        company[name] = known[name].to_numpy() if name in known else 0.0
    company["held_back_cents"] = company["held_back_cents"].astype("int64")
    company["customers"] = 50_000.0 + weeks
    company["multichannel_customers"] = 10_000.0
    company["satisfaction"] = 0.5
    company["drop_outs"] = 100.0
    company["use_cases_tried"], company["use_cases_through"] = 40.0, 10.0
    company["targeted"], company["attained"] = 100.0, 95.0
    company["hand_overs_made"], company["hand_overs_missed"] = 30.0, 10.0
    return company
