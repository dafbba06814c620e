"""A picture of the night's sorting: load and people per wave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

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
