"""Order lines as a stream: NDJSON or CSV of any length, kept on disk while it comes, taken in batch by batch.

Nothing is taken in before the body is complete, so a torn upload leaves nothing behind. Each batch is an import of its
own; sending the whole again changes nothing, so that is the cure for whatever stops in between.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, Field

from api.problems import SHOWN_FAILURES, FailureRow
from api.rows import frame_of
from contracts.errors import CorruptFileError, EmptyInputError
from contracts.flow import OrderLines
from store import Store

BATCH_LINES = 5_000
"""Lines held in memory at once; about 2 MB, and one file of the history."""
LONGEST_CELL = 1 << 20
StreamForm = Literal["ndjson", "csv"]


class StreamResult(BaseModel):
    """What came of a stream: every line accounted for."""

    lines_read: int = Field(examples=[12000])
    lines_accepted: int = Field(description="Lines that are in the store now.", examples=[11998])
    lines_rejected: int = Field(description="Lines that broke a rule.", examples=[2])
    lines_new: int = Field(examples=[11000])
    lines_updated: int = Field(examples=[8])
    lines_unchanged: int = Field(examples=[990])
    imports: list[str] = Field(
        description="One import per batch; `/v1/imports/{id}/failures` has every rejected line.", examples=[["3f2a9c"]]
    )
    failures: list[FailureRow] = Field(
        default=[], description="First failing lines; `row` is the line of the stream, from 1 (a CSV's header is 1)."
    )
    failures_total: int = Field(default=0, description="Failing lines x rules in all.", examples=[2])


def take_stream(store: Store, path: Path, form: StreamForm, *, source: str) -> StreamResult:
    """Take in a stream that is complete on disk.

    Raises
    ------
    EmptyInputError
        There is not one line.
    MissingColumnError
        A batch lacks a column; the batches before it are in.
    CorruptFileError
        The bytes are not UTF-8, or a CSV cell never ends; the batches before it are in.
    StoreError
        The disk or the database failed; the batches before are in.
    """
    total = StreamResult(
        lines_read=0, lines_accepted=0, lines_rejected=0, lines_new=0, lines_updated=0, lines_unchanged=0, imports=[]
    )
    reader = _ndjson_rows if form == "ndjson" else _csv_rows
    for batch in _batches(_decoded(path, reader(path))):
        unread = [FailureRow(row=row, column="(line)", rule=rule, value=text) for row, rule, text in batch if rule]
        rows = [(row, value) for row, rule, value in batch if not rule]
        total.lines_read += len(batch)
        total.lines_rejected += len(unread)
        if not rows:
            _note(total, unread, len(unread))
            continue
        frame = frame_of([value for _, value in rows])
        report = store.add_order_lines(frame.reindex(columns=_columns(frame)), source=source)
        places = [row for row, _ in rows]
        broken = report.failures
        shown = [
            FailureRow(row=places[int(row) - 1], column=str(column), rule=str(rule), value=str(value))
            for row, column, rule, value in broken.head(SHOWN_FAILURES).itertuples(index=False)
        ]
        told = sorted([*unread[:SHOWN_FAILURES], *shown], key=lambda failure: failure.row)
        _note(total, told, len(unread) + len(broken))
        total.lines_accepted += report.rows_accepted
        total.lines_rejected += report.rows_rejected
        total.lines_new += report.rows_new
        total.lines_updated += report.rows_updated
        total.lines_unchanged += report.rows_unchanged
        total.imports.append(report.import_id)
    if not total.lines_read:
        raise EmptyInputError(f"{source} has no lines: expected NDJSON or CSV with a header line.")
    return total


def _columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns that came, in the contract's order; what the contract does not know is left out."""
    return [name for name in OrderLines.column_names() if name in frame.columns]


def _note(total: StreamResult, shown: list[FailureRow], count: int) -> None:
    total.failures.extend(shown[: SHOWN_FAILURES - len(total.failures)])
    total.failures_total += count


Line = tuple[int, str, Any]
"""Number of a line, the rule it broke when it was read (else empty), and its values or, broken, its text."""


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH_LINES:
            yield batch
            batch = []
    if batch:
        yield batch


def _decoded(path: Path, lines: Iterator[Line]) -> Iterator[Line]:
    try:
        yield from lines
    except UnicodeDecodeError as unfit:
        raise CorruptFileError(path.name, f"byte {unfit.start} of a part is no UTF-8; send UTF-8, or a file") from unfit
    except csv.Error as broken:
        raise CorruptFileError(path.name, f"it is no CSV ({broken})") from broken


def _ndjson_rows(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                value = json.loads(text, parse_constant=_refuse)
            except (ValueError, RecursionError) as broken:
                yield number, f"no JSON: {broken}"[:200], text[:200].strip()
                continue
            if isinstance(value, dict):
                yield number, "", value
            else:
                yield number, "no JSON object", text[:200].strip()


def _csv_rows(path: Path) -> Iterator[Line]:
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip() for name in next(reader, [])]
        again = sorted({name for name in header if header.count(name) > 1})
        if again:
            raise CorruptFileError(path.name, f"its header names {', '.join(again)} more than once")
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                yield reader.line_num, f"{len(cells)} cells, the header names {len(header)}", ",".join(cells)[:200]
            else:
                yield reader.line_num, "", {k: v or None for k, v in zip(header, cells, strict=True)}


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")
