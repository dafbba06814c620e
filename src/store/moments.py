"""Dates, times and clock times as people write them, read column by column; a day-first date is never guessed."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence

import pandas as pd

from contracts.clock import CLOCK_PATTERN

FORMATS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日%H:%M",
    "%Y年%m月%d日%H时%M分",
    "%Y年%m月%d日",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
)
"""Tried after the mapping's own formats and ISO 8601. Each begins with the year, so no cell has two meanings."""

_OFFSET = r".*\d(?:Z|[+-]\d{2}:?\d{2})"


def read_instants(cells: pd.Series, *, timezone: str, formats: Sequence[str] = ()) -> tuple[pd.Series, pd.Series]:
    """Return instants in UTC with microseconds, and per unreadable cell the rule it broke.

    A time without a zone is on the wall clock of `timezone`: one that exists twice (clocks back) is taken as the
    first, one that does not exist (clocks forward) as the next that does.
    """
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        return cells.dt.tz_convert("UTC").dt.as_unit("us"), _none(cells)
    if cells.dtype.kind == "M":
        return _to_utc(cells, timezone), _none(cells)
    text = _text(cells)
    zoned = text.str.fullmatch(_OFFSET).fillna(False).astype(bool)
    result = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[us, UTC]")
    if zoned.any():
        parsed = pd.to_datetime(text[zoned], utc=True, format="ISO8601", errors="coerce")
        result.loc[parsed.index] = parsed.dt.as_unit("us")
    wall = _parse(text[~zoned], formats)
    if wall.notna().any():
        result.loc[wall.index] = _to_utc(wall, timezone)
    return result, _unread(text, result, "a date and time")


def read_days(cells: pd.Series, *, formats: Sequence[str] = ()) -> tuple[pd.Series, pd.Series]:
    """Return calendar days at midnight, and per unreadable cell the rule it broke; a time of day is no day."""
    if cells.dtype.kind == "M" and not isinstance(cells.dtype, pd.DatetimeTZDtype):
        return cells.dt.as_unit("us"), _none(cells)
    text = _text(cells)
    days = _parse(text, formats)
    return days, _unread(text, days, "a date")


def read_clocks(cells: pd.Series) -> pd.Series:
    """Return clock times as the contracts write them: ``6:30`` and Excel's 06:30:00 as ``06:30``; others untouched."""
    read = {value: _clock(value) for value in cells.dropna().unique()}
    return cells.map(read).astype(object).where(cells.notna(), None)


def _clock(value: object) -> object:
    if isinstance(value, (dt.time, dt.datetime)):
        return f"{value.hour:02d}:{value.minute:02d}" if not value.second else value.isoformat()
    text = unicodedata.normalize("NFKC", str(value)).strip()
    found = re.fullmatch(r"(\d{1,2}):(\d{2})(?::00)?([+-]\d)?", text)
    if found is None:
        return text
    tidy = f"{int(found[1]):02d}:{found[2]}{found[3] or ''}"
    return tidy if re.match(CLOCK_PATTERN, tidy) else text


def _parse(text: pd.Series, formats: Sequence[str]) -> pd.Series:
    """Return naive timestamps, the first format that fits each cell; NaT where none does."""
    result = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    left = text.dropna()
    for form in (*formats, "ISO8601", *FORMATS):
        if left.empty:
            break
        tried = left[left.str.contains("-", regex=False)] if form == "ISO8601" else left  # 20260302 is no ISO here
        parsed = pd.to_datetime(tried, format=form, errors="coerce").dropna()
        if len(parsed):
            result.loc[parsed.index] = parsed.dt.as_unit("us")
            left = left.drop(parsed.index)
    return result


def _to_utc(wall: pd.Series, timezone: str) -> pd.Series:
    first = pd.Series(True, index=wall.index).to_numpy()
    local = wall.dt.as_unit("us").dt.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    instants: pd.Series = local.dt.tz_convert("UTC").dt.as_unit("us")
    return instants


def _text(cells: pd.Series) -> pd.Series:
    """Return cells as tidy text, null where empty: full-width digits narrowed, blanks at the ends taken off."""
    words = cells.astype("str").str.strip() if cells.dtype.kind != "O" else cells.map(_cell_text, na_action="ignore")
    words = words.astype("str").where(cells.notna(), None)
    if not words.str.isascii().fillna(True).all():
        words = words.str.normalize("NFKC")
    return words.where(words != "", None)


def _cell_text(value: object) -> str:
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else value.isoformat()
    return str(value).strip()


def _unread(text: pd.Series, read: pd.Series, rule: str) -> pd.Series:
    bad = text.notna() & read.isna()
    return pd.Series(rule, index=text.index[bad], dtype="str")


def _none(cells: pd.Series) -> pd.Series:
    return pd.Series([], index=cells.index[:0], dtype="str")
