"""When orders come: an exact arrival curve, and draws from it.

The order day of a delivery date is the day before it. For order weekday w and category g the share placed by minute
t is a mixture of truncated normals on [open, cutoff]:

``F(t) = sum_j weight[w, g, j] * (Phi((t - mu_j) / s_j) - Phi((open - mu_j) / s_j)) / (mass of j on the interval)``

A household orders in one session of one peak j, so all its lines share a moment while every category keeps its own
exact curve. A day's early weight moves by a factor that is one on average, so the curve stays exact in expectation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame
from scipy.special import ndtr, ndtri

from contracts.clock import clock_minutes
from contracts.planned import ArrivalCurve
from contracts.settings import CitySettings
from simulate.catalogue import Category
from simulate.demand_settings import ArrivalSettings


@dataclass(frozen=True)
class Arrivals:
    """The mixture in numbers; minutes from midnight of the order day.

    Attributes
    ----------
    weights : ndarray, shape (7, G, J)
        By weekday of the order day (Monday 0), category and peak; sums to one over the peaks.
    """

    opens: float
    cutoff: float
    centre: np.ndarray
    sigma: np.ndarray
    weights: np.ndarray

    def by_peak(self, minutes: np.ndarray) -> np.ndarray:
        """Return the share of each peak placed by the minutes, shape (len(minutes), J)."""
        t = np.clip(np.asarray(minutes, dtype=np.float64), self.opens, self.cutoff)[:, None]
        low = ndtr((self.opens - self.centre) / self.sigma)
        mass = ndtr((self.cutoff - self.centre) / self.sigma) - low
        share: np.ndarray = (ndtr((t - self.centre) / self.sigma) - low) / mass
        return np.asarray(np.clip(share, 0.0, 1.0))

    def draw(self, peak: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Return minutes of sessions by inverting the truncated normal of their peak."""
        low = ndtr((self.opens - self.centre) / self.sigma)[peak]
        high = ndtr((self.cutoff - self.centre) / self.sigma)[peak]
        minute = self.centre[peak] + self.sigma[peak] * ndtri(low + uniform * (high - low))
        inside: np.ndarray = np.clip(minute, self.opens, self.cutoff - 1.0 / 60.0)
        return inside

    def day_weights(self, weekday: int, shift: float) -> np.ndarray:
        """Return the peak weights of a day, shape (G, J), whose early half is moved by `shift` (mean zero).

        The early peaks gain ``shift * early * late`` of weight, taken from the late ones in proportion, so weights
        stay non-negative for ``abs(shift) <= 1`` and average to the curve's.
        """
        usual = self.weights[weekday]
        early = self.centre < (self.opens + self.cutoff) / 2 + 180.0
        share = usual[:, early].sum(axis=1, keepdims=True)
        moved = usual.copy()
        moved[:, early] *= 1.0 + shift * (1.0 - share)
        moved[:, ~early] *= 1.0 - shift * share
        return np.asarray(moved)


def build_arrivals(settings: ArrivalSettings, categories: tuple[Category, ...], city: CitySettings) -> Arrivals:
    """Return the arrival mixture of a world."""
    centre = np.array([clock_minutes(peak) for peak in settings.peaks], dtype=np.float64)
    evening = centre >= 18 * 60
    weights = np.empty((7, len(categories), len(centre)))
    for weekday in range(7):
        for g, kind in enumerate(categories):
            raw = np.array(settings.weights) * np.where(evening, kind.late, 1.0)
            raw = raw * np.where(~evening & (weekday >= 5), settings.weekend_day_factor, 1.0)
            weights[weekday, g] = raw / raw.sum()
    return Arrivals(
        opens=clock_minutes(city.orders_open) + 1440.0,
        cutoff=clock_minutes(city.cutoff) + 1440.0,
        centre=centre,
        sigma=np.array(settings.sigmas),
        weights=weights,
    )


def curve_table(arrivals: Arrivals, categories: tuple[Category, ...], *, step: int = 5) -> DataFrame[ArrivalCurve]:
    """Return the exact curve every `step` minutes of the order day."""
    minutes = np.arange(0, 1440 + 1, step)
    shares = np.einsum("tj,wgj->wgt", arrivals.by_peak(minutes), arrivals.weights)
    rows, g = len(minutes), len(categories)
    ids = [kind.category_id for kind in categories]
    return ArrivalCurve.check(
        pd.DataFrame(
            {
                "weekday": np.repeat(np.arange(7), g * rows),
                "category_id": np.tile(np.repeat(ids, rows), 7),
                "minute": np.tile(minutes, 7 * g),
                "share": np.clip(shares.ravel(), 0.0, 1.0),
            }
        )
    )
