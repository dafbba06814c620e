"""Transport before there are routes: a share of a van straight there and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from contracts.planned import StopLoads
from contracts.settings import RoutingSettings, TravelSettings
from optimize.routing import radial_yuan


def test_a_share_of_the_cheapest_able_van_by_hand(town: Callable[..., Any]) -> None:
    """150 kg of a 300 kg van: half of the fixed cost per trip, of the way there and back, of loading."""
    small = town(1)
    loads = [{**small.loads[0], "load_kg": 150.0}]
    reference = small.reference()
    territory = small.but(loads=loads).data().warehouses[0]
    table = radial_yuan(
        reference, StopLoads.check(pd.DataFrame(loads)), travel=TravelSettings(), settings=RoutingSettings()
    )
    metres, seconds = 2 * int(territory.travel.distance_m[0, 1]), 2 * int(territory.travel.duration_s[0, 1])
    by_hand = 0.5 * (120.0 / 2 + 1.5 * metres / 1000.0 + 36.0 * (seconds + 20 * 60) / 3600.0)
    assert table["yuan"].tolist() == pytest.approx([by_hand], rel=1e-3)


def test_a_warehouse_without_an_able_van_has_no_row(town: Callable[..., Any]) -> None:
    """Frozen goods and a van that does not carry them: no row, rather than a cost nobody can drive."""
    small = town(2, carries_frozen=False)
    loads = [{**small.loads[0], "temperature_zone": "frozen"}, small.loads[1]]
    table = radial_yuan(
        small.reference(), StopLoads.check(pd.DataFrame(loads)), travel=TravelSettings(), settings=RoutingSettings()
    )
    assert table["place_id"].tolist() == ["C02"]


def test_a_given_matrix_is_used(town: Callable[..., Any]) -> None:
    """Ways of a travel matrix, different there and back, are added up."""
    small = town(1)
    matrix = [
        {"from_id": "W1", "to_id": "C01", "distance_m": 10_000.0, "duration_s": 1_000.0},
        {"from_id": "C01", "to_id": "W1", "distance_m": 20_000.0, "duration_s": 2_000.0},
    ]
    loads = [{**small.loads[0], "load_kg": 300.0}]
    table = radial_yuan(
        small.but(matrix=matrix).reference(),
        StopLoads.check(pd.DataFrame(loads)),
        travel=TravelSettings(),
        settings=RoutingSettings(loading_minutes=0.0),
    )
    assert table["yuan"].tolist() == pytest.approx([120.0 / 2 + 1.5 * 30.0 + 36.0 * 3000.0 / 3600.0])
