"""Travel matrices from an OSRM table answer (``/table/v1/driving/...?annotations=distance,duration``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.errors import InputError, first_keys
from contracts.reference import TravelMatrix


def travel_matrix(answer: Mapping[str, Any], ids: Sequence[str]) -> DataFrame[TravelMatrix]:
    """Return an OSRM table as a travel matrix; `ids` names its sources and destinations in order.

    Raises
    ------
    InputError
        Distances or durations are absent, of another size than `ids`, or null for a pair (OSRM found no way).

    Examples
    --------
    >>> answer = {"distances": [[0, 900], [950, 0]], "durations": [[0, 80.5], [90, 0]]}
    >>> travel_matrix(answer, ["W1", "C1"]).to_numpy().tolist()
    [['W1', 'C1', 900.0, 80.5], ['C1', 'W1', 950.0, 90.0]]
    """
    grids = {name: _grid(answer, name, len(ids)) for name in ("distances", "durations")}
    nowhere = [
        f"{ids[i]} to {ids[j]}" for i, j in np.argwhere(np.isnan(grids["distances"]) | np.isnan(grids["durations"]))
    ]
    if nowhere:
        raise InputError(
            f"The table has no way for {first_keys(nowhere)}. Move the points onto a road, or leave the places out."
        )
    start, end = np.nonzero(~np.eye(len(ids), dtype=bool))
    names = np.array(ids, dtype=object)
    return TravelMatrix.check(
        pd.DataFrame(
            {
                "from_id": names[start],
                "to_id": names[end],
                "distance_m": grids["distances"][start, end],
                "duration_s": grids["durations"][start, end],
            }
        )
    )


def _grid(answer: Mapping[str, Any], name: str, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rows = answer.get(name)
    if rows is None:
        raise InputError(f"The table has no {name!r}; ask for annotations=distance,duration. It has {sorted(answer)}.")
    lengths = {len(rows), *(len(row) for row in rows)}
    if lengths != {size}:
        raise InputError(f"The table's {name} are {sorted(lengths)} long, expected {size} x {size} for the ids given.")
    return np.array(rows, dtype=np.float64)
