"""The solver-free check: true plans pass, every kind of tampering is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from contracts.solve import SolveLimits
from optimize.routing import RoutePlan, check, route


def _planned(town: Callable[..., Any], limits: SolveLimits, **van: Any) -> tuple[Any, RoutePlan]:
    data = town(6, seed=4, **van).data()
    return data, route(data, limits=limits)


def _stops(plan: RoutePlan, column: str, value: Any, row: int = 0) -> RoutePlan:
    stops = plan.stops.copy()
    stops.loc[row, column] = value
    return replace(plan, stops=stops)


def _trips(plan: RoutePlan, column: str, value: Any) -> RoutePlan:
    trips = plan.trips.copy()
    trips.loc[0, column] = value
    return replace(plan, trips=trips)


def test_a_plan_that_holds_has_no_findings(town: Callable[..., Any], limits: SolveLimits) -> None:
    """What `route` returns passes."""
    data, plan = _planned(town, limits)
    assert check(data, plan) == []


MINUTE = pd.Timedelta(minutes=1)


@pytest.mark.parametrize(
    ("tamper", "finding"),
    [
        (lambda p: replace(p, stops=p.stops.drop(index=0).reset_index(drop=True)), "neither served nor listed"),
        (lambda p: _stops(p, "arrive_at", p.stops.loc[0, "arrive_at"] - MINUTE), "cannot be at"),
        (lambda p: _stops(p, "depart_at", p.stops.loc[0, "depart_at"] - MINUTE), "cannot leave"),
        (lambda p: _stops(p, "load_kg", 1.0), "gets other goods"),
        (lambda p: _stops(p, "community_id", p.stops.loc[1, "community_id"]), "comes twice"),
        (lambda p: _stops(p, "distance_m", 1.0), "the leg to"),
        (lambda p: _trips(p, "returns_at", p.trips.loc[0, "returns_at"] - MINUTE), "cannot be back"),
        (lambda p: _trips(p, "load_kg", 1.0), "it says 1.00"),
        (lambda p: _trips(p, "distance_m", 1.0), "it says 1"),
        (lambda p: _trips(p, "cost_yuan", 1.0), "its trips say"),
        (lambda p: _trips(p, "vehicle_type_id", "bicycle"), "not by one van type"),
        (lambda p: replace(p, costs={**p.costs, "distance": 0.0}), "by the tables, the plan says"),
        (lambda p: replace(p, costs={**p.costs, "total": 0.0}), "do not sum"),
    ],
)
def test_tampering_is_found(
    tamper: Callable[[RoutePlan], RoutePlan], finding: str, town: Callable[..., Any], limits: SolveLimits
) -> None:
    """A changed cell or a lost row is named in a sentence."""
    data, plan = _planned(town, limits)
    assert any(finding in sentence for sentence in check(data, tamper(plan)))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"capacity_kg": 61.0}, "kg, the van takes 61.00"),
        ({"capacity_l": 149.0}, "l, the van takes 149.00"),
        ({"carries_frozen": False}, "frozen goods in a van"),
        ({"shift_end": "07:10"}, "after the shift ends"),
        ({"shift_start": "06:55"}, "before its van is there"),
        ({"max_trips": 1, "count": 1}, "at most 1 allowed"),
    ],
)
def test_a_plan_made_for_better_vans_is_refused(
    change: dict[str, Any], finding: str, town: Callable[..., Any], limits: SolveLimits
) -> None:
    """The same tables against data with a smaller van, a shorter shift or fewer trips: the broken rule is named."""
    small = town(6, seed=4, count=1)
    frozen = small.but(loads=[{**small.loads[0], "temperature_zone": "frozen"}, *small.loads[1:]])
    plan = route(frozen.data(), limits=limits)
    worse = frozen.but(vans=[{**frozen.vans[0], **change}])
    assert any(finding in sentence for sentence in check(worse.data(), plan))


def test_late_release_and_window_are_found(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Goods sorted an hour later, a window closed at 07:01: both break the plan made before."""
    small = town(6, seed=4)
    plan = route(small.data(), limits=limits)
    later = small.but(releases=[{**row, "released_at": "07:30"} for row in small.releases])
    assert any("before its goods are sorted" in sentence for sentence in check(later.data(), plan))
    shut = small.but(communities=[{**row, "window_end": "07:01"} for row in small.communities])
    assert any("after its window" in sentence for sentence in check(shut.data(), plan))
