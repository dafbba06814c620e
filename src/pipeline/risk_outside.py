"""Outside estimates of a night (预估销量): somebody else's final units per warehouse x SKU, imported or in a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from contracts.errors import InputError, MissingColumnError, UnknownReferenceError, first_keys
from contracts.world import Reference
from store.aliases import ALIASES, heading
from store.source_file import read_source

COLUMNS = ("warehouse_id", "sku_id", "units")
_UNITS = ("预估销量", "预估", "预计销量", "件数", "数量", "estimate", "quantity", "qty")


def read_outside(path: Path | str, reference: Reference) -> pd.DataFrame:
    """Return ``warehouse_id, sku_id, units`` of a CSV, XLSX or Parquet file; heads may be Chinese or English.

    Raises
    ------
    MissingColumnError
        A column is not there under any of its names.
    InputError
        Units that are no number or below zero, or a SKU x warehouse that comes twice.
    UnknownReferenceError
        A warehouse or SKU that is not in the reference data.
    """
    cells = read_source(path).cells
    heads = {heading(str(column)): column for column in cells.columns}
    found = {}
    for column in COLUMNS:
        names = _UNITS if column == "units" else ALIASES[column]
        mine = [heads[heading(name)] for name in (column, *names) if heading(name) in heads]
        if mine:
            found[column] = cells[mine[0]]
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise MissingColumnError(f"Outside estimates in {Path(path).name}", missing, [str(c) for c in cells.columns])
    return checked_outside(pd.DataFrame(found), reference)


def known_outside(reference: Reference, *, delivery_date: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return ``warehouse_id, sku_id, units`` of the imported outside estimates that were known at a moment.

    Of several figures the newest counts. A warehouse nobody named is the sum of its communities' figures.
    """
    table: pd.DataFrame = pd.DataFrame(reference.outside_estimates)
    given_on = table["known_on"] < as_of.tz_localize(None).normalize()
    mine = table[(table["delivery_date"] == delivery_date) & given_on].sort_values("known_on", kind="stable")
    newest = mine.drop_duplicates(["level", "place_id", "sku_id"], keep="last")
    named = newest[newest["level"] == "warehouse"].rename(columns={"place_id": "warehouse_id"})
    home = reference.communities.set_index("community_id")["warehouse_id"]
    fine = newest[newest["level"] == "community"]
    fine = fine.assign(warehouse_id=fine["place_id"].map(home).astype("str"))
    sums = fine.groupby(["warehouse_id", "sku_id"], as_index=False).agg(units=("units", "sum"))
    both = pd.concat([named[list(COLUMNS)], sums], ignore_index=True)
    return both.drop_duplicates(["warehouse_id", "sku_id"], keep="first", ignore_index=True)


def checked_outside(given: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Return outside estimates with their dtypes, or raise; see `read_outside`."""
    table = given[list(COLUMNS)].astype({"warehouse_id": "str", "sku_id": "str"})
    units = pd.to_numeric(table["units"], errors="coerce").astype("float64")
    wrong = table["units"][~(units.ge(0) & units.lt(float("inf")))]
    if len(wrong):
        raise InputError(f"{len(wrong)} outside estimates are no number of units: {first_keys(wrong.astype(str))}.")
    table["units"] = units
    for column, known, name in (
        ("warehouse_id", reference.warehouses["warehouse_id"], "Warehouses"),
        ("sku_id", reference.skus["sku_id"], "Skus"),
    ):
        unknown = sorted(set(table[column]) - set(known))
        if unknown:
            raise UnknownReferenceError("Outside estimates", column, name, unknown)
    again = table.duplicated(["warehouse_id", "sku_id"])
    if again.any():
        keys = table.loc[again, ["warehouse_id", "sku_id"]].agg(" / ".join, axis=1)
        raise InputError(f"{int(again.sum())} outside estimates come twice: {first_keys(keys)}. Keep one of each.")
    return table.reset_index(drop=True)
