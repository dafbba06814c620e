"""The two verbs of a contract: `check` raises, `split` keeps every row in sight."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.describe import PAGES, contract_tables
from contracts.errors import ContractError, MissingColumnError
from contracts.flow import OrderBook, OrderLines
from contracts.reference import Communities, Offers, Skus
from contracts.table import Table

TABLES = [table for _, module in PAGES for table in contract_tables(module)]


def offers(**columns: object) -> pd.DataFrame:
    row = {
        "supplier_id": "s",
        "sku_id": "k",
        "warehouse_id": "w",
        "case_units": 6,
        "min_cases": 1,
        "max_cases": 9,
        "unit_price_yuan": 2.5,
        "discount_kind": "all_units",
    }
    return pd.DataFrame({**{k: [v] for k, v in row.items()}, **columns})


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.__name__)
def test_every_contract_has_a_key_of_its_own_columns_and_an_empty_table(table: type[Table]) -> None:
    """A contract is usable at once: its key exists, and its empty table passes its own check."""
    assert table.key()
    assert set(table.key()) <= set(table.column_names())
    assert list(table.check(table.empty()).columns) == list(table.column_names())


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.__name__)
def test_every_column_says_what_it_means(table: type[Table]) -> None:
    """docs/data.md is generated from these descriptions."""
    assert all(column.description for column in table.to_schema().columns.values())


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("case_units", 0, "greater_than(0)"),
        ("case_units", "1.5", "a whole number"),
        ("case_units", None, "not null"),
        ("unit_price_yuan", -1, "greater_than(0)"),
        ("unit_price_yuan", float("inf"), "a finite number"),
        ("unit_price_yuan", "cheap", "a finite number"),
        ("sku_id", None, "not null"),
        ("sku_id", "  ", "not null"),
        ("discount_kind", "sometimes", "isin(['all_units', 'incremental'])"),
        ("min_cases", 99, "min_cases at most max_cases"),
    ],
)
def test_a_bad_value_is_named_by_row_column_rule_and_value(column: str, value: object, rule: str) -> None:
    """One bad row beside a good one: the good one stays, the failure names the bad one."""
    frame = pd.concat([offers(), offers(supplier_id=["t"], **{column: pd.Series([value], dtype=object)})])
    good, failures = Offers.split(frame)
    assert good["supplier_id"].tolist() == ["s"]
    assert failures["row"].tolist() == [1]
    assert failures["rule"].tolist() == [rule]
    with pytest.raises(ContractError) as caught:
        Offers.check(frame)
    assert caught.value.failures.equals(failures)


def test_of_two_rows_with_one_key_the_first_stays() -> None:
    """A duplicate is a failure, not a second offer."""
    good, failures = Offers.split(pd.concat([offers(), offers(unit_price_yuan=[1.0])]))
    assert good["unit_price_yuan"].tolist() == [2.5]
    assert failures[["row", "rule", "value"]].to_numpy().tolist() == [[1, "duplicate key", "s / k / w"]]


def test_a_missing_column_is_an_error_and_an_absent_optional_one_is_null() -> None:
    """Absent is not zero: an absent late price is null, an absent price cannot be judged."""
    assert Offers.check(offers())["late_price_yuan"].isna().all()
    with pytest.raises(MissingColumnError) as caught:
        Offers.check(offers().drop(columns="unit_price_yuan"))
    assert caught.value.missing == ("unit_price_yuan",)


def test_columns_the_contract_does_not_name_are_left_out_and_the_input_is_not_touched() -> None:
    """The contract decides the columns; the caller's frame stays as it was."""
    frame = offers(extra=["x"])
    before = frame.copy()
    assert "extra" not in Offers.check(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_ids_that_passed_through_a_spreadsheet_stay_ids() -> None:
    """1023.0 from a spreadsheet is the id "1023"."""
    assert Offers.check(offers(sku_id=[1023.0]))["sku_id"].tolist() == ["1023"]


def test_a_time_without_a_zone_is_no_instant() -> None:
    """A naive time could be eight hours off; the row is refused."""
    line = {
        "order_id": ["o", "p"],
        "line_no": 1,
        "placed_at": ["2026-03-01 10:00+08:00", "2026-03-01 10:00"],
        "delivery_date": "2026-03-02",
        "community_id": "c",
        "sku_id": "k",
        "quantity": 1,
        "unit_price_yuan": 1,
    }
    good, failures = OrderLines.split(pd.DataFrame(line))
    assert good["placed_at"].tolist() == [pd.Timestamp("2026-03-01 02:00", tz="UTC")]
    assert failures[["row", "column", "rule"]].to_numpy().tolist() == [[1, "placed_at", "a time with a zone"]]


def test_a_window_that_closes_before_it_opens_is_refused() -> None:
    """Such a stop could never be served; better said at the door."""
    row = {
        "community_id": "c",
        "name": "n",
        "area_id": "a",
        "warehouse_id": "w",
        "latitude": 30.0,
        "longitude": 120.0,
        "window_start": "09:00",
        "window_end": "08:00",
        "service_minutes": 5,
    }
    _, failures = Communities.split(pd.DataFrame([row]))
    assert failures["rule"].tolist() == ["opens before it closes"]


def test_a_book_whose_final_is_not_confirmed_plus_remaining_is_refused() -> None:
    """The book's identity is a rule of its contract."""
    quantiles = {q: [5.0] for q in ("q05", "q10", "q25", "q50", "q75", "q90", "q95", "q99")}
    row = {
        "delivery_date": ["2026-03-02"],
        "level": ["warehouse"],
        "place_id": ["w"],
        "sku_id": ["k"],
        "as_of": ["2026-03-01T10:00Z"],
        "confirmed": [3.0],
        "remaining_mean": [1.0],
        "final_mean": [5.0],
        "source": ["test"],
        **quantiles,
    }
    _, failures = OrderBook.split(pd.DataFrame(row))
    assert failures["rule"].tolist() == ["final is confirmed plus remaining"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(st.none(), st.integers(-3, 3), st.floats(), st.sampled_from(["", "x", "2", "２"])), max_size=8)
)
def test_every_row_is_either_good_or_among_the_failures(weights: list[object]) -> None:
    """No row is lost, whatever stands in a column."""
    frame = pd.DataFrame(
        {
            "sku_id": [f"k{i}" for i in range(len(weights))],
            "name": "n",
            "category_id": "c",
            "temperature_zone": "ambient",
            "unit": "bag",
            "weight_kg": pd.Series(weights, dtype=object),
            "volume_l": 1,
            "shelf_life_days": 3,
            "salvage_yuan": -1,
            "shortage_penalty_yuan": 2,
        }
    )
    good, failures = Skus.split(frame)
    assert len(good) + failures["row"].nunique() == len(frame)
    assert (good["weight_kg"] > 0).all()


