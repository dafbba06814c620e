from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optimize.routing import crew
from optimize.routing.crew import crew_search, crew_size
from optimize.routing.decompose import Parts, search_parts
from optimize.routing.solver import Effort, Found
from optimize.routing.territory import Territory


@pytest.fixture(scope="module")
def suburb(town: Callable[..., Any]) -> Territory:
    """Return a territory of 60 stops with two kinds of vans."""
    small = town(60, seed=8, spread=0.15, count=30, max_trips=1)
    big = {**small.vans[0], "vehicle_type_id": "W1-big", "capacity_kg": 700.0, "fixed_yuan": 200.0, "count": 15}
    return small.but(vans=[small.vans[0], big]).data().warehouses[0]


@pytest.fixture(scope="module")
def processes():
    """Two search processes, started once because each imports the solver; gone afterwards."""
    yield crew._executor(2)
    for executor in crew._crews.values():
        executor.shutdown(wait=True, kill_workers=True)
    crew._crews.clear()


def test_the_same_duties_wherever_they_are_searched(suburb, processes):
    """With iterations as the limit, processes find what this process finds, alone and in parts."""
    here, there = (crew_search(suburb, Effort(200, 60.0, 5, 1, size)) for size in (0, 2))
    assert here.duties == there.duties
    small = Parts(whole=10, stops=20)
    parted = [search_parts(suburb, Effort(600, 60.0, 3, 2, size), parts=small) for size in (0, 2)]
    assert parted[0].duties == parted[1].duties


def test_a_dead_process_costs_time_and_nothing_else(suburb, processes):
    """Killed from outside, a search is made in this process, and the next one has new processes."""
    pid = processes.submit(os.getpid).result()
    os.kill(pid, signal.SIGKILL)
    gone(pid)
    for _ in range(100):  # until loky has noticed
        crew.muster(2)
        if crew._executor(2) is not processes:
            break
        time.sleep(0.1)
    assert crew._executor(2) is not processes
    os.kill(crew._executor(2).submit(os.getpid).result(), signal.SIGKILL)
    alone = crew_search(suburb, Effort(200, 60.0, 5))
    found = [crew_search(suburb, Effort(200, 60.0, 5, 1, 2)) for _ in range(3)]
    assert all(isinstance(each, Found) and each.duties == alone.duties for each in found)


def gone(pid: int) -> None:
    """Wait until a process is no more, or a zombie, and its end has been noticed."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            state = "Z"
        time.sleep(0.05)
        if state == "Z":
            break
    else:
        raise AssertionError(f"process {pid} lives")
    time.sleep(0.5)


def test_search_processes_end_with_the_one_that_started_them(tmp_path):
    """kill -9 of a program leaves no search process behind."""
    code = "import os, sys, time; from optimize.routing import crew; crew.muster(2); "
    code += "print(crew._executor(2).submit(os.getpid).result(), flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        child = int(program.stdout.readline())
        program.kill()
    gone(child)


def test_a_daemon_starts_no_processes(monkeypatch):
    """It may have no children: it searches in its own process."""
    monkeypatch.setattr(multiprocessing.process.current_process(), "_config", {"daemon": True})
    assert crew_size(stops=400, seconds=60.0, workers=2) == 0


@pytest.mark.parametrize(
    ("stops", "seconds", "workers", "expected"),
    [(40, 60.0, 2, 0), (400, 2.0, 2, 0), (400, 60.0, 1, 0), (400, 60.0, 2, 2)],
)
def test_processes_are_started_only_where_they_pay(stops, seconds, workers, expected):
    """Few stops, little time or one worker stay in this process."""
    assert crew_size(stops=stops, seconds=seconds, workers=workers) == expected


def test_a_wide_search_counts_in_the_time_of_narrow_ones(suburb):
    """A quarter of the iterations, each counted four times, and an answer of its own that can be repeated."""
    narrow, wide, again = (crew_search(suburb, Effort(200, 60.0, 5, wide=wide)) for wide in (False, True, True))
    assert Effort(200, 60.0, 5, wide=True).made == 50
    assert narrow.iterations == wide.iterations == 200
    assert not narrow.out_of_time
    assert not wide.out_of_time
    assert wide.duties == again.duties
