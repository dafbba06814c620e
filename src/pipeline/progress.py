"""How long work tells the outside how far it is: a callable that gets the current step and the fraction done."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives how far long work is; called often, must be quick."""

    def __call__(self, step: str, fraction: float) -> None:
        """Take note that the work is at `step` and `fraction` (0 to 1) of all of it is done."""


def silent(step: str, fraction: float) -> None:
    """Ignore progress."""
