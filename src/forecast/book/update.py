"""Update the order book: what is confirmed as of a moment, what is still expected, and how far the final may lie."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import LEVELS, QUANTILE_COLUMNS
from contracts.errors import EmptyInputError, InputError
from contracts.flow import Forecast, OrderBook, OrderLines
from contracts.reference import Communities
from contracts.settings import BookSettings, CitySettings
from forecast.book.count import counted_lines
from forecast.book.model import BookModel, cold_model
from forecast.book.past import Floats, Ints
from forecast.book.rows import BookRows, ForecastRows, Places, codes_of
from forecast.book.situation import Situation
from forecast.book.window import OrderWindow, zoned

_LOG = logging.getLogger(__name__)

_Columns = dict[str, Any]
"""Columns of a table, by name: arrays, or an index where a column holds text or instants."""


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
    skus = pd.Index(pd.unique(pd.concat([forecast["sku_id"], ordered["sku_id"]], ignore_index=True)))
    night = _Night(
        moment=moment,
        window=window,
        places=places,
        skus=skus,
        sources=pd.Index(pd.unique(forecast["source"])),
        model=model if model is not None else cold_model(BookSettings(), city),
    )
    book = OrderBook.check(_rows(night, forecast, ordered, dates))
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
    """Order lines placed so far, as codes; a cancelled line has no units."""

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


def _rows(night: _Night, forecast: DataFrame[Forecast], ordered: pd.DataFrame, dates: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the book's rows of all dates and levels; the code arrays are let go on return."""
    rows = ForecastRows.read(forecast, dates=dates, skus=night.skus, sources=night.sources, places=night.places)
    counted = _Ordered(
        date=codes_of(ordered["delivery_date"], dates),
        community=codes_of(ordered["community_id"], night.places.ids["community"]),
        sku=codes_of(ordered["sku_id"], night.skus),
        units=ordered["quantity"].to_numpy(np.float64) * ~ordered["cancelled"].to_numpy(bool),
    )
    levels = [level for level in range(len(LEVELS)) if not len(forecast) or (rows.level == level).any()]
    return _stacked(
        [part for code, day in enumerate(dates) for part in _book_of_day(night, rows, counted, code, day, levels)]
    )


def _book_of_day(
    night: _Night, rows: ForecastRows, ordered: _Ordered, date: int, day: pd.Timestamp, levels: list[int]
) -> list[_Columns]:
    """Return the book of one delivery date, one table per level; sums run from the first (finest) level upwards."""
    open_still = night.moment < night.window.cutoff_at(day)
    left = max(night.window.minutes_left(night.moment, day), 1.0) if open_still else 0.0
    share = night.model.shares.at(left, day.day_of_week)[night.model.sku_codes(night.skus)]
    today = ordered.date == date
    tables: dict[str, tuple[BookRows, Floats]] = {}
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
        if "community" in tables:
            tables[name] = _above(night, joined, tables, name, share, left)
        else:
            tables[name] = joined, _remaining(night, joined, name, share, left)
    return [_table(night, found, remaining, day, name, left) for name, (found, remaining) in tables.items()]


def _remaining(night: _Night, rows: BookRows, level: str, share: Floats, left: float) -> Floats:
    """Return the units still expected: the level's model where there is a forecast, Gamma-Poisson where there is none.

    An order without a forecast does not speak of anybody's pace, so such rows stand apart.
    """
    model = night.model
    if left <= 0:
        return np.zeros(len(rows.mean))
    known = ~np.isnan(rows.mean)
    code = model.sku_codes(night.skus)
    remaining = np.empty(len(rows.mean))
    placed, sku = share[rows.sku], code[rows.sku]
    now = Situation(
        left=left,
        usual=(rows.mean * placed)[known][None, :],
        rest=(rows.mean * (1.0 - placed))[known][None, :],
        confirmed=rows.confirmed[known][None, :],
        lines=rows.lines[known][None, :],
        codes={"category": model.shares.category[sku[known]], "place": rows.place[known], "sku": rows.sku[known]},
    )
    remaining[known] = model.levels[level].remainder.expect(now, boost=known.sum() <= model.boost_cells)[0]
    communities = np.bincount(night.places.of_community[level])[rows.place[~known]].astype(np.float64)
    remaining[~known] = model.usual.remaining(sku[~known], rows.confirmed[~known], placed[~known], communities)
    return remaining


