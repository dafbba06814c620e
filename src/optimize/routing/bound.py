"""A lower bound on the cost of a territory that holds whatever the routes are."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra

from optimize.routing.diagnose import hopeless
from optimize.routing.territory import Territory


def lower_bound(territory: Territory) -> float:
    """Return yuan below which no plan of the territory can cost.

    A sum over stops of the smaller of leaving the stop out and the least it can add to a plan:

    - fixed cost: its share of a van's load over all trips, at the cheapest van per kg and per litre;
    - driving: the larger of two sums over stops, half of the cheapest way in and out (each place of a trip is entered
      and left once), and the radial bound of Haimovich and Rinnooy Kan (1985): a trip to places at distance d (shortest
      way) with loads q and capacity Q drives at least 2 sum(d q) / Q;
    - hours: the same for seconds, plus service and loading.

    A stop that even a van of its own could not serve counts as left out. Otherwise windows and releases are ignored, so
    the bound is loose: an answer at twice the bound may be optimal.
    """
    stops, first = territory.stops, territory.first_stop
    if not len(stops) or not territory.vans:
        return 0.0 if territory.unserved_yuan is None else territory.unserved_yuan * len(stops)
    vans = territory.vans
    km_yuan = min(van.yuan_per_km for van in vans) / 1000.0
    s_yuan = min(van.yuan_per_hour for van in vans) / 3600.0
    share = [np.maximum(stops.load_kg / van.capacity_kg, stops.load_l / van.capacity_l) for van in vans]
    fixed = np.minimum.reduce([part * van.fixed_yuan / van.max_trips for part, van in zip(share, vans, strict=True)])
    filled = np.minimum.reduce(share)
    legs = km_yuan * territory.travel.distance_m + s_yuan * territory.travel.duration_s
    ways = legs.copy()
    np.fill_diagonal(ways, np.inf)
    near = (ways.min(axis=0)[first:] + ways.min(axis=1)[first:]) / 2.0
    bases = sorted({van.base for van in vans})
    out, back = (dijkstra(way, indices=bases).min(axis=0)[first:] for way in (legs, legs.T))
    radial = filled * (out + back)
    rest = fixed + s_yuan * (stops.service_s + filled * territory.loading_s)
    cap = np.inf if territory.unserved_yuan is None else territory.unserved_yuan
    least = np.stack([np.minimum(near + rest, cap), np.minimum(radial + rest, cap)])
    if territory.unserved_yuan is not None:
        least[:, hopeless(territory)] = territory.unserved_yuan
    return float(least.sum(axis=1).max())
