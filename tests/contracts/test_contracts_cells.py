"""Cells read strictly: what no table can hold is told row by row, and nothing else changes."""

from __future__ import annotations

import pandas as pd
import pytest

from contracts.flow import OrderLines
from contracts.reference import Calendar

LINE = {
    "order_id": "o1",
    "line_no": 1,
    "placed_at": "2026-04-21T02:00:00Z",
    "delivery_date": "2026-04-22",
    "community_id": "C1",
    "sku_id": "S1",
    "quantity": 2,
    "unit_price_yuan": 4.5,
}


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("quantity", 10**400, "a finite number"),
        ("quantity", -(10**400), "a finite number"),
        ("quantity", [2], "one plain value"),
        ("order_id", "a\x00b", "one plain value"),
        ("order_id", "\ud800", "one plain value"),
        ("order_id", {"id": 1}, "one plain value"),
        ("placed_at", 10**400, "a time with a zone"),
        ("delivery_date", 10**400, "a whole day"),
        ("line_no", 10**400, "a whole number"),
    ],
)
def test_a_cell_no_table_can_hold_fails_alone(column: str, value: object, rule: str) -> None:
    """The row with the cell is told by column and rule, in text any file can hold; the row beside it is good."""
    frame = pd.DataFrame([LINE | {"order_id": "o2"}, LINE | {column: value}], dtype=object)
    good, failures = OrderLines.split(frame)
    assert good["order_id"].tolist() == ["o2"]
    assert failures[["row", "column", "rule"]].to_numpy().tolist() == [[1, column, rule]]
    assert failures["value"].iloc[0].encode("utf-8").isascii()


def test_a_missing_cell_beside_an_odd_one_keeps_its_rule() -> None:
    """One column, one row empty and one row odd: the rule names both."""
    frame = pd.DataFrame([LINE | {"order_id": None}, LINE | {"order_id": ["a"]}, LINE], dtype=object)
    good, failures = OrderLines.split(frame)
    assert len(good) == 1
    assert failures["rule"].tolist() == ["not null, or one plain value"] * 2


@pytest.mark.parametrize("text", ["-5", "-4712-01-01", "10000-01-01"])
def test_a_year_no_calendar_of_ours_has_is_no_day(text: str) -> None:
    """pandas reads years before 1, which neither Python's dates nor a database can hold."""
    days = pd.DataFrame({"day": ["2026-03-01", text, "0001-01-01", "9999-12-31"], "is_holiday": True})
    good, failures = Calendar.split(days)
    assert failures["row"].tolist() == [1]
    assert len(good) == 3
