"""The papers of one warehouse: what its lead prints and hands out, without anybody else's and without prices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import NotFoundError
from contracts.flow import OrderLines
from contracts.planned import (
    Allotments,
    Arrivals,
    Coverage,
    PurchaseLines,
    Releases,
    RouteStops,
    SortingTasks,
    Trips,
    Unserved,
    WaveLoads,
)
from contracts.reference import Communities, Depots, Warehouses
from contracts.settings import Settings
from contracts.table import Table
from contracts.world import Reference
from pipeline.artefacts import write_sorting_books
from pipeline.papers import PLAIN, PaperWishes, write_papers
from pipeline.plan import NightPlan
from pipeline.route_papers import write_route_papers

T = TypeVar("T", bound=Table)


def write_warehouse_papers(
    plan: NightPlan,
    reference: Reference,
    folder: Path,
    *,
    warehouse_id: str,
    settings: Settings,
    orders: DataFrame[OrderLines] | None = None,
    wishes: PaperWishes = PLAIN,
) -> list[Path]:
    """Write ``sorting/`` and ``routes/`` of one warehouse and its depots, as `write_artefacts` does for all.

    Raises
    ------
    NotFoundError
        There is no such warehouse.
    """
    own, place = of_warehouse(plan, reference, warehouse_id)
    zone = settings.city.timezone
    written = write_sorting_books(own, place, folder / "sorting", timezone=zone)
    written += write_papers(
        own, place, folder / "sorting", timezone=zone, orders=orders, packing=settings.sorting, wishes=wishes
    )
    routes = folder / "routes"
    routes.mkdir(parents=True, exist_ok=True)
    return written + write_route_papers(own, place, routes, settings=settings, language=wishes.language, costs=False)


def of_warehouse(plan: NightPlan, reference: Reference, warehouse_id: str) -> tuple[NightPlan, Reference]:
    """Return a plan and the reference data with one warehouse, its depots and their communities; nothing is bought.

    Raises
    ------
    NotFoundError
        There is no such warehouse.
    """
    warehouses = reference.warehouses
    if warehouse_id not in set(warehouses["warehouse_id"]):
        raise NotFoundError("warehouse", warehouse_id, hint="The reference data name the warehouses.")
    depots = reference.depots[reference.depots["warehouse_id"] == warehouse_id]
    bases = [warehouse_id, *depots["depot_id"]]

    def here(kind: type[T], table: pd.DataFrame, column: str = "warehouse_id") -> DataFrame[T]:
        return kind.check(table[table[column].isin(bases)])

    own = replace(
        plan,
        purchase_lines=PurchaseLines.empty(),
        coverage=Coverage.empty(),
        allotments=here(Allotments, plan.allotments),
        arrivals=here(Arrivals, plan.arrivals),
        sorting_tasks=here(SortingTasks, plan.sorting_tasks),
        wave_loads=here(WaveLoads, plan.wave_loads),
        releases=here(Releases, plan.releases),
        route_stops=here(RouteStops, plan.route_stops, "base_id"),
        trips=here(Trips, plan.trips, "base_id"),
        unserved=here(Unserved, plan.unserved, "base_id"),
    )
    place = replace(
        reference,
        warehouses=here(Warehouses, warehouses),
        depots=here(Depots, depots),
        communities=here(Communities, reference.communities),
    )
    return own, place
