"""Reference rows into the store: merged by key, the books kept, and every change written down."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from time import perf_counter

import pandas as pd

from contracts.settings import CitySettings
from store.database.import_log import HistoryChange, ImportLog
from store.database.reference_rows import ReferenceRows
from store.database.schema import WIDE_TABLES
from store.intake import failures_file
from store.mapping import Mapping
from store.parquet import write_parquet
from store.pointers import without_lost_rows
from store.reference_import import contract_of, merge, read_reference_rows
from store.report import ImportReport, count_rules
from store.source_file import read_source

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReferenceIntake:
    """Takes reference files in, one table at a time."""

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
            Gives a reference table as it is, empty if it was never given.
        """
        started, contract = perf_counter(), contract_of(table)
        source = read_source(path, mapping.file.file_format())
        read = read_reference_rows(source, table, mapping, timezone=self.city.timezone)
        read, known = without_lost_rows(read, table, held), self.rows.sets()
        generated = table in known and known[table].synthetic and not read.good.empty
        before = contract.empty() if generated else held(table)
        merged = merge(before, read.good, contract)
        import_id, rejected = token_hex(8), read.failures["row"].nunique()
        path_of_failures = failures_file(self.folder, import_id) if rejected else None
        if path_of_failures is not None:
            write_parquet(read.failures, path_of_failures)
        if merged.new or merged.updated or generated:
            self.replace({table: merged.table}, frozenset())
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
            notes=("the generated rows of this table were replaced",) if generated else (),
            failures_path=path_of_failures,
            rules=count_rules(read.failures),
            failures=read.failures,
        )
        report = replace(report, seconds=perf_counter() - started)
        self.log.record(report, HistoryChange(), at=self.now())
        _log.info("import %s: %d rows in, %d accepted, %.2f s", table, read.rows_read, len(read.good), report.seconds)
        return report

    def replace(self, tables: dict[str, pd.DataFrame], synthetic: frozenset[str]) -> None:
        """Replace whole tables in one transaction; wide ones become new files first."""
        files = {}
        for name in set(tables) & set(WIDE_TABLES):
            files[name] = f"_reference/{name}-{token_hex(8)}.parquet"
            write_parquet(tables[name], self.folder / files[name])
        self.rows.replace(tables, synthetic=synthetic, files=files, at=self.now())
