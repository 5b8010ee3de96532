from __future__ import annotations

import math

import pandas as pd
import pytest

from omnisim.measures import HEADLINE, OUTCOMES, check, measure, scale
from omnisim.records import Records
from omnisim.spec import Fault
from tests.ledgers import CHANNELS, MEDIA, a_spec, some_records


def values(measures: pd.DataFrame, channel: str = "") -> dict[str, float]:
    rows = measures[measures["channel"] == channel]
    return dict(zip(rows["outcome"], rows["value"], strict=True))


def changed(record: Records, **columns: float) -> Records:
    """Return the record with some columns set to a number in every week."""
    weekly = record.weekly.assign(**{k: v for k, v in columns.items() if k in record.weekly})
    company = record.company.assign(**{k: v for k, v in columns.items() if k in record.company})
    return Records(record.arm, record.replication, weekly, company)


def test_contribution_is_margin_less_serving_less_marketing() -> None:
    spec = a_spec()
    record = some_records(spec, "siloed", 0)
    after = record.weekly[record.weekly["week"] >= 0]
    found = values(measure(spec, [record]))
    cost = after["spent_cents"].sum() / 100
    kept = after["margin"].sum() - after["cost_to_serve"].sum()
    assert found["contribution"] == pytest.approx(kept - cost)
    assert found["marketing_cost"] == cost
    assert found["cpo"] == pytest.approx(cost / after["orders"].sum())
    assert found["unspent"] == pytest.approx(10 * len(MEDIA) * 104)


def test_profit_is_contribution_less_what_integration_costs() -> None:
    spec = a_spec()
    record = some_records(spec, "siloed", 0)
    free, paid = (values(measure(spec, [x])) for x in (record, changed(record, integration_cost=7)))
    for twin in ("", "expected_"):
        assert free[f"{twin}profit"] == free[f"{twin}contribution"] == paid[f"{twin}contribution"]
        assert paid[f"{twin}profit"] == pytest.approx(paid[f"{twin}contribution"] - 7 * 104)
        last = paid[f"{twin}contribution_last_26"] - paid[f"{twin}profit_last_26"]
        assert last == pytest.approx(7 * 26)
    assert (free["integration_cost"], paid["integration_cost"]) == (0, 7 * 104)


def test_every_outcome_is_measured_and_nothing_else() -> None:
    found = values(measure(a_spec(), [some_records(a_spec(), "siloed", 0)]))
    assert {name for name in found if not name.startswith("expected_")} == set(OUTCOMES)
    assert {name.removeprefix("expected_") for name in found} == set(OUTCOMES)
    assert set(HEADLINE) <= set(OUTCOMES)


def test_history_counts_for_nothing_but_the_first_move_of_money() -> None:
    spec = a_spec()
    record = some_records(spec, "siloed", 0)
    before = record.weekly["week"] < 0
    weekly = record.weekly.copy()
    weekly.loc[before, ["orders", "margin", "revenue_gross", "contacts"]] = 1e9
    company = record.company.copy()
    company.loc[company["week"] < 0, ["drop_outs", "customers", "lost_buy"]] = 1e9
    other = Records("siloed", 0, weekly, company)
    pd.testing.assert_frame_equal(measure(spec, [record]), measure(spec, [other]))


def test_channels_sum_to_the_company() -> None:
    spec = a_spec()
    measures = measure(spec, [some_records(spec, "siloed", 3)])
    company = values(measures)
    of_sales = [values(measures, channel) for channel in CHANNELS]
    of_media = [values(measures, medium) for medium in MEDIA]
    for outcome in ("orders", "expected_orders", "revenue_net", "new_customers"):
        assert math.fsum(row[outcome] for row in of_sales) == pytest.approx(company[outcome])
    for outcome in ("marketing_cost", "unspent"):
        assert math.fsum(row[outcome] for row in of_media) == pytest.approx(company[outcome])


