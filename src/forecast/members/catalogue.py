"""The members by name, for settings, backtests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable

from contracts.errors import SettingsError
from contracts.settings import ForecastSettings
from forecast.members.boosting import GlobalModel
from forecast.members.intermittent import IntermittentDemand
from forecast.members.outside import OutsideEstimate
from forecast.members.protocol import Member
from forecast.members.rule import DailySales
from forecast.members.seasonal import MovingAverage, SeasonalNaive
from forecast.members.smoothing import ExponentialSmoothing
from forecast.partition import PARTITIONED, ByArea

MEMBERS: dict[str, Callable[[ForecastSettings], Member]] = {
    "seasonal_naive": lambda settings: SeasonalNaive(),
    "daily_sales_x8": lambda settings: DailySales(),
    "weekday_mean": lambda settings: SeasonalNaive(weeks=4),
    "moving_average": lambda settings: MovingAverage(),
    "croston": lambda settings: IntermittentDemand("croston"),
    "sba": lambda settings: IntermittentDemand("sba"),
    "tsb": lambda settings: IntermittentDemand("tsb"),
    "ets": lambda settings: ExponentialSmoothing("ets"),
    "theta": lambda settings: ExponentialSmoothing("theta"),
    "outside_estimate": lambda settings: OutsideEstimate(),
    "lightgbm": lambda settings: GlobalModel(settings),
}


def member(name: str, settings: ForecastSettings) -> Member:
    """Return the member of that name; under ``by_area`` those worth it are fitted per area.

    Raises
    ------
    SettingsError
        There is no such member; the sentence names those there are.
    """
    if name not in MEMBERS:
        raise SettingsError(f"There is no forecast member {name!r}; there are {', '.join(MEMBERS)}.")
    one = MEMBERS[name](settings)
    return ByArea(one, settings.by_area) if settings.by_area and name in PARTITIONED else one
