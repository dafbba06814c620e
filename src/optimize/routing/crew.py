"""Searches in processes of their own: PyVRP's loop between its moves is Python, and threads of it share one core.

Two threads got one and a half cores on a thousand stops, two processes get two. The processes are loky's: kept for the
next call of this process, ended when idle. Answers are the same wherever they are searched, as long as iterations and
not seconds end the search.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool

from optimize.routing.duty import Duty
from optimize.routing.solver import Effort, Found, search
from optimize.routing.territory import Territory

IDLE_S = 60
"""Seconds after which an idle process ends."""
WORTH_STOPS, WORTH_SECONDS = 150, 10.0
"""Starting processes takes two seconds: a call with fewer stops or less time stays in its own process."""
_log = logging.getLogger(__name__)
_crews: dict[int, ProcessPoolExecutor] = {}
_lock = threading.Lock()


def crew_size(*, stops: int, seconds: float, workers: int) -> int:
    """Return the number of processes worth starting for a call, 0 for none."""
    return workers if workers > 1 and stops >= WORTH_STOPS and seconds >= WORTH_SECONDS else 0


def muster(crew: int) -> None:
    """Start the processes, without waiting for them."""
    if crew:
        _executor(crew).submit(time.sleep, 0.0)


def crew_search(territory: Territory, effort: Effort, *, start: Sequence[Duty] = ()) -> Found:
    """Return what `search` finds, in one of `effort.crew` processes; here where there is no crew or it broke down."""
    if not effort.crew:
        return search(territory, effort, start=start)
    until = time.monotonic() + effort.seconds
    alone = replace(effort, crew=0)
    executor = _executor(effort.crew)
    try:
        found: Found = executor.submit(_search_until, territory, alone, tuple(start), until).result()
    except BrokenProcessPool as broken:  # killed from outside, or out of memory
        _log.warning("routing: a search process died (%s); searching in this process", broken)
        _dismiss(executor)
        return _search_until(territory, alone, tuple(start), until)
    return found


def _executor(crew: int) -> ProcessPoolExecutor:
    """Return the processes of this one, started anew after a death; loky's own reusable ones are one set per thread."""
    with _lock:
        if crew not in _crews:
            _crews[crew] = ProcessPoolExecutor(max_workers=crew, timeout=IDLE_S)
        return _crews[crew]


def _dismiss(executor: ProcessPoolExecutor) -> None:
    """Forget processes that broke down, so that the next search starts new ones."""
    with _lock:
        for crew in [size for size, kept in _crews.items() if kept is executor]:
            del _crews[crew]


def _search_until(territory: Territory, effort: Effort, start: Sequence[Duty], until: float) -> Found:
    """Search until a moment of the monotonic clock, which processes of a machine share."""
    return search(territory, replace(effort, seconds=max(until - time.monotonic(), 0.05)), start=start)
