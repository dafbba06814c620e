"""A territory: bases, their vans and the stops they serve; it can be planned on its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.errors import InputError, first_keys
from optimize.routing.travel import Travel

Times = NDArray[np.int64]
Loads = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Stops:
    """n places to visit. Times are whole seconds from the delivery date's local midnight (negative the evening before).

    Attributes
    ----------
    ids : tuple of str
        Community or depot; the parts of a divided stop share its id.
    is_depot : ndarray of bool
        The stop is a depot of the next echelon.
    release_s : ndarray of int
        Its goods are sorted: loading of the trip that brings them begins no earlier.
    """

    ids: tuple[str, ...]
    is_depot: Flags
    units: Loads
    load_kg: Loads
    load_l: Loads
    chilled: Flags
    frozen: Flags
    service_s: Times
    open_s: Times
    close_s: Times
    release_s: Times

    def __len__(self) -> int:
        """Return the number of stops."""
        return len(self.ids)

    def take(self, chosen: NDArray[np.int64]) -> Stops:
        """Return some of the stops, in the order given."""
        arrays: dict[str, Any] = {
            name: value[chosen] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return Stops(ids=tuple(self.ids[i] for i in chosen), **arrays)


@dataclass(frozen=True)
class Van:
    """`count` equal vans that start and end at one base; all trips of a duty start there.

    Attributes
    ----------
    closed_to : frozenset of str
        Ids of stops this kind of van must not serve: a low gate, a weight limit, a ban on lorries.
    away : int
        Vans of this kind that are on the road, beside the `count` that can be planned.
    resumes : str
        Route this very van is back from, having left before; empty for vans that have not left yet.
    """

    vehicle_type_id: str
    base: int
    count: int
    capacity_kg: float
    capacity_l: float
    carries_chilled: bool
    carries_frozen: bool
    fixed_yuan: float
    yuan_per_km: float
    yuan_per_hour: float
    shift_start_s: int
    shift_end_s: int
    max_trips: int
    max_duty_s: int | None = None
    closed_to: frozenset[str] = frozenset()
    away: int = 0
    resumes: str = ""


@dataclass(frozen=True)
class Territory:
    """Bases, vans, stops and the travel among them.

    Attributes
    ----------
    name : str
        Names its routes.
    base_ids : tuple of str
        Places 0 .. b-1 of `travel`; the stops are places b .. b+n-1.
    loading_s : int
        Loading before each trip, at the base, after the goods' release and within the duty.
    unserved_yuan : float or None
        Price of leaving out a stop; None when every stop must be served.
    latitude, longitude : ndarray, shape (b + n,)
        Positions of the places (for maps and neighbourhoods).
    since_s : int or None
        Moment of a night under way: no van loads before it, whatever its shift.
    """

    name: str
    base_ids: tuple[str, ...]
    vans: tuple[Van, ...]
    stops: Stops
    travel: Travel
    latitude: Loads
    longitude: Loads
    loading_s: int
    unserved_yuan: float | None
    since_s: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no plan could mean.

        Raises
        ------
        InputError
            A window closes before it opens, a travel matrix of another size, a van at an unknown base.
        """
        shut = [i for i, o, c in zip(self.stops.ids, self.stops.open_s, self.stops.close_s, strict=True) if c < o]
        if shut:
            raise InputError(f"{self.name}: the window closes before it opens at {first_keys(shut)}. Mend the window.")
        places = len(self.base_ids) + len(self.stops)
        if self.travel.distance_m.shape != (places, places) or self.travel.duration_s.shape != (places, places):
            raise InputError(f"{self.name}: travel is {self.travel.distance_m.shape}, expected {places} x {places}.")
        lost = [van.vehicle_type_id for van in self.vans if not 0 <= van.base < len(self.base_ids)]
        if lost:
            raise InputError(f"{self.name}: vans {first_keys(lost)} start from a base outside the territory.")

    @property
    def first_stop(self) -> int:
        """Return the place of stop 0 in `travel`."""
        return len(self.base_ids)

    def carries(self, van: Van) -> Flags:
        """Return for each stop whether this kind of van has what its goods need (temperature only)."""
        lacks = (self.stops.chilled & (not van.carries_chilled)) | (self.stops.frozen & (not van.carries_frozen))
        return ~lacks

    def fits(self, van: Van) -> Flags:
        """Return for each stop whether its load fits this kind of van."""
        return (self.stops.load_kg <= van.capacity_kg + 1e-9) & (self.stops.load_l <= van.capacity_l + 1e-9)

    def only(self, chosen: Times) -> Territory:
        """Return the territory with some of its stops, in the order given."""
        places = np.concatenate([np.arange(self.first_stop), chosen + self.first_stop])
        return replace(
            self,
            stops=self.stops.take(chosen),
            travel=self.travel.among(places),
            latitude=self.latitude[places],
            longitude=self.longitude[places],
        )

    def released(self, release_s: Times) -> Territory:
        """Return the territory with other release times."""
        return replace(self, stops=replace(self.stops, release_s=release_s))
