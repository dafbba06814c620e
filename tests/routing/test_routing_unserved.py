"""Stops that cannot be served: named with the rule that forbids it, and cures that really cure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from contracts.solve import SolveLimits, SolveStatus
from optimize.routing import RoutePlan, route


def _only_row(plan: RoutePlan) -> dict[str, Any]:
    assert len(plan.unserved) == 1
    return dict(plan.unserved.iloc[0])


def test_a_stop_heavier_than_any_van_is_named_with_what_is_too_much(
    town: Callable[..., Any], limits: SolveLimits
) -> None:
    """450 kg for vans of 300 kg: reason in kg, cure in kg and parts; with that much less it is served."""
    small = town(4)
    heavy = [{**row, "load_kg": 450.0 if i == 2 else row["load_kg"]} for i, row in enumerate(small.loads)]
    row = _only_row(route(small.but(loads=heavy).data(), limits=limits))
    assert row["destination_id"] == "C03"
    assert "450.0 kg" in row["reason"]
    assert "150.0 kg less" in row["cure"]
    assert "2 stops" in row["cure"]
    lighter = [{**row, "load_kg": 300.0 if i == 2 else row["load_kg"]} for i, row in enumerate(small.loads)]
    assert route(small.but(loads=lighter).data(), limits=limits).unserved.empty


def test_no_van_for_frozen_goods(town: Callable[..., Any], limits: SolveLimits) -> None:
    """The missing capability is named; a van that has it serves the stop at no more than the cure's price."""
    small = town(4, carries_frozen=False)
    frozen = [{**row, "temperature_zone": "frozen" if i == 0 else "ambient"} for i, row in enumerate(small.loads)]
    plan = route(small.but(loads=frozen).data(), limits=limits)
    row = _only_row(plan)
    assert "frozen" in row["reason"]
    cold = {**small.vans[0], "vehicle_type_id": "W1-cold", "carries_frozen": True, "count": 1}
    cured = route(small.but(loads=frozen, vans=[*small.vans, cold]).data(), limits=limits)
    assert cured.unserved.empty
    extra = cured.costs["total"] - (plan.costs["total"] - plan.costs["unserved"])
    assert extra <= row["cure_yuan"] + 0.01


def test_goods_sorted_too_late_and_so_many_minutes_earlier_cures(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Released at 12:30 for a window until 12:00; released N minutes earlier, as the cure says, it is served."""
    small = town(3, count=3)
    late = [{**row, "released_at": "12:30" if i == 1 else "05:00"} for i, row in enumerate(small.releases)]
    row = _only_row(route(small.but(releases=late).data(), limits=limits))
    found = re.search(r"Goods sorted (\d+) minutes earlier", row["cure"])
    assert found is not None
    minutes = 12 * 60 + 30 - int(found[1])
    cured = [
        {**row, "released_at": f"{minutes // 60:02d}:{minutes % 60:02d}" if i == 1 else "05:00"}
        for i, row in enumerate(small.releases)
    ]
    assert route(small.but(releases=cured).data(), limits=limits).unserved.empty
    minutes += 2
    not_cured = [
        {**row, "released_at": f"{minutes // 60:02d}:{minutes % 60:02d}" if i == 1 else "05:00"}
        for i, row in enumerate(small.releases)
    ]
    assert len(route(small.but(releases=not_cured).data(), limits=limits).unserved) == 1


def test_a_shift_that_ends_too_early_names_its_end(town: Callable[..., Any], limits: SolveLimits) -> None:
    """A shift that ends at 07:05 can bring no stop whose window opens at 07:00 and return."""
    plan = route(town(2, shift_end="07:05").data(), limits=limits)
    assert set(plan.unserved["destination_id"]) == {"C01", "C02"}
    assert plan.unserved["reason"].str.contains("after its shift ends").all()
    assert plan.unserved["cure"].str.contains("ends [0-9]+ minutes later").all()
    assert plan.report.status is SolveStatus.INFEASIBLE


def test_more_demand_than_hours_offers_another_van(town: Callable[..., Any], limits: SolveLimits) -> None:
    """One van with one trip for twelve full stops: with one more van per cure, fewer stops are left out."""
    small = town(8, count=1, max_trips=1, kg=100.0)
    plan = route(small.data(), limits=limits)
    assert len(plan.unserved) >= 3
    assert plan.unserved["cure"].str.contains("One more van of type W1-van").all()
    more = route(small.but(vans=[{**small.vans[0], "count": 2}]).data(), limits=limits)
    assert len(more.unserved) < len(plan.unserved)


def test_a_base_without_vans_is_named(town: Callable[..., Any], limits: SolveLimits) -> None:
    """Nothing is dropped: every community of the base is listed with the reason."""
    small = town(3)
    plan = route(small.but(vans=[]).data(), limits=limits)
    assert len(plan.unserved) == 3
    assert (plan.unserved["reason"] == "W1 has no vans.").all()


def test_a_stop_dearer_than_the_price_of_leaving_it_out_says_so(town: Callable[..., Any], limits: SolveLimits) -> None:
    """With unserved_yuan at 30 no stop is worth a van; the cure names the setting."""
    small = town(2)
    plan = route(small.but(settings=small.settings.model_copy(update={"unserved_yuan": 30.0})).data(), limits=limits)
    assert len(plan.unserved) == 2
    assert plan.unserved["cure"].str.contains("routing.unserved_yuan").all()
    assert plan.costs["total"] == pytest.approx(60.0)
