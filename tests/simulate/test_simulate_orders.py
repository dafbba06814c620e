"""The order stream: seeded, on the true curve, censored where sold out, with the rhythms it was given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.world import World
from simulate import PRESETS, build_world, planning_date
from simulate.almanac import days_from_new_year
from simulate.arrival import build_arrivals
from simulate.settings import WorldSettings
from simulate.streams import stream


def local(instants: pd.Series) -> pd.Series:
    return instants.dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)


def test_same_seed_same_world(tiny: World, fingerprint) -> None:
    """Every table is the same to the bit; another seed gives another world."""
    assert fingerprint(build_world("tiny")) == fingerprint(tiny)
    assert fingerprint(build_world("tiny", seed=1)) != fingerprint(tiny)


def test_parts_have_streams_of_their_own(tiny: World) -> None:
    """A change of the cancellation rate leaves places, prices and the wanted lines' times alone."""
    settings = PRESETS["tiny"]
    fewer = settings.model_copy(update={"demand": settings.demand.model_copy(update={"cancel_rate": 0.0})})
    other = build_world(fewer)
    pd.testing.assert_frame_equal(other.reference.calendar, tiny.reference.calendar)
    columns = ["delivery_date", "sku_id", "price_yuan"]
    pd.testing.assert_frame_equal(other.reference.listings[columns], tiny.reference.listings[columns])
    assert other.order_lines["cancelled_at"].isna().all()
    assert stream(0, "a").random() != stream(0, "b").random() != stream(1, "a").random()


def test_orders_lie_between_opening_and_cutoff(town: World) -> None:
    """Every line is placed on the day before delivery before 23:00, and cancelled after it was placed, before 23:00."""
    lines = town.order_lines
    order_day = lines["delivery_date"] - pd.Timedelta(days=1)
    placed, cancelled = local(lines["placed_at"]), local(lines["cancelled_at"])
    assert (placed >= order_day).all()
    assert (placed < order_day + pd.Timedelta(hours=23)).all()
    gone = cancelled.notna()
    assert (cancelled[gone] >= placed[gone]).all()
    assert (cancelled[gone] < (order_day + pd.Timedelta(hours=23))[gone]).all()
    assert gone.mean() == pytest.approx(0.03, abs=0.002)


def test_an_order_is_one_household_at_one_moment(town: World) -> None:
    """The lines of an order share community, moment and delivery date, and name each SKU once."""
    lines = town.order_lines
    by_order = lines.groupby("order_id")
    assert (by_order[["community_id", "placed_at", "delivery_date"]].nunique().max() == 1).all()
    assert not lines.duplicated(["order_id", "sku_id"]).any()
    assert 1.5 < len(lines) / by_order.ngroups < 3.0
    assert (by_order["line_no"].max() == by_order.size()).all()


@pytest.mark.parametrize("clock", ["10:00", "12:00", "15:00", "18:00", "20:00", "21:30", "22:30"])
def test_arrivals_follow_the_true_curve(town: World, clock: str) -> None:
    """The share of lines placed by the clock meets the exact curve within 1.5 points, per category within 2.5."""
    lines = town.order_lines.merge(town.reference.skus[["sku_id", "category_id"]], on="sku_id")
    hours, minutes = map(int, clock.split(":"))
    placed = local(lines["placed_at"])
    by_then = (placed - placed.dt.normalize()) <= pd.Timedelta(hours=hours, minutes=minutes)
    lines = lines.assign(by_then=by_then, weekday=placed.dt.day_of_week, minute=hours * 60 + minutes)
    true = lines.merge(town.arrival_curve, on=["weekday", "category_id", "minute"], how="left")
    off = true["by_then"].astype(float) - true["share"]
    assert abs(off.mean()) < 0.015
    assert off.groupby(true["category_id"]).mean().abs().max() < 0.025


def test_the_curve_rises_from_zero_to_one(town: World) -> None:
    """Each curve starts at 0, never falls, and is 1 from the cutoff on; about a third is placed by 18:00."""
    for _, curve in town.arrival_curve.groupby(["weekday", "category_id"]):
        share = curve.set_index("minute")["share"]
        assert (share[0], share[1380], share[1440]) == (0.0, 1.0, 1.0)
        assert (np.diff(share) >= -1e-12).all()
        assert 0.25 < share[1080] < 0.45


def test_day_weights_average_to_the_curve() -> None:
    """A shift of the early share and its opposite cancel out exactly, so the curve is exact in expectation."""
    settings = WorldSettings()
    arrivals = build_arrivals(settings.arrivals, settings.categories, settings.city)
    up, down = arrivals.day_weights(3, 0.25), arrivals.day_weights(3, -0.25)
    np.testing.assert_allclose((up + down) / 2, arrivals.weights[3])
    np.testing.assert_allclose(up.sum(axis=1), 1.0)
    assert (up >= 0).all()


