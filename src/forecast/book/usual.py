"""What a day usually brings: a walking expectation for past days, and usual units of a SKU at a community.

The walking expectation stands in for the forecast that was not kept; it uses earlier days only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.settings import BookSettings
from forecast.book.past import Floats, Ints


def walking_mean(
    finals: NDArray[np.floating],
    weekday: Ints,
    *,
    half_life_days: float,
    listed: NDArray[np.bool_] | None = None,
) -> Floats:
    """Return for each day and series what the days before it let expect.

    Level (exponentially weighted mean of units divided by the weekday's index) times the weekday's index; the index
    is the whole table's, likewise weighted and shrunk towards 1. Days before a series' first one have no past: NaN.

    Parameters
    ----------
    finals : shape (D, S)
        Units of each day.
    weekday : shape (D,)
    listed : shape (D, S), optional
        Whether a series was on sale. A day off sale is expected to bring nothing and teaches nothing.

    Examples
    --------
    >>> walking_mean(np.array([[4.0], [4.0], [4.0]]), np.array([0, 1, 2]), half_life_days=7.0)[:, 0].round(6).tolist()
    [nan, 4.0, 4.0]
    """
    days, series = finals.shape
    mean = np.full((days, series), np.nan)
    keep = 0.5 ** (1.0 / half_life_days)
    level, weight = np.zeros(series), np.zeros(series)
    index_units, index_usual = np.zeros(7), np.zeros(7)
    for today in range(days):
        on_sale = np.ones(series, bool) if listed is None else listed[today]
        usual = np.divide(level, weight, out=np.zeros(series), where=weight > 0)
        city = float((usual * on_sale).sum())
        prior = 2.0 * max(city, 1e-9)
        index = np.clip((index_units + prior) / (index_usual + prior), 0.1, 10.0)
        factor = float(index[weekday[today]])
        mean[today] = np.where(weight > 0, usual * factor * on_sale, np.nan)
        units = finals[today].astype(np.float64)
        if city > 0:
            known = on_sale & (weight > 0)
            index_units *= keep
            index_usual *= keep
            index_units[weekday[today]] += units[known].sum()
            index_usual[weekday[today]] += city
        fade = np.where(on_sale, keep, 1.0)
        level = level * fade + np.where(on_sale, units / factor, 0.0)
        weight = weight * fade + on_sale
    return mean


@dataclass(frozen=True)
class UsualDemand:
    """Usual units per SKU x community x day, for rows nobody forecast.

    Attributes
    ----------
    units : shape (S + 1,)
        Per SKU code, shrunk towards its category; the last is for unknown SKUs.
    shape : float
        Gamma shape of the demand rate across days and communities.
    """

    units: Floats
    shape: float

    @classmethod
    def unknown(cls, settings: BookSettings) -> UsualDemand:
        """Return what is assumed before anything is learned."""
        return cls(np.array([settings.unknown_units]), settings.count_dispersion)

    @classmethod
    def learn(
        cls, units_by_sku: Floats, category: Ints, *, days: float, communities: int, settings: BookSettings
    ) -> UsualDemand:
        """Return usual units from the (weighted) units per SKU of `days` (weighted) days in all communities."""
        per_day = np.maximum(units_by_sku, 0.0) / max(days, 1.0)
        count = np.maximum(np.bincount(category), 1)
        by_category = (np.bincount(category, weights=per_day) / count)[category]
        prior = settings.usual_shrink_days
        own = (per_day * days + by_category * prior) / (days + prior) / max(communities, 1)
        return cls(np.maximum(np.append(own, own.mean()), 1e-6), settings.count_dispersion)

    def remaining(self, sku: Ints, confirmed: Floats, share: Floats, communities: Floats) -> Floats:
        """Return the units still expected where only orders are known: a conjugate Gamma-Poisson update.

        With rate ~ Gamma(a, a / m) a priori and `confirmed` ~ Poisson(rate x share), the posterior mean rate is
        ``(a + confirmed) / (a / m + share)``; the remainder is that times ``1 - share``.

        Examples
        --------
        >>> usual = UsualDemand(np.array([2.0]), 2.0)
        >>> usual.remaining(np.array([0]), np.array([4.0]), np.array([0.5]), np.array([1.0])).tolist()
        [2.0]
        """
        mean = self.units[sku] * communities
        rate = (self.shape + confirmed) / (self.shape / mean + share)
        return np.asarray(rate * (1.0 - share))
