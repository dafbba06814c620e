"""From raw cells to a contract's columns: names found, numbers, times and words read, unreadable cells listed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from contracts.errors import MappingError, MissingColumnError, first_keys
from contracts.table import Table
from store.aliases import ALIASES, VALUES, heading, heading_unit
from store.mapping import ColumnPart, Mapping
from store.moments import read_clocks, read_days, read_instants
from store.report import FAILURES
from store.units import NumberReading, known_unit, read_numbers


@dataclass(frozen=True)
class TidyTable:
    """A table with contract names and types that are ready for the contract.

    Attributes
    ----------
    frame : DataFrame
        Columns of the contract that were found; index = row of the file.
    failures : DataFrame
        ``row``, ``column``, ``rule``, ``value`` of cells that could not be read.
    origins : dict
        Contract column to the header it came from.
    """

    frame: pd.DataFrame
    failures: pd.DataFrame
    origins: dict[str, str] = field(default_factory=dict)


def tidy(cells: pd.DataFrame, contract: type[Table], mapping: Mapping, *, timezone: str) -> TidyTable:
    """Return the contract's columns of a file's raw cells.

    Raises
    ------
    MappingError
        The mapping names a column that neither file nor contract has, or a header states a unit that does not fit.
    """
    schema = contract.to_schema().columns
    unknown = [c for c in (*mapping.columns, *mapping.constants, *mapping.derive) if c not in schema]
    if unknown:
        raise MappingError(
            f"Mapping {mapping.name} names {first_keys(unknown)}, which {contract.__name__} does not have; "
            f"its columns are {', '.join(schema)}."
        )
    origins = find_columns(cells, contract, mapping)
    columns: dict[str, pd.Series[Any]] = {}
    failures = []
    for name, source in origins.items():
        part = mapping.columns.get(name, ColumnPart())
        raw = (
            cells[source]
            if part.blank is None
            else cells[source].astype(object).where(cells[source].notna(), part.blank)
        )
        columns[name], broken = _read(raw, name, str(schema[name].dtype), source, part, mapping, timezone)
        failures.append(failure_rows(broken, name, raw))
    for name, value in mapping.constants.items():
        columns[name] = pd.Series([value] * len(cells), index=cells.index)
    return TidyTable(pd.DataFrame(columns, index=cells.index), pd.concat([failure_rows(), *failures]), origins)


def find_columns(cells: pd.DataFrame, contract: type[Table], mapping: Mapping) -> dict[str, str]:
    """Return contract column to header: by the mapping, else the contract's own name, else the first alias found.

    Raises
    ------
    MappingError
        The mapping asks for headers that the file does not have.
    """
    headers: dict[str, str] = {}
    for name in cells.columns:
        headers.setdefault(heading(str(name)), str(name))
    origins: dict[str, str] = {}
    taken: set[str] = set()
    settled = set(mapping.constants) | set(mapping.derive)
    for name, part in mapping.columns.items():
        if not part.source:
            continue
        found = next((source for source in part.source if source in cells.columns), None)
        found = found or next((headers[heading(s)] for s in part.source if heading(s) in headers), None)
        if found is None:
            raise MissingColumnError(f"{contract.__name__} ({name})", part.source, [str(c) for c in cells.columns])
        origins[name] = found
        taken.add(found)
    open_names = [n for n in contract.column_names() if n not in origins and n not in settled]
    exact = {n: headers[heading(n)] for n in open_names if heading(n) in headers and headers[heading(n)] not in taken}
    origins |= exact
    taken |= set(exact.values())
    for name in open_names:
        if name in origins:
            continue
        for alias in ALIASES.get(name, ()):
            source = headers.get(heading(alias))
            if source is not None and source not in taken:
                origins[name] = source
                taken.add(source)
                break
    return origins


def _read(
    raw: pd.Series[Any], name: str, dtype: str, source: str, part: ColumnPart, mapping: Mapping, timezone: str
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    zone, formats = mapping.time.timezone or timezone, mapping.time.formats
    if "UTC" in dtype:
        return read_instants(raw, timezone=zone, formats=formats)
    if "datetime" in dtype:
        return read_days(raw, formats=formats)
    if "int" in dtype or "float" in dtype:
        return read_numbers(raw, _reading(name, source, part))
    if "bool" in dtype:
        return raw, _nothing()
    if name in ("opens_at", "closes_at", "arrives_at", "order_deadline") or name.startswith(("window_", "shift_")):
        return read_clocks(raw), _nothing()
    return _words(raw, name, part), _nothing()


def _reading(name: str, source: str, part: ColumnPart) -> NumberReading:
    stated = heading_unit(source)
    stated = stated if stated is not None and (known_unit(stated) or stated in part.units) else None
    sale_unit = part.unit if name == "quantity" else None
    unit = (stated or part.unit) if name == "quantity" else (part.unit or stated)
    return NumberReading(name, unit, sale_unit, part.units, part.factor, part.decimals)


def _words(raw: pd.Series[Any], name: str, part: ColumnPart) -> pd.Series[Any]:
    """Return text cells: ids narrowed (NFKC) and stripped, words of fixed vocabularies translated."""
    if raw.dtype.kind in "iuf":
        return raw  # the contract writes 1023.0 as "1023"
    translated = VALUES.get(name, {})
    read: dict[Any, Any] = {}
    for value in raw.dropna().unique():
        text = _whole(value).strip()
        if name.endswith("_id"):
            text = unicodedata.normalize("NFKC", text).strip()
        if part.case is not None:
            text = text.upper() if part.case == "upper" else text.lower()
        read[value] = translated.get(text, text) or None
    return raw.map(read).astype(object).where(raw.notna(), None).astype("str")


def _whole(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def failure_table(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return failure rows as one table, in the order of the file: ``row`` whole numbers, the rest text."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return failure_rows()
    table = pd.concat(filled, ignore_index=True).astype({"row": "int64"} | dict.fromkeys(FAILURES[1:], "str"))
    return table.sort_values("row", kind="stable", ignore_index=True)


def failure_rows(
    broken: pd.Series[Any] | None = None, column: str = "", raw: pd.Series[Any] | None = None
) -> pd.DataFrame:
    """Return failure rows of one column: `broken` maps the row of the file to the rule it broke."""
    broken = _nothing() if broken is None else broken
    values = [] if raw is None else raw.loc[broken.index].astype(str).str.slice(0, 500).tolist()
    return pd.DataFrame(
        {
            "row": pd.Series(broken.index, dtype="int64"),
            "column": pd.Series([column] * len(broken), dtype="str"),
            "rule": pd.Series(broken.to_numpy(), dtype="str"),
            "value": pd.Series(values or [""] * len(broken), dtype="str"),
        }
    )


def _nothing() -> pd.Series[Any]:
    return pd.Series([], index=pd.RangeIndex(0), dtype="str")
