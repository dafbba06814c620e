"""Categories: what each place will want of each kind of goods, in sums that agree with the SKUs to the last unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.columns import LEVELS, QUANTILE_COLUMNS, QUANTILES
from contracts.errors import InputError
from contracts.flow import CategoryForecast, Forecast
from contracts.reference import Skus
from forecast.levels import LEVEL_COLUMN
from forecast.model import DemandModel

CATEGORY_LEVELS: dict[str, tuple[str, ...]] = {
    f"{name}_category": (LEVEL_COLUMN[name], "category_id") for name in LEVELS
}
"""Place x category sums that get a spread of their own, by the series columns they keep."""
_KEY = ["delivery_date", "level", "place_id", "category_id", "issued_at"]


def by_category(
    model: DemandModel, forecast: DataFrame[Forecast], skus: DataFrame[Skus]
) -> DataFrame[CategoryForecast]:
    """Return the forecast summed to place x category.

    Means are the sums of the SKU rows of the same level; quantiles come from the errors of those sums on the rolling
    origins, never from the SKUs' quantiles. A sum of fallbacks only says so in `source`.

    Raises
    ------
    InputError
        A SKU of the forecast is not among `skus`, or the model has no rolling origins to take the sums' errors from.
    """
    category = forecast["sku_id"].map(skus.set_index("sku_id")["category_id"])
    if category.isna().any():
        unknown = sorted(forecast.loc[category.isna(), "sku_id"].unique())
        raise InputError(f"{len(unknown)} SKUs of the forecast have no category, e.g. {unknown[:5]}: give their Skus.")
    missing = sorted({f"{name}_category" for name in forecast["level"].unique()} - set(model.spreads))
    if missing:
        raise InputError(
            f"The model knows no spread of {', '.join(missing)}: {model.fallback or 'it was trained by older code'}. "
            "Train again on a longer history."
        )
    table = forecast.assign(category_id=category, plain=~forecast["source"].str.startswith("fallback"))
    groups = table.groupby(_KEY, sort=True)
    out = groups.agg(mean=("mean", "sum"), plain=("plain", "any"), first=("source", "first")).reset_index()
    lead = _lead_days(model, out)
    quantiles = np.empty((len(out), len(QUANTILES)))
    for name in out["level"].unique():
        here = (out["level"] == name).to_numpy()
        mean = out.loc[here, "mean"].to_numpy()
        quantiles[here] = model.spreads[f"{name}_category"].quantiles(mean, lead[here], QUANTILES)
    out[list(QUANTILE_COLUMNS)] = quantiles
    out["source"] = out["first"].where(~out["plain"], "sum of SKUs")
    return CategoryForecast.check(out[list(CategoryForecast.column_names())])


def _lead_days(model: DemandModel, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return days from the last delivery date whose orders had closed at `issued_at`."""
    out = np.empty(len(rows), np.int64)
    for moment in rows["issued_at"].drop_duplicates():
        here = np.flatnonzero(rows["issued_at"] == moment)
        day = moment.tz_convert(model.city.timezone).tz_localize(None).normalize() + pd.Timedelta(days=2)
        while clock_instant(model.city.cutoff, delivery_date=day, timezone=model.city.timezone) > moment:
            day -= pd.Timedelta(days=1)
        out[here] = (rows["delivery_date"].iloc[here] - day).dt.days
    return np.maximum(out, 1)
