"""Reference rows that hold for some delivery dates only: what a plan of a date sees, what is refused, what is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from pandas.testing import assert_frame_equal

from contracts.errors import ConflictError, InputError, NotFoundError
from contracts.reference import PriceBreaks
from contracts.settings import StorageSettings
from contracts.world import REFERENCE_TABLES, Reference
from store import Store
from store.database import Database

SUNDAY, MONDAY, WEDNESDAY, THURSDAY = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 5)


def given(store: Store, path: Path, rows: pd.DataFrame, table: str) -> list[list[object]]:
    """Import rows and return the failures as row, column and rule."""
    rows.to_csv(path, index=False)
    return store.import_reference(table, path).failures[["row", "column", "rule"]].to_numpy().tolist()


def test_a_price_from_monday_on(store: Store, reference: Reference, tmp_path: Path) -> None:
    """The old price holds until Sunday, the new one from Monday; everything else of the reference is as it was."""
    store.write_reference(reference)
    dearer = reference.offers.head(1).assign(unit_price_yuan=4.5, valid_from="2026-03-02")
    assert given(store, tmp_path / "o.csv", dearer, "offers") == []
    assert_frame_equal(store.reference(SUNDAY).offers, reference.offers)
    assert store.reference(MONDAY).offers["unit_price_yuan"].tolist() == [4.5, 22.1]
    for name, table in reference.tables():
        if name != "offers":
            assert_frame_equal(getattr(store.reference(MONDAY), name), table)
    rows = store.reference_rows("offers")
    assert rows["valid_from"].notna().tolist() == [False, False, True]
    assert store.reference_sets()["offers"].rows == 3


def test_an_edited_table_and_a_dated_row_are_the_same_on_the_date(
    store: Store, reference: Reference, tmp_path: Path
) -> None:
    """For every table: what holds on a date is what the table would be had it been changed by hand that day."""
    breaks = pd.DataFrame({"supplier_id": ["S1"], "sku_id": ["001"], "warehouse_id": ["W1"], "from_cases": [5]})
    full = dataclasses.replace(reference, price_breaks=PriceBreaks.check(breaks.assign(unit_price_yuan=3.0)))
    store.write_reference(dataclasses.replace(full, synthetic=()))
    for name, table in full.tables():
        column = next((c for c in table.columns if table[c].dtype == "float64" and c not in table_key(name)), None)
        if table.empty or column is None or name == "listings":
            continue
        changed = table.head(1).assign(**{column: table[column].head(1).fillna(1.0) * 0.5})
        path = tmp_path / f"{name}.csv"
        assert given(store, path, changed.assign(valid_from="2026-03-02", valid_until="2026-03-04"), name) == []
        edited = pd.concat([changed, table.iloc[1:]], ignore_index=True)
        for on, wanted in ((SUNDAY, table), (MONDAY, edited), (WEDNESDAY, edited), (THURSDAY, table)):
            assert_frame_equal(store.reference_table(name, on), wanted)
        sheet = tmp_path / f"{name}-export.csv"
        store.reference_rows(name).to_csv(sheet, index=False)
        again = store.import_reference(name, sheet)
        assert (again.rows_unchanged, again.rows_rejected) == (len(table) + 1, 0)


def table_key(name: str) -> tuple[str, ...]:
    """Return the key columns of a table."""
    return REFERENCE_TABLES[name].key()


def test_a_supplier_that_leaves_takes_its_offers_along(store: Store, reference: Reference, tmp_path: Path) -> None:
    """Its row is given an end: until then all is there, then offers, lanes and rebates are gone; it may come back."""
    store.write_reference(reference)
    ends = reference.suppliers.assign(valid_until="2026-03-01")
    assert given(store, tmp_path / "s.csv", ends, "suppliers") == []
    assert store.reference_sets()["suppliers"].rows == 1
    assert_frame_equal(store.reference(SUNDAY).offers, reference.offers)
    gone = store.reference(MONDAY)
    assert (len(gone.suppliers), len(gone.offers), len(gone.lanes)) == (0, 0, 0)
    assert given(store, tmp_path / "t.csv", reference.suppliers.assign(valid_from="2026-03-05"), "suppliers") == []
    assert len(store.reference(WEDNESDAY).offers) == 0
    assert_frame_equal(store.reference(THURSDAY).offers, reference.offers)


def test_goods_and_places_never_vanish(store: Store, reference: Reference, tmp_path: Path) -> None:
    """Orders and history point to a SKU that ended: it is there as it was last."""
    store.write_reference(reference)
    given(store, tmp_path / "s.csv", reference.skus.assign(weight_kg=9.0, valid_until="2026-03-01"), "skus")
    assert store.reference(THURSDAY).skus["weight_kg"].tolist() == [9.0, 9.0]


def test_bad_dates_are_named_by_row(store: Store, reference: Reference, tmp_path: Path) -> None:
    """An end before the start, rows that overlap in the file or with what is there, text that is no date."""
    store.write_reference(reference)
    offer = reference.offers.head(1)
    spans = [("2026-03-02", "2026-03-04"), ("2026-03-04", "2026-03-08"), ("2026-03-09", "2026-03-08"), ("soon", "")]
    rows = [offer.assign(valid_from=start, valid_until=end) for start, end in spans]
    found = given(store, tmp_path / "o.csv", pd.concat(rows), "offers")
    assert [(row, column) for row, column, _ in found] == [(3, "valid_until"), (4, "(row)"), (5, "valid_from")]
    assert found[0][2] == "overlaps the row that holds from 2026-03-02 until 2026-03-04"
    late = offer.assign(valid_from="2026-03-03", valid_until="2026-03-20")
    assert [row for row, _, _ in given(store, tmp_path / "p.csv", late, "offers")] == [2]
    assert store.reference_sets()["offers"].rows == 3
    longer = offer.assign(valid_from="2026-03-02", valid_until="2026-03-20")
    assert given(store, tmp_path / "q.csv", longer, "offers") == []


def test_listings_have_their_date_already(store: Store, reference: Reference, tmp_path: Path) -> None:
    """Validity of a row that is kept by delivery date is refused, not dropped."""
    store.write_reference(reference)
    with pytest.raises(InputError, match="a date of their own"):
        given(store, tmp_path / "l.csv", reference.listings.assign(valid_from="2026-03-02"), "listings")


def test_one_row_is_removed(store: Store, reference: Reference, make_lines: Callable[..., pd.DataFrame]) -> None:
    """By key and date; never one that other rows or order lines point to."""
    store.write_reference(reference)
    with pytest.raises(ConflictError, match="2 of offers, 1 of lanes"):
        store.remove_reference("suppliers", ["S1"])
    with pytest.raises(NotFoundError):
        store.remove_reference("offers", ["S1", "001", "W1"], valid_from=MONDAY)
    with pytest.raises(NotFoundError):
        store.remove_reference("offers", ["S1"])
    assert store.remove_reference("offers", ["S1", "001", "W1"])["sku_id"].tolist() == ["001"]
    assert store.reference().offers["sku_id"].tolist() == ["002"]
    store.add_order_lines(make_lines())
    with pytest.raises(ConflictError, match="Order lines point to 001"):
        store.remove_reference("skus", ["001"])


def test_changes_from_two_sides_are_both_kept(
    store: Store, reference: Reference, storage: StorageSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody changes the table between reading and writing: the import looks again instead of undoing it."""
    store.write_reference(reference)
    other, read = Store.open(storage), store._reference_intake.rows.sets
    raced = []

    def sets() -> object:
        found = read()
        if not raced:
            raced.append(True)
            given(other, tmp_path / "b.csv", reference.offers.tail(1).assign(unit_price_yuan=23.0), "offers")
        return found

    monkeypatch.setattr(type(store._reference_intake.rows), "sets", lambda self: sets() if not raced else read())
    given(store, tmp_path / "a.csv", reference.offers.head(1).assign(unit_price_yuan=4.0), "offers")
    assert store.reference().offers["unit_price_yuan"].tolist() == [4.0, 23.0]
    other.close()


def test_replacing_all_forgets_the_dated_rows(store: Store, reference: Reference, tmp_path: Path) -> None:
    """A world that is taken in is the whole of it."""
    store.write_reference(reference)
    given(store, tmp_path / "o.csv", reference.offers.head(1).assign(valid_from="2026-03-02"), "offers")
    store.write_reference(reference)
    assert_frame_equal(store.reference(MONDAY).offers, reference.offers)


def test_reference_data_of_an_older_schema_holds_always(
    store: Store, reference: Reference, storage: StorageSettings, tmp_path: Path
) -> None:
    """Down to the schema before and up again: undated rows are as they were, dated ones are gone."""
    store.write_reference(reference)
    given(store, tmp_path / "o.csv", reference.offers.head(1).assign(valid_from="2026-03-02"), "offers")
    database = Database.open(storage.url)
    database.migrate("0003")
    assert "dated_rows" not in sa.inspect(database.engine).get_table_names()
    database.migrate("head")
    database.close()
    assert_frame_equal(store.reference(MONDAY).offers, reference.offers)
