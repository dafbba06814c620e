"""Clock times, money and solve words against hand-computed values."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import clock_instant, clock_minutes, clock_text, minutes_from_midnight
from contracts.money import line_amounts, round_yuan
from contracts.solve import SolveStatus, relative_gap


@given(st.integers(-3 * 1440, 3 * 1440))
def test_clock_text_and_minutes_are_inverse(minutes: int) -> None:
    """Any minute of the nights around can be written and read."""
    assert clock_minutes(clock_text(minutes)) == minutes


@pytest.mark.parametrize("text", ["24:00", "7:00", "07:60", "07:00-0", "", "noon"])
def test_what_is_no_clock_time_is_refused(text: str) -> None:
    """Half-right times are not guessed."""
    with pytest.raises(ValueError, match="is not a clock time"):
        clock_minutes(text)


def test_a_change_of_clocks_keeps_wall_time_and_shortens_the_night() -> None:
    """Europe/London springs forward on 2011-03-27: 06:00 stays 06:00, the night is an hour shorter."""
    day = date(2011, 3, 27)
    six = clock_instant("06:00", delivery_date=day, timezone="Europe/London")
    assert six == pd.Timestamp("2011-03-27 05:00", tz="UTC")
    assert minutes_from_midnight(six, delivery_date=day, timezone="Europe/London") == 300


def test_money_is_rounded_half_up_as_on_paper() -> None:
    """1.005 is stored below 1.005 and still rounds up; the total is the sum of rounded lines."""
    assert round_yuan(1.005) == 1.01
    assert line_amounts([3, 1, 7], [0.335, 2.675, 1.0]).tolist() == [1.01, 2.68, 7.0]


@given(st.integers(0, 10_000), st.integers(0, 10_000_000))
def test_a_line_amount_is_within_half_a_fen(units: int, price_in_tenths_of_fen: int) -> None:
    """Rounding moves an amount by at most 0.005 yuan."""
    price = price_in_tenths_of_fen / 1000
    assert abs(line_amounts([units], [price])[0] - units * price) <= 0.005 + 1e-6


def test_only_two_statuses_have_a_plan() -> None:
    """Nothing is read from an infeasible or unanswered stage."""
    assert [s for s in SolveStatus if s.has_plan] == [SolveStatus.PROVED, SolveStatus.FEASIBLE]


def test_a_gap_is_never_negative_and_unknown_without_a_bound() -> None:
    """A bound a hair above the cost is float noise, no negative gap."""
    assert relative_gap(100.0, 100.0000001) == 0.0
    assert relative_gap(100.0, None) is None
