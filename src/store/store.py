"""The store of a city: reference data, order history, imports and plans behind one door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as TableMapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import ConflictError, NotFoundError
from contracts.flow import OrderLines
from contracts.plan import PlanSummary
from contracts.settings import CitySettings, StorageSettings
from contracts.world import Reference
from store.compaction import Compaction, compact
from store.database import Database
from store.database.import_log import ImportLog
from store.database.plans import Plans
from store.database.reference_rows import ReferenceRows, ReferenceSet
from store.disk import reading_own
from store.history import History
from store.intake import Intake, Origin, failures_file
from store.mapping import Mapping
from store.order_rows import frame_rows, read_order_rows
from store.parquet import greatest, read_parquet
from store.reference_intake import ReferenceIntake
from store.reference_reading import ReferenceReading
from store.report import ImportReport
from store.source_file import read_source


def utc_now() -> datetime:
    """Return this moment; the only clock of the store, replaced in tests."""
    return datetime.now(UTC)


class Store:
    """Everything a city keeps."""

    def __init__(self, database: Database, folder: Path, city: CitySettings, now: Callable[[], datetime]) -> None:
        self._now = now
        self._city = city
        self._database = database
        self._log = ImportLog(database)
        self._history = History(folder, self._log)
        self._intake = Intake(self._history, self._log, now)
        self._reference = ReferenceRows(database)
        self._reading = ReferenceReading(folder, self._reference)
        self._reference_intake = ReferenceIntake(folder, self._reference, self._log, city, now)
        self._plans = Plans(database)
        self._pointers: tuple[tuple[object, ...], dict[str, frozenset[str]]] | None = None

    @classmethod
    def open(
        cls, storage: StorageSettings, *, city: CitySettings | None = None, now: Callable[[], datetime] = utc_now
    ) -> Store:
        """Open the store of a city, creating it or bringing its schema up to date.

        Raises
        ------
        StoreError
            The database cannot be opened.
        """
        return cls(Database.open(storage.url), storage.history, city or CitySettings(), now)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    # orders

    def import_orders(self, path: Path | str, mapping: Mapping | None = None, *, by: str = "") -> ImportReport:
        """Take in order lines from a CSV, XLSX or Parquet file; bad rows are kept apart, each line counts once.

        Raises
        ------
        InputError
            The file as a whole cannot be used: corrupt, empty, a column missing, a rule that does not fit.
        StoreError
            Writing failed; nothing of the file is visible.
        """
        mapping = mapping or Mapping()
        source = read_source(path, mapping.file.file_format())
        rows = read_order_rows(
            source,
            mapping,
            timezone=self._city.timezone,
            cutoff=self._city.cutoff,
            known=self._known_ids(),
            settled=self._log.cancelled_before,
        )
        return self._intake.take(rows, Origin(source.name, source.sha256, f"{mapping.name}:{mapping.fingerprint}", by))

    def add_order_lines(self, frame: pd.DataFrame, *, source: str = "frame", by: str = "") -> ImportReport:
        """Take in order lines that have the contract's columns already; rows are counted from 1.

        Raises
        ------
        MissingColumnError
            A required column is absent.
        StoreError
            Writing failed; nothing of the frame is visible.
        """
        return self._intake.take(frame_rows(frame, known=self._known_ids()), Origin(source, by=by))

    def order_lines(
        self,
        delivery_from: date | None = None,
        delivery_to: date | None = None,
        placed_until: datetime | None = None,
    ) -> DataFrame[OrderLines]:
        """Return order lines by delivery date (both ends included), as known at `placed_until`: later lines are
        left out, and a cancellation that came later had not happened."""
        lines = self._history.read(_day(delivery_from), _day(delivery_to))
        if placed_until is None:
            return lines
        known = lines[lines["placed_at"] <= placed_until]
        told = known["cancelled_at"].where(known["cancelled_at"] <= placed_until)
        return DataFrame[OrderLines](known.assign(cancelled_at=told).reset_index(drop=True))

    def delivery_days(self) -> list[date]:
        """Return the delivery dates that have orders, in order."""
        return self._log.delivery_days()

    def last_placed_at(self) -> pd.Timestamp | None:
        """Return the moment of the latest order of any delivery date, None without orders."""
        with reading_own(self._history.folder):
            files = [self._history.folder / file for file, _, _ in self._log.files()]
            last: pd.Timestamp | None = greatest(files, "placed_at")
            return last

    def orders_mark(self, delivery_to: date) -> tuple[int, int]:
        """Return a value that changes whenever orders of delivery dates up to this one do."""
        return self._log.mark(delivery_to)

    def compact(self, *, least_files: int = 2, most_days: int | None = None) -> Compaction:
        """Merge the order files of each delivery date that has at least so many; see `store.compaction`."""
        return compact(self._history, self._log, least_files=least_files, most_days=most_days)

    def sweep(self) -> int:
        """Remove files that a crash or a replacement left behind; return how many."""
        return self._history.sweep(now=self._now())

    # imports

    def imports(self) -> pd.DataFrame:
        """Return the log of imports, newest first."""
        return self._log.table()

    def import_page(self, *, limit: int, offset: int = 0) -> tuple[pd.DataFrame, int]:
        """Return some rows of the log of imports, newest first, and how many there are in all."""
        return self._log.page(limit=limit, offset=offset)

    def import_totals(self) -> pd.DataFrame:
        """Return ``table_name``, ``rows_accepted``, ``rows_rejected`` of all imports."""
        return self._log.totals()

    def failures(self, import_id: str) -> pd.DataFrame:
        """Return the failure table of an import: ``row``, ``column``, ``rule``, ``value``; empty if all was well.

        Raises
        ------
        NotFoundError
            There is no such import.
        """
        if self._log.books(import_id) is None:
            raise NotFoundError("import", import_id, hint="List them with `tuancai import list`.")
        path = failures_file(self._history.folder, import_id)
        with reading_own(path.parent):
            return read_parquet(path) if path.exists() else pd.DataFrame(columns=["row", "column", "rule", "value"])

    # reference data

    def reference(self, on: date | None = None) -> Reference:
        """Return the reference data that holds on a delivery date (default: today), checked as a whole.

        Raises
        ------
        NotFoundError
            Required tables were never given; all are named.
        UnknownReferenceError
            An id points nowhere.
        """
        return self._reading.reference(_day(on) or self.today())

    def today(self) -> date:
        """Return today's date in the city's zone."""
        return self._now().astimezone(ZoneInfo(self._city.timezone)).date()

    def reference_sets(self) -> dict[str, ReferenceSet]:
        """Return how many rows each reference table has that was ever written, and whether it was generated."""
        return self._reference.sets()

    def reference_table(self, name: str, on: date | None = None) -> Any:
        """Return the rows of a table that hold on a date (default: today) as its contract has it, empty without any."""
        return self._reading.table_on(name, _day(on) or self.today())

    def reference_rows(self, name: str) -> pd.DataFrame:
        """Return every row of a reference table, with the dates it holds for in `valid_from` and `valid_until`."""
        return self._reading.table(name)

    def write_reference(self, reference: Reference) -> None:
        """Replace all reference data by this, in one transaction, synthetic labels included.

        Raises
        ------
        UnknownReferenceError
            An id points nowhere; nothing is written.
        """
        reference.check()
        self._reference_intake.replace(dict(reference.tables()), frozenset(reference.synthetic))

    def import_reference(
        self, table: str, path: Path | str, mapping: Mapping | None = None, *, by: str = ""
    ) -> ImportReport:
        """Merge a file into one reference table by key: a later row replaces an earlier one of the same key.

        By ``valid_from`` and ``valid_until`` a row holds for some delivery dates only (`contracts.validity`) and has
        ``valid_from`` in its key. Given rows never mix with generated ones: a table that was synthetic is replaced as
        a whole. Rows whose ids point nowhere are rejected, unless the table they point to is still empty.

        Raises
        ------
        InputError
            There is no such table, or the file as a whole cannot be used.
        StoreError
            Writing failed; the table is as it was.
        """
        return self._reference_intake.take(table, path, mapping or Mapping(), self.reference_rows, by=by)

    def remove_reference(self, table: str, key: Sequence[str], *, valid_from: date | None = None) -> pd.DataFrame:
        """Take one row out of a reference table and return it.

        Parameters
        ----------
        key : sequence of str
            Values of the key columns, as text, in the order of the contract.
        valid_from : date, optional
            Which of the rows of the key; None: the one that holds from the beginning.

        Raises
        ------
        NotFoundError
            There is no such row.
        ConflictError
            Other rows or order lines point to it.
        """
        column = {"skus": "sku_id", "communities": "community_id"}.get(table)
        if column is not None and len(key) == 1 and self._history.mentions(column, key[0]):
            raise ConflictError(
                f"Order lines point to {key[0]} of {table}: it stays. Close it, or take it off the listings."
            )
        return self._reference_intake.remove(table, key, valid_from, self.reference_rows)

    def reference_mark(self) -> tuple[object, ...]:
        """Return a value that changes whenever reference data does."""
        return self._reference.mark()

    def _known_ids(self) -> dict[str, frozenset[str]]:
        """Return the ids that order lines may point to, of the reference tables that are there."""
        mark = self._reference.mark()
        if self._pointers is None or self._pointers[0] != mark:
            known = self._reference.sets()
            pointers = {"sku_id": "skus", "community_id": "communities"}
            ids = {c: self._reference.ids(t, c) for c, t in pointers.items() if t in known and known[t].rows}
            self._pointers = mark, ids
        return self._pointers[1]

    # plans

    def save_plan(self, plan_id: str, summary: PlanSummary, tables: TableMapping[str, pd.DataFrame]) -> bool:
        """Save a plan with all its tables or nothing; False when it was there already with the same content.

        Raises
        ------
        ConflictError
            The plan is there with other content (seconds do not count).
        """
        return self._plans.save(plan_id, summary, tables, at=self._now())

    def plan_summaries(self) -> list[PlanSummary]:
        """Return the summaries of all plans, the latest first."""
        return self._plans.summaries()

    def plan_page(
        self, *, limit: int, offset: int = 0, delivery_date: date | None = None
    ) -> tuple[list[PlanSummary], int]:
        """Return some plans' summaries, the latest first, and how many plans there are in all."""
        return self._plans.page(limit=limit, offset=offset, delivery_date=delivery_date)

    def plan_summary(self, plan_id: str) -> PlanSummary:
        """Return the summary of a plan, or raise `NotFoundError`."""
        return self._plans.summary(plan_id)

    def plan_table(self, plan_id: str, name: str) -> pd.DataFrame:
        """Return a table of a plan as it was saved, or raise `NotFoundError`."""
        return self._plans.table(plan_id, name)

    def plan_table_names(self, plan_id: str) -> list[str]:
        """Return the names of a plan's tables."""
        return self._plans.table_names(plan_id)


def _day(moment: date | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment
