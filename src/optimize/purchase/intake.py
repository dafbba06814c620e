"""From reference data and the order book to a purchase problem: what is needed, what can be bought, what is fixed."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
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
from optimize.purchase.cells import demand_cells, fill_rates, lock_stock
from optimize.purchase.changes import charge_changes, planned_before
from optimize.purchase.data import PurchaseData
from optimize.purchase.demand import Demand
from optimize.purchase.groups import NEVER, group_decisions
from optimize.purchase.limits import impossible_locks, lane_table, rebate_tiers, supplier_table, zone_table
from optimize.purchase.opening import deliverable, late_slots, later_steps, open_offers, timed_offers
from optimize.purchase.positions import capped_salvage, unsupplied, with_positions
from optimize.purchase.recourse import Recourse, fill_outcomes

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
    usable = deliverable(timed, reference.warehouse_zones)
    fixed = fixed.sort_values(["warehouse_id", "sku_id", "supplier_id"], kind="stable", ignore_index=True)
    cells, told = demand_cells(rows, reference, fixed, delivery_date=day, settings=settings)
    slots = late_slots(usable, as_of=as_of)
    cell_keys = pd.MultiIndex.from_frame(cells[["warehouse_id", "sku_id"]])
    cells = cells.assign(late_slot=slots.reindex(cell_keys).to_numpy())
    warnings = list(told)
    opened, told = open_offers(timed, reference.warehouse_zones, as_of=as_of)
    warnings += told
    cell_of = pd.Series(np.arange(len(cells)), index=cell_keys)
    opened = opened.assign(
        cell=cell_of.reindex(pd.MultiIndex.from_frame(opened[["warehouse_id", "sku_id"]])).to_numpy()
    )
    opened = opened[opened["cell"].notna()].astype({"cell": np.int64})
    groups = group_decisions(reference, cells, usable, delivery_date=day, as_of=as_of, city=city)
    opened = opened[groups.level[opened["cell"]] < NEVER].reset_index(drop=True)
    opened = lock_stock(opened, fixed)
    before = None if previous is None else PurchaseLines.check(previous)
    opened = opened.assign(previous_cases=planned_before(opened, before))
    bands, told = price_bands(opened, reference.price_breaks)
    bands = charge_changes(bands, opened, change_yuan=settings.change_yuan)
    warnings += told
    suppliers = supplier_table(reference, fixed)
    lanes = lane_table(reference, fixed)
    zones = zone_table(reference, fixed, cells)
    offers, told = with_positions(opened, bands, cells, suppliers, lanes, zones, fixed, settings)
    warnings += told
    tiers, told = rebate_tiers(reference, suppliers)
    demand = Demand.from_book(cells).nothing_below(groups.level)
    share, chance = fill_outcomes(fill_rates(cells, reference), spread=settings.fill_spread)
    sure, salvage = cells["available"].to_numpy(np.float64), cells["salvage_yuan"].to_numpy(np.float64)
    recourses = []
    for ask_again in (False, True):
        steps = later_steps(usable, cells, as_of=as_of, cutoff=cutoff, ask_again=ask_again)
        recourses.append(Recourse(demand, *steps, salvage, sure, share, chance))
    salvage, more = capped_salvage(cells, np.minimum(*(found.first_step_yuan for found in recourses)))
    now, again = (replace(found, salvage_yuan=salvage) for found in recourses)
    warnings += told + more + unsupplied(cells, offers, wanted=groups.level < NEVER)
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
        recourse=again if settings.ask_again else now,
        asking_again=again,
        groups=groups,
        locked=fixed,
        previous=before,
        impossible=tuple(impossible_locks(suppliers, offers, bands, zones, budget_yuan=settings.budget_yuan)),
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
