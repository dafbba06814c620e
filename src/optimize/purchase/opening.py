"""Which offers can still be ordered at a moment, on which terms, and what reaches the warehouse in time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.clock import clock_instant
from contracts.errors import first_keys
from contracts.settings import CitySettings
from contracts.world import Reference

OFFER_KEY = ["supplier_id", "sku_id", "warehouse_id"]


def timed_offers(reference: Reference, *, delivery_date: pd.Timestamp, city: CitySettings) -> pd.DataFrame:
    """Return every offer with its SKU, supplier and lane, and the instants that decide when it is open.

    Columns added: ``deadline`` (normal price until then), ``latest`` (an order placed later cannot arrive: the lane's
    arrival minus the supplier's lead time); null where the supplier has no lane to the warehouse.
    """

    def instants(clocks: pd.Series) -> pd.Series:
        known = {
            text: clock_instant(text, delivery_date=delivery_date, timezone=city.timezone) for text in clocks.unique()
        }
        return clocks.map(known).astype("datetime64[us, UTC]")

    suppliers = reference.suppliers.assign(deadline=instants(reference.suppliers["order_deadline"]))
    lanes = reference.lanes.assign(arrives=instants(reference.lanes["arrives_at"]))
    joined = (
        reference.offers.merge(
            reference.skus[["sku_id", "temperature_zone", "weight_kg"]], on="sku_id", how="left", validate="m:1"
        )
        .merge(
            suppliers[["supplier_id", "deadline", "lead_time_hours", "fill_rate", "max_share"]],
            on="supplier_id",
            how="left",
            validate="m:1",
        )
        .merge(
            lanes[["supplier_id", "warehouse_id", "arrives", "yuan_per_kg"]],
            on=["supplier_id", "warehouse_id"],
            how="left",
            validate="m:1",
        )
    )
    lead = pd.to_timedelta(joined["lead_time_hours"] * 3600.0, unit="s").astype("timedelta64[us]")
    return joined.assign(latest=joined["arrives"] - lead).sort_values(
        ["warehouse_id", "sku_id", "supplier_id"], kind="stable", ignore_index=True
    )


def open_offers(timed: pd.DataFrame, zones: pd.DataFrame, *, as_of: pd.Timestamp) -> tuple[pd.DataFrame, list[str]]:
    """Return the offers that can be ordered at `as_of`, with ``late``, and a sentence per group of removed ones.

    Until the supplier's deadline an offer is open on normal terms. After it, at its late price in any number of cases
    up to ``late_max_cases`` (absent: up to ``max_cases``): without price breaks and without a minimum, because the
    late price is what the supplier asks for odd cases. Without a late price it is closed. An offer without a lane,
    without a zone at the warehouse, or whose goods would arrive after the lane has left, is no option.
    """
    pairs = pd.MultiIndex.from_frame(zones[["warehouse_id", "temperature_zone"]])
    has_zone = pd.MultiIndex.from_frame(timed[["warehouse_id", "temperature_zone"]]).isin(pairs)
    has_lane = timed["arrives"].notna()
    arrives = has_lane & (timed["latest"] >= as_of)
    late = timed["deadline"] < as_of
    priced = ~late | timed["late_price_yuan"].notna()
    told = []
    for lost, why in (
        (~has_lane, "have no lane from their supplier to the warehouse"),
        (~has_zone, "are for a temperature zone the warehouse does not have"),
    ):
        if lost.any():
            names = timed.loc[lost, OFFER_KEY].agg(" / ".join, axis=1)
            told.append(f"{int(lost.sum())} offers {why} and are left out: {first_keys(names)}.")
    good = has_lane & has_zone
    for lost, why in (
        (good & priced & ~arrives, "could no longer arrive in time"),
        (good & ~priced, "are past their supplier's deadline and have no late price"),
    ):
        if lost.any():
            told.append(f"{int(lost.sum())} offers {why} and are closed.")
    return timed[good & arrives & priced].assign(late=late), told


def late_slots(timed: pd.DataFrame, *, as_of: pd.Timestamp) -> pd.Series:
    """Return per (warehouse_id, sku_id) the last moment an order still helps: after it no supplier can."""
    last = timed["latest"].where(timed["late_price_yuan"].notna(), timed[["latest", "deadline"]].min(axis=1))
    usable = timed.assign(last=last)[last >= as_of]
    return usable.groupby(["warehouse_id", "sku_id"])["last"].max()


def late_recourse(
    timed: pd.DataFrame, cells: pd.DataFrame, *, as_of: pd.Timestamp, cutoff: pd.Timestamp
) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of the marginal cost of a missing unit per cell (see `Recourse`).

    An offer that is open on normal terms now, has a late price and can still arrive when ordered at the cutoff covers
    shortage at ``(late price + freight per unit) / fill rate`` up to ``late_max_cases`` (absent: ``max_cases``). After
    the cutoff nothing is unknown any more, so nothing is left to wait for.
    """
    penalty = cells["penalty_yuan"].to_numpy(np.float64)
    helps = timed["late_price_yuan"].notna() & (timed["latest"] >= cutoff) & (timed["deadline"] >= as_of)
    cell_of = pd.Series(np.arange(len(cells)), index=pd.MultiIndex.from_frame(cells[["warehouse_id", "sku_id"]]))
    late = timed[helps & (as_of < cutoff)]
    late = late.assign(cell=cell_of.reindex(pd.MultiIndex.from_frame(late[["warehouse_id", "sku_id"]])).to_numpy())
    late = late[late["cell"].notna()].astype({"cell": np.int64})
    most = late["late_max_cases"].fillna(late["max_cases"].astype(np.float64))
    late = late.assign(
        yuan=(late["late_price_yuan"] + late["yuan_per_kg"] * late["weight_kg"]) / late["fill_rate"],
        units=most * late["case_units"] * late["fill_rate"],
    )
    late = late[(late["yuan"] < penalty[late["cell"]]) & (late["units"] > 0)]
    late = late.sort_values(["cell", "yuan", "supplier_id"], kind="stable")
    rank = late.groupby("cell").cumcount().to_numpy()
    steps = 1 + (int(rank.max()) + 1 if len(late) else 0)
    limits = np.zeros((len(cells), steps))
    price = np.tile(penalty[:, None], (1, steps))
    limits[late["cell"], rank] = late["units"]
    price[late["cell"], rank] = late["yuan"]
    starts = np.hstack([np.zeros((len(cells), 1)), np.cumsum(limits, axis=1)[:, :-1]])
    return starts, np.diff(price, axis=1, prepend=0.0)
