"""The one door to Parquet (pyarrow): whole frames to files and bytes and back, visible only when complete."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.errors import CorruptFileError
from store.disk import storing


def read_parquet(path: Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a Parquet file as a frame, timestamps in microseconds.

    Raises
    ------
    CorruptFileError
        The file is no Parquet file, or is cut off.
    """
    try:
        table = pq.ParquetFile(path).read(columns=None if columns is None else list(columns))
        return _frame(table)
    except (pa.ArrowException, OSError, ValueError) as broken:
        if isinstance(broken, FileNotFoundError):
            raise
        raise CorruptFileError(str(path), f"it is no complete Parquet file ({_first_line(broken)})") from broken


MOST_GIVEN_VALUES = 200_000_000
"""Values of a Parquet file somebody gives us: a column that says the same a thousand million times is a few bytes."""
MOST_GIVEN_BYTES = 10**9
"""Bytes of such a file's values, unpacked; a long text is told once and referred to from each of its rows."""


def read_given_parquet(path: Path) -> pd.DataFrame:
    """Return a Parquet file somebody gave us as a frame; refused by its footer, before its values are unpacked.

    Raises
    ------
    CorruptFileError
        The file is no Parquet file, is cut off, or would be more values or bytes than `MOST_GIVEN_VALUES` and
        `MOST_GIVEN_BYTES`.
    """
    try:
        with pq.ParquetFile(path) as file:
            told, texts = file.metadata, [f.name for f in file.schema_arrow if _is_text(f.type)]
            values, unpacked = _claims(told)
        if values > MOST_GIVEN_VALUES or unpacked > MOST_GIVEN_BYTES:
            raise CorruptFileError(
                str(path),
                f"it has {told.num_rows:,} rows and {told.num_columns:,} columns, {unpacked:,} bytes; "
                f"{MOST_GIVEN_VALUES:,} values and {MOST_GIVEN_BYTES:,} bytes are the most: bring it in in parts",
            )
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read()
        return _frame(_spelled_out(path, table, texts))
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError) as broken:
        raise CorruptFileError(str(path), f"it is no complete Parquet file ({_first_line(broken)})") from broken


def _claims(told: pq.FileMetaData) -> tuple[int, int]:
    """Return how many values and bytes a file's footer says it holds; a value of fixed length may be told once too."""
    values = unpacked = 0
    for number in range(told.num_row_groups):
        group = told.row_group(number)
        for place in range(group.num_columns):
            part, length = group.column(place), told.schema.column(place).length
            values += max(part.num_values, group.num_rows)
            unpacked += max(part.total_uncompressed_size, part.num_values * length)
    return max(values, told.num_rows), unpacked


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind))


def _spelled_out(path: Path, table: pa.Table, texts: Sequence[str]) -> pa.Table:
    """Return a table whose texts, read as references to the different ones, are in every row."""
    letters = 0
    for place, name in enumerate(table.schema.names):
        column = table.column(place)
        if name not in texts or not pa.types.is_dictionary(column.type):
            continue
        for chunk in column.chunks:
            lengths = pc.take(pc.cast(pc.binary_length(chunk.dictionary), pa.int64()), chunk.indices)
            letters += pc.sum(lengths).as_py() or 0
        if letters > MOST_GIVEN_BYTES:
            raise CorruptFileError(
                str(path), f"its columns up to {name} are {letters:,} bytes; {MOST_GIVEN_BYTES:,} are the most"
            )
        table = table.set_column(place, name, column.cast(column.type.value_type))
    return table


def read_parquets(paths: Sequence[Path], *, where: tuple[str, Sequence[str]] | None = None) -> pd.DataFrame:
    """Return several Parquet files of one schema as one frame, in the order given.

    Parameters
    ----------
    where : (column, values), optional
        Only rows with one of the values in a text column. Files whose least and greatest value exclude them all are not
        read beyond their footer.

    Raises
    ------
    CorruptFileError
        One of the files is missing or broken; the sentence names it.
    """
    tables = []
    for path in paths:
        try:
            if where is None:
                tables.append(pq.ParquetFile(path).read())
            elif _may_hold(path, *where):
                tables.append(_only(pq.ParquetFile(path).read(), *where))
        except (pa.ArrowException, OSError) as broken:
            raise CorruptFileError(str(path), f"a file of the history is damaged ({_first_line(broken)})") from broken
    if not tables:  # no file can hold any of the values
        tables.append(pq.ParquetFile(paths[0]).schema_arrow.empty_table())
    return _frame(pa.concat_tables(tables))


def greatest(paths: Sequence[Path], column: str) -> Any:
    """Return the greatest value of a column in several Parquet files, None without any; only that column is read.

    Raises
    ------
    CorruptFileError
        One of the files is broken; the sentence names it.
    FileNotFoundError
        One is missing.
    """
    most = None
    for path in paths:
        values = read_parquet(path, columns=[column])[column]
        if len(values) and (most is None or values.max() > most):
            most = values.max()
    return most


def _may_hold(path: Path, column: str, values: Sequence[str]) -> bool:
    """Return whether a file's footer leaves room for a value; a footer that does not say leaves room."""
    state = path.stat()
    bounds = _bounds(path, column, state.st_mtime_ns, state.st_size)
    if bounds is None:
        return True
    return any(least <= value <= most for least, most in bounds for value in values)


@lru_cache(maxsize=65_536)
def _bounds(path: Path, column: str, _written_ns: int, _size: int) -> tuple[tuple[str, str], ...] | None:
    """Return least and greatest value of each row group; None where a footer does not say."""
    footer = pq.ParquetFile(path).metadata
    place, found = footer.schema.names.index(column), []
    for number in range(footer.num_row_groups):
        told = footer.row_group(number).column(place).statistics
        if told is None or not told.has_min_max:
            return None
        found.append((told.min, told.max))
    return tuple(found)


def _only(table: pa.Table, column: str, values: Sequence[str]) -> pa.Table:
    wanted = pc.is_in(table[column], value_set=pa.array(list(values), type=table.schema.field(column).type))
    return table.filter(wanted)


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame so that `path` holds all of it or does not exist: temporary file, fsync, rename, fsync.

    Raises
    ------
    StorageFullError
        The disk is full; nothing is left at `path`.
    """
    data = parquet_bytes(frame)
    temporary = path.with_name(f".{path.name}.part")
    with storing(path, clean=temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as the bytes of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(_table(frame), sink, compression="zstd")
    return sink.getvalue()


def _table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as an Arrow table; zoned times go in as UTC and get their zone there.

    pyarrow 25 hands zoned columns over in a way that pandas 3.1 warns about.
    """
    zoned = {n: str(frame[n].dt.tz) for n in frame.columns if isinstance(frame[n].dtype, pd.DatetimeTZDtype)}
    naive = frame.assign(**{name: frame[name].dt.tz_convert(None) for name in zoned})
    table = pa.Table.from_pandas(naive, preserve_index=False)
    for name, zone in zoned.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].cast(pa.timestamp("us", zone)))
    return table


def frame_from_bytes(data: bytes) -> pd.DataFrame:
    """Return the frame that `parquet_bytes` wrote."""
    return _frame(pq.ParquetFile(io.BytesIO(data)).read())


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    for name in frame.columns:
        if frame[name].dtype.kind == "M":
            frame[name] = frame[name].dt.as_unit("us")
    return frame


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
