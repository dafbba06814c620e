"""Levels of the forecast: which series add up to which total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEVEL_COLUMN: dict[str, str] = {"community": "community_id", "warehouse": "warehouse_id", "area": "area_id"}


@dataclass(frozen=True)
class Level:
    """How series group into the rows of a level.

    Attributes
    ----------
    place_id, sku_id : one entry per group
    group : int64, n
        Group of each series.
    """

    name: str
    place_id: NDArray[np.object_]
    sku_id: NDArray[np.object_]
    group: NDArray[np.int64]

    @classmethod
    def by(cls, series: pd.DataFrame, keys: Sequence[str], *, name: str = "") -> Level:
        """Return the level that keeps some columns of the series and sums over the others; no column is the total."""
        columns = list(keys)
        group = (
            series.groupby(columns, sort=True).ngroup().to_numpy().astype(np.int64)
            if columns
            else np.zeros(len(series), np.int64)
        )
        first = series.iloc[np.unique(group, return_index=True)[1]]
        sku = first["sku_id"] if "sku_id" in columns else pd.Series("*", first.index)
        places = [column for column in columns if column != "sku_id"]
        place = first[places].agg(" / ".join, axis=1) if places else pd.Series("*", first.index)
        return cls(name or " x ".join(columns), place.to_numpy(object), sku.to_numpy(object), group)

    @classmethod
    def of(cls, series: pd.DataFrame, name: str) -> Level:
        """Return the level of a panel's series."""
        return cls.by(series, (LEVEL_COLUMN[name], "sku_id"), name=name)

    @property
    def size(self) -> int:
        """Return the number of groups."""
        return len(self.place_id)

    def total(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return sums over the last axis per group; NaN is left out, a group of only NaN is NaN."""
        flat = values.reshape(-1, values.shape[-1])
        known = np.isfinite(flat)
        out = np.empty((len(flat), self.size))
        for row in range(len(flat)):
            units = np.bincount(self.group[known[row]], flat[row, known[row]].astype(np.float64), self.size)
            members = np.bincount(self.group[known[row]], minlength=self.size)
            out[row] = np.where(members > 0, units, np.nan)
        return out.reshape(*values.shape[:-1], self.size)
