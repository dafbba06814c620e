"""The order history: Parquet files by delivery date, of which only those in the SQL manifest exist for readers.

A file is written once, under a new name, and never changed. An import writes its files first and then makes them
visible together by one SQL transaction; what a crash leaves behind is a file that no reader looks at, until `sweep`.
A file that is replaced stays for a day after that, for those who listed it before and are still reading.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import CorruptFileError
from contracts.flow import OrderLines
from store.database.import_log import ImportLog
from store.disk import reading_own, storing
from store.parquet import read_parquet, read_parquets, write_parquet

COLUMNS = OrderLines.column_names()
File = tuple[str, date, int]
"""A file of the manifest: name, delivery date, rows."""
_log = logging.getLogger(__name__)


class History:
    """Order lines in Parquet under a folder, partitioned ``delivery_date=YYYY-MM-DD/``."""

    def __init__(self, folder: Path, log: ImportLog) -> None:
        self.folder = folder
        self._log = log

    def read(self, delivery_from: date | None = None, delivery_to: date | None = None) -> DataFrame[OrderLines]:
        """Return the visible lines of a span of delivery dates (both included), by order moment.

        Raises
        ------
        DamagedFileError
            A file of the manifest is missing, damaged or has other rows than the manifest says.
        """
        return self.read_files(self._log.files(delivery_from, delivery_to))

    def read_files(self, files: list[File]) -> DataFrame[OrderLines]:
        """Return the lines of some files of the manifest, by order moment.

        Raises
        ------
        DamagedFileError
            A file is missing, damaged or has other rows than the manifest says.
        """
        if not files:
            return OrderLines.empty()
        expected = sum(rows for _, _, rows in files)
        with reading_own(self.folder):
            lines = read_parquets([self.folder / file for file, _, _ in files])
            if len(lines) != expected:
                reason = f"it holds {len(lines):,} lines where {expected:,} were written"
                raise CorruptFileError(str(self.folder), reason)
        lines = lines.sort_values(["placed_at", "order_id", "line_no"], kind="stable", ignore_index=True)
        return DataFrame[OrderLines](lines[list(COLUMNS)])

    def files_of(self, days: Iterable[date]) -> list[File]:
        """Return the visible files of some delivery dates (at least one), the oldest date first."""
        wanted = frozenset(days)
        return [file for file in self._log.files(min(wanted), max(wanted)) if file[1] in wanted]

    def read_orders(self, files: list[File], order_ids: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the lines of some files, of some orders if given.

        Raises
        ------
        DamagedFileError
            A file is missing or damaged.
        """
        where = None if order_ids is None else ("order_id", order_ids)
        if not files:
            return OrderLines.empty()
        with reading_own(self.folder):
            return read_parquets([self.folder / file for file, _, _ in files], where=where)

    def each_day(self) -> Iterator[pd.DataFrame]:
        """Yield the visible lines of one delivery date after the other."""
        for _, files in groupby(self._log.files(), key=lambda file: file[1]):
            yield self.read_orders(list(files))

    def mentions(self, column: str, value: str) -> bool:
        """Return whether any visible line has a value in a column, the latest dates looked at first."""
        files = reversed(self._log.files())
        with reading_own(self.folder):
            return any((read_parquet(self.folder / f, columns=[column])[column] == value).any() for f, _, _ in files)

    def write(self, lines: pd.DataFrame, import_id: str) -> tuple[File, ...]:
        """Write lines to new files, one per delivery date; invisible until they are in the manifest.

        Raises
        ------
        StorageFullError
            The disk is full; the files written so far are removed.
        """
        written: list[File] = []
        try:
            for day, part in lines[list(COLUMNS)].groupby("delivery_date", sort=True):
                moment = pd.Timestamp(day)  # type: ignore[arg-type]
                file = f"delivery_date={moment:%Y-%m-%d}/{import_id}.parquet"
                written.append((file, moment.date(), len(part)))
                write_parquet(part.sort_values(["placed_at", "order_id", "line_no"], kind="stable"), self.folder / file)
        except BaseException:
            self.remove(file for file, _, _ in written)
            raise
        return tuple(written)

    def remove(self, files: object) -> None:
        """Remove files that are not visible, if they are there."""
        for file in files:  # type: ignore[attr-defined]
            with storing(file):
                (self.folder / file).unlink(missing_ok=True)

    def keep_for_readers(self, retired: Iterable[str]) -> None:
        """Let files that are about to be replaced stay for a day from now on; see `sweep`."""
        for file in retired:
            with storing(file):
                os.utime(self.folder / file)

    def sweep(self, *, now: datetime, older_than: timedelta = timedelta(days=1)) -> int:
        """Remove files that no reader can see and nobody has touched for a while; return how many.

        Such files are left by a crash, or were replaced. Young ones stay: an import that still runs may need them, and
        so may a reader who listed them before they were replaced.
        """
        visible = {file for file, _, _ in self._log.files()}
        limit = (now - older_than).timestamp()
        removed = 0
        for path in self.folder.glob("delivery_date=*/*"):
            if path.relative_to(self.folder).as_posix() in visible:
                continue
            try:
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # an unfinished file that got its name meanwhile, or another sweep was here
            except OSError as kept:
                _log.warning("%s is no longer needed and cannot be removed: %s", path, kept)
        return removed
