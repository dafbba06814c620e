"""Offers with the positions of their cell, supplier, lane and zone, and what is said of cells that cannot be served."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.errors import first_keys
from contracts.settings import PurchaseSettings
from optimize.purchase.demand import Demand, Floats
from optimize.purchase.opening import OFFER_KEY

Flags = NDArray[np.bool_]


def with_positions(
    opened: pd.DataFrame,
    bands: pd.DataFrame,
    cells: pd.DataFrame,
    suppliers: pd.DataFrame,
    lanes: pd.DataFrame,
    zones: pd.DataFrame,
    fixed: pd.DataFrame,
    settings: PurchaseSettings,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the offers with positions and per-case figures, and warnings about shares that cannot hold."""

    def spot(table: pd.DataFrame, keys: list[str], wanted: pd.DataFrame) -> np.ndarray:
        index = pd.MultiIndex.from_frame(table[keys])
        return np.asarray(index.get_indexer(pd.MultiIndex.from_frame(wanted)), dtype=np.int64)

    units = opened["case_units"].to_numpy(np.float64)
    kg = units * opened["weight_kg"].to_numpy(np.float64)
    most = bands.groupby("offer")["to_cases"].max().reindex(range(len(opened)), fill_value=0)
    rivals = pd.concat(
        [opened[OFFER_KEY][(most > 0).to_numpy()], fixed[OFFER_KEY]], ignore_index=True
    ).drop_duplicates()
    crowd = rivals.groupby(["warehouse_id", "sku_id"])["supplier_id"].count()
    here = crowd.reindex(pd.MultiIndex.from_frame(opened[["warehouse_id", "sku_id"]]), fill_value=0).to_numpy()
    share = opened["max_share"].fillna(1.0).to_numpy(np.float64)
    if settings.dual_source_units is not None:
        big = Demand.from_book(cells).mean[opened["cell"]] >= settings.dual_source_units
        share = np.where(big, np.minimum(share, settings.dual_source_share), share)
    alone = (share < 1.0) & (here < 2) & (most > 0).to_numpy()
    told = []
    if alone.any():
        names = opened.loc[alone, OFFER_KEY].agg(" / ".join, axis=1)
        told.append(
            f"{int(alone.sum())} offers are the only one for their SKU, so their supplier's largest share cannot hold "
            f"and is waived: {first_keys(names)}."
        )
    made = opened.assign(
        supplier=spot(suppliers, ["supplier_id"], opened[["supplier_id"]]),
        lane=spot(lanes, ["supplier_id", "warehouse_id"], opened[["supplier_id", "warehouse_id"]]),
        zone=spot(zones, ["warehouse_id", "temperature_zone"], opened[["warehouse_id", "temperature_zone"]]),
        max_share=np.where(alone, 1.0, share),
        received_per_case=units * opened["fill_rate"],
        kg_per_case=kg,
        freight_yuan_per_case=kg * opened["yuan_per_kg"],
        max_cases=most.to_numpy(np.int64),
    )
    return made[
        [
            *OFFER_KEY,
            *("cell", "supplier", "lane", "zone", "case_units", "max_share", "locked_cases", "late"),
            "previous_cases",
            *("received_per_case", "kg_per_case", "freight_yuan_per_case", "max_cases", "deadline", "latest"),
        ]
    ], told


def capped_salvage(cells: pd.DataFrame, first: Floats) -> tuple[Floats, list[str]]:
    """Return the salvage, at most what a missing unit costs: else a plan would buy to throw away."""
    salvage = cells["salvage_yuan"].to_numpy(np.float64)
    above = salvage > first
    told = []
    if above.any():
        names = cells.loc[above, ["sku_id", "warehouse_id"]].agg(" at ".join, axis=1)
        told.append(
            f"{int(above.sum())} SKUs bring more left over than they cost when missing; their salvage is taken as the "
            f"cost of a missing unit: {first_keys(names)}."
        )
    return np.minimum(salvage, first), told


def unsupplied(cells: pd.DataFrame, offers: pd.DataFrame, *, wanted: Flags) -> list[str]:
    """Return a sentence on the wanted SKUs nobody can deliver now, none if there are none."""
    served = np.zeros(len(cells), dtype=bool)
    served[offers.loc[offers["max_cases"] > 0, "cell"]] = True
    needs = wanted & (cells["q50"] > cells["available"] + cells["locked_received"]).to_numpy() & ~served
    if not needs.any():
        return []
    names = cells.loc[needs, ["sku_id", "warehouse_id"]].agg(" at ".join, axis=1)
    units = (cells["final_mean"] - cells["available"] - cells["locked_received"])[needs].sum()
    return [
        f"{int(needs.sum())} SKUs are needed ({units:.0f} units expected) and no supplier can deliver them now; "
        f"their shortage is counted: {first_keys(names)}."
    ]
