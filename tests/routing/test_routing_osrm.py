"""OSRM tables as travel matrices."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InputError
from optimize.routing.osrm import travel_matrix
from optimize.routing.travel import given_travel

ANSWER: dict[str, Any] = {
    "code": "Ok",
    "distances": [[0, 900.4, 5], [950, 0, 6], [7, 8, 0]],
    "durations": [[0, 80.5, 1], [90, 0, 2], [3, 4, 0]],
}


def test_a_table_becomes_the_travel_of_its_places() -> None:
    """Both directions of each pair arrive; seconds are rounded up, metres to the nearest."""
    travel = given_travel(["C1", "W1"], travel_matrix(ANSWER, ["W1", "C1", "C2"]))
    assert travel.distance_m.tolist() == [[0, 950], [900, 0]]
    assert travel.duration_s.tolist() == [[0, 90], [81, 0]]


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"distances": None}, "no 'distances'"),
        ({"durations": [[0, 1], [1, 0]]}, "expected 3 x 3"),
        ({"durations": [[0, None, 1], [90, 0, 2], [3, 4, 0]]}, "no way for 'W1 to C1'"),
    ],
)
def test_a_broken_table_says_what_is_wrong(change: dict[str, Any], fact: str) -> None:
    """Absent numbers, another size and unreachable pairs are named."""
    with pytest.raises(InputError, match=fact):
        travel_matrix({**ANSWER, **change}, ["W1", "C1", "C2"])
