"""Workbooks (XLSX) as raw cells, read without ever unpacking or filling more than a bound."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pandas as pd

from contracts.errors import CorruptFileError, InputError, first_keys
from store.csv_file import titles

MOST_UNPACKED_BYTES = 250_000_000
"""Bytes a workbook unpacks to: some five million filled cells, of which the reader makes a Python object each."""
MOST_HELD = 300_000
"""Elements the reader holds at once: those of a row, of a text, or of a part that is read as a whole."""
MOST_ROWS = 1_048_576
"""Rows of a sheet, as Excel has it; a row's number may claim any."""
MOST_COLUMNS = 16_384
"""Columns of a sheet, as Excel has it."""
MOST_CELLS = 10_000_000
"""Cells of a sheet, empty ones before the last of a row included."""


def read_workbook_cells(path: Path, *, sheet: str | None, header_row: int) -> pd.DataFrame:
    """Return the cells of one sheet as they are typed in it (index = spreadsheet row); formulas as last computed.

    Raises
    ------
    CorruptFileError
        The file is no complete workbook, or is larger than a limit of this module.
    InputError
        There is no such sheet.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            if unpacked > MOST_UNPACKED_BYTES:
                raise CorruptFileError(
                    str(path), f"it unpacks to {unpacked:,} bytes; {MOST_UNPACKED_BYTES:,} is the most"
                )
            damaged = archive.testzip()
            for part in archive.infolist():
                if damaged is None and part.file_size > MOST_HELD:  # no element is shorter than three bytes
                    _survey(path, archive, part)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as broken:
        raise CorruptFileError(str(path), f"it is no complete XLSX workbook ({broken})") from broken
    if damaged is not None:
        raise CorruptFileError(str(path), f"its part {damaged} is damaged")
    from openpyxl.utils.exceptions import InvalidFileException  # imported with the first workbook: a third of a second

    try:
        return _sheet(path, sheet, header_row)
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        SyntaxError,
        InvalidFileException,
        zipfile.BadZipFile,
    ) as broken:  # the reader checks little: a part that is another than it says it is breaks it anywhere
        raise CorruptFileError(str(path), f"it is a zip file, but no XLSX workbook ({broken})") from broken


def _survey(path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Count what the reader would make of a part without making it; raise when it is too much."""
    held = rows = cells = 0

    def start(name: str, _attributes: object) -> None:
        nonlocal held, rows, cells
        kind = name.rpartition(":")[2]
        rows += kind == "row"
        cells += kind == "c"
        held = 0 if kind in ("row", "si") else held + 1
        if held > MOST_HELD or rows > MOST_ROWS or cells > MOST_CELLS:
            raise _too_large(path)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with archive.open(part) as file:
        try:
            parser.ParseFile(file)
        except expat.ExpatError:
            return  # a picture, or broken: the reader stops here too


def _too_large(path: Path) -> CorruptFileError:
    return CorruptFileError(
        str(path),
        f"a sheet may have {MOST_ROWS:,} rows, {MOST_COLUMNS:,} columns and {MOST_CELLS:,} cells, empty ones before "
        "the last of a row included; this workbook has more",
    )


def _sheet(path: Path, sheet: str | None, header_row: int) -> pd.DataFrame:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        names = [page.title for page in book.worksheets]
        if not names or (sheet is not None and sheet not in names):
            raise InputError(f"{path} has no sheet {sheet!r}; it has {first_keys(names)}.")
        page = book[sheet] if sheet is not None else book.worksheets[0]
        page.reset_dimensions()  # some programs write a wrong size; read what is there
        rows = page.iter_rows(min_row=header_row, values_only=True)
        header, *data = _filled(path, rows) or [[]]
    finally:
        book.close()
    width = max(len(header), *(len(row) for row in data), 0)
    header += [None] * (width - len(header))
    index = pd.RangeIndex(header_row + 1, header_row + 1 + len(data))
    filled = [row + [None] * (width - len(row)) for row in data]
    cells = pd.DataFrame(filled, columns=titles(header), index=index, dtype=object).replace("", None)
    return cells.loc[:, [cell is not None for cell in header]].dropna(how="all")


def _filled(path: Path, rows: Iterator[tuple[Any, ...]]) -> list[list[Any]]:
    """Return the rows up to their last filled cell; read no further than a sheet may go."""
    filled: list[list[Any]] = []
    seen = width = 0
    for row in rows:
        cells = list(row)
        seen += len(cells)
        while cells and cells[-1] is None:
            cells.pop()
        filled.append(cells)
        width = max(width, len(cells))
        if len(filled) > MOST_ROWS or width > MOST_COLUMNS or max(seen, len(filled) * width) > MOST_CELLS:
            raise _too_large(path)
    return filled
