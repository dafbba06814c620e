"""Sold-out days: sales are a lower bound of demand, so the models must not learn the stock-out as a quiet day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecast.panel import Panel
from forecast.windows import Windows

RECALL_DAYS = 28


def recovered(panel: Panel) -> Panel:
    """Return the panel with each censored quantity raised to what the series usually sells when it is not sold out.

    The usual level is the mean of the uncensored days among the last `RECALL_DAYS` days **before** the day, so the
    figure of a day never reads a later one. A censored day that sold more than usual keeps its sales: they happened.
    """
    if not panel.censored.any():
        return panel
    open_days = Windows(np.where(panel.censored, np.nan, panel.quantity).astype(np.float32))
    quantity = panel.quantity.copy()
    for day in np.flatnonzero(panel.censored.any(axis=1)):
        cut = panel.censored[day]
        usual = open_days.mean(int(day) - 1, RECALL_DAYS)
        known = cut & ~np.isnan(usual)
        quantity[day, known] = np.maximum(quantity[day, known], usual[known])
    return replace(panel, quantity=quantity)


def in_whole_units(panel: Panel) -> bool:
    """Return whether every quantity is a whole number: parcels, not kilograms."""
    known = panel.quantity[~np.isnan(panel.quantity)]
    return bool((known == np.round(known)).all())
