"""What a purchase is decided from: validated tables with positions instead of names, made by `purchase_data`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.planned import PurchaseLines
from contracts.settings import CitySettings, PurchaseSettings
from contracts.world import Reference
from optimize.purchase.demand import Demand, Floats, Ints
from optimize.purchase.groups import Groups
from optimize.purchase.recourse import Recourse

__all__ = ["PurchaseData"]


@dataclass(frozen=True)
class PurchaseData:
    """One night's purchase problem. Integer columns are row positions in the other tables.

    Attributes
    ----------
    cells : DataFrame
        One row per SKU x warehouse with demand or supply, sorted by warehouse and SKU: ``warehouse_id, sku_id, zone,
        confirmed, final_mean, q05..q99, available, usual_yuan, salvage_yuan, penalty_yuan, weight_kg, locked_units,
        locked_received, late_slot``.
    offers : DataFrame
        Offers that can still be ordered, sorted by cell and supplier: ``supplier_id, sku_id, warehouse_id, cell,
        supplier, lane, zone, case_units, max_share, locked_cases, late, received_per_case, kg_per_case,
        freight_yuan_per_case, max_cases,
        previous_cases``. Cases decided here come on top of ``locked_cases``.
    bands : DataFrame
        What n additional cases of an offer cost: ``offer, from_cases, to_cases, fixed_yuan, yuan_per_case,
        side_yuan``; inside a band goods cost ``fixed_yuan + yuan_per_case * n``, and the price of changing the line is
        ``side_yuan``. Quantities in no band cannot be bought.
    suppliers : DataFrame
        ``supplier_id, order_cost_yuan, min_order_yuan, locked_yuan, has_locked``.
    tiers : DataFrame
        Rebate levels: ``supplier, from_yuan, rebate_rate``; every supplier has one level of rate zero (from its minimum
        order on), rates rise along the levels.
    lanes : DataFrame
        ``supplier_id, warehouse_id, truck_capacity_kg (inf: freight is per kg only), truck_yuan, locked_kg,
        locked_freight_yuan``.
    zones : DataFrame
        ``warehouse_id, temperature_zone, capacity_units, taken_units`` (due in and locked).
    recourse : Recourse
        Expected cost of what a quantity leaves missing or over, per cell.
    asking_again : Recourse
        The same if what is missing at the last normal deadline is ordered then (see `later_steps`).
    groups : Groups
        Campaigns with a threshold: which go, and the outcomes in which they ask for nothing.
    locked : DataFrame[PurchaseLines]
        Lines already sent or fixed.
    previous : DataFrame[PurchaseLines], optional
        Lines of the plan before, where changes to it are priced.
    reference, book : tables
        As given; `check` recomputes prices and limits from them.
    impossible : tuple of str
        Why no plan can satisfy the input, in business words; empty if one can.
    warnings : tuple of str
    """

    delivery_date: pd.Timestamp
    as_of: pd.Timestamp
    city: CitySettings
    settings: PurchaseSettings
    reference: Reference
    book: pd.DataFrame
    cells: pd.DataFrame
    offers: pd.DataFrame
    bands: pd.DataFrame
    suppliers: pd.DataFrame
    tiers: pd.DataFrame
    lanes: pd.DataFrame
    zones: pd.DataFrame
    recourse: Recourse
    asking_again: Recourse
    groups: Groups
    locked: DataFrame[PurchaseLines]
    previous: DataFrame[PurchaseLines] | None
    impossible: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def demand(self) -> Demand:
        """Demand distribution per cell."""
        return self.recourse.demand

    @property
    def base_units(self) -> Floats:
        """Units each cell is expected to have before anything is decided: stock, due in, locked as received."""
        return (self.cells["available"] + self.cells["locked_received"]).to_numpy(np.float64)

    def received(self, cases: Ints) -> Floats:
        """Return the units each cell is expected to have with these additional cases per offer."""
        bought = cases * self.offers["received_per_case"].to_numpy(np.float64)
        return self.base_units + np.bincount(self.offers["cell"], weights=bought, minlength=len(self.cells))

    def goods_yuan(self, cases: Ints) -> Floats:
        """Return the exact (unrounded) goods cost of additional cases per offer; inf where no band holds them."""
        cost = np.where(cases == 0, 0.0, np.inf)
        offer = self.bands["offer"].to_numpy()
        n = cases[offer]
        inside = (n >= self.bands["from_cases"].to_numpy()) & (n <= self.bands["to_cases"].to_numpy()) & (n > 0)
        yuan = self.bands["fixed_yuan"].to_numpy() + self.bands["yuan_per_case"].to_numpy() * n
        cost[offer[inside]] = yuan[inside]
        return cost

    @property
    def budget_left_yuan(self) -> float:
        """Yuan of goods that may still be bought: the budget less locked lines; infinite without a budget."""
        if self.settings.budget_yuan is None:
            return float("inf")
        return max(self.settings.budget_yuan - float(self.suppliers["locked_yuan"].sum()), 0.0)

    @property
    def standing_changes_yuan(self) -> float:
        """Price of dropping every line of the plan before; buying the same quantity takes a line's price back."""
        return self.settings.change_yuan * float((self.offers["previous_cases"] > 0).sum())

    def column(self, table: str, name: str) -> NDArray[np.float64]:
        """Return a column of one of the tables as floats."""
        return np.asarray(getattr(self, table)[name].to_numpy(np.float64))
