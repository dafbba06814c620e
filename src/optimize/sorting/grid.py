"""The hour grid of a sorting floor: regular waves from opening to closing, then overtime waves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.clock import clock_instant
from contracts.settings import CitySettings, SortingSettings


def wave_grid(
    opens_at: str,
    closes_at: str,
    *,
    delivery_date: pd.Timestamp,
    city: CitySettings,
    settings: SortingSettings,
    not_before: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Return a floor's waves: ``wave`` (from 1), ``starts_at``, ``ends_at``, ``hours``, ``overtime``.

    Waves last `settings.wave_minutes`; the last regular one ends at closing time even if it is shorter. Overtime
    waves follow until `settings.overtime_minutes` after closing; the last one may be shorter too. Waves that start
    before `not_before` are left out; the others keep their numbers.

    Examples
    --------
    >>> grid = wave_grid("00:30", "02:00", delivery_date=pd.Timestamp("2026-03-02"), city=CitySettings(),
    ...                  settings=SortingSettings(overtime_minutes=60))
    >>> grid["hours"].tolist(), grid["overtime"].tolist()
    ([1.0, 0.5, 1.0], [False, False, True])
    """
    opens, closes = (
        clock_instant(clock, delivery_date=delivery_date, timezone=city.timezone) for clock in (opens_at, closes_at)
    )
    regular = (closes - opens).total_seconds() / 60.0
    step = float(settings.wave_minutes)
    borders = [np.arange(0.0, regular, step), regular + np.arange(0.0, float(settings.overtime_minutes), step)]
    starts = np.concatenate(borders)
    ends = np.append(starts[1:], regular + settings.overtime_minutes)
    grid = pd.DataFrame(
        {
            "wave": np.arange(1, len(starts) + 1),
            "starts_at": (opens + pd.to_timedelta(starts, unit="min")).as_unit("us"),
            "ends_at": (opens + pd.to_timedelta(ends, unit="min")).as_unit("us"),
            "hours": (ends - starts) / 60.0,
            "overtime": starts >= regular,
        }
    )
    return grid if not_before is None else grid[grid["starts_at"] >= not_before].reset_index(drop=True)
