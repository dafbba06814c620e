"""The solver-free check: units, slots, people, goods at hand, hours and cost recomputed from the plan's tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.clock import clock_instant
from optimize.sorting.data import SortingData
from optimize.sorting.grid import wave_grid
from optimize.sorting.plan import SortingPlan

ZONE = ["warehouse_id", "temperature_zone"]
UNITS = 1e-6
YUAN = 1e-4


def check(data: SortingData, plan: SortingPlan) -> list[str]:
    """Return what is wrong with a plan, in words; an empty list means it holds.

    A plan without tables (no answer, infeasible) has nothing to check.
    """
    if not plan.report.status.has_plan:
        return ["A plan without an answer has tasks."] if len(plan.tasks) else []
    grid = _grid(data)
    return [
        *_units_conserved(data, plan),
        *_one_place(plan),
        *_routes_together(data, plan),
        *_on_grid(plan, grid),
        *_goods_at_hand(data, plan),
        *_people(data, plan, grid),
        *_slots(data, plan),
        *_releases(plan),
        *_late_minutes(data, plan),
        *_costs(data, plan),
    ]


def _grid(data: SortingData) -> pd.DataFrame:
    grids = [
        wave_grid(
            zone["opens_at"],
            zone["closes_at"],
            delivery_date=data.delivery_date,
            city=data.city,
            settings=data.settings,
            not_before=data.not_before,
        ).assign(**zone[[*ZONE, "units_per_worker_hour", "max_workers", "worker_hour_yuan", "overtime_hour_yuan"]])
        for _, zone in data.floors.iterrows()
    ]
    return pd.concat(grids, ignore_index=True)


def _units_conserved(data: SortingData, plan: SortingPlan) -> list[str]:
    key = [*ZONE, "destination_id", "sku_id"]
    wanted = data.goods.set_index(key)["units"]
    sorted_units = plan.tasks.groupby(key)["units"].sum()
    both = pd.concat([wanted.rename("wanted"), sorted_units.rename("sorted")], axis=1).fillna(0.0)
    off = both[(both["wanted"] - both["sorted"]).abs() > UNITS]
    return [f"{k}: allotted {r.wanted:g}, sorted {r.sorted:g} units" for k, r in off.head().iterrows()]


def _one_place(plan: SortingPlan) -> list[str]:
    seats = plan.tasks[[*ZONE, "wave", "station", "slot", "destination_id"]].drop_duplicates()
    shared = seats[seats.duplicated([*ZONE, "wave", "station", "slot"])]
    split = seats[seats.duplicated([*ZONE, "destination_id"])]
    return [f"slot used twice: {tuple(row)}" for row in shared.head().itertuples(index=False)] + [
        f"destination sorted in two places: {tuple(row)}" for row in split.head().itertuples(index=False)
    ]


def _routes_together(data: SortingData, plan: SortingPlan) -> list[str]:
    """A route's destinations share a wave in every zone."""
    seats = plan.tasks[[*ZONE, "wave", "destination_id"]].drop_duplicates()
    batch = data.routes["batch_id"].reindex(seats["destination_id"]).to_numpy()
    waves = seats.assign(batch=batch).dropna(subset="batch").groupby([*ZONE, "batch"])["wave"].nunique()
    return [f"route sorted in {count} waves: {key}" for key, count in waves[waves > 1].head().items()]


def _on_grid(plan: SortingPlan, grid: pd.DataFrame) -> list[str]:
    columns = [*ZONE, "wave", "starts_at", "ends_at"]
    known = pd.MultiIndex.from_frame(grid[columns])
    used = pd.concat([plan.tasks[columns], plan.waves[columns]]).drop_duplicates()
    off = used[~pd.MultiIndex.from_frame(used).isin(known)]
    return [f"no such wave on the floor: {tuple(row)}" for row in off.head().itertuples(index=False)]


def _goods_at_hand(data: SortingData, plan: SortingPlan) -> list[str]:
    """At every wave start, what has come must cover everything sorted up to the end of that wave."""
    key = ["warehouse_id", "sku_id"]
    here = data.arrivals.groupby([*key, "arrives_at"], as_index=False)["units"].sum()
    came = here.assign(at=here["arrives_at"], goes=0.0, comes=here["units"])
    goes = plan.tasks.groupby([*key, "starts_at"], as_index=False)["units"].sum()
    goes = goes.assign(at=goes["starts_at"], goes=goes["units"], comes=0.0)
    columns = [*key, "at", "comes", "goes"]
    moves = pd.concat([came[columns], goes[columns]]).sort_values([*key, "at", "goes"], kind="stable")
    balance = moves.assign(step=moves["comes"] - moves["goes"]).groupby(key)["step"].cumsum()
    short = moves[(balance < -UNITS).to_numpy()]
    return [f"sorted before it came: {r.warehouse_id} {r.sku_id} at {r.at}" for r in short.head().itertuples()]


