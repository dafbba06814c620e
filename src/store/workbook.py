"""Workbooks (XLSX) as raw cells, read without ever unpacking more than a bound."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pandas as pd

from contracts.errors import CorruptFileError, InputError, first_keys

MOST_UNPACKED_BYTES = 2 * 2**30
"""A workbook that unpacks to more than 2 GiB is refused: a full sheet of 1,048,576 rows stays below it."""


def read_workbook_cells(path: Path, *, sheet: str | None, header_row: int) -> pd.DataFrame:
    """Return the cells of one sheet as they are typed in it (index = spreadsheet row); formulas as last computed.

    Raises
    ------
    CorruptFileError
        The file is no complete workbook, or unpacks to more than `MOST_UNPACKED_BYTES`.
    InputError
        There is no such sheet.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            damaged = archive.testzip() if unpacked <= MOST_UNPACKED_BYTES else None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError) as broken:
        raise CorruptFileError(str(path), f"it is no complete XLSX workbook ({broken})") from broken
    if unpacked > MOST_UNPACKED_BYTES:
        raise CorruptFileError(str(path), f"it unpacks to {unpacked:,} bytes; {MOST_UNPACKED_BYTES:,} is the most")
    if damaged is not None:
        raise CorruptFileError(str(path), f"its part {damaged} is damaged")
    from openpyxl.utils.exceptions import InvalidFileException  # imported with the first workbook: a third of a second

    try:
        return _sheet(path, sheet, header_row)
    except (KeyError, ValueError, ParseError, SyntaxError, InvalidFileException, zipfile.BadZipFile) as broken:
        raise CorruptFileError(str(path), f"it is a zip file, but no XLSX workbook ({broken})") from broken


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
        header = list(next(rows, ()))
        data = [list(row) for row in rows]
    finally:
        book.close()
    width = max([len(header), *(len(row) for row in data)], default=0)
    header += [None] * (width - len(header))
    index = pd.RangeIndex(header_row + 1, header_row + 1 + len(data))
    filled = [row + [None] * (width - len(row)) for row in data]
    cells = pd.DataFrame(filled, columns=_titles(header), index=index, dtype=object).replace("", None)
    return cells.loc[:, [cell is not None for cell in header]].dropna(how="all")


def _titles(header: list[Any]) -> list[str]:
    """Return the column names; a name that comes again gets ``.1``, ``.2`` as in CSV files."""
    seen: dict[str, int] = {}
    titles = []
    for cell in header:
        name = "" if cell is None else str(cell).strip()
        count = seen.get(name, 0)
        seen[name] = count + 1
        titles.append(f"{name}.{count}" if count else name)
    return titles
