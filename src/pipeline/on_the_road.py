"""What has left of a plan that is out, and the routing problem that is still open beside it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from pandera.typing import DataFrame

from contracts.planned import Allotments, Releases
from contracts.settings import Settings
from contracts.world import Reference
from optimize.routing import RoutePlan, RoutingData
from optimize.routing.under_way import Road, Stop, carried, departed, still_open
from pipeline.joint import route_input
from pipeline.plan import NightPlan
from pipeline.stages import night_of, routes_of


def on_the_road(plan: NightPlan, reference: Reference, settings: Settings, *, as_of: pd.Timestamp) -> Road:
    """Return the trips of a plan that have left by a moment, and whose goods its trucks carry.

    What had left when the plan was revised has left, whatever the moment. Whose goods a truck carries follows from the
    goods the plan was made with; of trucks that had left when it was revised, the summary says it.

    Raises
    ------
    InputError
        It cannot be told whose goods a truck that has left carries.
    """
    revised = plan.summary.revised_at
    until = as_of if revised is None else max(as_of, pd.Timestamp(revised))
    stops, trips = departed(routes_of(plan), as_of=until)
    told = {aboard_stop(name): tuple(names) for name, names in plan.summary.aboard.items()}
    trucks = stops.dropna(subset="depot_id")
    keys = set(zip(trucks["route_id"], trucks["trip"].astype(int), trucks["seq"].astype(int), strict=True))
    aboard = {stop: names for stop, names in told.items() if stop in keys}
    if keys - set(aboard):
        key = pd.MultiIndex.from_frame(plan.route_stops[["route_id", "trip", "seq"]])
        fresh = plan.route_stops[~key.isin(list(told))]
        waiting = _of(plan.allotments, without=frozenset().union(*told.values()))
        left = pd.MultiIndex.from_frame(fresh[["route_id", "trip"]]).isin(
            pd.MultiIndex.from_frame(trips[["route_id", "trip"]])
        )
        aboard |= carried(_routing(plan, reference, waiting, settings), fresh, left=fresh[left])
    return Road(as_of, stops, trips, aboard)


def aboard_name(stop: Stop) -> str:
    """Return how the summary of a plan names a truck's stop.

    Examples
    --------
    >>> aboard_name(("W1-R001", 1, 2)), aboard_stop("W1-R001/1/2")
    ('W1-R001/1/2', ('W1-R001', 1, 2))
    """
    return "/".join(str(part) for part in stop)


def aboard_stop(name: str) -> Stop:
    """Return the truck's stop a summary names; see `aboard_name`."""
    route, trip, seq = name.rsplit("/", 2)
    return route, int(trip), int(seq)


def open_routes(
    plan: NightPlan, reference: Reference, allotments: DataFrame[Allotments], settings: Settings, road: Road | None
) -> tuple[RoutingData, RoutePlan] | None:
    """Return what routing can still decide of other allotments and the plan's routes that have not left.

    Goods of communities a van is under way to are out of it. Those on a truck that has left are out of the warehouse's
    part; their depot's vans may load when the truck was unloaded. None when nothing is left to drive.
    """
    if road is None:
        return _routing(plan, reference, allotments, settings), routes_of(plan)
    rest = _of(allotments, without=road.delivered)
    if not (rest["allotted_units"] > 0).any():
        return None
    data = _routing(plan, reference, rest, settings)
    if not road.loaded.isdisjoint(rest["community_id"]):
        data = _after_trucks(data, plan, reference, _of(rest, without=road.loaded), settings, road)
    return still_open(data, routes_of(plan), road)


def _after_trucks(
    whole: RoutingData,
    plan: NightPlan,
    reference: Reference,
    waiting: DataFrame[Allotments],
    settings: Settings,
    road: Road,
) -> RoutingData:
    """Return the routing input with the warehouses' part of the goods that no truck has taken yet."""
    ready = road.ready_s(whole)
    depots = []
    for depot in whole.depots:
        release_s = depot.stops.release_s.copy()
        for place, name in enumerate(depot.stops.ids):
            release_s[place] = ready.get(name, release_s[place])
        depots.append(depot.released(release_s))
    stage = _routing(plan, reference, waiting, settings) if (waiting["allotted_units"] > 0).any() else None
    return replace(
        whole,
        warehouses=() if stage is None else stage.warehouses,
        handovers=() if stage is None else stage.handovers,
        depots=tuple(depots),
        brought=ready,
    )


def _of(allotments: pd.DataFrame, *, without: frozenset[str]) -> DataFrame[Allotments]:
    return Allotments.check(allotments[~allotments["community_id"].isin(without)])


def _routing(
    plan: NightPlan, reference: Reference, allotments: DataFrame[Allotments], settings: Settings
) -> RoutingData:
    """Return the routing input of other allotments; a community without a release gets its warehouse's last one.

    Drivers have tonight's sheets, so master routes do not count any more.
    """
    last = plan.releases.groupby("warehouse_id")["released_at"].max()
    key = ["warehouse_id", "destination_id"]
    asked = allotments.loc[allotments["allotted_units"] > 0, ["warehouse_id", "community_id"]].drop_duplicates()
    asked = asked.rename(columns={"community_id": "destination_id"})
    new = asked[~pd.MultiIndex.from_frame(asked).isin(pd.MultiIndex.from_frame(plan.releases[key]))]
    late = new.assign(released_at=new["warehouse_id"].map(last).fillna(last.max()))
    tables: list[pd.DataFrame] = [plan.releases, late]
    released = pd.concat(tables, ignore_index=True)
    return replace(route_input(night_of(plan, reference), allotments, Releases.check(released), settings), master=None)
