"""A reference table from a file: rows read, checked, and merged into what is there by key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from contracts.errors import EmptyInputError, InputError, first_keys
from contracts.table import Table
from contracts.validity import VALIDITY, dated, overlapping
from contracts.world import REFERENCE_TABLES
from store.conditions import rejected_rows
from store.derive import derive
from store.mapping import Mapping
from store.source_file import SourceFile
from store.tidy import failure_rows, failure_table, tidy


@dataclass(frozen=True)
class ReferenceRowsRead:
    """Good rows of a file (columns of the dated contract, index = row of the file), and the failure table."""

    good: pd.DataFrame
    failures: pd.DataFrame
    rows_read: int


@dataclass(frozen=True)
class Merged:
    """A table after a merge, with how many rows of the file were new, changed or there already."""

    table: pd.DataFrame
    new: int
    updated: int
    unchanged: int


def contract_of(table: str) -> type[Table]:
    """Return the contract of a reference table.

    Raises
    ------
    InputError
        There is no such table.
    """
    if table not in REFERENCE_TABLES:
        raise InputError(f"There is no reference table {table!r}; there are {', '.join(REFERENCE_TABLES)}.")
    return REFERENCE_TABLES[table]


def read_reference_rows(source: SourceFile, table: str, mapping: Mapping, *, timezone: str) -> ReferenceRowsRead:
    """Return the good rows of a reference file and the failures.

    Raises
    ------
    EmptyInputError
        The file has no rows.
    MissingColumnError, MappingError
        A column or rule cannot be found in the file.
    """
    contract, cells = dated(contract_of(table)), source.cells
    if cells.empty and source.torn.empty:
        raise EmptyInputError(f"{source.name} has no rows: expected a header line and at least one row of {table}.")
    undue = [name for name in VALIDITY if name in cells and name not in contract.column_names()]
    if undue:
        raise InputError(
            f"{source.name} has {first_keys(undue)}, but rows of {table} carry a date of their own: leave it out."
        )
    read = tidy(cells, contract, mapping, timezone=timezone)
    frame = read.frame

    def column(name: str) -> pd.Series[Any]:
        if name not in cells.columns and name not in frame.columns:
            raise InputError(f"Mapping {mapping.name} uses column {name!r}, which {source.name} does not have.")
        return cells[name] if name in cells.columns else frame[name]

    def parsed(name: str) -> pd.Series[Any]:  # rules build on what was read, not on the raw cells
        return frame[name] if name in frame.columns else column(name)

    for name, rule in mapping.derive.items():
        frame[name] = derive(rule, parsed, timezone=mapping.time.timezone or timezone)
    filtered = rejected_rows(mapping.reject, column, cells.index)
    unread = read.failures[~read.failures["row"].isin(filtered["row"])]
    judged = frame[~frame.index.isin(filtered["row"]) & ~frame.index.isin(unread["row"])]
    rows = judged.index.to_numpy("int64")
    good, broken = contract.split(judged)
    broken = broken.assign(row=rows[broken["row"].to_numpy()])
    good.index = pd.Index(rows[~pd.Index(rows).isin(broken["row"])])
    failures = failure_table([source.torn, filtered, unread, broken])
    return ReferenceRowsRead(pd.DataFrame(good), failures, len(cells) + len(source.torn))


def without_overlaps(read: ReferenceRowsRead, held: pd.DataFrame, table: str) -> ReferenceRowsRead:
    """Return the rows read, those that hold on dates another row of their key has already moved to the failures."""
    if "valid_until" not in held:
        return read
    broken = overlapping(held, read.good, contract_of(table))
    if broken.empty:
        return read
    failures = failure_table([read.failures, failure_rows(broken, "valid_until", read.good["valid_until"])])
    return replace(read, good=read.good.drop(broken.index), failures=failures)


def merge(held: pd.DataFrame, coming: pd.DataFrame, contract: type[Table]) -> Merged:
    """Return the held rows with the coming ones put in by key: the later row of a key replaces the earlier one."""
    key = list(contract.key())
    if held.empty:
        return Merged(contract.check(coming), len(coming), 0, 0)
    both = coming.merge(held, on=key, how="left", suffixes=("", "_held"), indicator=True)
    known = (both["_merge"] == "both").to_numpy()
    same = known.copy()
    for name in contract.column_names():
        if name not in key:
            one, other = both[name], both[f"{name}_held"]
            same &= ((one == other) | (one.isna() & other.isna())).to_numpy()
    table = pd.concat([held, coming]).drop_duplicates(key, keep="last").sort_index(kind="stable")
    ordered = pd.concat([held, coming]).drop_duplicates(key)[key].merge(table, on=key, how="left")
    return Merged(contract.check(ordered), int((~known).sum()), int((known & ~same).sum()), int(same.sum()))
