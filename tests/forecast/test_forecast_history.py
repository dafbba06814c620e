from __future__ import annotations

import pandas as pd
import pytest

from contracts.errors import UnknownReferenceError
from contracts.flow import OrderLines
from contracts.reference import Communities, Listings
from forecast import build_history

DAYS = pd.date_range("2026-03-02", periods=3)


def lines(*rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["delivery_date", "community_id", "sku_id", "quantity", "cancelled"])
    placed = (table["delivery_date"] - pd.Timedelta(hours=10)).dt.tz_localize("UTC")
    return OrderLines.check(
        table.assign(
            order_id=[f"O{i}" for i in range(len(table))],
            line_no=1,
            placed_at=placed,
            unit_price_yuan=3.0,
            cancelled_at=placed.where(table["cancelled"]),
        )
    )


def listed(*rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["delivery_date", "area_id", "sku_id", "sold_out_at"])
    return Listings.check(table.assign(price_yuan=4.0, list_price_yuan=5.0))


@pytest.fixture
def places(context) -> pd.DataFrame:
    return context.communities


def cells(history: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    keys = zip(history["delivery_date"].dt.strftime("%d"), history["community_id"], history["sku_id"], strict=True)
    return dict(zip(keys, history["quantity"], strict=True))


def test_listed_without_sale_is_zero_and_unlisted_is_absent(places):
    """Every open community of the area gets a zero for a listed SKU; a SKU not listed that day gets no row."""
    orders = lines((DAYS[0], "C00", "S00", 2, False), (DAYS[2], "C00", "S00", 1, False))
    history = build_history(orders, listed((DAYS[0], "A0", "S00", None), (DAYS[2], "A0", "S00", None)), places)
    assert cells(history) == {
        ("02", "C00", "S00"): 2.0,
        ("02", "C02", "S00"): 0.0,
        ("02", "C04", "S00"): 0.0,
        ("04", "C00", "S00"): 1.0,
        ("04", "C02", "S00"): 0.0,
        ("04", "C04", "S00"): 0.0,
    }
    assert (history["price_yuan"] == 4.0).all()


def test_cancelled_lines_do_not_count(places):
    """A cancelled line leaves a zero where the SKU was listed."""
    orders = lines((DAYS[0], "C00", "S00", 2, True), (DAYS[0], "C00", "S00", 3, False))
    history = build_history(orders, listed((DAYS[0], "A0", "S00", None)), places)
    assert cells(history)[("02", "C00", "S00")] == 3.0


def test_sold_out_listing_censors_its_area_only(places):
    """A sold-out moment marks every community of the area on that day."""
    orders = lines((DAYS[0], "C00", "S00", 2, False), (DAYS[0], "C01", "S00", 2, False))
    moment = pd.Timestamp("2026-03-01 12:00", tz="UTC")
    history = build_history(orders, listed((DAYS[0], "A0", "S00", moment), (DAYS[0], "A1", "S00", None)), places)
    marked = history.groupby("community_id")["censored"].all()
    assert marked.to_dict() == {"C00": True, "C01": False, "C02": True, "C03": False, "C04": True, "C05": False}


def test_community_has_rows_only_while_open(places):
    """Before opened_on and after closed_on there is no zero, but an order that happened is kept."""
    some = places.assign(
        opened_on=places["opened_on"].where(places["community_id"] != "C02", DAYS[1]),
        closed_on=pd.Series(pd.NaT, places.index).where(places["community_id"] != "C04", DAYS[0]),
    )
    orders = lines((DAYS[0], "C00", "S00", 2, False), (DAYS[2], "C04", "S00", 1, False))
    offer = listed(*[(day, "A0", "S00", None) for day in DAYS])
    history = build_history(orders, offer, Communities.check(some))
    assert history.groupby("community_id").size().to_dict() == {"C00": 3, "C02": 2, "C04": 2}


def test_without_listings_a_sku_counts_as_listed_between_its_first_and_last_order_in_the_area(places):
    """The assumed assortment fills the days between, never outside, and only in the area."""
    orders = lines(
        (DAYS[0], "C00", "S00", 2, False), (DAYS[2], "C02", "S00", 1, False), (DAYS[1], "C01", "S01", 1, False)
    )
    history = build_history(orders, Listings.empty(), places)
    assert history.groupby("sku_id").size().to_dict() == {"S00": 9, "S01": 3}
    assert history["quantity"].sum() == 4.0
    assert history.loc[history["sku_id"] == "S00", "price_yuan"].notna().sum() == 2


def test_units_are_conserved_and_row_order_does_not_matter(places, history):
    """Units in orders equal units in history, whatever the order of the lines."""
    sold = history[history["quantity"] > 0].head(200).assign(cancelled=False)
    columns = ["delivery_date", "community_id", "sku_id", "quantity", "cancelled"]
    orders = lines(*sold[columns].itertuples(index=False, name=None))
    mixed = OrderLines.check(orders.sample(frac=1, random_state=1))
    one = build_history(orders, Listings.empty(), places)
    other = build_history(mixed, Listings.empty(), places)
    assert one["quantity"].sum() == orders["quantity"].sum()
    pd.testing.assert_frame_equal(one, other)


def test_no_orders_give_an_empty_history(places):
    """An empty order table is an empty history, with the contract's columns."""
    assert len(build_history(OrderLines.empty(), Listings.empty(), places)) == 0


def test_unknown_community_is_named(places):
    """An order from a community nobody knows raises with its id."""
    with pytest.raises(UnknownReferenceError, match="C99"):
        build_history(lines((DAYS[0], "C99", "S00", 2, False)), Listings.empty(), places)
