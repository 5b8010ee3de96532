"""Laws: what closed forms say on the hypotheses, computed with the rules that the world uses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from omnisim import attribution, incentives, inference, rollout, streams
from omnisim.allocation import Floats, best_split
from omnisim.curves import Log, Scaled, Steady, Wearing

# The bench of the closed forms (O1): orders = a ln(1 + spend / b), EUR 400 a week.
A, B = np.array([400.0, 300.0, 200.0, 100.0]), np.array([20.0, 40.0, 30.0, 10.0])
BUDGET = 400.0
LEGACY = np.array([80.0, 60.0, 110.0, 150.0])
EQUAL = np.full(4, BUDGET / 4)
LAST = (0.0, 0.3, 0.6, 0.85)  # carry-over of the four (O7)
MARGIN = 3.0  # EUR an order
OFF = 0.2  # of the total
DRAWS = 4000
WEEKS = 100_000
GRID = np.arange(200) / 200 + 1 / 400
SMALL_TESTS, BIG_TESTS, TRAFFIC = 40, 4, 2.0
FAT = 3.0
LUCK = 9001


def bench() -> list[Log]:
    """Return the four curves."""
    return [Log(a, b) for a, b in zip(A.tolist(), B.tolist(), strict=True)]


def _orders(curves: Sequence[Log], spends: Floats) -> float:
    return math.fsum(curve.orders(x) for curve, x in zip(curves, spends.tolist(), strict=True))


def _best(budget: float = BUDGET) -> float:
    return _orders(bench(), best_split(bench(), budget))


def _lost(spends: Floats) -> float:
    """Return the orders that a split loses against the best of the same budget."""
    return _best(float(spends.sum())) - _orders(bench(), spends)


def _spends(shares: Floats) -> Floats:
    """Return the spends at which the share of each curve in budget and offsets is as given."""
    spends: Floats = shares * (BUDGET + B.sum()) - B
    return spends


def _divergence(truth: Floats, held: Floats) -> float:
    return float((truth * np.log(truth / held)).sum())


def _turning(rises: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that rises passes 0."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rises(middle) > 0 else (middle, high)
    return low


# -- H1: what differs when a channel saturates --------------------------------------------------


def fading_widens() -> float:
    """Return by how much worst to best rises if the worst medium fades by half."""

    def worst_to_best(factors: tuple[float, ...]) -> float:
        faded = [Scaled(c, f) for c, f in zip(bench(), factors, strict=True)]
        slopes = [c.slope(x) for c, x in zip(faded, LEGACY.tolist(), strict=True)]
        return min(slopes) / max(slopes)

    return worst_to_best((1.0, 1.0, 1.0, 0.5)) - worst_to_best((1.0,) * 4)


# -- H7, H10, H19, H20: noise, totals, politics -------------------------------------------------


def noise_break_even() -> float:
    """Return the log error of estimates beyond which a plan loses more than the legacy split."""
    root, draws = streams.replication_key(LUCK, 0), np.arange(DRAWS)
    luck = np.array(
        [_normal(root, nth, draws) for nth in range(4)]
    )  # the same for every error, so that loss rises smoothly

    def loss(error: float) -> float:
        believed = A[:, None] * np.exp(error * luck)
        held = believed / believed.sum(axis=0)
        truth = A / A.sum()
        return float(A.sum() * (truth[:, None] * np.log(truth[:, None] / held)).sum(axis=0).mean())

    return _turning(lambda error: loss(error) - _lost(LEGACY), 0.1, 2.0)


def _normal(root: np.uint64, nth: int, draws: np.ndarray) -> Floats:
    """Return standard normal numbers (Box & Muller 1958)."""
    one, other = (streams.trait(root, LUCK, draws, f"{side} {nth}") for side in "ab")
    normal: Floats = np.sqrt(-2 * np.log(1 - one)) * np.cos(2 * math.pi * other)
    return normal


def _profit(budget: float) -> float:
    return MARGIN * _best(budget) - budget


def _best_total() -> float:
    """Return the budget at which the next euro earns a euro."""
    return math.fsum(curve.spend_at(1 / MARGIN) for curve in bench())


def total_off() -> float:
    """Return the larger part of profit that a total loses which is off by a fifth (O6)."""
    best = _best_total()
    return 1 - min(_profit(best * (1 + off)) for off in (-OFF, OFF)) / _profit(best)


def split_against_total() -> float:
    """Return what the legacy split loses of the best total's profit, per part lost by the total."""
    best = _best_total()
    legacy = MARGIN * _orders(bench(), LEGACY * best / BUDGET) - best
    return (1 - legacy / _profit(best)) / total_off()


