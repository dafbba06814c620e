"""The worker beside the API: it yields its cores, comes back when it dies, and goes when the service does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.jobs.process import WorkerProcess


def within(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_killed_worker_is_started_again(tmp_path: Path, settings_in: Any) -> None:
    """kill -9 gives another process of the same settings, as nice as they say; stopped, none is left."""
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    worker = WorkerProcess(settings_in(tmp_path, worker="process", worker_nice=7), rest_s=0.05)
    worker.start()
    try:
        within(lambda: worker.pid is not None)
        first = worker.pid
        assert first is not None
        within(lambda: os.getpriority(os.PRIO_PROCESS, first) == min(usual + 7, 19))
        os.kill(first, signal.SIGKILL)
        within(lambda: worker.pid not in (None, first))
    finally:
        worker.stop()
    assert worker.pid is None
