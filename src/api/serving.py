"""Which model serves, told at once: looked up beside the requests, because a registry may take seconds to answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from contracts.errors import TuancaiError

_LOG = logging.getLogger(__name__)
FRESH_S = 15.0
"""A promotion shows on the readiness page within this time; plans and forecasts ask the registry every time."""
NOT_YET = "being looked up"


class ServingModel:
    """The last known state of the serving model, renewed in the background when it is asked for and old."""

    def __init__(self, *, fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._told = NOT_YET
        self._at = -float("inf")
        self._looking = threading.Lock()

    def state(self, look: Callable[[], str]) -> str:
        """Return what is known now; start looking when that is old. Never waits.

        Parameters
        ----------
        look
            Returns the state in words, or raises a `TuancaiError` whose sentence is the state.
        """
        told = self._told
        if time.monotonic() - self._at > self._fresh_s and self._looking.acquire(blocking=False):
            threading.Thread(target=self._look, args=(look,), name="serving-model", daemon=True).start()
        return told

    def _look(self, look: Callable[[], str]) -> None:
        try:
            self._told = look()
        except TuancaiError as error:
            self._told = str(error)
        except Exception as error:
            self._told = f"cannot be looked up: {type(error).__name__}"
            raise
        finally:
            self._at = time.monotonic()
            self._looking.release()
