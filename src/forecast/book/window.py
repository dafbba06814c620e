"""The order window of a delivery date: when it opens, its cutoff, and how many wall minutes are left at an instant.

People order by the clock on the wall, so arrival habits are learned over wall minutes left to the cutoff; whether an
order still counts is decided by instants. The two differ only in a night when clocks change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.clock import clock_instant, clock_minutes
from contracts.errors import InputError, SettingsError
from contracts.settings import CitySettings

_DAY_MINUTES = 1440


@dataclass(frozen=True)
class OrderWindow:
    """Opening and cutoff as clock times relative to the delivery date, on the city's wall.

    Examples
    --------
    >>> window = OrderWindow.of(CitySettings())
    >>> window.open_minutes
    1380
    >>> day, at = pd.Timestamp("2026-03-02"), pd.Timestamp("2026-03-01 18:00", tz="Asia/Shanghai")
    >>> window.minutes_left(at, day)
    300.0
    """

    orders_open: str
    cutoff: str
    timezone: str

    @classmethod
    def of(cls, city: CitySettings) -> OrderWindow:
        """Return the city's window.

        Raises
        ------
        SettingsError
            The window closes before it opens.
        """
        if clock_minutes(city.orders_open) >= clock_minutes(city.cutoff):
            raise SettingsError(
                f"city.orders_open {city.orders_open!r} must lie before city.cutoff {city.cutoff!r}: "
                "no order could be placed."
            )
        return cls(orders_open=city.orders_open, cutoff=city.cutoff, timezone=city.timezone)

    @property
    def open_minutes(self) -> int:
        """Return the wall minutes from opening to cutoff."""
        return clock_minutes(self.cutoff) - clock_minutes(self.orders_open)

    def order_day(self, delivery_date: pd.Timestamp) -> pd.Timestamp:
        """Return the day on which the window closes: the day people live in while they order."""
        return delivery_date + pd.Timedelta(days=clock_minutes(self.cutoff) // _DAY_MINUTES)

    def cutoff_at(self, delivery_date: pd.Timestamp) -> pd.Timestamp:
        """Return the instant of the cutoff; an order at that very moment still counts."""
        return clock_instant(self.cutoff, delivery_date=delivery_date, timezone=self.timezone)

    def cutoffs_at(self, delivery_dates: pd.Series) -> pd.Series:
        """Return the instant of each row's cutoff."""
        instants = {day: self.cutoff_at(day) for day in delivery_dates.unique()}
        return delivery_dates.map(instants).astype("datetime64[us, UTC]")

    def minutes_left(self, instant: pd.Timestamp, delivery_date: pd.Timestamp) -> float:
        """Return the wall minutes from an instant to the cutoff; negative after it."""
        wall = instant.tz_convert(self.timezone).tz_localize(None)
        return clock_minutes(self.cutoff) - (wall - delivery_date).total_seconds() / 60.0

    def all_minutes_left(self, instants: pd.Series, delivery_dates: pd.Series) -> NDArray[np.float64]:
        """Return `minutes_left` row by row; NaN where there is no instant."""
        wall = instants.dt.tz_convert(self.timezone).dt.tz_localize(None)
        passed = (wall - delivery_dates).dt.total_seconds().to_numpy(np.float64) / 60.0
        return np.asarray(clock_minutes(self.cutoff) - passed)


def zoned(as_of: pd.Timestamp) -> pd.Timestamp:
    """Return the moment in UTC.

    Raises
    ------
    InputError
        It has no time zone, so it is no instant.
    """
    moment = pd.Timestamp(as_of)
    if pd.isna(moment) or moment.tzinfo is None:
        raise InputError(f"as_of must be an instant with a time zone; got {as_of!r}.")
    return moment.tz_convert("UTC").as_unit("us")
