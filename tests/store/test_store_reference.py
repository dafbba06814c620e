"""Reference data: written and read as one, imported table by table, synthetic labels kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from contracts.errors import InputError, NotFoundError, UnknownReferenceError
from contracts.reference import Calendar, Depots
from contracts.settings import StorageSettings
from contracts.world import Reference
from store import Store


def test_reference_data_comes_back_exactly(store: Store, reference: Reference, storage: StorageSettings) -> None:
    """Every table with its order, dtypes, nulls, microseconds and decimals, also for another process."""
    full = dataclasses.replace(
        reference,
        depots=Depots.check(
            pd.DataFrame(
                [("D1", "W1", "网格仓", 30.1, 114.2, "05:00")],
                columns=["depot_id", "warehouse_id", "name", "latitude", "longitude", "opens_at"],
            )
        ),
        calendar=Calendar.check(
            pd.DataFrame(
                {
                    "day": pd.to_datetime(["2026-02-17", "2026-02-18"]),
                    "is_holiday": [True, False],
                    "event": ["春节", None],
                    "temperature_c": [-3.25, None],
                }
            )
        ),
    )
    store.write_reference(full)
    other = Store.open(storage)
    kept = other.reference()
    for name, table in full.tables():
        assert_frame_equal(getattr(kept, name), table)
    assert kept.synthetic == ("lanes", "vehicle_types")
    other.close()


def test_broken_pointers_are_not_written(store: Store, reference: Reference) -> None:
    """A reference with an id that points nowhere is refused whole, and the old one stays."""
    store.write_reference(reference)
    broken = dataclasses.replace(reference, offers=reference.offers.assign(sku_id=["001", "999"]))
    with pytest.raises(UnknownReferenceError, match="999"):
        store.write_reference(broken)
    assert_frame_equal(store.reference().offers, reference.offers)


def test_what_is_missing_is_named(store: Store, reference: Reference) -> None:
    """Without reference data, and with only some of it, all missing required tables are named."""
    with pytest.raises(NotFoundError, match="warehouses, warehouse_zones, communities"):
        store.reference()
    with pytest.raises(InputError, match="no reference table 'goods'"):
        store.import_reference("goods", "x.csv")


def test_a_table_is_merged_by_key(store: Store, reference: Reference, tmp_path: Path) -> None:
    """New rows are added, changed ones replaced in place, the same ones counted; bad rows are kept apart."""
    store.write_reference(reference)
    path = tmp_path / "skus.csv"
    changed = reference.skus.assign(salvage_yuan=[0.5, 21.0])
    rows = pd.concat([changed, changed.head(1).assign(sku_id="003"), changed.head(1).assign(sku_id="4", weight_kg=-1)])
    rows.to_csv(path, index=False)
    report = store.import_reference("skus", path)
    assert (report.rows_new, report.rows_updated, report.rows_unchanged, report.rows_rejected) == (1, 1, 1, 1)
    assert report.reconciliation == (
        "skus.csv: 4 rows read = 3 accepted (1 new, 1 changed, 1 there already) + 1 rejected."
    )
    assert report.failures[["row", "column"]].to_numpy().tolist() == [[5, "weight_kg"]]
    held = store.reference().skus
    assert held["sku_id"].tolist() == ["001", "002", "003"]
    assert held["salvage_yuan"].tolist() == [0.5, 21.0, 0.5]
    again = store.import_reference("skus", path)
    assert (again.rows_new, again.rows_updated, again.rows_unchanged) == (0, 0, 3)


def test_given_rows_replace_generated_ones(store: Store, reference: Reference, tmp_path: Path) -> None:
    """A table that was generated is replaced as a whole by given rows, and loses its label."""
    store.write_reference(reference)
    path = tmp_path / "lanes.csv"
    reference.lanes.assign(yuan_per_kg=0.2).to_csv(path, index=False)
    report = store.import_reference("lanes", path)
    assert report.notes == ("the generated rows of this table were replaced",)
    assert store.reference().synthetic == ("vehicle_types",)
    assert store.reference().lanes["yuan_per_kg"].tolist() == [0.2]


def test_wide_tables_live_in_files(store: Store, reference: Reference, tmp_path: Path) -> None:
    """Listings are merged like the others although they are kept in Parquet."""
    store.write_reference(reference)
    path = tmp_path / "listings.csv"
    more = reference.listings.assign(delivery_date=pd.Timestamp("2026-03-03"))
    more.to_csv(path, index=False)
    assert store.import_reference("listings", path).rows_new == 2
    assert_frame_equal(store.reference().listings, pd.concat([reference.listings, more], ignore_index=True))


def test_rows_that_point_nowhere_are_rejected(store: Store, reference: Reference, tmp_path: Path) -> None:
    """Lost ids go to the failure table and the reference stays readable; before the other tables came all are taken."""
    path = tmp_path / "offers.csv"
    offer = reference.offers.head(1)
    lost = [offer.assign(sku_id="999"), offer.assign(supplier_id="S9"), offer.assign(warehouse_id="W9")]
    pd.concat([offer.assign(unit_price_yuan=4.0), *lost]).to_csv(path, index=False)
    assert store.import_reference("offers", path).rows_new == 4
    store.write_reference(dataclasses.replace(reference, synthetic=("offers",)))
    report = store.import_reference("offers", path)
    assert (report.rows_accepted, report.rows_rejected) == (1, 3)
    assert sorted(report.failures[["row", "rule", "value"]].to_numpy().tolist()) == [
        [3, "unknown sku_id: not in skus", "999"],
        [4, "unknown supplier_id: not in suppliers", "S9"],
        [5, "unknown warehouse_id: not in warehouses", "W9"],
    ]
    assert store.reference().offers["unit_price_yuan"].tolist() == [4.0]
    vans = tmp_path / "vans.csv"
    reference.vehicle_types.assign(base_id="D7").to_csv(vans, index=False)
    report = store.import_reference("vehicle_types", vans)
    assert report.failures["rule"].tolist() == ["unknown base_id: not in warehouses or depots"]
    breaks = tmp_path / "breaks.csv"
    breaks.write_text("supplier_id,sku_id,warehouse_id,from_cases,unit_price_yuan\nS1,002,W1,5,3.0\n", encoding="utf-8")
    assert store.import_reference("price_breaks", breaks).failures["value"].tolist() == ["S1/002/W1"]
    assert_frame_equal(store.reference().vehicle_types, reference.vehicle_types)


def test_a_file_of_lost_rows_leaves_generated_rows(store: Store, reference: Reference, tmp_path: Path) -> None:
    """Where no row of the file is good, a generated table stays as it was, label included."""
    store.write_reference(reference)
    path = tmp_path / "lanes.csv"
    reference.lanes.assign(supplier_id="S9").to_csv(path, index=False)
    assert store.import_reference("lanes", path).notes == ()
    assert_frame_equal(store.reference().lanes, reference.lanes)
    assert "lanes" in store.reference().synthetic
