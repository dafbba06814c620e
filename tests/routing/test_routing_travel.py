"""Travel: haversine, given matrices, rounding."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import InputError
from contracts.settings import TravelSettings
from optimize.routing.travel import computed_travel, given_travel, great_circle_m, lopsided, whole_travel


def test_one_degree_of_a_meridian_is_111_km() -> None:
    """A degree of latitude on the mean sphere is 111,195 m."""
    metres = great_circle_m(np.array([30.0, 31.0]), np.array([104.0, 104.0]))
    assert metres[0, 1] == pytest.approx(111_195, abs=1)
    assert metres[0, 0] == 0.0


def test_city_distance_is_great_circle_times_circuity_at_a_speed() -> None:
    """1.35 x great circle at 27 km/h: metres and seconds follow, rounded to whole ones."""
    travel = computed_travel(
        ["a", "b"],
        np.array([30.0, 30.1]),
        np.array([104.0, 104.0]),
        settings=TravelSettings(circuity=1.35, speed_kmh=27.0),
    )
    assert travel.distance_m[0, 1] == round(11_119.5 * 1.35)
    assert travel.duration_s[0, 1] == int(np.ceil(11_119.5 * 1.35 / 7.5))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(29, 31), st.floats(103, 105)), min_size=3, max_size=6))
def test_computed_travel_is_symmetric_and_never_shortened_by_rounding(points: list[tuple[float, float]]) -> None:
    """Both directions agree; seconds are at least the exact ones."""
    latitude, longitude = np.array(points).T
    exact_m = great_circle_m(latitude, longitude) * 1.35
    travel = computed_travel([str(i) for i in range(len(points))], latitude, longitude, settings=TravelSettings())
    assert (travel.distance_m == travel.distance_m.T).all()
    assert (travel.duration_s >= exact_m / (28.0 / 3.6) - 1e-2).all()
    assert np.abs(travel.distance_m - exact_m).max() <= 0.5 + 1e-6


def test_zero_coordinates_are_named() -> None:
    """A place at (0, 0) was never filled in; the error names it."""
    with pytest.raises(InputError, match=r"'b'.*never filled in"):
        computed_travel(["a", "b"], np.array([30.0, 0.0]), np.array([104.0, 0.0]), settings=TravelSettings())


def test_a_missing_direction_raises_and_says_so() -> None:
    """A to B given, B to A not: no distance is invented."""
    rows = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "distance_m": [10.0], "duration_s": [2.0]})
    with pytest.raises(InputError, match=r"b to a.*1 of them have only the way back"):
        given_travel(["a", "b"], rows)


def test_a_given_matrix_is_read_by_name_not_by_order() -> None:
    """Rows in any order give the same travel; a way to itself is zero."""
    rows = pd.DataFrame(
        {"from_id": ["b", "a"], "to_id": ["a", "b"], "distance_m": [20.4, 10.6], "duration_s": [3.0, 2.2]}
    )
    for frame in (rows, rows[::-1]):
        travel = given_travel(["a", "b"], frame)
        assert travel.distance_m.tolist() == [[0, 11], [20, 0]]
        assert travel.duration_s.tolist() == [[0, 3], [3, 0]]


def test_lopsided_pairs_are_named() -> None:
    """A factor of ten over kilometres is shown, a one-way street is not."""
    metres = np.array([[0.0, 80_000.0, 500.0], [8_000.0, 0.0, 5.0], [900.0, 5.0, 0.0]])
    assert lopsided(["a", "b", "c"], whole_travel(metres, metres)) == ["a to b is 80000 m, back 8000 m"]
