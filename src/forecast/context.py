"""What is known besides sales: goods, places, what will be on sale, the calendar."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import UnknownReferenceError
from contracts.flow import OutsideEstimates
from contracts.reference import Calendar, Communities, Listings, Skus


def _nothing(*columns: str) -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in columns})


@dataclass(frozen=True)
class Context:
    """Reference data a forecast may lean on.

    Attributes
    ----------
    listings : DataFrame[Listings]
        Past and planned listings; of planned days only that a SKU is on sale and at what price is read, never
        `sold_out_at`.
    area_events : DataFrame
        Optional local events, columns ``day``, ``area_id``, ``event``: each event name is one yes/no feature of the
        area on the day (a market day, a benefit pay day, a local promotion).
    open_share : DataFrame
        Optional, from `open_share`: the share of a day's orders that could come before a listing sold out.
    outside : DataFrame[OutsideEstimates]
        Optional estimates of others, see `OutsideEstimate`.
    """

    skus: DataFrame[Skus]
    communities: DataFrame[Communities]
    listings: DataFrame[Listings] = field(default_factory=Listings.empty)
    calendar: DataFrame[Calendar] = field(default_factory=Calendar.empty)
    area_events: pd.DataFrame = field(default_factory=lambda: _nothing("day", "area_id", "event"))
    open_share: pd.DataFrame = field(
        default_factory=lambda: _nothing("delivery_date", "area_id", "sku_id", "open_share")
    )
    outside: DataFrame[OutsideEstimates] = field(default_factory=OutsideEstimates.empty)

    def places(self, community_ids: pd.Series, sku_ids: pd.Series) -> pd.DataFrame:
        """Return the attributes of series: area, warehouse and category beside community and SKU.

        Raises
        ------
        UnknownReferenceError
            A community or SKU that the reference data do not know.
        """
        where = self.communities.set_index("community_id")
        what = self.skus.set_index("sku_id")
        for column, ids, known in (("community_id", community_ids, where), ("sku_id", sku_ids, what)):
            unknown = sorted(set(ids.unique()) - set(known.index))
            if unknown:
                raise UnknownReferenceError("history", column, column.removesuffix("_id"), unknown)
        return pd.DataFrame(
            {
                "community_id": community_ids.to_numpy(),
                "sku_id": sku_ids.to_numpy(),
                "area_id": community_ids.map(where["area_id"]).to_numpy(),
                "warehouse_id": community_ids.map(where["warehouse_id"]).to_numpy(),
                "category_id": sku_ids.map(what["category_id"]).to_numpy(),
            }
        ).astype("str")
