"""The tables of a night planned twice: seats are kept, no slot serves two, every unit is where it was put."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock import clock_instant
from contracts.settings import CitySettings
from contracts.solve import SolveLimits
from optimize.sorting import SortingData, SortingPlan, TaskProgress, remaining, sort, whole_night

LIMITS = SolveLimits(seconds=20)
SEAT = ["warehouse_id", "temperature_zone", "wave", "station", "slot"]


def at(clock: str) -> pd.Timestamp:
    city = CitySettings()
    return clock_instant(clock, delivery_date=pd.Timestamp("2026-03-02"), timezone=city.timezone)


def report(tasks: pd.DataFrame, **figures: float) -> pd.DataFrame:
    none = {"sorted_units": 0.0, "short_units": 0.0, "damaged_units": 0.0, "over_units": 0.0}
    return TaskProgress.check(tasks.assign(**{**none, **figures}))


@pytest.fixture(scope="module")
def night(make_data: Callable[..., SortingData]) -> tuple[SortingData, SortingPlan]:
    """Two routes of four stops that were sorted in load order, one station of six slots, five units to spare."""
    goods = [(f"C{i}", "S", 10.0) for i in range(8)]
    routes = pd.DataFrame(
        {"destination_id": [f"C{i}" for i in range(8)], "route_id": ["R1", "R2"] * 4, "seq": [1, 1, 2, 2, 3, 3, 4, 4]}
    )
    lots = [("S", "stock", 85.0, "00:00")]
    roomy = {"stations": 1, "slots_per_station": 6, "max_workers": 5}
    ordered = make_data(goods, arrive=lots, routes=routes, **roomy)
    return make_data(goods, arrive=lots, **roomy), sort(ordered, limits=LIMITS)


@pytest.mark.parametrize("moment", ["00:50", "02:00", "03:00"])
def test_who_keeps_the_wave_keeps_the_slot(night: tuple[SortingData, SortingPlan], moment: str) -> None:
    """Sorted again without routes, nobody changes a seat, and units add up to what there was."""
    data, plan = night
    over = plan.tasks[plan.tasks["ends_at"] <= at(moment)]
    left = remaining(data, plan, report(over, sorted_units=10.0), as_of=at(moment))
    again = None if left.data is None else sort(left.data, limits=LIMITS)
    whole = whole_night(data, plan, left, again)
    assert whole.tasks["units"].sum() == 80.0
    key = [*SEAT, "destination_id"]
    same = whole.tasks.merge(plan.tasks, on=[*SEAT[:3], "destination_id"], suffixes=("", "_was"))
    assert len(same) == len(plan.tasks)
    assert (same[["station", "slot"]].to_numpy() == same[["station_was", "slot_was"]].to_numpy()).all()
    assert not whole.tasks[key].drop_duplicates().duplicated(SEAT).any()
    assert whole.waves["units"].sum() == 80.0


@pytest.mark.parametrize("moment", ["02:30", "03:00"])
def test_nobody_keeps_a_wave_that_is_over(night: tuple[SortingData, SortingPlan], moment: str) -> None:
    """Nothing was sorted in time: all of it moves to later waves, each destination with a seat of its own."""
    data, plan = night
    nothing = report(plan.tasks[plan.tasks["ends_at"] <= at(moment)], sorted_units=0.0)
    left = remaining(data, plan, nothing, as_of=at(moment))
    assert left.data is not None
    whole = whole_night(data, plan, left, sort(left.data, limits=LIMITS))
    assert whole.tasks["units"].sum() == 80.0
    seats = whole.tasks[[*SEAT, "destination_id"]].drop_duplicates()
    assert len(seats) == 8
    assert not seats.duplicated(SEAT).any()


def test_a_late_order_finds_a_slot_of_its_own(night: tuple[SortingData, SortingPlan]) -> None:
    """A ninth destination comes in after the first wave: the others stay, it takes a free slot."""
    data, plan = night
    first = plan.tasks["ends_at"].min()
    over = plan.tasks[plan.tasks["ends_at"] <= first]
    added = pd.DataFrame(
        {
            "warehouse_id": ["W1"],
            "temperature_zone": ["ambient"],
            "destination_id": ["C9"],
            "sku_id": ["S"],
            "units": [4.0],
        }
    )
    left = remaining(data, plan, report(over, sorted_units=10.0), as_of=first, added=added)
    assert left.data is not None
    whole = whole_night(data, plan, left, sort(left.data, limits=LIMITS))
    assert whole.tasks.set_index("destination_id")["units"].to_dict()["C9"] == 4.0
    seats = whole.tasks[[*SEAT, "destination_id"]].drop_duplicates()
    assert not seats.duplicated(SEAT).any()
    was = plan.tasks.set_index("destination_id")[["wave", "station", "slot"]]
    now = seats.set_index("destination_id")[["wave", "station", "slot"]].drop(index="C9")
    kept = now.join(was.add_suffix("_was"))
    kept = kept[kept["wave"] == kept["wave_was"]]
    assert (kept[["station", "slot"]].to_numpy() == kept[["station_was", "slot_was"]].to_numpy()).all()


def test_a_slot_with_goods_of_one_is_not_given_to_another(night: tuple[SortingData, SortingPlan]) -> None:
    """A slot of a later wave was begun early and its community cancelled: whoever is new there gets another slot."""
    data, plan = night
    last = plan.tasks["starts_at"].max()
    begun = plan.tasks[plan.tasks["starts_at"] == last].head(1)
    gone = begun["destination_id"].iloc[0]
    added = begun[["warehouse_id", "temperature_zone", "sku_id"]].assign(destination_id="C9", units=3.0)
    left = remaining(data, plan, report(begun, sorted_units=2.0), as_of=at("00:50"), added=added, gone=[gone])
    assert left.data is not None
    whole = whole_night(data, plan, left, sort(left.data, limits=LIMITS))
    seats = whole.tasks[[*SEAT, "destination_id"]].drop_duplicates()
    assert not seats.duplicated(SEAT).any()
    assert whole.tasks.groupby("destination_id")["units"].sum()[gone] == 2.0
    assert whole.tasks["units"].sum() == 70.0 + 3.0 + 2.0


@settings(deadline=None, max_examples=8)
@given(told=st.data(), moment=st.sampled_from(["00:50", "02:00", "02:30", "03:00"]))
def test_units_are_conserved_whatever_is_reported(
    night: tuple[SortingData, SortingPlan], told: st.DataObject, moment: str
) -> None:
    """Random progress, a cancellation, a late order: every unit is sorted, planned, gone or missing, none twice.

    Sorted and planned units per destination are what it was allotted and ordered late, less what is missing; goods
    that came less what was wasted suffice for them; slots serve one destination each.
    """
    data, plan = night
    tasks, as_of = plan.tasks, at(moment)
    draw = told.draw
    figures = []
    for _ in range(len(tasks)):
        done = draw(st.integers(0, 10))
        short = draw(st.integers(0, 10 - done))
        figures.append((float(done), float(short), float(draw(st.integers(0, 10 - done - short)))))
    rows = tasks.assign(over_units=0.0)
    rows[["sorted_units", "short_units", "damaged_units"]] = figures
    ended = tasks["ends_at"] <= as_of
    progress = TaskProgress.check(rows[ended & draw(st.booleans())])
    gone = draw(st.lists(st.sampled_from([f"C{i}" for i in range(8)]), max_size=2, unique=True))
    late = float(draw(st.integers(1, 20)))
    added = tasks.head(1)[["warehouse_id", "temperature_zone", "sku_id"]].assign(destination_id="C9", units=late)
    left = remaining(data, plan, progress, as_of=as_of, added=added, gone=gone)
    again = None if left.data is None else sort(left.data, limits=LIMITS)
    if again is not None and not again.report.status.has_plan:
        assert again.report.explanation
        return
    whole = whole_night(data, plan, left, again)
    seats = whole.tasks[[*SEAT, "destination_id"]].drop_duplicates()
    assert not seats.duplicated(SEAT).any()
    put = whole.tasks.groupby("destination_id")["units"].sum()
    missing = left.lacking.set_index("community_id")["short_units"]
    for name in [f"C{i}" for i in range(8)] + ["C9"]:
        asked = late if name == "C9" else 10.0
        if name not in gone:
            assert put.get(name, 0.0) + missing.get(name, 0.0) == pytest.approx(asked)
    wasted = progress["short_units"].sum() + progress["damaged_units"].sum()
    assert left.usable["units"].sum() == pytest.approx(85.0 - wasted)
    assert whole.tasks["units"].sum() <= left.usable["units"].sum() + 1e-6
