from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.errors import EmptyInputError, InputError, UnknownReferenceError
from contracts.flow import DailyDemand
from contracts.reference import Listings
from forecast import Context, Panel
from forecast.censoring import in_whole_units, recovered


def test_panel_holds_what_the_history_holds(history, context):
    """Sum, series and days survive the change of form; a removed row is NaN, not zero."""
    panel = Panel.from_history(DailyDemand.check(history.drop(index=5)), context)
    assert panel.quantity.shape == (70, 24)
    assert np.nansum(panel.quantity) == history.drop(index=5)["quantity"].sum()
    assert np.isnan(panel.quantity).sum() == 1


def test_planned_prices_reach_the_days_ahead(history, context):
    """A listing after the history gives price and list price of its area's series on its day."""
    day = history["delivery_date"].max() + pd.Timedelta(days=1)
    plan = Listings.check(
        pd.DataFrame(
            {"delivery_date": [day], "area_id": ["A1"], "sku_id": ["S02"], "price_yuan": 3.0, "list_price_yuan": 6.0}
        )
    )
    panel = Panel.from_history(history, Context(context.skus, context.communities, plan), days_ahead=1)
    here = (panel.series["area_id"] == "A1") & (panel.series["sku_id"] == "S02")
    assert (panel.price[70, here.to_numpy()] == 3.0).all()
    assert (panel.list_price[70, here.to_numpy()] == 6.0).all()
    assert np.isnan(panel.price[70, ~here.to_numpy()]).all()


@pytest.mark.parametrize("value", [-1.0, np.inf, np.nan])
def test_a_quantity_that_is_none_is_refused(history, context, value):
    """Negative, infinite and missing quantities never enter a model."""
    bad = history.copy()
    bad.loc[3, "quantity"] = value
    with pytest.raises(InputError, match="negative or not finite"):
        Panel.from_history(bad, context)


def test_a_day_that_comes_twice_is_refused(history, context):
    """A duplicate key raises instead of one row swallowing the other."""
    with pytest.raises(InputError, match="repeat"):
        Panel.from_history(pd.concat([history, history.head(2)], ignore_index=True), context)


def test_unknown_sku_and_empty_history_are_named(history, context):
    """An id nobody knows and a history without rows raise their own errors."""
    with pytest.raises(UnknownReferenceError, match="S77"):
        Panel.from_history(history.assign(sku_id="S77").drop_duplicates(["delivery_date", "community_id"]), context)
    with pytest.raises(EmptyInputError):
        Panel.from_history(DailyDemand.empty(), context)


def test_censored_days_are_raised_to_the_usual_level_from_the_past_only(history, context):
    """A sold-out day reads the mean of the uncensored days before it; one that sold more keeps its sales."""
    panel = Panel.from_history(history, context)
    censored = np.zeros_like(panel.censored)
    censored[40, 3] = censored[41, 4] = True
    quantity = panel.quantity.copy()
    quantity[40, 3], quantity[41, 4] = 0.0, 500.0
    cut = Panel(panel.days, panel.series, quantity, censored, panel.price, panel.list_price)
    mended = recovered(cut)
    assert mended.quantity[40, 3] == pytest.approx(quantity[12:40, 3].mean(), rel=1e-6)
    assert mended.quantity[41, 4] == 500.0
    assert (mended.quantity != cut.quantity).sum() == 1
    assert in_whole_units(panel)
    assert not in_whole_units(mended)
