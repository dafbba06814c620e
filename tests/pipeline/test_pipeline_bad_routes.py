"""Bad input of the vans, through the whole night: named, explained, nothing dropped, and the papers still come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from contracts.errors import ContractError, InputError
from contracts.reference import Communities, Depots, TravelMatrix, VehicleTypes
from contracts.world import Reference, World
from optimize.routing import RoutePlan
from pipeline.artefacts import write_artefacts
from pipeline.desk import PlanningDesk
from pipeline.joint import Goods
from pipeline.night import NightInput, drive, forecast_demand, sort_goods
from pipeline.osrm_file import places_to_ask
from pipeline.plan import NightPlan
from pipeline.premises import check_ways
from pipeline.progress import silent

Change = Callable[[Reference], Reference]


@pytest.fixture(scope="module")
def night(desk: PlanningDesk, tomorrow: pd.Timestamp, cutoff_plan: NightPlan) -> NightInput:
    """Return the input of the night at the cutoff."""
    return desk.night_input(tomorrow, pd.Timestamp(cutoff_plan.summary.as_of).tz_convert("UTC").as_unit("us"))


@pytest.fixture(scope="module")
def driven(desk: PlanningDesk, night: NightInput, cutoff_plan: NightPlan) -> Callable[[Change], RoutePlan]:
    """Return how the night's goods are driven when the reference data are changed."""
    goods = Goods(cutoff_plan.allotments, cutoff_plan.arrivals)
    settings = desk.settings.model_copy(
        update={"routing": desk.settings.routing.model_copy(update={"joint_rounds": 1})}
    )

    def drive_with(change: Change) -> RoutePlan:
        other = replace(night, reference=change(night.reference))
        return drive(other, goods, sort_goods(other, goods, settings, silent), settings, silent).routes

    return drive_with


def vans(**columns: object) -> Change:
    """Return a change of every van."""
    return lambda known: replace(known, vehicle_types=VehicleTypes.check(known.vehicle_types.assign(**columns)))


def one_depot(known: Reference) -> Reference:
    """Return the city with C1 and C2 behind a depot that has no vans."""
    depot = known.warehouses.rename(columns={"warehouse_id": "depot_id"}).head(1)
    depots = Depots.check(depot.assign(depot_id="D1", name="Dock", warehouse_id="W1", opens_at="03:00"))
    linked = known.communities["community_id"].isin(["C1", "C2"])
    communities = known.communities.assign(depot_id=pd.Series("D1", index=known.communities.index).where(linked))
    return replace(known, depots=depots, communities=Communities.check(communities))


def heavy(known: Reference) -> Reference:
    """Return the city with goods of twenty kilograms a unit."""
    return replace(known, skus=known.skus.assign(weight_kg=20.0))


@pytest.mark.parametrize(
    ("change", "fact", "cure"),
    [
        (vans(carries_frozen=False), "frozen", "van"),
        (heavy, "exceeds every van", "divided|less"),
        (one_depot, "D1 has no vans", "Give D1 a van"),
        (vans(count=1, max_trips=1, capacity_kg=25.0), "out|full|room", "van|longer"),
        (vans(shift_start="06:00", shift_end="06:40"), "shift|hours|minutes", "shift|longer|earlier"),
        (lambda known: replace(known, vehicle_types=VehicleTypes.empty()), "W1 has no vans", "Give W1 a van"),
    ],
    ids=["no van for frozen", "heavier than any van", "depot without vans", "too few", "too few hours", "none"],
)
def test_nobody_is_dropped(
    desk: PlanningDesk,
    cutoff_plan: NightPlan,
    driven: Callable[[Change], RoutePlan],
    change: Change,
    fact: str,
    cure: str,
    tmp_path: Path,
    night: NightInput,
) -> None:
    """Every community is on a route or listed with a reason and a cure; the night's papers are written all the same."""
    routes = driven(change)
    asked = set(cutoff_plan.allotments.loc[cutoff_plan.allotments["allotted_units"] > 0, "community_id"])
    served = set(routes.stops["community_id"].dropna())
    listed = routes.unserved.set_index("destination_id")
    assert served | set(listed.index) >= asked
    assert not served & set(listed.index)
    assert len(listed) > 0
    assert listed["reason"].str.contains(fact).any(), listed["reason"].tolist()
    assert listed["cure"].str.contains(cure).any(), listed["cure"].tolist()
    assert (listed["reason"].str.len() > 10).all()
    plan = replace(cutoff_plan, route_stops=routes.stops, trips=routes.trips, unserved=routes.unserved)
    if routes.trips.empty:
        return
    paths = write_artefacts(plan, change(night.reference), tmp_path, settings=desk.settings)
    assert (tmp_path / "tables" / "unserved.csv") in paths


