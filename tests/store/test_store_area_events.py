"""Local events: a Chinese list comes in, unknown areas are told, the table comes and goes with its migration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from pandas.testing import assert_frame_equal

from contracts.reference import AreaEvents
from contracts.settings import StorageSettings
from contracts.world import Reference
from simulate import write_world
from store import Store, read_world
from store.database import Database

SHEET = "日期,价格区,活动\n2026-03-05,A1,赶集\n2026-03-05,A1,开学\n2026-03-05,A9,赶集\n2026-03-06,A1,\n"


def test_a_list_of_events(store: Store, reference: Reference, storage: StorageSettings, tmp_path: Path) -> None:
    """Two events of one day stay two; an area nobody lives in and a row without a name are told, never dropped."""
    store.write_reference(reference)
    (tmp_path / "活动.csv").write_text(SHEET, encoding="utf-8")
    report = store.import_reference("area_events", tmp_path / "活动.csv")
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (4, 2, 2)
    told = report.failures.set_index("row")["rule"]
    assert told[4] == "unknown area_id: no community is in it"
    assert "event" in report.failures.set_index("row")["column"][5]
    again = store.import_reference("area_events", tmp_path / "活动.csv")
    assert again.rows_accepted == 2
    other = Store.open(storage)
    events = other.reference().area_events
    assert events.to_numpy().tolist() == [[pd.Timestamp("2026-03-05"), "A1", name] for name in ("赶集", "开学")]
    gone = other.remove_reference("area_events", ["2026-03-05", "A1", "开学"])
    assert gone["event"].tolist() == ["开学"]
    assert other.reference().area_events["event"].tolist() == ["赶集"]
    other.close()


def test_events_before_communities(store: Store, reference: Reference, tmp_path: Path) -> None:
    """Tables come in any order: an area is not judged before a community is known."""
    (tmp_path / "events.csv").write_text("day,area_id,event\n2026-03-05,A9,market\n", encoding="utf-8")
    assert store.import_reference("area_events", tmp_path / "events.csv").rows_accepted == 1


def test_a_world_directory_keeps_events(reference: Reference, tmp_path: Path) -> None:
    """Written and read back as any table; without the file there are none."""
    from contracts.flow import OrderLines
    from contracts.world import World

    day = pd.DatetimeIndex(["2026-03-05"]).as_unit("us")
    events = AreaEvents.check(pd.DataFrame({"day": day, "area_id": "A1", "event": "market"}))
    for name, given in (("with", dataclasses.replace(reference, area_events=events)), ("without", reference)):
        write_world(World(given, OrderLines.empty()), tmp_path / name)
        assert_frame_equal(read_world(tmp_path / name).reference.area_events, given.area_events)


def test_the_table_comes_and_goes(tmp_path: Path, database_url: Callable[[Path], str]) -> None:
    """0006 makes it, down again it is gone and the rest stays, up again it is empty."""
    database = Database.open(database_url(tmp_path))
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO area_events VALUES (0, '2026-03-05', 'A1', 'market')")
        connection.exec_driver_sql("INSERT INTO vehicle_bans VALUES (0, 'V1', 'C1')")
    database.migrate("0005")
    assert "area_events" not in sa.inspect(database.engine).get_table_names()
    database.migrate("head")
    with database.reading() as connection:
        rows = [connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in ("area_events", "vehicle_bans")]
    assert rows == [0, 1]
    database.close()
