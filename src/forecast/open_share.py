"""How much of a day's orders a listing could take before it sold out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_instant
from contracts.flow import OrderLines
from contracts.reference import Communities, Listings
from contracts.settings import CitySettings

OPEN_SHARE_COLUMNS = ("delivery_date", "area_id", "sku_id", "open_share")
LEAST_SHARE = 0.05
"""A listing open for less than this tells next to nothing; its share counts as this much."""


def open_share(
    order_lines: DataFrame[OrderLines],
    listings: DataFrame[Listings],
    communities: DataFrame[Communities],
    *,
    city: CitySettings | None = None,
) -> pd.DataFrame:
    """Return the usual share of a day's units that is placed before each sold-out moment.

    The usual course of a day is that of the units placed for listings that did not sell out, all goods together:
    minutes before the cutoff against the share already placed.

    Returns
    -------
    DataFrame
        One row per sold-out listing: ``delivery_date, area_id, sku_id, open_share``, the share between `LEAST_SHARE`
        and 1.
    """
    city = city or CitySettings()
    sold_out = listings[listings["sold_out_at"].notna()]
    if not len(sold_out) or not len(order_lines):
        return pd.DataFrame({name: [] for name in OPEN_SHARE_COLUMNS})
    area = order_lines["community_id"].map(communities.set_index("community_id")["area_id"])
    key = ["delivery_date", "area_id", "sku_id"]
    lines = order_lines.assign(area_id=area)[[*key, "placed_at", "quantity"]]
    closed = lines.merge(sold_out[key], on=key, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    usual = lines[~closed] if (~closed).any() else lines
    minutes = _before_cutoff(usual["placed_at"], usual["delivery_date"], city)
    order = np.argsort(-minutes, kind="stable")
    placed = np.cumsum(usual["quantity"].to_numpy(np.float64)[order])
    moment = _before_cutoff(sold_out["sold_out_at"], sold_out["delivery_date"], city)
    position = np.searchsorted(-minutes[order], -moment, side="right")
    share = np.where(position > 0, placed[np.maximum(position - 1, 0)], 0.0) / placed[-1]
    return sold_out[key].assign(open_share=np.clip(share, LEAST_SHARE, 1.0)).reset_index(drop=True)


def _before_cutoff(
    moments: pd.Series, dates: pd.Series, city: CitySettings
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return minutes from each moment to the cutoff of its delivery date."""
    days = dates.drop_duplicates()
    cutoffs = {day: clock_instant(city.cutoff, delivery_date=day, timezone=city.timezone) for day in days}
    left = pd.to_datetime(dates.map(cutoffs), utc=True).to_numpy() - moments.dt.tz_convert("UTC").to_numpy()
    return np.asarray(left / np.timedelta64(1, "s") / 60.0, np.float64)
