"""Commands on reference data: show a table, what of it holds on a delivery date, and take a row out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from api.records import Records
from api.reference_history import REMOVED, table_changes
from cli.context import city_of, day_of
from cli.show import console, show_table
from store import export_tables

reference_app = typer.Typer(help="Look at reference data and mend it. 查看与修改基础资料。", no_args_is_help=True)
Table = Annotated[str, typer.Argument(help="Table, e.g. offers, communities, skus.")]


@reference_app.command("show")
def show(
    context: typer.Context,
    table: Table,
    on: Annotated[
        str | None, typer.Option(help="Only the rows that hold on this delivery date, as a plan of it sees them.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write all of it to this CSV, XLSX or Parquet file.")] = None,
) -> None:
    """Show a table: every row with the dates it holds for, or what holds on a date."""
    city = city_of(context)
    store = city.desk.store
    rows = store.reference_rows(table) if on is None else store.reference_table(table, day_of(on))
    if out is not None:
        export_tables({table: rows}, out, timezone=city.settings.city.timezone)
        console.print(f"{len(rows):,} rows in {out}")
        return
    show_table(table if on is None else f"{table} on {on}", rows, most=50, timezone=city.settings.city.timezone)


@reference_app.command("remove")
def remove(
    context: typer.Context,
    table: Table,
    key: Annotated[list[str], typer.Argument(help="Values of the key columns, in the order of docs/data.md.")],
    valid_from: Annotated[
        str | None, typer.Option(help="The row that holds from this date on; left out: the one from the beginning.")
    ] = None,
) -> None:
    """Take one row out, unless others point to it. To end a row, import it with valid_until."""
    start = None if valid_from is None else day_of(valid_from).date()
    gone = city_of(context).desk.store.remove_reference(table, key, valid_from=start)
    note_change(context, REMOVED, table, rows=1, **table_changes(table, gone, gone.iloc[:0]))
    show_table("Removed", gone)


def note_change(context: typer.Context, action: str, table: str, **facts: Any) -> None:
    """Write into the audit log what was done from this terminal, under the name of who is logged in."""
    with records_of(context) as records:
        records.audit.write(terminal_name(), action, table, facts=facts)


@contextmanager
def records_of(context: typer.Context) -> Iterator[Records]:
    """Yield the records of the city: audit log, keys, jobs."""
    records = Records.open(city_of(context).settings.storage)
    try:
        yield records
    finally:
        records.close()


def terminal_name() -> str:
    """Return whose name stands for what is done from this terminal."""
    return f"terminal {os.environ.get('USER', os.getuid())}"
