"""Cells of tables read strictly: what a column of any origin is in its contract's dtype, and which rows are not."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from contracts.plain import FIRST_US, LAST_US

_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters and halves of surrogate pairs: no name or id has them, and not every database can hold them."""
_LARGEST = 1 << 63
"""Whole numbers beyond this are no quantity, and numpy cannot hold them."""
_ISO_ZONED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"


def read_column(raw: pd.Series[Any], column: Any) -> tuple[pd.Series[Any], pd.Series[bool], str]:
    """Return a column in its contract dtype, which rows could not be read, and the rule they broke.

    Null in a column that must not be null breaks ``not null``; it is told apart from unreadable text by the value.
    """
    odd = _odd(raw)
    if odd is not None:
        read, others, broken = read_column(raw.mask(odd, None), column)
        told = (others & ~odd).any()
        return read, others | odd, f"{broken}, or one plain value" if told else "one plain value"
    kind = kind_of(column)
    null = raw.isna() | (raw.astype(str).str.strip() == "" if raw.dtype == object or kind == "text" else False)
    unread: pd.Series[bool]
    value: pd.Series[Any]
    if kind == "text":
        value, unread, rule = _read_text(raw, null), pd.Series(False, index=raw.index), "text"
    elif kind in ("number", "whole"):
        number = numbers(raw)
        unread = ~number.abs().lt(np.inf) & ~null
        rule = "a finite number"
        value = number
        if kind == "whole":
            fraction = (number % 1 != 0) & ~unread & ~null
            unread, rule = unread | fraction, "a whole number"
            held = number.where(~(unread | null), 0)
            value = raw.astype("int64") if raw.dtype.kind in "iu" else held.astype("int64")
    elif kind == "flag":
        words = raw.astype(str).str.strip().str.lower()
        truth = words.isin(["true", "1", "1.0", "yes", "是"])
        unread = ~truth & ~words.isin(["false", "0", "0.0", "no", "否"]) & ~null
        value, rule = truth, "true or false"
    else:
        value, unread, rule = _read_time(raw, null, aware=kind == "instant")
    if not column.nullable:
        missing = null & ~unread
        if missing.any():
            return value, unread | missing, rule if unread.any() else "not null"
    return value, unread, rule


def _odd(raw: pd.Series[Any]) -> pd.Series[bool] | None:
    """Return which cells are no single value, or text with characters no name has; None without any."""
    if raw.dtype != object:
        return None
    odd = raw.map(lambda cell: isinstance(cell, list | dict) or (isinstance(cell, str) and bool(_NO_TEXT.search(cell))))
    return odd.astype(bool) if odd.any() else None


def numbers(raw: pd.Series[Any]) -> pd.Series[float]:
    """Return numbers, NaN where there is none; whole numbers beyond any float are infinite."""
    if raw.dtype.kind in "iufb":
        return raw.astype("float64")
    try:
        return pd.to_numeric(raw.astype(object), errors="coerce").astype("float64")
    except OverflowError:  # JSON knows whole numbers of any length
        small = raw.map(lambda cell: np.inf if isinstance(cell, int) and abs(cell) > _LARGEST else cell)
        return pd.to_numeric(small.astype(object), errors="coerce").astype("float64")


def kind_of(column: Any) -> str:
    """Return what a contract column holds: text, number, whole, flag, instant or day."""
    text = str(column.dtype)
    if "datetime" in text:
        return "instant" if "UTC" in text else "day"
    if "int" in text:
        return "whole"
    if "float" in text:
        return "number"
    return "flag" if "bool" in text else "text"


def _read_text(raw: pd.Series[Any], null: pd.Series[bool]) -> pd.Series[Any]:
    if raw.dtype.kind == "f":  # ids that passed through a spreadsheet: 1023.0 is "1023"
        whole = raw.notna() & (raw % 1 == 0)
        text = raw.astype(object).where(~whole, raw.where(whole, 0).astype("int64").astype(object))
        return text.where(~null, None).astype("str")
    if isinstance(raw.dtype, pd.StringDtype) and not null.any():
        return raw.astype("str")
    return raw.astype(object).where(~null, None).astype("str")


def _read_time(
    raw: pd.Series[Any], null: pd.Series[bool], *, aware: bool
) -> tuple[pd.Series[Any], pd.Series[bool], str]:
    if null.all():
        never = pd.Series(pd.NaT, index=raw.index, dtype="datetime64[us, UTC]" if aware else "datetime64[us]")
        return never, ~null, "a time with a zone" if aware else "a whole day"
    if aware:
        if raw.dtype.kind == "M" and getattr(raw.dt, "tz", None) is None:
            return raw.dt.tz_localize("UTC").astype("datetime64[us, UTC]"), ~null, "a time with a zone"
        if isinstance(raw.dtype, pd.DatetimeTZDtype):
            instant = raw
            naive = pd.Series(False, index=raw.index)
        else:
            instant = _instants(raw, null)
            naive = instant.isna() & ~null
        utc = instant.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
        return utc, naive | _beyond(utc), "a time with a zone"
    day = raw if raw.dtype.kind == "M" else pd.to_datetime(raw.astype(object).where(~null, None), errors="coerce")
    if getattr(day.dt, "tz", None) is not None:
        return day.dt.tz_localize(None).astype("datetime64[us]"), ~null, "a date without a zone"
    part, plain = day.notna() & (day != day.dt.normalize()), day.astype("datetime64[us]")
    return plain, (day.isna() & ~null) | part | _beyond(plain), "a whole day"


def _beyond(times: pd.Series[Any]) -> Any:
    """Return which times lie outside the years that Python and databases know; pandas reads "-5" as one of them."""
    microseconds = times.array.asi8
    return ((microseconds < FIRST_US) & times.notna().to_numpy()) | (microseconds > LAST_US)


def _instants(raw: pd.Series[Any], null: pd.Series[bool]) -> pd.Series[Any]:
    """Return zoned timestamps, null where there is no zone or no time."""
    if isinstance(raw.dtype, pd.StringDtype) and raw[~null].str.fullmatch(_ISO_ZONED).all():
        try:  # one call for the usual form; anything else is read one by one
            return pd.to_datetime(raw.where(~null, None), format="ISO8601", utc=True).astype("datetime64[us, UTC]")
        except (ValueError, OverflowError):
            pass
    parsed = [_instant(v) for v in raw.astype(object).where(~null, None)]
    return pd.Series(parsed, index=raw.index, dtype="datetime64[us, UTC]")


def _instant(value: Any) -> pd.Timestamp | None:
    """Return a zoned timestamp, or None where the value has no zone or is no time."""
    if value is None:
        return None
    try:
        instant = pd.Timestamp(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if pd.isna(instant) or instant.tzinfo is None else instant.tz_convert("UTC")


def shown(cells: pd.Series[Any]) -> list[str]:
    """Return cells as text that any file can hold."""
    if cells.dtype != object:
        return cells.astype(str).tolist()
    texts = (str(cell).encode("utf-8", "backslashreplace").decode("utf-8") for cell in cells)
    return [_NO_TEXT.sub(lambda found: f"\\x{ord(found[0]):02x}", text) for text in texts]
