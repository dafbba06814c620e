"""What is printed: nothing lost between the plan and the paper, and files that readers accept."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

import pandas as pd
import pytest

from contracts.errors import EmptyInputError
from contracts.flow import OrderLines
from contracts.planned import Allotments
from contracts.solve import SolveLimits
from contracts.world import Reference
from optimize.sorting import SortingData, SortingPlan, sort
from optimize.sorting.papers import (
    hand_out,
    hand_out_pdf,
    label_pdf,
    parcel_list,
    shortage_notices,
    slot_labels,
    station_grid,
    station_pages,
    station_sheet_pdf,
)
from optimize.sorting.papers.pdf import Pdf


@pytest.fixture(scope="module")
def reference(make_reference: Callable[..., Reference]) -> Reference:
    """Three communities, two SKUs, one of them called in Chinese."""
    made = make_reference(["C1", "C2", "C3"], {"A": "ambient", "B": "ambient"})
    made.skus["name"] = ["青菜 (500 g)", "Milk"]
    return made


@pytest.fixture(scope="module")
def plan(make_data: Callable[..., SortingData]) -> SortingPlan:
    """All three in one wave."""
    goods = [("C1", "A", 3.0), ("C1", "B", 1.0), ("C2", "A", 2.0), ("C3", "B", 0.5)]
    return sort(make_data(goods, closes_at="02:00"), limits=SolveLimits(seconds=20))


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    """C1: order 1 wants 2 A, order 2 wants 2 A and 1 B, order 3 was cancelled."""
    rows = [("O1", 1, "A", 2.0, 10, None), ("O2", 1, "A", 2.0, 11, None), ("O2", 2, "B", 1.0, 11, None)]
    rows.append(("O3", 1, "A", 9.0, 9, pd.Timestamp("2026-03-01 12:00", tz="UTC")))
    table = pd.DataFrame(rows, columns=["order_id", "line_no", "sku_id", "quantity", "hour", "cancelled_at"])
    placed = [pd.Timestamp(f"2026-03-01 {hour:02d}:00", tz="UTC") for hour in table["hour"]]
    return OrderLines.check(
        table.assign(placed_at=placed, delivery_date=pd.Timestamp("2026-03-02"), community_id="C1", unit_price_yuan=1.0)
    )


@pytest.fixture(scope="module")
def short() -> pd.DataFrame:
    """C1 gets 3 of the 4 A it ordered."""
    return Allotments.check(
        pd.DataFrame(
            {
                "warehouse_id": "W1",
                "community_id": "C1",
                "sku_id": ["A", "B"],
                "ordered_units": [4.0, 1.0],
                "allotted_units": [3.0, 1.0],
                "short_units": [1.0, 0.0],
            }
        )
    )


def printed(data: bytes) -> str:
    """Return all text of a PDF, Latin and Chinese, in the order it was written."""
    said = []
    for stream in re.findall(rb"stream\n(.*?)\nendstream", data, flags=re.DOTALL):
        for latin, hexed in re.findall(r"(\((?:[^()\\]|\\.)*\)|(<[0-9A-F]*>)) Tj", zlib.decompress(stream).decode()):
            said.append(
                bytes.fromhex(hexed[1:-1]).decode("utf-16-be") if hexed else re.sub(r"\\(.)", r"\1", latin[1:-1])
            )
    return " ".join(said)


def test_a_grid_brings_to_the_station_what_the_slots_get(plan: SortingPlan, reference: Reference) -> None:
    """Totals per SKU are the sums over the slots and over the tasks."""
    grid = station_grid(plan.tasks[plan.tasks["station"] == 1], reference.skus)
    slots = [column for column in grid.columns if column not in ("sku_id", "name", "total")]
    assert (grid["total"] == grid[slots].sum(axis=1)).all()
    pages = list(station_pages(plan.tasks, skus=reference.skus))
    assert sum(page.grid["total"].sum() for page in pages) == plan.tasks["units"].sum() == 6.5


def test_station_sheets_say_wave_time_goods_and_destinations(plan: SortingPlan, reference: Reference) -> None:
    """Local time, names in both scripts, brackets escaped."""
    data = station_sheet_pdf(station_pages(plan.tasks, skus=reference.skus), timezone="Asia/Shanghai")
    said = printed(data)
    assert "03-02 01:00-02:00" in said
    assert "青菜" in said
    assert "(500 g)" in said
    assert all(community in said for community in ("C1", "C2", "C3"))
    english = station_sheet_pdf(station_pages(plan.tasks, skus=reference.skus), timezone="Asia/Shanghai", language="en")
    assert "Station" in printed(english)
    assert "工位" not in printed(english)


def test_files_are_whole_and_repeatable(plan: SortingPlan, reference: Reference) -> None:
    """Every offset of the cross-reference table points to its object; the same plan gives the same bytes."""
    make = lambda: station_sheet_pdf(station_pages(plan.tasks, skus=reference.skus), timezone="UTC")  # noqa: E731
    data = make()
    assert data == make()
    at = int(re.search(rb"startxref\n(\d+)", data)[1])  # type: ignore[index]
    offsets = [int(line[:10]) for line in data[at:].split(b"\n")[3:] if line.endswith(b" n ")]
    for number, offset in enumerate(offsets, start=1):
        assert data[offset:].startswith(f"{number} 0 obj".encode())


def test_nothing_to_print_is_said() -> None:
    """No empty files."""
    with pytest.raises(EmptyInputError, match="nothing to print"):
        Pdf(100.0, 180.0, title="Labels").data()


def test_earlier_orders_are_served_first(lines: pd.DataFrame, short: pd.DataFrame) -> None:
    """Three A for four ordered: the first order is whole, the second gets one; cancelled orders get nothing."""
    names = pd.DataFrame({"order_id": ["O1", "O2"], "name": ["王小明", "李"]})
    rows = hand_out(lines, short, customers=names)
    assert rows[["order_id", "name", "sku_id", "given"]].to_numpy().tolist() == [
        ["O1", "王**", "A", 2.0],
        ["O2", "李", "A", 1.0],
        ["O2", "李", "B", 1.0],
    ]
    none = pd.Series(dtype="str")
    leaders = pd.Series({"C1": "L9"})
    said = printed(hand_out_pdf(rows, community_names=none, sku_names=none, leaders=leaders, day="2026-03-02"))
    assert "L9" in said
    assert "2026-03-02" in said
    assert "缺货" in said
    assert "王" in said
    assert "小明" not in said


def test_a_community_that_is_not_delivered_to_has_no_sheet(lines: pd.DataFrame, short: pd.DataFrame) -> None:
    """Its orders are not on any sheet; one that gets nothing at all is told so on its own."""
    both = pd.concat([lines, lines.assign(community_id="C8", order_id=lines["order_id"] + "b")], ignore_index=True)
    assert set(hand_out(both, short)["community_id"]) == {"C1"}
    nothing = short.assign(allotted_units=0.0, short_units=short["ordered_units"])
    assert hand_out(both, nothing)["given"].sum() == 0.0
    assert len(hand_out(both, nothing)) == 3


def test_labels_carry_every_unit_once(plan: SortingPlan, reference: Reference) -> None:
    """One label per destination and zone; their items add up to the tasks."""
    vans = pd.Series({"C1": "R7 / 2 / 5"})
    labels = slot_labels(plan.tasks, communities=reference.communities, skus=reference.skus, vans=vans)
    assert labels["destination_id"].tolist() == ["C1", "C2", "C3"]
    assert labels["van"].tolist() == ["R7 / 2 / 5", "", ""]
    assert sum(units for items in labels["items"] for _, units in items) == plan.tasks["units"].sum()
    said = printed(label_pdf(labels))
    assert "团长" in said
    assert "青菜" in said
    assert "R7 / 2 / 5" in said


def test_a_community_that_takes_parcels_gets_one_label_per_order(
    plan: SortingPlan, reference: Reference, lines: pd.DataFrame, short: pd.DataFrame
) -> None:
    """C1's two orders are two numbered parcels; the others stay boxes."""
    labels = slot_labels(
        plan.tasks,
        communities=reference.communities,
        skus=reference.skus,
        handed=hand_out(lines, short),
        parcel_communities={"C1"},
    )
    mine = labels[labels["destination_id"] == "C1"]
    assert mine[["order_id", "parcel", "parcels", "units"]].to_numpy().tolist() == [
        ["O1", 1, 2, 2.0],
        ["O2", 2, 2, 2.0],
    ]
    assert (labels[labels["destination_id"] != "C1"]["parcels"] == 1).all()


