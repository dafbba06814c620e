"""First duties of a large territory: short searches of the whole, with the whole fleet and with one kind of van."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from optimize.routing.crew import crew_search
from optimize.routing.duty import Duty
from optimize.routing.fleet import on_best_vans
from optimize.routing.partition import net_yuan
from optimize.routing.solver import Effort, Found, search
from optimize.routing.territory import Territory

TRIAL_SHARE = 0.1
"""Iterations of a trial with one kind of van, as a share of the first search: enough to tell the kinds apart."""


def first_duties(territory: Territory, effort: Effort) -> Found:
    """Return the cheapest of several short searches.

    A search of a mixed fleet keeps the mix it stumbles into, which can cost a third more. So each kind of van that
    could serve everything alone is tried alone, and the best start is searched on with the whole fleet.
    """
    ends = time.perf_counter() + effort.seconds
    kinds = kinds_alone(territory)
    if len(kinds) < 2:
        return search(territory, effort)
    trial = replace(effort, iterations=max(round((effort.iterations or 0) * TRIAL_SHARE), 1))
    rounds = -(-(len(kinds) + 1) // effort.workers)
    trial = replace(trial, seconds=max(effort.seconds / (rounds + 1), 0.05))
    parts = [replace(territory, vans=tuple(territory.vans[v] for v in vans)) for vans in kinds]
    with ThreadPoolExecutor(effort.workers) as pool:
        *alone, whole = pool.map(partial(crew_search, effort=trial), [*parts, territory])
    starts = [
        on_best_vans(territory, tuple(Duty(int(vans[duty.van]), duty.trips) for duty in found.duties))
        for vans, found in zip(kinds, alone, strict=True)
        if found.duties is not None
    ]
    best = min(starts, key=lambda duties: net_yuan(territory, duties), default=())
    left = replace(effort, seconds=max(ends - time.perf_counter(), 0.05))
    if not best:
        return search(territory, left)
    mixed = on_best_vans(territory, whole.duties or ())
    if whole.duties is not None and net_yuan(territory, mixed) < net_yuan(territory, best):
        best = mixed
    found = search(territory, left, start=best)
    spent = found.iterations + (trial.iterations or 0) * (len(kinds) + 1)
    return replace(found, duties=found.duties if found.duties is not None else best, iterations=spent)


def kinds_alone(territory: Territory) -> list[NDArray[np.int64]]:
    """Return the vans of each kind, whatever their base, that hold all goods together."""
    found = []
    kinds: dict[tuple[float, ...], list[int]] = {}
    for number, van in enumerate(territory.vans):
        rates = (van.capacity_kg, van.capacity_l, van.fixed_yuan, van.yuan_per_km, van.yuan_per_hour)
        kinds.setdefault(rates, []).append(number)
    for vans in kinds.values():
        mine = [territory.vans[v] for v in vans]
        if any(not van.closed_to.isdisjoint(territory.stops.ids) for van in mine):
            continue
        kg = sum(van.count * van.max_trips * van.capacity_kg for van in mine)
        litres = sum(van.count * van.max_trips * van.capacity_l for van in mine)
        if kg >= territory.stops.load_kg.sum() and litres >= territory.stops.load_l.sum():
            found.append(np.array(vans, dtype=np.int64))
    return found