def power_costs() -> float:
    """Return what power of .5 on the fourth channel costs, less the closed form (O11)."""
    truth = A / A.sum()
    louder = truth * np.exp([0.0, 0.0, 0.0, 0.5])
    return float(A.sum()) * _divergence(truth, louder / louder.sum()) - 12.855


def _evened(bias: float) -> float:
    truth = A / A.sum()
    return float(A.sum()) * _divergence(truth, (1 - bias) * truth + bias / 4)


def evenness_break_even() -> float:
    """Return the bias at which a centre loses as much as equal shares of the money."""
    return _turning(lambda bias: _evened(bias) - _lost(EQUAL), 0.0, 1.0)


def evenness_against_legacy() -> float:
    """Return what a centre that splits evenly loses less what the legacy split does."""
    return _evened(1.0) - _lost(LEGACY)


# -- H11: capture -------------------------------------------------------------------------------

DEPARTMENTS, EACH = 3, 100.0
CURVE = Log(100.0, 25.0)


def _captured(contestable: float, baseline: float, weight: float) -> float:
    """Return what each of three like departments pays in the end to be seen last (EUR)."""
    paid = np.linspace(1, 9, DEPARTMENTS)
    for turn in range(200):
        own = turn % DEPARTMENTS
        others = np.delete(paid, own)
        orders = baseline + math.fsum(CURVE.orders(EACH - x) for x in others)
        paid[own] = incentives.captures(CURVE, EACH, math.fsum(others), orders, contestable, weight)
    return float(paid.mean())


