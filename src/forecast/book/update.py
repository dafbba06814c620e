"""Update the order book: what is confirmed as of a moment, what is still expected, and how far the final may lie."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandera.typing import DataFrame

from contracts.columns import LEVELS, QUANTILE_COLUMNS
from contracts.errors import EmptyInputError, InputError
from contracts.flow import Forecast, OrderBook, OrderLines
from contracts.reference import Communities
from contracts.settings import BookSettings, CitySettings
from forecast.book.count import counted_lines
from forecast.book.model import BookModel, cold_model
from forecast.book.past import Floats, Ints
from forecast.book.rows import NO_FORECAST, BookRows, ForecastRows, Places, codes_of
from forecast.book.window import OrderWindow, zoned

_LOG = logging.getLogger(__name__)


def update_book(
    forecast: DataFrame[Forecast],
    order_lines: DataFrame[OrderLines],
    *,
    as_of: pd.Timestamp,
    model: BookModel | None,
    communities: DataFrame[Communities],
    city: CitySettings,
) -> DataFrame[OrderBook]:
    """Return the book of the forecast's delivery dates and levels as of a moment.

    Rows are the union of forecast rows and ordered SKU x place; an ordered SKU without a forecast is labelled in
    ``source``. Confirmed units and means of warehouses and areas are sums over their communities.

    Parameters
    ----------
    forecast : DataFrame[Forecast]
        Issued at `as_of` or before. Without rows, the dates are those that have orders and are still open, at all
        levels, and every row is labelled.
    order_lines : DataFrame[OrderLines]
        At least the lines of these delivery dates. Orders and cancellations after `as_of` are the future and are
        ignored; orders after the cutoff or for a community that is not open never count (see `set_aside`).
    as_of : Timestamp
        Any instant. Before the first order the book is the forecast; from the cutoff on nothing more is expected and
        every quantile is what is confirmed.
    model : BookModel or None
        None: nothing is learned yet, orders are taken to come in evenly (labelled).

    Raises
    ------
    InputError
        `as_of` has no zone, the forecast was issued after it, or the forecast's levels do not add up.
    ContractError
        Lines of these dates break their contract, e.g. a key comes twice.
    UnknownReferenceError
        A community or place that `communities` does not know.
    EmptyInputError
        Neither forecast rows nor orders of a delivery date that is still open.
    """
    started = perf_counter()
    moment, window, places = zoned(as_of), OrderWindow.of(city), Places.of(communities)
    late = forecast["issued_at"] > moment
    if late.any():
        raise InputError(
            f"{int(late.sum())} forecast rows were issued after as_of {moment}, the first at "
            f"{forecast.loc[late, 'issued_at'].min()}: a book must not know the future. Issue the forecast earlier."
        )
    dates = _delivery_dates(forecast, order_lines, moment, window)
    lines = OrderLines.check(order_lines[order_lines["delivery_date"].isin(dates)])
    ordered = counted_lines(lines, as_of=moment, communities=communities, window=window)
    ordered = ordered[~ordered["cancelled"]]
    skus = pd.Index(pd.unique(pd.concat([forecast["sku_id"], ordered["sku_id"]], ignore_index=True)))
    night = _Night(
        moment=moment,
        window=window,
        places=places,
        skus=skus,
        sources=pd.Index(pd.unique(forecast["source"])),
        model=model if model is not None else cold_model(BookSettings(), city),
    )
    rows = ForecastRows.read(forecast, dates=dates, skus=skus, sources=night.sources, places=places)
    counted = _Ordered(
        date=codes_of(ordered["delivery_date"], dates),
        community=codes_of(ordered["community_id"], places.ids["community"]),
        sku=codes_of(ordered["sku_id"], skus),
        units=ordered["quantity"].to_numpy(np.float64),
    )
    levels = [level for level in range(len(LEVELS)) if not len(forecast) or (rows.level == level).any()]
    parts = [part for code, day in enumerate(dates) for part in _book_of_day(night, rows, counted, code, day, levels)]
    book = OrderBook.check(pd.concat(parts, ignore_index=True))
    _LOG.info(
        "update_book: %d forecast rows, %d lines, %d book rows, %.1f s",
        len(forecast),
        len(lines),
        len(book),
        perf_counter() - started,
    )
    return book


@dataclass(frozen=True)
class _Night:
    """What every row of the book is made with."""

    moment: pd.Timestamp
    window: OrderWindow
    places: Places
    skus: pd.Index
    sources: pd.Index
    model: BookModel


@dataclass(frozen=True)
class _Ordered:
    """Confirmed order lines as codes."""

    date: Ints
    community: Ints
    sku: Ints
    units: Floats


def _delivery_dates(
    forecast: DataFrame[Forecast], order_lines: DataFrame[OrderLines], moment: pd.Timestamp, window: OrderWindow
) -> pd.DatetimeIndex:
    if len(forecast):
        return pd.DatetimeIndex(forecast["delivery_date"].unique()).sort_values()
    placed = order_lines.loc[order_lines["placed_at"] <= moment, "delivery_date"].unique()
    dates = pd.DatetimeIndex([day for day in placed if window.cutoff_at(day) > moment]).sort_values()
    if not len(dates):
        raise EmptyInputError(
            f"The forecast has no rows and no delivery date with orders is still open at {moment}: there is no book."
        )
    return dates


def _book_of_day(
    night: _Night, rows: ForecastRows, ordered: _Ordered, date: int, day: pd.Timestamp, levels: list[int]
) -> list[pd.DataFrame]:
    """Return the book of one delivery date, one table per level; sums run from the first (finest) level upwards."""
    open_still = night.moment < night.window.cutoff_at(day)
    left = max(night.window.minutes_left(night.moment, day), 1.0) if open_still else 0.0
    share = night.model.shares.at(left, day.day_of_week)[night.model.sku_codes(night.skus)]
    today = ordered.date == date
    fine: tuple[BookRows, Floats] | None = None
    tables = []
    for level in levels:
        name = LEVELS[level]
        place_of = night.places.of_community[name]
        joined = BookRows.join(
            rows.at(date, level),
            place_of[ordered.community[today]],
            ordered.sku[today],
            ordered.units[today],
            skus=len(night.skus),
            places=len(night.places.ids[name]),
        )
        if fine is None:
            remaining = _remaining(night, joined, share, np.bincount(place_of)[joined.place])
        else:
            joined, remaining = _summed(night, joined, *fine, place_of)
        if name == "community":
            fine = joined, remaining
        spread = night.model.spread[name].quantiles(remaining, left)
        tables.append(_table(night, joined, remaining, spread, day, name, left))
    return tables


def _remaining(night: _Night, rows: BookRows, share: Floats, communities: NDArray[np.int64]) -> Floats:
    """Return the units still expected: additive pickup where there is a forecast, Gamma-Poisson where there is none."""
    placed = share[rows.sku]
    remaining = rows.mean * (1.0 - placed)
    alone = np.isnan(rows.mean)
    sku = night.model.sku_codes(night.skus)[rows.sku[alone]]
    remaining[alone] = night.model.usual.remaining(
        sku, rows.confirmed[alone], placed[alone], communities[alone].astype(np.float64)
    )
    return remaining


def _summed(
    night: _Night, rows: BookRows, fine: BookRows, fine_remaining: Floats, place_of: Ints
) -> tuple[BookRows, Floats]:
    """Return a coarser level with its remainder as sums over communities.

    Raises
    ------
    InputError
        The forecast expects units at a place none of whose communities it knows.
    """
    skus = len(night.skus)
    key, fine_key = rows.place * skus + rows.sku, place_of[fine.place] * skus + fine.sku
    size = int(max(key.max(initial=0), fine_key.max(initial=0))) + 1
    known = np.bincount(fine_key, minlength=size)
    orphan = (known[key] == 0) & (rows.mean > 0)
    if orphan.any():
        raise InputError(
            f"The forecast's levels do not add up: {int(orphan.sum())} rows above the communities have no community "
            f"row below them, e.g. SKU {night.skus[rows.sku[orphan][0]]!r}. Forecast every community, or one level."
        )
    total = np.bincount(fine_key, weights=fine_remaining, minlength=size)
    missing = known.copy()
    missing[key] = 0
    extra = np.flatnonzero(missing > 0)
    grown = BookRows(
        place=np.concatenate([rows.place, extra // skus]),
        sku=np.concatenate([rows.sku, extra % skus]),
        source=np.concatenate([rows.source, np.full(len(extra), NO_FORECAST)]),
        mean=np.concatenate([rows.mean, np.full(len(extra), np.nan)]),
        confirmed=np.concatenate([rows.confirmed, np.zeros(len(extra))]),
    )
    return grown, total[np.concatenate([key, extra])]


def _table(
    night: _Night, rows: BookRows, remaining: Floats, spread: Floats, day: pd.Timestamp, level: str, left: float
) -> pd.DataFrame:
    names = _source_names(night, left)
    columns: dict[str, object] = {
        "delivery_date": day,
        "level": level,
        "as_of": night.moment,
        "place_id": night.places.ids[level].take(rows.place),
        "sku_id": night.skus.take(rows.sku),
        "confirmed": rows.confirmed,
        "remaining_mean": remaining,
        "final_mean": rows.confirmed + remaining,
        **{name: rows.confirmed + spread[:, i] for i, name in enumerate(QUANTILE_COLUMNS)},
        "source": names.take(rows.source),
    }
    return pd.DataFrame(columns)


def _source_names(night: _Night, left: float) -> pd.Index:
    """Return the label per source code; the last (code -1) is for rows that nobody forecast."""
    if left <= 0:
        return pd.Index(["confirmed at the cutoff"] * (len(night.sources) + 1), dtype="str")
    if night.model.is_cold:
        made = [f"fallback: no arrivals learned, orders taken to come evenly, on {name}" for name in night.sources]
    else:
        made = [f"{name} + additive pickup" for name in night.sources]
    return pd.Index([*made, "fallback: ordered without a forecast"], dtype="str")
