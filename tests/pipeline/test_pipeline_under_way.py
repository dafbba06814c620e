"""A night under way: what has left stays to the letter, nothing leaves in the past, nothing is promised too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from contracts.errors import InputError
from contracts.reference import Communities, Depots, VehicleTypes
from contracts.settings import Settings
from contracts.world import Reference
from optimize.routing import check
from pipeline.desk import PlanningDesk
from pipeline.joint import Goods, route_input
from pipeline.late import Late, LateOrders
from pipeline.night import drive, sort_goods
from pipeline.on_the_road import aboard_stop, on_the_road
from pipeline.plan import NightPlan
from pipeline.progress import silent
from pipeline.replan import drive_again
from pipeline.revise import Revision, revise
from pipeline.route_papers import write_route_papers
from pipeline.stages import night_of

MINUTE = pd.Timedelta(minutes=1)
TRIP = ["route_id", "trip"]
OPENS = {"C1": "07:00", "C2": "07:00", "C3": "09:00", "C4": "09:00", "C5": "10:30", "C6": "10:30"}


@dataclass(frozen=True)
class Town:
    """A night with small vans that leave one after the other, and what it is revised with."""

    plan: NightPlan
    reference: Reference
    settings: Settings

    def revised(self, as_of: pd.Timestamp, *, plan: NightPlan | None = None, **late: object) -> Revision:
        """Return the plan, or a revision of it, revised as of a moment."""
        changes = Late(**late)  # type: ignore[arg-type]
        return revise(plan or self.plan, self.reference, changes, as_of=as_of, settings=self.settings)

    def moments(self) -> list[pd.Timestamp]:
        """Return a moment while the first van loads, one after it left, and one when half of them have."""
        leaves = sorted(self.plan.trips["departs_at"])
        return [leaves[0] - MINUTE, leaves[0], leaves[len(leaves) // 2] + MINUTE]


def staggered(known: Reference, *, depot: bool) -> Reference:
    """Return the tiny city with windows that open one after the other; with a depot for C1 to C4 if asked."""
    opens = known.communities["community_id"].map(OPENS)
    communities = known.communities.assign(window_start=opens, window_end="13:00")
    van = known.vehicle_types[known.vehicle_types["carries_frozen"]].head(1)
    small = van.assign(count=3, capacity_kg=36.0, max_trips=2, shift_start="03:00", shift_end="14:00")
    vans = [small]
    depots = known.depots
    if depot:
        dock = known.warehouses.rename(columns={"warehouse_id": "depot_id"}).head(1)
        dock = dock.assign(depot_id="D1", name="Dock", warehouse_id="W1", opens_at="03:00", longitude=120.03)
        depots = Depots.check(dock)
        linked = communities["community_id"].isin(["C1", "C2", "C3", "C4"])
        communities["depot_id"] = pd.Series("D1", index=communities.index).where(linked)
        vans.append(small.assign(vehicle_type_id="D1-van", base_id="D1"))
    return replace(
        known,
        depots=depots,
        communities=Communities.check(communities),
        vehicle_types=VehicleTypes.check(pd.concat(vans, ignore_index=True)),
    )


@pytest.fixture(scope="module")
def town_of(desk: PlanningDesk, tomorrow: pd.Timestamp, cutoff_plan: NightPlan) -> Callable[[bool], Town]:
    """Return the builder of such nights, with or without a depot."""
    settings = desk.settings.model_copy(
        update={
            "routing": desk.settings.routing.model_copy(update={"joint_rounds": 0}),
            "solve": desk.settings.solve.model_copy(update={"routing_work": 50, "routing_seconds": 20.0}),
        }
    )
    made: dict[bool, Town] = {}

    def build(depot: bool) -> Town:
        if depot not in made:
            night = desk.night_input(tomorrow, pd.Timestamp(cutoff_plan.summary.as_of).tz_convert("UTC").as_unit("us"))
            other = replace(night, reference=staggered(night.reference, depot=depot))
            goods = Goods(cutoff_plan.allotments, cutoff_plan.arrivals)
            together = drive(other, goods, sort_goods(other, goods, settings, silent), settings, silent)
            waves, routes = together.waves, together.routes
            assert routes.unserved.empty
            reports = {"sorting": waves.report, "routing": routes.report}
            stages = tuple(reports.get(stage.stage, stage) for stage in cutoff_plan.summary.stages)
            plan = replace(
                cutoff_plan,
                summary=cutoff_plan.summary.model_copy(update={"stages": stages}),
                sorting_tasks=waves.tasks,
                wave_loads=waves.waves,
                releases=waves.releases,
                route_stops=routes.stops,
                trips=routes.trips,
                unserved=routes.unserved,
            )
            made[depot] = Town(plan, other.reference, settings)
        return made[depot]

    return build


def rows_of(table: pd.DataFrame, trips: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of some trips in order."""
    mine = table[pd.MultiIndex.from_frame(table[TRIP]).isin(pd.MultiIndex.from_frame(trips[TRIP]))]
    return mine.sort_values([c for c in ("route_id", "trip", "seq") if c in mine], ignore_index=True)


