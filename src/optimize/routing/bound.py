"""A lower bound on the cost of a territory that holds whatever the routes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, milp
from scipy.sparse.csgraph import dijkstra

from optimize.routing.diagnose import hopeless
from optimize.routing.territory import Loads, Territory, Van

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much kilograms count beside litres in a van's load; each gives a bound, the best one is taken."""


def lower_bound(territory: Territory) -> float:
    """Return yuan below which no plan of the territory can cost.

    Stops that even a van of its own could not serve pay the price of being left out. For the others, two cases:

    - some stop is left out: the sum over stops of the least each adds to a plan (`_least`, at most that price), plus
      what leaving out the dearest of them adds;
    - all are served: the same sum, with the fixed cost of the cheapest whole vans that could carry and work it all
      (`_whole_vans`) in place of its shares.

    Windows are ignored but for `hopeless`, so the bound stays loose where they decide.
    """
    stops = territory.stops
    price = territory.unserved_yuan
    if not len(stops) or not territory.vans:
        return 0.0 if price is None else price * len(stops)
    lost = np.array(hopeless(territory) if price is not None else [], dtype=np.int64)
    left = np.setdiff1d(np.arange(len(stops)), lost)
    out = 0.0 if price is None else price * len(lost)
    if not len(left):
        return out
    part = territory.only(left)
    vans = _whole_vans(part)
    best = 0.0
    for share in _least(part):
        served = float(share.on_the_way.sum()) + max(float(share.fixed.sum()), vans)
        if price is not None:
            least = np.minimum(share.on_the_way + share.fixed, price)
            served = min(served, float(least.sum() + price - least.max()))
        best = max(best, served)
    return out + best


@dataclass(frozen=True)
class _Share:
    """What each stop adds to a plan at least: driving and hours, and its share of a van's fixed cost."""

    on_the_way: Loads
    fixed: Loads


def _least(territory: Territory) -> list[_Share]:
    """Return bounds by stop, one for every weight of kilograms and both ways to count the driving.

    A trip carries at most its van's kilograms and litres, so for any weight w the shares w kg / capacity + (1 - w)
    litres / capacity of its stops sum to one at most; the larger of the two shares would not do.

    - fixed: a stop's share of a trip, at the cheapest van that may serve it;
    - driving: half of the cheapest way in and out (each place of a trip is entered and left once), or the radial bound
      of Haimovich and Rinnooy Kan (1985): a trip to places at distance d (shortest way) with shares q drives at least
      2 sum(d q);
    - hours: the same for seconds, plus service and the share of a trip's loading.
    """
    stops, first, vans = territory.stops, territory.first_stop, territory.vans
    km_yuan = min(van.yuan_per_km for van in vans) / 1000.0
    s_yuan = min(van.yuan_per_hour for van in vans) / 3600.0
    legs = km_yuan * territory.travel.distance_m + s_yuan * territory.travel.duration_s
    near = _half_ways(legs)[first:]
    bases = sorted({van.base for van in vans})
    out, back = (dijkstra(way, indices=bases).min(axis=0)[first:] for way in (legs, legs.T))
    serves = np.stack([_may_serve(territory, van) for van in vans])
    shares = []
    for weight in WEIGHTS:
        filled = [
            weight * stops.load_kg / van.capacity_kg + (1 - weight) * stops.load_l / van.capacity_l for van in vans
        ]
        yuan = [part * van.fixed_yuan / van.max_trips for part, van in zip(filled, vans, strict=True)]
        fixed, trip = (np.where(serves, np.stack(rows), np.inf).min(axis=0) for rows in (yuan, filled))
        fixed, trip = (np.where(np.isfinite(row), row, 0.0) for row in (fixed, trip))
        hours = s_yuan * (stops.service_s + trip * territory.loading_s)
        shares += [_Share(way + hours, fixed) for way in (near, trip * (out + back))]
    return shares


def _half_ways(legs: NDArray[Any]) -> NDArray[np.float64]:
    """Return half of the cheapest way into and out of each place."""
    ways = legs.astype(np.float64)
    np.fill_diagonal(ways, np.inf)
    half: NDArray[np.float64] = (ways.min(axis=0) + ways.min(axis=1)) / 2.0
    return half


def _may_serve(territory: Territory, van: Van) -> NDArray[np.bool_]:
    open_to = np.array([stop not in van.closed_to for stop in territory.stops.ids])
    may: NDArray[np.bool_] = territory.carries(van) & territory.fits(van) & open_to
    return may


def _whole_vans(territory: Territory) -> float:
    """Return the fixed cost of the cheapest whole vans that could serve every stop; infinite where none could.

    Whole vans y of each kind, at most as many as there are: for the stops that only some kinds may serve (and for all
    of them) their kilograms, litres and hours fit what these kinds carry on all trips and work in their shifts; hours
    are service, half of the shortest way in and out, and the loading of as many trips as the loads need.
    """
    stops, vans = territory.stops, territory.vans
    way_s = _half_ways(territory.travel.duration_s.astype(np.float64))[territory.first_stop :]
    serves = np.stack([_may_serve(territory, van) for van in vans])
    kinds = np.unique(serves, axis=1)
    rows, needs = [], []
    for able in kinds.T:
        mine = ~(serves & ~able[:, None]).any(axis=0)  # stops that no other kind may serve
        room = np.array([(van.max_trips * van.capacity_kg, van.max_trips * van.capacity_l) for van in vans]).T
        loads = np.array([stops.load_kg[mine].sum(), stops.load_l[mine].sum()])
        most = np.array([[van.capacity_kg, van.capacity_l] for van, on in zip(vans, able, strict=True) if on])
        trips = 0.0 if not len(most) else float(np.ceil((loads / most.max(axis=0)).max() - 1e-9))
        begins = int(stops.release_s[mine].min()) if mine.any() else 0
        hours = np.array([max(van.shift_end_s - max(van.shift_start_s, begins), 0) for van in vans], dtype=np.float64)
        work = float((stops.service_s[mine] + way_s[mine]).sum()) + trips * territory.loading_s
        rows += [*(row * able for row in room), hours * able]
        needs += [*loads, work]
    rows.append(np.ones(len(vans)))
    needs.append(1.0)
    found = milp(
        np.array([van.fixed_yuan for van in vans]),
        constraints=LinearConstraint(np.array(rows), lb=np.array(needs) * (1 - 1e-9)),
        bounds=(0, np.array([float(van.count) for van in vans])),
        integrality=np.ones(len(vans)),
    )
    if found.status == 2:  # no whole vans can do it: some stop is left out
        return np.inf
    return float(found.mip_dual_bound) if found.mip_dual_bound is not None else 0.0
