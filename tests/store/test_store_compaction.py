"""Compaction: fewer files, the same lines, nothing lost whenever it is killed or raced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from contracts.errors import StorageFullError
from store import Store


def fill(store: Store, make_lines: Callable[..., pd.DataFrame], batches: int = 4) -> pd.DataFrame:
    """Take in batches on two delivery dates and return all lines."""
    for batch in range(batches):
        store.add_order_lines(make_lines(3, order=f"P{batch}-"))
        store.add_order_lines(make_lines(2, day="2026-03-03", order=f"Q{batch}-"))
    return store.order_lines()


def test_lines_stay_and_files_go(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """Four files of each date become one, no line changes, repeats are still known, old files are swept later."""
    before = fill(store, make_lines)
    mark = store.orders_mark(date(2026, 3, 3))
    done = store.compact()
    assert (done.days, done.files_before, done.files_after, done.lines) == (2, 8, 2, 20)
    pd.testing.assert_frame_equal(store.order_lines(), before)
    assert store.orders_mark(date(2026, 3, 3)) != mark
    assert store.compact().days == 0
    assert store.add_order_lines(make_lines(3, order="P0-")).rows_unchanged == 3
    assert store.sweep() == 0  # somebody may still be reading the old files
    store._now = lambda: datetime.now(UTC) + timedelta(days=2)
    assert store.sweep() == 8
    pd.testing.assert_frame_equal(store.order_lines(), before)


def test_a_cancellation_finds_its_line_after_compaction(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """Lines of a merged file are updated like any other."""
    fill(store, make_lines)
    store.compact()
    gone = make_lines(3, order="P0-")
    gone["cancelled_at"] = gone["placed_at"] + pd.Timedelta(minutes=5)
    assert store.add_order_lines(gone).rows_updated == 3
    assert int(store.order_lines()["cancelled_at"].notna().sum()) == 3


def test_crowded_dates_only(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """Dates below the number stay; of the others the fullest come first, as many as asked for."""
    fill(store, make_lines, batches=3)
    store.add_order_lines(make_lines(1, order="R"))
    assert store.compact(least_files=4).days == 1
    assert store.compact(least_files=9).days == 0
    assert store.compact(most_days=1).days == 1


@pytest.mark.parametrize("at", ["write", "record"])
def test_what_stops_halfway_changes_nothing(
    store: Store, make_lines: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """A full disk while the new file is written, or a database that fails: the old files still hold every line."""
    before = fill(store, make_lines)

    def full(*_given: object, **_named: object) -> None:
        raise StorageFullError("The disk is full.")

    target = store._history if at == "write" else store._log
    monkeypatch.setattr(type(target), "write" if at == "write" else "replace_files", full)
    with pytest.raises(StorageFullError):
        store.compact()
    monkeypatch.undo()
    pd.testing.assert_frame_equal(store.order_lines(), before)
    assert store.compact().lines == 20


def test_an_import_in_between_wins(
    store: Store, make_lines: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation that replaces a file while its date is merged is kept; the date waits for the next time."""
    fill(store, make_lines, batches=2)
    gone = make_lines(3, order="P0-")
    gone["cancelled_at"] = gone["placed_at"] + pd.Timedelta(minutes=5)
    real = store._history.write
    raced: list[int] = []

    def write(lines: pd.DataFrame, name: str) -> object:
        if name.startswith("compaction") and not raced:
            raced.append(1)
            store.add_order_lines(gone)
            store.add_order_lines(make_lines(1, order="S"))
        return real(lines, name)

    monkeypatch.setattr(store._history, "write", write)
    store.compact()
    lines = store.order_lines()
    assert (len(lines), int(lines["cancelled_at"].notna().sum())) == (11, 3)
    assert not lines.duplicated(["order_id", "line_no"]).any()


def test_lines_that_come_in_between_stay_beside(
    store: Store, make_lines: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that comes while its date is merged is neither lost nor doubled."""
    fill(store, make_lines, batches=2)
    real = store._history.write

    def write(lines: pd.DataFrame, name: str) -> object:
        if name.startswith("compaction"):
            monkeypatch.undo()
            store.add_order_lines(make_lines(2, order="S"))
        return real(lines, name)

    monkeypatch.setattr(store._history, "write", write)
    assert store.compact().days == 2
    lines = store.order_lines()
    assert len(lines) == 12
    assert not lines.duplicated(["order_id", "line_no"]).any()
