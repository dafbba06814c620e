"""A file somebody gave us, read as raw cells: CSV, XLSX or Parquet, with its fingerprint and the rows it has.

Nothing is interpreted here: CSV cells stay text (``007`` is not 7), XLSX and Parquet cells keep the type they have.
The index of the cells is the row as a spreadsheet shows it: the header is row 1, the first data row is row 2.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from contracts.errors import CorruptFileError, InputError, NotFoundError
from store.csv_file import read_csv_cells
from store.parquet import read_given_parquet, read_parquet
from store.workbook import read_workbook_cells

FORMATS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet")


@dataclass(frozen=True)
class FileFormat:
    """How the bytes of a file are to be read; every field may be left to be found out.

    Attributes
    ----------
    encoding : str or None
        Code page of a CSV file. None: byte order mark if any, else UTF-8 if every byte fits, else GB18030.
    separator : str or None
        Of a CSV file. None: the most frequent of ``, ; tab |`` in the header line.
    sheet : str or None
        Of a workbook. None: the first sheet.
    header_row : int
        Spreadsheet row of the column names, from 1; rows above it are left out.
    """

    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    header_row: int = 1


@dataclass(frozen=True)
class SourceFile:
    """A file as raw cells.

    Attributes
    ----------
    cells : DataFrame
        One column per column of the file; index = spreadsheet row. Rows without any cell are left out: they are
        no rows.
    torn : DataFrame
        ``row``, ``column``, ``rule``, ``value`` of rows that have more cells than the header names.
    """

    name: str
    sha256: str
    encoding: str
    cells: pd.DataFrame
    torn: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["row", "column", "rule", "value"]))


def read_source(path: Path | str, how: FileFormat | None = None, *, ours: bool = False) -> SourceFile:
    """Return the raw cells of a CSV, XLSX or Parquet file.

    Parameters
    ----------
    ours : bool
        The file was written here, so it may be of any size; one that somebody gave us has limits.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        The name does not end in a format that can be read.
    CorruptFileError
        The file is not what its name says, or is larger than a limit.
    """
    path = Path(path)
    how = how or FileFormat()
    if not path.is_file():
        raise NotFoundError("file", str(path), hint="Check the path; a directory is read with read_world.")
    kind = path.suffix.lower()
    if kind == ".xls":
        raise CorruptFileError(str(path), "the format of Excel 2003 (.xls) is not read; save it as .xlsx")
    if kind not in FORMATS:
        raise InputError(f"{path} ends in {kind or 'nothing'!r}; files to import end in {', '.join(FORMATS)}.")
    sha256 = file_fingerprint(path)
    if kind == ".parquet":
        cells = read_parquet(path) if ours else read_given_parquet(path)
        cells.index = pd.RangeIndex(2, len(cells) + 2)
        return SourceFile(path.name, sha256, "parquet", cells)
    if kind in (".xlsx", ".xlsm"):
        cells = read_workbook_cells(path, sheet=how.sheet, header_row=how.header_row)
        return SourceFile(path.name, sha256, "xlsx", cells)
    cells, torn, encoding = read_csv_cells(
        path, encoding=how.encoding, separator=how.separator, header_row=how.header_row
    )
    return SourceFile(path.name, sha256, encoding, cells, torn)


def file_fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