def test_parcels_are_counted_per_order(
    plan: SortingPlan, reference: Reference, lines: pd.DataFrame, short: pd.DataFrame
) -> None:
    """Two orders with one parcel each in the ambient zone; communities with boxes are not in the list."""
    handed = hand_out(lines, short)
    labels = slot_labels(
        plan.tasks,
        communities=reference.communities,
        skus=reference.skus,
        handed=handed,
        parcel_communities={"C1"},
    )
    counted = parcel_list(labels)
    told = counted[["destination_id", "order_id", "parcels", "units", "parcel_ambient", "parcel_frozen"]]
    assert told.to_numpy().tolist() == [["C1", "O1", 1, 2.0, 1, 0], ["C1", "O2", 1, 2.0, 2, 0]]
    assert counted["units"].sum() == handed["given"].sum()


def test_two_slots_of_a_community_are_two_boxes_and_no_unit_is_printed_twice(
    plan: SortingPlan, reference: Reference, lines: pd.DataFrame
) -> None:
    """A unit replaced in a later wave has a label of its own; parcels hang at the last slot only; units add up."""
    again = plan.tasks[(plan.tasks["destination_id"] == "C1") & (plan.tasks["sku_id"] == "A")]
    again = again.assign(wave=3, station=2, slot=1, units=1.0)
    tasks = pd.concat([plan.tasks, again], ignore_index=True)
    boxes = slot_labels(tasks, communities=reference.communities, skus=reference.skus)
    mine = boxes[boxes["destination_id"] == "C1"]
    assert mine[["wave", "parcel", "parcels", "units"]].to_numpy().tolist() == [[1, 1, 2, 4.0], [3, 2, 2, 1.0]]
    assert boxes["units"].sum() == tasks["units"].sum()
    whole = {"ordered_units": [4.0, 1.0], "allotted_units": [4.0, 1.0], "short_units": 0.0}
    got = pd.DataFrame({"warehouse_id": "W1", "community_id": "C1", "sku_id": ["A", "B"], **whole})
    handed = hand_out(lines, Allotments.check(got))
    labels = slot_labels(
        tasks,
        communities=reference.communities,
        skus=reference.skus,
        handed=handed,
        parcel_communities={"C1"},
    )
    assert labels["units"].sum() == tasks["units"].sum()
    assert set(labels.loc[labels["destination_id"] == "C1", "wave"]) == {3}
    assert parcel_list(labels)["parcels"].tolist() == [1, 1]


