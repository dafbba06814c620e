"""Members: every way to forecast a panel, all with the same two calls; baselines are members, not strawmen."""

from forecast.members.boosting import GlobalModel
from forecast.members.catalogue import MEMBERS, member
from forecast.members.intermittent import IntermittentDemand
from forecast.members.protocol import Fitted, Forecasts, Member
from forecast.members.seasonal import MovingAverage, SeasonalNaive
from forecast.members.smoothing import ExponentialSmoothing

__all__ = [
    "MEMBERS",
    "ExponentialSmoothing",
    "Fitted",
    "Forecasts",
    "GlobalModel",
    "IntermittentDemand",
    "Member",
    "MovingAverage",
    "SeasonalNaive",
    "member",
]
