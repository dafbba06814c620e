"""Writing a world to a directory: one file per contract."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import pandas as pd

from contracts.errors import InputError
from contracts.world import World

log = logging.getLogger(__name__)


def write_world(world: World, directory: Path | str, *, format: Literal["csv", "parquet"] = "csv") -> Path:
    """Write one file per contract, named in snake_case, and return the directory.

    CSV files are UTF-8; days read ``2026-04-22``, instants ``2026-04-21T15:00:00+00:00``. Empty tables are written
    with their heads; ``synthetic.csv`` names the tables that were made up. `store.read_world` reads the directory back.

    Raises
    ------
    InputError
        The format is neither ``csv`` nor ``parquet``.
    """
    if format not in ("csv", "parquet"):
        raise InputError(f"format is 'csv' or 'parquet', not {format!r}")
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    flow: dict[str, pd.DataFrame] = {
        "order_lines": world.order_lines,
        "true_demand": world.true_demand,
        "arrival_curve": world.arrival_curve,
    }
    for name, table in [*world.reference.tables(), *flow.items()]:
        path = folder / f"{name}.{format}"
        if format == "parquet":
            table.to_parquet(path, index=False)
        else:
            _as_text(table).to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
        log.info("write %s: %d rows", path.name, len(table))
    pd.DataFrame({"table": world.reference.synthetic}).to_csv(folder / "synthetic.csv", index=False)
    return folder


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its times in ISO 8601, whole seconds."""
    times = {
        name: table[name].dt.strftime("%Y-%m-%dT%H:%M:%S+00:00" if table[name].dt.tz is not None else "%Y-%m-%d")
        for name in table.columns
        if table[name].dtype.kind == "M"
    }
    return table.assign(**times)