def test_paid_orders_are_served_before_earlier_ones(lines: pd.DataFrame, short: pd.DataFrame) -> None:
    """Three A for four ordered: the later order is paid and whole, the earlier one gets what is left."""
    rows = hand_out(lines, short, prepaid={"O2"})
    assert rows.loc[rows["sku_id"] == "A", ["order_id", "given"]].to_numpy().tolist() == [["O1", 1.0], ["O2", 2.0]]
    assert rows["given"].sum() == hand_out(lines, short)["given"].sum()


def test_long_lists_run_on_to_further_labels(plan: SortingPlan, reference: Reference) -> None:
    """Forty items need three labels of nineteen lines."""
    labels = slot_labels(plan.tasks, communities=reference.communities, skus=reference.skus).head(1)
    labels.at[0, "items"] = [(f"item{i}", 1.0) for i in range(40)]
    said = printed(label_pdf(labels))
    assert "3/3" in said
    assert "item39" in said


def test_notices_name_what_is_missing(short: pd.DataFrame, reference: Reference) -> None:
    """Only communities with a shortage, only goods that fall short, in both languages."""
    told = shortage_notices(short, communities=reference.communities, skus=reference.skus)
    assert told[["community_id", "skus", "units"]].to_numpy().tolist() == [["C1", 1, 1.0]]
    assert told["text"].iloc[0].endswith("青菜 (500 g)：订4，到3，缺1")
    english = shortage_notices(short, communities=reference.communities, skus=reference.skus, language="en")
    assert english["text"].iloc[0].endswith("ordered 4, coming 3, short 1")
    whole = short.assign(allotted_units=short["ordered_units"], short_units=0.0)
    assert len(shortage_notices(whole, communities=reference.communities, skus=reference.skus)) == 0
