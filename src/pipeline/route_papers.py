"""A plan's papers for the drivers: run sheets and load lists per base, the routes as a map and as GeoJSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from contracts.errors import InputError
from contracts.planned import Allotments
from contracts.settings import Settings
from contracts.world import Reference
from optimize.routing import RoutingData
from optimize.routing.cages import depot_cages
from optimize.routing.lines import geojson
from optimize.routing.route_map import load_chart_png, route_map_html, route_map_png
from optimize.routing.sheets import load_list, run_sheet
from optimize.sorting.papers import Language
from pipeline import views
from pipeline.filenames import file_names
from pipeline.goods import stop_loads
from pipeline.homes import homes_of
from pipeline.joint import route_input
from pipeline.on_the_road import aboard_stop
from pipeline.plan import NightPlan
from pipeline.run_sheet_pdf import run_sheets_pdf
from pipeline.stages import night_of, routes_of
from store import export_tables


def write_route_papers(
    plan: NightPlan,
    reference: Reference,
    folder: Path,
    *,
    settings: Settings,
    language: Language = "zh",
    costs: bool = True,
) -> list[Path]:
    """Write ``BASE.xlsx`` (trips, run sheet in driving order, load list in loading order), the map and the GeoJSON.

    ``BASE-run-sheets.pdf`` is what the driver and the loader hold in their hands: a page or more of each per trip.

    ``load_chart.png`` shows how full each trip is. With several warehouses ``free_homes.xlsx`` tells what communities
    free to change theirs would save. Without trips nothing is written; without `costs` no yuan.
    """
    if plan.trips.empty:
        return []
    loads = stop_loads(plan.allotments, reference.skus)
    data = _sheet_input(plan, reference, settings)
    routes = routes_of(plan)
    sheet = run_sheet(routes, data, reference=reference, loads=loads)
    cages = depot_cages(routes, data, reference=reference, loads=loads)
    written = []
    for base, name in file_names(sorted(plan.trips["base_id"].unique())).items():
        own = sheet[sheet["base_id"] == base]
        listed = load_list(own, cages[cages["route_id"].isin(own["route_id"])])
        trips, zone = views.trip_view(plan, base), settings.city.timezone
        sheets = {
            "趟次 trips": trips if costs else trips.drop(columns="cost_yuan"),
            "行车单 run sheet": own.drop(columns="base_id"),
            "装车单 load list": listed,
        }
        written.append(export_tables(sheets, folder / f"{name}.xlsx", headers="both", timezone=zone))
        papers = folder / f"{name}-run-sheets.pdf"
        papers.write_bytes(run_sheets_pdf(own, listed, trips, timezone=zone, language=language))
        written.append(papers)
    title = f"{plan.summary.delivery_date}: {len(plan.trips)} trips, {len(plan.route_stops)} stops"
    pages = {
        "routes.geojson": json.dumps(geojson(routes, reference=reference), ensure_ascii=False).encode(),
        "map.html": route_map_html(routes, reference=reference, title=title).encode(),
        "map.png": route_map_png(routes, reference=reference, title=title),
        "load_chart.png": load_chart_png(routes, reference.vehicle_types),
    }
    for name, content in pages.items():
        (folder / name).write_bytes(content)
        written.append(folder / name)
    if len(reference.warehouses) > 1:
        sheets = _homes(plan, reference, settings)
        written.append(export_tables(sheets, folder / "free_homes.xlsx", headers="both"))
    return written


def _sheet_input(plan: NightPlan, reference: Reference, settings: Settings) -> RoutingData:
    """Return the routing input that tells truckloads; whose goods are on trucks that had left, the summary knows."""
    aboard = {aboard_stop(name): names for name, names in plan.summary.aboard.items()}
    gone = plan.allotments["community_id"].isin([name for names in aboard.values() for name in names])
    waiting = plan.allotments if gone.all() else Allotments.check(plan.allotments[~gone])
    return replace(route_input(night_of(plan, reference), waiting, plan.releases, settings), aboard=aboard)


def _homes(plan: NightPlan, reference: Reference, settings: Settings) -> dict[str, pd.DataFrame]:
    """Return the sheets about a free assignment; where there can be none, the reason stands in its place."""
    try:
        homes = homes_of(reference, plan.allotments, settings)
    except InputError as impossible:  # a community no van can serve has no home; the plan lists it as not served
        return {"小结 summary": pd.DataFrame({"finding": [f"No free assignment: {impossible}"]})}
    return {
        "小结 summary": pd.DataFrame({"finding": [homes.sentence]}),
        "社区 homes": homes.homes,
        "负荷 floors": homes.floors,
    }
