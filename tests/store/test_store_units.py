"""Numbers with units: every form people write is read exactly, a unit of another kind is refused."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import MappingError
from store.units import NumberReading, read_numbers


def _read(column: str, *cells: object, **how: object) -> tuple[list[float], dict[int, str]]:
    numbers, broken = read_numbers(pd.Series(list(cells)), NumberReading(column, **how))  # type: ignore[arg-type]
    return numbers.tolist(), broken.to_dict()


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("weight_kg", "3斤", 1.5),
        ("weight_kg", "２．５ 公斤", 2.5),
        ("weight_kg", "3两", 0.15),
        ("weight_kg", "5千克", 5.0),
        ("weight_kg", "3kg", 3.0),
        ("weight_kg", "500g", 0.5),
        ("weight_kg", "1.2吨", 1200.0),
        ("volume_l", "750ml", 0.75),
        ("volume_l", "2升", 2.0),
        ("quantity", "1.2万", 12000.0),
        ("quantity", "1,234", 1234.0),
        ("quantity", "１２份", 12.0),
        ("quantity", "3千", 3000.0),
        ("quantity", "2百件", 200.0),
        ("unit_price_yuan", "¥12.50", 12.5),
        ("unit_price_yuan", "￥ 1,280.00元", 1280.0),
        ("unit_price_yuan", "3.5元/份", 3.5),
        ("yuan_per_kg", "0.4元/公斤", 0.4),
        ("min_cases", "5箱", 5.0),
        ("fill_rate", "98%", 0.98),
        ("lead_time_hours", "2天", 48.0),
        ("service_minutes", "1小时", 60.0),
        ("distance_m", "1.5公里", 1500.0),
        ("shelf_life_days", "7天", 7.0),
        ("salvage_yuan", "-0.5", -0.5),
    ],
)
def test_what_people_write_is_read_exactly(column: str, cell: str, value: float) -> None:
    """Units, powers, full-width digits, separators and currency signs."""
    assert _read(column, cell) == ([value], {})


@pytest.mark.parametrize(
    ("column", "cell", "fact"),
    [
        ("weight_kg", "3升", "measures volume"),
        ("quantity", "3斤", "measures mass"),
        ("quantity", "2箱", "measures cases"),
        ("unit_price_yuan", "3元/斤", "not per '斤'"),
        ("quantity", "1,5", "a number"),
        ("quantity", "两三个", "a number"),
        ("quantity", "inf", "a number"),
        ("quantity", "5 furlongs", "unknown"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(column: str, cell: str, fact: str) -> None:
    """A wrong unit never becomes a bare number; a decimal comma is not a thousands separator."""
    numbers, broken = _read(column, "1", cell)
    assert numbers[0] == 1.0
    assert numbers[1] != numbers[1]
    assert fact in broken[1]


def test_goods_sold_by_weight() -> None:
    """With kg as sale unit, 3斤 are 1.5 units; bare numbers are in the header's unit."""
    assert _read("quantity", "3斤", 2, sale_unit="kg", unit="kg") == ([1.5, 2.0], {})
    assert _read("quantity", 3, "1kg", sale_unit="kg", unit="斤") == ([1.5, 1.0], {})


def test_own_units_and_factor() -> None:
    """A mapping may say what a 箱 is, and multiply prices by a rate of exchange."""
    assert _read("quantity", "2箱", "3", units={"箱": 12}) == ([24.0, 3.0], {})
    assert _read("unit_price_yuan", 2.55, "1.10", factor=10.34, decimals=4) == ([26.367, 11.374], {})


def test_an_unfit_unit_of_the_mapping_is_the_mappings_fault() -> None:
    """A column-wide unit of another kind stops before any row is read."""
    with pytest.raises(MappingError, match="measures volume"):
        _read("weight_kg", 1, unit="升")


@settings(deadline=None, max_examples=60)
@given(st.decimals(min_value=0, max_value=99999, places=3))
def test_a_jin_is_half_a_kilogram_without_float_noise(amount: object) -> None:
    """x 斤 equals exactly the decimal x / 2."""
    assert _read("weight_kg", f"{amount}斤")[0] == [float(amount / 2)]  # type: ignore[operator]
