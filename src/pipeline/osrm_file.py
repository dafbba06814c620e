"""An OSRM table file into the reference data: which places to ask for, and what came back as a travel matrix."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd

from contracts.errors import CorruptFileError, InputError, MissingColumnError, UnknownReferenceError
from contracts.world import Reference
from optimize.routing.osrm import travel_matrix
from store import ImportReport, Store, export_table
from store.source_file import read_source


def places_to_ask(reference: Reference) -> pd.DataFrame:
    """Return ``place_id``, ``longitude``, ``latitude`` of all warehouses, depots and communities, in this order."""
    tables: list[pd.DataFrame] = [
        frame.rename(columns={key: "place_id"}).sort_values("place_id")[["place_id", "longitude", "latitude"]]
        for frame, key in (
            (reference.warehouses, "warehouse_id"),
            (reference.depots, "depot_id"),
            (reference.communities, "community_id"),
        )
        if len(frame)
    ]
    return pd.concat(tables, ignore_index=True)


def read_osrm(path: Path, *, ids: list[str]) -> pd.DataFrame:
    """Return the travel matrix in a file that holds the JSON answer of OSRM's table service.

    Raises
    ------
    CorruptFileError
        The file is no JSON.
    InputError
        OSRM answered with an error, or the table is not that of `ids`.
    """
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as broken:
        raise CorruptFileError(path.name, f"no JSON: {broken}") from broken
    if not isinstance(answer, dict):
        raise CorruptFileError(path.name, "no answer of OSRM's table service: an object was expected")
    if answer.get("code", "Ok") != "Ok":
        raise InputError(f"OSRM answered {answer['code']}: {answer.get('message', 'no message')}. Ask again.")
    return travel_matrix(answer, ids)


def import_osrm(store: Store, path: Path, *, places: Path | None = None) -> ImportReport:
    """Merge an OSRM table file into the travel matrix of the store; several files may hold parts of the city.

    Parameters
    ----------
    places : Path, optional
        File whose column ``place_id`` names the table's sources and destinations in order; absent: all places in the
        order of `places_to_ask`.

    Raises
    ------
    UnknownReferenceError
        A place of the file is not in the reference data.
    """
    known = places_to_ask(store.reference())["place_id"].tolist()
    ids = known if places is None else _named(places)
    strange = sorted(set(ids) - set(known))
    if strange:
        raise UnknownReferenceError("places", "place_id", "warehouses, depots and communities", strange)
    matrix = read_osrm(path, ids=ids)
    with tempfile.TemporaryDirectory(prefix="tuancai-osrm-") as folder:
        table = export_table(matrix, Path(folder) / f"{path.stem}.parquet")
        return store.import_reference("travel_matrix", table)


def _named(path: Path) -> list[str]:
    cells = read_source(path).cells
    if "place_id" not in cells:
        raise MissingColumnError(f"places in {path.name}", ["place_id"], [str(column) for column in cells.columns])
    return [str(place) for place in cells["place_id"]]
