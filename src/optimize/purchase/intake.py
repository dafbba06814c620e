"""From reference data and the order book to a purchase problem: what is needed, what can be bought, what is fixed."""

from __future__ import annotations

import logging
import time
from datetime import date

import numpy as np
import pandas as pd

from contracts.clock import clock_instant
from contracts.errors import EmptyInputError, UnknownReferenceError, first_keys
from contracts.flow import OrderBook
from contracts.planned import PurchaseLines
from contracts.settings import CitySettings, PurchaseSettings
from contracts.world import Reference
from optimize.purchase.bands import price_bands
from optimize.purchase.cells import demand_cells, lock_stock
from optimize.purchase.changes import charge_changes, planned_before
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Demand, Recourse
from optimize.purchase.limits import impossible_locks, lane_table, rebate_tiers, supplier_table, zone_table
from optimize.purchase.opening import OFFER_KEY, late_recourse, late_slots, open_offers, timed_offers

_log = logging.getLogger(__name__)


def purchase_data(
    reference: Reference,
    book: pd.DataFrame,
    *,
    delivery_date: date | pd.Timestamp,
    as_of: pd.Timestamp,
    city: CitySettings,
    locked: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
    settings: PurchaseSettings | None = None,
) -> PurchaseData:
    """Return the purchase problem of a night as of a moment.

    Parameters
    ----------
    reference : Reference
        Offers, suppliers, lanes, zones, stock.
    book : DataFrame[OrderBook]
        Its warehouse rows of `delivery_date` are the demand.
    as_of : Timestamp
        Moment of the decision; decides which offers are open and on which terms (see `open_offers`).
    locked : DataFrame[PurchaseLines], optional
        Lines already sent or fixed: their units are supply, their amounts cost and count towards rebates, minimum
        order, shares and capacity. They are never undone; more can be ordered on top.
    previous : DataFrame[PurchaseLines], optional
        Lines of the plan before. Given, every line that differs from it costs `settings.change_yuan`, so that only
        changes worth their trouble are made.

    Raises
    ------
    EmptyInputError
        The book has no warehouse row for the delivery date.
    UnknownReferenceError
        A book row or a locked line names a SKU, warehouse or supplier that does not exist.
    """
    started = time.perf_counter()
    settings = settings or PurchaseSettings()
    day = pd.Timestamp(delivery_date).normalize()
    rows = _book_rows(book, reference, day)
    fixed = PurchaseLines.empty() if locked is None else PurchaseLines.check(locked)
    _check_known(fixed, reference)
    cutoff = clock_instant(city.cutoff, delivery_date=day, timezone=city.timezone)
    timed = timed_offers(reference, delivery_date=day, city=city)
    fixed = fixed.sort_values(["warehouse_id", "sku_id", "supplier_id"], kind="stable", ignore_index=True)
    cells, told = demand_cells(rows, reference, fixed, delivery_date=day, settings=settings)
    slots = late_slots(timed, as_of=as_of)
    cell_keys = pd.MultiIndex.from_frame(cells[["warehouse_id", "sku_id"]])
    cells = cells.assign(late_slot=slots.reindex(cell_keys).to_numpy())
    warnings = list(told)
    opened, told = open_offers(timed, reference.warehouse_zones, as_of=as_of)
    warnings += told
    cell_of = pd.Series(np.arange(len(cells)), index=cell_keys)
    opened = opened.assign(
        cell=cell_of.reindex(pd.MultiIndex.from_frame(opened[["warehouse_id", "sku_id"]])).to_numpy()
    )
    opened = opened[opened["cell"].notna()].astype({"cell": np.int64}).reset_index(drop=True)
    opened = lock_stock(opened, fixed)
    before = None if previous is None else PurchaseLines.check(previous)
    opened = opened.assign(previous_cases=planned_before(opened, before))
    bands, told = price_bands(opened, reference.price_breaks)
    bands = charge_changes(bands, opened, change_yuan=settings.change_yuan)
    warnings += told
    suppliers = supplier_table(reference, fixed)
    lanes = lane_table(reference, fixed)
    zones = zone_table(reference, fixed, cells)
    offers, told = _positions(opened, bands, cells, suppliers, lanes, zones, fixed, settings)
    warnings += told
    tiers, told = rebate_tiers(reference, suppliers)
    starts, steps = late_recourse(timed, cells, as_of=as_of, cutoff=cutoff)
    salvage, more = _capped_salvage(cells, steps)
    warnings += told + more + _unsupplied(cells, offers)
    data = PurchaseData(
        delivery_date=day,
        as_of=as_of,
        city=city,
        settings=settings,
        reference=reference,
        book=rows,
        cells=cells.assign(salvage_yuan=salvage),
        offers=offers,
        bands=bands,
        suppliers=suppliers,
        tiers=tiers,
        lanes=lanes,
        zones=zones,
        recourse=Recourse(Demand.from_book(cells), starts, steps, salvage),
        locked=fixed,
        previous=before,
        impossible=tuple(impossible_locks(suppliers, offers, bands, tiers, zones)),
        warnings=tuple(warnings),
    )
    seconds = time.perf_counter() - started
    _log.info(
        "purchase data: %d book rows in, %d cells, %d offers, %.2f s", len(rows), len(cells), len(offers), seconds
    )
    return data


def _book_rows(book: pd.DataFrame, reference: Reference, day: pd.Timestamp) -> pd.DataFrame:
    of_day = (book["delivery_date"] == day) & (book["level"] == "warehouse")
    if not of_day.any():
        raise EmptyInputError(
            f"The order book has no warehouse row for {day.date()}: nothing to buy for. "
            f"It holds {first_keys(sorted({str(d.date()) for d in book['delivery_date'].unique()}))}."
        )
    rows = OrderBook.check(book[of_day])
    for column, known, target in (
        ("sku_id", reference.skus["sku_id"], "skus"),
        ("place_id", reference.warehouses["warehouse_id"], "warehouses"),
    ):
        unknown = sorted(set(rows[column]) - set(known))
        if unknown:
            raise UnknownReferenceError("order_book", column, target, unknown)
    return rows.sort_values(["place_id", "sku_id"], ignore_index=True)


def _check_known(fixed: pd.DataFrame, reference: Reference) -> None:
    for column, known, target in (
        ("sku_id", reference.skus["sku_id"], "skus"),
        ("warehouse_id", reference.warehouses["warehouse_id"], "warehouses"),
        ("supplier_id", reference.suppliers["supplier_id"], "suppliers"),
    ):
        unknown = sorted(set(fixed[column]) - set(known))
        if unknown:
            raise UnknownReferenceError("locked purchase lines", column, target, unknown)


def _positions(
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


def _capped_salvage(cells: pd.DataFrame, steps: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the salvage, at most what a missing unit costs: else a plan would buy to throw away."""
    salvage = cells["salvage_yuan"].to_numpy(np.float64)
    above = salvage > steps[:, 0]
    told = []
    if above.any():
        names = cells.loc[above, ["sku_id", "warehouse_id"]].agg(" at ".join, axis=1)
        told.append(
            f"{int(above.sum())} SKUs bring more left over than they cost when missing; their salvage is taken as the "
            f"cost of a missing unit: {first_keys(names)}."
        )
    return np.minimum(salvage, steps[:, 0]), told


def _unsupplied(cells: pd.DataFrame, offers: pd.DataFrame) -> list[str]:
    served = np.zeros(len(cells), dtype=bool)
    served[offers.loc[offers["max_cases"] > 0, "cell"]] = True
    needs = (cells["q50"] > cells["available"] + cells["locked_received"]).to_numpy() & ~served
    if not needs.any():
        return []
    names = cells.loc[needs, ["sku_id", "warehouse_id"]].agg(" at ".join, axis=1)
    units = (cells["final_mean"] - cells["available"] - cells["locked_received"])[needs].sum()
    return [
        f"{int(needs.sum())} SKUs are needed ({units:.0f} units expected) and no supplier can deliver them now; "
        f"their shortage is counted: {first_keys(names)}."
    ]
