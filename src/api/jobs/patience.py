"""Trying again what the database or the disk refuses for a moment: a lock, a lost connection, a disk that is full."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from contracts.errors import ConflictError, NotFoundError, StoreError

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Seconds before the second try, and at most before any: each pause is twice the one before."""
STAGE_TRIES = 6
"""A stage waits a quarter of a minute for its store; then its job fails and says why."""
BOOK_TRIES = 120
"""Start and end of a job are written down for an hour: a job whose end nobody wrote seems to run for ever."""


class WorkerEndedError(BaseException):
    """The worker ends while it waits. Nobody catches this: the job stays open and the next start takes it up."""


def insist(work: Callable[[], T], what: str, *, tries: int, ended: threading.Event) -> T:
    """Return what `work` returns, tried again with growing pauses while the store can be neither read nor written.

    Raises
    ------
    StoreError
        Still so after the last try; at once when a thing is not there or is there with other content, which no waiting
        mends. Whatever else `work` raises comes at once too.
    WorkerEndedError
        The worker was told to end meanwhile.
    """
    pause = FIRST_PAUSE_S
    for left in reversed(range(tries)):
        try:
            return work()
        except (NotFoundError, ConflictError):
            raise
        except StoreError as refused:
            if not left:
                raise
            _LOG.warning("%s waits %.1f s: %s", what, pause, refused)
        if ended.wait(pause):
            raise WorkerEndedError(what)
        pause = min(2 * pause, LONGEST_PAUSE_S)
    raise ValueError(f"{what}: tries is {tries}, expected at least 1.")
