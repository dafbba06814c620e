"""Levels of the forecast: which series add up to which total."""

from __future__ import annotations

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
    def of(cls, series: pd.DataFrame, name: str) -> Level:
        """Return the level of a panel's series."""
        keys = [LEVEL_COLUMN[name], "sku_id"]
        group = series.groupby(keys, sort=True).ngroup().to_numpy().astype(np.int64)
        first = series.drop_duplicates(keys).sort_values(keys)
        return cls(name, first[keys[0]].to_numpy(object), first["sku_id"].to_numpy(object), group)

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