def _people(data: SortingData, plan: SortingPlan, grid: pd.DataFrame) -> list[str]:
    loads = plan.tasks.groupby([*ZONE, "wave"], as_index=False)["units"].sum()
    table = loads.merge(plan.waves, on=[*ZONE, "wave"], how="outer", suffixes=("_tasks", ""))
    table = table.merge(grid.drop(columns=["starts_at", "ends_at"]), on=[*ZONE, "wave"], how="left")
    off = table[~((table["units_tasks"] - table["units"]).abs() <= UNITS)]
    found = [f"load of {r.warehouse_id} {r.temperature_zone} wave {r.wave} is not its tasks'" for r in off.itertuples()]
    able = table["workers"] * table["units_per_worker_hour"] * table["hours"]
    slow = table[~(table["units"] <= able + UNITS * (1 + able))]
    found += [
        f"{r.warehouse_id} {r.temperature_zone} wave {r.wave}: {r.workers} workers cannot sort {r.units:g} units"
        for r in slow.itertuples()
    ]
    crowd = table[table["workers"] > table["max_workers"]]
    return found + [
        f"{r.warehouse_id} {r.temperature_zone} wave {r.wave}: {r.workers} workers, {r.max_workers} fit"
        for r in crowd.itertuples()
    ]


def _slots(data: SortingData, plan: SortingPlan) -> list[str]:
    used = plan.tasks[[*ZONE, "wave", "station", "slot"]].merge(data.floors, on=ZONE, how="left")
    off = used[~((used["station"] <= used["stations"]) & (used["slot"] <= used["slots_per_station"]))]
    rows = off[[*ZONE, "wave", "station", "slot"]].drop_duplicates().head()
    return [f"no such station or slot: {tuple(row)}" for row in rows.itertuples(index=False)]


def _releases(plan: SortingPlan) -> list[str]:
    last = plan.tasks.groupby(["warehouse_id", "destination_id"])["ends_at"].max()
    told = plan.releases.set_index(["warehouse_id", "destination_id"])["released_at"].reindex(last.index)
    off = last[~(last == told)]
    return [f"release of {key} is not its last wave's end" for key in off.index[:5]]


def _lateness(data: SortingData, plan: SortingPlan) -> pd.DataFrame:
    """Return minutes late per warehouse, zone, wave and destination."""
    rows = plan.tasks[[*ZONE, "wave", "destination_id", "ends_at"]].drop_duplicates()
    floors = data.floors[[*ZONE, "closes_at"]]
    closing = floors.assign(
        closing=[
            clock_instant(c, delivery_date=data.delivery_date, timezone=data.city.timezone) for c in floors["closes_at"]
        ]
    )
    rows = rows.merge(closing[[*ZONE, "closing"]], on=ZONE, how="left")
    given = data.deadlines.reindex(rows["destination_id"]).set_axis(rows.index)
    latest = given.fillna(rows["closing"])
    return rows.assign(late=((rows["ends_at"] - latest).dt.total_seconds() / 60.0).clip(lower=0.0))


def _late_minutes(data: SortingData, plan: SortingPlan) -> list[str]:
    worst = _lateness(data, plan).groupby([*ZONE, "wave"])["late"].max()
    told = plan.waves.set_index([*ZONE, "wave"])["late_minutes"].reindex(worst.index)
    off = worst[~((worst - told).abs() <= UNITS)]
    return [f"wave {key} is {minutes:g} minutes late and says otherwise" for key, minutes in off.head().items()]


def recomputed_costs(data: SortingData, plan: SortingPlan) -> dict[str, float]:
    """Return labour, overtime, lateness and their total in yuan, from the tables alone."""
    table = plan.waves.merge(data.floors, on=ZONE, how="left")
    closing = [
        clock_instant(c, delivery_date=data.delivery_date, timezone=data.city.timezone) for c in table["closes_at"]
    ]
    hours = (table["ends_at"] - table["starts_at"]).dt.total_seconds() / 3600.0
    after = (table["starts_at"] >= pd.Series(closing, index=table.index, dtype=table["starts_at"].dtype)).to_numpy()
    labour = np.where(after, 0.0, table["workers"] * hours * table["worker_hour_yuan"]).sum()
    overtime = np.where(after, table["workers"] * hours * table["overtime_hour_yuan"], 0.0).sum()
    late = _lateness(data, plan)["late"].sum() * data.settings.late_yuan_per_minute
    parts = {"labour": float(labour), "overtime": float(overtime), "lateness": float(late)}
    return {**parts, "total": sum(parts.values())}


def _costs(data: SortingData, plan: SortingPlan) -> list[str]:
    again = recomputed_costs(data, plan)
    return [
        f"{part} costs {yuan:.4f} yuan, the plan says {plan.costs.get(part)}"
        for part, yuan in again.items()
        if abs(yuan - plan.costs.get(part, np.nan)) > YUAN or part not in plan.costs
    ]