def capture_rises(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Return the captured share under one game less that under another."""
    return (_captured(*one) - _captured(*other)) / EACH


def orders_under_capture() -> float:
    """Return the part of all orders that capture changes."""
    lost = CURVE.orders(EACH - _captured(0.3, 200.0, 0.0)) - CURVE.orders(EACH)
    return DEPARTMENTS * lost / (200.0 + DEPARTMENTS * CURVE.orders(EACH))


def claims_under_capture() -> float:
    """Return by how much claims per order rise with capture: who is seen last claims it too."""
    kept = np.full(DEPARTMENTS, CURVE.orders(EACH))
    paid = _captured(0.3, 200.0, 0.0)
    caused = np.full(DEPARTMENTS, CURVE.orders(EACH - paid))
    told = attribution.contested(caused, 200.0, np.full(DEPARTMENTS, paid), 0.3)
    before = math.fsum(kept) / (200.0 + math.fsum(kept))
    return math.fsum(told) / (200.0 + math.fsum(caused)) - before


# -- H15, H16, H17: pay, hand-over, contacts that wear out --------------------------------------


def bonus_under_ratchet() -> float:
    """Return what a bonus is worth under a ratchet, less the closed form (O10)."""
    return incentives.under_ratchet(1.0, 0.5, 0.1) - 1 / 6


def ratchet_bites() -> float:
    """Return what it is worth under a strong ratchet less under a weak one."""
    return incentives.under_ratchet(1.0, 0.5, 0.1) - incentives.under_ratchet(1.0, 0.2, 0.1)


def recovered(stake: float, sees: bool) -> float:
    """Return which part of what missed hand-overs cost is recovered (O17)."""

    def orders(stake: float, sees: bool) -> float:
        chances = [
            there if incentives.refers(here, there if sees else 0.5, stake) else here
            for here in GRID.tolist()
            for there in GRID.tolist()
        ]
        return math.fsum(chances) / len(chances)

    never, best = orders(0.0, True), orders(1.0, True)
    return (orders(stake, sees) - never) / (best - never)


def cap_gain(wear: float, departments: int, own: float, cap: float) -> float:
    """Return the response under a shared cap less that under own caps, per own response (O18)."""
    wearing, contacts = Wearing(wear), departments * own
    before = wearing.response(contacts)
    return (wearing.response(min(contacts, cap)) - before) / wearing.response(own)


def _best_cap(wear: float, departments: int) -> float:
    """Return what the best shared cap gains where departments each think of twenty contacts."""
    return cap_gain(wear, departments, 20.0, Wearing(wear).best)


# -- H22, H23: windows and regressions ----------------------------------------------------------


def window_loss(weeks: int, last: Sequence[float]) -> float:
    """Return the part of A that a window of some weeks loses (O7)."""
    seen = 1 - np.array(last) ** weeks
    long_run = [Steady(curve, kept) for curve, kept in zip(bench(), last, strict=True)]
    weights = A * seen
    truth = np.array([c.curve.a for c in long_run if isinstance(c.curve, Log)]) / A.sum()
    return _divergence(truth, weights / weights.sum())


def _regression(following: float) -> float:
    """Return what a regression of orders on spend finds beyond the effect of a euro (O13)."""
    root, weeks = streams.replication_key(LUCK, 1), np.arange(WEEKS)
    demand, own = 10 * _normal(root, 0, weeks), 5 * _normal(root, 1, weeks)
    spend = following * demand + own
    found = np.cov(spend, 2 * spend + demand)
    return float(found[0, 1] / found[0, 0]) - 2


def regression_bias() -> float:
    """Return the bias that is found per bias that is foretold."""
    return _regression(0.5) / inference.overstated(0.5, 10.0, 5.0)


def following_overstates() -> float:
    """Return the bias of a medium that follows demand less that of one that does not."""
    return _regression(0.5) - _regression(0.0)


def regression_of_a_test() -> float:
    """Return the bias where spend is drawn by lot."""
    return _regression(0.0)


# -- H25, H27, H30: ideas, complements, claims --------------------------------------------------


def many_tests(tails: float) -> float:
    """Return what many small tests bring more than few big ones, per gain of those.

    One in six ideas does good; the traffic is the same.
    """
    few, many = (
        tests * inference.gain_of_idea(math.sqrt(tests / TRAFFIC), -1.0, tails)
        for tests in (BIG_TESTS, SMALL_TESTS)
    )
    return (many - few) / few


def _way(cost: float, complement: float) -> list[float]:
    return [rollout.worth(steps, 1.0, cost, complement) for steps in range(1, 7)]


def lowest(cost: float, complement: float) -> float:
    """Return the lowest utility on the way of six steps (O15)."""
    return min(_way(cost, complement))


def end_of_complements() -> float:
    """Return the utility after all six steps."""
    return _way(1.6, 0.5)[-1]


RATES = np.array([0.6, 0.5, 0.3])


def claims_of_touches() -> float:
    """Return the claims per order of media that touch independently, less 1.4 (O19)."""
    return math.fsum(RATES) - 1.4


def one_list_credits() -> float:
    """Return the credit per order of a list that knows every order once."""
    return attribution.reached(RATES)


LAWS: Mapping[str, Callable[[], float]] = {
    "fading_widens": fading_widens,
    "noise_break_even": noise_break_even,
    "total_off": total_off,
    "split_against_total": split_against_total,
    "power_costs": power_costs,
    "evenness_break_even": evenness_break_even,
    "evenness_against_legacy": evenness_against_legacy,
    "capture_by_contest": partial(capture_rises, (0.4, 100.0, 0.0), (0.2, 100.0, 0.0)),
    "capture_by_baseline": partial(capture_rises, (0.3, 400.0, 0.0), (0.3, 100.0, 0.0)),
    "capture_by_weight": partial(capture_rises, (0.3, 200.0, 0.5), (0.3, 200.0, 0.0)),
    "capture_when_shared": lambda: _captured(0.3, 200.0, 1.0) / EACH,
    "orders_under_capture": orders_under_capture,
    "claims_under_capture": claims_under_capture,
    "bonus_under_ratchet": bonus_under_ratchet,
    "ratchet_bites": ratchet_bites,
    "hand_over_half": partial(recovered, 0.5, True),
    "hand_over_data": partial(recovered, 0.0, True),
    "hand_over_pay": partial(recovered, 1.0, False),
    "cap_by_wear": lambda: _best_cap(0.1, 2) - _best_cap(0.05, 2),
    "cap_by_overlap": lambda: _best_cap(0.05, 3) - _best_cap(0.05, 2),
    "cap_without_wear": partial(_best_cap, 0.0, 3),
    "cap_without_overlap": partial(cap_gain, 0.05, 1, 20.0, 20.0),
    "cap_too_low": partial(cap_gain, 0.02, 2, 10.0, 5.0),
    "window_of_1": partial(window_loss, 1, LAST),
    "window_of_13": partial(window_loss, 13, LAST),
    "window_alike": partial(window_loss, 1, (0.5,) * 4),
    "regression_bias": regression_bias,
    "following_overstates": following_overstates,
    "regression_of_a_test": regression_of_a_test,
    "many_tests_fat": partial(many_tests, FAT),
    "many_tests_thin": partial(many_tests, math.inf),
    "dip_of_complements": partial(lowest, 1.6, 0.5),
    "end_of_complements": end_of_complements,
    "dip_of_substitutes": partial(lowest, 0.8, 0.0),
    "claims_of_touches": claims_of_touches,
    "one_list_credits": one_list_credits,
}
