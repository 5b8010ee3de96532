"""Ledgers that add up, whoever decides, whatever is shared, however much money there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnisim.records import CENTS, CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK, WEEKS_IN_YEAR
from tests.worlds import SMALL, composed

SHOWN = ["last_touch", "claims", "linear", "markov", "shapley", "own_last_touch"]
PEOPLE, WEIGHT = 250, 16  # a power of two, so that counts of real persons are exact

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Year:
    """A year of a small firm, from its first day on.

    `media` and `channels` float64[weeks, names] and `company` float64[weeks] by column;
    `remembered` float64[weeks] the orders that its people remember; `budget` in cents.
    """

    media: Columns
    channels: Columns
    company: Columns
    remembered: np.ndarray
    budget: int


@st.composite
def firms(draw: st.DrawFn) -> tuple[str, ...]:
    """Draw a market and all that a firm decides in it.

    In the rich market media are paid in all six ways, and everything happens.
    """
    market = draw(st.sampled_from(["fashion_home_de", "identical", "rich"]))
    known = ["grown", "survey", "optimal", "equal"]
    starts = {"fashion_home_de": known, "rich": known, "identical": ["equal"]}
    fixed = {"fashion_home_de": "[tv]", "rich": "[seo]", "identical": "[c, d]"}[market]
    level = st.sampled_from([0.0, 0.5, 1.0])
    return (
        "experiment=rich" if market == "rich" else f"market={market}",
        f"market.start={draw(st.sampled_from(starts[market]))}",
        f"market.budget={draw(st.sampled_from([0, 0.01, 77777.77, 1e6, 8e7]))}",
        f"market.pressure={draw(st.sampled_from(['closed', 'open']))}",
        f"market.drift={draw(st.sampled_from([0.0, 0.05]))}",
        f"steering.rule={draw(st.sampled_from(['marginal', 'credit_share', 'average_cpo']))}",
        f"steering.review_weeks={draw(st.sampled_from([1, 4, 13]))}",
        f"steering.fixed={draw(st.sampled_from(['[]', fixed]))}",
        f"attribution={draw(st.sampled_from(SHOWN))}",
        f"incentives.company_weight={draw(level)}",
        f"incentives.ratchet={draw(level)}",
        f"integration.transaction_data={draw(level)}",
        f"integration.information_access={draw(level)}",
    )


def lived(firm: tuple[str, ...]) -> Year:
    """Live a year, and ask people every day who has ordered."""
    spec = composed(
        *SMALL,
        f"market.people={PEOPLE}",
        f"market.persons={PEOPLE * WEIGHT}",
        "market.burn_in_weeks=0",
        "horizon.history_weeks=0",
        *firm,
    )
    world = Simulation(spec, 0)
    world.adopt(spec.status_quo)
    remembered = np.zeros((WEEKS_IN_YEAR, DAYS_IN_WEEK))
    for day in range(remembered.size):
        world.step()
        remembered.flat[day] = WEIGHT * (world.state.people.state["last_order"] == day).sum()
    ledger = world.state.ledger
    media, channels, company = map(np.array, (ledger.media, ledger.channels, ledger.company))
    return Year(
        media=dict(zip(MEDIA_COLUMNS, np.moveaxis(media, 2, 0), strict=True)),
        channels=dict(zip(CHANNEL_COLUMNS, np.moveaxis(channels, 2, 0), strict=True)),
        company=dict(zip(COMPANY_COLUMNS, company.T, strict=True)),
        remembered=remembered.sum(axis=1),
        budget=round(spec.market.budget * 100),
    )


STEERINGS = (
    *("frozen", "equal", "siloed", "central", "bottom_up", "side_by_side", "percent_of_sales"),
    *("committee", "central_holds_back"),
)


@pytest.mark.parametrize("steering", STEERINGS)
@settings(max_examples=4)
@given(firm=firms())
def test_every_cent_and_every_order_of_a_year_is_booked_once(
    steering: str, firm: tuple[str, ...]
) -> None:
    everything_adds_up(lived((f"steering={steering}", *firm)))


@pytest.mark.parametrize("start", ["equal", "grown"])
def test_where_media_are_paid_in_six_ways_every_cent_and_every_order_is_booked_once(
    start: str,
) -> None:
    year = lived(("experiment=rich", f"market.start={start}"))
    assert (year.company["spent_cents"] > 0).all()
    everything_adds_up(year)


def everything_adds_up(year: Year) -> None:
    nothing_is_missing(year)
    money_adds_up(year)
    orders_add_up(year)
    nobody_is_counted_twice(year)


def nothing_is_missing(year: Year) -> None:
    for columns in (year.media, year.channels, year.company):
        for name, counts in columns.items():
            assert np.isfinite(counts).all(), name
            assert (counts >= 0).all() or name == "satisfaction", name


def money_adds_up(year: Year) -> None:
    media, company = year.media, year.company
    for columns in (media, company):
        for name in set(CENTS) & set(columns):
            assert (columns[name] == np.rint(columns[name])).all(), name
    assert (
        company["budget_cents"] == company["allocated_cents"] + company["held_back_cents"]
    ).all()
    assert (company["allocated_cents"] == media["planned_cents"].sum(axis=1)).all()
    assert (company["spent_cents"] == media["spent_cents"].sum(axis=1)).all()
    assert (media["spent_cents"] <= media["planned_cents"]).all()
    assert company["budget_cents"].sum() == year.budget


def orders_add_up(year: Year) -> None:
    media, channels, company = year.media, year.channels, year.company
    orders = channels["orders"].sum(axis=1)
    expected = channels["expected_orders"].sum(axis=1)
    assert (orders == year.remembered).all()
    assert (media["last_touch"].sum(axis=1) <= orders).all()
    assert (media["expected_last_touch"].sum(axis=1) <= expected * (1 + 1e-12)).all()
    assert (media["claims"] <= orders[:, None]).all()
    assert (media["expected_claims"] <= expected[:, None] * (1 + 1e-12)).all()
    assert (company["tracked_orders"] <= orders).all()
    assert (company["department_claims"] <= media["claims"].sum(axis=1)).all()
    for name in ("new_customers", "expected_new_customers"):
        assert (channels[name] <= channels[name.replace("new_customers", "orders")]).all()
    assert (channels["orders"] <= channels["visits"]).all()


def nobody_is_counted_twice(year: Year) -> None:
    media, company = year.media, year.company
    lost = sum(company[f"lost_{stage}"] for stage in ("inform", "evaluate", "buy"))
    ended = np.cumsum(lost) + np.cumsum(year.remembered)
    assert (company["walks"] <= company["needs"]).all()
    assert (ended <= np.cumsum(company["walks"])).all()
    assert (company["searches"] <= company["needs"]).all()
    assert (company["multichannel_customers"] <= company["customers"]).all()
    assert (company["customers"] <= np.minimum(PEOPLE * WEIGHT, np.cumsum(year.remembered))).all()
    assert (media["clicks"] <= media["contacts"]).all()
    assert (media["contacts_to_recent_buyers"] <= media["contacts"]).all()
