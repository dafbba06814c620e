"""Somebody else's estimate (the marketplace's own 预估销量, a planner's figure), scored and weighed like a member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.context import Context
from forecast.members.protocol import Forecasts
from forecast.panel import Panel


@dataclass(frozen=True)
class OutsideEstimate:
    """Units somebody expected, where they were known by the origin; no answer elsewhere.

    Reads ``context.outside``: ``delivery_date, community_id, sku_id, units, known_on`` - the last known delivery date
    when the figure was given. Of several figures for a cell the newest known one counts.
    """

    @property
    def name(self) -> str:
        """Return ``outside_estimate``."""
        return "outside_estimate"

    def fit(self, panel: Panel, context: Context) -> OutsideEstimate:
        """Return self: there is nothing to learn."""
        return self

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return the figures that were known at each origin."""
        out = np.full((len(origins), len(horizons), panel.width), np.nan, np.float32)
        table = context.outside.sort_values("known_on", kind="stable")
        key = pd.MultiIndex.from_frame(panel.series[["community_id", "sku_id"]])
        column = key.get_indexer(pd.MultiIndex.from_frame(table[["community_id", "sku_id"]]))
        row = panel.days.get_indexer(pd.DatetimeIndex(table["delivery_date"]))
        known_on = table["known_on"].to_numpy("datetime64[D]")
        units = table["units"].to_numpy(np.float32)
        for i, origin in enumerate(origins):
            told = (column >= 0) & (known_on <= panel.days[origin].to_datetime64().astype("datetime64[D]"))
            for j, horizon in enumerate(horizons):
                here = told & (row == origin + horizon)
                out[i, j, column[here]] = units[here]
        return out