def assert_road_kept(town: Town, before: NightPlan, made: NightPlan, as_of: pd.Timestamp) -> None:
    """Assert that what left is there to the letter, nothing else loads before the moment, vans are enough."""
    gone = before.trips[before.trips["departs_at"] <= as_of]
    for name in ("trips", "route_stops"):
        pd.testing.assert_frame_equal(rows_of(getattr(made, name), gone), rows_of(getattr(before, name), gone))
    loading = pd.Timedelta(minutes=town.settings.routing.loading_minutes)
    others = made.trips[~pd.MultiIndex.from_frame(made.trips[TRIP]).isin(pd.MultiIndex.from_frame(gone[TRIP]))]
    assert (others["departs_at"] - loading >= as_of).all()
    count = town.reference.vehicle_types.set_index("vehicle_type_id")["count"]
    used = made.trips.drop_duplicates("route_id").groupby("vehicle_type_id").size()
    assert (used <= count.reindex(used.index)).all()
    for _, trips in made.trips.sort_values(TRIP).groupby("route_id"):
        assert trips["trip"].tolist() == list(range(1, len(trips) + 1))
        assert (trips["departs_at"].iloc[1:].array - loading >= trips["returns_at"].iloc[:-1].array).all()
    ready = made.releases.set_index("destination_id")["released_at"]
    stops = made.route_stops.merge(made.trips[[*TRIP, "departs_at"]], on=TRIP).dropna(subset="community_id")
    direct = stops[stops["base_id"] == "W1"]
    assert (direct["departs_at"] - loading >= ready.reindex(direct["community_id"]).array).all()
    paid = sum(made.summary.costs_yuan[f"routing.{kind}"] for kind in ("fixed", "distance", "duty"))
    assert made.trips["cost_yuan"].sum() == pytest.approx(paid)


@pytest.mark.parametrize("depot", [False, True], ids=["direct", "depot"])
def test_what_has_left_stays_and_nothing_leaves_in_the_past(town_of: Callable[[bool], Town], depot: bool) -> None:
    """At moments of the morning everybody orders a unit late: road kept, nobody dropped, units given only in time."""
    town = town_of(depot)
    assert town.plan.trips["departs_at"].nunique() >= 3
    asked = town.plan.allotments.drop_duplicates("community_id")[["community_id", "sku_id"]]
    for as_of in town.moments():
        orders = LateOrders.check(asked.assign(units=1.0))
        made = town.revised(as_of, orders=orders).plan
        assert_road_kept(town, town.plan, made, as_of)
        road = on_the_road(town.plan, town.reference, town.settings, as_of=as_of)
        units = [plan.allotments.groupby("community_id")["allotted_units"].sum() for plan in (town.plan, made)]
        for community in road.loaded:
            assert units[0][community] == units[1][community]
        stops = made.route_stops.dropna(subset="community_id")
        assert not stops["community_id"].duplicated().any()
        assert {*stops["community_id"], *made.unserved["destination_id"]} >= set(OPENS)
        brought = stops.set_index("community_id")["units"]
        assert (brought == units[1].reindex(brought.index)).all()
        short = made.allotments["short_units"].sum() - town.plan.allotments["short_units"].sum()
        given = units[1].sum() - units[0].sum()
        assert short + given == len(asked)
        if road.loaded:
            assert any("come too late: the van has left" in said for said in made.summary.warnings)


