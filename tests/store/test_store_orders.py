"""Order imports: bad rows are kept apart with their reason, good ones count once, and the books balance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from contracts.errors import DamagedFileError, EmptyInputError, MissingColumnError, NotFoundError
from contracts.settings import StorageSettings
from contracts.world import Reference
from store import ImportReport, Mapping, Store

HEADER = "order_id,line_no,placed_at,delivery_date,community_id,sku_id,quantity,unit_price_yuan\n"
GOOD = "A1,1,2026-03-01 10:00,2026-03-02,C1,001,3,5.99\n"


def _balanced(report: ImportReport) -> None:
    assert report.rows_read == report.rows_accepted + report.rows_rejected
    assert report.rows_accepted == report.rows_new + report.rows_updated + report.rows_unchanged
    assert report.units_read == pytest.approx(report.units_accepted + report.units_rejected)
    assert report.rules["rows"].sum() == report.rows_rejected
    assert report.rules["units"].sum() == pytest.approx(report.units_rejected)
    assert set(report.failures["row"].unique()).__len__() == report.rows_rejected


def _write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


def test_bad_rows_never_stop_the_good(store: Store, tmp_path: Path) -> None:
    """Each kind of bad row is named by row, column, rule and value; the good rows are in the store."""
    path = _write(
        tmp_path / "orders.csv",
        GOOD,
        "A1,2,2026-03-01 10:00,2026-03-02,C1,001,-2,5.99\n",
        "A2,1,yesterday,2026-03-02,C1,001,1,5.99\n",
        "A3,1,2026-03-01 10:00,2026-03-02,C1,001,3升,5.99\n",
        "A4,1,2026-03-01 10:00,2026-03-02,,001,1,5.99\n",
        "A1,1,2026-03-01 10:00,2026-03-02,C1,001,3,5.99\n",
        "A5,1,2026-03-01 10:00,2026-03-02,C1,001,1,5.99,extra\n",
        "A6,1,2026-03-01 10:00,2026-03-02,C2,002,1.5,0\n",
    )
    report = store.import_orders(path)
    found = {(row, column): rule for row, column, rule, _ in report.failures.itertuples(index=False, name=None)}
    assert found[3, "quantity"].startswith("greater_than(0")
    assert found[4, "placed_at"] == "a date and time"
    assert "measures volume" in found[5, "quantity"]
    assert found[6, "community_id"] == "not null"
    assert found[7, "order_id/line_no"] == "duplicate key"
    assert found[8, "(row)"] == "9 cells, the header names 8"
    assert report.reconciliation == (
        "orders.csv: 8 rows read = 2 accepted (2 new, 0 changed, 0 there already) + 6 rejected; "
        "7.500 units in = 4.500 accepted (4.500 ordered - 0 taken back by cancellation rows) + 3 rejected."
    )
    _balanced(report)
    lines = store.order_lines()
    assert lines["order_id"].tolist() == ["A1", "A6"]
    assert lines["placed_at"][0] == pd.Timestamp("2026-03-01 02:00", tz="UTC")
    assert_frame_equal(store.failures(report.import_id), report.failures)
    assert report.failures_path is not None
    assert report.failures_path.exists()


def test_the_same_file_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    """The second import finds every line there already, and says that it knows the file."""
    path = _write(tmp_path / "orders.csv", GOOD, "A1,2,2026-03-01 10:00,2026-03-02,C2,002,1,29.9\n")
    first, before = store.import_orders(path), store.order_lines()
    again = store.import_orders(path)
    assert (again.rows_new, again.rows_unchanged) == (0, 2)
    assert first.import_id in again.notes[-1]
    assert_frame_equal(store.order_lines(), before)
    assert len(store.imports()) == 2
    _balanced(again)


def test_the_same_key_with_other_content_is_a_conflict(store: Store, tmp_path: Path) -> None:
    """The first line stays, the other one is in the failure table; the rest of the file goes in."""
    store.import_orders(_write(tmp_path / "one.csv", GOOD))
    other = GOOD.replace(",3,5.99", ",4,5.99")
    report = store.import_orders(_write(tmp_path / "two.csv", other, GOOD.replace("A1", "A2")))
    assert report.failures["rule"].tolist() == ["conflict: the same line is there with other content, which stays"]
    assert report.failures["value"].tolist() == ["A1 line 1"]
    assert store.order_lines().set_index("order_id")["quantity"].to_dict() == {"A1": 3.0, "A2": 3.0}
    _balanced(report)


def test_a_conflict_on_another_delivery_date_is_found(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """A key is unique over all dates, not only within its partition."""
    store.add_order_lines(make_lines(1))
    report = store.add_order_lines(make_lines(1, day="2026-03-05"))
    assert (report.rows_new, report.rows_rejected) == (0, 1)


def test_unknown_ids_are_rejected_once_reference_is_known(store: Store, reference: Reference, tmp_path: Path) -> None:
    """Without reference data every id is taken; with it, unknown SKUs and communities are rejected by name."""
    rows = (GOOD, GOOD.replace("A1", "A2").replace("001", "999"), GOOD.replace("A1", "A3").replace("C1", "C9"))
    path = _write(tmp_path / "orders.csv", *rows)
    store.write_reference(reference)
    report = store.import_orders(path)
    assert report.rules["rule"].tolist() == [
        "unknown community_id: not in the reference data",
        "unknown sku_id: not in the reference data",
    ] or set(report.rules["column"]) == {"sku_id", "community_id"}
    assert sorted(report.failures["value"]) == ["999", "C9"]
    _balanced(report)


def test_what_makes_a_whole_file_unusable(store: Store, tmp_path: Path) -> None:
    """A missing column is named with what was found; an empty file and an absent one have their own errors."""
    with pytest.raises(MissingColumnError, match="quantity") as missing:
        store.import_orders(_write(tmp_path / "a.csv", GOOD, header=HEADER.replace("quantity", "weight")))
    assert "weight" in missing.value.found or "order_id" in missing.value.found
    for text in ("", HEADER, "\n\n"):
        (tmp_path / "b.csv").write_text(text, encoding="utf-8")
        with pytest.raises(EmptyInputError, match="no rows"):
            store.import_orders(tmp_path / "b.csv")
    with pytest.raises(NotFoundError, match="nowhere"):
        store.import_orders(tmp_path / "nowhere.csv")
    assert store.order_lines().empty


def test_lines_as_known_at_a_moment(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """Later lines are left out and later cancellations had not happened; spans of dates include both ends."""
    lines = make_lines(3)
    lines.loc[0, "cancelled_at"] = pd.Timestamp("2026-03-01 13:00", tz="UTC")
    store.add_order_lines(lines)
    store.add_order_lines(make_lines(2, day="2026-03-03", order="P"))
    moment = lines["placed_at"][1]
    known = store.order_lines(placed_until=moment)
    assert known["order_id"].tolist() == ["O0", "O1"]
    assert known["cancelled_at"].isna().all()
    day = pd.Timestamp("2026-03-03")
    assert store.order_lines(delivery_from=day, delivery_to=day)["order_id"].tolist() == ["P0", "P1"]
    assert store.order_lines(delivery_to=pd.Timestamp("2026-03-01")).empty
    assert [str(d) for d in store.delivery_days()] == ["2026-03-02", "2026-03-03"]


def test_timestamps_and_money_survive_exactly(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """Microseconds, zones and the last decimal come back as they went in, dtypes included."""
    lines = make_lines(5)
    lines["unit_price_yuan"] = [0.1, 0.0001, 1234567.8901, 5.99, 1 / 3]
    store.add_order_lines(lines)
    assert_frame_equal(store.order_lines(), lines)


def test_a_wrong_mapping_name_is_told(store: Store, tmp_path: Path) -> None:
    """A mapping that points to a header the file does not have names the header."""
    mapping = Mapping.model_validate({"columns": {"sku_id": "Artikel"}})
    with pytest.raises(MissingColumnError, match="Artikel"):
        store.import_orders(_write(tmp_path / "orders.csv", GOOD), mapping)


def test_batches_without_a_good_line(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """An empty batch and one of bad lines only are taken in with true books and change nothing."""
    empty = store.add_order_lines(make_lines(2).head(0))
    assert (empty.rows_read, empty.rows_new) == (0, 0)
    bad = store.add_order_lines(make_lines(2).assign(quantity=-1.0))
    assert (bad.rows_read, bad.rows_rejected, bad.units_rejected) == (2, 2, -2.0)
    assert bad.failures["row"].tolist() == [1, 2]
    assert store.order_lines().empty


def test_many_small_batches_are_one_history(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """Batch after batch, in any order, reads back as if it had come at once."""
    lines = make_lines(40)
    for start in (30, 0, 20, 10):
        store.add_order_lines(lines.iloc[start : start + 10])
    assert_frame_equal(store.order_lines(), lines)


def test_usual_rules_read_the_contracts_own_columns(store: Store, tmp_path: Path) -> None:
    """Delivery dates come from a column named placed_at, and an order is one order whatever blanks stand around it."""
    path = _write(
        tmp_path / "orders.csv",
        "7 ,2026-03-01 10:00,C1,001,3,5.99\n",
        "7,2026-03-01 23:30,C1,002,1,29.9\n",
        header="order_id,placed_at,community_id,sku_id,quantity,unit_price_yuan\n",
    )
    report = store.import_orders(path)
    assert (report.rows_new, report.rows_rejected) == (2, 0)
    lines = store.order_lines()
    assert lines["order_id"].tolist() == ["7", "7"]
    assert lines["line_no"].tolist() == [1, 2]
    assert lines["delivery_date"].dt.strftime("%m-%d").tolist() == ["03-02", "03-03"]


def test_exact_repeats_count_and_are_told(store: Store, tmp_path: Path) -> None:
    """Without line numbers in the file, equal rows are lines of their own, and the report says how many there are."""
    header, row = HEADER.replace("line_no,", ""), GOOD.replace("A1,1,", "A1,")
    bad = row.replace(",3,", ",-3,")
    report = store.import_orders(_write(tmp_path / "orders.csv", row, row, row, bad, bad, header=header))
    assert (report.rows_new, report.rows_rejected) == (3, 2)
    assert "2 rows repeat an earlier row exactly, in every column; each counts as a row of its own" in report.notes
    once = store.import_orders(_write(tmp_path / "once.csv", row.replace("A1", "A2"), header=header))
    assert not any("repeat" in note for note in once.notes)


@pytest.mark.parametrize("quantity", ["1" + "0" * 308, "-1" + "0" * 308, "13812345678"])
def test_quantities_no_order_has_leave_the_books_whole(store: Store, tmp_path: Path, quantity: str) -> None:
    """Two rejected rows whose units no sum can hold count as none, and a note says so; the good row is in."""
    bad = [GOOD.replace("A1", name).replace(",3,5.99", f",{quantity},5.99") for name in ("B1", "B2")]
    report = store.import_orders(_write(tmp_path / "orders.csv", GOOD, *bad))
    assert (report.rows_accepted, report.rows_rejected) == (1, 2)
    assert (report.units_read, report.units_accepted, report.units_rejected) == (3.0, 3.0, 0.0)
    assert any("2 rows have no readable or no plausible quantity" in note for note in report.notes)
    _balanced(report)


def test_the_last_order_may_be_for_any_date(
    store: Store, storage: StorageSettings, make_lines: Callable[..., pd.DataFrame]
) -> None:
    """The latest moment is that of all dates, not of the last one; none without orders; a lost file is told."""
    assert store.last_placed_at() is None
    early = make_lines(2, day="2026-03-20", order="P")
    early["placed_at"] -= pd.Timedelta(days=19)
    late = make_lines(3, day="2026-03-10")
    store.add_order_lines(early)
    store.add_order_lines(late)
    assert store.last_placed_at() == late["placed_at"].max()
    next(storage.history.glob("delivery_date=*/*.parquet")).unlink()
    with pytest.raises(DamagedFileError):
        store.last_placed_at()


def test_an_order_weeks_ahead_opens_no_closed_date(store: Store, make_lines: Callable[..., pd.DataFrame]) -> None:
    """Dates are closed for learning by the last order of all, although the last date has only early orders."""
    from contracts.settings import Settings
    from pipeline.training import closed_days

    ahead = make_lines(1, day="2026-04-20", order="P")
    ahead["placed_at"] -= pd.Timedelta(days=49)
    for lines in (make_lines(2, day="2026-03-02"), make_lines(2, day="2026-03-05", order="Q"), ahead):
        store.add_order_lines(lines)
    assert [str(day) for day in closed_days(store, Settings())] == ["2026-03-02"]
    store.add_order_lines(make_lines(1, day="2026-03-08", order="R"))
    assert [str(day) for day in closed_days(store, Settings())] == ["2026-03-02", "2026-03-05"]
