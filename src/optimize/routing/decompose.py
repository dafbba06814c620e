"""Large territories: neighbouring duties are searched together, in parallel, re-clustered every round.

A short search of the whole gives first duties. Then, round by round, the duties are clustered around random seeds into
parts of a few hundred stops, each part is searched on its own with the vans it has and a share of the idle ones, and
better parts replace the old. Other seeds each round move the boundaries. (Decomposition by the routes' barycentres:
Santini, Schneider, Vidal and Vigo 2023, "Decomposition strategies for vehicle routing heuristics", INFORMS Journal on
Computing 35.)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from optimize.routing.crew import crew_search
from optimize.routing.duty import Duty, renumbered
from optimize.routing.fleet import on_best_vans
from optimize.routing.partition import best_of_all, net_yuan
from optimize.routing.portfolio import search_side_by_side
from optimize.routing.solver import Effort, Found, search
from optimize.routing.start import first_duties
from optimize.routing.territory import Territory

log = logging.getLogger(__name__)
LITTLE_GAIN = 1.5e-3
"""A round that saves a smaller share of the cost makes the next ones longer."""
STRETCH = 1.6
FIRST_SHARE = 0.25
"""Most seconds of the first search of the whole, as a share."""
PARTITION_SHARE = 0.05
"""Share of the seconds kept for the best set of all duties seen."""


@dataclass(frozen=True)
class Parts:
    """How a territory is divided.

    Attributes
    ----------
    whole : int
        Up to so many stops a territory is searched whole.
    stops : int
        Stops per part, at most half of the territory.
    iterations_per_stop : float
        Search iterations of a part in one round, per stop of it.
    first_iterations_per_stop : float
        The same for the first search of the whole.
    """

    whole: int = 150
    stops: int = 200
    iterations_per_stop: float = 10.0
    first_iterations_per_stop: float = 0.5


def search_parts(territory: Territory, effort: Effort, *, parts: Parts, start: Sequence[Duty] = ()) -> Found:
    """Return the best duties of a territory; iterations count by the share of the stops they search.

    A small one is searched whole, by several workers side by side (`portfolio`). Between rounds whole duties move to
    better vans (`fleet`); rounds that gain little make the next ones longer and, up to two parts' size, alternate with
    searches of the whole; the last step is the best set of all duties seen (`partition`), which can only improve and
    says by how much.
    """
    if len(territory.stops) <= parts.whole:
        return search_side_by_side(territory, effort, start=start)
    ends = time.perf_counter() + effort.seconds * (1.0 - PARTITION_SHARE)
    random = np.random.default_rng(effort.seed)
    size = len(territory.stops)
    first = _first_effort(effort, parts, size)
    found = search(territory, first, start=start) if start else first_duties(territory, first)
    if found.duties is None:
        left = max(ends - time.perf_counter(), 0.05)
        return search_side_by_side(territory, replace(effort, seconds=left))
    duties, spent = on_best_vans(territory, found.duties), float(found.iterations)
    seen = dict.fromkeys(duties)
    yuan, stretch, whole_turn = net_yuan(territory, duties), 1.0, False
    with ThreadPoolExecutor(effort.workers) as pool:
        while time.perf_counter() < ends and (effort.iterations is None or spent < effort.iterations):
            longer = replace(parts, iterations_per_stop=parts.iterations_per_stop * stretch)
            if whole_turn:
                tasks = _whole_tasks(territory, duties, effort, longer, random, ends)
            else:
                clusters = clustered(territory, duties, min(parts.stops, -(-size // 2)), random)
                tasks = _tasks(territory, duties, clusters, effort, longer, random, ends)
            answers = list(pool.map(_search_task, tasks))
            for task, answer in zip(tasks, answers, strict=True):
                seen.update(dict.fromkeys(task.mapped(answer.seen)))
            better = [task.better(answer) for task, answer in zip(tasks, answers, strict=True)]
            if whole_turn:
                spent += max(answer.iterations for answer in answers)
                duties = min(better, key=partial(net_yuan, territory))
            else:
                spent += sum(a.iterations * len(task.stops) / size for task, a in zip(tasks, answers, strict=True))
                duties = tuple(duty for part in better for duty in part)
            duties = on_best_vans(territory, duties)
            before, yuan = yuan, net_yuan(territory, duties)
            stuck = before - yuan < LITTLE_GAIN * abs(before)
            stretch *= STRETCH if stuck else 1.0
            whole_turn = stuck and not whole_turn and size <= 2 * parts.stops
    united, slow = best_of_all(territory, duties, seen, seconds=max(effort.seconds * PARTITION_SHARE, 1.0))
    saved = yuan - net_yuan(territory, united)
    log.info(
        "%s: %d duties seen, the best set of them saves %.2f yuan (%.3f %%)",
        territory.name,
        len(seen),
        saved,
        100.0 * saved / max(abs(yuan), 1e-9),
    )
    stopped = effort.iterations is None or spent < effort.iterations or slow
    return Found(united, round(spent), out_of_time=stopped, partition_saved_yuan=saved)


def _first_effort(effort: Effort, parts: Parts, size: int) -> Effort:
    iterations = round(parts.first_iterations_per_stop * size)
    return replace(
        effort,
        iterations=min(iterations, effort.iterations or iterations),
        seconds=effort.seconds * FIRST_SHARE,
    )


@dataclass(frozen=True)
class _Task:
    """One part: its stops and vans as a territory of its own, the duties it starts from, and when it has to end.

    Parts wait for a free worker: their seconds are what is left when they begin (`ends` by `time.perf_counter`).
    """

    whole: Territory
    part: Territory
    stops: NDArray[np.int64]
    vans: NDArray[np.int64]
    duties: tuple[Duty, ...]
    effort: Effort
    ends: float

    def mapped(self, duties: Sequence[Duty]) -> tuple[Duty, ...]:
        """Return the part's duties in the numbers of the whole."""
        return renumbered(duties, stops=self.stops.tolist(), vans=self.vans.tolist())

    def better(self, answer: Found) -> tuple[Duty, ...]:
        """Return the part's duties in the numbers of the whole: the answer if it costs less, the old ones otherwise."""
        if answer.duties is None:
            return self.duties
        mapped = self.mapped(answer.duties)
        return mapped if net_yuan(self.whole, mapped) < net_yuan(self.whole, self.duties) - 1e-9 else self.duties


