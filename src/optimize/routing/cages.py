"""A depot's goods inside the truck: whose crates are needed first when its vans load, so what goes in last."""

from __future__ import annotations

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import StopLoads
from contracts.world import Reference
from optimize.routing.data import RoutingData
from optimize.routing.plan import RoutePlan
from optimize.routing.sheets import CRATE_COLUMNS, crates_per_place


def depot_cages(
    plan: RoutePlan, data: RoutingData, *, reference: Reference, loads: DataFrame[StopLoads]
) -> pd.DataFrame:
    """Return one row per community on a truck: its depot stop, its crates, and the van that takes them on.

    ``within`` counts from 1 in the order the depot needs the crates: its vans by departure, in each van the last stop
    first, because it is rolled in first; communities no van serves come last. A truck is loaded the other way round.

    Returns
    -------
    DataFrame
        route_id, trip, seq (of the truck), depot_id, within, place_id (community), name, units, load_kg, crates per
        zone, van (route and trip at the depot, empty where no van takes them).
    """
    needed = _needed(plan)
    crates = crates_per_place(loads, crate_l=data.settings.crate_l)
    sums = loads.groupby("destination_id")[["units", "load_kg"]].sum().to_dict("index")
    names = reference.communities.set_index("community_id")["name"]
    rows: list[dict[str, object]] = []
    for stop, communities in _handed(plan, data):
        known = [community for community in communities if community in sums]
        ranked = sorted(known, key=lambda c: (needed.get(c, (len(needed),))[0], c))
        for within, community in enumerate(ranked, start=1):
            rows.append(
                {
                    **stop,
                    "within": within,
                    "place_id": community,
                    "name": names.get(community, community),
                    "units": float(sums[community]["units"]),
                    "load_kg": float(sums[community]["load_kg"]),
                    **dict(zip(CRATE_COLUMNS, crates[community], strict=True)),
                    "van": needed[community][1] if community in needed else "",
                }
            )
    columns = ["route_id", "trip", "seq", "depot_id", "within", "place_id", "name", "units", "load_kg", *CRATE_COLUMNS]
    return pd.DataFrame(rows, columns=[*columns, "van"])


def _needed(plan: RoutePlan) -> dict[str, tuple[int, str]]:
    """Return, per community on a van, its place in the order crates are rolled into vans, and the van's trip."""
    stops = plan.stops.dropna(subset="community_id")
    leaves = plan.trips[["route_id", "trip", "departs_at"]]
    ranked = stops.merge(leaves, on=["route_id", "trip"]).sort_values(
        ["departs_at", "route_id", "trip", "seq"], ascending=[True, True, True, False], ignore_index=True
    )
    facts = zip(ranked["community_id"], ranked["route_id"], ranked["trip"], strict=True)
    return {community: (place, f"{route} / {trip}") for place, (community, route, trip) in enumerate(facts)}


def _handed(plan: RoutePlan, data: RoutingData) -> list[tuple[dict[str, object], tuple[str, ...]]]:
    """Return the truck's stop of each part of a depot's goods with its communities; parts are told by their weight."""
    parts: dict[tuple[str, float], list[tuple[str, ...]]] = {}
    for hand in data.handovers:
        kg = round(float(data.warehouses[hand.warehouse].stops.load_kg[hand.stop]), 6)
        parts.setdefault((hand.depot_id, kg), []).append(hand.communities)
    found = []
    for row in plan.stops.dropna(subset="depot_id").sort_values(["route_id", "trip", "seq"]).to_dict("records"):
        key = (row["route_id"], int(row["trip"]), int(row["seq"]))
        left = parts.get((row["depot_id"], round(float(row["load_kg"]), 6)), [])
        left = [data.aboard[key]] if key in data.aboard else left
        stop = {name: row[name] for name in ("route_id", "trip", "seq", "depot_id")}
        if left:
            found.append((stop, left.pop(0)))
    return found
