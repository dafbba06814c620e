"""World directories: what is read is what was written, and what is missing or wrong is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from contracts.errors import ContractError, CorruptFileError, InputError, NotFoundError, UnknownReferenceError
from contracts.world import Reference
from store import read_reference, read_world


def test_a_directory_reads_back_exactly(
    world_directory: Path, reference: Reference, make_lines: Callable[..., pd.DataFrame]
) -> None:
    """Ids keep their zeros, money its decimals, instants their microseconds; synthetic labels stay."""
    world = read_world(world_directory)
    for name, table in reference.tables():
        assert_frame_equal(getattr(world.reference, name), table)
    assert_frame_equal(world.order_lines, make_lines(6))
    assert world.reference.synthetic == ("lanes", "vehicle_types")


def test_order_lines_read_the_same_from_csv(world_directory: Path, make_lines: Callable[..., pd.DataFrame]) -> None:
    """CSV and Parquet give the same order lines, cancelled ones included."""
    lines = make_lines(6)
    lines.loc[2, "cancelled_at"] = pd.Timestamp("2026-03-01 15:00:00.000001", tz="UTC")
    (world_directory / "order_lines.parquet").unlink()
    lines.to_csv(world_directory / "order_lines.csv", index=False)
    assert_frame_equal(read_world(world_directory).order_lines, lines)


def test_absent_optional_tables_are_empty(world_directory: Path) -> None:
    """Depots, stock, calendar and the truth may be absent."""
    world = read_world(world_directory)
    assert len(world.reference.depots) == len(world.reference.stock) == len(world.true_demand) == 0
    assert list(world.reference.stock.columns) == ["warehouse_id", "sku_id", "on_hand", "due_in", "expires_on"]


def test_missing_required_tables_are_all_named(world_directory: Path) -> None:
    """One error names every missing required table."""
    (world_directory / "offers.csv").unlink()
    (world_directory / "lanes.csv").unlink()
    with pytest.raises(NotFoundError, match=r"offers, lanes"):
        read_reference(world_directory)


def test_missing_order_lines_and_directory(world_directory: Path) -> None:
    """A world without orders, and no directory at all, are told apart from an empty one."""
    (world_directory / "order_lines.parquet").unlink()
    with pytest.raises(NotFoundError, match="order_lines"):
        read_world(world_directory)
    with pytest.raises(NotFoundError, match="directory"):
        read_world(world_directory / "nowhere")


def test_a_table_twice_is_refused(world_directory: Path) -> None:
    """CSV and Parquet of the same table leave no way to know which one is meant."""
    pd.read_csv(world_directory / "skus.csv").to_parquet(world_directory / "skus.parquet")
    with pytest.raises(InputError, match="twice"):
        read_world(world_directory)


def test_bad_rows_and_pointers_are_named(world_directory: Path) -> None:
    """A negative price names its column; an offer of an unknown SKU names the SKU."""
    saved = world_directory / "offers.csv"
    text = saved.read_text(encoding="utf-8")
    saved.write_text(text.replace("3.3333", "-1"), encoding="utf-8")
    with pytest.raises(ContractError, match="unit_price_yuan"):
        read_world(world_directory)
    saved.write_text(text.replace("S1,001", "S1,999"), encoding="utf-8")
    with pytest.raises(UnknownReferenceError, match="'999'"):
        read_world(world_directory)


def test_a_cut_off_parquet_file_is_named(world_directory: Path) -> None:
    """Half a Parquet file is corrupt, not short."""
    path = world_directory / "order_lines.parquet"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CorruptFileError, match=r"order_lines\.parquet"):
        read_world(world_directory)


def test_an_empty_file_is_not_an_empty_table(world_directory: Path) -> None:
    """A file of zero bytes is a mistake; a header without rows is an empty table."""
    (world_directory / "stock.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="empty"):
        read_world(world_directory)
    (world_directory / "stock.csv").write_text("warehouse_id,sku_id,on_hand,due_in,expires_on\n", encoding="utf-8")
    assert read_world(world_directory).reference.stock.empty
    shutil.rmtree(world_directory)


def test_rows_for_some_dates_are_no_world(world_directory: Path) -> None:
    """A table with dates of validity is refused rather than read as if it always held; empty columns are nothing."""
    offers = pd.read_csv(world_directory / "offers.csv", dtype=str)
    offers.assign(valid_from="", valid_until="").to_csv(world_directory / "offers.csv", index=False)
    read_world(world_directory)
    offers.assign(valid_from="2026-03-02").to_csv(world_directory / "offers.csv", index=False)
    with pytest.raises(InputError, match=r"import reference offers offers\.csv"):
        read_world(world_directory)
