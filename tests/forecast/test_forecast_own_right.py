"""Sums forecast in their own right know nothing of what was never in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from contracts.reference import Communities, Listings
from forecast import Panel, predict, train
from forecast.calm import Calm
from forecast.levels import Level
from forecast.own_right import drawn_to_sums, unremembered, whole_sums


def panel_of(first: list[int], days: int = 30) -> Panel:
    """Series of one unit a day from a first day on."""
    quantity = np.full((days, len(first)), np.nan, np.float32)
    for place, day in enumerate(first):
        quantity[day:, place] = 1.0
    names = pd.DataFrame({"community_id": [f"C{i}" for i in range(len(first))]})
    series = names.assign(sku_id="S", area_id="A", warehouse_id="W", category_id="K").astype("str")
    none = np.full_like(quantity, np.nan)
    dates = pd.date_range("2026-03-02", periods=days, unit="us")
    return Panel(dates, series, quantity, np.zeros(quantity.shape, bool), none, none)


def test_what_joined_later_is_taken_in_within_a_fortnight():
    """There from the beginning: known. Joined a week ago: half. Never on sale: not at all."""
    unknown = unremembered(panel_of([0, 23, 16, 30]), [29])
    np.testing.assert_allclose(unknown, [[0.0, 0.5, 0.0, 1.0]])


def test_a_newcomer_does_not_press_down_the_others():
    """The sum says 20 for two grown parts of ten; a third part of ten is new: nobody changes."""
    panel = panel_of([0, 0, 30])
    level = Level.by(panel.series, ("area_id", "category_id"), name="area_category")
    parts, listed = np.full((1, 3), 10.0, np.float32), np.ones((1, 3), np.bool_)
    own = whole_sums(np.array([[20.0]]), level, parts, unremembered(panel, [29]), listed)
    assert own.tolist() == [[30.0]]
    np.testing.assert_allclose(drawn_to_sums(parts, {"own": (level, own, 0.75)}, listed), parts)
    off_sale = np.array([[True, True, False]])
    assert whole_sums(np.array([[20.0]]), level, parts, unremembered(panel, [29]), off_sale).tolist() == [[20.0]]


@pytest.mark.parametrize("worth", [0.25, 1.0])
def test_grown_parts_are_drawn_to_their_sum(worth):
    """The sum says 24 where the parts say 20: they come to meet it by its worth."""
    panel = panel_of([0, 0])
    level = Level.by(panel.series, ("area_id", "category_id"), name="area_category")
    parts = np.full((1, 2), 10.0, np.float32)
    moved = drawn_to_sums(parts, {"own": (level, np.array([[24.0]]), worth)})
    assert moved.sum() == pytest.approx(20.0 + 4.0 * worth)


def test_known_communities_keep_their_forecast_when_others_join(make_history, context, settings):
    """Two of six communities are opened tomorrow: the four that were there lose no twentieth of their units."""
    own = settings.model_copy(update={"own_levels": ("area_category",)})
    history = make_history(6, 4, 70)
    grown = history[~history["community_id"].isin(["C04", "C05"])].reset_index(drop=True)
    model = train(grown, skus=context.skus, communities=context.communities, settings=own)
    tomorrow = pd.Timestamp("2026-05-11")
    asked = {"delivery_dates": [tomorrow], "issued_at": pd.Timestamp("2026-05-10T15:00:00Z"), "levels": ["community"]}
    rows = [(tomorrow, area, f"S{i:02d}", 5.0, 5.0, pd.NaT) for area in ("A0", "A1") for i in range(4)]
    columns = ["delivery_date", "area_id", "sku_id", "price_yuan", "list_price_yuan", "sold_out_at"]
    listings = Listings.check(pd.DataFrame(rows, columns=columns))
    four = Communities.check(context.communities[~context.communities["community_id"].isin(["C04", "C05"])])
    there = {
        name: predict(model, grown, **asked, context=replace(context, communities=places, listings=listings))
        .set_index(["place_id", "sku_id"])["mean"]
        .sort_index()
        for name, places in (("six", context.communities), ("four", four))
    }
    assert len(there["six"]) == 24
    known = there["six"].reindex(there["four"].index)
    assert known.sum() == pytest.approx(there["four"].sum(), rel=0.05)


def test_an_outside_figure_of_a_promoted_day_is_read_as_what_it_says(context):
    """Where a promotion doubles sales, 20 units expected are a calm ten - and twenty again in the answer."""
    panel = panel_of([0, 0])
    factor = np.array([2.0, 1.0])

    class Doubled(Calm):
        def at(self, row: int) -> np.ndarray:
            return factor

    calm = Doubled(panel, np.zeros(30, np.bool_), None, ())  # type: ignore[arg-type]
    told = {"outside_estimate": np.full((1, 1, 2), 20.0, np.float32), "global": np.full((1, 1, 2), 7.0, np.float32)}
    answers = calm.answers(told, [28], [1])
    assert answers["outside_estimate"].tolist() == [[[10.0, 20.0]]]
    assert answers["global"].tolist() == [[[7.0, 7.0]]]
