"""Exports: nothing a spreadsheet would run, all that was there, and readable again by the import."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import store.export
from contracts.errors import InputError, StorageFullError
from contracts.world import Reference
from store import Store, export_table, export_tables, table_bytes

EVIL = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "苹果", "-5", "+86 138"]


def test_no_cell_runs_in_csv(tmp_path: Path) -> None:
    """Text that begins like a formula gets an apostrophe; plain words and numbers do not."""
    path = export_table(pd.DataFrame({"name": EVIL, "=head": 1, "salvage": -1.5}), tmp_path / "x.csv")
    cells = pd.read_csv(path, dtype="str", encoding="utf-8-sig")
    assert cells["name"].tolist() == [f"'{t}" if t not in ("苹果", "-5") else t for t in EVIL]
    assert cells.columns[1] == "'=head"
    assert cells["salvage"].tolist() == ["-1.5"] * len(EVIL)


def test_no_cell_runs_in_a_workbook(tmp_path: Path) -> None:
    """Every text is a string cell, as it was; no formula is in the file."""
    path = export_table(pd.DataFrame({"name": EVIL}), tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(path).active
    assert [cell.value for cell in sheet["A"][1:]] == EVIL
    assert {cell.data_type for cell in sheet["A"]} == {"s"}
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("headers", ["names", "both"])
def test_an_export_can_be_imported(store: Store, tmp_path: Path, reference: Reference, kind: str, headers: str) -> None:
    """What was exported, with Chinese names too, comes back the same."""
    path = export_table(reference.skus, tmp_path / f"skus.{kind}", headers=headers)  # type: ignore[arg-type]
    store.import_reference("skus", path)
    assert_frame_equal(store.reference_table("skus"), reference.skus)


def test_times_are_shown_in_the_zone_asked_for(tmp_path: Path) -> None:
    """18:00 in Shanghai is 18:00 in the sheet, and carries its offset in CSV."""
    frame = pd.DataFrame({"arrive_at": pd.to_datetime(["2026-03-01 10:00"], utc=True).as_unit("us")})
    sheet = openpyxl.load_workbook(export_table(frame, tmp_path / "x.xlsx", timezone="Asia/Shanghai")).active
    assert str(sheet["A2"].value) == "2026-03-01 18:00:00"
    text = export_table(frame, tmp_path / "x.csv", timezone="Asia/Shanghai").read_text(encoding="utf-8-sig")
    assert "2026-03-01 18:00:00+08:00" in text


def test_a_workbook_of_several_sheets_is_the_same_every_time(tmp_path: Path) -> None:
    """One sheet per table; the same tables give the same bytes."""
    tables = {
        "S1/果园": pd.DataFrame({"a": [1, None]}),
        "S2": pd.DataFrame({"b": [True], "d": [pd.Timestamp("2026-03-02")]}),
    }
    path = export_tables(tables, tmp_path / "x.xlsx", headers="both")
    assert openpyxl.load_workbook(path).sheetnames == ["S1 果园", "S2"]
    assert path.read_bytes() == table_bytes(tables, "xlsx", headers="both")


def test_what_cannot_be_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown endings, several tables in one CSV, too many rows, too long a cell: told, and no file is left."""
    frame = pd.DataFrame({"a": ["x"]})
    with pytest.raises(InputError, match=r"\.pdf"):
        export_table(frame, tmp_path / "x.pdf")
    with pytest.raises(InputError, match="one table"):
        export_tables({"a": frame, "b": frame}, tmp_path / "x.csv")
    with pytest.raises(InputError, match="40,000 characters"):
        export_table(pd.DataFrame({"a": ["x" * 40_000]}), tmp_path / "x.xlsx")
    monkeypatch.setattr(store.export, "_MOST_ROWS", 1)
    with pytest.raises(InputError, match="rows"):
        export_table(frame, tmp_path / "x.xlsx")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.export.os, "fsync", full)
    with pytest.raises(StorageFullError):
        export_table(frame, tmp_path / "x.csv")
    assert list(tmp_path.iterdir()) == []