def order_line(**columns: object) -> pd.DataFrame:
    """Return one order line with changes."""
    row = {
        "order_id": "o",
        "line_no": 1,
        "placed_at": "2026-03-01T02:00:00Z",
        "delivery_date": "2026-03-02",
        "community_id": "c",
        "sku_id": "k",
        "quantity": 2.0,
        "unit_price_yuan": 4.5,
    }
    return pd.DataFrame([{**row, **columns}])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"quantity": 13_812_345_678.0}, "less_than_or_equal_to(1000000.0)"),
        ({"quantity": 1e308}, "less_than_or_equal_to(1000000.0)"),
        ({"unit_price_yuan": 1e300}, "less_than_or_equal_to(10000000.0)"),
        ({"delivery_date": "2062-03-02"}, "delivery_date 0 to 60 days after placed_at"),
        ({"delivery_date": "2026-02-26"}, "delivery_date 0 to 60 days after placed_at"),
        ({"placed_at": "9999-12-31T23:59:59Z"}, "delivery_date 0 to 60 days after placed_at"),
    ],
)
def test_no_order_line_is_beyond_what_a_person_orders(change: dict[str, object], rule: str) -> None:
    """A phone number for a quantity and a date decades away are broken rules with a name."""
    good, failures = OrderLines.split(order_line(**change))
    assert good.empty
    assert failures["rule"].tolist() == [rule]


@pytest.mark.parametrize("days", [0, 60])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Asia/Shanghai", "Etc/GMT+12"])
@pytest.mark.parametrize("clock", ["00:00", "23:59"])
def test_a_plausible_delivery_date_is_so_in_every_zone(days: int, zone: str, clock: str) -> None:
    """Delivered on the day of the order or 60 days later, whatever the city's clock says in UTC."""
    placed = pd.Timestamp(f"2026-03-01 {clock}", tz=zone).tz_convert("UTC")
    line = order_line(placed_at=placed, delivery_date=pd.Timestamp("2026-03-01") + pd.Timedelta(days=days))
    assert len(OrderLines.check(line)) == 1
