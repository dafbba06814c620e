"""Files that are small and would be huge: refused with the limit named, before they are unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.errors import CorruptFileError
from store.source_file import read_source

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>'
TAIL = "</sheetData></worksheet>"


def _book(path: Path, sheet: str, *, styles: str = "") -> Path:
    """Write a valid workbook whose one sheet is the given XML."""
    pd.DataFrame({"order_id": ["A1"]}).to_excel(path, index=False)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    if styles:
        parts["xl/styles.xml"] = styles.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return path


SHEETS: dict[str, Callable[[], str]] = {
    "a row far down": lambda: HEAD + '<row r="1"><c r="A1"><v>1</v></c></row><row r="99999999"></row>' + TAIL,
    "a cell far to the right of each row": lambda: (
        HEAD + "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 2000)) + TAIL
    ),
    "one wide row over narrow ones": lambda: (
        HEAD + '<row r="1"><c r="XFD1"><v>1</v></c></row>' + '<row><c r="A1"><v>1</v></c></row>' * 1000 + TAIL
    ),
    "a row without end": lambda: HEAD + "<row>" + "<c/>" * 400_000 + "</row>" + TAIL,
    "more rows than a sheet has": lambda: HEAD + "<row/>" * 1_100_000 + TAIL,
}


@pytest.mark.parametrize("kind", SHEETS)
def test_a_valid_workbook_that_would_be_huge_is_refused(tmp_path: Path, kind: str) -> None:
    """A few kilobytes that claim or fill rows and columns without end are refused with the limits."""
    path = _book(tmp_path / "orders.xlsx", SHEETS[kind]())
    assert path.stat().st_size < 100_000
    with pytest.raises(CorruptFileError, match=r"1,048,576 rows, 16,384 columns and 10,000,000 cells"):
        read_source(path)


def test_a_workbook_of_styles_is_refused(tmp_path: Path) -> None:
    """A part that the reader would hold as a whole is counted before it does."""
    styles = f'<styleSheet xmlns="{MAIN}"><cellXfs>' + "<xf/>" * 400_000 + "</cellXfs></styleSheet>"
    with pytest.raises(CorruptFileError, match="cells"):
        read_source(_book(tmp_path / "x.xlsx", HEAD + TAIL, styles=styles))


def test_a_workbook_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    """A quarter of a gigabyte is the most."""
    path = tmp_path / "x.xlsx"
    pd.DataFrame({"order_id": ["A1"]}).to_excel(path, index=False)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/image1.png", "w") as part:
        for _ in range(260):
            part.write(bytes(1_000_000))
    with pytest.raises(CorruptFileError, match="250,000,000 is the most"):
        read_source(path)


def test_an_honest_large_sheet_is_read(tmp_path: Path) -> None:
    """Some ten thousand rows, styled empty cells after the last filled one, gaps: all there as typed."""
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="D{n}"/></row>' for n in range(2, 20_002, 2))
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>order_id</t></is></c></row>'
    cells = read_source(_book(tmp_path / "x.xlsx", HEAD + head + rows + TAIL)).cells
    assert cells["order_id"].tolist() == list(range(2, 20_002, 2))
    assert cells.index.tolist() == list(range(2, 20_002, 2))


def test_a_parquet_file_of_hundreds_of_millions_of_rows_is_refused(tmp_path: Path) -> None:
    """A column that always says the same is next to nothing whatever its length: the footer is asked first."""
    path = tmp_path / "x.parquet"
    schema = pa.schema([("quantity", pa.int64())])
    rows = pa.table({"quantity": pa.repeat(pa.scalar(1), 20_000_000)}, schema)
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=True) as writer:
        for _ in range(11):
            writer.write_table(rows, row_group_size=20_000_000)
    del rows
    assert path.stat().st_size < 1_000_000
    with pytest.raises(CorruptFileError, match=r"220,000,000 rows .* 200,000,000 values"):
        read_source(path)


def test_a_list_without_end_in_one_row_is_refused(tmp_path: Path) -> None:
    """Rows are few, values are not."""
    path = tmp_path / "x.parquet"
    offsets = pa.array(np.array([0, 201_000_000], dtype=np.int32))
    lists = pa.ListArray.from_arrays(offsets, pa.nulls(201_000_000, pa.bool_()))
    pq.write_table(pa.table({"quantity": lists}), path)
    with pytest.raises(CorruptFileError, match="200,000,000 values"):
        read_source(path)


def test_a_long_text_told_once_for_many_rows_is_refused(tmp_path: Path) -> None:
    """Ten thousand rows refer to one megabyte: ten gigabytes that the footer does not tell."""
    path = tmp_path / "x.parquet"
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), pa.array(["x" * 1_000_000]))
    table = pa.table({"order_id": texts}).cast(pa.schema([("order_id", pa.dictionary(pa.int32(), pa.string()))]))
    pq.write_table(table, path, store_schema=False)
    assert path.stat().st_size < 2_000_000
    with pytest.raises(CorruptFileError, match="order_id are 10,000,000,000 bytes; 1,000,000,000"):
        read_source(path)


def test_honest_parquet_files_are_read_as_they_were(tmp_path: Path) -> None:
    """Texts with gaps, bytes, categories, lists and moments come out as pandas wrote them."""
    frame = pd.DataFrame(
        {
            "order_id": ["A", None, "单"],
            "raw": [b"x", b"y", None],
            "kind": pd.Categorical(["a", "b", "a"]),
            "many": [[1], [2, 3], []],
            "placed_at": pd.to_datetime(["2026-03-01"] * 3, utc=True).as_unit("us"),
        }
    )
    frame.to_parquet(tmp_path / "x.parquet")
    cells = read_source(tmp_path / "x.parquet").cells.reset_index(drop=True)
    pd.testing.assert_frame_equal(cells, pd.read_parquet(tmp_path / "x.parquet"))