def test_a_place_that_was_never_put_on_a_map_stops_the_night_before_it_costs_time(
    desk: PlanningDesk, night: NightInput
) -> None:
    """Zero coordinates are named first; a community nobody orders from may wait."""
    known = night.reference
    lost = known.communities["community_id"] == "C1"
    nowhere = known.communities.assign(
        latitude=known.communities["latitude"].mask(lost, 0.0), longitude=known.communities["longitude"].mask(lost, 0.0)
    )
    other = replace(night, reference=replace(known, communities=nowhere))
    with pytest.raises(InputError, match="'C1'"):
        forecast_demand(other, desk.settings, silent)
    quiet = replace(
        other,
        history=other.history[other.history["community_id"] != "C1"],
        order_lines=other.order_lines[other.order_lines["community_id"] != "C1"],
    )
    assert len(forecast_demand(quiet, desk.settings, silent))


@pytest.mark.parametrize("two_ways", [True, False])
def test_a_travel_matrix_is_taken_as_given_or_refused(
    driven: Callable[[Change], RoutePlan], tiny: World, two_ways: bool
) -> None:
    """A lopsided pair is told and kept; a pair with one direction only is named."""
    places = places_to_ask(tiny.reference)["place_id"].tolist()
    rows = [(a, b, 3000.0, 400.0) for a in places for b in places if a != b]
    table = pd.DataFrame(rows, columns=["from_id", "to_id", "distance_m", "duration_s"])
    pair = (table["from_id"] == places[1]) & (table["to_id"] == places[2])
    table.loc[pair, "distance_m"] = 30_000.0
    matrix = TravelMatrix.check(table if two_ways else table[~pair])
    if two_ways:
        routes = driven(lambda known: replace(known, travel_matrix=matrix))
        assert any(f"{places[1]} to {places[2]} is 30000 m" in sentence for sentence in routes.warnings)
    else:
        with pytest.raises(InputError, match=f"{places[1]} to {places[2]}.*only the way back"):
            driven(lambda known: replace(known, travel_matrix=matrix))


@pytest.mark.parametrize(
    ("lost", "refused"), [(("C1", "C2"), True), (("D1", "C3"), True), (("C1", "C3"), False), (("C3", "C9"), False)]
)
def test_ways_that_no_matrix_holds_stop_the_night_before_it_costs_time(
    desk: PlanningDesk, night: NightInput, lost: tuple[str, str], refused: bool
) -> None:
    """Only ways a van could drive count: between places of one base, and places somebody orders from."""
    known = one_depot(night.reference)
    third = known.communities["community_id"] == "C3"
    communities = known.communities.assign(warehouse_id=known.communities["warehouse_id"].mask(third, "W1"))
    known = replace(known, communities=Communities.check(communities))
    places = [*known.warehouses["warehouse_id"], "D1", *known.communities["community_id"]]
    ways = [(a, b, 3000.0, 400.0) for a in places for b in places if a != b and (a, b) != lost]
    matrix = TravelMatrix.check(pd.DataFrame(ways, columns=["from_id", "to_id", "distance_m", "duration_s"]))
    other = replace(night, reference=replace(known, travel_matrix=matrix))
    if refused:
        with pytest.raises(InputError, match=f"lacks '{lost[0]} to {lost[1]}'"):
            check_ways(other, desk.settings)
    else:
        check_ways(other, desk.settings)


def test_ways_of_a_closed_community_are_not_missed(desk: PlanningDesk, night: NightInput) -> None:
    """It ordered last week and is gone, from the matrix too; one that opens tonight must be in it."""
    known, day = night.reference, night.delivery_date
    places = [*known.warehouses["warehouse_id"], *known.communities["community_id"].drop(0)]
    gone = known.communities["community_id"].iloc[0]
    ways = [(a, b, 3000.0, 400.0) for a in places for b in places if a != b]
    matrix = TravelMatrix.check(pd.DataFrame(ways, columns=["from_id", "to_id", "distance_m", "duration_s"]))
    silent_now = night.order_lines[night.order_lines["community_id"] != gone]
    history = night.history[night.history["community_id"] != gone]

    def city(**columns: pd.Timestamp) -> NightInput:
        communities = known.communities.copy()
        for name, moment in columns.items():
            communities.loc[0, name] = moment
        other = replace(known, communities=Communities.check(communities), travel_matrix=matrix)
        return replace(night, reference=other, order_lines=silent_now)

    check_ways(city(closed_on=day - pd.Timedelta(days=1)), desk.settings)
    with pytest.raises(InputError, match=f"{gone}"):
        check_ways(city(), desk.settings)
    with pytest.raises(InputError, match=f"{gone}"):
        check_ways(replace(city(opened_on=day), history=history), desk.settings)


def test_a_window_that_closes_before_it_opens_is_refused_at_the_door(tiny: World) -> None:
    """The contract names the row; nothing of it reaches the vans."""
    with pytest.raises(ContractError, match="opens before it closes"):
        Communities.check(tiny.reference.communities.assign(window_start="12:00", window_end="07:00"))
