"""Several cutoffs in one city, sessions that open at 14:00, several dates in one stream, nights of a clock change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from contracts.errors import SettingsError, UnknownReferenceError
from contracts.flow import Forecast, OrderLines
from contracts.settings import BookSettings, CitySettings
from forecast.book import DayFacts, Sessions, cold_model, fit_curve, set_aside, update_book

FRESH = CitySettings(cutoff_by_category={"k1": "18:00-1"})
SMALL = BookSettings(curve_days=30, boost_rows=10_000, boost_leaf_rows=100)


@pytest.fixture(scope="module")
def early(town):
    """A model of a city whose category k1 (s0 and s1) closes at 18:00."""
    return fit_curve(town.past, skus=town.skus, settings=SMALL, city=FRESH, communities=town.communities)


def book(town, moment, model, *, city=FRESH, forecast=None, orders=None, facts=None):
    return update_book(
        town.forecast if forecast is None else forecast,
        town.orders if orders is None else orders,
        as_of=moment,
        model=model,
        communities=town.communities,
        city=city,
        facts=facts or DayFacts(skus=town.skus),
    )


def test_each_session_ends_at_its_own_cutoff(town, at, early):
    """From 18:00 on the fresh goods are final while the others go on; before it both are expected."""
    before, after = book(town, at("17:00"), early), book(town, at("18:00"), early)
    fresh = after["sku_id"].isin(["s0", "s1"])
    assert (after.loc[fresh, "q99"] == after.loc[fresh, "confirmed"]).all()
    assert set(after.loc[fresh, "source"]) == {"confirmed at the cutoff"}
    assert (after.loc[~fresh & (after["level"] == "warehouse"), "remaining_mean"] > 0).all()
    assert before.loc[before["level"] == "warehouse", "remaining_mean"].gt(0).all()


def test_curves_are_learned_before_the_own_cutoff(town, early):
    """An hour before its own cutoff each session has most of its day, wherever that hour lies on the clock."""
    for cutoff in ("23:00-1", "18:00-1"):
        lessons, label = early.session(cutoff)
        assert label == ""
        share = lessons.shares.by_weekday[:, -1, :].mean(axis=0)
        assert share[-1] == pytest.approx(1.0)
        assert 0.75 < np.interp(-60.0, -lessons.shares.left, share) < 1.0


def test_lines_after_the_own_cutoff_are_set_aside(town, at, early):
    """A fresh order at 19:00 does not count, an ambient one does; both stay visible."""
    aside = set_aside(town.orders, communities=town.communities, city=FRESH, skus=town.skus)
    assert set(aside["sku_id"]) == {"s0", "s1"}
    late = town.orders[town.orders["delivery_date"] == town.today]
    late = late[late["sku_id"].isin(["s0", "s1"]) & (late["placed_at"] > at("18:00"))]
    assert (aside["delivery_date"] == town.today).sum() == len(late)
    closed, open_city = book(town, at("23:00"), early), book(town, at("23:00"), town.model, city=CitySettings())
    gone = late.loc[late["cancelled_at"].isna(), "quantity"].sum()
    total = [float(b.loc[b["level"] == "warehouse", "confirmed"].sum()) for b in (closed, open_city)]
    assert total[0] == pytest.approx(total[1] - gone)


def test_a_sku_of_its_own_cutoff_wins_over_its_category():
    """A single SKU may stay open longer than its category."""
    sessions = Sessions.of(CitySettings(cutoff_by_category={"k1": "18:00-1"}, cutoff_by_sku={"s1": "21:00-1"}))
    skus = pd.DataFrame({"sku_id": ["s0", "s1", "s2"], "category_id": ["k1", "k1", "k2"]})
    codes = sessions.codes(pd.Index(["s0", "s1", "s2"]), skus)
    assert [sessions.windows[code].cutoff for code in codes] == ["18:00-1", "21:00-1", "23:00-1"]


def test_wrong_cutoffs_are_refused(town, at, early):
    """A cutoff after the city's, one before orders open, and a SKU of no known category are named."""
    with pytest.raises(ValidationError, match="must be the last one"):
        CitySettings(cutoff_by_category={"k1": "23:30-1"})
    with pytest.raises(SettingsError, match="must lie before"):
        Sessions.of(CitySettings(orders_open="14:00-1", cutoff_by_sku={"s0": "13:00-1"}))
    with pytest.raises(UnknownReferenceError, match="s0"):
        book(town, at("12:00"), early, facts=DayFacts())


def test_another_cutoff_than_learned_is_labelled(town, at):
    """A model trained before a cutoff was introduced still answers, and every such row says so."""
    now = book(town, at("12:00"), town.model)
    fresh = now["sku_id"].isin(["s0", "s1"])
    assert now.loc[fresh, "source"].str.startswith("fallback: arrivals learned with the cutoff 23:00-1").all()
    assert not now.loc[~fresh, "source"].str.startswith("fallback").any()


