"""Files of the floor: progress forms, late orders, customers' names, OSRM tables, papers in two languages."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contracts.errors import ContractError, CorruptFileError, InputError, MissingColumnError, UnknownReferenceError
from contracts.world import World
from optimize.routing.travel import given_travel
from pipeline.desk import PlanningDesk
from pipeline.late import read_customers, read_late_orders, read_progress
from pipeline.osrm_file import import_osrm, places_to_ask, read_osrm
from pipeline.papers import PaperWishes
from pipeline.plan import NightPlan


def printed(data: bytes) -> str:
    """Return the text operators of a PDF's pages."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", data, flags=re.DOTALL)
    return " ".join(zlib.decompress(stream).decode("ascii") for stream in streams)


@pytest.fixture(scope="module")
def papers(desk: PlanningDesk, cutoff_plan: NightPlan, tiny: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the plan's artefacts in English and every customer's name given."""
    folder = tmp_path_factory.mktemp("papers")
    orders = tiny.order_lines["order_id"].drop_duplicates()
    names = pd.DataFrame({"order_id": orders, "name": "Wang Xiaoming"})
    desk.export(cutoff_plan, folder, wishes=PaperWishes(language="en", customers=names))
    return folder


def test_a_progress_form_comes_back_filled_in(papers: Path, cutoff_plan: NightPlan, tmp_path: Path) -> None:
    """The form of each warehouse has a row per task; filled in by hand it is read, blank cells as nothing."""
    path = next((papers / "sorting").glob("*-progress.xlsx"))
    form = pd.read_excel(path)
    figures = [column for column in form.columns if column.split(" ")[-1] in ("sorted_units", "damaged_units")]
    form[figures[0]] = form[next(c for c in form.columns if c.endswith(" units") or c == "units")]
    form.loc[0, figures[1]] = 1.0
    form.to_excel(tmp_path / "back.xlsx", index=False)
    told = read_progress(tmp_path / "back.xlsx")
    own = cutoff_plan.sorting_tasks[cutoff_plan.sorting_tasks["warehouse_id"] == told["warehouse_id"].iloc[0]]
    assert told["sorted_units"].sum() == pytest.approx(own["units"].sum())
    assert (told["damaged_units"].sum(), told["short_units"].sum()) == (1.0, 0.0)


def test_a_blank_row_reports_nothing_and_a_written_zero_is_zero(tmp_path: Path) -> None:
    """Blank figures leave the task unreported; damage without what was sorted is refused with its row."""
    path = tmp_path / "progress.csv"
    head = "warehouse_id,temperature_zone,wave,station,slot,sku_id,sorted_units,damaged_units\n"
    path.write_text(head + "W1,ambient,1,1,1,S1,,\nW1,ambient,1,1,2,S1,0,\nW1,ambient,1,1,3,S1, ,\n", encoding="utf-8")
    told = read_progress(path)
    assert told[["slot", "sorted_units", "damaged_units"]].to_numpy().tolist() == [[2, 0.0, 0.0]]
    path.write_text(head + "W1,ambient,1,1,1,S1,4,\nW1,ambient,1,1,2,S1,,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="Rows 3 of"):
        read_progress(path)


def test_papers_of_the_vans_are_there(papers: Path, cutoff_plan: NightPlan) -> None:
    """Per base run sheets as PDF, two pages a trip at least, every stop on both; names are printed masked only."""
    for base in cutoff_plan.trips["base_id"].unique():
        data = (papers / "routes" / f"{base}-run-sheets.pdf").read_bytes()
        trips = cutoff_plan.trips[cutoff_plan.trips["base_id"] == base]
        assert data.count(b"/Type /Page ") >= 2 * len(trips)
        said = printed(data)
        assert "Run sheet" in said
        assert "Load list" in said
        for community in cutoff_plan.route_stops.loc[cutoff_plan.route_stops["base_id"] == base, "community_id"]:
            assert said.count(f"({community} ") == 2
    names = printed((papers / "sorting" / "hand_out_sheets.pdf").read_bytes())
    assert "(W*****" in names
    assert "Xiaoming" not in names


def test_chinese_heads_and_zones_are_read(tmp_path: Path) -> None:
    """What a lead types: 中心仓, 温区 冷藏, 波次, 播种台, 格口, 商品编码, 已分, 破损."""
    row = {"中心仓": "W1", "温区": "冷藏", "波次": 1, "播种台": 2, "格口": 3, "商品编码": "S1", "已分": 4, "破损": 1}
    path = tmp_path / "progress.csv"
    pd.DataFrame([row]).to_csv(path, index=False)
    told = read_progress(path).iloc[0]
    assert (told["temperature_zone"], told["sorted_units"], told["damaged_units"]) == ("chilled", 4.0, 1.0)


@pytest.mark.parametrize(
    ("text", "error", "fact"),
    [
        ("社区,商品\nC1,S1\n", MissingColumnError, "units"),
        ("社区,商品,件数\nC1,S1,-2\n", ContractError, "units"),
        ("社区,商品,件数\nC1,S1,2\nC1,S1,3\n", ContractError, "duplicate key"),
        ("社区,商品,件数\nC1,S1,many\n", ContractError, "units"),
    ],
)
def test_late_orders_that_cannot_be_meant_are_refused(
    tmp_path: Path, text: str, error: type[Exception], fact: str
) -> None:
    """A missing column, a negative or unreadable quantity, the same order twice."""
    path = tmp_path / "late.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=fact):
        read_late_orders(path)


def test_the_first_name_of_an_order_counts(tmp_path: Path) -> None:
    """An order of several lines has one name; a file without names is refused."""
    path = tmp_path / "names.csv"
    path.write_text("订单号,姓名\nO1,王小明\nO1,王\nO2,\n", encoding="gb18030")
    assert read_customers(path).to_numpy().tolist() == [["O1", "王小明"], ["O2", ""]]
    path.write_text("订单号\nO1\n", encoding="utf-8")
    with pytest.raises(MissingColumnError, match="name"):
        read_customers(path)


def test_an_osrm_table_is_the_travel_of_the_city(tiny: World, desk: PlanningDesk, tmp_path: Path) -> None:
    """Asked for in the order told, imported in two parts, read back as the very numbers; then taken out again."""
    places = places_to_ask(tiny.reference)["place_id"].tolist()
    random = np.random.default_rng(0)
    metres = random.integers(500, 9000, size=(len(places), len(places))).astype(float)
    np.fill_diagonal(metres, 0.0)
    answer = {"code": "Ok", "distances": metres.tolist(), "durations": (metres / 8.0).tolist()}
    path = tmp_path / "table.json"
    path.write_text(json.dumps(answer), encoding="utf-8")
    report = import_osrm(desk.store, path)
    assert report.rows_accepted == len(places) * (len(places) - 1)
    travel = given_travel(places, desk.store.reference().travel_matrix)
    assert (travel.distance_m == metres.astype(int)).all()
    part = {name: [row[:2] for row in answer[name][:2]] for name in ("distances", "durations")}  # type: ignore[index]
    part["distances"][0][1] = 12_345.0
    path.write_text(json.dumps(part), encoding="utf-8")
    (tmp_path / "places.csv").write_text("place_id\n" + "\n".join(places[:2]) + "\n", encoding="utf-8")
    import_osrm(desk.store, path, places=tmp_path / "places.csv")
    assert given_travel(places, desk.store.reference().travel_matrix).distance_m[0, 1] == 12_345
    desk.store.write_reference(tiny.reference)
    assert desk.store.reference().travel_matrix.empty


def test_a_table_that_is_none_is_said(tiny: World, desk: PlanningDesk, tmp_path: Path) -> None:
    """No JSON, an error of OSRM, a place nobody knows."""
    path = tmp_path / "table.json"
    path.write_text("<html>busy</html>", encoding="utf-8")
    with pytest.raises(CorruptFileError, match="no JSON"):
        read_osrm(path, ids=["W1"])
    path.write_text('{"code": "TooBig", "message": "Too many table coordinates"}', encoding="utf-8")
    with pytest.raises(InputError, match="Too many table coordinates"):
        read_osrm(path, ids=["W1"])
    (tmp_path / "places.csv").write_text("place_id\nNOWHERE\n", encoding="utf-8")
    with pytest.raises(UnknownReferenceError, match="NOWHERE"):
        import_osrm(desk.store, path, places=tmp_path / "places.csv")
