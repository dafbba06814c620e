"""Metres and seconds between places: great-circle x circuity at a speed, or a given travel matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.errors import InputError, first_keys
from contracts.settings import TravelSettings

EARTH_RADIUS_M = 6_371_008.8
"""Mean earth radius (IUGG)."""


@dataclass(frozen=True)
class Travel:
    """Whole metres and whole seconds between n places; rows are origins.

    Seconds are rounded up and metres to the nearest, once, here: what the solver sees, what the timetable says and
    what `check` recomputes are the same numbers. Against unrounded travel a leg is at most 1 s slower and 0.5 m off.
    """

    distance_m: NDArray[np.int64]
    duration_s: NDArray[np.int64]

    def among(self, places: NDArray[np.int64]) -> Travel:
        """Return the travel among some of the places, in the order given."""
        grid = np.ix_(places, places)
        return Travel(self.distance_m[grid], self.duration_s[grid])


def great_circle_m(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return great-circle metres between all pairs of points (haversine formula), shape (n, n).

    Examples
    --------
    >>> metres = great_circle_m(np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    >>> round(float(metres[0, 1]))
    111195
    """
    phi, lam = np.radians(latitude), np.radians(longitude)
    rise = np.sin((phi[:, None] - phi[None, :]) / 2.0) ** 2
    turn = np.cos(phi)[:, None] * np.cos(phi)[None, :] * np.sin((lam[:, None] - lam[None, :]) / 2.0) ** 2
    metres: NDArray[np.float64] = 2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(rise + turn, 0.0, 1.0)))
    return metres


def computed_travel(
    ids: Sequence[str],
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    *,
    settings: TravelSettings,
) -> Travel:
    """Return travel over great-circle distance times circuity at the settings' speed.

    Raises
    ------
    InputError
        A place lies at latitude 0 and longitude 0: its position was never filled in.
    """
    nowhere = [place for place, y, x in zip(ids, latitude, longitude, strict=True) if y == 0.0 and x == 0.0]
    if nowhere:
        raise InputError(
            f"Latitude 0 and longitude 0 for {first_keys(nowhere)}: the position was never filled in. "
            "Give the coordinates, or a travel matrix that holds these places."
        )
    road_m = great_circle_m(latitude, longitude) * settings.circuity
    return whole_travel(road_m, road_m / (settings.speed_kmh / 3.6))


def whole_travel(distance_m: NDArray[np.float64], duration_s: NDArray[np.float64]) -> Travel:
    """Return travel in whole metres (nearest) and whole seconds (up; a millisecond of float noise is forgiven)."""
    return Travel(
        distance_m=np.rint(distance_m).astype(np.int64),
        duration_s=np.ceil(duration_s - 1e-3).clip(0.0).astype(np.int64),
    )


def given_travel(ids: Sequence[str], matrix: pd.DataFrame) -> Travel:
    """Return the travel of a TravelMatrix table among the places `ids`.

    A place's way to itself is zero unless the table says otherwise.

    Raises
    ------
    InputError
        A pair is missing, in either direction: an absent distance is not a distance.
    """
    position = pd.Series(np.arange(len(ids)), index=pd.Index(ids))
    rows = matrix[matrix["from_id"].isin(position.index) & matrix["to_id"].isin(position.index)]
    start, end = position[rows["from_id"]].to_numpy(), position[rows["to_id"]].to_numpy()
    distance = np.full((len(ids), len(ids)), np.nan)
    duration = np.full((len(ids), len(ids)), np.nan)
    np.fill_diagonal(distance, 0.0)
    np.fill_diagonal(duration, 0.0)
    distance[start, end] = rows["distance_m"].to_numpy(np.float64)
    duration[start, end] = rows["duration_s"].to_numpy(np.float64)
    gaps = np.argwhere(np.isnan(distance))
    if len(gaps):
        missing = [f"{ids[i]} to {ids[j]}" for i, j in gaps]
        one_way = sum(bool(np.isfinite(distance[j, i])) for i, j in gaps)
        raise InputError(
            f"The travel matrix lacks {first_keys(missing)}; {one_way} of them have only the way back. "
            "Both directions are rows of their own: add them, or leave the matrix out to have travel computed."
        )
    return whole_travel(distance, duration)


def lopsided(ids: Sequence[str], travel: Travel, *, ratio: float = 3.0, least_m: float = 2000.0) -> list[str]:
    """Return pairs whose two directions differ by more than `ratio` and `least_m`, worst first, as sentences.

    One-way streets make small differences; a factor of three over kilometres is usually a typing error.
    """
    there, back = travel.distance_m.astype(np.float64), travel.distance_m.T.astype(np.float64)
    odd = np.argwhere((there > ratio * back) & (there - back > least_m))
    order = np.argsort(-(there - back)[odd[:, 0], odd[:, 1]], kind="stable")
    return [f"{ids[i]} to {ids[j]} is {there[i, j]:.0f} m, back {back[i, j]:.0f} m" for i, j in odd[order]]
