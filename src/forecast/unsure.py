"""What has no past is known less well: its quantiles are wider than those of ordinary rows of its size.

The spread of a level is learned from forecasts of goods and places with a past. A new SKU may sell a third or three
times what goods like it sell, a new community half or twice what its group's size says: by how much is read off those
that have a past, held against what would have been told of them without it. The law of a row is then the mixture of the
laws around all levels it may have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from forecast.context import Context
from forecast.levels import Level
from forecast.likeness import LEAST_KNOWN, Traits, from_traits
from forecast.panel import Panel
from forecast.recent_level import SIZE_DAYS

RECENT_DAYS = 28
LEAST_UNITS = 20.0
"""Units from which chance says less about a level than likeness does."""
USUAL_GOODS, USUAL_PLACES = 0.9, 0.5
"""Log spreads where too few have a past: of SKUs in a category by Zipf's law, and of communities in an area."""
KNOWN_AFTER_DAYS = 14
"""Days after which a community's size is known as well as anybody's."""
_LEVELS = scipy.stats.norm.ppf((np.arange(21) + 0.5) / 21)
_POINTS = tuple(((np.arange(41) + 0.5) / 41).tolist())
_STEP = 0.01
"""Means are told apart by 1 %: rows alike share one mixture."""

Values = NDArray[np.float64]


class _Quantiles(Protocol):
    def quantiles(self, mean: Values, lead: NDArray[np.int64], levels: tuple[float, ...]) -> Values: ...


@dataclass(frozen=True)
class Unsure:
    """Log standard deviation of a level around what is told of it without a past.

    Attributes
    ----------
    goods : float
        Of an SKU nobody ever sold.
    places : float
        Of a community never seen.
    """

    goods: float = USUAL_GOODS
    places: float = USUAL_PLACES

    @classmethod
    def measured(cls, panel: Panel, context: Context) -> Unsure:
        """Return how far goods and places of a panel are from what their likeness tells, as of its last known day."""
        recent = panel.quantity[-RECENT_DAYS:].astype(np.float64)
        units, listed = np.nansum(recent, axis=0), np.isfinite(recent).sum(axis=0).astype(np.float64)
        traits = Traits.of(panel.series, context)
        goods, kinds = _codes(panel, "area_id", "sku_id"), _codes(panel, "area_id", "category_id")
        places, areas = _codes(panel, "community_id"), _codes(panel, "area_id")
        price = np.log(_usual_price(panel))
        of_goods = np.column_stack([price, traits.goods])
        like = _Sums.of(goods, units, listed * _mean(kinds, units, listed)[kinds])
        size = _Sums.of(places, units, listed * _mean(goods, units, listed)[goods])
        return cls(
            goods=like.strayed(of_goods, kinds, usual=USUAL_GOODS),
            places=size.strayed(traits.members[:, None], areas, usual=USUAL_PLACES),
        )

    def of(self, panel: Panel) -> tuple[Values, Values]:
        """Return, per series of a panel, how unsure its SKU's and its community's level is; 0 for known ones."""
        seen = np.isfinite(panel.quantity[: panel.known])
        sku, place = _codes(panel, "sku_id"), _codes(panel, "community_id")
        sold = np.bincount(sku, seen.any(axis=0)) > 0
        days = np.zeros(int(place.max()) + 1)
        for row in range(max(0, panel.known - KNOWN_AFTER_DAYS), panel.known):
            days += np.bincount(place[seen[row]], minlength=len(days)) > 0
        before = np.bincount(place, seen[: max(0, panel.known - KNOWN_AFTER_DAYS)].any(axis=0)) > 0
        young = np.where(before | (days >= KNOWN_AFTER_DAYS), 0.0, self.places * SIZE_DAYS / (SIZE_DAYS + days))
        return np.where(sold, 0.0, self.goods)[sku], young[place]


