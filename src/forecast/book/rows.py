"""The book's rows of one delivery date and level as code arrays: forecast rows and ordered rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.columns import LEVELS
from contracts.errors import UnknownReferenceError
from contracts.flow import Forecast
from contracts.reference import Communities
from forecast.book.past import Codes, Floats, Ints, codes_of

NO_FORECAST = -1
"""Source code of a row that is ordered but not forecast."""
CLOSED = -2
"""Source code of a row whose listing has closed."""


@dataclass(frozen=True)
class Places:
    """Communities and the warehouse and area of each, as codes."""

    ids: dict[str, pd.Index]
    of_community: dict[str, Ints]

    @classmethod
    def of(cls, communities: DataFrame[Communities]) -> Places:
        """Return the codes of every place, ids rising."""
        ids, codes = {"community": pd.Index(communities["community_id"])}, {"community": np.arange(len(communities))}
        for level in ("warehouse", "area"):
            code, found = pd.factorize(communities[f"{level}_id"], sort=True)
            ids[level], codes[level] = pd.Index(found), code.astype(np.int64)
        return cls(ids=ids, of_community=codes)


@dataclass(frozen=True)
class ForecastRows:
    """Forecast rows of one delivery date and level as codes.

    Attributes
    ----------
    origin : slice or int array
        Where the rows stand in the forecast.
    place, sku, source : int32, shape (n,)
        Codes; `place` within its level.
    mean : shape (n,)
        Units forecast for the whole day.
    """

    origin: slice | Ints
    place: Codes
    sku: Codes
    source: Codes
    mean: Floats

    @classmethod
    def none(cls) -> ForecastRows:
        """Return no rows."""
        nothing = np.zeros(0, np.int32)
        return cls(slice(0, 0), nothing, nothing, nothing, np.zeros(0))

    def only(self, kept: NDArray[np.bool_]) -> ForecastRows:
        """Return some of the rows."""
        if kept.all():
            return self
        where = np.arange(self.origin.start, self.origin.stop) if isinstance(self.origin, slice) else self.origin
        return ForecastRows(where[kept], self.place[kept], self.sku[kept], self.source[kept], self.mean[kept])


@dataclass(frozen=True)
class ForecastParts:
    """A forecast cut by delivery date and level, its ids replaced by codes.

    Attributes
    ----------
    rows : dict
        (date code, level code) to the rows there.
    skus, sources : Index
        What the codes of the rows point to; `skus` holds the ordered SKUs too.
    """

    rows: dict[tuple[int, int], ForecastRows]
    skus: pd.Index
    sources: pd.Index

    @classmethod
    def read(
        cls, forecast: DataFrame[Forecast], *, dates: pd.DatetimeIndex, places: Places, ordered_skus: pd.Index
    ) -> ForecastParts:
        """Return the parts; a part whose rows stand together is a slice of the forecast, nothing is copied.

        Raises
        ------
        UnknownReferenceError
            A place is in no row of the communities.
        """
        key = codes_of(forecast["delivery_date"], dates) * len(LEVELS)
        key += codes_of(forecast["level"], pd.Index(LEVELS))
        found = {divmod(int(part), len(LEVELS)): where for part, where in _stretches(key)}
        del key
        skus: pd.Index[Any] = pd.Index([], dtype="str")
        sources: pd.Index[Any] = pd.Index([], dtype="str")
        coded: dict[tuple[int, int], dict[str, Any]] = {}
        for (date, level), where in found.items():
            part = forecast.iloc[where]
            sku_code, sku_ids = pd.factorize(part["sku_id"])
            source_code, source_ids = pd.factorize(part["source"])
            skus, sources = skus.union(pd.Index(sku_ids), sort=False), sources.union(pd.Index(source_ids), sort=False)
            place = codes_of(part["place_id"], places.ids[LEVELS[level]]).astype(np.int32)
            if (place < 0).any():
                unknown = sorted(part["place_id"][place < 0].unique())
                raise UnknownReferenceError("Forecast", "place_id", "Communities", unknown)
            coded[date, level] = {
                "place": place,
                "sku": skus.get_indexer(pd.Index(sku_ids)).astype(np.int32)[sku_code],
                "source": sources.get_indexer(pd.Index(source_ids)).astype(np.int32)[source_code],
                "mean": part["mean"].to_numpy(np.float64),
            }
        rows = {part: ForecastRows(origin=found[part], **columns) for part, columns in coded.items()}
        return cls(rows, skus.union(ordered_skus, sort=False), sources)

    def at(self, date: int, level: int) -> ForecastRows:
        """Return the rows of one date and level."""
        return self.rows.get((date, level), ForecastRows.none())

    @property
    def levels(self) -> list[int]:
        """Return the codes of the levels with rows; without any rows, all levels."""
        return sorted({level for _, level in self.rows}) or list(range(len(LEVELS)))


def _stretches(key: Ints) -> list[tuple[int, slice | Ints]]:
    """Return where each key stands: a slice if its rows stand together, their positions otherwise."""
    if not len(key):
        return []
    starts = np.concatenate([[0], np.flatnonzero(np.diff(key)) + 1])
    ends = np.append(starts[1:], len(key))
    found: list[tuple[int, slice | Ints]] = []
    for part in np.unique(key[starts]):
        mine = key[starts] == part
        together = slice(int(starts[mine][0]), int(ends[mine][0]))
        found.append((int(part), together if mine.sum() == 1 else np.flatnonzero(key == part)))
    return found


@dataclass(frozen=True)
class BookRows:
    """Rows of one delivery date and level: the forecast's in their order, then those that are only ordered.

    Attributes
    ----------
    origin : slice or int array
        Where the first rows stand in the forecast.
    place, sku, source : int32, shape (n,)
        Codes.
    mean : shape (n,)
        Units forecast for the whole day; NaN where an order stands without a forecast.
    confirmed, lines : shape (n,)
        Units ordered and not cancelled; order lines placed, cancelled ones included.
    """

    origin: slice | Ints
    place: Codes
    sku: Codes
    source: Codes
    mean: Floats
    confirmed: Floats
    lines: NDArray[np.float32]

    @classmethod
    def join(
        cls, forecast: ForecastRows, ordered_place: Ints, ordered_sku: Ints, units: Floats, *, skus: int, places: int
    ) -> BookRows:
        """Return the union of forecast rows and ordered SKU x place; units of the same one are added up."""
        cell = ordered_place * skus + ordered_sku
        confirmed = np.bincount(cell, weights=units, minlength=places * skus).astype(np.float64)
        lines = np.bincount(cell, minlength=places * skus).astype(np.float32)
        key = forecast.place.astype(np.int64) * skus + forecast.sku
        known = cls(
            forecast.origin,
            forecast.place,
            forecast.sku,
            forecast.source,
            forecast.mean,
            confirmed[key],
            lines[key],
        )
        confirmed[key] = 0.0
        extra = np.flatnonzero(confirmed > 0)
        return known.with_unforecast(extra, skus, confirmed[extra], lines[extra])

    def with_unforecast(
        self, cells: Ints, skus: int, confirmed: Floats | None = None, lines: NDArray[np.float32] | None = None
    ) -> BookRows:
        """Return the rows and further ones (``place * skus + sku``) that nobody forecast."""
        if not len(cells):
            return self
        none = np.zeros(len(cells))
        return BookRows(
            origin=self.origin,
            place=np.concatenate([self.place, (cells // skus).astype(np.int32)]),
            sku=np.concatenate([self.sku, (cells % skus).astype(np.int32)]),
            source=np.concatenate([self.source, np.full(len(cells), NO_FORECAST, np.int32)]),
            mean=np.concatenate([self.mean, np.full(len(cells), np.nan)]),
            confirmed=np.concatenate([self.confirmed, none if confirmed is None else confirmed]),
            lines=np.concatenate([self.lines, none.astype(np.float32) if lines is None else lines]),
        )

    def keys(self, skus: int) -> Ints:
        """Return ``place * skus + sku`` of each row."""
        return np.asarray(self.place.astype(np.int64) * skus + self.sku)
