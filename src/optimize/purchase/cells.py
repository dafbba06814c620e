"""What is needed and at hand per SKU x warehouse: demand rows, usable stock, locked lines."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.columns import QUANTILE_COLUMNS
from contracts.settings import PurchaseSettings
from contracts.world import Reference
from optimize.purchase.demand import Demand, Floats
from optimize.purchase.opening import OFFER_KEY

_PLACE = ["warehouse_id", "sku_id"]
MEAN_NOTE_SHARE = 0.05
"""Quantiles whose mean is off the book's by more than this share of all demand are mentioned."""


def usable_stock(stock: pd.DataFrame, *, delivery_date: pd.Timestamp) -> pd.DataFrame:
    """Return the lots that can still be delivered: no expiry, or one not before the delivery date."""
    return stock[stock["expires_on"].isna() | (stock["expires_on"] >= delivery_date)]


def demand_cells(
    rows: pd.DataFrame,
    reference: Reference,
    locked: pd.DataFrame,
    *,
    delivery_date: pd.Timestamp,
    settings: PurchaseSettings,
) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per SKU x warehouse that has demand, stock or a locked line, and what to say about them."""
    numbers = ["confirmed", "final_mean", *QUANTILE_COLUMNS]
    wanted = rows.rename(columns={"place_id": "warehouse_id"})[[*_PLACE, *numbers]]
    stock = usable_stock(reference.stock, delivery_date=delivery_date)
    at_hand = stock.groupby(_PLACE)[["on_hand", "due_in"]].sum().reset_index()
    fill = reference.suppliers.set_index("supplier_id")["fill_rate"]
    arriving = locked["units"] * fill.reindex(locked["supplier_id"]).to_numpy(np.float64)
    fixed = locked.assign(received=arriving).groupby(_PLACE)
    sent = fixed.agg(locked_units=("units", "sum"), locked_received=("received", "sum")).reset_index()
    cells = wanted.merge(at_hand, on=_PLACE, how="outer").merge(sent, on=_PLACE, how="outer")
    figures = [*numbers, "on_hand", "due_in", "locked_units", "locked_received"]
    cells = cells.assign(**{name: cells[name].fillna(0.0) for name in figures})
    cells = cells.assign(available=cells["on_hand"] + cells["due_in"])
    cells = cells[(cells["q99"] > 0) | (cells["available"] > 0) | (cells["locked_units"] > 0)]
    skus = reference.skus.rename(columns={"temperature_zone": "zone"})[
        ["sku_id", "category_id", "zone", "weight_kg", "shelf_life_days", "salvage_yuan", "shortage_penalty_yuan"]
    ]
    cells = cells.merge(skus, on="sku_id", how="left").sort_values(_PLACE, ignore_index=True)
    usual = usual_unit_yuan(cells, reference.offers)
    cells = cells.assign(usual_yuan=usual, salvage_yuan=left_over_yuan(cells, usual, settings))
    cells = cells.assign(penalty_yuan=missing_unit_yuan(cells, usual, settings))
    spoiled = reference.stock.drop(stock.index)
    told = []
    if spoiled["on_hand"].sum() + spoiled["due_in"].sum() > 0:
        units = spoiled["on_hand"].sum() + spoiled["due_in"].sum()
        told.append(f"{units:.0f} units in stock expire before the delivery date and are not counted.")
    return cells, told + _mean_note(cells)


def usual_unit_yuan(cells: pd.DataFrame, offers: pd.DataFrame) -> Floats:
    """Return the usual cost of a unit per cell: the cheapest list price at the warehouse, zero where nobody offers it.

    An offer counts whether it is still open or not: the value of a unit does not change with the hour.
    """
    usual = offers.groupby(_PLACE)["unit_price_yuan"].min()
    return np.asarray(usual.reindex(pd.MultiIndex.from_frame(cells[_PLACE])).fillna(0.0), dtype=np.float64)


def missing_unit_yuan(cells: pd.DataFrame, usual: Floats, settings: PurchaseSettings) -> Floats:
    """Return what a unit that is never delivered costs: the SKU's penalty plus the usual cost of a unit.

    The plan's cost counts what is spent, so a unit that is not bought saves its price. The penalty is what is lost
    *beyond* that saving - margin, refund, goodwill - so the usual unit cost comes on top, and the newsvendor's
    underage cost is the penalty itself.

    A category with a service level r pays at least the penalty p under which buying to the chance r is best: with unit
    cost c and salvage s, ``p / (p + c - s) = r`` gives ``p = r (c - s) / (1 - r)``.
    """
    penalty = cells["shortage_penalty_yuan"].to_numpy(np.float64)
    level = cells["category_id"].map(settings.service_levels).to_numpy(np.float64)
    over = np.maximum(usual - cells["salvage_yuan"].to_numpy(np.float64), 0.0)
    asked = np.divide(level * over, 1.0 - level, out=np.zeros_like(over), where=level < 1.0)
    return np.asarray(np.maximum(penalty, np.where(np.isnan(level), 0.0, asked)) + usual, dtype=np.float64)


def left_over_yuan(cells: pd.DataFrame, usual: Floats, settings: PurchaseSettings) -> Floats:
    """Return what a left-over unit still brings: its salvage, or what it saves the next nights if it keeps.

    A SKU with a shelf life of at least `carry_shelf_days` is carried: it saves a share of the usual unit cost and
    costs its holding for the nights it waits. A perishable is written down to its salvage.
    """
    salvage = cells["salvage_yuan"].to_numpy(np.float64)
    if settings.carry_shelf_days is None:
        return salvage
    carried = usual * (settings.carry_share - settings.holding_share_per_night * settings.carry_nights)
    keeps = cells["shelf_life_days"].to_numpy(np.float64) >= settings.carry_shelf_days
    return np.where(keeps, np.maximum(salvage, carried), salvage)


def fill_rates(cells: pd.DataFrame, reference: Reference) -> Floats:
    """Return the mean fill rate of the suppliers that offer each cell, one where nobody does."""
    fill = reference.suppliers.set_index("supplier_id")["fill_rate"]
    offered = reference.offers[_PLACE].assign(fill=fill.reindex(reference.offers["supplier_id"]).to_numpy(np.float64))
    mean = offered.groupby(_PLACE)["fill"].mean()
    return np.asarray(mean.reindex(pd.MultiIndex.from_frame(cells[_PLACE])).fillna(1.0), dtype=np.float64)


def _mean_note(cells: pd.DataFrame) -> list[str]:
    implied, given = Demand.from_book(cells).mean, cells["final_mean"].to_numpy(np.float64)
    off = np.abs(implied - given).sum() / max(given.sum(), 1e-9)
    if off <= MEAN_NOTE_SHARE:
        return []
    worst = int(np.argmax(np.abs(implied - given)))
    return [
        f"The book's quantiles imply {implied.sum():.0f} units, its means {given.sum():.0f} ({off:.0%} apart summed "
        f"over SKUs); quantities follow the quantiles. Most apart: {cells['sku_id'].iloc[worst]!r} at "
        f"{cells['warehouse_id'].iloc[worst]!r}, {implied[worst]:.1f} against {given[worst]:.1f}."
    ]


def lock_stock(opened: pd.DataFrame, locked: pd.DataFrame) -> pd.DataFrame:
    """Return the offers with ``locked_cases``, the cases of the same offer already sent."""
    sent = locked.set_index(OFFER_KEY)["cases"]
    cases = sent.reindex(pd.MultiIndex.from_frame(opened[OFFER_KEY]), fill_value=0)
    return opened.assign(locked_cases=cases.to_numpy(np.int64))
