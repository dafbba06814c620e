"""The book of an evening: it adds up, it sharpens, it knows nothing of the future and loses no order."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.columns import QUANTILE_COLUMNS
from contracts.errors import EmptyInputError
from contracts.flow import Forecast
from contracts.settings import BookSettings, CitySettings
from forecast.book import fit_curve, update_book

Q = list(QUANTILE_COLUMNS)


def book(town, moment, *, forecast=None, orders=None, model=..., city=None):
    return update_book(
        town.forecast if forecast is None else forecast,
        town.orders if orders is None else orders,
        as_of=moment,
        model=town.model if model is ... else model,
        communities=town.communities,
        city=city or CitySettings(),
    )


def ordered(town, moment):
    """Confirmed units by a plain loop over the lines."""
    units: dict[tuple[str, str], float] = {}
    for line in town.orders.itertuples():
        placed = line.delivery_date == town.today and line.placed_at <= moment
        if placed and (pd.isna(line.cancelled_at) or line.cancelled_at > moment):
            units[line.community_id, line.sku_id] = units.get((line.community_id, line.sku_id), 0.0) + line.quantity
    return units


@pytest.mark.parametrize("time", ["00:00", "09:17", "18:00", "22:59", "23:00", "23:59"])
def test_confirmed_equals_a_loop_over_the_lines(town, at, time):
    """Confirmed units are those placed by then, of that date, not cancelled by then."""
    now = book(town, at(time))
    rows = now[now["level"] == "community"].set_index(["place_id", "sku_id"])["confirmed"]
    expected = ordered(town, at(time))
    assert rows[rows > 0].to_dict() == expected


@given(minute=st.integers(0, 1439))
@settings(deadline=None, max_examples=15)
def test_levels_add_up_at_any_minute(town, at, minute):
    """Warehouses and areas are the sums of their communities, in confirmed units and means."""
    now = book(town, at("00:00") + pd.Timedelta(minutes=minute)).merge(
        town.communities[["community_id", "warehouse_id", "area_id"]],
        left_on="place_id",
        right_on="community_id",
        how="left",
    )
    columns = ["confirmed", "remaining_mean", "final_mean"]
    for level in ("warehouse", "area"):
        fine = now[now["level"] == "community"].groupby([f"{level}_id", "sku_id"])[columns].sum()
        coarse = now[now["level"] == level].set_index(["place_id", "sku_id"])[columns].sort_index()
        np.testing.assert_allclose(coarse.to_numpy(), fine.to_numpy(), rtol=1e-9, atol=1e-9)
        assert list(fine.index) == list(coarse.index)


def test_final_is_confirmed_plus_remaining_exactly(town, at):
    """The three columns agree to the last bit, and the remainder is never negative."""
    now = book(town, at("17:31"))
    assert (now["final_mean"] == now["confirmed"] + now["remaining_mean"]).all()
    assert (now["remaining_mean"] >= 0).all()


def test_spread_shrinks_and_ends_at_the_cutoff(town, at):
    """The 5-95 % width falls hour by hour and is exactly zero from the cutoff on."""
    widths = []
    for time in ("10:00", "14:00", "18:00", "20:00", "22:00", "22:45", "23:00", "23:30"):
        now = book(town, at(time))
        rows = now[now["level"] == "warehouse"]
        widths.append(float((rows["q95"] - rows["q05"]).sum()))
    assert all(later <= earlier for earlier, later in pairwise(widths))
    assert widths[-2:] == [0.0, 0.0]
    closed = book(town, at("23:00"))
    assert (closed[Q].to_numpy() == closed[["confirmed"]].to_numpy()).all()


def test_the_future_changes_nothing(town, at):
    """Orders and cancellations after the moment may be changed or dropped without effect on the book."""
    moment = at("16:00")
    known = town.orders[town.orders["placed_at"] <= moment].copy()
    known.loc[known["cancelled_at"] > moment, "cancelled_at"] = pd.NaT
    pd.testing.assert_frame_equal(book(town, moment), book(town, moment, orders=known))


def test_row_order_changes_nothing(town, at):
    """Lines in any order, e.g. with late arrivals of earlier moments, give the same book."""
    shuffled = town.orders.sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(book(town, at("19:00")), book(town, at("19:00"), orders=shuffled))


def test_ordered_without_forecast_is_a_labelled_row(town, at):
    """A SKU nobody forecast but somebody ordered stays, at every level, and says so."""
    known = Forecast.check(town.forecast[town.forecast["sku_id"] != "s0"])
    now = book(town, at("18:00"), forecast=known)
    alone = now[now["sku_id"] == "s0"]
    whole = book(town, at("18:00"))
    assert alone["source"].str.startswith("fallback").all()
    assert set(alone["level"]) == {"community", "warehouse", "area"}
    assert alone["confirmed"].sum() == whole.loc[whole["sku_id"] == "s0", "confirmed"].sum()
    assert (alone["remaining_mean"] > 0).all()


def test_before_the_first_order_the_book_is_the_forecast(town, at):
    """With no order yet, the final mean is the forecast mean."""
    now = book(town, at("00:00"))
    both = now.merge(town.forecast, on=["delivery_date", "level", "place_id", "sku_id"], suffixes=("", "_forecast"))
    assert (now["confirmed"] == 0).all()
    np.testing.assert_allclose(both["final_mean"], both["mean"], rtol=2e-3)


def test_cold_start_is_labelled(town, at):
    """Without a model the book still answers, evenly spread orders assumed, and every row says so."""
    now = book(town, at("18:00"), model=None)
    assert now["source"].str.startswith("fallback").all()
    empty = book(town, at("18:00"), model=None, forecast=Forecast.empty())
    assert empty["source"].str.startswith("fallback").all()
    assert (empty["final_mean"] > empty["confirmed"]).all()


def test_no_forecast_and_no_orders_is_an_empty_day(town, at):
    """Neither forecast nor orders: a clear error, not an empty table."""
    with pytest.raises(EmptyInputError, match="no book"):
        book(town, at("18:00"), forecast=Forecast.empty(), orders=town.orders.iloc[:0])


def test_one_level_alone(town, at):
    """A forecast of warehouses only gives a book of warehouses only, confirmed from the communities' orders."""
    only = Forecast.check(town.forecast[town.forecast["level"] == "warehouse"])
    now, whole = book(town, at("18:00"), forecast=only), book(town, at("18:00"))
    assert set(now["level"]) == {"warehouse"}
    assert now["confirmed"].sum() == whole.loc[whole["level"] == "warehouse", "confirmed"].sum()


def test_model_pickles_and_ignores_open_dates(town, at):
    """The model survives pickling, and a date whose cutoff has not passed teaches it nothing."""
    again = pickle.loads(pickle.dumps(town.model))
    pd.testing.assert_frame_equal(book(town, at("18:00")), book(town, at("18:00"), model=again))
    early, known = (
        fit_curve(
            orders,
            skus=town.skus,
            settings=BookSettings(curve_days=20),
            city=CitySettings(),
            communities=town.communities,
            as_of=at("12:00"),
        )
        for orders in (town.orders, town.past)
    )
    np.testing.assert_array_equal(
        early.session("23:00-1")[0].shares.by_weekday, known.session("23:00-1")[0].shares.by_weekday
    )
