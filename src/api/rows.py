"""Table rows on the wire: a pydantic model per contract for the OpenAPI document, and frames as JSON records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import NoneType
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, create_model

from api.examples import column_example
from contracts.table import Table

_PYTHON_TYPES = {"whole": int, "number": float, "flag": bool, "instant": datetime, "day": date, "text": str}


def kind_of(dtype: str) -> str:
    """Return what a contract column's dtype is on the wire.

    Examples
    --------
    >>> kind_of("datetime64[us, UTC]"), kind_of("float64"), kind_of("str")
    ('instant', 'number', 'text')
    """
    if dtype.startswith("datetime64"):
        return "instant" if "UTC" in dtype else "day"
    return {"int64": "whole", "float64": "number", "bool": "flag"}.get(dtype, "text")


def row_model(
    name: str,
    table: type[Table],
    *,
    extra: Mapping[str, type] | None = None,
    without: tuple[str, ...] = (),
) -> type[BaseModel]:
    """Return the model of one row of a contract, with columns that a view adds or leaves out.

    Parameters
    ----------
    extra : mapping of column to Python type
        Columns joined to the contract's, such as names; they may be null.
    """
    fields: dict[str, Any] = {}
    for column, spec in table.to_schema().columns.items():
        if column in without:
            continue
        kind = kind_of(str(spec.dtype))
        python = _PYTHON_TYPES[kind]
        shown = {"description": spec.description, "examples": [column_example(column, kind)]}
        fields[column] = (python | None, Field(default=None, **shown)) if spec.nullable else (python, Field(**shown))
    for column, python in (extra or {}).items():
        kind = next(k for k, p in _PYTHON_TYPES.items() if p is python)
        fields[column] = (python | None, Field(default=None, examples=[column_example(column, kind)]))
    example = {column: spec[1].examples[0] for column, spec in fields.items()}
    config = ConfigDict(extra="forbid", json_schema_extra={"example": example})
    return create_model(name, __config__=config, __doc__=(table.__doc__ or "").strip().split("\n")[0], **fields)


def example_row(row: type[BaseModel]) -> dict[str, Any]:
    """Return an example row, of the first example of each field."""
    return {name: field.examples[0] for name, field in row.model_fields.items() if field.examples}


def wire_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with days as ``2026-03-02`` and instants as ``2026-03-01T15:00:00Z``."""
    changed: dict[str, pd.Series[Any]] = {}
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            utc = column.dt.tz_convert("UTC")
            fine = (utc.dt.microsecond != 0).any()
            changed[name] = utc.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if fine else "%Y-%m-%dT%H:%M:%SZ")
        elif column.dtype.kind == "M":
            changed[name] = column.dt.strftime("%Y-%m-%d")
    return frame.assign(**changed) if changed else frame


def records_json(frame: pd.DataFrame) -> str:
    """Return the rows of a frame as a JSON array; null for what is absent.

    Examples
    --------
    >>> records_json(pd.DataFrame({"sku_id": ["K1"], "units": [2.5]}))
    '[{"sku_id":"K1","units":2.5}]'
    """
    if frame.empty:
        return "[]"
    return wire_frame(frame).to_json(orient="records", double_precision=10, force_ascii=False)


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as they came over the wire as a frame in which no value was changed.

    Left to itself pandas makes a column of whole numbers with a gap one of floats, and ids of 17 digits and more come
    out as other ids. Columns of nothing but plain text, or whole numbers, or other numbers become such, which contracts
    read fast; all else stays as it came, for them to judge.

    Examples
    --------
    >>> frame_of([{"order_id": 1234567890123456781}, {}])["order_id"].tolist()[0]
    1234567890123456781
    """
    frame = pd.DataFrame(list(rows), dtype=object)
    plain = {name: _plain(frame[name]) for name in frame.columns}
    return frame.astype({name: dtype for name, dtype in plain.items() if dtype})


def _plain(cells: pd.Series[Any]) -> str:
    """Return the dtype that holds every cell unchanged: text without control characters, numbers; empty without one."""
    kinds = set(map(type, cells))
    if kinds == {int}:
        return "int64" if max(map(abs, cells)) < 1 << 63 else ""
    if kinds == {float}:
        return "float64" if all(abs(cell) < 1 << 53 for cell in cells) else ""
    if kinds <= {str, NoneType}:
        return "str" if "".join(filter(None, cells)).replace("\n", "").isprintable() else ""
    return ""
