"""How a long step tells the outside how far it is: a callable that gets the step's name and a fraction."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives how far a named step is; called often, must be quick."""

    def __call__(self, step: str, fraction: float) -> None:
        """Take note that `step` has done `fraction` (0 to 1) of its work."""


def silent(step: str, fraction: float) -> None:
    """Ignore progress."""
