"""The book's rows of one delivery date as code arrays: forecast rows and ordered rows, at each level."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import LEVELS
from contracts.errors import UnknownReferenceError
from contracts.flow import Forecast
from contracts.reference import Communities
from forecast.book.past import Floats, Ints

NO_FORECAST = -1
"""Source code of a row that is ordered but not forecast."""


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
    """Forecast rows as codes: of a whole forecast, or of one delivery date and level.

    Attributes
    ----------
    date, level, place, sku, source : shape (n,)
        Codes; `place` within its level.
    mean : shape (n,)
        Units forecast for the whole day.
    """

    date: Ints
    level: Ints
    place: Ints
    sku: Ints
    source: Ints
    mean: Floats

    @classmethod
    def read(
        cls, forecast: DataFrame[Forecast], *, dates: pd.Index, skus: pd.Index, sources: pd.Index, places: Places
    ) -> ForecastRows:
        """Return the forecast with its ids replaced by codes.

        Raises
        ------
        UnknownReferenceError
            A place is in no row of the communities.
        """
        level = codes_of(forecast["level"], pd.Index(LEVELS))
        place = np.full(len(forecast), -1, dtype=np.int64)
        for code, name in enumerate(LEVELS):
            rows = level == code
            place[rows] = codes_of(forecast["place_id"][rows], places.ids[name])
        if (place < 0).any():
            unknown = sorted(forecast["place_id"][place < 0].unique())
            raise UnknownReferenceError("Forecast", "place_id", "Communities", unknown)
        return cls(
            date=codes_of(forecast["delivery_date"], dates),
            level=level,
            place=place,
            sku=codes_of(forecast["sku_id"], skus),
            source=codes_of(forecast["source"], sources),
            mean=forecast["mean"].to_numpy(np.float64),
        )

    def at(self, date: int, level: int) -> ForecastRows:
        """Return the rows of one date and level."""
        rows = np.flatnonzero((self.date == date) & (self.level == level))
        return ForecastRows(*(getattr(self, item.name)[rows] for item in fields(self)))


def codes_of(values: pd.Series, known: pd.Index) -> Ints:
    """Return the position of each value in `known`, -1 where it is not there; each distinct value is looked up once."""
    code, found = pd.factorize(values)
    return np.asarray(known.get_indexer(pd.Index(found))[code], dtype=np.int64)


@dataclass(frozen=True)
class BookRows:
    """Rows of one delivery date and level.

    Attributes
    ----------
    place, sku, source : shape (n,)
        Codes.
    mean : shape (n,)
        Units forecast for the whole day; NaN where an order stands without a forecast.
    confirmed, lines : shape (n,)
        Units ordered and not cancelled; order lines placed, cancelled ones included.
    """

    place: Ints
    sku: Ints
    source: Ints
    mean: Floats
    confirmed: Floats
    lines: Floats

    @classmethod
    def join(
        cls, forecast: ForecastRows, ordered_place: Ints, ordered_sku: Ints, units: Floats, *, skus: int, places: int
    ) -> BookRows:
        """Return the union of forecast rows and ordered SKU x place; units of the same one are added up."""
        cell = ordered_place * skus + ordered_sku
        confirmed = np.bincount(cell, weights=units, minlength=places * skus)
        lines = np.bincount(cell, minlength=places * skus).astype(np.float64)
        key = forecast.place * skus + forecast.sku
        known = cls(forecast.place, forecast.sku, forecast.source, forecast.mean, confirmed[key], lines[key])
        confirmed[key] = 0.0
        extra = np.flatnonzero(confirmed > 0)
        return known.with_unforecast(extra, skus, confirmed[extra].astype(np.float64), lines[extra])

    def with_unforecast(
        self, cells: Ints, skus: int, confirmed: Floats | None = None, lines: Floats | None = None
    ) -> BookRows:
        """Return the rows and further ones (``place * skus + sku``) that nobody forecast."""
        none = np.zeros(len(cells))
        return BookRows(
            place=np.concatenate([self.place, cells // skus]),
            sku=np.concatenate([self.sku, cells % skus]),
            source=np.concatenate([self.source, np.full(len(cells), NO_FORECAST)]),
            mean=np.concatenate([self.mean, np.full(len(cells), np.nan)]),
            confirmed=np.concatenate([self.confirmed, none if confirmed is None else confirmed]),
            lines=np.concatenate([self.lines, none if lines is None else lines]),
        )
