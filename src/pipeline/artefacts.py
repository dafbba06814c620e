"""A plan as files: what suppliers are sent, what hangs in the warehouse, what drivers get, and every table as CSV."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import OrderLines
from contracts.planned import PurchaseLines
from contracts.settings import Settings
from contracts.world import Reference
from optimize.purchase import change_sheet
from pipeline import views
from pipeline.charts import load_chart
from pipeline.filenames import file_names, sheet_name
from pipeline.order_words import added_lines, order_text
from pipeline.papers import PLAIN, PaperWishes, write_papers
from pipeline.plan import NightPlan
from pipeline.risk import risk_table
from pipeline.risk_papers import write_risk
from pipeline.route_papers import write_route_papers
from store import export_table, export_tables


def write_artefacts(
    plan: NightPlan,
    reference: Reference,
    folder: Path,
    *,
    settings: Settings,
    orders: DataFrame[OrderLines] | None = None,
    sent: DataFrame[PurchaseLines] | None = None,
    before: DataFrame[PurchaseLines] | None = None,
    wishes: PaperWishes = PLAIN,
) -> list[Path]:
    """Write a plan to a folder and return the files.

    ``summary.json``; ``tables/*.csv``, one per contract; ``purchase_orders/SUPPLIER.xlsx``, a sheet per warehouse and
    one with the totals, and ``SUPPLIER.txt`` for its chat; ``sorting/WAREHOUSE.xlsx``, loads and a sheet per
    temperature zone, and the papers of `pipeline.papers`; the drivers' papers of `pipeline.route_papers`;
    ``risk.xlsx``, a sheet per warehouse; ``chat/WAREHOUSE.txt``; ``loads.png``. Heads are Chinese and English,
    times are the city's. With the night's `orders` the leaders' hand-out sheets are there too; lines `sent` before the
    plan are no suggestion in the risk table; with the lines of the plan `before` there is ``changes.xlsx``, what
    differs line by line.

    Raises
    ------
    StorageFullError
        The disk is full; files that are there are complete.
    """
    zone = settings.city.timezone
    folder.mkdir(parents=True, exist_ok=True)
    summary = folder / "summary.json"
    summary.write_text(plan.summary.model_dump_json(indent=2), encoding="utf-8")
    written = [summary]
    written += [export_table(frame, folder / "tables" / f"{name}.csv") for name, frame in plan.tables()]
    written += write_purchase_orders(plan, reference, folder / "purchase_orders", timezone=zone, sent=sent)
    written += write_sorting_books(plan, reference, folder / "sorting", timezone=zone)
    written += write_route_papers(plan, reference, folder / "routes", settings=settings, language=wishes.language)
    written += write_papers(
        plan,
        reference,
        folder / "sorting",
        timezone=zone,
        orders=orders,
        packing=settings.sorting,
        wishes=wishes,
    )
    risk = risk_table(plan, reference, sent=sent)
    written += write_risk(risk, folder, as_of=pd.Timestamp(plan.summary.as_of), timezone=zone)
    if before is not None:
        sheet = change_sheet(before, plan.purchase_lines)
        sheet.insert(2, "name", sheet["sku_id"].map(reference.skus.set_index("sku_id")["name"]))
        written.append(export_tables({"变更 changes": sheet}, folder / "changes.xlsx", headers="both", timezone=zone))
    written.append(load_chart(plan, folder / "loads.png", timezone=zone))
    return written


def write_purchase_orders(
    plan: NightPlan,
    reference: Reference,
    folder: Path,
    *,
    timezone: str,
    sent: DataFrame[PurchaseLines] | None = None,
) -> list[Path]:
    """Write one workbook per supplier: its lines by warehouse and arrival, the totals to the fen; text for its chat.

    With lines `sent` before, the workbook shows the whole order and how much of it was sent, the text what is new.
    """
    written = []
    names = file_names(sorted(plan.purchase_lines["supplier_id"].unique()))
    for supplier, name in names.items():
        lines = views.order_view(plan, reference, supplier)
        if sent is not None:
            before = added_lines(plan, reference, supplier, sent=sent)["sent_cases"]
            lines.insert(list(lines.columns).index("cases") + 1, "sent_cases", before)
        total = lines.groupby("warehouse_id", as_index=False).agg(
            arrives_at=("arrives_at", "first"),
            cases=("cases", "sum"),
            units=("units", "sum"),
            amount_yuan=("amount_yuan", "sum"),
        )
        total["amount_yuan"] = total["amount_yuan"].round(2)
        whole = pd.DataFrame(
            {
                "warehouse_id": ["合计 total"],
                "cases": [total["cases"].sum()],
                "units": [total["units"].sum()],
                "amount_yuan": [round(float(total["amount_yuan"].sum()), 2)],
            }
        )
        sheets = {"合计 total": pd.concat([total, whole], ignore_index=True)}
        sheets |= {
            sheet_name(f"仓 {warehouse}"): rows.drop(columns=["supplier_id", "warehouse_id"])
            for warehouse, rows in lines.groupby("warehouse_id")
        }
        written.append(export_tables(sheets, folder / f"{name}.xlsx", headers="both", timezone=timezone))
        text = folder / f"{name}.txt"
        text.write_text(order_text(plan, reference, supplier, sent=sent) + "\n", encoding="utf-8")
        written.append(text)
    return written


def write_sorting_books(plan: NightPlan, reference: Reference, folder: Path, *, timezone: str) -> list[Path]:
    """Write one workbook per warehouse: loads per wave, and the assignments of each temperature zone."""
    written = []
    loads = views.load_view(plan)
    for warehouse, name in file_names(sorted(loads["warehouse_id"].unique())).items():
        tasks = views.sorting_view(plan, reference, warehouse_id=warehouse)
        sheets = {"负荷 loads": loads[loads["warehouse_id"] == warehouse]}
        sheets |= {sheet_name(str(zone)): rows for zone, rows in tasks.groupby("temperature_zone")}
        written.append(export_tables(sheets, folder / f"{name}.xlsx", headers="both", timezone=timezone))
    return written