@pytest.mark.parametrize("depot", [False, True], ids=["direct", "depot"])
def test_the_routes_put_together_hold_as_a_whole(town_of: Callable[[bool], Town], depot: bool) -> None:
    """Nothing changed: what has left and what is driven on pass routing's own check of the whole night, costs too."""
    town = town_of(depot)
    plan = town.plan
    data = route_input(night_of(plan, town.reference), plan.allotments, plan.releases, town.settings)
    for as_of in sorted(plan.trips["departs_at"]):
        road = on_the_road(plan, town.reference, town.settings, as_of=as_of)
        made = drive_again(plan, town.reference, plan.allotments, settings=town.settings, road=road)
        assert check(data, made) == []


def test_a_revision_of_a_revision_keeps_the_road_too(town_of: Callable[[bool], Town], tmp_path: Path) -> None:
    """Revised at those moments in turn, each time one more unit lost or cancelled: what left is never touched."""
    town = town_of(True)
    plan, before = town.plan, town.plan
    for number, as_of in enumerate(town.moments()):
        cancelled = tuple(sorted(set(plan.allotments["community_id"]))[:1]) if number == 1 else ()
        made = town.revised(as_of, plan=plan, cancelled=cancelled).plan
        assert_road_kept(town, before, made, as_of)
        road = on_the_road(plan, town.reference, town.settings, as_of=as_of)
        assert {aboard_stop(name): names for name, names in made.summary.aboard.items()} == road.aboard
        members = [name for names in road.aboard.values() for name in names]
        assert len(members) == len(set(members))
        plan, before = made, made
    write_route_papers(plan, town.reference, tmp_path, settings=town.settings)
    sheets = [pd.read_excel(tmp_path / f"{base}.xlsx", sheet_name="行车单 run sheet") for base in ("W1", "D1")]
    trucks, vans = (sheet[[c for c in sheet if "crates" in str(c)]] for sheet in sheets)
    docked = sheets[0].apply(lambda row: "D1" in set(row), axis=1)
    assert trucks[docked].to_numpy().sum() == vans.to_numpy().sum() > 0


def test_who_cancels_after_the_van_left_keeps_the_stop(town_of: Callable[[bool], Town]) -> None:
    """One community on the road and one that waits cancel: the first keeps its stop and is told why, the other goes."""
    town = town_of(False)
    trips = town.plan.trips.sort_values("departs_at")
    first, last = (rows_of(town.plan.route_stops, trips.iloc[[n]])["community_id"].iloc[0] for n in (0, -1))
    as_of = trips["departs_at"].iloc[0] + MINUTE
    made = town.revised(as_of, cancelled=(first, last)).plan
    served = set(made.route_stops["community_id"])
    assert first in served
    assert last not in served
    assert last not in set(made.allotments["community_id"])
    route = trips["route_id"].iloc[0]
    assert any(f"{first} cancels too late: {route} left at" in said for said in made.summary.warnings)
    assert f"Cancelled: {last}." in made.summary.warnings
    assert_road_kept(town, town.plan, made, as_of)


