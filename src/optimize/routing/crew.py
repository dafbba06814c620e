"""Searches in processes of their own: PyVRP's loop between its moves is Python, and threads of it share one core.

Two threads got one and a half cores on a thousand stops, two processes get two. The processes are loky's: kept for the
next call of this process, ended when idle, and gone within a second of its death. Answers are the same wherever they
are searched, as long as iterations and not seconds end the search.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
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
_NO_PROCESSES = (BrokenProcessPool, OSError, NotImplementedError)
"""Killed from outside or out of memory; no process or shared memory to be had here."""
_log = logging.getLogger(__name__)
_crews: dict[int, ProcessPoolExecutor] = {}
_lock = threading.Lock()


def crew_size(*, stops: int, seconds: float, workers: int) -> int:
    """Return the number of processes worth starting for a call, 0 for none."""
    worth = workers > 1 and stops >= WORTH_STOPS and seconds >= WORTH_SECONDS
    return workers if worth and not multiprocessing.current_process().daemon else 0  # a daemon may have no children


def muster(crew: int) -> None:
    """Start the processes, without waiting for them."""
    if crew:
        try:
            _submit(crew, time.sleep, 0.0)
        except _NO_PROCESSES as missing:
            _log.warning("routing: no search process (%s); searching in this process", missing)


def crew_search(territory: Territory, effort: Effort, *, start: Sequence[Duty] = ()) -> Found:
    """Return what `search` finds, in one of `effort.crew` processes; here where there are none or they broke down."""
    if not effort.crew:
        return search(territory, effort, start=start)
    until = time.monotonic() + effort.seconds
    alone = replace(effort, crew=0)
    try:
        found: Found = _submit(effort.crew, _search_until, territory, alone, tuple(start), until).result()
    except _NO_PROCESSES as missing:
        _log.warning("routing: a search process died (%s); searching in this process", missing)
        return _search_until(territory, alone, tuple(start), until)
    return found


def _submit(crew: int, work: object, *given: object) -> Future[Found]:
    """Hand work to the crew; one that broke down since the last time is replaced."""
    executor = _executor(crew)
    try:
        future: Future[Found] = executor.submit(work, *given)
    except BrokenProcessPool:
        _dismiss(executor)
        future = _executor(crew).submit(work, *given)
    return future


def _executor(crew: int) -> ProcessPoolExecutor:
    """Return the processes of this one; loky's own reusable ones are one set per thread."""
    with _lock:
        if crew not in _crews:
            _crews[crew] = ProcessPoolExecutor(
                max_workers=crew, timeout=IDLE_S, initializer=_end_with, initargs=(os.getpid(),)
            )
        return _crews[crew]


def _dismiss(executor: ProcessPoolExecutor) -> None:
    """Forget processes that broke down, so that the next search starts new ones."""
    with _lock:
        for crew in [size for size, kept in _crews.items() if kept is executor]:
            del _crews[crew]


def _end_with(parent: int) -> None:
    """End this process within a second of its parent's death: nobody waits for its answer, and others need the core."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _forget() -> None:
    """After a fork: the parent's processes are not the child's."""
    global _lock
    _crews.clear()
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget)


def _search_until(territory: Territory, effort: Effort, start: Sequence[Duty], until: float) -> Found:
    """Search until a moment of the monotonic clock, which processes of a machine share."""
    return search(territory, replace(effort, seconds=max(until - time.monotonic(), 0.05)), start=start)
