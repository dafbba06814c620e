"""Why a floor cannot be sorted, in a warehouse lead's words, and the least change that would free it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from contracts.errors import first_keys
from optimize.sorting.data import SortingData
from optimize.sorting.floor import Floor
from optimize.sorting.model import wave_model
from optimize.sorting.solver import Ending, minimise

ELASTIC_SECONDS = 5.0
ELASTIC_NODES = 200


def missing_goods(data: SortingData) -> list[str]:
    """Return a sentence per warehouse where more is allotted than arrives."""
    key = ["warehouse_id", "sku_id"]
    wanted = data.goods.groupby(key)["units"].sum()
    come = data.arrivals.groupby(key)["units"].sum().reindex(wanted.index).fillna(0.0)
    short = (wanted - come)[wanted > come + 1e-6]
    return [
        f"Warehouse {warehouse_id}: {lacking.sum():,.0f} units of {len(lacking)} SKUs are allotted but never arrive "
        f"({first_keys(lacking.index.get_level_values('sku_id'), shown=3)}): share out only what is in stock, due in "
        f"or bought."
        for warehouse_id, lacking in short.groupby(level="warehouse_id")
    ]


def explain(data: SortingData, floor: Floor) -> list[str]:
    """Return why no plan exists for a floor; at least one sentence."""
    reasons = [*_too_late(data, floor), *_too_big(floor), *_too_many(floor)]
    return reasons or _too_much(floor)


def _too_late(data: SortingData, floor: Floor) -> list[str]:
    """Goods that come after the last wave has started."""
    never = floor.earliest >= len(floor.grid)
    if not never.any():
        return []
    last = floor.grid["starts_at"].iloc[-1]
    goods = data.goods[
        (data.goods["warehouse_id"] == floor.zone.warehouse_id)
        & (data.goods["temperature_zone"] == floor.zone.temperature_zone)
    ]
    here = data.arrivals[data.arrivals["warehouse_id"] == floor.zone.warehouse_id]
    late = here[(here["arrives_at"] > last) & here["sku_id"].isin(set(goods["sku_id"]))]
    if not len(late):
        return [
            f"{floor.name}: the goods of {int(floor.seats[never].sum())} destinations do not all arrive "
            f"({first_keys(floor.batches[never], shown=3)}): share out only what arrives."
        ]
    local = late["arrives_at"].max().tz_convert(data.city.timezone)
    closes = floor.grid["ends_at"].iloc[-1]
    minutes = int(np.ceil((late["arrives_at"].max() - last).total_seconds() / 60.0))
    return [
        f"{floor.name}: {late['units'].sum():,.0f} units of {late['sku_id'].nunique()} SKUs from "
        f"{first_keys(sorted(late['supplier_id'].unique()), shown=3)} arrive as late as {local:%H:%M}, after the last "
        f"wave has started ({last.tz_convert(data.city.timezone):%H:%M}; sorting ends "
        f"{closes.tz_convert(data.city.timezone):%H:%M} with overtime), so {int(floor.seats[never].sum())} destinations"
        f" cannot be sorted: have the goods {minutes} minutes earlier, or close {minutes} minutes later."
    ]


def _too_big(floor: Floor) -> list[str]:
    """Destinations that no single wave can hold."""
    most = np.where(floor.allowed, floor.worker_units * floor.zone.max_workers, 0.0).max(axis=1)
    big = floor.units > most * (1 + 1e-9)
    if not big.any():
        return []
    worst = int(np.argmax(floor.units - most))
    return [
        f"{floor.name}: {int(big.sum())} destinations or routes have more units than {floor.zone.max_workers} "
        f"workers sort in one wave, e.g. {floor.batches[worst]!r} with {floor.units[worst]:,.0f} units against "
        f"{most[worst]:,.0f}: split it, take longer waves or let "
        f"{int(np.ceil(floor.units[worst] / floor.worker_units.max()))} workers in."
    ]


def _too_many(floor: Floor) -> list[str]:
    """Routes with more stops than a wave has slots."""
    wide = floor.seats > floor.slots
    if not wide.any():
        return []
    worst = int(np.argmax(floor.seats))
    return [
        f"{floor.name}: {int(wide.sum())} routes have more stops than the {floor.slots} slots of a wave, e.g. "
        f"{floor.batches[worst]!r} with {floor.seats[worst]}: split the route or set up "
        f"{-(-int(floor.seats[worst]) // floor.zone.slots_per_station)} stations."
    ]


def _too_much(floor: Floor) -> list[str]:
    """Elastic model: the fewest slots and worker-hours beyond the limits, and what each cure alone would take."""
    slots, hours = _least_violation(floor)
    facts = []
    if slots > 1e-6:
        facts.append(f"{int(np.ceil(slots - 1e-6))} destinations find no slot")
    if hours > 1e-6:
        facts.append(f"{hours:,.1f} worker-hours are missing")
    if not facts:
        facts.append("the limits hold in total, but whole destinations and routes do not fit into the waves")
    open_waves = int((floor.earliest.min() <= np.arange(len(floor.grid))).sum())
    cures = [cure for cure in (_more_workers(floor), _more_stations(floor), _more_waves(floor)) if cure]
    return [
        f"{floor.name}: {len(floor.members)} destinations with {floor.units.sum():,.0f} units do not fit into the "
        f"{open_waves} waves left once goods are there ({floor.slots} slots, {floor.zone.max_workers} workers): "
        f"{' and '.join(facts)}. It would fit {'; or '.join(cures) if cures else 'only with several of more workers, '}"
        f"{'' if cures else 'more stations and a later close together'}."
    ]


def _least_violation(floor: Floor) -> tuple[float, float]:
    """Return slots and worker-hours beyond the limits at the least sum of both; zero, zero if splitting would fit."""
    model = wave_model(floor, whole=False, elastic=True)
    answer = minimise(model.problem, seconds=ELASTIC_SECONDS, nodes=ELASTIC_NODES, gap=1e-4, seed=0)
    if answer.found is None:
        return 0.0, 0.0
    slots, staff = (
        sum(answer.found[variable.name] * scale for variable, scale in model.over[kind]) for kind in ("slots", "staff")
    )
    return slots, staff


def _fits(floor: Floor, **changed: int) -> bool:
    """Whether the relaxation of a changed floor has an answer; so a cure is 'at least'."""
    trial = replace(floor, zone=replace(floor.zone, **changed))  # type: ignore[arg-type]
    answer = minimise(wave_model(trial, whole=False).problem, seconds=ELASTIC_SECONDS, nodes=1, gap=1.0, seed=0)
    return answer.ending != Ending.INFEASIBLE


def _least(floor: Floor, column: str, most: int) -> int | None:
    """Return the smallest value of a zone column with which the relaxation fits, by bisection."""
    low, high = int(getattr(floor.zone, column)), most
    if not _fits(floor, **{column: high}):
        return None
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(floor, **{column: middle}) else (middle, high)
    return high


def _more_workers(floor: Floor) -> str:
    most = int(np.ceil(floor.units.sum() / floor.worker_units.min())) + 1
    least = _least(floor, "max_workers", max(most, floor.zone.max_workers + 1))
    return f"with at least {least} workers at once instead of {floor.zone.max_workers}" if least else ""


def _more_stations(floor: Floor) -> str:
    stations, per_station = floor.zone.stations, floor.zone.slots_per_station
    least = _least(floor, "stations", max(-(-len(floor.members) // per_station), stations) + 1)
    return f"with at least {least} stations instead of {stations}" if least else ""


def _more_waves(floor: Floor) -> str:
    """Lengthen the night by whole waves like the first one until it fits, at most a working day."""
    step = floor.grid["ends_at"].iloc[0] - floor.grid["starts_at"].iloc[0]
    grid, late, yuan = floor.grid, floor.late_minutes, floor.late_yuan
    for more in range(1, 9):
        end = grid["ends_at"].iloc[-1]
        row = pd.DataFrame(
            {
                "wave": [len(grid) + 1],
                "starts_at": [end],
                "ends_at": [end + step],
                "hours": [step.total_seconds() / 3600.0],
                "overtime": [True],
            }
        )
        grid = pd.concat([grid, row], ignore_index=True)
        late = np.column_stack([late, late[:, -1]])
        yuan = np.column_stack([yuan, yuan[:, -1]])
        trial = replace(floor, grid=grid, late_minutes=late, late_yuan=yuan)
        answer = minimise(wave_model(trial, whole=False).problem, seconds=ELASTIC_SECONDS, nodes=1, gap=1.0, seed=0)
        if answer.ending != Ending.INFEASIBLE:
            return f"if sorting ran at least {more * int(step.total_seconds() // 60)} minutes longer"
    return ""
