"""Crashes, full disks and races: what was there stays, a half-written import is never visible."""

from __future__ import annotations

import errno
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import store.history
import store.intake
import store.parquet
from contracts.errors import DamagedFileError, StorageFullError, StoreError
from contracts.settings import StorageSettings
from contracts.world import Reference
from store import Store

_KILLED = """
    import os, sys
    import pandas as pd
    from pathlib import Path
    import store.parquet, store.database.import_log
    from contracts.settings import StorageSettings
    from store import Store
    folder, moment, url = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    kept = Store.open(StorageSettings(url=url, history=folder / "history"))
    seen = [0]
    def dies(real, at):
        def stand_in(*args, **kwargs):
            seen[0] += 1
            if seen[0] == at:
                os._exit(9)
            return real(*args, **kwargs)
        return stand_in
    if moment.startswith("file"):
        store.parquet.os.replace = dies(os.replace, int(moment[4:]))
    elif moment == "before":
        log = store.database.import_log.ImportLog
        log.record = dies(log.record, 1)
    else:
        import sqlalchemy as sa
        sa.event.listen(kept._database.engine, "commit", lambda connection: os._exit(9))
    kept.add_order_lines(pd.read_parquet(folder / "new.parquet"))
    os._exit(0)
"""


@pytest.mark.parametrize("moment", ["file1", "file2", "before", "commit"])
def test_a_killed_import_is_invisible_and_can_be_repeated(
    storage: StorageSettings, make_lines: Callable[..., pd.DataFrame], moment: str
) -> None:
    """Killed at the first file, the second, before or within the transaction: nothing is seen; then it goes in."""
    opened = Store.open(storage)
    opened.add_order_lines(make_lines(3))
    before = opened.order_lines()
    folder = storage.history.parent
    new = pd.concat([make_lines(3, order="P"), make_lines(3, day="2026-03-03", order="Q")])
    new.to_parquet(folder / "new.parquet")
    code = textwrap.dedent(_KILLED)
    said = [sys.executable, "-c", code, str(folder), moment, storage.url]
    killed = subprocess.run(said, capture_output=True, check=False)
    assert killed.returncode == 9, killed.stderr.decode()
    pd.testing.assert_frame_equal(opened.order_lines(), before)
    assert len(opened.imports()) == 1
    report = opened.add_order_lines(new)
    assert report.rows_new == 6
    assert len(opened.order_lines()) == 9
    opened.close()


def test_a_full_disk_leaves_nothing(
    store: Store, storage: StorageSettings, make_lines: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two files does not fit: the error says so, neither file is there, and it can be repeated."""
    real, calls = store_fsync(), [0]

    def full(handle: int) -> None:
        calls[0] += 1
        if calls[0] == 3:  # file, directory, then the next file
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(store_parquet_os(), "fsync", full)
    lines = pd.concat([make_lines(3), make_lines(3, day="2026-03-03", order="Q")])
    with pytest.raises(StorageFullError, match="disk is full"):
        store.add_order_lines(lines)
    assert [path for path in storage.history.rglob("*") if path.is_file()] == []
    assert store.order_lines().empty
    assert len(store.imports()) == 0
    monkeypatch.undo()
    assert store.add_order_lines(lines).rows_new == 6


def store_parquet_os() -> Any:
    """Return the os module as the Parquet door sees it."""
    return store.parquet.os


def store_fsync() -> Callable[[int], None]:
    """Return the real fsync."""
    real: Callable[[int], None] = store.parquet.os.fsync
    return real


def test_a_disk_that_refuses(
    store: Store, make_lines: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only disk is another error than a full one."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(store_parquet_os(), "replace", refuse)
    with pytest.raises(StoreError, match="Read-only") as refused:
        store.add_order_lines(make_lines(2))
    assert not isinstance(refused.value, StorageFullError)


def test_two_importers_of_the_same_lines(
    store: Store, storage: StorageSettings, make_lines: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process gets in between the look and the write: the lines are there once, and both reports are true."""
    lines, other = make_lines(4), Store.open(storage)
    history = type(store._history)
    real, raced = history.write, [False]

    def write(self: Any, part: pd.DataFrame, import_id: str) -> Any:
        if not raced[0]:
            raced[0] = True
            assert other.add_order_lines(lines.head(3)).rows_new == 3
        return real(self, part, import_id)

    monkeypatch.setattr(history, "write", write)
    report = store.add_order_lines(lines)
    assert (report.rows_new, report.rows_unchanged) == (1, 3)
    assert len(store.order_lines()) == 4
    other.close()


def test_what_a_crash_left_is_swept(
    store: Store, storage: StorageSettings, make_lines: Callable[..., pd.DataFrame]
) -> None:
    """Files outside the manifest are removed once they are old; visible ones and young ones stay."""
    store.add_order_lines(make_lines(3))
    day = storage.history / "delivery_date=2026-03-02"
    for name in ("lost.parquet", ".torn.parquet.part"):
        (day / name).write_bytes(b"half")
    assert store.sweep() == 0
    later = Store.open(storage, now=lambda: pd.Timestamp("2100-01-01", tz="UTC").to_pydatetime())
    assert later.sweep() == 2
    assert len(later.order_lines()) == 3
    later.close()


def test_a_file_that_goes_while_it_is_swept_stops_nobody(
    store: Store, storage: StorageSettings, make_lines: Callable[..., pd.DataFrame]
) -> None:
    """An unfinished file that got its name between the list and the look is no failure; what else is stale goes."""
    store.add_order_lines(make_lines(3))
    day = storage.history / "delivery_date=2026-03-02"
    (day / ".gone.parquet.part").symlink_to(day / "nowhere")  # listed, and not there when it is looked at
    (day / "lost.parquet").write_bytes(b"half")
    later = Store.open(storage, now=lambda: pd.Timestamp("2100-01-01", tz="UTC").to_pydatetime())
    assert later.sweep() == 1
    assert not (day / "lost.parquet").exists()
    later.close()


def test_a_lost_or_shortened_history_file_is_loud(
    store: Store, storage: StorageSettings, make_lines: Callable[..., pd.DataFrame]
) -> None:
    """A file that is gone or has fewer rows than were written is never read as fewer orders."""
    store.add_order_lines(make_lines(3))
    (path,) = storage.history.glob("delivery_date=*/*.parquet")
    store.order_lines().head(2).to_parquet(path)
    with pytest.raises(DamagedFileError, match="2 lines where 3"):
        store.order_lines()
    path.unlink()
    with pytest.raises(DamagedFileError, match="damaged"):
        store.order_lines()


def test_a_full_disk_under_the_reference_data(
    store: Store, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the wide tables do not fit, the old reference data stays whole."""
    store.write_reference(reference)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_parquet_os(), "fsync", full)
    with pytest.raises(StorageFullError):
        store.write_reference(reference)
    monkeypatch.undo()
    assert len(store.reference().listings) == 2


def test_databases_that_cannot_be_opened(tmp_path: Path) -> None:
    """A file that is no database and a URL that is none are told."""
    (tmp_path / "x.sqlite").write_bytes(b"this is not a database, " * 50)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(StorageSettings(url=f"sqlite:///{tmp_path}/x.sqlite", history=tmp_path))
    with pytest.raises(StoreError, match="URL"):
        Store.open(StorageSettings(url="nonsense", history=tmp_path))
