from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.errors import InputError
from contracts.reference import Skus
from forecast import by_category, predict, stand_in


@pytest.fixture(scope="module")
def forecast(trained, history):
    last = history["delivery_date"].max()
    issued = last.tz_localize("Asia/Shanghai").tz_convert("UTC")
    return predict(trained, history, delivery_dates=[last + pd.Timedelta(days=d) for d in (1, 2, 3)], issued_at=issued)


def test_every_level_adds_up_to_the_same_total(forecast, trained, context):
    """Community, warehouse, area and each of them by category give one total per day, to 1e-6."""
    sums = by_category(trained, forecast, context.skus)
    totals = pd.concat([table.groupby(["delivery_date", "level"])["mean"].sum() for table in (forecast, sums)])
    apart = totals.groupby("delivery_date").agg(["min", "max"])
    assert (apart["max"] - apart["min"]).max() < 1e-6
    assert set(sums["level"]) == {"community", "warehouse", "area"}


def test_each_sum_is_that_of_its_skus_and_quantiles_are_its_own(forecast, trained, context):
    """A category's mean is its SKUs' sum; its 95 % quantile lies below the sum of theirs."""
    sums = by_category(trained, forecast, context.skus).set_index(["delivery_date", "level", "place_id", "category_id"])
    kind = forecast["sku_id"].map(context.skus.set_index("sku_id")["category_id"]).rename("category_id")
    parts = forecast.groupby(["delivery_date", "level", "place_id", kind])[["mean", "q95"]].sum()
    assert np.abs(parts["mean"] - sums["mean"].reindex(parts.index)).max() < 1e-6
    assert sums["q95"].sum() < parts["q95"].sum()
    assert (sums["q05"] <= sums["q50"]).all()


def test_unknown_goods_and_a_model_without_origins_are_refused(forecast, trained, context, history):
    """A forecast SKU without category and a stand-in without learned sums raise with what is missing."""
    with pytest.raises(InputError, match="no category"):
        by_category(trained, forecast, Skus.check(context.skus.iloc[1:]))
    plain = stand_in(history, skus=context.skus, communities=context.communities)
    with pytest.raises(InputError, match="no spread of"):
        by_category(plain, forecast, context.skus)
