"""Files that are not what they say: a clear error with the file's name, and nothing of them in the store."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

import store.workbook
from contracts.errors import CorruptFileError, InputError, MappingError
from store import Mapping, Store
from store.source_file import FileFormat, read_source


def _workbook(path: Path) -> bytes:
    pd.DataFrame({"order_id": [f"A{i}" for i in range(500)]}).to_excel(path, index=False)
    return path.read_bytes()


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_cut_off_workbook(store: Store, tmp_path: Path, kept: float) -> None:
    """An upload that broke off is no workbook."""
    path = tmp_path / "orders.xlsx"
    data = _workbook(path)
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(CorruptFileError, match=r"orders\.xlsx cannot be read"):
        store.import_orders(path)
    assert len(store.imports()) == 0


def test_a_damaged_workbook(tmp_path: Path) -> None:
    """A workbook with flipped bytes inside is found by its checksums."""
    path = tmp_path / "orders.xlsx"
    data = bytearray(_workbook(path))
    start = data.find(b"xl/worksheets/sheet1.xml") + 200
    data[start : start + 40] = bytes(40)
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptFileError):
        read_source(path)


def test_a_zip_that_is_no_workbook_and_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other zip files are told from workbooks; one that unpacks to too much is refused before it does."""
    path = tmp_path / "orders.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CorruptFileError, match="no XLSX workbook"):
        read_source(path)
    _workbook(path)
    monkeypatch.setattr(store.workbook, "MOST_UNPACKED_BYTES", 1000)
    with pytest.raises(CorruptFileError, match="unpacks to"):
        read_source(path)


def test_a_broken_parquet_file(tmp_path: Path) -> None:
    """Half a Parquet file, and text that calls itself Parquet."""
    path = tmp_path / "orders.parquet"
    pd.DataFrame({"order_id": ["A"] * 1000}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(CorruptFileError, match=r"orders\.parquet"):
        read_source(path)
    path.write_text("order_id\nA\n", encoding="utf-8")
    with pytest.raises(CorruptFileError):
        read_source(path)


def test_text_that_fits_no_code_page(tmp_path: Path) -> None:
    """Bytes of another code page are refused with the way out; the mapping may name it."""
    path = tmp_path / "orders.csv"
    path.write_bytes("order_id,name\nA,caf\xe9\xff\n".encode("latin-1"))
    with pytest.raises(CorruptFileError, match="name the right one in the mapping"):
        read_source(path)
    assert read_source(path, FileFormat(encoding="latin-1")).cells["name"].tolist() == ["cafÿé"[:3] + "éÿ"]
    with pytest.raises(MappingError, match="klingon"):
        read_source(path, FileFormat(encoding="klingon"))


def test_a_workbook_renamed_to_csv(tmp_path: Path) -> None:
    """Zero bytes betray a file that is no text."""
    path = tmp_path / "orders.csv"
    path.write_bytes(b"PK\x03\x04\x00\x00order_id,x\n1,2\n")
    with pytest.raises(CorruptFileError, match="renamed workbook"):
        read_source(path)


def test_a_quote_that_never_closes(tmp_path: Path) -> None:
    """A torn upload that ends within quotes is corrupt, not one long cell."""
    path = tmp_path / "orders.csv"
    path.write_text('order_id,name\nA,"apple\nB,pear\n', encoding="utf-8")
    with pytest.raises(CorruptFileError, match="quotes"):
        read_source(path)


def test_formats_that_are_not_read(tmp_path: Path) -> None:
    """Old Excel and unknown endings are named, with what to do."""
    (tmp_path / "orders.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(CorruptFileError, match=r"save it as \.xlsx"):
        read_source(tmp_path / "orders.xls")
    (tmp_path / "orders.pdf").write_bytes(b"%PDF")
    with pytest.raises(InputError, match=r"\.csv"):
        read_source(tmp_path / "orders.pdf")


def test_sheets_and_separators(tmp_path: Path) -> None:
    """A missing sheet names those there are; the separator is found out, semicolons and tabs too."""
    _workbook(tmp_path / "orders.xlsx")
    with pytest.raises(InputError, match="Sheet1"):
        read_source(tmp_path / "orders.xlsx", FileFormat(sheet="三月"))
    for separator in ",;\t|":
        (tmp_path / "x.csv").write_text(f"a{separator}b\n1{separator}2\n", encoding="utf-8")
        assert read_source(tmp_path / "x.csv").cells.to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_rows_are_those_of_the_spreadsheet(tmp_path: Path) -> None:
    """Blank lines count as rows for the row number, but are no rows; a row too wide is set aside."""
    (tmp_path / "x.csv").write_text("a,b\n1,2\n\n3,4,5\n6,7\n", encoding="utf-8")
    source = read_source(tmp_path / "x.csv")
    assert source.cells.index.tolist() == [2, 5]
    assert source.torn["row"].tolist() == [4]


@pytest.mark.parametrize(
    ("rules", "fact"),
    [
        ({"columns": {"sku": "x"}}, "sku"),
        ({"colums": {}}, "colums"),
        ({"time": {"timezone": "Mars/Base"}}, "Mars/Base"),
        ({"reject": [{"reason": "r", "when": [{"column": "a", "matches": "("}]}]}, "regular expression"),
        ({"columns": {"sku_id": "x"}, "constants": {"sku_id": "y"}}, "two origins"),
    ],
)
def test_wrong_mappings_are_explained(tmp_path: Path, rules: dict[str, object], fact: str) -> None:
    """Unknown names, zones, expressions and double origins are found before a row is read, or by name."""
    from pydantic import ValidationError

    from contracts.flow import OrderLines
    from store.tidy import tidy

    with pytest.raises((ValidationError, MappingError), match=fact):
        tidy(pd.DataFrame({"x": ["1"]}), OrderLines, Mapping.model_validate(rules), timezone="UTC")
