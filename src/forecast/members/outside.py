"""Somebody else's estimate (the marketplace's own 预估销量, a planner's figure), scored and weighed like a member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.context import Context
from forecast.levels import Level
from forecast.members.protocol import Forecasts
from forecast.panel import Panel
from forecast.windows import Windows

_COARSE_TO_FINE = ("warehouse", "area", "community")
"""A finer figure wins over a coarser one for the same goods and day."""
_SHARE_DAYS = 28


@dataclass(frozen=True)
class OutsideEstimate:
    """Units somebody expected, where they were known by the origin; no answer elsewhere.

    Reads ``context.outside``. The origin is the last known delivery date; its orders closed the evening before, so a
    figure counts when it was given on an earlier calendar day. Of several figures for a place the newest known one
    counts. A warehouse's or area's figure is shared among its communities as they sold the SKU in the last four weeks,
    evenly where none did.
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
        told = context.outside.sort_values("known_on", kind="stable")
        windows = Windows(panel.quantity[: max(origins) + 1])
        for name in _COARSE_TO_FINE:
            given = told[told["level"] == name]
            if not len(given):
                continue
            level = Level.of(panel.series, name)
            key = pd.MultiIndex.from_arrays([level.place_id, level.sku_id])
            group = key.get_indexer(pd.MultiIndex.from_frame(given[["place_id", "sku_id"]]))
            row = panel.days.get_indexer(pd.DatetimeIndex(given["delivery_date"]))
            units = given["units"].to_numpy(np.float64)
            for i, origin in enumerate(origins):
                known = (group >= 0) & (given["known_on"] < panel.days[origin]).to_numpy()
                share = _share(windows.mean(origin, _SHARE_DAYS), level)
                for j, horizon in enumerate(horizons):
                    here = known & (row == origin + horizon)
                    figure = np.full(level.size, np.nan)
                    figure[group[here]] = units[here]  # the newest last: it stays
                    parts = figure[level.group] * share
                    out[i, j] = np.where(np.isfinite(parts), parts, out[i, j])
        return out


def _share(mean: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    """Return each series' part of its group's recent sales; even parts where the group sold nothing."""
    sold = np.nan_to_num(mean)
    total = np.bincount(level.group, sold, level.size)[level.group]
    members = np.bincount(level.group, minlength=level.size)[level.group]
    return np.where(total > 0, sold / np.where(total > 0, total, 1.0), 1.0 / members)
