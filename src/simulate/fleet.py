"""Vans at the bases that deliver to communities, and trucks from the warehouses to the depots."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.reference import VehicleTypes
from simulate.supply_settings import FleetSettings
from simulate.volumes import Volumes


def build_fleet(
    volumes: Volumes, *, base_ids: list[str], trunk: dict[str, list[int]], settings: FleetSettings
) -> DataFrame[VehicleTypes]:
    """Return the vehicles: cold vans that go once or twice, plain vans, and trucks where there are depots.

    The vans of a base carry its peak day's kilograms and litres, and its number of stops, with a margin; those that
    carry frozen goods do so alone, since nearly every stop has a frozen box.

    Parameters
    ----------
    trunk : dict
        Warehouse id to the positions of the depots (bases) it feeds; empty without depots.
    """
    size = _size(volumes.stop_kg, volumes.stop_l, settings.van_kg, settings.van_l)
    kg, litres = settings.van_kg[size], settings.van_l[size]
    rows = []
    for b, base_id in enumerate(base_ids):
        loads = max(_peak(volumes.base_kg[:, b]) / kg, _peak(volumes.base_l[:, b]) / litres)
        need = settings.margin * max(loads, volumes.stops[b] / settings.stops_per_trip)
        cold = max(2, int(np.ceil(need)))
        twice = max(1, round(cold * settings.two_trip_share))
        plain = max(1, round(cold * (1 / settings.cold_share - 1)))
        rows += [
            _row(f"{base_id}-cold2", base_id, twice, (kg, litres), settings, cold=True, trips=2),
            _row(f"{base_id}-cold", base_id, max(1, cold - twice), (kg, litres), settings, cold=True),
            _row(f"{base_id}-plain", base_id, plain, (kg, litres), settings, cold=False),
        ]
    for warehouse_id, depots in trunk.items():
        load = volumes.base_kg[:, depots], volumes.base_l[:, depots]
        heaviest = [max(_peak(part[:, i]) for i in range(len(depots))) * settings.margin for part in load]
        box = _size(heaviest[0], heaviest[1], settings.truck_kg, settings.truck_l)
        capacity = settings.truck_kg[box], settings.truck_l[box]
        need = max(_peak(part.sum(axis=1)) / most for part, most in zip(load, capacity, strict=True))
        count = max(2, int(np.ceil(settings.margin * need)))
        rows.append(
            _row(f"{warehouse_id}-truck", warehouse_id, count, capacity, settings, cold=True, trips=2, truck=True)
        )
    return VehicleTypes.check(pd.DataFrame(rows))


def _peak(nights: np.ndarray) -> float:
    """Return the 99 % night: one freak order of a long history does not size the fleet."""
    return float(np.quantile(nights, 0.99))


def _size(kg: float, litres: float, all_kg: tuple[float, ...], all_l: tuple[float, ...]) -> int:
    """Return the smallest vehicle that carries a load, or the largest there is."""
    fits = [
        i for i, pair in enumerate(zip(all_kg, all_l, strict=True)) if kg * 1.2 <= pair[0] and litres * 1.2 <= pair[1]
    ]
    return fits[0] if fits else len(all_kg) - 1


def _row(
    name: str,
    base_id: str,
    count: int,
    capacity: tuple[float, float],
    settings: FleetSettings,
    *,
    cold: bool,
    trips: int = 1,
    truck: bool = False,
) -> dict[str, object]:
    factor = 2.5 if truck else 1.0
    shift = settings.truck_shift if truck else settings.shift
    return {
        "vehicle_type_id": name,
        "base_id": base_id,
        "count": count,
        "capacity_kg": capacity[0],
        "capacity_l": capacity[1],
        "carries_chilled": cold,
        "carries_frozen": cold,
        "fixed_yuan": settings.fixed_yuan[int(cold)] * factor,
        "yuan_per_km": settings.yuan_per_km[int(cold)] * factor,
        "yuan_per_hour": settings.yuan_per_hour,
        "shift_start": shift[0],
        "shift_end": shift[1],
        "max_trips": trips,
    }
