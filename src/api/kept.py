"""Values kept in memory up to a bound, each made once however many ask for it at the same time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import pandas as pd

V = TypeVar("V")


def frame_bytes(frame: pd.DataFrame) -> int:
    """Return what a frame weighs in memory."""
    return int(frame.memory_usage(deep=True).sum())


class Kept(Generic[V]):
    """The values asked for lately, at most so many bytes; the one asked for longest ago goes first.

    Keys say everything a value depends on, so a kept value is never old: what changed has another key.
    """

    def __init__(self, *, most_bytes: int, weigh: Callable[[V], int]) -> None:
        self._most = most_bytes
        self._weigh = weigh
        self._values: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], V], *, holds: Callable[[], bool] = lambda: True) -> V:
        """Return the value of a key, made now if it is not kept; whoever asks meanwhile waits for the same value.

        `holds` is asked after a value was made: False when the key no longer says what it depends on; then the value
        is handed out and not kept.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key][0]
            try:
                value = make()
                if holds():
                    self._keep(key, value)
            finally:
                with self._lock:
                    self._making.pop(key, None)
            return value

    def _keep(self, key: Hashable, value: V) -> None:
        weight = self._weigh(value)
        if weight > self._most:
            return
        with self._lock:
            self._values[key] = (value, weight)
            self._bytes += weight
            while self._bytes > self._most:
                self._bytes -= self._values.popitem(last=False)[1][1]
