"""Planning again: frozen routes, late stops, cancelled stops, changes of drivers with a price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.solve import SolveLimits
from optimize.routing import check, route
from optimize.routing.duty import Duty
from optimize.routing.replan import moved_stops

COLUMNS = ["route_id", "trip", "seq", "community_id", "arrive_at"]


def test_frozen_routes_stay_and_a_late_stop_comes_in(town: Callable[..., Any], limits: SolveLimits) -> None:
    """With one route frozen and one community added, the frozen one keeps its id, order and times."""
    full = town(12, seed=6, count=4, max_trips=1)
    early = full.but(loads=full.loads[:-1])
    before = route(early.data(), limits=limits)
    frozen = before.stops["route_id"].iloc[0]
    data = full.data()
    after = route(data, limits=limits, previous=before, frozen=[frozen])
    kept = [
        plan.stops.loc[plan.stops["route_id"] == frozen, COLUMNS].reset_index(drop=True) for plan in (before, after)
    ]
    assert kept[0].equals(kept[1])
    assert "C12" in set(after.stops["community_id"])
    assert after.unserved.empty
    assert check(data, after) == []


def test_cancelled_stops_leave_their_route(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Two communities without a load any more are gone; all others stay served."""
    full = town(9, seed=2)
    before = route(full.data(), limits=limits)
    fewer = full.but(loads=full.loads[2:])
    after = route(fewer.data(), limits=limits, previous=before)
    assert set(after.stops["community_id"]) == {row["destination_id"] for row in fewer.loads}


def test_a_high_price_of_change_keeps_every_driver(town: Callable[..., Any], limits: SolveLimits) -> None:
    """At 10,000 yuan a stop nobody's route changes but for the late stop; at 0 the cost is no higher than that."""
    full = town(14, seed=9, count=6, max_trips=1)
    before = route(full.but(loads=full.loads[:-2]).data(), limits=limits.model_copy(update={"work": 20}))
    dear, free = (
        full.but(settings=full.settings.model_copy(update={"moved_stop_yuan": yuan})).data() for yuan in (1e4, 0.0)
    )
    steady, loose = (route(data, limits=limits, previous=before) for data in (dear, free))
    assert steady.costs["moved"] == 0.0
    assert loose.costs["total"] <= steady.costs["total"] + 1e-9
    was = before.stops.set_index("community_id")["route_id"]
    for _, mates in steady.stops.groupby("route_id"):
        assert was.reindex(mates["community_id"]).dropna().nunique() <= 1


def test_goods_that_no_longer_fit_do_not_freeze_a_broken_route(town: Callable[..., Any], limits: SolveLimits) -> None:
    """A frozen route whose goods outgrew its van is planned anew rather than kept against the rules."""
    small = town(6, seed=4, count=5)
    before = route(small.data(), limits=limits)
    heavier = small.but(loads=[{**row, "load_kg": 200.0} for row in small.loads])
    data = heavier.data()
    after = route(data, limits=limits, previous=before, frozen=list(before.stops["route_id"].unique()))
    assert after.unserved.empty
    assert check(data, after) == []


def test_a_stop_beside_frozen_routes_is_told_the_true_reason(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Every van's route is frozen, with room for one stop more: it is the vans that lack, not the price of a stop."""
    full = town(6, seed=3, count=1, max_trips=1, kg=10.0)
    before = route(full.but(loads=full.loads[:-1]).data(), limits=limits)
    data = full.data()
    after = route(data, limits=limits, previous=before, frozen=list(before.stops["route_id"].unique()))
    assert after.unserved["destination_id"].tolist() == ["C06"]
    assert "The only van that could take it is" in after.unserved["reason"].iloc[0]
    assert "One more van of type W1-van" in after.unserved["cure"].iloc[0]
    assert "set for a stop" not in after.unserved["reason"].iloc[0]


def test_a_frozen_route_that_cannot_stay_is_said(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Goods that outgrew the van, every stop cancelled: a sentence for each route."""
    small = town(6, seed=4, count=5)
    before = route(small.data(), limits=limits)
    names = list(before.stops["route_id"].unique())
    heavier = small.but(loads=[{**row, "load_kg": 200.0} for row in small.loads])
    after = route(heavier.data(), limits=limits, previous=before, frozen=names)
    assert all(any(f"Route {name} was to stay" in said for said in after.warnings) for name in names)
    gone = set(before.stops.loc[before.stops["route_id"] == names[0], "community_id"])
    fewer = small.but(loads=[row for row in small.loads if row["destination_id"] not in gone])
    said = route(fewer.data(), limits=limits, previous=before, frozen=names[:1]).warnings if len(names) > 1 else ()
    assert len(names) == 1 or any("none of its stops is left" in sentence for sentence in said)


def test_moved_stops_by_hand() -> None:
    """Stop 3 joins the driver of 1 and 2: one stop moved; renumbered routes alone move nobody."""
    master = [Duty(0, ((1, 2),)), Duty(0, ((3, 4),))]
    assert moved_stops([Duty(0, ((1, 2, 3),)), Duty(0, ((4,),))], master) == [3]
    assert moved_stops(master[::-1], master) == []
    assert moved_stops([Duty(0, ((1, 2, 3, 4),))], master) == pytest.approx([3, 4])
