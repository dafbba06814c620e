"""Two pictures of a plan: load and people per wave, and the routes on the map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from contracts.world import Reference
from pipeline.plan import NightPlan

ZONE_COLOURS = {"ambient": "#c98a2b", "chilled": "#2f7fb5", "frozen": "#6a4fa3"}


def load_chart(plan: NightPlan, path: Path, *, timezone: str) -> Path:
    """Draw units per wave, stacked by temperature zone, one panel per warehouse; workers stand above the bars."""
    waves = plan.wave_loads.assign(starts_at=plan.wave_loads["starts_at"].dt.tz_convert(timezone))
    warehouses = sorted(waves["warehouse_id"].unique())
    figure = Figure(figsize=(5.5 * max(len(warehouses), 1), 4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, max(len(warehouses), 1), sharey=True))
    for panel, warehouse in zip(panels, warehouses, strict=False):
        own = waves[waves["warehouse_id"] == warehouse]
        hours = sorted(own["starts_at"].unique())
        at = {hour: place for place, hour in enumerate(hours)}
        floor = np.zeros(len(hours))
        for zone, colour in ZONE_COLOURS.items():
            rows = own[own["temperature_zone"] == zone]
            places = [at[hour] for hour in rows["starts_at"]]
            panel.bar(places, rows["units"], bottom=floor[places], color=colour, label=zone)
            np.add.at(floor, places, rows["units"])
        people = own.groupby("starts_at")["workers"].sum()
        for hour, count in people.items():
            panel.text(at[hour], floor[at[hour]], f"{count} people", ha="center", va="bottom", fontsize=8)
        panel.set_xticks(range(len(hours)), [f"{hour:%H:%M}" for hour in hours])
        panel.set_title(f"{warehouse}: units per wave")
        panel.margins(y=0.12)
    if warehouses:
        panels[0].set_ylabel("units")
        panels[-1].legend(frameon=False)
    figure.savefig(path, dpi=110)
    return path


def route_map(plan: NightPlan, reference: Reference, path: Path) -> Path:
    """Draw every trip from its base through its stops and back; unserved communities are crosses."""
    figure = Figure(figsize=(8, 8), layout="constrained")
    panel = figure.subplots()
    places = {
        row.place: (row.longitude, row.latitude)
        for table, key in (("warehouses", "warehouse_id"), ("depots", "depot_id"), ("communities", "community_id"))
        for row in getattr(reference, table).rename(columns={key: "place"}).itertuples()
    }
    stops = plan.route_stops.sort_values(["route_id", "trip", "seq"])
    to = stops["community_id"].fillna(stops["depot_id"])
    for number, (_, trip) in enumerate(stops.assign(to=to).groupby(["route_id", "trip"], sort=True)):
        base = places[trip["base_id"].iloc[0]]
        line = np.array([base, *(places[stop] for stop in trip["to"]), base])
        panel.plot(line[:, 0], line[:, 1], "-", lw=1.1, color=f"C{number % 10}", alpha=0.85)
    served = np.array([places[stop] for stop in to.unique()]).reshape(-1, 2)
    panel.plot(served[:, 0], served[:, 1], "o", ms=3.5, color="#333333", label="served")
    left = np.array([places[stop] for stop in plan.unserved["destination_id"]]).reshape(-1, 2)
    if len(left):
        panel.plot(left[:, 0], left[:, 1], "x", ms=8, color="#c0392b", label="not served")
    bases = np.array([places[base] for base in plan.trips["base_id"].unique()]).reshape(-1, 2)
    panel.plot(bases[:, 0], bases[:, 1], "s", ms=9, color="black", label="base")
    panel.set_aspect(1 / max(np.cos(np.radians(panel.get_ylim()[0])), 0.1))
    panel.set_xlabel("degrees east")
    panel.set_ylabel("degrees north")
    panel.legend(frameon=False, loc="best")
    panel.set_title(f"Routes for {plan.summary.delivery_date}: {len(plan.trips)} trips, {len(served)} stops")
    figure.savefig(path, dpi=110)
    return path
