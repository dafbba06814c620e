"""Order sessions of a city: the order window each SKU is sold in, where goods close at different cutoffs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.clock import clock_minutes
from contracts.errors import UnknownReferenceError
from contracts.reference import Skus
from contracts.settings import CitySettings
from forecast.book.past import Ints
from forecast.book.window import OrderWindow


@dataclass(frozen=True)
class Sessions:
    """Order windows of a city, the city's own first, and who closes earlier.

    Attributes
    ----------
    windows : tuple of OrderWindow
    by_sku, by_category : dict
        Id to the position in `windows`; a SKU's own entry wins over its category's.

    Examples
    --------
    >>> sessions = Sessions.of(CitySettings(cutoff_by_category={"fresh": "18:00-1"}))
    >>> [window.cutoff for window in sessions.windows]
    ['23:00-1', '18:00-1']
    """

    windows: tuple[OrderWindow, ...]
    by_sku: dict[str, int]
    by_category: dict[str, int]

    @classmethod
    def of(cls, city: CitySettings) -> Sessions:
        """Return the city's sessions.

        Raises
        ------
        SettingsError
            A window closes before it opens.
        """
        own = {*city.cutoff_by_sku.values(), *city.cutoff_by_category.values()} - {city.cutoff}
        cutoffs = [city.cutoff, *sorted(own, key=clock_minutes, reverse=True)]
        windows = tuple(OrderWindow.of(city.model_copy(update={"cutoff": cutoff})) for cutoff in cutoffs)
        position = {cutoff: number for number, cutoff in enumerate(cutoffs)}
        return cls(
            windows,
            {sku: position[cutoff] for sku, cutoff in city.cutoff_by_sku.items()},
            {category: position[cutoff] for category, cutoff in city.cutoff_by_category.items()},
        )

    def codes(self, sku_ids: pd.Index, skus: DataFrame[Skus] | None) -> Ints:
        """Return the position in `windows` of each SKU's session.

        Raises
        ------
        UnknownReferenceError
            A SKU whose category is not known, where categories close at different cutoffs.
        """
        code: Ints = np.zeros(len(sku_ids), np.int64)
        if self.by_category:
            known = pd.Series(dtype="str") if skus is None else skus.set_index("sku_id")["category_id"]
            category = sku_ids.to_series().map(known)
            lost = sku_ids[(category.isna() & ~sku_ids.isin(list(self.by_sku))).to_numpy()]
            if len(lost):
                raise UnknownReferenceError("OrderLines or Forecast", "sku_id", "Skus", list(lost))
            code = np.array(category.map(self.by_category).fillna(0), dtype=np.int64)
        for sku, position in self.by_sku.items():
            code[sku_ids == sku] = position
        return code

    def cutoffs_at(self, delivery_dates: pd.Series, sku_ids: pd.Series, skus: DataFrame[Skus] | None) -> pd.Series:
        """Return the instant of each row's own cutoff."""
        instants = self.windows[0].cutoffs_at(delivery_dates)
        if len(self.windows) == 1:
            return instants
        row, found = pd.factorize(sku_ids)
        session = self.codes(pd.Index(found, dtype="str"), skus)[row]
        for number, window in enumerate(self.windows[1:], start=1):
            mine = session == number
            instants[mine] = window.cutoffs_at(delivery_dates[mine])
        return instants
