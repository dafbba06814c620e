"""A world directory: one CSV or Parquet file per contract, named in snake_case (``offers.csv``)."""

from __future__ import annotations

import logging
from dataclasses import MISSING, fields
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from contracts.errors import ContractError, InputError, NotFoundError, first_keys
from contracts.flow import OrderLines
from contracts.planned import ArrivalCurve, TrueDemand
from contracts.table import Table
from contracts.validity import VALIDITY, has_dates
from contracts.world import REFERENCE_TABLES, Reference, World
from store.source_file import read_source

_log = logging.getLogger(__name__)

REQUIRED_TABLES: tuple[str, ...] = tuple(
    item.name
    for item in fields(Reference)
    if item.name in REFERENCE_TABLES and item.default is MISSING and item.default_factory is MISSING
)
"""Reference tables without which no night can be planned; the others may be absent and are then empty."""


def read_world(directory: Path | str) -> World:
    """Return the world that a directory holds: the reference tables, ``order_lines`` and, if there, the truth.

    Raises
    ------
    NotFoundError
        The directory or a required file is missing; all missing ones are named.
    InputError
        A table is there twice, or breaks its contract, or points to rows that do not exist.
    """
    directory = Path(directory)
    started = perf_counter()
    reference = read_reference(directory)
    lines = _read_table(directory, "order_lines", OrderLines)
    if lines is None:
        raise NotFoundError("file", "order_lines", hint=f"{directory} needs order_lines.csv or order_lines.parquet.")
    truth = {
        name: table
        for name, contract in (("true_demand", TrueDemand), ("arrival_curve", ArrivalCurve))
        if (table := _read_table(directory, name, contract)) is not None
    }
    _log.info("read_world %s: %d order lines in %.2f s", directory, len(lines), perf_counter() - started)
    return World(reference=reference, order_lines=lines, **truth)


def read_reference(directory: Path | str) -> Reference:
    """Return the reference data that a directory holds; absent optional tables are empty.

    A file ``synthetic.csv`` with one column ``table`` names the tables that were generated, not given.

    Raises
    ------
    NotFoundError
        The directory or required tables are missing; all missing ones are named.
    InputError
        A table is there twice, or breaks its contract, or points to rows that do not exist.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise NotFoundError("directory", str(directory), hint="A world is a directory with one file per table.")
    tables: dict[str, Any] = {}
    for name, contract in REFERENCE_TABLES.items():
        table = _read_table(directory, name, contract)
        if table is not None:
            tables[name] = table
    missing = [name for name in REQUIRED_TABLES if name not in tables]
    if missing:
        raise NotFoundError(
            "reference table(s)",
            ", ".join(missing),
            hint=f"{directory} needs a CSV or Parquet file of each; it has "
            f"{first_keys(sorted(p.name for p in directory.iterdir()), shown=20)}.",
        )
    return Reference(**tables, synthetic=_synthetic_tables(directory)).check()


def _synthetic_tables(directory: Path) -> tuple[str, ...]:
    path = directory / "synthetic.csv"
    if not path.is_file():
        return ()
    cells = read_source(path).cells
    named = tuple(cells["table"].dropna()) if "table" in cells else ()
    unknown = [name for name in named if name not in REFERENCE_TABLES]
    if unknown:
        raise InputError(f"{path} names tables that do not exist: {first_keys(unknown)}.")
    return named


def _read_table(directory: Path, name: str, contract: type[Table]) -> Any | None:
    found = [path for kind in (".csv", ".parquet") if (path := directory / f"{name}{kind}").is_file()]
    if not found:
        return None
    if len(found) > 1:
        raise InputError(f"{directory} holds {name} twice: {found[0].name} and {found[1].name}. Keep one.")
    source = read_source(found[0], ours=True)
    if len(source.torn):
        raise ContractError(contract.__name__, source.torn)
    if source.cells.empty and not len(source.cells.columns):
        raise InputError(f"{found[0]} is empty; a table without rows still has its header line.")
    if has_dates(source.cells):
        raise InputError(
            f"{found[0]} has rows that hold for some dates only ({', '.join(VALIDITY)}), and a world always holds. "
            f"Import the world without them, then `tuancai import reference {name} {found[0].name}`."
        )
    return contract.check(parse_instants(source.cells, contract))


def parse_instants(cells: pd.DataFrame, contract: type[Table]) -> pd.DataFrame:
    """Return the frame with its text instants parsed column by column, where all carry a zone (ISO 8601).

    The contract reads any text, but value by value; this is the fast way for large files. A column that does not
    parse as a whole is left to the contract, which names the rows.
    """
    zoned = [
        name
        for name, column in contract.to_schema().columns.items()
        if name in cells and "UTC" in str(column.dtype) and cells[name].dtype.kind == "O"
    ]
    parsed: dict[str, Any] = {}
    for name in zoned:
        given = cells[name].dropna()
        if not given.astype(str).str.fullmatch(r".*(?:Z|[+-]\d{2}:?\d{2})").all():
            continue
        try:
            moments = pd.to_datetime(given, utc=True, format="ISO8601")
        except (ValueError, TypeError):
            continue
        parsed[name] = moments.reindex(cells.index).dt.as_unit("us")
    return cells.assign(**parsed)
