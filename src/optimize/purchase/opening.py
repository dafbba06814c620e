"""Which offers can still be ordered at a moment, on which terms, and what reaches the warehouse in time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.clock import clock_instant
from contracts.errors import first_keys
from contracts.settings import CitySettings
from contracts.world import Reference
from optimize.purchase.demand import Floats
from optimize.purchase.groups import revealed_share

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
    has_lane, has_zone = timed["arrives"].notna(), _has_zone(timed, zones)
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


def deliverable(timed: pd.DataFrame, zones: pd.DataFrame) -> pd.DataFrame:
    """Return the offers with a lane to the warehouse and a zone there, open or not."""
    return timed[timed["arrives"].notna() & _has_zone(timed, zones)]


def _has_zone(timed: pd.DataFrame, zones: pd.DataFrame) -> np.ndarray:
    pairs = pd.MultiIndex.from_frame(zones[["warehouse_id", "temperature_zone"]])
    return np.asarray(pd.MultiIndex.from_frame(timed[["warehouse_id", "temperature_zone"]]).isin(pairs), dtype=bool)


def late_slots(timed: pd.DataFrame, *, as_of: pd.Timestamp) -> pd.Series:
    """Return per (warehouse_id, sku_id) the last moment an order still helps: after it no supplier can."""
    last = timed["latest"].where(timed["late_price_yuan"].notna(), timed[["latest", "deadline"]].min(axis=1))
    usable = timed.assign(last=last)[last >= as_of]
    return usable.groupby(["warehouse_id", "sku_id"])["last"].max()


def later_steps(
    timed: pd.DataFrame,
    cells: pd.DataFrame,
    *,
    as_of: pd.Timestamp,
    cutoff: pd.Timestamp,
    ask_again: bool,
) -> tuple[Floats, Floats]:
    """Return the steps of the marginal cost of a missing unit per cell (see `Recourse`).

    Offers are those of `deliverable`. At the cutoff everything is known. An offer that is open on normal terms now, has
    a late price and can still arrive when ordered then covers shortage at ``(late price + freight per unit) / fill
    rate`` up to ``late_max_cases`` (absent: ``max_cases``). After the cutoff nothing is left to wait for.

    With `ask_again` the last moment at which an offer can still be ordered on normal terms counts as well: the demand
    shown by then - a share of the orders to come, see `revealed_share` - can be covered at its list price, up to
    ``max_cases``. That share is taken as the chance that all is known by then, so the cost of a missing unit is a mean
    of two rising functions and stays convex.
    """
    penalty = cells["penalty_yuan"].to_numpy(np.float64)
    cell_of = pd.Series(np.arange(len(cells)), index=pd.MultiIndex.from_frame(cells[["warehouse_id", "sku_id"]]))
    cell = cell_of.reindex(pd.MultiIndex.from_frame(timed[["warehouse_id", "sku_id"]])).to_numpy()
    known = timed.assign(cell=cell)[~np.isnan(cell)].astype({"cell": np.int64})
    open_now = known[known["deadline"].ge(as_of) & known["latest"].ge(as_of) & (as_of < cutoff)]
    late = open_now[open_now["late_price_yuan"].notna() & (open_now["latest"] >= cutoff)]
    late = _sources(late, late["late_price_yuan"], late["late_max_cases"].fillna(late["max_cases"].astype(np.float64)))
    if not ask_again:
        return _stairs(late, penalty)
    moment = open_now[["deadline", "latest"]].min(axis=1).clip(upper=cutoff)
    last = moment.groupby(open_now["cell"]).transform("max")
    again = open_now[(moment == last) & (moment > as_of)]
    seen = np.zeros(len(cells))
    seen[again["cell"]] = [revealed_share(m, as_of=as_of, cutoff=cutoff) for m in last[again.index]]
    again = _sources(again, again["unit_price_yuan"], again["max_cases"].astype(np.float64))
    starts, steps = _stairs(late, penalty)
    known_starts, known_steps = _stairs(pd.concat([late, again]), penalty)
    mixed = [(1.0 - seen)[:, None] * steps, seen[:, None] * known_steps]
    return np.hstack([starts, known_starts]), np.hstack(mixed)


def _sources(offers: pd.DataFrame, unit_yuan: pd.Series, most_cases: pd.Series) -> pd.DataFrame:
    """Return what each offer can bring later: ``cell, supplier_id, yuan`` per unit received, ``units``."""
    freight = offers["yuan_per_kg"] * offers["weight_kg"]
    return offers[["cell", "supplier_id"]].assign(
        yuan=(unit_yuan + freight) / offers["fill_rate"], units=most_cases * offers["case_units"] * offers["fill_rate"]
    )


def _stairs(sources: pd.DataFrame, penalty: Floats) -> tuple[Floats, Floats]:
    """Return starts and rises of the marginal cost of a missing unit: cheapest source first, penalty last."""
    used = sources[(sources["yuan"] < penalty[sources["cell"]]) & (sources["units"] > 0)]
    used = used.sort_values(["cell", "yuan", "supplier_id"], kind="stable")
    rank = used.groupby("cell").cumcount().to_numpy()
    steps = 1 + (int(rank.max()) + 1 if len(used) else 0)
    limits = np.zeros((len(penalty), steps))
    price = np.tile(penalty[:, None], (1, steps))
    limits[used["cell"], rank] = used["units"]
    price[used["cell"], rank] = used["yuan"]
    starts = np.hstack([np.zeros((len(penalty), 1)), np.cumsum(limits, axis=1)[:, :-1]])
    return starts, np.diff(price, axis=1, prepend=0.0)
