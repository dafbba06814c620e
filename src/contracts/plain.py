"""Columns that are already what their contract has: the usual case, seen in one look at the values.

Most tables of a night come from our own code or store. Reading such a column strictly and asking pandera rule by rule
changes nothing and took a third of a small plan. Both functions answer only where the long way is known to answer the
same; else the long way is gone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

FIRST_US, LAST_US = (
    int(np.datetime64(edge, "us").astype("int64")) for edge in ("0001-01-01", "9999-12-31T23:59:59.999999")
)
"""Microseconds of the first and last moments that Python's dates can tell."""
_DAY_US = 86_400_000_000
_NEVER = np.iinfo(np.int64).min
"""What numpy and pandas hold for no time."""
_FEW = 5_000
"""Texts up to which a plain loop is faster than passes over the column."""
_DTYPES: dict[str, Any] = {
    "text": pd.StringDtype(na_value=np.nan),
    "number": np.dtype("float64"),
    "whole": np.dtype("int64"),
    "flag": np.dtype("bool"),
    "instant": pd.DatetimeTZDtype("us", "UTC"),
    "day": np.dtype("datetime64[us]"),
}
_COMPARED = {
    "greater_than": (np.greater, "min_value"),
    "greater_than_or_equal_to": (np.greater_equal, "min_value"),
    "less_than_or_equal_to": (np.less_equal, "max_value"),
}


def as_it_is(raw: pd.Series[Any], kind: str, *, nullable: bool) -> pd.Series[Any] | None:
    """Return the column as its contract has it where `cells.read_column` would find nothing wrong, else None.

    None is no verdict: the column may still be good.

    Parameters
    ----------
    kind : str
        What the contract's column holds, see `cells.kind_of`.
    """
    wanted = _DTYPES[kind]
    if raw.dtype == object:
        absent = nullable and kind not in ("whole", "flag") and bool(raw.isna().all())
        return pd.Series(None, index=raw.index, dtype=wanted) if absent else None
    if raw.dtype != wanted:
        return None
    if kind == "text":
        return raw if len(raw) <= _FEW and all(_begins(cell, nullable) for cell in raw.tolist()) else None
    if kind in ("whole", "flag"):
        return raw
    if kind == "number":
        values = raw.to_numpy()
        clean, null = np.isfinite(values), np.isnan(values)
    else:
        ticks = raw.array.asi8
        clean, null = (ticks >= FIRST_US) & (ticks <= LAST_US), ticks == _NEVER
        if kind == "day":
            clean &= ticks % _DAY_US == 0
    return raw if (clean | null if nullable else clean).all() else None


def _begins(cell: Any, nullable: bool) -> bool:
    """Return whether a text begins with a letter or digit, so that nobody takes it for blank."""
    return cell[:1].isalnum() if isinstance(cell, str) else nullable


def keeps(column: pd.Series[Any], check: Any) -> bool:
    """Return whether a column of its contract's dtype keeps one of pandera's rules; nulls keep every rule."""
    known, dtype = check.statistics, column.dtype
    if check.name in _COMPARED and isinstance(dtype, np.dtype) and dtype.kind in "if":
        compare, limit = _COMPARED[check.name]
        values = column.to_numpy()
        return bool((compare(values, known[limit]) | np.isnan(values)).all())
    if dtype == _DTYPES["text"] and len(column) <= _FEW:
        if check.name == "isin":
            return {cell for cell in column.tolist() if isinstance(cell, str)} <= set(known["allowed_values"])
        if check.name == "str_length" and known["exact_value"] is None and known["max_value"] is None:
            return all(len(cell) >= known["min_value"] for cell in column.tolist() if isinstance(cell, str))
    return bool(check(column).check_passed)
