"""What a stage costs the machine: this process and its children (searches run in processes of their own) together."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import psutil

EVERY_S = 0.2


class Footprint:
    """Measures while it is entered: wall seconds, CPU seconds, and the largest sum of resident memory seen."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = self.peak_mb = 0.0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._own = psutil.Process()
        self._children: dict[int, tuple[float, float]] = {}
        """CPU seconds of each child when it was first and last seen."""

    def __enter__(self) -> Footprint:
        """Begin."""
        self._started, self._cpu = time.perf_counter(), time.process_time()
        self._look()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; what the last look missed is less than a fifth of a second."""
        self._ended.set()
        self._watcher.join()
        self._look()
        self.seconds = time.perf_counter() - self._started
        children = sum(last - first for first, last in self._children.values())
        self.cpu_seconds = time.process_time() - self._cpu + children

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._look()

    def _look(self) -> None:
        total = self._own.memory_info().rss
        for child in self._own.children(recursive=True):
            try:
                total += child.memory_info().rss
                spent = child.cpu_times()
            except psutil.Error:  # it ended between two looks
                continue
            now = spent.user + spent.system
            born_here = child.create_time() > time.time() - (time.perf_counter() - self._started) - EVERY_S
            first = self._children.get(child.pid, (0.0 if born_here else now, now))[0]
            self._children[child.pid] = first, now
        self.peak_mb = max(self.peak_mb, total / 1e6)
