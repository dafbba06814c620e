"""The supply side: it can carry the demand, earns money, and fits around an existing history."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.clock import clock_minutes
from contracts.errors import EmptyInputError, InputError
from contracts.flow import OrderLines
from contracts.world import REFERENCE_TABLES, World
from simulate import SupplySettings, planning_date, supply_for_history, write_world
from simulate.supply_settings import HistorySettings


@pytest.fixture(scope="module")
def nights(town: World) -> pd.DataFrame:
    """True units per night, warehouse and SKU with the SKU's measures."""
    truth = town.true_demand.merge(town.reference.communities[["community_id", "warehouse_id"]], on="community_id")
    sums = truth.groupby(["delivery_date", "warehouse_id", "sku_id"], as_index=False)["units"].sum()
    return sums.merge(town.reference.skus, on="sku_id")


def test_offers_cover_a_peak_night(town: World, nights: pd.DataFrame) -> None:
    """The offers of each SKU x warehouse together deliver its 99 % night after fill rates."""
    peak = nights.groupby(["warehouse_id", "sku_id"])["units"].quantile(0.99)
    offers = town.reference.offers.merge(town.reference.suppliers, on="supplier_id")
    can = offers["max_cases"] * offers["case_units"] * offers["fill_rate"]
    cover = can.groupby([offers["warehouse_id"], offers["sku_id"]]).sum()
    assert (cover.reindex(peak.index) >= peak).all()


def test_each_sku_has_two_to_four_offers_and_one_at_the_cutoff(town: World) -> None:
    """Somebody can still be asked for every SKU at 23:00; packs and limits are as announced."""
    offers = town.reference.offers.merge(town.reference.suppliers, on="supplier_id")
    by_need = offers.groupby(["sku_id", "warehouse_id"])
    assert by_need.size().between(2, 4).all()
    late = offers["order_deadline"].map(clock_minutes) >= clock_minutes("23:00-1")
    assert late.groupby([offers["sku_id"], offers["warehouse_id"]]).any().all()
    assert offers["case_units"].between(1, 24).all()
    assert 0.15 < (offers["min_cases"] > 0).mean() < 0.35
    assert set(offers["discount_kind"]) == {"all_units", "incremental"}
    assert set(town.reference.suppliers["order_deadline"]) >= {"18:00-1", "23:30-1"}


def test_buying_pays_and_scrapping_does_not(town: World) -> None:
    """Goods cost less than they sell for, breaks go down, and salvage stays below any discounted price."""
    r = town.reference
    price = r.listings.groupby("sku_id")["price_yuan"].mean()
    cost = r.offers["unit_price_yuan"] / r.offers["sku_id"].map(price)
    assert cost.max() < 0.95
    assert cost.mean() < 0.75
    breaks = r.price_breaks.merge(r.offers, on=["supplier_id", "sku_id", "warehouse_id"], suffixes=("", "_first"))
    assert (breaks["unit_price_yuan"] < breaks["unit_price_yuan_first"]).all()
    assert (breaks["from_cases"] <= breaks["max_cases"]).all()
    steps = breaks.sort_values("from_cases").groupby(["supplier_id", "sku_id", "warehouse_id"])["unit_price_yuan"]
    assert (steps.diff().dropna() < 0).all()
    lowest = pd.concat([r.offers, r.price_breaks]).groupby("sku_id")["unit_price_yuan"].min() * 0.96
    assert (r.skus.set_index("sku_id")["salvage_yuan"] < lowest).all()


def test_docks_bind_on_peak_nights_only(town: World, nights: pd.DataFrame) -> None:
    """A zone takes in its demand on nearly every night, but not on the very highest."""
    zones = nights.groupby(["delivery_date", "warehouse_id", "temperature_zone"], as_index=False)["units"].sum()
    zones = zones.merge(town.reference.warehouse_zones, on=["warehouse_id", "temperature_zone"])
    over = zones["units"] > zones["inbound_capacity_units"]
    assert 0 < over.mean() < 0.05
    assert not over[zones["delivery_date"] == planning_date(town)].any()


def test_floors_can_sort_a_peak_night(town: World, nights: pd.DataFrame) -> None:
    """From the last arrival to closing, the people that fit a zone sort its 99 % night."""
    latest = town.reference.lanes["arrives_at"].map(clock_minutes).max()
    zones = nights.groupby(["delivery_date", "warehouse_id", "temperature_zone"])["units"].sum()
    peak = zones.groupby(["warehouse_id", "temperature_zone"]).quantile(0.99).rename("peak").reset_index()
    floor = town.reference.warehouse_zones.merge(peak)
    hours = (floor["closes_at"].map(clock_minutes) - latest) / 60.0
    assert (hours >= 2).all()
    open_hours = (floor["closes_at"].map(clock_minutes) - floor["opens_at"].map(clock_minutes)) / 60.0
    assert (floor["max_workers"] * floor["units_per_worker_hour"] * open_hours >= floor["peak"]).all()
    stops = town.reference.communities.groupby("warehouse_id").size()
    slots = floor["stations"] * floor["slots_per_station"] * 4
    assert (slots >= floor["warehouse_id"].map(stops)).all()


