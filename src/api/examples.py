"""Example values for the OpenAPI document: one plausible value per column name."""

from __future__ import annotations

from typing import Any

_BY_NAME: dict[str, Any] = {
    "address": "东湖路 12 号",
    "amount_yuan": 186.0,
    "area_id": "A1",
    "arrives_at": "2026-03-01T16:30:00Z",
    "as_of": "2026-03-01T10:00:00Z",
    "base_id": "W1",
    "case_units": 20,
    "cases": 3,
    "category_id": "leaf",
    "community_id": "C001",
    "confirmed_percent": 62.5,
    "cure": "one more chilled van at W1",
    "delivery_date": "2026-03-02",
    "depot_id": "D1",
    "destination": "东湖花园",
    "destination_id": "C001",
    "discount_kind": "all_units",
    "latitude": 30.55,
    "leader_id": "L001",
    "level": "warehouse",
    "members": 180.0,
    "line_no": 1,
    "longitude": 114.31,
    "name": "青菜 500 g",
    "order_id": "O-20260301-0001",
    "place_id": "W1",
    "placed_at": "2026-03-01T09:41:00Z",
    "quantity": 2.0,
    "reason": "Cheapest per unit at this quantity; next best S2 costs 0.12 yuan more per unit.",
    "route_id": "W1-V1-1",
    "sku_id": "K001",
    "source": "boosted",
    "supplier_id": "S1",
    "temperature_zone": "chilled",
    "unit": "500 g bag",
    "unit_price_yuan": 3.1,
    "vehicle_type_id": "V1",
    "warehouse_id": "W1",
}
_BY_KIND: dict[str, Any] = {
    "whole": 1,
    "number": 12.0,
    "flag": False,
    "instant": "2026-03-01T22:00:00Z",
    "day": "2026-03-02",
    "text": "text",
}
_CLOCKS = {"opens_at", "closes_at", "window_start", "window_end", "shift_start", "shift_end", "order_deadline"}


def column_example(column: str, kind: str) -> Any:
    """Return an example for a column of a kind (whole, number, flag, instant, day, text).

    Examples
    --------
    >>> column_example("sku_id", "text"), column_example("units", "number")
    ('K001', 12.0)
    """
    if column in _CLOCKS and kind == "text":
        return "06:00"
    if column == "arrives_at" and kind == "text":
        return "00:30"
    return _BY_NAME.get(column, _BY_KIND[kind])
