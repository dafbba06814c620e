"""A trained demand model: everything prediction needs, as one value that can be stored and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from contracts.settings import CitySettings, ForecastSettings
from forecast.calm import Passing
from forecast.combination import Combination
from forecast.context import Context
from forecast.members.protocol import Fitted
from forecast.own_right import OwnLevel
from forecast.panel import Panel
from forecast.promise import no_day_errors
from forecast.recent_bias import RecentBias
from forecast.spread import PoissonSpread, Spread
from forecast.unsure import Unsure


@dataclass(frozen=True)
class DemandModel:
    """Fitted members, their weights and the spread of demand around them.

    Attributes
    ----------
    members : mapping of name to fitted member
        Those the combination uses; the first name of the combination leads.
    spreads : mapping of level to spread
        Each level's own errors: an aggregate's quantiles are never sums of its parts' quantiles.
    passing : Passing
        What promotions and curiosity about new goods do, which the members learned without.
    own_levels : tuple of OwnLevel
        Sums forecast in their own right, to which the communities are reconciled.
    recent_bias : RecentBias
        What the newest rolling forecasts missed by, where taking it off would have helped every time.
    unsure : Unsure
        How far goods and communities without a past may be from what is told of them.
    fallback : str
        Empty, or why a simpler way than the rolling origins answers; it then stands in `source`.
    trained_until : Timestamp
        Last delivery date learned from.
    last_level : DataFrame
        ``community_id, sku_id, mean``: the recent level at training, for a prediction without any history.
    scores : DataFrame
        Rolling-origin scores of the members and of the combination.
    fingerprint : str
        SHA-256 of the training data.
    promise : DataFrame
        Day errors on the rolling origins, see `forecast.promise`; empty for a fallback.
    """

    members: Mapping[str, Fitted]
    combination: Combination
    spreads: Mapping[str, Spread | PoissonSpread]
    context: Context
    settings: ForecastSettings
    city: CitySettings
    trained_until: pd.Timestamp
    last_level: pd.DataFrame
    scores: pd.DataFrame
    fingerprint: str
    whole: bool
    passing: Passing
    own_levels: tuple[OwnLevel, ...] = ()
    recent_bias: RecentBias = field(default_factory=RecentBias)
    unsure: Unsure = field(default_factory=Unsure)
    fallback: str = ""
    promise: pd.DataFrame = field(default_factory=no_day_errors)


def fingerprint(panel: Panel) -> str:
    """Return the SHA-256 of a panel's series, days and values.

    Two histories with the same facts have the same fingerprint, in whatever order their rows came.
    """
    digest = hashlib.sha256()
    digest.update(panel.series.to_csv(index=False).encode())
    digest.update(str(panel.days[0]).encode())
    for matrix in (panel.quantity, panel.censored, panel.price[: panel.known]):
        digest.update(np.ascontiguousarray(matrix).data)
    return digest.hexdigest()
