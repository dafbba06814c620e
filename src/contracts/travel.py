"""Distance between two points of a city."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.8
"""Mean Earth radius (IUGG), metres."""


def great_circle_m(
    latitude: ArrayLike, longitude: ArrayLike, to_latitude: ArrayLike, to_longitude: ArrayLike
) -> NDArray[np.float64]:
    """Return great-circle metres between points in degrees, by the haversine formula; arguments broadcast.

    Examples
    --------
    >>> round(float(great_circle_m(0.0, 0.0, 0.0, 1.0)))  # one degree on the equator
    111195
    """
    lat1, lon1, lat2, lon2 = (
        np.radians(np.asarray(degrees, dtype=np.float64))
        for degrees in (latitude, longitude, to_latitude, to_longitude)
    )
    chord = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    result: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0)))
    return result