def test_cold_vans_carry_the_peak_day(town: World, nights: pd.DataFrame) -> None:
    """The vans that may carry frozen goods take the heaviest and the bulkiest day of each warehouse."""
    vans = town.reference.vehicle_types[town.reference.vehicle_types["carries_frozen"]]
    for measure, capacity in (("weight_kg", "capacity_kg"), ("volume_l", "capacity_l")):
        load = (nights["units"] * nights[measure]).groupby([nights["warehouse_id"], nights["delivery_date"]]).sum()
        can = (vans["count"] * vans[capacity] * vans["max_trips"]).groupby(vans["base_id"]).sum()
        assert (load.groupby("warehouse_id").max() <= can).all()


def test_stock_is_deliverable(town: World) -> None:
    """No lot expires before the planning date, and there are lots on hand and due in."""
    stock = town.reference.stock
    assert (stock["expires_on"] >= planning_date(town)).all()
    assert (stock["on_hand"] > 0).any()
    assert (stock["due_in"] > 0).any()


def test_history_gets_a_full_supply_side(small_history: pd.DataFrame) -> None:
    """Ids are the history's, every table is labelled, and offers cover the busiest night."""
    reference = supply_for_history(small_history)
    assert reference.communities["community_id"].tolist() == ["C1", "C2", "C3"]
    assert reference.skus["sku_id"].tolist() == ["S1", "S2", "S3", "S4"]
    assert set(reference.synthetic) == {name for name, table in reference.tables() if len(table)}
    assert {"calendar", "stock"}.isdisjoint(reference.synthetic)
    cover = (reference.offers["max_cases"] * reference.offers["case_units"]).groupby(reference.offers["sku_id"]).sum()
    busiest = small_history.groupby(["delivery_date", "sku_id"])["quantity"].sum().groupby("sku_id").max()
    assert (cover >= busiest).all()
    cost = reference.offers.groupby("sku_id")["unit_price_yuan"].max()
    assert (cost < small_history.groupby("sku_id")["unit_price_yuan"].median()).all()


def test_history_is_listed_between_its_sales(small_history: pd.DataFrame) -> None:
    """S1 is listed on all twenty days; S4, sold on the first and the last day only, not in between."""
    short = SupplySettings(history=HistorySettings(listing_gap_days=5))
    listings = supply_for_history(small_history, settings=short).listings
    days = listings.groupby("sku_id")["delivery_date"].agg(["size", "min", "max"])
    assert days.loc["S1", "size"] == 20
    assert days.loc["S4", "size"] == 2
    long = supply_for_history(small_history).listings
    assert (long["sku_id"] == "S4").sum() == 20
    assert set(long.loc[long["sku_id"] == "S2", "price_yuan"]) == {10.0}


def test_history_is_seeded_and_cold_goods_can_be_asked_for(small_history: pd.DataFrame) -> None:
    """The same seed gives the same supply; a share of cold SKUs is a setting."""
    first, again = supply_for_history(small_history, seed=3), supply_for_history(small_history, seed=3)
    for (_, one), (_, two) in zip(first.tables(), again.tables(), strict=True):
        pd.testing.assert_frame_equal(one, two)
    cold = SupplySettings(history=HistorySettings(cold_shares=(0.5, 0.5)))
    zones = supply_for_history(small_history, settings=cold).skus["temperature_zone"]
    assert "ambient" not in set(zones)


def test_history_needs_orders(small_history: pd.DataFrame) -> None:
    """Nothing ordered, or everything cancelled, is refused in words."""
    with pytest.raises(EmptyInputError, match="no order lines"):
        supply_for_history(OrderLines.empty())
    with pytest.raises(EmptyInputError, match="cancelled"):
        supply_for_history(small_history.assign(cancelled_at=small_history["placed_at"]))


@pytest.mark.slow
def test_a_long_tail_history_fits() -> None:
    """Four thousand SKUs sold to a hundred communities get their supply side in seconds."""
    rng = np.random.default_rng(0)
    n = 60_000
    day = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 60, n), unit="D")
    lines = pd.DataFrame(
        {
            "order_id": [f"O{i}" for i in range(n)],
            "line_no": 1,
            "placed_at": day.tz_localize("UTC") - pd.Timedelta(hours=12),
            "delivery_date": day,
            "community_id": [f"C{i}" for i in rng.integers(0, 100, n)],
            "sku_id": [f"S{i}" for i in np.minimum(3999, (rng.pareto(0.6, n) * 20).astype(int))],
            "quantity": np.ceil(rng.pareto(1.2, n) * 4),
            "unit_price_yuan": rng.choice([0.0, 0.42, 1.25, 9.95], n),
            "cancelled_at": pd.NaT,
        }
    )
    reference = supply_for_history(lines)
    assert len(reference.communities) == 100
    assert set(reference.offers["sku_id"]) == set(lines["sku_id"])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_written_world_reads_back(tiny: World, tmp_path, kind: str) -> None:
    """One file per contract; read through the contracts the tables are the same."""
    folder = write_world(tiny, tmp_path / "tiny", format=kind)
    names = {path.stem for path in folder.iterdir()}
    assert names == {*REFERENCE_TABLES, "order_lines", "true_demand", "arrival_curve", "synthetic"}
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    for name, table in tiny.reference.tables():
        back = REFERENCE_TABLES[name].check(read(folder / f"{name}.{kind}"))
        pd.testing.assert_frame_equal(back, table)
    orders = OrderLines.check(read(folder / f"order_lines.{kind}"))
    pd.testing.assert_frame_equal(orders, tiny.order_lines)


def test_write_refuses_unknown_formats(tiny: World, tmp_path) -> None:
    """Only CSV and Parquet are written."""
    with pytest.raises(InputError, match="'xml'"):
        write_world(tiny, tmp_path, format="xml")
