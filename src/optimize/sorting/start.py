"""A first plan without a solver: largest batches first, each where it costs least."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimize.sorting.floor import UNPLACED, Floor, workers_for


def place_greedily(floor: Floor, waves: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return a wave for every batch, keeping those already placed, or None when one finds no room.

    Batches with the fewest waves to choose from come first, then the largest. Each goes to the wave where
    labour and lateness rise least; among equals to the one with the fewest workers, then the earliest.
    """
    plan = waves.copy()
    count = len(floor.grid)
    placed = plan != UNPLACED
    loads = floor.loads(plan)
    slots = floor.slots - floor.slots_taken(plan)
    choice = (floor.allowed & (floor.late_minutes <= 0)).sum(axis=1)
    order = np.lexsort((np.arange(len(plan)), -floor.units, choice))
    workers = workers_for(loads, floor.worker_units)
    late, wage, rate = floor.late_yuan, floor.worker_yuan, floor.worker_units
    for d in order[~placed[order]]:
        then = workers_for(loads + floor.units[d], rate)
        fits = (np.arange(count) >= floor.earliest[d]) & (slots >= floor.seats[d]) & (then <= floor.zone.max_workers)
        if not fits.any():
            return None
        rise = np.where(fits, np.round(wage * (then - workers) + late[d], 6), np.inf)
        w = np.lexsort((np.arange(count), then, rise))[0]
        plan[d] = w
        loads[w] += floor.units[d]
        slots[w] -= floor.seats[d]
        workers[w] = then[w]
    return plan


def cost_of(floor: Floor, waves: NDArray[np.int64]) -> tuple[float, int]:
    """Return yuan, and moves from the former plan before the sum of squared workers; infinite if a limit breaks."""
    workers = workers_for(floor.loads(waves), floor.worker_units)
    crowded = (workers > floor.zone.max_workers).any() or (floor.slots_taken(waves) > floor.slots).any()
    broken = bool(crowded or (waves < floor.earliest).any())
    yuan = float(workers @ floor.worker_yuan + floor.late_yuan[np.arange(len(waves)), waves].sum())
    moved = int(((floor.before != UNPLACED) & (floor.before != waves)).sum())
    most = len(floor.grid) * floor.zone.max_workers**2
    return (np.inf, 0) if broken else (yuan, moved * most + int((workers**2).sum()))
