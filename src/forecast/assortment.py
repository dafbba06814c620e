"""Which communities can order which SKUs on a day ahead: by the listings, or by a stated assumption."""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import DailyDemand
from forecast.context import Context

_PAIR = ["community_id", "sku_id"]


def on_sale_ahead(
    history: DataFrame[DailyDemand], context: Context, *, day: pd.Timestamp, within_days: int
) -> pd.DataFrame:
    """Return ``community_id, sku_id`` pairs on sale on `day`, sorted.

    With listings for the day: every community of the area that is open then. Without any listing for the day: every SKU
    that was on sale in the area during the last `within_days` days of the history. A community is open between its
    `opened_on` and `closed_on`.
    """
    places = context.communities[["community_id", "area_id", "opened_on", "closed_on"]]
    places = places[~((places["opened_on"] > day) | (places["closed_on"] < day))]
    listed: pd.DataFrame = context.listings.loc[context.listings["delivery_date"] == day, ["area_id", "sku_id"]]
    if not len(listed):
        recent = history["delivery_date"] > history["delivery_date"].max() - pd.Timedelta(days=within_days)
        pairs = history.loc[recent, _PAIR].drop_duplicates()
        areas = context.communities.set_index("community_id")["area_id"]
        listed = pd.DataFrame({"area_id": pairs["community_id"].map(areas), "sku_id": pairs["sku_id"]})
    offered = listed.drop_duplicates().merge(places[["community_id", "area_id"]], on="area_id")
    return offered[_PAIR].sort_values(_PAIR, ignore_index=True)