def _above(
    night: _Night,
    rows: BookRows,
    tables: dict[str, tuple[BookRows, Floats]],
    level: str,
    share: Floats,
    left: float,
) -> tuple[BookRows, Floats]:
    """Return a level above the communities; its remainder is the sum of theirs.

    A warehouse is first expected in its own right - it sees a SKU's pace better than a community can - and its
    communities are scaled to it, so that sums hold. `tables` is updated with the scaled communities.

    Raises
    ------
    InputError
        The forecast expects units at a place none of whose communities it knows.
    """
    fine, below = tables["community"]
    skus, place_of = len(night.skus), night.places.of_community[level]
    key, fine_key = rows.place * skus + rows.sku, place_of[fine.place] * skus + fine.sku
    size = len(night.places.ids[level]) * skus
    known = np.bincount(fine_key, minlength=size) > 0
    orphan = ~known[key] & (rows.mean > 0)
    if orphan.any():
        raise InputError(
            f"The forecast's levels do not add up: {int(orphan.sum())} rows above the communities have no community "
            f"row below them, e.g. SKU {night.skus[rows.sku[orphan][0]]!r}. Forecast every community, or one level."
        )
    if level == "warehouse":
        own = _remaining(night, rows, level, share, left)
        spread = np.where(np.isnan(fine.mean), 0.0, below)
        total = np.bincount(fine_key, weights=spread, minlength=size)
        aim = np.full(size, np.nan)
        aim[key] = np.where(np.isnan(rows.mean), np.nan, own)
        scale = np.divide(aim, total, out=np.ones(size), where=(total > 0) & ~np.isnan(aim))
        below = np.where(np.isnan(fine.mean), below, below * scale[fine_key])
        tables["community"] = fine, below
    total = np.bincount(fine_key, weights=below, minlength=size)
    known[key] = False
    grown = rows.with_unforecast(np.flatnonzero(known), skus)
    return grown, total[grown.place * skus + grown.sku]


def _table(night: _Night, rows: BookRows, remaining: Floats, day: pd.Timestamp, level: str, left: float) -> _Columns:
    size = len(remaining)
    spread = night.model.levels[level].spread.quantiles(remaining, left)
    return {
        "delivery_date": np.full(size, day.to_datetime64(), "datetime64[us]"),
        "level": pd.Index([level], dtype="str").take(np.zeros(size, np.int64)),
        "place_id": night.places.ids[level].take(rows.place),
        "sku_id": night.skus.take(rows.sku),
        "as_of": pd.DatetimeIndex([night.moment]).take(np.zeros(size, np.int64)),
        "confirmed": rows.confirmed,
        "remaining_mean": remaining,
        "final_mean": rows.confirmed + remaining,
        **{name: rows.confirmed + units for name, units in zip(QUANTILE_COLUMNS, spread, strict=True)},
        "source": _source_names(night, level, left).take(rows.source),
    }


def _stacked(parts: list[_Columns]) -> pd.DataFrame:
    """Return the tables one below the other, column by column: six million rows are not copied twice."""
    stacked: _Columns = {}
    for name in list(parts[0]):
        columns = [part.pop(name) for part in parts]
        head = columns[0]
        stacked[name] = np.concatenate(columns) if isinstance(head, np.ndarray) else head.append(columns[1:])
    return pd.DataFrame(stacked, copy=False)


def _source_names(night: _Night, level: str, left: float) -> pd.Index:
    """Return the label per source code; the last (code -1) is for rows that nobody forecast."""
    if left <= 0:
        return pd.Index(["confirmed at the cutoff"] * (len(night.sources) + 1), dtype="str")
    if night.model.is_cold:
        made = [f"fallback: no arrivals learned, orders taken to come evenly, on {name}" for name in night.sources]
    else:
        made = [f"{name} + {night.model.levels[level].remainder.name}" for name in night.sources]
    return pd.Index([*made, "fallback: ordered without a forecast"], dtype="str")
