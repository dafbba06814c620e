"""Disks that are full, databases that are locked, stages that are torn, errors nobody foresaw: told, nothing lost."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import store.database.engine
from api.jobs.shelf import Shelf
from contracts.errors import StorageFullError, StoreError

LINE = {
    "line_no": 1,
    "placed_at": "2026-04-21T02:00:00Z",
    "delivery_date": "2026-04-22",
    "community_id": "C1",
    "sku_id": "S1",
    "quantity": 2,
    "unit_price_yuan": 4.5,
}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: what a disk without room looks like to a writer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [1_000, 40_000], ids=["not for the order file", "not for the database"])
def test_no_room_is_507_and_the_batch_can_be_sent_again(fresh: Any, room: int) -> None:
    """A batch that does not fit is a problem with its cause and leaves nothing; once there is room it goes in whole."""
    batch = {"lines": [LINE | {"order_id": f"o{i}"} for i in range(300)]}
    with files_of_at_most(room):
        answer = fresh.post("/v1/orders", json=batch)
    assert answer.status_code in (503, 507), answer.text
    assert answer.json()["detail"]
    history = fresh.client.app.state.service.settings.storage.history
    assert list(history.rglob("*.parquet")) == []
    assert list(history.rglob(".*")) == []
    assert fresh.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == 0
    assert fresh.post("/v1/orders", json=batch).json()["rows_new"] == 300


def test_full_disk_is_507_and_nothing_is_taken_in(copied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import on a full disk is a problem document with status 507."""
    kept = copied.client.app.state.service.store

    def full(*_given: object, **_named: object) -> None:
        raise StorageFullError("The disk is full; the write was taken back.")

    monkeypatch.setattr(type(kept), "add_order_lines", full)
    answer = copied.post("/v1/orders", json={"lines": [{"order_id": "1"}]})
    assert answer.status_code == 507
    assert answer.json()["type"].endswith("storage-full")


@pytest.mark.skipif("TUANCAI_TEST_POSTGRES" in os.environ, reason="PostgreSQL has no lock on the whole database")
def test_a_locked_database_is_503_with_its_cause(
    tmp_path: Path, settings_in: Any, service_on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the write lock: reads go on, a write says so, and goes in when the lock is gone."""
    monkeypatch.setattr(store.database.engine, "_BUSY_MILLISECONDS", 100)
    with service_on(settings_in(tmp_path)) as admin:
        with closing(sqlite3.connect(tmp_path / "tuancai.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = admin.post("/v1/orders", json={"lines": [LINE | {"order_id": "o"}]})
            assert (answer.status_code, "locked" in answer.json()["detail"]) == (503, True)
            assert admin.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == 0
            other.execute("ROLLBACK")
        assert admin.post("/v1/orders", json={"lines": [LINE | {"order_id": "o"}]}).json()["rows_new"] == 1


def test_a_lost_order_file_is_503_and_no_fault_of_the_sender(fresh: Any) -> None:
    """A file of the history is gone: who sends or reads lines of its date is told to come again, not that theirs are
    wrong; a torn file of the sender's own is still 400."""
    batch = {"lines": [LINE | {"order_id": "o"}]}
    assert fresh.post("/v1/orders", json=batch).status_code == 200
    (path,) = fresh.client.app.state.service.settings.storage.history.glob("delivery_date=*/*.parquet")
    content = path.read_bytes()
    for damage in (path.unlink, lambda: path.write_bytes(content[:-20])):
        damage()
        sent, read = (
            fresh.post("/v1/orders", json=batch),
            fresh.get("/v1/orders", params={"delivery_date": "2026-04-22"}),
        )
        assert (sent.status_code, read.status_code) == (503, 503), (sent.text, read.text)
        assert sent.json()["type"].endswith("store")
    own = fresh.post("/v1/orders/file", files={"file": ("orders.parquet", content[:-20])})
    assert own.status_code == 400
    path.write_bytes(content)
    assert fresh.post("/v1/orders", json=batch).json()["rows_unchanged"] == 1


def test_stage_is_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was put is taken; a torn or missing file is told, a full disk leaves nothing."""
    shelf = Shelf(tmp_path, "job")
    digest = shelf.put("book", {"units": [1, 2, 3]})
    assert shelf.take("book", digest) == {"units": [1, 2, 3]}
    (tmp_path / "job" / "book.stage").write_bytes(b"torn")
    with pytest.raises(StoreError, match="book"):
        shelf.take("book", digest)

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFullError):
        shelf.put("purchase", "plan")
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["book.stage"]
    shelf.clear()
    assert not (tmp_path / "job").exists()


def test_error_nobody_foresaw_is_told_without_its_inside(copied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is a 500 problem with the request id and no trace of the code."""

    def broken(*_given: object, **_named: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(type(copied.client.app.state.service.store), "plan_summary", broken)
    answer = copied.get("/v1/plans/none", headers={"X-Request-ID": "trace-1"})
    assert answer.status_code == 500
    assert answer.json()["request_id"] == "trace-1"
    assert "secret" not in answer.text
