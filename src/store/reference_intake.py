"""Reference rows into the store: merged by key, the books kept, and every change written down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from secrets import token_hex
from time import perf_counter
from typing import TypeVar

import pandas as pd

from contracts.cells import read_column
from contracts.errors import ConflictError, NotFoundError, StoreError
from contracts.settings import CitySettings
from contracts.validity import VALIDITY, dated
from store.database.engine import RacedError
from store.database.import_log import HistoryChange, ImportLog
from store.database.reference_rows import ChangedMeanwhileError, ReferenceRows
from store.database.schema import WIDE_TABLES
from store.intake import failures_file
from store.mapping import Mapping
from store.parquet import write_parquet
from store.pointers import rows_that_point, without_lost_rows
from store.reference_import import Merged, ReferenceRowsRead, contract_of, merge, read_reference_rows, without_overlaps
from store.report import ImportReport, count_rules
from store.source_file import read_source

T = TypeVar("T")
_log = logging.getLogger(__name__)
_ATTEMPTS = 5  # each lost race means that another change went through


@dataclass(frozen=True)
class _Taken:
    """What became of the rows of a file."""

    read: ReferenceRowsRead
    merged: Merged
    generated: bool


@dataclass(frozen=True)
class ReferenceIntake:
    """Changes reference tables, one at a time."""

    folder: Path
    rows: ReferenceRows
    log: ImportLog
    city: CitySettings
    now: Callable[[], datetime]

    def take(
        self, table: str, path: Path | str, mapping: Mapping, held: Callable[[str], pd.DataFrame], *, by: str
    ) -> ImportReport:
        """Merge a file into a table and return the books; see `Store.import_reference`.

        Parameters
        ----------
        held : callable
            Gives every row of a reference table as it is, empty if it was never given.
        """
        started = perf_counter()
        contract_of(table)
        source = read_source(path, mapping.file.file_format())
        rows = read_reference_rows(source, table, mapping, timezone=self.city.timezone)
        taken = self._again_if_raced(table, lambda: self._merge(table, rows, held))
        read, merged = taken.read, taken.merged
        import_id, rejected = token_hex(8), read.failures["row"].nunique()
        path_of_failures = failures_file(self.folder, import_id) if rejected else None
        if path_of_failures is not None:
            write_parquet(read.failures, path_of_failures)
        report = ImportReport(
            import_id=import_id,
            table=table,
            source=source.name,
            sha256=source.sha256,
            mapping=f"{mapping.name}:{mapping.fingerprint}",
            rows_read=read.rows_read,
            rows_accepted=len(read.good),
            rows_rejected=rejected,
            rows_new=merged.new,
            rows_updated=merged.updated,
            rows_unchanged=merged.unchanged,
            notes=("the generated rows of this table were replaced",) if taken.generated else (),
            failures_path=path_of_failures,
            rules=count_rules(read.failures),
            failures=read.failures,
        )
        report = replace(report, seconds=perf_counter() - started)
        self.log.record(report, HistoryChange(), at=self.now(), by=by)
        _log.info("import %s: %d rows in, %d accepted, %.2f s", table, read.rows_read, len(read.good), report.seconds)
        return report

    def remove(
        self, table: str, key: Sequence[str], valid_from: date | None, held: Callable[[str], pd.DataFrame]
    ) -> pd.DataFrame:
        """Take one row out of a table and return it; see `Store.remove_reference`."""
        return self._again_if_raced(table, lambda: self._without(table, key, valid_from, held))

    def replace(
        self, tables: dict[str, pd.DataFrame], synthetic: frozenset[str], *, read_at: int | None = None
    ) -> None:
        """Replace whole tables in one transaction; wide ones become new files first."""
        files: dict[str, str] = {}
        always: dict[str, pd.DataFrame] = {}
        later: dict[str, pd.DataFrame] = {}
        for name, table in tables.items():
            names = [column for column in VALIDITY if column in table]
            dates = table[names].notna().any(axis=1)
            always[name], later[name] = table.loc[~dates].drop(columns=names), table.loc[dates]
            if name in WIDE_TABLES:
                files[name] = f"_reference/{name}-{token_hex(8)}.parquet"
                write_parquet(always[name], self.folder / files[name])
        self.rows.replace(always, synthetic=synthetic, files=files, at=self.now(), dated=later, read_at=read_at)

    def _merge(self, table: str, read: ReferenceRowsRead, held: Callable[[str], pd.DataFrame]) -> _Taken:
        known = self.rows.sets().get(table)
        read = without_lost_rows(read, table, held)
        generated = known is not None and known.synthetic and not read.good.empty
        contract = dated(contract_of(table))
        before = contract.empty() if generated else held(table)
        read = without_overlaps(read, before, table)
        merged = merge(before, read.good, contract)
        if merged.new or merged.updated or generated:
            self.replace({table: merged.table}, frozenset(), read_at=0 if known is None else known.changes)
        return _Taken(read, merged, generated)

    def _without(
        self, table: str, key: Sequence[str], valid_from: date | None, held: Callable[[str], pd.DataFrame]
    ) -> pd.DataFrame:
        known = self.rows.sets().get(table)
        rows = held(table)
        same = of_key(rows, table, key)
        gone = same & starting(rows, valid_from)
        if known is None or not gone.any():
            raise NotFoundError(f"row of {table}", _told(key, valid_from))
        if same.sum() == 1 and (pointing := rows_that_point(table, key, held)):
            told = ", ".join(f"{count:,} of {name}" for name, count in pointing.items())
            raise ConflictError(
                f"Rows point to {_told(key, None)} of {table}: {told}. Remove them first, or let it end."
            )
        synthetic = frozenset({table} if known.synthetic else ())
        self.replace({table: rows[~gone].reset_index(drop=True)}, synthetic, read_at=known.changes)
        return rows[gone].reset_index(drop=True)

    def _again_if_raced(self, table: str, work: Callable[[], T]) -> T:
        for _ in range(_ATTEMPTS):
            try:
                return work()
            except (ChangedMeanwhileError, RacedError):
                continue
        raise StoreError(f"Others kept changing {table} first, {_ATTEMPTS} times; repeat it.")


def of_key(rows: pd.DataFrame, table: str, key: Sequence[str]) -> pd.Series[bool]:
    """Return which rows of a table have a key, given as text in the order of the contract's key columns."""
    contract = contract_of(table)
    columns, same = contract.to_schema().columns, pd.Series(len(key) == len(contract.key()), index=rows.index)
    for name, text in zip(contract.key(), key, strict=False):
        value, unread, _ = read_column(pd.Series([text], dtype=object), columns[name])
        wanted = value.iloc[0]
        same &= False if unread.any() else rows[name].isna() if pd.isna(wanted) else rows[name] == wanted
    return same


def starting(rows: pd.DataFrame, valid_from: date | None) -> pd.Series[bool]:
    """Return which rows hold from a date on, None being the beginning."""
    if "valid_from" not in rows:
        return pd.Series(valid_from is None, index=rows.index)
    return rows["valid_from"].isna() if valid_from is None else rows["valid_from"] == pd.Timestamp(valid_from)


def _told(key: Sequence[str], valid_from: date | None) -> str:
    return " / ".join(key) + ("" if valid_from is None else f" from {valid_from}")
