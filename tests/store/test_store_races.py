"""Imports that meet at every moment: the outcome is that of one after the other, and readers keep their files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

import store.history
from contracts.settings import StorageSettings
from store import ImportReport, Store
from store.database.import_log import ImportLog

Lines = Callable[..., pd.DataFrame]
MOMENTS = range(1, 8)
"""The import looks and writes at most so often; a later moment is after it."""


@contextmanager
def at_moment(moment: int, act: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Let somebody act just before an import lists, reads or writes order files for the n-th time, or after it."""
    seen, came = [0], list[Any]()

    def step() -> None:
        seen[0] += 1
        if seen[0] == moment:
            came.append(act())

    def before(real: Callable[..., Any]) -> Callable[..., Any]:
        def stand_in(*given: Any, **named: Any) -> Any:
            step()
            return real(*given, **named)

        return stand_in

    with monkeypatch.context() as patched:
        patched.setattr(ImportLog, "files", before(ImportLog.files))
        patched.setattr(store.history, "read_parquets", before(store.history.read_parquets))
        patched.setattr(store.history.History, "write", before(store.history.History.write))
        yield came
    if not came:
        came.append(act())


def cancelled(lines: pd.DataFrame, minutes: int) -> pd.DataFrame:
    """Return lines as cancelled so many minutes after they were placed."""
    return lines.assign(cancelled_at=lines["placed_at"] + pd.Timedelta(minutes=minutes))


@pytest.fixture
def other(storage: StorageSettings, store: Store) -> Iterator[Store]:
    """Give what another process sees of the same store."""
    opened = Store.open(storage)
    yield opened
    opened.close()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_batch_that_comes_while_a_cancellation_goes_in_is_there_once(
    store: Store, other: Store, make_lines: Lines, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """New lines of the same date, at whatever moment they come, are neither doubled nor lost."""
    store.add_order_lines(make_lines(4))
    new = make_lines(3, order="N")
    with at_moment(moment, lambda: other.add_order_lines(new), monkeypatch) as came:
        report = store.add_order_lines(cancelled(make_lines(4).head(2), 5))
    assert (report.rows_updated, came[0].rows_new) == (2, 3)
    lines = store.order_lines()
    assert not lines.duplicated(["order_id", "line_no"]).any()
    assert (len(lines), int(lines["cancelled_at"].notna().sum())) == (7, 2)
    assert lines["quantity"].sum() == 14.0


@pytest.mark.parametrize("moment", MOMENTS)
def test_of_two_cancellations_of_one_line_the_first_stays(
    store: Store, other: Store, make_lines: Lines, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Whoever is told that the line was updated is the one the store has; the other is told of the conflict."""
    store.add_order_lines(make_lines(4))
    one, two = cancelled(make_lines(4).head(1), 5), cancelled(make_lines(4).head(1), 9)
    with at_moment(moment, lambda: other.add_order_lines(two), monkeypatch) as came:
        mine: ImportReport = store.add_order_lines(one)
    reports = {"one": mine, "two": came[0]}
    (won,) = [name for name, report in reports.items() if report.rows_updated]
    (lost,) = [name for name, report in reports.items() if report.rows_rejected]
    assert {won, lost} == {"one", "two"}
    told = store.order_lines().set_index("order_id")["cancelled_at"].dropna()
    assert told.to_dict() == {"one": one, "two": two}[won].set_index("order_id")["cancelled_at"].to_dict()
    assert len(store.order_lines()) == 4


@pytest.mark.parametrize("replace", ["compaction", "cancellation"])
def test_a_reader_keeps_the_files_it_listed_for_a_day(
    store: Store, storage: StorageSettings, make_lines: Lines, replace: str
) -> None:
    """Files written long ago and replaced just now are there for whoever listed them; a day later they go."""
    store.add_order_lines(make_lines(4))
    store.add_order_lines(make_lines(2, order="P"))
    long_ago = (datetime.now(UTC) - timedelta(days=9)).timestamp()
    for path in storage.history.glob("delivery_date=*/*"):
        os.utime(path, (long_ago, long_ago))
    before, listed = store.order_lines(), store._log.files()
    if replace == "compaction":
        assert store.compact().files_before == 2
    else:
        assert store.add_order_lines(cancelled(make_lines(4).head(1), 5)).rows_updated == 1
    assert store.sweep() == 0
    pd.testing.assert_frame_equal(store._history.read_files(listed), before)
    store._now = lambda: datetime.now(UTC) + timedelta(hours=25)
    assert store.sweep() == 2
    assert len(store.order_lines()) == 6
