"""Backup and restore of everything a city keeps: database, order history, models - one file, checked on the way back.

The database is copied first, in one snapshot; the history files it names are never changed and stay for a day after
they are replaced, so they fit the snapshot while orders keep coming in. The copy is SQLite whatever the source, so a
backup of a PostgreSQL can be restored into SQLite and the other way round. Jobs that had not ended are asked for again
when the restored service starts. The file with the first admin key is no part of a backup; the keys' digests are.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api.records.migrate import migrate
from contracts.errors import ConflictError, CorruptFileError, StoreError
from contracts.settings import StorageSettings
from store.database import Database
from store.database.copying import VERSION_TABLES, copy_rows
from store.database.revisions import stands_at
from store.database.schema import history_files, reference_sets
from store.disk import storing
from store.parquet import sync_directory

FORMAT = 1
_MANIFEST, _DATABASE, _REGISTRY = "manifest.json", "database.sqlite", "mlflow.sqlite"
_ADDRESSES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "model_versions": ("source", "storage_location"),
}
"""Where the registry keeps addresses of files; they hold the folder the models were in."""


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds."""

    path: Path
    rows: int
    history_files: int
    model_files: int
    bytes: int
    made_at: str

    @property
    def sentence(self) -> str:
        """Return it in one sentence."""
        return (
            f"{self.path}: {self.rows:,} rows, {self.history_files:,} history files, {self.model_files:,} model files, "
            f"{self.bytes / 1e6:,.1f} MB, made at {self.made_at}."
        )


def back_up(storage: StorageSettings, target: Path) -> BackupReport:
    """Write a backup; the file is there whole or not at all. The service may keep running.

    Raises
    ------
    ConflictError
        The file is there already: a backup never replaces another.
    StoreError
        Something could not be read or written; nothing is left at `target`.
    """
    if target.exists():
        raise ConflictError(f"{target} is there already; a backup never replaces another. Choose another name.")
    half = target.with_name(f".{target.name}.part")
    try:
        with storing(target), tempfile.TemporaryDirectory(prefix="tuancai-backup-") as place:
            target.parent.mkdir(parents=True, exist_ok=True)
            facts = _packed(storage, half, Path(place))
            os.replace(half, target)
            sync_directory(target.parent)
    finally:
        half.unlink(missing_ok=True)
    return _report(target, facts)


def restore(storage: StorageSettings, source: Path) -> BackupReport:
    """Put a backup into an empty place; every file's checksum is compared before anything is put there.

    Raises
    ------
    CorruptFileError
        The file is no backup, is cut off, or a file in it is not what was written.
    ConflictError
        There is data already where the backup should go.
    StoreError
        The database cannot be written, or has rows already; files put there are taken away again.
    """
    for folder in (storage.history, storage.models):
        if folder.exists() and any(folder.iterdir()):
            raise ConflictError(f"{folder} is not empty: a backup is restored into an empty place only.")
    place = storage.history.parent / f".restore-{os.getpid()}"
    placed: list[Path] = []
    try:
        with storing(place):
            place.mkdir(parents=True)
            facts = _unpacked(source, place)
            for name, folder in (("history", storage.history), ("models", storage.models)):
                folder.parent.mkdir(parents=True, exist_ok=True)
                if (place / name).exists():
                    shutil.rmtree(folder, ignore_errors=True)
                    placed.append(folder)
                    shutil.move(place / name, folder)
            _readdress(storage.models, facts["models_folder"])
        _copy_in(place / _DATABASE, storage.url, facts["revisions"])
    except BaseException:
        for folder in placed:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return _report(source, facts)


def _packed(storage: StorageSettings, half: Path, place: Path) -> dict[str, Any]:
    """Write the archive and return its facts."""
    copy = place / _DATABASE
    rows, revisions = _copy_out(storage.url, copy)
    members = [(_DATABASE, copy), *_history_members(copy, storage.history), *_models(storage.models, place)]
    with half.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            facts = {
                "format": FORMAT,
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "revisions": revisions,
                "models_folder": str(storage.models.resolve()),
                "rows": rows,
                "files": {name: _add(archive, name, path) for name, path in members},
            }
            manifest = place / _MANIFEST
            manifest.write_text(json.dumps(facts, indent=1), encoding="utf-8")
            _add(archive, _MANIFEST, manifest)
        file.flush()
        os.fsync(file.fileno())
    return facts


