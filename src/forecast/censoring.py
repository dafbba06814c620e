"""Sold-out days: sales are a lower bound of demand, so the models must not learn the stock-out as a quiet day.

Demand of a sold-out day is what was sold and what the closed rest of it would have taken. The day's rate is estimated
as gamma-Poisson: before the day the series is expected to sell its usual level ``u``, with the weight of `CAUTION`
units; then ``q`` units were sold while a share ``s`` of the day's orders could come, so the rate of a whole day is
``r = (q + c) / (s + c / u)`` and the demand ``q + (1 - s) r``. Where the share is not known the usual level is the
estimate. Sales are never lowered.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.context import Context
from forecast.panel import Matrix, Panel
from forecast.windows import Windows

RECALL_DAYS = 28
CAUTION = 2.0


def recovered(panel: Panel, context: Context | None = None) -> Panel:
    """Return the panel with each censored quantity raised to the demand estimated for the whole day.

    The usual level is the mean of the uncensored days among the last `RECALL_DAYS` days **before** the day, so the
    figure of a day never reads a later one. A censored day without such days keeps its sales.
    """
    if not panel.censored.any():
        return panel
    open_days = Windows(np.where(panel.censored, np.nan, panel.quantity).astype(np.float32))
    share = _shares(panel, context)
    quantity = panel.quantity.copy()
    for day in np.flatnonzero(panel.censored.any(axis=1)):
        cut = panel.censored[day]
        usual = open_days.mean(int(day) - 1, RECALL_DAYS)
        known = cut & (usual > 0)
        sold = quantity[day]
        rate = (sold + CAUTION) / (share[day] + CAUTION / np.where(known, usual, 1.0))
        estimate = np.where(np.isnan(share[day]), usual, sold + (1.0 - share[day]) * rate)
        quantity[day, known] = np.maximum(sold[known], estimate[known])
    return replace(panel, quantity=quantity)


def _shares(panel: Panel, context: Context | None) -> Matrix:
    """Return the share of each day's orders that could come, NaN where nobody knows."""
    share = np.full(panel.quantity.shape, np.nan, np.float32)
    if context is None or not len(context.open_share):
        return share
    table = context.open_share
    row = panel.days[: panel.known].get_indexer(pd.DatetimeIndex(table["delivery_date"]))
    places = panel.series.groupby(["area_id", "sku_id"], sort=False).indices
    for day, area, sku, value in zip(row, table["area_id"], table["sku_id"], table["open_share"], strict=True):
        if day >= 0:
            share[day, places.get((area, sku), [])] = value
    return share


def in_whole_units(panel: Panel) -> bool:
    """Return whether every quantity is a whole number: parcels, not kilograms."""
    known = panel.quantity[~np.isnan(panel.quantity)]
    return bool((known == np.round(known)).all())