def test_a_ratio_over_zero_is_empty() -> None:
    spec = a_spec()
    record = changed(
        some_records(spec, "siloed", 0),
        orders=0.0,
        new_customers=0.0,
        customers=0.0,
        hand_overs_made=0.0,
        hand_overs_missed=0.0,
    )
    found = values(measure(spec, [record]))
    empty = {name for name, value in found.items() if math.isnan(value)}
    assert empty == {
        "cpo",
        "cpo_new",
        "cpo_last_26",
        "cpo_new_last_26",
        "claims_ratio",
        "churn",
        "clv",
        "satisfaction",
        "multichannel_share",
        "hand_overs_missed_share",
    }
    assert math.isnan(values(measure(spec, [record]), "tv")["cpo_last_touch"])


def test_the_order_of_rows_changes_no_bit() -> None:
    spec = a_spec()
    record = some_records(spec, "siloed", 1, lift=0.03)
    turned = Records("siloed", 1, record.weekly.iloc[::-1], record.company.iloc[::-1])
    pd.testing.assert_frame_equal(
        measure(spec, [record]), measure(spec, [turned]), check_exact=True
    )


def test_a_horizon_of_less_than_half_a_year_is_its_own_last_half_year() -> None:
    spec = a_spec(horizon={"history_weeks": 0, "weeks": 20})
    found = values(measure(spec, [some_records(spec, "siloed", 0)]))
    for outcome in ("orders", "contribution", "expected_cpo"):
        assert found[f"{outcome}_last_26"] == found[outcome]


@pytest.mark.parametrize(
    ("history", "weeks", "rate"),
    [
        (60, 52, 0.1),  # a tenth has moved since the year before the fork
        (60, 104, 0.05),  # and nothing in the second year
        (60, 60, 0.1),  # a broken last year does not count
        (10, 10, 0.1),  # unless it is the only one
        (0, 52, math.nan),  # nothing to compare with
        (0, 104, 0.0),
    ],
)
def test_the_reallocation_rate_is_the_share_of_money_that_moved(
    history: int, weeks: int, rate: float
) -> None:
    spec = a_spec(horizon={"history_weeks": history, "weeks": weeks})
    # a lift of .2 turns plans of 50 : 50 into 60 : 40
    found = values(measure(spec, [some_records(spec, "siloed", 0, lift=0.2)]))
    assert found["reallocation_rate"] == pytest.approx(rate, nan_ok=True)


def test_churn_is_drop_outs_per_customer_and_year() -> None:
    spec = a_spec()
    record = changed(some_records(spec, "siloed", 0), customers=5_200.0, drop_outs=10.0)
    assert values(measure(spec, [record]))["churn"] == pytest.approx(0.1)


def test_a_primary_outcome_that_nothing_measures_is_refused_with_the_choices() -> None:
    with pytest.raises(Fault) as fault:
        check(a_spec(outcomes={"primary": "contributon"}))
    assert fault.value.key == "outcomes.primary"
    assert "contribution" in fault.value.choices


@pytest.mark.parametrize(
    ("unit", "value", "half_width", "text"),
    [
        ("eur", 1_234_567, 300_000, "EUR 1.2 m"),
        ("eur", 1_234_567, 20_000, "EUR 1.235 m"),
        ("eur", 83_400, 9_000, "EUR 83 k"),
        ("eur", -950, 40, "EUR -950"),
        ("eur", 250_000_000, 0, "EUR 250 m"),
        ("count", 5_312_400, 40_000, "5.31 m"),
        ("count", 4_321, 500, "4,321"),
        ("eur_each", 12.345, 0.5, "EUR 12.3"),
        ("share", 0.1234, 0.01, "12.3 %"),
        ("number", 1.31, 0.05, "1.31"),
        ("number", math.nan, math.nan, "–"),
        ("eur", -0.001, 1, "EUR 0.0"),
    ],
)
def test_numbers_show_the_digits_that_are_known(
    unit: str, value: float, half_width: float, text: str
) -> None:
    size = 0.0 if math.isnan(value) else value
    assert scale(unit, size, half_width).text(value) == text  # type: ignore[arg-type]
