"""The log of imports, the manifest of the order history's files, and the keys of all order lines, in SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from store.database.engine import Database
from store.database.schema import cancellations, history_files, imports, order_keys, order_owners
from store.report import ImportReport

_IDS_PER_QUERY = 500
_KEYS_PER_INSERT = 50_000  # bounds the memory of a large import


@dataclass(frozen=True)
class HistoryChange:
    """What an import does to the history: files that become visible, files that stop, keys that are taken.

    Attributes
    ----------
    owners : DataFrame or None
        ``owner``, ``order_id``, ``line_no``, ``delivery_date``: what new lines share with their cancellations.
    cancelled : DataFrame or None
        ``cancellation``, ``order_id``, ``line_no``: cancellation rows and the lines they were matched to.
    """

    files: tuple[tuple[str, date, int], ...] = ()
    retired: tuple[str, ...] = ()
    keys: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["order_id", "line_no", "delivery_date"]))
    owners: pd.DataFrame | None = None
    cancelled: pd.DataFrame | None = None


class RetiredTwiceError(Exception):
    """Another process replaced a file of the history first."""


class ImportLog:
    """Reads and writes the import log, the manifest and the keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, report: ImportReport, change: HistoryChange, *, at: datetime, by: str = "") -> None:
        """Make an import visible: its log entry, files and keys in one transaction.

        Parameters
        ----------
        by : str
            Id of the key that brought it in; empty when nobody used one, as at a terminal.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            Another process took one of the keys first; nothing is recorded.
        RetiredTwiceError
            Another process replaced one of the retired files first; nothing is recorded.
        """
        with self._database.writing() as connection:
            connection.execute(
                sa.insert(imports).values(
                    import_id=report.import_id,
                    imported_at=at,
                    table_name=report.table,
                    source=report.source,
                    sha256=report.sha256,
                    mapping=report.mapping,
                    rows_read=report.rows_read,
                    rows_accepted=report.rows_accepted,
                    rows_rejected=report.rows_rejected,
                    books=json.dumps(report.books(), ensure_ascii=False),
                    imported_by=by,
                )
            )
            _retire(connection, change.retired, by=report.import_id)
            if change.files:
                connection.execute(
                    sa.insert(history_files),
                    [
                        {"file": file, "delivery_date": day, "import_id": report.import_id, "rows": rows}
                        for file, day, rows in change.files
                    ],
                )
            _insert(connection, order_keys, change.keys)
            if change.owners is not None:
                _insert(connection, order_owners, change.owners)
            if change.cancelled is not None:
                _insert(connection, cancellations, change.cancelled.assign(import_id=report.import_id))

    def files(self, delivery_from: date | None = None, delivery_to: date | None = None) -> list[tuple[str, date, int]]:
        """Return the visible files of a span of delivery dates: name, date, rows; oldest date first."""
        query = sa.select(history_files.c.file, history_files.c.delivery_date, history_files.c.rows)
        query = query.where(history_files.c.retired_by.is_(None))
        if delivery_from is not None:
            query = query.where(history_files.c.delivery_date >= delivery_from)
        if delivery_to is not None:
            query = query.where(history_files.c.delivery_date <= delivery_to)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(history_files.c.delivery_date, history_files.c.file))
            return [(file, day, count) for file, day, count in rows]

    def crowded_days(self, least_files: int) -> list[tuple[date, int]]:
        """Return the delivery dates with at least so many visible files, and how many, the fullest first."""
        count = sa.func.count()
        query = sa.select(history_files.c.delivery_date, count).where(history_files.c.retired_by.is_(None))
        query = query.group_by(history_files.c.delivery_date).having(count >= least_files)
        with self._database.reading() as connection:
            return [(day, n) for day, n in connection.execute(query.order_by(count.desc()))]

    def replace_files(self, retired: list[str], files: tuple[tuple[str, date, int], ...], *, by: str) -> None:
        """Let new files take the place of old ones with the same lines, in one transaction.

        Raises
        ------
        RetiredTwiceError
            An import replaced one of the old files first; nothing is changed.
        """
        with self._database.writing() as connection:
            last = sa.select(history_files.c.import_id).where(history_files.c.file == retired[-1])
            import_id = connection.execute(last).scalar_one()
            _retire(connection, tuple(retired), by=by)
            rows = [{"file": file, "delivery_date": day, "import_id": import_id, "rows": n} for file, day, n in files]
            connection.execute(sa.insert(history_files), rows)

    def mark(self, delivery_to: date) -> tuple[int, int]:
        """Return how many files of dates up to this one ever were, and how many are retired: neither ever falls."""
        files = sa.select(sa.func.count(), sa.func.count(history_files.c.retired_by))
        with self._database.reading() as connection:
            ever, retired = connection.execute(files.where(history_files.c.delivery_date <= delivery_to)).one()
        return int(ever), int(retired)

    def delivery_days(self) -> list[date]:
        """Return the delivery dates that have orders, in order."""
        query = sa.select(history_files.c.delivery_date).where(history_files.c.retired_by.is_(None)).distinct()
        with self._database.reading() as connection:
            return [day for (day,) in connection.execute(query.order_by(history_files.c.delivery_date))]

    def known_keys(self, order_ids: Iterable[str]) -> pd.DataFrame:
        """Return ``order_id``, ``line_no``, ``delivery_date`` of the lines of some orders that are there."""
        ids = list(order_ids)
        columns = [order_keys.c.order_id, order_keys.c.line_no, order_keys.c.delivery_date]
        found: list[tuple[str, int, date]] = []
        with self._database.reading() as connection:
            if connection.execute(sa.select(order_keys.c.line_no).limit(1)).first() is not None:
                for start in range(0, len(ids), _IDS_PER_QUERY):
                    part = ids[start : start + _IDS_PER_QUERY]
                    rows = connection.execute(sa.select(*columns).where(order_keys.c.order_id.in_(part)))
                    found.extend((order, line, day) for order, line, day in rows)
        return pd.DataFrame(found, columns=["order_id", "line_no", "delivery_date"])

    def cancelled_before(self, digests: Iterable[str]) -> pd.DataFrame:
        """Return ``order_id`` and ``line_no`` of the lines that cancellation rows took from, index = cancellation."""
        columns = ["cancellation", "order_id", "line_no"]
        return self._lookup(cancellations, "cancellation", digests, columns).set_index("cancellation")

    def owned_lines(self, owners: Iterable[str]) -> pd.DataFrame:
        """Return ``owner``, ``order_id``, ``line_no``, ``delivery_date`` of the lines of some owners."""
        return self._lookup(order_owners, "owner", owners, ["owner", "order_id", "line_no", "delivery_date"])

    def _lookup(self, table: sa.Table, column: str, values: Iterable[str], names: list[str]) -> pd.DataFrame:
        wanted = list(values)
        found: list[tuple[object, ...]] = []
        if not wanted:
            return pd.DataFrame(found, columns=names)
        with self._database.reading() as connection:
            for start in range(0, len(wanted), _IDS_PER_QUERY):
                part = wanted[start : start + _IDS_PER_QUERY]
                query = sa.select(*(table.c[name] for name in names)).where(table.c[column].in_(part))
                found.extend(tuple(row) for row in connection.execute(query))
        return pd.DataFrame(found, columns=names)

    def earlier(self, sha256: str, table: str) -> str | None:
        """Return the first import of the same file into the same table, if any."""
        query = sa.select(imports.c.import_id).where(imports.c.sha256 == sha256, imports.c.table_name == table)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(imports.c.imported_at)).first()
        return None if found is None else str(found[0])

    def table(self) -> pd.DataFrame:
        """Return the log, newest first."""
        return self._shown(None, 0)

    def page(self, *, limit: int, offset: int) -> tuple[pd.DataFrame, int]:
        """Return some rows of the log, newest first, and how many there are in all."""
        with self._database.reading() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(imports)).scalar_one()
        return self._shown(limit, offset), int(total)

    def totals(self) -> pd.DataFrame:
        """Return rows accepted and rejected by table, over all imports."""
        sums = [sa.func.sum(imports.c[name]).label(name) for name in ("rows_accepted", "rows_rejected")]
        query = sa.select(imports.c.table_name, *sums).group_by(imports.c.table_name).order_by(imports.c.table_name)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return pd.DataFrame(rows, columns=["table_name", "rows_accepted", "rows_rejected"])

    def _shown(self, limit: int | None, offset: int) -> pd.DataFrame:
        shown = [column for column in imports.c if column.name != "books"]
        query = sa.select(*shown).order_by(imports.c.imported_at.desc(), imports.c.import_id)
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).all()
        return pd.DataFrame(rows, columns=[column.name for column in shown])

    def books(self, import_id: str) -> dict[str, object] | None:
        """Return the books of one import."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(imports.c.books).where(imports.c.import_id == import_id)).first()
        return None if found is None else dict(json.loads(found[0]))


def _retire(connection: sa.Connection, files: tuple[str, ...], *, by: str) -> None:
    for file in files:
        done = connection.execute(
            sa.update(history_files)
            .where(history_files.c.file == file, history_files.c.retired_by.is_(None))
            .values(retired_by=by)
        )
        if done.rowcount != 1:
            raise RetiredTwiceError(file)


def _insert(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame) -> None:
    """Insert rows a portion at a time; a delivery date goes in as a date."""
    for start in range(0, len(rows), _KEYS_PER_INSERT):
        part = rows.iloc[start : start + _KEYS_PER_INSERT]
        cells = [part[name].dt.date if name == "delivery_date" else part[name].tolist() for name in part.columns]
        if connection.dialect.name == "sqlite":  # row by row, every row waits for Python's lock behind all readers
            rows_json = json.dumps(list(zip(*cells, strict=True)), default=str)
            connection.execute(_from_json(table, tuple(part.columns)), {"rows": rows_json})
        else:
            records = [dict(zip(part.columns, values, strict=True)) for values in zip(*cells, strict=True)]
            connection.execute(sa.insert(table), records)


def _from_json(table: sa.Table, columns: tuple[str, ...]) -> sa.Insert:
    """Return the insertion, in one statement, of all rows of a JSON array of arrays (SQLite's ``json_each``)."""
    each = sa.func.json_each(sa.bindparam("rows", type_=sa.Text)).table_valued("value").alias("each")
    cells = [sa.func.json_extract(each.c.value, f"$[{place}]") for place in range(len(columns))]
    return sa.insert(table).from_select(columns, sa.select(*cells))
