"""Backup and restore: everything comes back, on another database too; what is damaged or in the way is refused."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from api.backup import back_up, restore
from api.records import Records
from contracts.errors import ConflictError, CorruptFileError, StoreError
from contracts.settings import StorageSettings
from contracts.world import Reference
from store import Store


@pytest.fixture
def kept(storage: StorageSettings, reference: Reference, make_lines: Callable[..., pd.DataFrame]) -> StorageSettings:
    """A store with reference data, orders, a rejected row, a key, and a registry with addresses of its folder."""
    storage = storage.model_copy(update={"models": storage.history.parent / "models"})
    store = Store.open(storage)
    store.write_reference(reference)
    store.add_order_lines(make_lines(4), by="key of the order system")
    store.add_order_lines(make_lines(2, order="P").assign(quantity=[1.0, -1.0]))
    store.close()
    records = Records.open(storage)
    records.keys.make("planner", "planner")
    records.audit.write("k", "did", "something")
    records.close()
    storage.models.mkdir()
    (storage.models / "model.pkl").write_bytes(b"model")
    registry = sa.create_engine(f"sqlite:///{storage.models}/mlflow.sqlite")
    with registry.begin() as connection:
        for table, columns in (
            ("experiments", "artifact_location TEXT"),
            ("runs", "artifact_uri TEXT"),
            ("model_versions", "source TEXT, storage_location TEXT"),
        ):
            connection.exec_driver_sql(f"CREATE TABLE {table} ({columns})")
        address = (storage.models / "artifacts").resolve().as_uri()
        connection.exec_driver_sql(f"INSERT INTO runs VALUES ('{address}/1')")
    registry.dispose()
    return storage


def another_place(folder: Path, url: str) -> StorageSettings:
    """Return where a backup can be restored."""
    return StorageSettings(url=url, history=folder / "history", models=folder / "models")


def content(storage: StorageSettings) -> dict[str, object]:
    """Return everything a reader sees."""
    store, records = Store.open(storage), Records.open(storage)
    seen: dict[str, object] = {name: table.to_json() for name, table in store.reference().tables()}
    imports = store.imports()
    seen |= {
        "lines": store.order_lines().to_json(),
        "imports": imports.to_json(),
        "failures": [store.failures(i).to_json() for i in imports["import_id"]],
        "keys": records.keys.all(),
        "audit": records.audit.entries().to_json(),
        "again": store.add_order_lines(store.order_lines()).rows_new,
    }
    records.audit.write("k", "after", "the counter goes on")
    store.close()
    records.close()
    return seen


@pytest.mark.parametrize("to", ["the same kind", "sqlite"])
def test_everything_comes_back(
    kept: StorageSettings, tmp_path: Path, database_url: Callable[[Path], str], to: str
) -> None:
    """Orders, reference data, failures, keys and audit log are the same after a round trip; order keys still known."""
    file, folder = tmp_path / "backup.tar", tmp_path / "elsewhere"
    made = back_up(kept, file)
    folder.mkdir()
    url = database_url(folder) if to == "the same kind" else f"sqlite:///{folder}/other.sqlite"
    back = restore(another_place(folder, url), file)
    assert (back.rows, back.history_files, back.model_files) == (made.rows, made.history_files, made.model_files)
    assert content(another_place(folder, url)) == content(kept)
    assert (folder / "models" / "model.pkl").read_bytes() == b"model"
    with sa.create_engine(f"sqlite:///{folder}/models/mlflow.sqlite").connect() as connection:
        address = connection.exec_driver_sql("SELECT artifact_uri FROM runs").scalar()
    assert address == (folder / "models" / "artifacts" / "1").resolve().as_uri()


def test_a_backup_replaces_nothing(kept: StorageSettings, tmp_path: Path) -> None:
    """Neither a backup that is there nor data in the place it should go to."""
    file = tmp_path / "backup.tar"
    back_up(kept, file)
    with pytest.raises(ConflictError, match="already"):
        back_up(kept, file)
    with pytest.raises(ConflictError, match="not empty"):
        restore(kept, file)
    bare = kept.model_copy(update={"history": tmp_path / "x" / "history", "models": tmp_path / "x" / "models"})
    with pytest.raises(StoreError, match="rows already"):
        restore(bare, file)
    assert not bare.history.exists()


@pytest.mark.parametrize("damage", ["cut off", "one byte", "no backup", "a file less"])
def test_a_damaged_backup_is_refused(kept: StorageSettings, tmp_path: Path, damage: str) -> None:
    """Nothing is put anywhere unless every checksum is right."""
    file, folder = tmp_path / "backup.tar", tmp_path / "elsewhere"
    back_up(kept, file)
    body = bytearray(file.read_bytes())
    if damage == "cut off":
        body = body[: len(body) // 2]
    elif damage == "one byte":
        with tarfile.open(file) as archive:
            body[archive.getmember("models/model.pkl").offset_data] ^= 1
    elif damage == "no backup":
        body = bytearray(b"PK not a tar file at all")
    file.write_bytes(body)
    if damage == "a file less":
        with tarfile.open(file) as archive, tarfile.open(tmp_path / "less.tar", "w") as less:
            for member in archive:
                if member.name != "models/model.pkl":
                    less.addfile(member, archive.extractfile(member))
        file = tmp_path / "less.tar"
    place = another_place(folder, f"sqlite:///{folder}/other.sqlite")
    with pytest.raises(CorruptFileError):
        restore(place, file)
    assert not place.history.exists()
    assert not place.models.exists()


def test_a_history_file_that_is_lost_stops_the_backup(kept: StorageSettings, tmp_path: Path) -> None:
    """A backup that could not be restored is not made."""
    next(kept.history.glob("delivery_date=*/*.parquet")).unlink()
    with pytest.raises(StoreError, match="no backup was made"):
        back_up(kept, tmp_path / "backup.tar")
    assert list(tmp_path.glob("*backup.tar*")) == []
