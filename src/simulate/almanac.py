"""The calendar of a world: public holidays, lunar feasts, shopping festivals and weather."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import numpy as np
import pandas as pd
from lunardate import LunarDate
from pandera.typing import DataFrame

from contracts.reference import Calendar
from simulate.demand_settings import CalendarSettings

_FESTIVALS = {(6, 18): "618", (11, 11): "双十一", (12, 12): "双十二"}
_LUNAR = {(1, 15): "元宵节", (12, 8): "腊八节", (12, 23): "小年"}


def build_calendar(
    first_day: date, last_day: date, *, settings: CalendarSettings, rng: np.random.Generator
) -> DataFrame[Calendar]:
    """Return one row per day with its holiday or event (Chinese names) and its weather forecast.

    The temperature is a yearly cosine with its low on 20 January plus an AR(1) anomaly (0.7 a day); rain falls on a
    share of days, gamma distributed with shape 0.8.
    """
    days = pd.date_range(first_day, last_day, freq="D", unit="us")
    off = holidays.country_holidays("CN", years=range(first_day.year, last_day.year + 1), language="zh_CN")
    events: list[str | None] = []
    for day in days.date:
        lunar = LunarDate.from_solar_date(day.year, day.month, day.day)
        name = off.get(day) or _LUNAR.get((lunar.month, lunar.day)) or _FESTIVALS.get((day.month, day.day))
        events.append(name)
    swing = -np.cos(2 * np.pi * (days.day_of_year.to_numpy() - 20) / 365.25)
    anomaly, noise = np.zeros(len(days)), rng.standard_normal(len(days))
    for i in range(1, len(days)):
        anomaly[i] = 0.7 * anomaly[i - 1] + np.sqrt(1 - 0.49) * noise[i]
    warm = settings.temperature_mean_c + settings.temperature_swing_c * swing + settings.temperature_sigma_c * anomaly
    wet = rng.random(len(days)) < settings.wet_share
    rain = np.where(wet, rng.gamma(0.8, settings.rain_mean_mm / 0.8, len(days)), 0.0)
    return Calendar.check(
        pd.DataFrame(
            {
                "day": days,
                "is_holiday": [day in off for day in days.date],
                "event": pd.Series(events, dtype="str"),
                "temperature_c": warm.round(1),
                "rain_mm": rain.round(1),
            }
        )
    )


def days_from_new_year(days: pd.DatetimeIndex) -> np.ndarray:
    """Return each day's distance from the nearest Lunar New Year's Day, negative before it.

    Examples
    --------
    >>> days_from_new_year(pd.DatetimeIndex(["2026-02-10", "2026-02-17", "2026-02-20"])).tolist()
    [-7, 0, 3]
    """
    years = range(days.min().year - 1, days.max().year + 2)
    feasts = pd.DatetimeIndex([LunarDate(year, 1, 1).to_solar_date() for year in years])
    gaps = (days.to_numpy()[:, None] - feasts.to_numpy()[None, :]) // np.timedelta64(1, "D")
    nearest: np.ndarray = gaps[np.arange(len(days)), np.abs(gaps).argmin(axis=1)]
    return nearest.astype(np.int64)


def is_closed(days: pd.DatetimeIndex, settings: CalendarSettings) -> np.ndarray:
    """Return which delivery dates the business rests on."""
    gap = days_from_new_year(days)
    closed: np.ndarray = (gap >= 0) & (gap < settings.new_year_closed_days)
    return closed


def span(last: date, days: int) -> pd.DatetimeIndex:
    """Return the delivery dates of a history that ends on `last`."""
    return pd.date_range(last - timedelta(days=days - 1), last, freq="D", unit="us")
