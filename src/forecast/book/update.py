"""Update the order book: what is confirmed as of a moment, what is still expected, and how far the final may lie."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.columns import QUANTILE_COLUMNS
from contracts.errors import EmptyInputError, InputError
from contracts.flow import Forecast, OrderBook, OrderLines
from contracts.reference import Communities
from contracts.settings import BookSettings, CitySettings
from forecast.book.count import counted_lines
from forecast.book.evening import Evening, LevelBook, Ordered
from forecast.book.model import BookModel, SessionModel, cold_model
from forecast.book.past import Codes, Ints, codes_of
from forecast.book.rows import ForecastParts, Places
from forecast.book.sessions import Sessions
from forecast.book.today import Clock, DayFacts
from forecast.book.window import OrderWindow, zoned

_LOG = logging.getLogger(__name__)

_Columns = dict[str, Any]
"""Columns of a table, by name: numbers as arrays, text and instants as series."""


def update_book(
    forecast: DataFrame[Forecast],
    order_lines: DataFrame[OrderLines],
    *,
    as_of: pd.Timestamp,
    model: BookModel | None,
    communities: DataFrame[Communities],
    city: CitySettings,
    facts: DayFacts | None = None,
) -> DataFrame[OrderBook]:
    """Return the book of the forecast's delivery dates and levels as of a moment.

    Rows are the union of forecast rows and ordered SKU x place; an ordered SKU without a forecast is labelled in
    ``source``, and so is a row whose listing has closed. Confirmed units and means of warehouses and areas are sums
    over their communities.

    Parameters
    ----------
    forecast : DataFrame[Forecast]
        Issued at `as_of` or before. Without rows, the dates are those that have orders and are still open, at all
        levels, and every row is labelled.
    order_lines : DataFrame[OrderLines]
        At least the lines of these delivery dates. Orders and cancellations after `as_of` are the future and are
        ignored; orders after their cutoff or for a community that is not open never count (see `set_aside`).
    as_of : Timestamp
        Any instant. Before the first order the book is the forecast; from a SKU's cutoff on nothing more is expected
        of it and every quantile is what is confirmed.
    model : BookModel or None
        None: nothing is learned yet, orders are taken to come in evenly (labelled).
    facts : DayFacts, optional
        What else is known of the dates: closed listings, promotions, holidays, late openings, categories.

    Raises
    ------
    InputError
        `as_of` has no zone, the forecast was issued after it, or the forecast's levels do not add up.
    ContractError
        Lines of these dates break their contract, e.g. a key comes twice.
    UnknownReferenceError
        A community or place that `communities` does not know, or a SKU without a category where cutoffs differ.
    EmptyInputError
        Neither forecast rows nor orders of a delivery date that is still open.
    """
    started = perf_counter()
    moment, sessions, places = zoned(as_of), Sessions.of(city), Places.of(communities)
    known = facts if facts is not None else DayFacts()
    late = forecast["issued_at"] > moment
    if late.any():
        raise InputError(
            f"{int(late.sum())} forecast rows were issued after as_of {moment}, the first at "
            f"{forecast.loc[late, 'issued_at'].min()}: a book must not know the future. Issue the forecast earlier."
        )
    dates = _delivery_dates(forecast, order_lines, moment, sessions.windows[0])
    lines = OrderLines.check(order_lines[order_lines["delivery_date"].isin(dates)])
    counted = counted_lines(lines, as_of=moment, communities=communities, sessions=sessions, skus=known.skus)
    parts = ForecastParts.read(
        forecast, dates=dates, places=places, ordered_skus=pd.Index(counted["sku_id"].unique(), dtype="str")
    )
    night = _Night(
        moment, places, parts, forecast, model if model is not None else cold_model(BookSettings(), city), known
    )
    tables = _tables(night, _ordered(counted, dates, night), sessions, dates)
    book = OrderBook.check(_stacked(tables))
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
    places: Places
    parts: ForecastParts
    forecast: DataFrame[Forecast]
    model: BookModel
    facts: DayFacts


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


def _ordered(counted: pd.DataFrame, dates: pd.DatetimeIndex, night: _Night) -> Ordered:
    return Ordered(
        date=codes_of(counted["delivery_date"], dates),
        community=codes_of(counted["community_id"], night.places.ids["community"]),
        sku=codes_of(counted["sku_id"], night.parts.skus),
        units=counted["quantity"].to_numpy(np.float64) * ~counted["cancelled"].to_numpy(bool),
        placed_at=counted["placed_at"],
    )


def _tables(night: _Night, ordered: Ordered, sessions: Sessions, dates: pd.DatetimeIndex) -> list[_Columns]:
    """Return the book's tables, by date, session and level."""
    session_of = sessions.codes(night.parts.skus, night.facts.skus)
    tables = []
    for date, day in enumerate(dates):
        for number, window in enumerate(sessions.windows):
            mine = session_of == number
            rows = {level: night.parts.at(date, level) for level in night.parts.levels}
            if not mine.all():
                rows = {level: part.only(mine[part.sku]) for level, part in rows.items()}
            today = ordered.only((ordered.date == date) & mine[ordered.sku])
            if not any(len(part.mean) for part in rows.values()) and not len(today.units):
                continue
            lessons, label = night.model.session(window.cutoff)
            clock = Clock.of(night.moment, day, window, night.facts)
            evening = Evening.of(
                clock,
                lessons,
                night.facts,
                parts=night.parts,
                places=night.places,
                community_rows=rows.get(0) or night.parts.at(-1, 0),
                ordered=today,
                boost_cells=night.model.settings.boost_cells,
                late_units=night.model.settings.late_opening_units,
            )
            books = evening.books(rows, today)
            while books:
                level = next(iter(books))
                tables.append(_table(night, evening, books.pop(level), level, label))
    return tables


