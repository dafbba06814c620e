"""Whole numbers for the solver: metres, seconds, hundredths of a kilogram and litre, fine-grained money.

PyVRP computes in 64-bit integers. Travel and times are whole metres and seconds already (`travel`, `data`). The rest
is scaled here, always to the safe side, so that what the solver calls feasible is feasible in floats:

- loads are rounded up and capacities down to 0.01 kg and 0.01 l (exact where all values are whole already); a van
  loses at most 0.01 per stop;
- money is counted in the coarsest of 1, 10^-2, 10^-4, 10^-6 yuan per metre and second that keeps every rate exact;
  failing that in 10^-6 yuan, and a rate is off by at most half of that: 0.0005 yuan per km, 0.0018 yuan per hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from optimize.routing.territory import Territory, Van

LOAD_STEPS = (1, 10, 100)
MONEY_STEPS = (1, 100, 10_000, 1_000_000)
NO_LIMIT = 1 << 40
"""Stands for an absent capacity or a window that never closes; far above any load or moment of a night."""
NEVER = int(np.iinfo(np.int64).max)
"""The solver's own value for no limit in time, which lets it skip the arithmetic of windows."""


@dataclass(frozen=True)
class Scale:
    """Units of a territory in whole numbers.

    Attributes
    ----------
    load_step : int
        Solver units per kg and per litre.
    money_step : int
        Solver money units per yuan.
    origin_s : int
        Second that becomes the solver's zero.
    """

    load_step: int
    money_step: int
    origin_s: int

    def load(self, amount: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return loads in solver units, rounded up."""
        return np.ceil(amount * self.load_step - 1e-6).astype(np.int64)

    def capacity(self, amount: float) -> int:
        """Return a capacity in solver units, rounded down."""
        return int(min(np.floor(amount * self.load_step + 1e-6), NO_LIMIT))

    def money(self, yuan: float) -> int:
        """Return yuan in solver units, rounded to the nearest."""
        return round(yuan * self.money_step)

    def clock(self, seconds: int) -> int:
        """Return a moment in solver seconds; what lies before the origin is the origin, beyond all time is never."""
        return NEVER if seconds >= NO_LIMIT else max(int(seconds) - self.origin_s, 0)


def scale_of(territory: Territory) -> Scale:
    """Return the coarsest scale that is exact for the territory, or the finest there is."""
    stops = territory.stops
    loads = np.concatenate(
        [stops.load_kg, stops.load_l, *([van.capacity_kg, van.capacity_l] for van in territory.vans)]
    )
    rates = list(chain.from_iterable(_rates(van) for van in territory.vans))
    if territory.unserved_yuan is not None:
        rates.append(territory.unserved_yuan)
    moments = [van.shift_start_s for van in territory.vans]
    return Scale(
        load_step=_exact_step(loads[np.isfinite(loads)], LOAD_STEPS),
        money_step=_exact_step(np.array(rates), MONEY_STEPS),
        origin_s=min(moments, default=0),
    )


def _rates(van: Van) -> tuple[float, float, float]:
    return van.fixed_yuan, van.yuan_per_km / 1000.0, van.yuan_per_hour / 3600.0


def _exact_step(values: NDArray[np.float64], steps: tuple[int, ...]) -> int:
    for step in steps:
        scaled = values * step
        if np.allclose(scaled, np.rint(scaled), rtol=0.0, atol=1e-9):
            return step
    return steps[-1]
