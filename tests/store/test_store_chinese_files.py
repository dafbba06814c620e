"""Files as Chinese group leaders write them: GBK, Chinese headers, units, full-width digits, workbooks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from store import Mapping, Store, load_mapping

TEXT = (
    "订单号,下单时间,自提点,商品,规格,数量,单价（元）\n"
    "D001,2026年3月1日 20:05,阳光花园,苹果,5斤装,２,￥19.90\n"
    'D001,2026年3月1日 20:05,阳光花园,大米,10斤,1份,"1,029.9"\n'
    "D002,2026/3/1 23:30,东湖小区,苹果,5斤装,1.2千,19.9元\n"
    "\n"
    "D003,2026-03-01 8:00,东湖小区,苹果,5斤装,三个,19.9\n"
)
MAPPING = Mapping.model_validate(
    {"name": "群接龙", "derive": {"sku_id": {"rule": "join", "of": ["商品", "规格"], "separator": " "}}}
)


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_chinese_csv_in_any_code_page(store: Store, tmp_path: Path, encoding: str) -> None:
    """The code page is found out; headers, units and dates are understood; the bad row is named."""
    path = tmp_path / "接龙.csv"
    path.write_text(TEXT, encoding=encoding)
    report = store.import_orders(path, MAPPING)
    lines = store.order_lines().sort_values(["order_id", "line_no"], ignore_index=True)
    assert lines["sku_id"].tolist() == ["苹果 5斤装", "大米 10斤", "苹果 5斤装"]
    assert lines["quantity"].tolist() == [2.0, 1.0, 1200.0]
    assert lines["unit_price_yuan"].tolist() == [19.9, 1029.9, 19.9]
    assert lines["line_no"].tolist() == [1, 2, 1]
    assert [str(day.date()) for day in lines["delivery_date"]] == ["2026-03-02", "2026-03-02", "2026-03-03"]
    assert lines["placed_at"][0] == pd.Timestamp("2026-03-01 12:05", tz="UTC")
    assert report.failures[["row", "column", "value"]].to_numpy().tolist() == [[6, "quantity", "三个"]]
    assert report.rows_read == 4
    assert any("line_no" in note for note in report.notes)


def test_a_chinese_workbook(store: Store, tmp_path: Path) -> None:
    """Typed cells, a title above the header, a second sheet and a note column beside the table."""
    book = openpyxl.Workbook()
    book.active.title = "说明"
    sheet = book.create_sheet("订单")
    sheet.append(["三月一日订单汇总"])
    sheet.append(["订单编号", "下单时间", "社区", "商品编码", "数量", "单价", None])
    sheet.append([1001, dt.datetime(2026, 3, 1, 20, 5), "C1", "007", 2, 19.9, "note"])
    sheet.append([1002, "2026-03-01 21:00", "C2", 8.0, "3份", "¥5", None])
    sheet.append([None] * 6)
    book.save(tmp_path / "订单.xlsx")
    mapping = Mapping.model_validate({"file": {"sheet": "订单", "header_row": 2}})
    report = store.import_orders(tmp_path / "订单.xlsx", mapping)
    lines = store.order_lines()
    assert (report.rows_read, report.rows_rejected) == (2, 0)
    assert lines[["order_id", "sku_id", "quantity", "unit_price_yuan"]].to_numpy().tolist() == [
        ["1001", "007", 2.0, 19.9],
        ["1002", "8", 3.0, 5.0],
    ]


def test_offers_with_chinese_headers(store: Store, tmp_path: Path) -> None:
    """箱规, 起订量 and prices land in the contract's columns; the unit of a header counts."""
    path = tmp_path / "报价.csv"
    path.write_text(
        "供应商,商品编码,仓库,箱规,起订量(箱),最大箱数,供货价(元),折扣方式\nS1,001,W1,10,2箱,1.2千,3.25,全量\n",
        encoding="gbk",
    )
    report = store.import_reference("offers", path, load_mapping())
    row = store.reference_table("offers").iloc[0]
    assert report.rows_new == 1
    assert (row["case_units"], row["min_cases"], row["max_cases"], row["discount_kind"]) == (10, 2, 1200, "all_units")
    assert row["unit_price_yuan"] == 3.25


def test_weight_by_the_jin_in_the_header(store: Store, tmp_path: Path) -> None:
    """重量(斤) makes bare numbers half kilograms, and a cell with its own unit keeps it."""
    path = tmp_path / "商品.csv"
    path.write_text(
        "商品编码,名称,类目,温区,规格,重量(斤),体积(ml),保质期,残值,缺货损失\n"
        "001,苹果,水果,常温,5斤装,5,6000,7天,1,2\n002,鱼,水产,冷冻,条,1.5kg,3升,30,0,5\n",
        encoding="utf-8",
    )
    store.import_reference("skus", path)
    skus = store.reference_table("skus")
    assert skus["weight_kg"].tolist() == [2.5, 1.5]
    assert skus["volume_l"].tolist() == [6.0, 3.0]
    assert skus["temperature_zone"].tolist() == ["ambient", "frozen"]
