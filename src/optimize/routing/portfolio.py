"""Small territories on several workers: searches side by side that start each round from the best of all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from optimize.routing.crew import crew_search
from optimize.routing.duty import Duty
from optimize.routing.fleet import on_best_vans
from optimize.routing.partition import best_of_all, net_yuan
from optimize.routing.solver import Effort, Found
from optimize.routing.start import first_duties, kinds_alone
from optimize.routing.territory import Territory

ROUNDS = 5
"""Meetings of the workers when iterations limit the search."""
ROUND_ITERATIONS_PER_STOP = 100.0
"""Length of a round when only seconds limit the search; rounds without gain make the next ones longer."""
STRETCH = 1.5
PARTITION_SECONDS = 2.0


def search_side_by_side(territory: Territory, effort: Effort, *, start: Sequence[Duty] = ()) -> Found:
    """Return the best of `effort.workers` searches with different seeds; each makes the iterations of the effort.

    Every second search is a wide one. After each round the best set of all duties seen so far (`partition`) is where
    everybody goes on from. One worker searches alone and in one go.
    """
    if effort.workers == 1:
        return crew_search(territory, effort, start=start)
    ends = time.perf_counter() + effort.seconds
    random = np.random.default_rng(effort.seed)
    length = (
        ROUND_ITERATIONS_PER_STOP * len(territory.stops) if effort.iterations is None else effort.iterations / ROUNDS
    )
    best: tuple[Duty, ...] = tuple(start) or _one_kind(territory, effort, length)
    seen: dict[Duty, None] = dict.fromkeys(best)
    spent, saved, out_of_time, answered = 0, 0.0, False, bool(best)
    with ThreadPoolExecutor(effort.workers) as pool:
        while (left := ends - time.perf_counter()) > 0 and (effort.iterations is None or spent < effort.iterations):
            rest = length if effort.iterations is None else min(length, effort.iterations - spent)
            efforts = [
                replace(effort, iterations=max(round(rest), 1), seconds=left, seed=int(seed), wide=worker % 2 == 1)
                for worker, seed in enumerate(random.integers(1 << 31, size=effort.workers))
            ]
            answers = list(pool.map(partial(crew_search, territory, start=best), efforts))
            spent += max(answer.iterations for answer in answers)
            out_of_time |= any(answer.out_of_time for answer in answers)
            for answer in answers:
                seen.update(dict.fromkeys([*answer.seen, *(answer.duties or ())]))
            known = [answer.duties for answer in answers if answer.duties is not None]
            if not known and not answered:
                continue
            leader = min([*known, best] if answered else known, key=partial(net_yuan, territory))
            leader = on_best_vans(territory, leader)
            united, slow = best_of_all(territory, leader, seen, seconds=PARTITION_SECONDS)
            saved += net_yuan(territory, leader) - net_yuan(territory, united)
            if answered and net_yuan(territory, united) >= net_yuan(territory, best) - 1e-9:
                length *= STRETCH
            best, answered, out_of_time = united, True, out_of_time or slow
    stopped = out_of_time or effort.iterations is None or spent < effort.iterations
    return Found(best if answered else None, spent, stopped, tuple(seen), saved)


def _one_kind(territory: Territory, effort: Effort, length: float) -> tuple[Duty, ...]:
    """Return first duties of a mixed fleet from trials with one kind of van; none where there is only one kind."""
    if len(kinds_alone(territory)) < 2:
        return ()
    first = replace(effort, iterations=max(round(length / ROUNDS), 1), seconds=effort.seconds / ROUNDS)
    return first_duties(territory, first).duties or ()
