"""Prepaid first: from a list of paid orders to who is served when goods fall short."""

from __future__ import annotations

import pandas as pd

from contracts.flow import OrderLines, PrepaidOrders
from optimize.sorting import share_out
from pipeline.goods import with_prepaid

AS_OF = pd.Timestamp("2026-03-01 15:00", tz="UTC")
PLACED = pd.Timestamp("2026-03-01 08:00", tz="UTC")
LATER = pd.Timestamp("2026-03-01 16:00", tz="UTC")


def lines(rows: list[tuple[str, str, float, pd.Timestamp, pd.Timestamp | None]]) -> pd.DataFrame:
    """Return order lines of one SKU: order, community, quantity, placed, cancelled."""
    table = pd.DataFrame(rows, columns=["order_id", "community_id", "quantity", "placed_at", "cancelled_at"])
    day = pd.Timestamp("2026-03-02")
    return OrderLines.check(table.assign(line_no=1, delivery_date=day, sku_id="S", unit_price_yuan=1.0))


def test_paid_orders_are_served_first_and_only_what_was_known_counts() -> None:
    """Paid later, placed later, cancelled or never told: not prepaid; the paid community is whole, the other shares."""
    ordered = lines(
        [
            ("paid", "C1", 3.0, PLACED, None),
            ("told after", "C1", 2.0, PLACED, None),
            ("gone", "C1", 4.0, PLACED, PLACED),
            ("cancelled after", "C2", 1.0, PLACED, LATER),
            ("unknown", "C2", 4.0, PLACED, None),
            ("placed after", "C2", 9.0, LATER, None),
        ]
    )
    paid = PrepaidOrders.check(
        pd.DataFrame(
            {
                "order_id": ["paid", "told after", "gone", "cancelled after", "placed after", "of another day"],
                "paid_at": [PLACED, LATER, PLACED, None, None, None],
            }
        )
    )
    asked = pd.DataFrame({"warehouse_id": "W1", "community_id": ["C1", "C2"], "sku_id": "S", "units": [5.0, 5.0]})
    told = with_prepaid(asked, ordered, paid, as_of=AS_OF)
    assert told["prepaid_units"].tolist() == [3.0, 1.0]
    goods = pd.DataFrame({"warehouse_id": ["W1"], "sku_id": ["S"], "units": [4.0]})
    assert share_out(told, goods, rule="prepaid_first", at_cutoff=True)["allotted_units"].tolist() == [3.0, 1.0]


def test_no_more_is_prepaid_than_is_asked() -> None:
    """Orders after their own cutoff are set aside by the book; being paid does not bring them back."""
    ordered = lines([("paid", "C1", 7.0, PLACED, None)])
    paid = PrepaidOrders.check(pd.DataFrame({"order_id": ["paid"]}))
    asked = pd.DataFrame({"warehouse_id": ["W1"], "community_id": ["C1"], "sku_id": ["S"], "units": [5.0]})
    assert with_prepaid(asked, ordered, paid, as_of=AS_OF)["prepaid_units"].tolist() == [5.0]
