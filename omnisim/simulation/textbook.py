"""The textbook: closed-form response in place of people, so that the truth is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from omnisim import attribution, streams
from omnisim.contacts import years_from_fork
from omnisim.curves import Curve, Exponential, Hill, Log, MichaelisMenten, Power, Steady
from omnisim.records import (
    CHANNEL_COLUMNS,
    COMPANY_COLUMNS,
    CREDIT_COLUMNS,
    MEDIA_COLUMNS,
    REGION_COLUMNS,
    Week,
    worth,
)
from omnisim.spec import (
    DAYS_IN_WEEK,
    HALVES,
    WEEKS_IN_YEAR,
    AnyCurve,
    ExponentialCurve,
    HillCurve,
    LogCurve,
    MichaelisMentenCurve,
    PowerCurve,
    Strategy,
    TextbookMarket,
)

Columns = dict[str, np.ndarray]


@dataclass
class TextbookState:
    """What living changes: adstock and demand.

    `adstock` float64[HALVES, media] in EUR is that of all, had all been paid as this half of
    the country; `demand` the log of the week's.
    """

    adstock: np.ndarray
    demand: float

    def copy(self) -> TextbookState:
        """Return a state that can go its own way."""
        return replace(self, adstock=self.adstock.copy())


class Textbook:
    """The curves of a market under a strategy.

    Money flows at once on the first day of a week, and the week is answered when it closes.
    """

    def __init__(self, market: TextbookMarket, root: np.uint64, history_days: int) -> None:
        self.market = market
        self.root = root
        self.history_days = history_days
        self.media = sorted(market.media)
        specs = [market.media[name] for name in self.media]
        self._curves = [curve(spec.curve) for spec in specs]
        self._carry_over = np.array([spec.carry_over for spec in specs])
        self._trend = market.trend * np.array([spec.trend for spec in specs])
        self._leak = np.array([spec.leak for spec in specs])
        self._capture = np.array([spec.capture for spec in specs])
        pairs = [[self.media.index(name) for name in one.media] for one in market.synergies]
        self._pairs = np.array(pairs, np.int64).reshape(-1, 2)
        self._kappa = np.array([one.kappa for one in market.synergies])
        # Who has a part in what is caused: each medium in its own curve, two in a synergy.
        self._parts = np.eye(len(specs) + len(pairs), len(specs), dtype=bool)
        self._parts[np.arange(len(pairs))[:, None] + len(specs), self._pairs] = True

    def born(self, day: int) -> TextbookState:
        """Return what a firm remembers that has always paid the start split."""
        split = self.market.start_split()
        spend = self.market.budget / WEEKS_IN_YEAR * np.array([split[name] for name in self.media])
        luck = streams.normal(self.root, streams.DEMAND, "", day // DAYS_IN_WEEK - 1)
        adstock = np.tile(spend / (1 - self._carry_over), (HALVES, 1))
        return TextbookState(adstock, self.market.demand.sd * luck)

    @property
    def half_shares(self) -> np.ndarray:
        """Return which part of all lives in each half of the country."""
        return np.full(HALVES, 1 / HALVES)

    def adopt(self, strategy: Strategy) -> None:
        """Learn which department owns which media."""
        owners = [strategy.organigram[key].owns for key in sorted(strategy.organigram)]
        owned = [np.array([name in owns for name in self.media], bool) for owns in owners]
        self._departments = [own for own in owned if own.any()]

    # -- the day ----------------------------------------------------------------------

    def dawn(
        self,
        state: TextbookState,
        day: int,
        planned: np.ndarray,
        spent: np.ndarray,
        wander: np.ndarray,
        tilt: np.ndarray,
    ) -> None:
        """Fix at midnight what the day will bring: money and the strength of every curve.

        `planned` and `spent` int64[media] are the week's cents, `wander` float64[media] what
        drift has added to the log of every response, `tilt` float64[HALVES, media] the money
        in each half of the country against that in all.
        """
        self._money: np.ndarray = planned - spent
        self._tilt = tilt
        self._strength = np.exp(self._trend * years_from_fork(day, self.history_days) + wander)

    def live(self, state: TextbookState) -> None:
        """Live today: there is nobody to do it."""

    def dusk(self, state: TextbookState) -> np.ndarray:
        """Return what is charged (int64[media], cents)."""
        return self._money

    # -- the week's books ---------------------------------------------------------------

    def close_week(
        self, state: TextbookState, week: int, planned: np.ndarray, spent: np.ndarray
    ) -> Week:
        """Answer the money of the week, and book it.

        What no curve tells (contacts, visits, customers) is 0, and no rule has paths to
        divide.
        """
        state.adstock = spent / 100 * self._tilt + self._carry_over * state.adstock
        state.demand = self._next_demand(state.demand, week)
        level = math.exp(state.demand)
        by_half = level * np.array([self._causes(adstock) for adstock in state.adstock])
        causes = by_half.sum(axis=0) / HALVES
        baseline = level * self.market.baseline_orders

        media = self._credit(causes, baseline, week)
        media |= {"planned_cents": planned, "spent_cents": spent}
        expected = baseline + math.fsum(causes)
        orders = math.fsum(media["last_touch"]) + self._untouched(
            expected - math.fsum(media["expected_last_touch"]), week
        )
        sales = self._worth(orders)
        sales |= {f"expected_{name}": column for name, column in self._worth(expected).items()}
        company = dict.fromkeys(COMPANY_COLUMNS, 0.0)
        company |= self._department_claims(causes, baseline, media)
        company["tracked_orders"] = math.fsum(media["last_touch"])
        return Week(
            _laid_out(media, MEDIA_COLUMNS, len(self.media)),
            _laid_out(sales, CHANNEL_COLUMNS, 1),
            company,
            np.zeros((0, len(self.media), len(CREDIT_COLUMNS))),
            self._by_half(by_half.sum(axis=1) + baseline, spent, orders / max(expected, 1e-9)),
        )

    def _by_half(self, expected: np.ndarray, spent: np.ndarray, made: float) -> np.ndarray:
        """Return the week by half; `expected` float64[HALVES] orders as if all lived there."""
        (till,) = self.market.channels.values()
        rows = np.zeros((HALVES, len(self.media) + 1, len(REGION_COLUMNS)))
        rows[:, :-1, REGION_COLUMNS.index("spent_cents")] = self._tilt * spent / HALVES
        for name, part in (("", made), ("expected_", 1.0)):
            orders = expected / HALVES * part
            rows[:, -1, REGION_COLUMNS.index(f"{name}orders")] = orders
            rows[:, -1, REGION_COLUMNS.index(f"{name}revenue_gross")] = orders * till.basket
        return rows

    def _causes(self, adstock: np.ndarray) -> np.ndarray:
        """Return the orders that each curve and each synergy gives (float64[causes])."""
        pairs = zip(self._curves, adstock.tolist(), strict=True)
        alone = self._strength * np.array([each.orders(stock) for each, stock in pairs])
        joint = self._kappa * np.sqrt((self._strength * adstock)[self._pairs]).prod(axis=1)
        return np.concatenate([alone, joint])

    def _next_demand(self, demand: float, week: int) -> float:
        """Return the log of the week's demand, which returns to 0."""
        spec = self.market.demand
        luck = streams.normal(self.root, streams.DEMAND, "", week)
        return (
            spec.autocorrelation * demand + spec.sd * math.sqrt(1 - spec.autocorrelation**2) * luck
        )

    def _credit(self, causes: np.ndarray, baseline: float, week: int) -> Columns:
        caused = attribution.shared(causes, self._parts)
        touches = attribution.last_touched(caused, baseline, self._leak, self._capture)
        claims = attribution.claimed(causes, self._parts, baseline, self._capture)
        luck = np.array(
            [streams.normal(self.root, streams.REPORT_COUNT, name, week) for name in self.media]
        )
        columns = {
            "last_touch": attribution.counted(touches, luck),
            "expected_last_touch": touches,
            "claims": attribution.counted(claims, luck),
            "expected_claims": claims,
        }
        reported = {f"reported_{name}": columns[name] for name in ("last_touch", "claims")}
        (till,) = self.market.channels.values()
        return columns | reported | {"expected_last_touch_value": touches * till.basket}

    def _untouched(self, expected: float, week: int) -> float:
        """Return the firm's orders that no medium touched last.

        Poisson counts of all parts add up to a Poisson count of all orders.
        """
        luck = np.array([streams.normal(self.root, streams.UNTOUCHED, "", week)])
        return float(attribution.counted(np.array([max(0.0, expected)]), luck)[0])

    def _department_claims(
        self, causes: np.ndarray, baseline: float, media: Columns
    ) -> dict[str, float]:
        """Return the orders that departments claim, each order once per department."""
        expected, realised = [], []
        for own in self._departments:
            claims = attribution.claimed_together(causes, self._parts, baseline, self._capture, own)
            expected.append(claims)
            told, meant = (math.fsum(media[name][own]) for name in ("claims", "expected_claims"))
            realised.append(claims * told / meant if meant > 0 else 0.0)
        return {
            "department_claims": math.fsum(realised),
            "expected_department_claims": math.fsum(expected),
        }

    def _worth(self, orders: float) -> Columns:
        (till,) = self.market.channels.values()
        placed = np.array([orders])
        return {"orders": placed} | worth([till], self.market.vat, placed, placed * till.basket)


def curve(words: AnyCurve) -> Curve:
    """Return the curve that the words of a spec mean."""
    match words:
        case LogCurve():
            return Log(words.a, words.b)
        case ExponentialCurve():
            return Exponential(words.k, words.b)
        case PowerCurve():
            return Power(words.a, words.beta)
        case MichaelisMentenCurve():
            return MichaelisMenten(words.most, words.half)
        case HillCurve():
            return Hill(words.most, words.half, words.shape)
        case _:
            assert_never(words)


def steady_curves(market: TextbookMarket) -> list[Curve]:
    """Return what each medium of a market (sorted) gives a week for a spend that lasts.

    The long run, at the strength that curves have at the fork and at usual demand, without
    what media bring together.
    """
    media = [market.media[name] for name in sorted(market.media)]
    return [Steady(curve(medium.curve), medium.carry_over) for medium in media]


def _laid_out(columns: Mapping[str, np.ndarray], order: tuple[str, ...], rows: int) -> np.ndarray:
    """Return columns in the order of a ledger (float64[rows, order]), 0 where there is none."""
    none = np.zeros(rows)
    return np.column_stack([columns.get(name, none) for name in order]).astype(float)
