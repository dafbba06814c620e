"""First duties of a large territory: short searches of the whole, with the whole fleet and with one kind of van."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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
    starts = []
    for vans in kinds:
        trial = replace(trial, seconds=max((ends - time.perf_counter()) / (len(kinds) + 2), 0.05))
        found = search(replace(territory, vans=tuple(territory.vans[v] for v in vans)), trial)
        if found.duties is not None:
            duties = tuple(Duty(int(vans[duty.van]), duty.trips) for duty in found.duties)
            starts.append(on_best_vans(territory, duties))
    best = min(starts, key=lambda duties: net_yuan(territory, duties), default=())
    whole = search(territory, trial if best else replace(effort, seconds=max(ends - time.perf_counter(), 0.05)))
    if not best:
        return whole
    mixed = on_best_vans(territory, whole.duties or ())
    if whole.duties is not None and net_yuan(territory, mixed) < net_yuan(territory, best):
        best = mixed
    found = search(territory, replace(effort, seconds=max(ends - time.perf_counter(), 0.05)), start=best)
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
