"""A world younger than the warm-up: the book answers with additive pickup and counts' spread instead of failing."""

from __future__ import annotations

import pandas as pd

from contracts.flow import OrderLines
from contracts.settings import BookSettings, CitySettings
from contracts.world import World
from forecast.book import fit_curve


def test_seven_days_of_orders_are_enough_for_a_book(tiny: World) -> None:
    """Seven delivery dates, fourteen of warm-up: every level is learned without pace, none raises."""
    days = sorted(tiny.order_lines["delivery_date"].unique())
    few = OrderLines.check(tiny.order_lines[tiny.order_lines["delivery_date"].isin(pd.DatetimeIndex(days[-7:]))])
    assert len(days[-7:]) < BookSettings().warm_days
    model = fit_curve(
        few,
        skus=tiny.reference.skus,
        settings=BookSettings(),
        city=CitySettings(),
        communities=tiny.reference.communities,
    )
    assert not model.is_cold
