"""Columns a file does not have, made from those it has by stated rules: buckets, joins, numbers, delivery dates."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pandas as pd

from contracts.clock import clock_minutes
from contracts.errors import MappingError
from store.mapping import Bucket, DeliveryDay, Join, Number

Lookup = Callable[[str], "pd.Series[Any]"]
"""Gives a column of the file or of the contract by name."""


def derive(rule: Bucket | Join | Number | DeliveryDay, column: Lookup, *, timezone: str) -> pd.Series[Any]:
    """Return the column that a rule makes; null where what it is made from is null."""
    if isinstance(rule, Bucket):
        return bucket(rule, column)
    if isinstance(rule, Join):
        return _joined(rule.of, column, rule.separator)
    if isinstance(rule, Number):
        return column(rule.within).groupby(column(rule.within), dropna=False).cumcount() + 1
    return delivery_day(column("placed_at"), rule, timezone=timezone)


def bucket(rule: Bucket, column: Lookup) -> pd.Series[Any]:
    """Return ``prefix + (crc32 of the joined text mod buckets)``, numbered with leading zeros."""
    text = _joined(rule.of, column, "\x1f")
    width = len(str(rule.buckets - 1))
    names = {
        value: f"{rule.prefix}{zlib.crc32(value.encode()) % rule.buckets:0{width}d}" for value in text.dropna().unique()
    }
    placed = text.map(names).astype("str")
    return placed if rule.otherwise is None else placed.where(placed.notna(), bucket(rule.otherwise, column))


def delivery_day(placed_at: pd.Series[Any], rule: DeliveryDay, *, timezone: str) -> pd.Series[Any]:
    """Return the first delivery date whose cutoff, on the wall clock, is not before the order, plus the extra days."""
    if not isinstance(placed_at.dtype, pd.DatetimeTZDtype):
        raise MappingError("delivery_day needs placed_at: map it to a column of the file.")
    wall = placed_at.dt.tz_convert(timezone).dt.tz_localize(None)
    day = (wall - pd.Timedelta(minutes=clock_minutes(rule.cutoff))).dt.ceil("D")
    dates: pd.Series[Any] = (day + pd.Timedelta(days=rule.extra_days)).dt.as_unit("us")
    return dates


def plain_text(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return cells as text; a whole float as the id it was before a spreadsheet touched it (17850.0 is 17850)."""
    if cells.dtype.kind == "f":
        words = {value: str(int(value)) if value.is_integer() else repr(value) for value in cells.dropna().unique()}
        return cells.map(words).astype("str")
    if isinstance(cells.dtype, pd.StringDtype):
        return cells
    return cells.map(
        lambda value: str(int(value)) if isinstance(value, float) and value.is_integer() else str(value),
        na_action="ignore",
    ).astype("str")


def _joined(names: tuple[str, ...], column: Lookup, separator: str) -> pd.Series[Any]:
    parts = [plain_text(column(name)) for name in names]
    text = parts[0]
    for part in parts[1:]:
        text = text + separator + part
    return text
