"""The sorting of a city's night at full size: shares, data, waves, stations and the solver-free check.

    python benchmarks/sorting.py --communities 4000 --skus 1500 --warehouses 3 --lines 60 --seeds 0 1 --json FILE

Each community orders `--lines` SKUs of one to four units; goods come in two lots (before midnight and at 01:30), one
SKU in twenty falls short by a fifth; every community has a latest end of its own. Floors have room for 1.3 times the
load. Then the first wave is reported, one task in a hundred with a damaged unit, and the rest is planned again.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

# benchmarks/forecast.py would hide the package of the same name
sys.path = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]

import numpy as np
import pandas as pd

from contracts.clock import clock_instant
from contracts.planned import Arrivals
from contracts.reference import (
    Communities,
    Lanes,
    Listings,
    Offers,
    Skus,
    Suppliers,
    VehicleTypes,
    Warehouses,
    WarehouseZones,
)
from contracts.settings import CitySettings, SortingSettings
from contracts.solve import SolveLimits
from contracts.world import Reference
from optimize.sorting import (
    SortingData,
    SortingPlan,
    TaskProgress,
    check,
    remaining,
    share_out,
    sort,
    sorting_data,
    whole_night,
)

DAY = pd.Timestamp("2026-03-02").as_unit("us")
ZONES = {"ambient": 0.55, "chilled": 0.33, "frozen": 0.12}
SLOTS_PER_STATION, UNITS_PER_WORKER_HOUR, HOURS, SLACK = 40, 220.0, 5, 1.3


def goods(communities: int, skus: int, warehouses: int, lines: int, random: np.random.Generator) -> pd.DataFrame:
    """Return ordered units per warehouse, community and SKU; popular SKUs are ordered more often (Zipf)."""
    weight = 1.0 / np.arange(1, skus + 1) ** 0.7
    picks = [random.choice(skus, size=lines, replace=False, p=weight / weight.sum()) for _ in range(communities)]
    place = np.repeat(np.arange(communities), lines)
    return pd.DataFrame(
        {
            "warehouse_id": [f"W{number}" for number in place % warehouses + 1],
            "community_id": [f"C{number:05d}" for number in place],
            "sku_id": [f"S{number:05d}" for number in np.concatenate(picks)],
            "units": random.integers(1, 5, size=len(place)).astype(float),
        }
    )


def city(ordered: pd.DataFrame, skus: int) -> Reference:
    """Return reference data with floors that have room for the load."""
    zone_of = zones_of(skus)
    units = ordered.assign(zone=ordered["sku_id"].map(zone_of)).groupby(["warehouse_id", "zone"])
    load, seats = units["units"].sum(), units["community_id"].nunique()
    at = {"latitude": 30.0, "longitude": 104.0}
    floors = [
        {
            "warehouse_id": warehouse,
            "temperature_zone": zone,
            "inbound_capacity_units": 1e9,
            "stations": int(np.ceil(SLACK * seats[warehouse, zone] / HOURS / SLOTS_PER_STATION)),
            "slots_per_station": SLOTS_PER_STATION,
            "units_per_worker_hour": UNITS_PER_WORKER_HOUR,
            "max_workers": int(np.ceil(SLACK * load[warehouse, zone] / HOURS / UNITS_PER_WORKER_HOUR)),
            "worker_hour_yuan": 24.0,
            "overtime_hour_yuan": 36.0,
            "opens_at": "00:30",
            "closes_at": f"0{HOURS}:30",
        }
        for warehouse, zone in load.index
    ]
    names = ordered.drop_duplicates("community_id")
    rows = {
        "community_id": names["community_id"],
        "name": names["community_id"],
        "area_id": "A1",
        "warehouse_id": names["warehouse_id"],
        "window_start": "07:00",
        "window_end": "11:00",
        "service_minutes": 5.0,
        **at,
    }
    homes = sorted(ordered["warehouse_id"].unique())
    items = pd.DataFrame({"sku_id": zone_of.index, "temperature_zone": zone_of.to_numpy()})
    plain = {"weight_kg": 0.5, "volume_l": 1.0, "shelf_life_days": 3.0, "salvage_yuan": 0.0}
    words = {"name": items["sku_id"], "category_id": "K", "unit": "bag", "shortage_penalty_yuan": 1.0}
    return Reference(
        warehouses=Warehouses.check(pd.DataFrame([{"warehouse_id": w, "name": w, **at} for w in homes])),
        warehouse_zones=WarehouseZones.check(pd.DataFrame(floors)),
        communities=Communities.check(pd.DataFrame(rows)),
        skus=Skus.check(items.assign(**plain, **words)),
        suppliers=Suppliers.empty(),
        offers=Offers.empty(),
        lanes=Lanes.empty(),
        vehicle_types=VehicleTypes.empty(),
        listings=Listings.empty(),
    )


def zones_of(skus: int) -> pd.Series:
    """Return the temperature zone of each SKU: every popularity has goods of each zone."""
    turn = np.arange(skus) * 0.6180339887 % 1.0  # golden ratio: evenly mixed
    names = np.array(list(ZONES))[np.searchsorted(np.cumsum(list(ZONES.values()))[:-1], turn, side="right")]
    return pd.Series(names, index=[f"S{number:05d}" for number in range(skus)])


def lots(ordered: pd.DataFrame) -> pd.DataFrame:
    """Return two lots per warehouse and SKU, together four fifths of the orders for one SKU in twenty, else all."""
    total = ordered.groupby(["warehouse_id", "sku_id"])["units"].sum().reset_index()
    short = total["sku_id"].str[1:].astype(int) % 20 == 0
    total["units"] = np.floor(total["units"] * np.where(short, 0.8, 1.0))
    first = np.floor(total["units"] / 2.0)
    moments = {
        clock: clock_instant(clock, delivery_date=DAY, timezone="Asia/Shanghai") for clock in ("23:50-1", "01:30")
    }
    parts = [
        total.assign(units=first, supplier_id="early", arrives_at=moments["23:50-1"]),
        total.assign(units=total["units"] - first, supplier_id="late", arrives_at=moments["01:30"]),
    ]
    table = pd.concat(parts, ignore_index=True)
    return Arrivals.check(table[table["units"] > 0])


def one_night(asked: argparse.Namespace, seed: int) -> dict[str, object]:
    """Share out, sort and check one night; return seconds, gap and what the check found."""
    random = np.random.default_rng(seed)
    ordered = goods(asked.communities, asked.skus, asked.warehouses, asked.lines, random)
    reference, arrived = city(ordered, asked.skus), lots(ordered)
    names = reference.communities["community_id"]
    minutes = random.integers(150, 331, size=len(names))
    ends = [
        clock_instant(f"0{m // 60}:{m % 60:02d}", delivery_date=DAY, timezone="Asia/Shanghai") for m in minutes.tolist()
    ]
    deadlines = pd.DataFrame({"destination_id": names, "latest_end": pd.Series(ends, dtype="datetime64[us, UTC]")})
    began, cpu = time.perf_counter(), time.process_time()
    shares = share_out(ordered, arrived[["warehouse_id", "sku_id", "units"]], at_cutoff=True)
    data: SortingData = sorting_data(
        reference,
        shares,
        arrived,
        delivery_date=DAY,
        city=CitySettings(),
        settings=SortingSettings(),
        deadlines=deadlines,
    )
    plan = sort(data, limits=SolveLimits(seconds=asked.seconds, seed=seed, workers=2))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    found = check(data, plan) if plan.report.status.has_plan else ["no plan"]
    again_seconds, again_found = again(data, plan, asked.seconds, random) if not found else (None, [])
    return {
        "seed": seed,
        "allotments": len(shares),
        "units": float(shares["allotted_units"].sum()),
        "status": plan.report.status.value,
        "cost": plan.costs.get("total"),
        "bound": plan.report.bound_yuan,
        "gap": plan.report.gap,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "stopped_by": plan.report.stopped_by,
        "violations": len(found) + len(again_found),
        "again_seconds": again_seconds,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "explanation": list(plan.report.explanation),
    }


def again(data: SortingData, plan: SortingPlan, seconds: float, random: np.random.Generator) -> tuple[float, list[str]]:
    """Report the first wave, one task in a hundred with damage, and plan the rest again; return seconds, findings."""
    first = plan.tasks["ends_at"].min()
    ended = plan.tasks[plan.tasks["ends_at"] <= first]
    damaged = np.minimum(random.binomial(1, 0.01, size=len(ended)), ended["units"].to_numpy())
    figures = {
        "sorted_units": ended["units"] - damaged,
        "damaged_units": damaged,
        "short_units": 0.0,
        "over_units": 0.0,
    }
    told = TaskProgress.check(ended[list(TaskProgress.key())].assign(**figures))
    began = time.perf_counter()
    left = remaining(data, plan, told, as_of=first)
    rest = None if left.data is None else sort(left.data, limits=SolveLimits(seconds=seconds, workers=2))
    whole = whole_night(data, plan, left, rest)
    took = round(time.perf_counter() - began, 2)
    found = check(left.data, rest) if left.data is not None and rest is not None else []
    lost = plan.tasks["units"].sum() - whole.tasks["units"].sum() - left.lacking["short_units"].sum()
    return took, [*found, *([f"{lost:g} units are lost"] if abs(lost) > 1e-6 else [])]


def main() -> None:
    """Run the nights asked for and write them down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--communities", type=int, default=4000)
    parser.add_argument("--skus", type=int, default=1500)
    parser.add_argument("--warehouses", type=int, default=3)
    parser.add_argument("--lines", type=int, default=60, help="SKUs a community orders")
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of the search")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    nights = []
    for seed in asked.seeds:
        nights.append(one_night(asked, seed))
        print({name: value for name, value in nights[-1].items() if name != "explanation"}, flush=True)
    if asked.json is not None:
        size = {name: getattr(asked, name) for name in ("communities", "skus", "warehouses", "lines", "seconds")}
        asked.json.write_text(json.dumps({**size, "nights": nights}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
