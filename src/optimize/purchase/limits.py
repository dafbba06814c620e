"""Limits that tie SKUs together - suppliers, rebates, trucks, zones - and locked lines that break them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.errors import first_keys
from contracts.world import Reference
from optimize.purchase.rows import rows_of

SLACK = 1e-6
"""Units, kilograms or yuan a limit may be passed by: float noise of sums."""


def supplier_table(reference: Reference, locked: pd.DataFrame) -> pd.DataFrame:
    """Return suppliers sorted by id with what is locked at them."""
    spent = locked.groupby("supplier_id")["amount_yuan"].sum()
    table = reference.suppliers.sort_values("supplier_id", ignore_index=True)
    return pd.DataFrame(
        {
            "supplier_id": table["supplier_id"],
            "order_cost_yuan": table["order_cost_yuan"],
            "min_order_yuan": table["min_order_yuan"],
            "locked_yuan": spent.reindex(table["supplier_id"], fill_value=0.0).to_numpy(np.float64),
            "has_locked": table["supplier_id"].isin(locked["supplier_id"]).to_numpy(bool),
        }
    )


def rebate_tiers(reference: Reference, suppliers: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the rebate levels per supplier, the first being its minimum order with no rebate.

    The best rate among the thresholds reached holds, so a higher threshold with a lower rate changes nothing.
    """
    given = reference.spend_rebates
    own = pd.Index(suppliers["supplier_id"]).get_indexer(pd.Index(given["supplier_id"]))
    floor = suppliers["min_order_yuan"].to_numpy(np.float64)
    rebates = pd.DataFrame(
        {
            "supplier": own,
            "from_yuan": np.maximum(given["from_yuan"].to_numpy(np.float64), floor[own]),
            "rebate_rate": given["rebate_rate"].to_numpy(np.float64),
        }
    )
    first = pd.DataFrame({"supplier": np.arange(len(suppliers)), "from_yuan": floor, "rebate_rate": 0.0})
    tiers = pd.concat([first, rebates]).sort_values(["supplier", "from_yuan", "rebate_rate"], ignore_index=True)
    best = tiers.groupby("supplier")["rebate_rate"].cummax()
    falls = tiers["rebate_rate"] < best
    idle = falls | (tiers.duplicated(["supplier", "rebate_rate"]) & (best == tiers["rebate_rate"]))
    told = []
    if falls.any():
        names = suppliers["supplier_id"].iloc[tiers.loc[falls, "supplier"].unique()]
        told.append(f"Rebates that fall at a higher spend are not used, the best reached holds: {first_keys(names)}.")
    return tiers[~idle].reset_index(drop=True), told


def lane_table(reference: Reference, locked: pd.DataFrame) -> pd.DataFrame:
    """Return lanes sorted by key with the weight and per-kg freight of locked lines."""
    key = ["supplier_id", "warehouse_id"]
    weight = reference.skus.set_index("sku_id")["weight_kg"]
    kg = (
        locked.assign(kg=locked["units"] * weight.reindex(locked["sku_id"]).to_numpy(np.float64))
        .groupby(key)["kg"]
        .sum()
    )
    table = reference.lanes.sort_values(key, ignore_index=True)
    sent = kg.reindex(pd.MultiIndex.from_frame(table[key]), fill_value=0.0).to_numpy(np.float64)
    by_truck = table["truck_capacity_kg"].notna()
    return pd.DataFrame(
        {
            "supplier_id": table["supplier_id"],
            "warehouse_id": table["warehouse_id"],
            "truck_capacity_kg": table["truck_capacity_kg"].where(by_truck, np.inf),
            "truck_yuan": table["truck_yuan"].fillna(0.0).where(by_truck, 0.0),
            "locked_kg": sent,
            "locked_freight_yuan": sent * table["yuan_per_kg"],
        }
    )


def zone_table(reference: Reference, locked: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return inbound capacity per warehouse and zone with what already takes of it: goods due in and locked lines."""
    key = ["warehouse_id", "temperature_zone"]
    taken = cells.assign(taken=cells["due_in"] + cells["locked_units"], temperature_zone=cells["zone"])
    used = taken.groupby(key)[["taken", "locked_units"]].sum()
    table = reference.warehouse_zones.sort_values(key, ignore_index=True)
    here = used.reindex(pd.MultiIndex.from_frame(table[key]), fill_value=0.0)
    return pd.DataFrame(
        {
            "warehouse_id": table["warehouse_id"],
            "temperature_zone": table["temperature_zone"],
            "capacity_units": table["inbound_capacity_units"],
            "taken_units": here["taken"].to_numpy(np.float64),
            "locked_units": here["locked_units"].to_numpy(np.float64),
        }
    )


def impossible_locks(
    suppliers: pd.DataFrame,
    offers: pd.DataFrame,
    bands: pd.DataFrame,
    zones: pd.DataFrame,
    *,
    budget_yuan: float | None,
) -> list[str]:
    """Return why locked lines leave no allowed plan, in business words; empty when one exists."""
    told = []
    over = zones[zones["locked_units"] > zones["capacity_units"] + SLACK]
    for row in rows_of(over):
        told.append(
            f"Locked lines bring {row.locked_units:.0f} units into the {row.temperature_zone} zone of "
            f"{row.warehouse_id!r}, which can receive {row.capacity_units:.0f}: unlock "
            f"{row.locked_units - row.capacity_units:.0f} units or raise its inbound capacity."
        )
    spent = float(suppliers["locked_yuan"].sum())
    if budget_yuan is not None and spent > budget_yuan + SLACK:
        told.append(
            f"Locked lines cost {spent:.2f} yuan, the budget is {budget_yuan:.2f}: unlock lines for "
            f"{spent - budget_yuan:.2f} yuan or raise the budget."
        )
    dearest = bands.assign(yuan=bands["fixed_yuan"] + bands["yuan_per_case"] * bands["to_cases"])
    top = dearest.groupby("offer")["yuan"].max().reindex(range(len(offers)), fill_value=0.0)
    reach = np.bincount(offers["supplier"], weights=top.to_numpy(), minlength=len(suppliers))
    short = suppliers["min_order_yuan"] - suppliers["locked_yuan"] - reach
    for row in rows_of(suppliers[suppliers["has_locked"] & (short > SLACK)]):
        told.append(
            f"Supplier {row.supplier_id!r} asks for {row.min_order_yuan:.2f} yuan, {row.locked_yuan:.2f} are locked "
            f"and its open offers add at most {reach[row.Index]:.2f}: unlock its lines or lower its minimum order."
        )
    return told


def unmet_minimums(suppliers: pd.DataFrame, spend: np.ndarray) -> list[str]:
    """Return suppliers with locked lines that a plan leaves below their minimum order, in business words."""
    short = suppliers["min_order_yuan"].to_numpy(np.float64) - spend
    return [
        f"Supplier {row.supplier_id!r} has locked lines but stays {short[row.Index]:.2f} yuan below its minimum order "
        f"of {row.min_order_yuan:.2f}, and no plan found within the other limits reaches it: unlock its "
        f"lines, lower its minimum order or widen its offers."
        for row in rows_of(suppliers[suppliers["has_locked"] & (short > 0.005)])
    ]
