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

from api.problems import SHOWN_FAILURES, FailureRow, ServiceError, problem_of
from api.rows import frame_of
from contracts.errors import CorruptFileError, EmptyInputError, MissingColumnError, TuancaiError
from contracts.flow import OrderLines
from store import Store

BATCH_LINES = 5_000
"""Lines held in memory at once; about 2 MB, and one file of the history."""
LONGEST_CELL = 1 << 20
REQUIRED = tuple(name for name in OrderLines.column_names() if name not in OrderLines.optional_columns())
"""Columns without which no line can be judged."""
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


def take_stream(store: Store, path: Path, form: StreamForm, *, source: str, by: str) -> StreamResult:
    """Take in a stream that is complete on disk, brought by the holder of a key.

    Raises
    ------
    EmptyInputError
        There is not one line.
    MissingColumnError
        The header of a CSV lacks a column, so no line can be judged.
    CorruptFileError
        The bytes are not UTF-8, or a CSV cell never ends, in the first batch.
    StoreError
        The disk or the database failed at the first batch.
    ServiceError
        The like in a later batch: it says how many lines are in.
    """
    total = StreamResult(
        lines_read=0, lines_accepted=0, lines_rejected=0, lines_new=0, lines_updated=0, lines_unchanged=0, imports=[]
    )
    reader = _ndjson_rows if form == "ndjson" else _csv_rows
    try:
        for batch in _batches(_decoded(path, reader(path))):
            _take_batch(store, batch, total, source=source, by=by)
    except TuancaiError as stopped:
        if not total.imports:
            raise
        raise _partly(total, stopped) from stopped
    if not total.lines_read:
        raise EmptyInputError(f"{source} has no lines: expected NDJSON or CSV with a header line.")
    return total


def _take_batch(store: Store, batch: list[Line], total: StreamResult, *, source: str, by: str) -> None:
    """Take in a batch and count what came of it in `total`."""
    unread = [FailureRow(row=row, column="(line)", rule=rule, value=text) for row, rule, text in batch if rule]
    rows = [(row, value) for row, rule, value in batch if not rule]
    total.lines_read += len(batch)
    total.lines_rejected += len(unread)
    if not rows:
        _note(total, unread, len(unread))
        return
    frame = frame_of([value for _, value in rows])
    report = store.add_order_lines(frame.reindex(columns=_columns(frame)), source=source, by=by)
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


def _partly(total: StreamResult, stopped: TuancaiError) -> ServiceError:
    """Return a problem of the same kind that says what is in, and no longer that nothing is."""
    problem = problem_of(stopped, instance="")
    reason = stopped.reason if isinstance(stopped, CorruptFileError) else str(stopped)
    return ServiceError(
        problem.status,
        problem.type.rsplit(":", 1)[-1],
        f"{total.lines_accepted:,} lines of the first {total.lines_read:,} are in ({len(total.imports)} imports, the "
        f"last is {total.imports[-1]}), {total.lines_rejected:,} were rejected; then it stopped: "
        f"{reason.rstrip('.')}. Send the whole again when that is mended: lines that are in change nothing.",
    )


def _columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns that came and those that had to, in the contract's order; others are left out.

    A column that no line of a batch has is then empty, so that each line is rejected on its own.
    """
    return [name for name in OrderLines.column_names() if name in frame.columns or name in REQUIRED]


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
        missing = [name for name in REQUIRED if name not in header]
        for cells in reader:
            if not any(cells):
                continue
            if missing:
                raise MissingColumnError(OrderLines.__name__, missing, header)
            if len(cells) != len(header):
                yield reader.line_num, f"{len(cells)} cells, the header names {len(header)}", ",".join(cells)[:200]
            else:
                yield reader.line_num, "", {k: v or None for k, v in zip(header, cells, strict=True)}


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")
