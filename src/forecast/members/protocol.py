"""What a member is: something that fits a panel once and forecasts it from any origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecast.context import Context
from forecast.panel import Panel

Forecasts = NDArray[np.float32]
"""Expected units, origins x horizons x series; NaN where the member has no answer."""


class Fitted(Protocol):
    """A member that has learned what it needs to learn."""

    @property
    def name(self) -> str:
        """Name that stands in `source`."""
        ...

    def forecast(self, panel: Panel, context: Context, *, origins: Sequence[int], horizons: Sequence[int]) -> Forecasts:
        """Return forecasts of ``origin + horizon`` from demand up to and including each origin (a row of the panel)."""
        ...


class Member(Protocol):
    """A way to forecast."""

    @property
    def name(self) -> str:
        """Name that stands in `source`."""
        ...

    def fit(self, panel: Panel, context: Context) -> Fitted:
        """Return the member fitted to every known day of the panel."""
        ...