def _table(night: _Night, evening: Evening, book: LevelBook, level: str, label: str) -> _Columns:
    rows, left = book.rows, evening.clock.left
    multiples = evening.lessons.levels[level].spread
    spread = [np.add(units, rows.confirmed, out=units) for units in multiples.quantiles(book.remaining, left)]
    sources = _source_names(night.parts.sources, evening.lessons, level, left, label)
    return {
        "delivery_date": np.full(len(rows.mean), evening.clock.day.to_datetime64(), "datetime64[us]"),
        "level": _text(night, rows.origin, "level", pd.Index([level], dtype="str"), np.zeros(len(rows.mean), np.int64)),
        "place_id": _text(night, rows.origin, "place_id", night.places.ids[level], rows.place),
        "sku_id": _text(night, rows.origin, "sku_id", night.parts.skus, rows.sku),
        "as_of": pd.DatetimeIndex([night.moment]).take(np.zeros(len(rows.mean), np.int64)),
        "confirmed": rows.confirmed,
        "remaining_mean": book.remaining,
        "final_mean": rows.confirmed + book.remaining,
        **dict(zip(QUANTILE_COLUMNS, spread, strict=True)),
        "source": sources.take(evening.sources(book, level)),
    }


def _text(night: _Night, origin: slice | Ints, column: str, ids: pd.Index, code: Codes) -> pd.Index:
    """Return a text column of a part: the forecast's own, then the ids of rows that are only ordered."""
    known: pd.Index[Any] = pd.Index(night.forecast[column].array[origin])
    more = ids.take(code[len(known) :])
    return known.append(more) if len(more) else known


def _stacked(parts: list[_Columns]) -> pd.DataFrame:
    """Return the tables one below the other, column by column: six million rows are not copied twice."""
    stacked: _Columns = {}
    for name in list(parts[0]):
        columns = [part.pop(name) for part in parts]
        head = columns[0]
        stacked[name] = np.concatenate(columns) if isinstance(head, np.ndarray) else head.append(columns[1:])
    return pd.DataFrame(stacked, copy=False)


def _source_names(sources: pd.Index, lessons: SessionModel, level: str, left: float, label: str) -> pd.Index:
    """Return the label per source code; the last two (codes -2 and -1) are closed listings and unforecast rows."""
    if left <= 0:
        return pd.Index(["confirmed at the cutoff"] * (len(sources) + 2), dtype="str")
    if lessons.is_cold:
        made = [f"fallback: no arrivals learned, orders taken to come evenly, on {name}" for name in sources]
    else:
        made = [f"{label}{name} + {lessons.levels[level].remainder.name}" for name in sources]
    return pd.Index([*made, "listing closed: no more orders", "fallback: ordered without a forecast"], dtype="str")
