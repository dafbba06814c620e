"""The shape of each preset, and what can be checked by hand in the tiny world."""

from __future__ import annotations

import time
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from contracts.errors import EmptyInputError, SettingsError
from contracts.flow import OrderLines
from contracts.planned import ArrivalCurve, TrueDemand
from contracts.world import REFERENCE_TABLES, World
from simulate import PRESETS, build_world, planning_date
from simulate.settings import SizeSettings, WorldSettings
from simulate.supply_settings import OfferSettings, SupplySettings


def test_tiny_has_the_shape_it_promises(tiny: World) -> None:
    """Six communities, five SKUs, two suppliers, one warehouse, two vans, sixty days."""
    r = tiny.reference
    assert [len(t) for t in (r.communities, r.skus, r.suppliers, r.warehouses)] == [6, 5, 2, 1]
    assert r.vehicle_types["count"].sum() == 2
    assert tiny.order_lines["delivery_date"].nunique() == 60


def test_tiny_can_be_checked_by_hand(tiny: World) -> None:
    """Prices, distances and case packs are the round numbers written in the module."""
    r = tiny.reference
    offer = r.offers.set_index(["supplier_id", "sku_id"]).loc[("V1", "S1")]
    assert (offer["case_units"], offer["unit_price_yuan"]) == (10, 2.0)
    shown = r.listings[r.listings["sku_id"] == "S5"]
    assert set(shown["list_price_yuan"]) == {30.0}
    assert set(shown["price_yuan"]) <= {30.0, 24.0}
    kilometres = (r.communities["longitude"] - 120.0) * 111.2 * 3**0.5 / 2
    assert kilometres.round(1).tolist() == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    assert len(tiny.true_demand) == 60 * 6 * 5
    assert len(r.offers) == 7


def test_tiny_night_is_small(tiny: World) -> None:
    """A night of the tiny world is about 72 lines, and two vans carry it."""
    lines = tiny.order_lines.groupby("delivery_date").size()
    assert 55 < lines.mean() < 90
    kg = tiny.order_lines.merge(tiny.reference.skus, on="sku_id").eval("quantity * weight_kg")
    night = kg.groupby(tiny.order_lines["delivery_date"]).sum()
    assert night.max() < (tiny.reference.vehicle_types["capacity_kg"]).sum()


def test_town_has_the_shape_it_promises(town: World) -> None:
    """Sixty communities, 120 SKUs in three zones, 12 suppliers, 2 warehouses, 180 days with one day of rest."""
    r = town.reference
    assert [len(t) for t in (r.communities, r.skus, r.suppliers, r.warehouses)] == [60, 120, 12, 2]
    assert r.skus["temperature_zone"].nunique() == 3
    days = town.order_lines["delivery_date"].unique()
    assert len(days) == 179
    assert pd.Timestamp("2026-02-17") not in days
    assert planning_date(town) == pd.Timestamp(date(2026, 4, 22))
    assert set(r.warehouses["warehouse_id"]) == set(r.communities["warehouse_id"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["city", "city_direct"])
def test_city_has_the_shape_it_promises(name: str) -> None:
    """A city evening has about 300,000 lines; one day of it is made in seconds and holds the truth of that day."""
    started = time.perf_counter()
    world = build_world(PRESETS[name].model_copy(update={"days": 1}))
    assert time.perf_counter() - started < 30
    r = world.reference
    assert [len(t) for t in (r.communities, r.skus, r.suppliers, r.warehouses)] == [4000, 1500, 120, 3]
    assert len(r.depots) == (40 if name == "city" else 0)
    assert 180_000 < len(world.order_lines) < 450_000
    assert world.true_demand["delivery_date"].unique().tolist() == [planning_date(world)]
    assert set(r.vehicle_types["base_id"]) >= set(r.communities["depot_id" if name == "city" else "warehouse_id"])


@pytest.mark.parametrize("name", ["tiny", "town"])
def test_every_world_passes_every_contract(name: str, request: pytest.FixtureRequest) -> None:
    """Tables come out of their contracts unchanged, ids point somewhere, and all of them are labelled synthetic."""
    world: World = request.getfixturevalue(name)
    for table_name, table in world.reference.tables():
        pd.testing.assert_frame_equal(REFERENCE_TABLES[table_name].check(table), table)
        assert (table_name in world.reference.synthetic) == (len(table) > 0)
    assert len(OrderLines.check(world.order_lines)) == len(world.order_lines)
    assert len(TrueDemand.check(world.true_demand)) == len(world.true_demand)
    assert len(ArrivalCurve.check(world.arrival_curve)) == len(world.arrival_curve)
    assert world.reference.check() is world.reference


@given(
    communities=st.integers(1, 8),
    skus=st.integers(1, 15),
    warehouses=st.integers(1, 3),
    depots=st.integers(0, 3),
    areas=st.integers(1, 3),
    days=st.integers(1, 20),
    suppliers=st.integers(1, 4),
    seed=st.integers(0, 50),
)
@settings(deadline=None, max_examples=8)
def test_any_small_size_is_a_sound_world(
    communities: int, skus: int, warehouses: int, depots: int, areas: int, days: int, suppliers: int, seed: int
) -> None:
    """Whatever the sizes, the world is self-consistent; only a world without any order is refused."""
    size = SizeSettings(communities=communities, skus=skus, warehouses=warehouses, depots=depots, areas=areas)
    supply = SupplySettings(offers=OfferSettings(suppliers=suppliers))
    try:
        world = build_world(WorldSettings(days=days, size=size, supply=supply), seed=seed)
    except EmptyInputError:
        return
    assert world.reference.check() is world.reference
    assert set(world.order_lines["sku_id"]) <= set(world.reference.skus["sku_id"])
    assert set(world.reference.offers["sku_id"]) == set(world.reference.skus["sku_id"])


def test_unknown_preset_is_refused() -> None:
    """The error names the worlds there are."""
    with pytest.raises(SettingsError, match=r"'village'.*tiny, town, city"):
        build_world("village")


def test_orders_must_come_on_the_day_before() -> None:
    """A cutoff after midnight of the delivery date has no place on the arrival curve."""
    with pytest.raises(ValueError, match="day before delivery"):
        WorldSettings.model_validate({"city": {"cutoff": "01:00"}})


def test_every_setting_has_unit_and_reason() -> None:
    """Each field of each section says its unit and why its default is what it is."""
    open_sections, seen = [WorldSettings()], 0
    while open_sections:
        section = open_sections.pop()
        for name, field in type(section).model_fields.items():
            value = getattr(section, name)
            parts = value if isinstance(value, tuple) else (value,)
            nested = [part for part in parts if isinstance(part, BaseModel)]
            open_sections += nested
            extra = field.json_schema_extra or {}
            assert nested or (field.description and extra.get("unit")), f"{type(section).__name__}.{name}"
            seen += 1
    assert seen > 100