def test_a_session_that_opens_at_14(town, at):
    """With orders from 14:00 on, the curve begins there: nothing at the opening, all of it at the cutoff."""
    city = CitySettings(orders_open="14:00-1")
    opening = town.orders["delivery_date"].map(lambda day: at("14:00", day))
    lines = OrderLines.check(town.orders[town.orders["placed_at"] >= opening])
    past = OrderLines.check(lines[lines["delivery_date"] < town.today])
    model = fit_curve(past, skus=town.skus, settings=SMALL, city=city, communities=town.communities)
    shares = model.session("23:00-1")[0].shares
    assert shares.left[0] == 540.0
    assert shares.at(540.0, 0).max() < 0.02
    now = book(town, at("14:00"), model, city=city, orders=lines)
    rows = now[now["level"] == "warehouse"]
    assert rows["confirmed"].sum() == 0.0
    assert rows["remaining_mean"].sum() == pytest.approx(
        town.forecast.loc[town.forecast["level"] == "warehouse", "mean"].sum(), rel=0.05
    )


def test_two_dates_of_one_stream_stand_apart(town, at, lines_of):
    """Orders for D+1 and D+2 come in one stream; each date counts its own, and the later one is still far open."""
    rng, later = np.random.default_rng(5), town.today + pd.Timedelta(days=1)
    ahead = lines_of(rng, later, 100).assign(placed_at=at("10:00") + pd.to_timedelta(np.arange(100), unit="m"))
    ahead["cancelled_at"] = pd.Series(pd.NaT, index=ahead.index, dtype="datetime64[us, UTC]")
    orders = OrderLines.check(pd.concat([town.orders, ahead], ignore_index=True))
    both = Forecast.check(pd.concat([town.forecast, town.forecast.assign(delivery_date=later)], ignore_index=True))
    now = book(town, at("18:00"), town.model, city=CitySettings(), forecast=both, orders=orders)
    alone = book(town, at("18:00"), town.model, city=CitySettings())
    first, second = (now[now["delivery_date"] == day].reset_index(drop=True) for day in (town.today, later))
    pd.testing.assert_frame_equal(first, alone)
    rows = second[second["level"] == "community"]
    assert rows["confirmed"].sum() == ahead["quantity"].sum()
    assert rows["remaining_mean"].sum() > 0.5 * town.forecast.loc[town.forecast["level"] == "community", "mean"].sum()


def test_curves_reach_back_to_orders_days_ahead(town, at):
    """Where a third is ordered a day earlier, the curve knows it, so that part is not expected again."""
    past = town.past.copy()
    ahead = np.random.default_rng(4).random(len(past)) < 1 / 3
    past.loc[ahead, "placed_at"] -= pd.Timedelta(days=1)
    past.loc[ahead, "cancelled_at"] = pd.NaT
    model = fit_curve(OrderLines.check(past), skus=town.skus, settings=SMALL, city=CitySettings())
    shares = model.session("23:00-1")[0].shares
    assert shares.left[0] > 1380
    assert shares.at(1380.0, 0)[-1] == pytest.approx(1 / 3, abs=0.07)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"], ids=["spring", "autumn"])
def test_nights_of_a_clock_change(town, day):
    """With a cutoff at 02:30 in the very hour that is skipped or repeated, every order up to it counts once."""
    berlin = CitySettings(timezone="Europe/Berlin", cutoff="02:30", orders_open="08:00-1")
    date = pd.Timestamp(day)
    window = Sessions.of(berlin).windows[0]
    cutoff = window.cutoff_at(date)
    steps = pd.to_timedelta([-120, -61, -1, 0, 1, 61], unit="m")
    lines = OrderLines.check(
        town.orders.head(6).assign(
            order_id=[f"o{i}" for i in range(6)],
            placed_at=[cutoff + step for step in steps],
            delivery_date=date,
            cancelled_at=pd.NaT,
            quantity=1.0,
        )
    )
    aside = set_aside(lines, communities=town.communities, city=berlin)
    assert aside["order_id"].tolist() == ["o4", "o5"]
    for minutes, counted, is_open in ((-61, 2, True), (-1, 3, True), (0, 4, False), (61, 4, False)):
        now = update_book(
            Forecast.check(
                town.forecast.assign(delivery_date=date, issued_at=cutoff - pd.Timedelta(days=1)).query(
                    "level == 'warehouse'"
                )
            ),
            lines,
            as_of=cutoff + pd.Timedelta(minutes=minutes),
            model=cold_model(BookSettings(), berlin),
            communities=town.communities,
            city=berlin,
        )
        assert now["confirmed"].sum() == counted
        assert (now["remaining_mean"].sum() > 0) == is_open