@dataclass(frozen=True)
class _Sums:
    """Units of groups of series over what their peers say, and one series of each group."""

    units: Values
    usual: Values
    first: NDArray[np.int64]

    @classmethod
    def of(cls, group: NDArray[np.int64], units: Values, usual: Values) -> _Sums:
        first = np.unique(group, return_index=True)[1]
        units, usual = (np.bincount(group, each).astype(np.float64) for each in (units, usual))
        return cls(units, usual, first)

    def strayed(self, traits: Values, peers: NDArray[np.int64], *, usual: float) -> float:
        """Return the standard deviation of log units around what traits tell; `usual` where too few are known."""
        known = (self.units >= LEAST_UNITS) & (self.usual > 0)
        if known.sum() < LEAST_KNOWN:
            return usual
        ratio = np.where(known, self.units / np.where(known, self.usual, 1.0), np.nan)
        told = from_traits(traits[self.first], ratio, known.astype(np.float64), peers[self.first])
        return float(np.std(np.log(ratio[known] / told[known])))


def unsure_of_sums(level: Level, series: pd.DataFrame, mean: Values, unsure: tuple[Values, Values]) -> Values:
    """Return the log standard deviation of each sum of a level, from that of its series.

    An SKU's level strays in all communities together, a community's in all its SKUs; different ones each on their own.

    Parameters
    ----------
    series : n rows
        What the level groups.
    mean : n
        Forecast of each series.
    unsure : two of n
        How unsure each series' SKU and community are.
    """
    total = np.maximum(np.bincount(level.group, mean, level.size), 1e-12)
    variance = np.zeros(level.size)
    for each, column in zip(unsure, ("sku_id", "community_id"), strict=True):
        inside = each > 0
        if not inside.any():
            continue
        code, names = pd.factorize(series.loc[inside, column])
        pairs, which = np.unique(level.group[inside] * len(names) + code, return_inverse=True)
        together = np.bincount(which, (each * mean)[inside])
        variance += np.bincount(pairs // len(names), together**2, level.size)
    return np.asarray(np.sqrt(variance) / total)


def mixed_quantiles(
    spread: _Quantiles, mean: Values, lead: NDArray[np.int64], levels: tuple[float, ...], unsure: Values
) -> Values:
    """Return quantiles N x len(levels) of forecasts whose own level is unsure by a log standard deviation.

    Rows with nothing unsure have the spread's own; the mean of the levels a row may have is its forecast.
    """
    out = spread.quantiles(mean, lead, levels)
    wide = np.flatnonzero(unsure > 0)
    if not len(wide):
        return out
    step = np.rint(np.log(np.maximum(mean[wide], 1e-3)) / _STEP)
    alike, which = np.unique(np.stack([step, lead[wide], np.round(unsure[wide], 2)]), axis=1, return_inverse=True)
    factor = np.exp(alike[2][:, None] * _LEVELS)
    means = np.exp(alike[0] * _STEP)[:, None] * factor / factor.mean(axis=1, keepdims=True)
    points = spread.quantiles(means.ravel(), np.repeat(alike[1].astype(np.int64), len(_LEVELS)), _POINTS)
    points = points.reshape(len(means), -1)
    out[wide] = np.quantile(points, levels, axis=1, method="inverted_cdf").T[which.ravel()]
    return out


def _codes(panel: Panel, *columns: str) -> NDArray[np.int64]:
    return panel.series.groupby(list(columns), sort=False).ngroup().to_numpy().astype(np.int64)


def _mean(group: NDArray[np.int64], units: Values, listed: Values) -> Values:
    """Return each group's units per listed day; 0 where nothing was listed."""
    days = np.bincount(group, listed)
    return np.asarray(np.bincount(group, units) / np.where(days > 0, days, 1.0))


def _usual_price(panel: Panel) -> Values:
    """Return each series' newest price without promotion of the recent known days; NaN without one."""
    price = np.full(panel.width, np.nan)
    for row in range(panel.known - 1, max(-1, panel.known - 1 - RECENT_DAYS), -1):
        asked = np.where(panel.list_price[row] > 0, panel.list_price[row], panel.price[row])
        price = np.where(np.isnan(price) & (asked > 0), asked, price)
    return price
