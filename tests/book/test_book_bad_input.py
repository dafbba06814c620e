"""Broken or late input: each case has a stated behaviour, and nothing is lost."""

from __future__ import annotations

import pandas as pd
import pytest

from contracts.errors import ContractError, InputError, SettingsError, UnknownReferenceError
from contracts.flow import OrderLines
from contracts.settings import CitySettings
from forecast.book import OrderWindow, set_aside, update_book


def book(town, moment, *, orders=None, communities=None, forecast=None, city=None):
    return update_book(
        town.forecast if forecast is None else forecast,
        town.orders if orders is None else orders,
        as_of=moment,
        model=town.model,
        communities=town.communities if communities is None else communities,
        city=city or CitySettings(),
    )


def one_line(town, **changes):
    line = town.orders[town.orders["delivery_date"] == town.today].iloc[[0]]
    line = line.assign(order_id="extra", cancelled_at=pd.NaT, **changes)
    return OrderLines.check(pd.concat([town.orders, line], ignore_index=True))


def total(frame):
    return frame.loc[frame["level"] == "community", "confirmed"].sum()


def test_order_after_the_cutoff_is_set_aside(town, at, caplog):
    """An order placed after the cutoff never counts, is warned of and can be listed with its rule."""
    orders = one_line(town, placed_at=at("23:00") + pd.Timedelta(seconds=1))
    assert total(book(town, at("23:30"), orders=orders)) == total(book(town, at("23:30")))
    assert "placed after the cutoff" in caplog.text
    aside = set_aside(orders, communities=town.communities, city=CitySettings())
    assert aside[["order_id", "rule"]].to_numpy().tolist() == [["extra", "placed after the cutoff"]]


def test_order_at_the_cutoff_counts(town, at):
    """The very moment of the cutoff still counts."""
    orders = one_line(town, placed_at=at("23:00"), quantity=5.0)
    assert total(book(town, at("23:00"), orders=orders)) == total(book(town, at("23:00"))) + 5.0


@pytest.mark.parametrize(
    ("column", "shift", "rule"),
    [
        ("closed_on", -1, "community closed on the delivery date"),
        ("opened_on", 1, "community not yet open on the delivery date"),
    ],
)
def test_order_for_a_closed_community_is_set_aside(town, at, column, shift, rule):
    """Orders for a community that is not open on the date do not count and are listed with the rule."""
    closed = town.communities.copy()
    closed.loc[closed["community_id"] == "c0", column] = town.today + pd.Timedelta(days=shift)
    mine = town.orders[town.orders["delivery_date"] == town.today]
    aside = set_aside(mine, communities=closed, city=CitySettings())
    assert set(aside["rule"]) == {rule}
    assert len(aside) == (mine["community_id"] == "c0").sum()
    kept = book(town, at("23:00"), communities=closed)
    assert total(kept) + aside.loc[aside["cancelled_at"].isna(), "quantity"].sum() == total(book(town, at("23:00")))


def test_unknown_community_raises(town, at):
    """An order for a community nobody knows names it."""
    with pytest.raises(UnknownReferenceError, match="nowhere"):
        book(town, at("18:00"), orders=one_line(town, community_id="nowhere", placed_at=at("10:00")))


def test_duplicate_line_raises(town, at):
    """The same order line twice is refused with its key, not counted twice."""
    twice = pd.concat([town.orders, town.orders.tail(1)], ignore_index=True)
    with pytest.raises(ContractError, match="duplicate key"):
        book(town, at("18:00"), orders=twice)


def test_cancelled_before_placed_never_counts(town, at):
    """Out-of-order stamps: a cancellation before its own order means the line never counted."""
    moment = at("18:00")
    orders = one_line(town, placed_at=moment)
    orders.loc[orders["order_id"] == "extra", "cancelled_at"] = moment - pd.Timedelta(hours=2)
    assert total(book(town, moment, orders=orders)) == total(book(town, moment))


def test_moment_without_zone_raises(town):
    """A naive moment is no instant."""
    with pytest.raises(InputError, match="time zone"):
        book(town, pd.Timestamp("2026-02-18 18:00"))


def test_forecast_from_the_future_raises(town, at):
    """A forecast issued after the moment would let the book know the future."""
    with pytest.raises(InputError, match="must not know the future"):
        book(town, at("00:00") - pd.Timedelta(hours=3))


def test_levels_that_do_not_add_up_raise(town, at):
    """Units expected at a warehouse none of whose communities is forecast could be bought but never delivered."""
    torn = town.forecast[~((town.forecast["level"] == "community") & (town.forecast["sku_id"] == "s4"))]
    known = town.orders[town.orders["sku_id"] != "s4"]
    with pytest.raises(InputError, match="do not add up"):
        book(town, at("18:00"), forecast=torn, orders=known)


def test_window_that_closes_before_it_opens_raises():
    """Settings under which no order could be placed are refused."""
    with pytest.raises(SettingsError, match="must lie before"):
        OrderWindow.of(CitySettings(orders_open="23:30-1"))
