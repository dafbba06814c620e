"""The joint night: waves and routes that fit each other, at no more than one after the other costs."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from contracts.settings import Settings
from optimize.sorting import SortingPlan
from pipeline.desk import PlanningDesk
from pipeline.joint import Goods, Together, yuan_of
from pipeline.night import NightInput, drive, share, sort_goods
from pipeline.plan import NightPlan
from pipeline.progress import silent
from pipeline.whole_trips import sorted_whole


def _with(settings: Settings, *, rounds: int, tour_share: float) -> Settings:
    routing = settings.routing.model_copy(update={"joint_rounds": rounds, "tour_share": tour_share})
    return settings.model_copy(update={"routing": routing})


@pytest.fixture(scope="module")
def tight(desk: PlanningDesk, tomorrow: pd.Timestamp, cutoff_plan: NightPlan) -> tuple[NightInput, Goods]:
    """Return the night at the cutoff with windows that close at 08:00: late waves cost vans or communities."""
    night = desk.night_input(tomorrow, pd.Timestamp(cutoff_plan.summary.as_of).tz_convert("UTC").as_unit("us"))
    communities = night.reference.communities.assign(window_start="05:30", window_end="08:00")
    night = replace(night, reference=replace(night.reference, communities=communities))
    allotments = share(night, cutoff_plan.order_book, cutoff_plan.arrivals, desk.settings)
    return night, Goods(allotments, cutoff_plan.arrivals)


def _planned(tight: tuple[NightInput, Goods], settings: Settings) -> tuple[SortingPlan, Together]:
    night, goods = tight
    waves = sort_goods(night, goods, settings, silent)
    return waves, drive(night, goods, waves, settings, silent)


def test_cost_never_rises_and_waves_know_the_routes(desk: PlanningDesk, tight: tuple[NightInput, Goods]) -> None:
    """With a rule of thumb that lets waves end far too late, the rounds save; each round costs at most the one before.

    At the end no trip loads before its goods are sorted (the routing check), no wave is late for its trips.
    """
    first, together = _planned(tight, _with(desk.settings, rounds=3, tour_share=0.0))
    assert list(together.yuan) == sorted(together.yuan, reverse=True)
    assert together.yuan[-1] == pytest.approx(yuan_of(together.waves, together.routes))
    assert together.waves.waves["late_minutes"].max() == 0
    assert first.releases["released_at"].max() >= together.waves.releases["released_at"].max()
    assert together.sentence in together.routes.report.explanation


def test_trips_are_sorted_whole(desk: PlanningDesk, tight: tuple[NightInput, Goods]) -> None:
    """On floors with room for a whole trip, its communities share a wave in every zone, the last stop's slot first."""
    night, goods = tight
    floors = night.reference.warehouse_zones.assign(slots_per_station=12, max_workers=6)
    roomy = replace(night, reference=replace(night.reference, warehouse_zones=floors))
    _, together = _planned((roomy, goods), _with(desk.settings, rounds=2, tour_share=0.5))
    stops = together.routes.stops.dropna(subset="community_id").set_index("community_id")
    tasks = together.waves.tasks.join(stops[["route_id", "trip", "seq"]], on="destination_id")
    zone = ["warehouse_id", "temperature_zone"]
    assert tasks.groupby([*zone, "route_id", "trip"])["wave"].nunique().max() == 1
    seats = tasks.drop_duplicates([*zone, "wave", "station", "slot"]).sort_values([*zone, "wave", "station", "slot"])
    for _, mine in seats.groupby([*zone, "wave", "station", "route_id", "trip"]):
        assert mine["seq"].is_monotonic_decreasing
    trips = together.routes.trips
    assert sorted_whole(together.waves.tasks, together.routes.stops) == (len(trips), len(trips))
    said = f"{len(trips)} of {len(trips)} trips are sorted whole in load order."
    assert said in together.waves.report.explanation
    apart = together.waves.tasks.assign(wave=range(1, len(together.waves.tasks) + 1))
    assert sorted_whole(apart, together.routes.stops)[0] < len(trips)


def test_without_rounds_the_first_pass_is_the_plan(desk: PlanningDesk, tight: tuple[NightInput, Goods]) -> None:
    """joint_rounds = 0: waves as sorted, one cost, nothing said."""
    waves, together = _planned(tight, _with(desk.settings, rounds=0, tour_share=0.5))
    assert together.waves is waves
    assert len(together.yuan) == 1
    assert together.sentence not in together.routes.report.explanation