def test_a_frozen_route_that_cannot_stay_is_named(town_of: Callable[[bool], Town]) -> None:
    """At 12:30 no van that has not left can keep its windows: the frozen route is said to be planned anew."""
    town = town_of(False)
    trips = town.plan.trips.sort_values("departs_at")
    route = trips["route_id"].iloc[-1]
    stuck = replace(
        town.plan, trips=town.plan.trips.assign(departs_at=trips["departs_at"].max() + pd.Timedelta(days=1))
    )
    made = town.revised(trips["returns_at"].max() + pd.Timedelta(hours=2), plan=stuck, frozen=(route,)).plan
    assert any(f"Route {route} was to stay as it is, but" in said for said in made.summary.warnings)
    assert set(made.unserved["destination_id"]) == set(OPENS)
    assert made.unserved["reason"].str.contains("Loaded at once").any()
    assert not made.unserved["reason"].str.contains("yuan set for a stop").any()


def test_late_units_no_wave_can_sort_are_short_and_cancellations_hold(town_of: Callable[[bool], Town]) -> None:
    """After the last wave has begun a late order comes too late and is told; the cancellation beside it is done."""
    town = town_of(False)
    closing = town.plan.wave_loads["ends_at"].max() + pd.Timedelta(hours=1)
    names = town.plan.route_stops.sort_values("arrive_at")["community_id"]
    gone, other = names.iloc[-1], names.iloc[-2]
    sku = town.plan.allotments.loc[town.plan.allotments["community_id"] == other, "sku_id"].iloc[0]
    orders = LateOrders.check(pd.DataFrame({"community_id": [other], "sku_id": [sku], "units": [1.0]}))
    end = max(closing, town.plan.trips["departs_at"].min() - 2 * MINUTE)
    made = town.revised(end, cancelled=(gone,), orders=orders)
    assert gone not in set(made.plan.route_stops["community_id"])
    short = made.plan.allotments.set_index(["community_id", "sku_id"])["short_units"]
    was = town.plan.allotments.set_index(["community_id", "sku_id"])["short_units"]
    assert short[other, sku] == was[other, sku] + 1.0
    assert any("no wave was found" in said for said in made.said)


def test_who_cancelled_while_the_wave_ran_stays_gone(town_of: Callable[[bool], Town]) -> None:
    """Cancelled in a running wave, revised before and after it ends, cancelled once more: no error, never back."""
    town = town_of(False)
    first = town.plan.wave_loads.sort_values("starts_at").iloc[0]
    tasks = town.plan.sorting_tasks
    running = tasks[(tasks["starts_at"] == first["starts_at"])]
    gone = running["destination_id"].iloc[0]
    once = town.revised(first["starts_at"] + 5 * MINUTE, cancelled=(gone,)).plan
    assert gone in set(once.sorting_tasks["destination_id"])
    for as_of, again in ((first["starts_at"] + 10 * MINUTE, (gone,)), (first["ends_at"], ())):
        made = town.revised(as_of, plan=once, cancelled=again, unreported="open")
        assert gone not in set(made.plan.allotments["community_id"])
        assert gone not in set(made.plan.route_stops["community_id"])
        assert made.left.data is None or gone not in set(made.left.data.goods["destination_id"])
        assert gone not in set(made.left.lacking["community_id"])
    with pytest.raises(Exception, match="C99"):
        town.revised(first["ends_at"], plan=once, cancelled=("C99",))


def test_a_truck_nobody_knows_the_goods_of_is_said(town_of: Callable[[bool], Town]) -> None:
    """Goods changed behind the routes' back and several trucks to the depot: refused, with what to do."""
    town = town_of(True)
    trucks = town.plan.route_stops.dropna(subset="depot_id")
    assert len(trucks) >= 2
    odd = replace(town.plan, route_stops=town.plan.route_stops.assign(load_kg=town.plan.route_stops["load_kg"] + 0.25))
    left = town.plan.trips.set_index(TRIP)["departs_at"][tuple(trucks[TRIP].iloc[0])]
    with pytest.raises(InputError, match="D1 gets"):
        on_the_road(odd, town.reference, town.settings, as_of=left)
