from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.flow import OrderLines
from contracts.reference import Listings
from forecast import Context, Panel, build_history, open_share
from forecast.censoring import recovered
from simulate import build_world

DAY = pd.Timestamp("2026-03-03")


def test_the_share_is_that_of_the_units_placed_before_the_moment(context):
    """Ten units spread over the evening, sold out after seven of them: seven tenths."""
    cutoff = pd.Timestamp("2026-03-02 15:00", tz="UTC")
    placed = [cutoff - pd.Timedelta(minutes=60 * (10 - hour)) for hour in range(10)]
    lines = pd.DataFrame({"placed_at": placed}).assign(
        order_id=[f"O{i}" for i in range(10)],
        line_no=1,
        delivery_date=DAY,
        community_id="C00",
        sku_id="S00",
        quantity=1.0,
        unit_price_yuan=1.0,
    )
    listed = pd.DataFrame({"delivery_date": DAY, "area_id": ["A0", "A0"], "sku_id": ["S00", "S01"]})
    moment = pd.Series([pd.NaT, placed[6] + pd.Timedelta(minutes=1)])
    offer = Listings.check(listed.assign(price_yuan=1.0, list_price_yuan=1.0, sold_out_at=moment))
    share = open_share(OrderLines.check(lines), offer, context.communities)
    assert share["sku_id"].tolist() == ["S01"]
    assert share["open_share"].tolist() == [0.7]


def test_a_day_open_half_is_about_doubled_and_a_day_hardly_open_falls_back_on_the_usual(context, history):
    """Sales stay; the closed rest of the day sells at a rate between sales over share and the usual level."""
    panel = Panel.from_history(history, context)
    censored = np.zeros_like(panel.censored)
    censored[40, :2] = True
    quantity = panel.quantity.copy()
    quantity[12:40, :2] = 10.0
    quantity[40, 0], quantity[40, 1] = 20.0, 0.0
    cut = Panel(panel.days, panel.series, quantity, censored, panel.price, panel.list_price)
    place = panel.series.loc[:1, ["area_id", "sku_id"]].reset_index(drop=True)
    told = place.assign(delivery_date=panel.days[40], open_share=[0.5, 0.05])
    mended = recovered(cut, Context(context.skus, context.communities, open_share=told)).quantity[40]
    assert mended[0] == pytest.approx(20 + 0.5 * (20 + 2) / (0.5 + 2 / 10), rel=1e-6)
    assert mended[1] == pytest.approx(0 + 0.95 * 2 / (0.05 + 2 / 10), rel=1e-6)


@pytest.mark.slow
def test_recovery_takes_away_most_of_the_bias_the_simulator_knows():
    """On a simulated world the sold-out cells' shortfall against true demand shrinks by more than half."""
    world = build_world("town", seed=3)
    reference = world.reference
    history = build_history(world.order_lines, reference.listings, reference.communities)
    share = open_share(world.order_lines, reference.listings, reference.communities)
    context = Context(reference.skus, reference.communities, open_share=share)
    panel = Panel.from_history(history, context)
    day = panel.days.get_indexer(pd.DatetimeIndex(world.true_demand["delivery_date"]))
    column = pd.MultiIndex.from_frame(panel.series[["community_id", "sku_id"]]).get_indexer(
        pd.MultiIndex.from_frame(world.true_demand[["community_id", "sku_id"]])
    )
    truth = np.full(panel.quantity.shape, np.nan)
    inside = (day >= 28) & (day < panel.known) & (column >= 0)
    truth[day[inside], column[inside]] = world.true_demand["units"].to_numpy()[inside]
    cut = panel.censored & np.isfinite(truth) & np.isfinite(panel.quantity)
    before = panel.quantity[cut].sum() / truth[cut].sum() - 1
    after = recovered(panel, context).quantity[cut].sum() / truth[cut].sum() - 1
    assert cut.sum() > 500
    assert before < -0.1
    assert abs(after) < abs(before) / 2
