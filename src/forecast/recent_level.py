"""The base of a series: its recent level, shrunk towards what its peers say it should be.

All features are told relative to it, so one model serves a community that buys two a week and a warehouse that moves a
thousand a day; what never was on sale starts from its peers alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forecast.likeness import Traits, from_traits
from forecast.panel import Panel
from forecast.windows import Windows

LONG_DAYS = 182
PLANNED_DAYS = 28
"""Days ahead whose planned prices tell what a new SKU costs."""
SMALLEST_BASE = 1e-3
SIZE_DAYS, TASTE_DAYS = 0.5, 4.0
"""Days by which a community's size is told apart from what its area and its group say: a day of some fifty lines tells
it within a third, and communities differ by half; of a single category a day shows five lines, and tastes differ by a
quarter."""
SIZED_DAYS = 7.0
"""Days after which a community's size says something about how sizes go with the people in a leader's group."""
FASHION_UNITS = 5.0
"""Units of an SKU in the other communities of an area for which its half year is believed unchanged."""
RANGE = (0.2, 5.0)

Values = NDArray[np.float64]


class RecentLevel:
    """Recent levels of a panel's series as of any origin.

    Parameters
    ----------
    own, pools, whole : Windows
        Of the series, of groups of them by name, and of all together.
    groups : int64 by name, n
        The group each series belongs to.
    days : int
        The recent days.
    prior_days : float
        Days of its peers' level a series is believed to have had.
    """

    def __init__(
        self,
        panel: Panel,
        traits: Traits,
        *,
        own: Windows,
        pools: Mapping[str, Windows],
        groups: Mapping[str, NDArray[np.int64]],
        whole: Windows,
        days: int,
        prior_days: float,
    ) -> None:
        self._panel, self._traits = panel, traits
        self._own, self._pool, self._group, self._whole = own, pools, groups, whole
        self._days, self._prior_days = days, prior_days

    def at(self, origin: int) -> Values:
        """Return each series' recent mean per listed day, shrunk towards its peers; positive, n values.

        Peers are the SKU's mean in the area times how the community compares with its area in the category (`_size`).
        An SKU that has no mean there has that of all areas, or that of goods like it (`likeness`); without any of
        them, the mean of all counts.
        """
        days, weight = self._days, self._prior_days
        peers = self._peers(origin)
        long_units, long_listed = self._own.total(origin, LONG_DAYS)
        units, listed = self._own.total(origin, days)
        before = np.maximum(long_units - units, 0.0) * self._fashion(origin)
        older = (units + before + weight * peers) / (long_listed + weight)
        return np.maximum((units + weight * older) / (listed + weight), SMALLEST_BASE)

    def _fashion(self, origin: int) -> Values:
        """Return how each series' SKU sells in the other communities of its area now, over its half year there.

        A series' own half year says what part of its SKU's sales it makes; how much the SKU sells now, all the others
        tell much better. Without this every SKU that comes into fashion is told too low, and the others too high. Where
        there are no others it is 1.
        """
        group = self._group["sku_area"]
        now, usual = [], []
        for windows, own in ((self._pool["sku_area"], False), (self._own, True)):
            units, listed = windows.total(origin, self._days)
            half_year = np.nan_to_num(windows.mean(origin, LONG_DAYS)) * listed
            now.append(units if own else units[group])
            usual.append(half_year if own else half_year[group])
        others, expected = (np.maximum(pair[0] - pair[1], 0.0) for pair in (now, usual))
        return np.asarray((others + FASHION_UNITS) / (expected + FASHION_UNITS))

    def _peers(self, origin: int) -> Values:
        units, listed = self._own.total(origin, self._days)
        goods = self._goods(origin, units.sum() / max(listed.sum(), 1.0))
        usual = goods * listed * self._days_seen(origin)[self._group["community"]]
        return np.asarray(goods * np.clip(self._size(usual, units, listed), *RANGE))

    def _goods(self, origin: int, overall: float) -> Values:
        """Return what each series' SKU sells in an average community of the area per listed day."""
        category = _filled(self._pooled("category_area", origin), overall)
        here, anywhere = self._pooled("sku_area", origin), self._pooled("sku", origin)
        unknown = np.isnan(here) & np.isnan(anywhere)
        price = np.log(self._price(origin, unknown)) if unknown.any() else np.full(len(here), np.nan)
        if not np.isfinite(price[unknown]).any():
            return _filled(here, _filled(anywhere, category))
        first = np.unique(self._group["sku_area"], return_index=True)[1]  # one series for each SKU of an area
        listed = self._pool["sku_area"].total(origin, self._days)[1][self._group["sku_area"][first]]
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = (here / category)[first]
        traits = np.column_stack([price, self._traits.goods])[first]
        like = np.ones(int(self._group["sku_area"].max()) + 1)
        like[self._group["sku_area"][first]] = from_traits(
            traits, np.where(np.isfinite(ratio), ratio, np.nan), listed, self._group["category_area"][first]
        )
        return _filled(here, _filled(anywhere, category * like[self._group["sku_area"]]))

    def _price(self, origin: int, unknown: NDArray[np.bool_]) -> Values:
        """Return each series' usual price without promotion: of the recent days, or the first planned for new goods."""
        panel = self._panel
        price = np.full(panel.width, np.nan)
        recent = range(origin, max(-1, origin - self._days), -1)
        planned = range(origin + 1, min(origin + 1 + PLANNED_DAYS, len(panel.days)))
        for row in (*recent, *planned):
            open_ = np.isnan(price) if row <= origin else np.isnan(price) & unknown
            if not open_.any():
                break
            asked = np.where(panel.list_price[row] > 0, panel.list_price[row], panel.price[row])
            price[open_] = np.where(asked > 0, asked, np.nan)[open_]
        return price

    def _days_seen(self, origin: int) -> Values:
        """Return how the days on which each community was seen compare with the whole window: moods and weekdays."""
        mean = self._whole.mean(origin, self._days)[0]
        number, level = (np.zeros(len(self._pool["community"].total(origin, 1)[0])) for _ in range(2))
        for day in range(max(0, origin + 1 - self._days), origin + 1):
            listed = self._pool["community"].total(day, 1)[1]
            number += listed
            level += listed * np.nan_to_num(self._whole.value(day)[0])
        usual = number * mean
        return np.where(usual > 0, level / np.where(usual > 0, usual, 1.0), 1.0)

    def _size(self, usual: Values, units: Values, listed: Values) -> Values:
        """Return what each series' community sells in its category over what is usual in the area for the same goods.

        A community counts as one of its group's size (`_told_size`) for `SIZE_DAYS` days, and in a category as in all
        for `TASTE_DAYS` days.
        """
        size = self._told_size(usual, units, listed)
        for name, caution in (("community", SIZE_DAYS), ("category_community", TASTE_DAYS)):
            ratio, seen = _compared(self._group[name], usual, units, listed)
            group = self._group[name]
            size = (ratio * seen)[group] / (seen[group] + caution) + size * caution / (seen[group] + caution)
        return size

    def _told_size(self, usual: Values, units: Values, listed: Values) -> Values:
        """Return what the people in its leader's group say about each series' community; 1 where they are not told."""
        if not np.isfinite(self._traits.members).any():
            return np.ones(len(usual))
        group = self._group["community"]
        present, first = np.unique(group, return_index=True)
        ratio, seen = (each[present] for each in _compared(group, usual, units, listed))
        ratio = np.where(seen >= SIZED_DAYS, ratio, np.nan)
        area = np.unique(self._panel.series["area_id"].to_numpy()[first], return_inverse=True)[1]
        told = np.ones(int(present.max()) + 1)
        told[present] = from_traits(self._traits.members[first, None], ratio, np.ones(len(first)), area)
        return told[group]

    def _pooled(self, pool: str, origin: int) -> Values:
        return self._pool[pool].mean(origin, self._days)[self._group[pool]]


def _compared(group: NDArray[np.int64], usual: Values, units: Values, listed: Values) -> tuple[Values, Values]:
    """Return each group's units over what is usual, 1 where nothing is, and the most days any of its series was on."""
    sold, peers = (np.bincount(group, values) for values in (units, usual))
    seen = np.zeros(len(sold))
    np.maximum.at(seen, group, listed)
    return np.where(peers > 0, sold / np.where(peers > 0, peers, 1.0), 1.0), seen


def _filled(values: Values, other: Values | float) -> Values:
    return np.where(np.isnan(values), other, values)