def test_sales_are_demand_unless_sold_out(town: World) -> None:
    """Net sales equal the true units where the listing stayed open, and never exceed them."""
    lines = town.order_lines[town.order_lines["cancelled_at"].isna()]
    key = ["delivery_date", "community_id", "sku_id"]
    sold = lines.groupby(key)["quantity"].sum().rename("sold")
    truth = town.true_demand.merge(town.reference.communities[["community_id", "area_id"]], on="community_id")
    truth = truth.merge(town.reference.listings, on=["delivery_date", "area_id", "sku_id"], validate="m:1")
    assert len(truth) == len(town.true_demand)
    truth = truth.join(sold, on=key).fillna({"sold": 0.0})
    assert truth["sold"].sum() == lines["quantity"].sum()
    assert (truth["sold"] <= truth["units"]).all()
    still_open = truth["sold_out_at"].isna()
    assert (truth["sold"] == truth["units"])[still_open].all()
    assert (truth["sold"] < truth["units"])[~still_open].any()


def test_nobody_orders_after_it_sold_out(town: World) -> None:
    """No line of a listing is placed after its sold-out moment, at the price of the listing."""
    lines = town.order_lines.merge(town.reference.communities[["community_id", "area_id"]], on="community_id")
    lines = lines.merge(town.reference.listings, on=["delivery_date", "area_id", "sku_id"], how="left")
    assert lines["price_yuan"].equals(lines["unit_price_yuan"])
    capped = lines.dropna(subset="sold_out_at")
    assert (capped["placed_at"] <= capped["sold_out_at"]).all()
    assert 0.01 < town.reference.listings["sold_out_at"].notna().mean() < 0.04


def test_truth_is_centred_and_days_differ(town: World) -> None:
    """Over the history wanted units meet their mean; a day is well above or below it, and that shows by 18:00."""
    daily = town.true_demand.groupby("delivery_date")[["expected_units", "units"]].sum()
    ratio = daily["units"] / daily["expected_units"]
    assert ratio.mean() == pytest.approx(1.0, abs=0.05)
    assert 0.1 < ratio.std() < 0.3
    lines = town.order_lines
    evening = lines["delivery_date"] - pd.Timedelta(hours=6)
    early = lines[local(lines["placed_at"]) <= evening].groupby("delivery_date")["quantity"].sum()
    assert (early / daily["expected_units"]).corr(ratio) > 0.6


def test_noise_is_wider_than_poisson(town: World) -> None:
    """Cells with a mean of one to three units vary more than Poisson."""
    truth = town.true_demand[town.true_demand["expected_units"].between(1, 3)]
    spread = (truth["units"] - truth["expected_units"]).var() / truth["expected_units"].mean()
    assert spread > 1.5


def test_week_and_new_year_show(town: World) -> None:
    """Saturdays beat Tuesdays; stocking up before Lunar New Year, quiet after it."""
    mean = town.true_demand.groupby("delivery_date")["expected_units"].sum()
    weekday = mean.groupby(mean.index.day_of_week).mean()
    assert weekday[5] > 1.1 * weekday[1]
    gap = pd.Series(days_from_new_year(pd.DatetimeIndex(mean.index)), index=mean.index)
    usual = mean[(gap.abs() > 20)].mean()
    assert mean[gap.between(-5, -2)].mean() > 1.2 * usual
    assert mean[gap.between(1, 3)].mean() < 0.5 * usual
    eve = town.reference.calendar.set_index("day").loc["2026-02-17"]
    assert (bool(eve["is_holiday"]), eve["event"]) == (True, "春节")


def test_promotions_lift_demand(town: World) -> None:
    """Expected units of a SKU x community are higher on promoted days than on its other days."""
    truth = town.true_demand.merge(town.reference.communities[["community_id", "area_id"]], on="community_id")
    truth = truth.merge(town.reference.listings, on=["delivery_date", "area_id", "sku_id"])
    truth["promoted"] = truth["price_yuan"] < 0.93 * truth["list_price_yuan"]
    means = truth.groupby(["promoted", "community_id", "sku_id"])["expected_units"].mean()
    assert (means[True] / means[False]).median() > 1.2


def test_skus_and_leaders_come_and_go(town: World) -> None:
    """Some SKUs are listed late, some end early; communities order only while their leader is with us."""
    listed = town.reference.listings.groupby("sku_id")["delivery_date"].agg(["min", "max"])
    last = planning_date(town)
    assert (listed["min"] > last - pd.Timedelta(days=150)).sum() >= 5
    assert (listed["max"] < last - pd.Timedelta(days=14)).sum() >= 3
    communities = town.reference.communities
    assert communities["opened_on"].notna().sum() >= 3
    lines = town.order_lines.merge(communities[["community_id", "opened_on", "closed_on"]], on="community_id")
    assert not (lines["delivery_date"] < lines["opened_on"]).any()
    assert not (lines["delivery_date"] > lines["closed_on"]).any()