def _search_task(task: _Task) -> Found:
    stop_of = {int(stop): number for number, stop in enumerate(task.stops)}
    van_of = {int(van): number for number, van in enumerate(task.vans)}
    start = renumbered(task.duties, stops=stop_of, vans=van_of)
    left = max(task.ends - time.perf_counter(), 0.05)
    return crew_search(task.part, replace(task.effort, seconds=left), start=start)


def _tasks(
    territory: Territory,
    duties: Sequence[Duty],
    clusters: Sequence[Sequence[int]],
    effort: Effort,
    parts: Parts,
    random: np.random.Generator,
    ends: float,
) -> list[_Task]:
    idle = np.array([van.count for van in territory.vans])
    np.subtract.at(idle, [duty.van for duty in duties], 1)
    shares = np.stack([_share(count, len(clusters), random) for count in idle], axis=1)
    left_out = np.setdiff1d(np.arange(len(territory.stops)), [s for d in duties for s in d.stops])
    turn = random.integers(0, len(clusters), len(left_out))
    tasks = []
    for number, cluster in enumerate(clusters):
        mine = tuple(duties[i] for i in cluster)
        count = shares[number].copy()
        np.add.at(count, [duty.van for duty in mine], 1)
        vans = np.flatnonzero(count)
        own = [s for duty in mine for s in duty.stops]
        stops = np.array(sorted([*own, *left_out[turn == number]]), dtype=np.int64)
        part = replace(territory.only(stops), vans=tuple(replace(territory.vans[v], count=int(count[v])) for v in vans))
        iterations = max(round(parts.iterations_per_stop * len(stops)), 1)
        work = replace(effort, iterations=iterations, seed=int(random.integers(1 << 31)), workers=1)
        tasks.append(_Task(territory, part, stops, vans, mine, work, ends))
    return tasks


def _whole_tasks(
    territory: Territory,
    duties: Sequence[Duty],
    effort: Effort,
    parts: Parts,
    random: np.random.Generator,
    ends: float,
) -> list[_Task]:
    """Return searches of the whole from the same duties with different seeds, one per worker."""
    size = len(territory.stops)
    iterations = max(round(parts.iterations_per_stop * size / 2), 1)
    everything, vans = np.arange(size), np.arange(len(territory.vans))
    work = replace(effort, iterations=iterations, workers=1)
    return [
        _Task(territory, territory, everything, vans, tuple(duties), replace(work, seed=int(seed)), ends)
        for seed in random.integers(1 << 31, size=effort.workers)
    ]


def _share(count: int, clusters: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return idle vans shared out evenly, the odd ones at random."""
    shares = np.full(clusters, count // clusters)
    shares[random.permutation(clusters)[: count % clusters]] += 1
    return shares


def clustered(territory: Territory, duties: Sequence[Duty], stops: int, random: np.random.Generator) -> list[list[int]]:
    """Return the duties in clusters of about so many stops: a random duty and those whose barycentres lie nearest."""
    at = np.stack([territory.longitude, territory.latitude], axis=1)[territory.first_stop :]
    centre = np.stack([at[list(duty.stops)].mean(axis=0) for duty in duties])
    sizes = np.array([len(duty.stops) for duty in duties])
    count = max(round(sizes.sum() / stops), 1)
    target = sizes.sum() / count
    free = np.ones(len(duties), dtype=bool)
    clusters: list[list[int]] = []
    while free.any():
        seed = int(random.choice(np.flatnonzero(free)))
        near = np.argsort(((centre - centre[seed]) ** 2).sum(axis=1), kind="stable")
        near = near[free[near]]
        take = int(np.searchsorted(np.cumsum(sizes[near]), target)) + 1
        chosen = near[:take]
        free[chosen] = False
        clusters.append([int(i) for i in chosen])
    return clusters
