"""Sorting floors: docks, stations and people of each warehouse and temperature zone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import TEMPERATURE_ZONES
from contracts.reference import WarehouseZones
from simulate.supply_settings import FloorSettings


def build_floors(
    zone_nights: np.ndarray, destinations: np.ndarray, *, warehouse_ids: list[str], settings: FloorSettings
) -> DataFrame[WarehouseZones]:
    """Return the zones of every warehouse, scaled to past nights.

    Parameters
    ----------
    zone_nights : ndarray, shape (D, 3, W)
        Units per night.
    destinations : ndarray, shape (W,)
        Communities each warehouse sorts for.
    """
    busy = np.quantile(zone_nights, settings.inbound_quantile, axis=0)
    peak = np.quantile(zone_nights, 0.99, axis=0)
    rows = []
    for w, warehouse_id in enumerate(warehouse_ids):
        for z, zone in enumerate(TEMPERATURE_ZONES):
            rate = settings.units_per_worker_hour[z]
            people = np.ceil(settings.worker_margin * peak[z, w] / (rate * settings.sorting_hours))
            rows.append(
                {
                    "warehouse_id": warehouse_id,
                    "temperature_zone": zone,
                    "inbound_capacity_units": float(max(50.0, np.ceil(settings.inbound_margin * busy[z, w] / 10) * 10)),
                    "stations": int(
                        max(1, np.ceil(destinations[w] / settings.slot_waves / settings.slots_per_station))
                    ),
                    "slots_per_station": settings.slots_per_station,
                    "units_per_worker_hour": rate,
                    "max_workers": int(max(2, people)),
                    "worker_hour_yuan": settings.worker_hour_yuan,
                    "overtime_hour_yuan": settings.worker_hour_yuan * settings.overtime_factor,
                    "opens_at": settings.opens_at,
                    "closes_at": settings.closes_at,
                }
            )
    return WarehouseZones.check(pd.DataFrame(rows))