def _copy_out(url: str, copy: Path) -> tuple[dict[str, int], dict[str, str | None]]:
    """Copy the database into a SQLite file; return rows by table and the revisions of its schemas."""
    source, target = Database.open(url), Database.open(f"sqlite:///{copy}")
    try:
        for database in (source, target):
            migrate(database)
        with source.snapshot() as read, target.writing() as write:
            revisions = {table: stands_at(read, table) for table in VERSION_TABLES}
            return copy_rows(read, write), revisions
    finally:
        source.close()
        target.close()
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # one file, no log beside it


def _copy_in(copy: Path, url: str, revisions: dict[str, str]) -> None:
    """Copy the rows of a backup's database into an empty one, at the backup's schema, then bring it up to date."""
    source, target = Database.connect(f"sqlite:///{copy}"), Database.connect(url)
    try:
        target.migrate(revisions["alembic_version"])
        migrate(target, revisions["service_version"])
        with source.reading() as read, target.writing() as write:
            copy_rows(read, write)
        target.migrate("head")
        migrate(target)
    finally:
        source.close()
        target.close()


def _history_members(copy: Path, history: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files the copied database names, and the failure tables of imports."""
    database = Database.connect(f"sqlite:///{copy}")
    with database.reading() as connection:
        files = list(connection.scalars(sa.select(history_files.c.file).where(history_files.c.retired_by.is_(None))))
        files += connection.scalars(sa.select(reference_sets.c.file).where(reference_sets.c.file.is_not(None)))
    database.close()
    failures = sorted(path.relative_to(history).as_posix() for path in history.glob("_failures/*.parquet"))
    for file in [*sorted(files), *failures]:
        yield f"history/{file}", history / file


def _models(models: Path, place: Path) -> Iterator[tuple[str, Path]]:
    """Yield the model files; the registry's database as a snapshot, taken first so that what it names is there."""
    registry = models / _REGISTRY
    if registry.exists():
        snapshot = place / _REGISTRY
        with closing(sqlite3.connect(registry)) as read, closing(sqlite3.connect(snapshot)) as write:
            read.backup(write)
        yield f"models/{_REGISTRY}", snapshot
    for path in sorted(models.rglob("*")):
        if path.is_file() and not path.name.startswith(_REGISTRY):
            yield f"models/{path.relative_to(models).as_posix()}", path


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        archive.add(path, name, recursive=False)
    except FileNotFoundError as lost:
        raise StoreError(f"{path} is named in the database but is not there: no backup was made.") from lost
    return digest


def _unpacked(source: Path, place: Path) -> dict[str, Any]:
    """Unpack a backup, compare every checksum and return its facts."""
    try:
        with tarfile.open(source) as archive:
            archive.extractall(place, filter="data")
        facts: dict[str, Any] = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))
        if facts["format"] != FORMAT:
            raise CorruptFileError(str(source), f"it has format {facts['format']}, this program reads {FORMAT}")
        for name, digest in facts["files"].items():
            with (place / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise CorruptFileError(str(source), f"{name} in it is not what was written")
    except (tarfile.TarError, EOFError, KeyError, ValueError, FileNotFoundError) as broken:
        raise CorruptFileError(str(source), f"it is no complete backup ({broken})") from broken
    return facts


def _readdress(models: Path, before: str) -> None:
    """Let the registry find its files in the folder they are in now."""
    registry = models / _REGISTRY
    if not registry.exists():
        return
    with closing(sqlite3.connect(registry)) as connection, connection:
        for table, columns in _ADDRESSES.items():
            for column in columns:
                connection.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?)",
                    (Path(before).as_uri(), models.resolve().as_uri()),
                )


def _report(path: Path, facts: dict[str, Any]) -> BackupReport:
    counts = {kind: sum(name.startswith(f"{kind}/") for name in facts["files"]) for kind in ("history", "models")}
    size = path.stat().st_size
    return BackupReport(path, sum(facts["rows"].values()), counts["history"], counts["models"], size, facts["made_at"])
