"""CSV as raw text cells: code page and separator found out, torn rows set aside instead of stopping the file."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from contracts.errors import CorruptFileError, MappingError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_TRIED = ("utf-8", "gb18030")  # GB18030 contains GBK and GB2312
_SEPARATORS = ",;\t|"


MOST_CELLS = 50_000_000
"""Columns x lines of a CSV file with fewer bytes than that: short lines are as wide as the header in memory."""
_NO_CODE_PAGES = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf_7", "mbcs", "oem"}
"""Python's names for texts that are written in other ways than files are, or are no whole texts once read."""


def is_code_page(name: str) -> bool:
    """Return whether a name is a code page that a file can be in.

    Examples
    --------
    >>> is_code_page("gb18030"), is_code_page("hex"), is_code_page("idna"), is_code_page("klingon")
    (True, False, False, False)
    """
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):  # a name with a zero byte, say
        return False
    plain = found.name.replace("-", "_")
    return bool(found._is_text_encoding) and plain not in _NO_CODE_PAGES  # the one mark of texts among the codecs


def read_csv_cells(
    path: Path, *, encoding: str | None, separator: str | None, header_row: int
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return the text cells (index = spreadsheet row), the torn rows and the code page.

    An empty cell is null. A row with more cells than the header is torn: it is set aside with the rule
    ``n cells, the header names m``. Line breaks inside quotes belong to the cell.

    Raises
    ------
    CorruptFileError
        The bytes do not fit the code page, a quote is never closed, or lines are far shorter than the header.
    """
    text, encoding = _decode(path, encoding)
    lines = text.split("\n", header_row)
    if len(lines) < header_row:
        return pd.DataFrame(), _torn([], 0), encoding
    body = (
        text
        if header_row == 1
        else lines[header_row - 1] + "\n" + (lines[header_row] if header_row < len(lines) else "")
    )
    if not body.strip():
        return pd.DataFrame(), _torn([], 0), encoding
    separator = separator or max(_SEPARATORS, key=body.split("\n", 1)[0].count)
    how: dict[str, Any] = {"sep": separator, "dtype": "str", "keep_default_na": False, "na_values": [""]}
    how["skip_blank_lines"] = False
    try:
        width = len(pd.read_csv(io.StringIO(body), nrows=0, **how).columns)
        _check_size(path, width, body.count("\n") + 1, len(body))
        cells = pd.read_csv(io.StringIO(body), **how)
        torn = _torn([], 0)
        if not isinstance(cells.index, pd.RangeIndex):  # every row has a cell too many: pandas took an index
            cells, torn = _read_by_row(path, body, separator, header_row)
        else:
            cells.index = pd.RangeIndex(header_row + 1, header_row + 1 + len(cells))
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        cells, torn = _read_by_row(path, body, separator, header_row)
    return cells.dropna(how="all"), torn, encoding


def _decode(path: Path, encoding: str | None) -> tuple[str, str]:
    data = path.read_bytes()
    if encoding is None:
        marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
        tried = (marked,) if marked else _TRIED
    else:
        if not is_code_page(encoding):
            raise MappingError(f"encoding {encoding!r} is not known; use utf-8, gb18030, utf-16 or another.")
        tried = (encoding,)
    for name in tried:
        try:
            text = data.decode("utf-8-sig" if name == "utf-8" else name)
        except UnicodeError as unfit:
            place = getattr(unfit, "start", 0)
            continue
        if "\0" in text:
            raise CorruptFileError(str(path), "it holds zero bytes, so it is no text file; is it a renamed workbook?")
        return text.replace("\r\n", "\n").replace("\r", "\n"), name
    raise CorruptFileError(
        str(path), f"byte {place} fits none of the code pages {', '.join(tried)}; name the right one in the mapping"
    )


def _read_by_row(path: Path, body: str, separator: str, header_row: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return good and torn rows, read one by one: the slow way, for files the fast one cannot read."""
    csv.field_size_limit(16 * 2**20)
    try:
        rows = list(csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True))
    except csv.Error as broken:
        raise CorruptFileError(str(path), f"its quotes do not pair up ({broken})") from broken
    header, data = titles(rows[0]), rows[1:]
    width = len(header)
    _check_size(path, width, len(data), len(body))
    numbered = list(enumerate(data, start=header_row + 1))
    good = [(n, row + [""] * (width - len(row))) for n, row in numbered if not any(row[width:])]
    torn = [(n, separator.join(row), len(row)) for n, row in numbered if any(row[width:])]
    cells = pd.DataFrame([row[:width] for _, row in good], columns=header, index=[n for n, _ in good], dtype="str")
    return cells.replace("", None), _torn(torn, width)


def _check_size(path: Path, columns: int, lines: int, letters: int) -> None:
    if columns * lines > max(MOST_CELLS, letters):
        raise CorruptFileError(
            str(path), f"its {lines:,} lines do not fill {columns:,} columns; {MOST_CELLS:,} cells are the most"
        )


def titles(header: Sequence[Any]) -> list[str]:
    """Return the column names; a name that comes again gets ``.1``, ``.2``.

    Examples
    --------
    >>> titles(["a", "a.1", None, " a"])
    ['a', 'a.1', '', 'a.2']
    """
    counts: dict[str, int] = {}
    names: dict[str, None] = {}
    for cell in header:
        title = name = "" if cell is None else str(cell).strip()
        while title in names:
            counts[name] = counts.get(name, 0) + 1
            title = f"{name}.{counts[name]}"
        names[title] = None
    return list(names)


def _torn(rows: list[tuple[int, str, int]], width: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": pd.Series([n for n, _, _ in rows], dtype="int64"),
            "column": pd.Series(["(row)"] * len(rows), dtype="str"),
            "rule": pd.Series([f"{count} cells, the header names {width}" for _, _, count in rows], dtype="str"),
            "value": pd.Series([value[:500] for _, value, _ in rows], dtype="str"),
        }
    )
