"""Which communities can order which SKUs on a day ahead: by the listings, or by a stated assumption."""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import DailyDemand
from contracts.reference import Communities, Listings
from forecast.context import Context

ASSUMED = "fallback: no listings, goods on sale of late taken; "
"""Stands before the name of who answered, in the `source` of rows whose area has no listings for the day."""
_PAIR = ["community_id", "sku_id"]


def on_sale_ahead(
    history: DataFrame[DailyDemand], context: Context, *, day: pd.Timestamp, within_days: int
) -> pd.DataFrame:
    """Return ``community_id, sku_id`` pairs on sale on `day`, sorted, and ``assumed``: nobody listed them for the day.

    With listings for the day: every community of the area that is open then. In an area without any listing for the
    day, though others have some or none has: every SKU that was on sale in the area during the last `within_days` days
    of the history, assumed. Listings that name areas without open communities only leave nothing on sale. A city that
    keeps no listings at all has none to miss: what was on sale of late is all it says, and nothing is assumed. A
    community is open between its `opened_on` and `closed_on`.
    """
    places = _open_on(context.communities, day)
    listed: pd.DataFrame = context.listings.loc[context.listings["delivery_date"] == day, ["area_id", "sku_id"]]
    offered = listed.drop_duplicates().assign(assumed=False)
    unlisted = places["area_id"] if listed.empty else pd.Series(unlisted_areas(context.communities, listed, day))
    if len(unlisted):
        recent = history["delivery_date"] > history["delivery_date"].max() - pd.Timedelta(days=within_days)
        pairs = history.loc[recent, _PAIR].drop_duplicates()
        areas = pairs["community_id"].map(context.communities.set_index("community_id")["area_id"])
        late = pd.DataFrame({"area_id": areas, "sku_id": pairs["sku_id"]}).drop_duplicates()
        late = late[late["area_id"].isin(unlisted)].assign(assumed=len(context.listings) > 0)
        offered = pd.concat([offered, late], ignore_index=True)
    found = offered.merge(places, on="area_id")
    return found[[*_PAIR, "assumed"]].sort_values(_PAIR, ignore_index=True)


def unlisted_areas(
    communities: DataFrame[Communities], listings: DataFrame[Listings] | pd.DataFrame, day: pd.Timestamp
) -> list[str]:
    """Return the areas with open communities that the listings of a day leave out, sorted; none where they name none.

    Parameters
    ----------
    listings : DataFrame
        Of the day only; ``area_id`` is read.
    """
    areas = set(_open_on(communities, day)["area_id"])
    named = areas & set(listings["area_id"])
    return sorted(areas - named) if named else []


def _open_on(communities: DataFrame[Communities], day: pd.Timestamp) -> pd.DataFrame:
    closed = (communities["opened_on"] > day) | (communities["closed_on"] < day)
    return communities.loc[~closed, ["community_id", "area_id"]]
