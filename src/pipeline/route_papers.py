"""A plan's papers for the drivers: run sheets and load lists per base, the routes as a map and as GeoJSON."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from contracts.settings import Settings
from contracts.world import Reference
from optimize.routing.lines import geojson
from optimize.routing.route_map import load_chart_png, route_map_html, route_map_png
from optimize.routing.sheets import load_list, run_sheet
from pipeline import views
from pipeline.filenames import file_names
from pipeline.goods import stop_loads
from pipeline.homes import homes_of
from pipeline.joint import route_input
from pipeline.plan import NightPlan
from pipeline.replan import CityNight, day_of, routes_of
from store import export_tables


def write_route_papers(plan: NightPlan, reference: Reference, folder: Path, *, settings: Settings) -> list[Path]:
    """Write ``BASE.xlsx`` (trips, run sheet in driving order, load list in loading order), the map and the GeoJSON.

    ``load_chart.png`` shows how full each trip is. With several warehouses ``free_homes.xlsx`` tells what communities
    free to change theirs would save. Without trips nothing is written.
    """
    if plan.trips.empty:
        return []
    loads = stop_loads(plan.allotments, reference.skus)
    data = route_input(CityNight(reference, day_of(plan)), plan.allotments, plan.releases, settings)
    routes = routes_of(plan)
    sheet = run_sheet(routes, data, reference=reference, loads=loads)
    written = []
    for base, name in file_names(sorted(plan.trips["base_id"].unique())).items():
        own = sheet[sheet["base_id"] == base]
        sheets = {
            "趟次 trips": views.trip_view(plan, base),
            "行车单 run sheet": own.drop(columns="base_id"),
            "装车单 load list": load_list(own),
        }
        written.append(export_tables(sheets, folder / f"{name}.xlsx", headers="both", timezone=settings.city.timezone))
    title = f"{plan.summary.delivery_date}: {len(plan.trips)} trips, {len(plan.route_stops)} stops"
    pages = {
        "routes.geojson": json.dumps(geojson(routes, reference=reference), ensure_ascii=False).encode(),
        "map.html": route_map_html(routes, reference=reference, title=title).encode(),
        "map.png": route_map_png(routes, reference=reference, title=title),
        "load_chart.png": load_chart_png(routes, data),
    }
    for name, content in pages.items():
        (folder / name).write_bytes(content)
        written.append(folder / name)
    if len(reference.warehouses) > 1:
        homes = homes_of(reference, plan.allotments, settings)
        sheets = {
            "小结 summary": pd.DataFrame({"finding": [homes.sentence]}),
            "社区 homes": homes.homes,
            "负荷 floors": homes.floors,
        }
        written.append(export_tables(sheets, folder / "free_homes.xlsx", headers="both"))
    return written
