"""Commands that bring data in: import, world, supply."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.reference_history import FILE, noting_changes
from cli.context import city_of, day_of
from cli.reference import note_change
from cli.show import console, progress_bar, show_table
from store import ImportReport, export_table, load_mapping, read_world

import_app = typer.Typer(help="Import orders and reference data. 导入订单与基础资料。", no_args_is_help=True)
world_app = typer.Typer(help="Build simulated cities. 生成模拟城市。", no_args_is_help=True)
supply_app = typer.Typer(help="Generate a supply side for real orders. 为真实订单生成供应侧。", no_args_is_help=True)


class FileFormat(StrEnum):
    """Formats a world can be written in."""

    CSV = "csv"
    PARQUET = "parquet"


def show_report(report: ImportReport) -> None:
    """Print an import's reconciliation and why rows were rejected."""
    console.print(report.reconciliation)
    for note in report.notes:
        console.print(note)
    if len(report.rules):
        show_table("Rejected, by rule", report.rules)
        console.print(f"Every rejected row is in {report.failures_path}", style="dim")


@import_app.command("orders")
def import_orders(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet file of order lines.")],
    mapping: Annotated[str, typer.Option(help="Mapping file, or the name of a shipped one.")] = "default",
) -> None:
    """Import order lines; importing the same file twice changes nothing."""
    with progress_bar(f"Import {path.name}"):
        report = city_of(context).desk.import_orders(path, load_mapping(mapping))
    show_report(report)


@import_app.command("reference")
def import_reference(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="Table, e.g. offers, communities, skus.")],
    path: Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet file.")],
    mapping: Annotated[str, typer.Option(help="Mapping file, or the name of a shipped one.")] = "default",
) -> None:
    """Import one reference table; columns valid_from and valid_until say for which delivery dates a row holds."""
    store, rules = city_of(context).desk.store, load_mapping(mapping)
    report, changes = noting_changes(
        table, read=store.reference_rows, change=lambda: store.import_reference(table, path, rules)
    )
    note_change(context, FILE, table, import_id=report.import_id, rows=report.rows_accepted, **changes)
    show_report(report)


@import_app.command("osrm")
def import_osrm(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="JSON answer of OSRM's table service.")],
    places: Annotated[
        Path | None, typer.Option(help="File whose place_id column names the table's places in order.")
    ] = None,
) -> None:
    """Import road distances and times: an OSRM table (annotations=distance,duration). 导入路网行驶矩阵。"""
    from pipeline import osrm_file

    show_report(osrm_file.import_osrm(city_of(context).desk.store, path, places=places))


@import_app.command("osrm-places")
def write_osrm_places(
    context: typer.Context, out: Annotated[Path, typer.Option(help="CSV, XLSX or Parquet file to write.")]
) -> None:
    """Write the places to ask OSRM for, in the order `import osrm` expects them. 导出地点坐标。"""
    from pipeline.osrm_file import places_to_ask

    places = places_to_ask(city_of(context).desk.store.reference())
    export_table(places, out)
    console.print(f"{len(places)} places in {out}: longitude,latitude in this order, annotations=distance,duration.")


@import_app.command("list")
def list_imports(context: typer.Context) -> None:
    """List the imports with their counts; rejected rows are kept beside the history."""
    show_table("Imports", city_of(context).desk.store.imports(), most=50)


@import_app.command("world")
def import_world(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Directory with one CSV or Parquet file per contract.")],
) -> None:
    """Import a world directory: reference data and orders."""
    with progress_bar(f"Import {directory.name}"):
        report = city_of(context).desk.import_world(read_world(directory))
    show_report(report)


@world_app.command("build")
def build(
    preset: Annotated[str, typer.Argument(help="tiny, town or city.")],
    out: Annotated[Path, typer.Option(help="Directory to write to.")],
    seed: Annotated[int, typer.Option(help="Same seed, same world.")] = 0,
    file_format: Annotated[FileFormat, typer.Option("--format", help="csv or parquet.")] = FileFormat.CSV,
) -> None:
    """Build a seeded world with the demand that was true, and write one file per contract."""
    from simulate import build_world, write_world

    with progress_bar(f"World {preset}"):
        world = build_world(preset, seed=seed)
        write_world(world, out, format=file_format.value)
    console.print(f"{len(world.order_lines):,} order lines in {out}")


@supply_app.command("generate")
def generate(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="Same seed, same supply side.")] = 0,
    until: Annotated[
        str | None, typer.Option(help="Last delivery date with listings, for planning in hindsight.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what was generated before.")] = False,
) -> None:
    """Generate suppliers, offers, warehouses, vans for the orders in the store; labelled synthetic everywhere."""
    last = day_of(until) if until else None
    reference = city_of(context).desk.generate_supply(seed=seed, until=last, again=replace)
    console.print(
        f"{len(reference.suppliers)} suppliers, {len(reference.offers):,} offers, {len(reference.communities)} "
        f"communities. Synthetic: {', '.join(reference.synthetic)}"
    )
