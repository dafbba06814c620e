"""What a plan decides, as the people of the night read it: orders, loads, assignments, routes - and every raw table."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.access import PriceReader, SortingReader
from api.asked import PlanId, Running, TemperatureZone, of_bases, own_bases
from api.paging import TABLE_RESPONSES, Page, list_answer, list_responses, rows_asked, sliced_answer
from api.problems import PROBLEM_RESPONSES
from api.routes.rows_of_plans import (
    CoverageRow,
    LoadRow,
    PurchaseRow,
    SortingRow,
    StopRow,
    SupplierRow,
    TripRow,
    UnservedRow,
)
from contracts.errors import NotFoundError
from pipeline import views
from pipeline.plan import PLAN_TABLES

router = APIRouter(prefix="/v1/plans/{plan_id}", tags=["plan tables"], responses=PROBLEM_RESPONSES)
Warehouse = Annotated[str | None, Query(description="Of one warehouse.", examples=["W1"])]
Zone = Annotated[TemperatureZone | None, Query(description="Of one zone.", examples=["chilled"])]


@router.get("/suppliers", summary="One row per supplier", responses=list_responses(SupplierRow))
def list_suppliers(request: Request, plan_id: PlanId, _holder: PriceReader, service: Running, page: Page) -> Response:
    """Return lines, cases, units and yuan per supplier."""
    frame = views.supplier_view(service.plans.plan(plan_id), service.reference_of(plan_id))
    return list_answer(request, frame, page, name=f"{plan_id}-suppliers")


@router.get("/purchase-orders", summary="Purchase orders", responses=list_responses(PurchaseRow))
def list_purchase_orders(
    request: Request,
    plan_id: PlanId,
    _holder: PriceReader,
    service: Running,
    page: Page,
    supplier_id: Annotated[str | None, Query(description="Of one supplier.", examples=["S1"])] = None,
    warehouse_id: Warehouse = None,
) -> Response:
    """Return what to buy from whom: cases, price and the reason, by supplier, warehouse and arrival."""
    reference = service.reference_of(plan_id)
    frame = service.plans.orders(plan_id, reference, supplier_id=supplier_id, warehouse_id=warehouse_id)
    return list_answer(request, frame, page, name=f"{plan_id}-purchase-orders{_of(supplier_id)}")


@router.get("/coverage", summary="How each SKU and warehouse stands", responses=list_responses(CoverageRow))
def list_coverage(
    request: Request,
    plan_id: PlanId,
    _holder: PriceReader,
    service: Running,
    page: Page,
    warehouse_id: Warehouse = None,
    sku_id: Annotated[str | None, Query(description="Of one SKU.", examples=["K001"])] = None,
) -> Response:
    """Return confirmed and expected demand, what is there and bought, expected shortage and surplus in yuan."""
    frame = service.plans.plan(plan_id).coverage
    for column, wanted in (("warehouse_id", warehouse_id), ("sku_id", sku_id)):
        if wanted is not None:
            frame = frame[frame[column] == wanted]
    return list_answer(request, frame, page, name=f"{plan_id}-coverage")


@router.get("/loads", summary="Load and people per wave", responses=list_responses(LoadRow))
def list_loads(
    request: Request,
    plan_id: PlanId,
    holder: SortingReader,
    service: Running,
    page: Page,
    warehouse_id: Warehouse = None,
    temperature_zone: Zone = None,
) -> Response:
    """Return units and workers per warehouse, zone and wave; a warehouse lead sees the own warehouse."""
    own = holder.own_warehouse(warehouse_id)
    frame = views.load_view(service.plans.plan(plan_id))
    for column, wanted in (("warehouse_id", own), ("temperature_zone", temperature_zone)):
        if wanted is not None:
            frame = frame[frame[column] == wanted]
    return list_answer(request, frame, page, name=f"{plan_id}-loads{_of(own)}")


@router.get("/sorting", summary="Sorting assignments", responses=list_responses(SortingRow))
def list_sorting(
    request: Request,
    plan_id: PlanId,
    holder: SortingReader,
    service: Running,
    page: Page,
    warehouse_id: Warehouse = None,
    temperature_zone: Zone = None,
    wave: Annotated[int | None, Query(description="Of one wave.", ge=1, le=1000)] = None,
    station: Annotated[int | None, Query(description="Of one station.", ge=1, le=100_000)] = None,
) -> Response:
    """Return put-to-store work in the order it is done: wave, station, SKU, slot; a lead sees the own warehouse."""
    own = holder.own_warehouse(warehouse_id)
    part, total = service.plans.sorting(
        plan_id,
        service.reference_of(plan_id),
        rows=slice(page.offset, page.offset + rows_asked(request, page)),
        warehouse_id=own,
        temperature_zone=temperature_zone,
        wave=wave,
        station=station,
    )
    return sliced_answer(request, part, page, total=total, name=f"{plan_id}-sorting{_of(own)}")


@router.get("/routes", summary="Van trips", responses=list_responses(TripRow))
def list_routes(
    request: Request,
    plan_id: PlanId,
    holder: SortingReader,
    service: Running,
    page: Page,
    base_id: Annotated[str | None, Query(description="From one warehouse or depot.", examples=["W1"])] = None,
) -> Response:
    """Return one row per trip: when it leaves and returns, how far, how full, what it costs.

    A warehouse lead sees those from the own warehouse and its depots.
    """
    frame = of_bases(views.trip_view(service.plans.plan(plan_id)), own_bases(service, holder, plan_id, base_id))
    return list_answer(request, frame, page, name=f"{plan_id}-routes{_of(base_id or holder.warehouse_id)}")


@router.get("/stops", summary="Stops in driving order", responses=list_responses(StopRow))
def list_stops(
    request: Request,
    plan_id: PlanId,
    holder: SortingReader,
    service: Running,
    page: Page,
    base_id: Annotated[str | None, Query(description="From one warehouse or depot.", examples=["W1"])] = None,
    route_id: Annotated[str | None, Query(description="Of one route.")] = None,
) -> Response:
    """Return the stops of the routes with arrival, load and lateness; a lead sees those of the own bases."""
    frame = of_bases(
        views.stop_view(service.plans.plan(plan_id), service.reference_of(plan_id)),
        own_bases(service, holder, plan_id, base_id),
    )
    if route_id is not None:
        frame = frame[frame["route_id"] == route_id]
    return list_answer(request, frame, page, name=f"{plan_id}-stops{_of(base_id or holder.warehouse_id)}")


@router.get("/unserved", summary="Stops no van serves", responses=list_responses(UnservedRow))
def list_unserved(request: Request, plan_id: PlanId, holder: SortingReader, service: Running, page: Page) -> Response:
    """Return who is not served, why, and the cheapest change that would serve them; a lead sees the own bases."""
    frame = of_bases(service.plans.plan(plan_id).unserved, own_bases(service, holder, plan_id))
    return list_answer(request, frame, page, name=f"{plan_id}-unserved")


@router.get("/tables", summary="Tables of a plan")
def list_tables(plan_id: PlanId, _holder: PriceReader, service: Running) -> list[str]:
    """Return the names of a plan's tables; their columns are those of docs/data.md."""
    service.store.plan_summary(plan_id)
    return list(PLAN_TABLES)


@router.get("/tables/{table}", summary="A table of a plan as it is kept", responses=TABLE_RESPONSES)
def get_table(
    request: Request,
    plan_id: PlanId,
    table: Annotated[str, Path(description="Name of the table.", examples=["purchase_lines"], pattern=r"^\w{1,40}$")],
    _holder: PriceReader,
    service: Running,
    page: Page,
) -> Response:
    """Return a page of a plan's table with the columns of its contract."""
    if table not in PLAN_TABLES:
        raise NotFoundError("plan table", table, hint=f"There are {', '.join(PLAN_TABLES)}.")
    return list_answer(request, service.plans.table(plan_id, table), page, name=f"{plan_id}-{table}")


def _of(part: str | None) -> str:
    """Return a safe suffix for a file name."""
    return "" if part is None else "-" + "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in part)
