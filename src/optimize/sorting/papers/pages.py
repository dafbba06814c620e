"""The papers as PDF: A4 station sheets, 10 x 18 cm labels, A4 hand-out sheets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from optimize.sorting.papers.pdf import Pdf, fitted
from optimize.sorting.papers.stations import StationPage
from optimize.sorting.papers.words import Language, number, say

A4 = (210.0, 297.0)
LABEL = (100.0, 180.0)
MARGIN, ROW = 10.0, 5.5
SLOTS_ACROSS = 20
"""Slot columns on one A4 page held sideways; more slots go on to the next page."""
ROWS_DOWN = 29


def station_sheet_pdf(pages: Iterable[StationPage], *, timezone: str, language: Language = "zh") -> bytes:
    """Return the station sheets, A4 sideways: a row per SKU, a column per slot, the destinations below the heading."""
    pdf = Pdf(A4[1], A4[0], title=say("sheet", language))
    for page in pages:
        slots = sorted(page.destinations)
        for left in range(0, len(slots), SLOTS_ACROSS):
            for top in range(0, len(page.grid), ROWS_DOWN):
                part = page.grid.iloc[top : top + ROWS_DOWN]
                _station_part(pdf, page, part, slots[left : left + SLOTS_ACROSS], timezone, language)
    return pdf.data()


def _station_part(
    pdf: Pdf, page: StationPage, grid: pd.DataFrame, slots: list[int], timezone: str, language: Language
) -> None:
    pdf.new_page()
    starts, ends = (moment.tz_convert(timezone) for moment in (page.starts_at, page.ends_at))
    head = (
        f"{page.warehouse_id}  {say(page.temperature_zone, language)}  {say('wave', language)} {page.wave}  "
        f"{starts:%m-%d %H:%M}-{ends:%H:%M}  {say('station', language)} {page.station}"
    )
    pdf.write(MARGIN, 14.0, head, size=14.0)
    pdf.write(pdf.width_mm - MARGIN, 14.0, f"{say('page', language)} {pdf.pages}", size=9.0, right=True)
    name_mm, total_mm = 66.0, 14.0
    first = MARGIN + name_mm + total_mm
    wide = (pdf.width_mm - MARGIN - first) / max(len(slots), 1)
    wide = min(wide, 18.0)
    y = 22.0
    pdf.write(MARGIN, y, say("goods", language))
    pdf.write(first - 2, y, say("total", language), right=True)
    for place, slot in enumerate(slots):
        right = first + (place + 1) * wide - 1.5
        pdf.write(right, y, str(slot), size=11.0, right=True)
        pdf.write(right, y + 4.0, fitted(page.destinations[slot], wide - 2.0, 5.5), size=5.5, right=True)
    y += 6.0
    pdf.line(MARGIN, y, first + len(slots) * wide, y, width=0.8)
    for row in grid.to_dict("records"):
        y += ROW
        pdf.write(MARGIN, y - 1.4, fitted(f"{row['sku_id']} {row['name']}", name_mm - 2, 8.5), size=8.5)
        pdf.write(first - 2, y - 1.4, number(row["total"]), right=True)
        for place, slot in enumerate(slots):
            if row[slot]:
                pdf.write(first + (place + 1) * wide - 1.5, y - 1.4, number(row[slot]), right=True)
        pdf.line(MARGIN, y, first + len(slots) * wide, y, width=0.2)


def label_pdf(labels: pd.DataFrame, *, language: Language = "zh") -> bytes:
    """Return the labels of `slot_labels`, 10 x 18 cm each; long item lists run on to further labels."""
    pdf = Pdf(*LABEL, title=say("label", language))
    lines = 19
    for row in labels.to_dict("records"):
        items = row["items"]
        sheets = max(-(-len(items) // lines), 1)
        for sheet in range(sheets):
            _label(pdf, row, items[sheet * lines : (sheet + 1) * lines], f"{sheet + 1}/{sheets}", language)
    return pdf.data()


def _label(pdf: Pdf, row: dict[Any, Any], items: list[tuple[str, float]], count: str, language: Language) -> None:
    pdf.new_page()
    pdf.write(6, 14, fitted(row["name"], 88.0, 20.0), size=20.0)
    pdf.write(6, 22, f"{row['warehouse_id']}  {say(str(row['temperature_zone']), language)}", size=12.0)
    pdf.write(94, 22, count, size=10.0, right=True)
    pdf.line(6, 26, 94, 26, width=1.0)
    for x, word in ((6, "wave"), (36, "station"), (66, "slot")):
        pdf.write(x, 33, say(word, language), size=9.0)
        pdf.write(x, 48, str(row[word]), size=36.0)
    pdf.line(6, 53, 94, 53, width=1.0)
    leader = row["leader_id"]
    known = isinstance(leader, str)
    pdf.write(6, 60, f"{say('leader', language)} {leader if known else '-'}", size=10.0)
    if row["van"]:
        pdf.write(36, 60, fitted(f"{say('route', language)} {row['van']}", 38.0, 10.0), size=10.0)
    if row["order_id"]:
        pdf.write(6, 66, f"{say('order', language)} {row['order_id']}", size=10.0)
        pdf.write(94, 66, f"{say('parcel', language)} {row['parcel']}/{row['parcels']}", size=10.0, right=True)
    pdf.write(94, 60, f"{say('units', language)} {number(row['units'])}", size=10.0, right=True)
    for place, (name, count_units) in enumerate(items):
        y = 74.0 + place * 5.3
        pdf.write(6, y, fitted(name, 72.0, 9.0), size=9.0)
        pdf.write(94, y, number(count_units), size=9.0, right=True)


def hand_out_pdf(
    handed: pd.DataFrame,
    *,
    community_names: pd.Series,
    sku_names: pd.Series,
    leaders: pd.Series | None = None,
    day: str = "",
    language: Language = "zh",
) -> bytes:
    """Return A4 hand-out sheets, each community on pages of its own, a tick box before every item.

    Parameters
    ----------
    community_names, sku_names, leaders : Series
        What people call a community or SKU, and the community's leader; ids stand where nothing is known.
    day : str
        Delivery date as it is printed.
    """
    pdf = Pdf(*A4, title=say("handout", language))
    lines = 44
    for community_id, rows in handed.groupby("community_id", sort=True):
        records = rows.to_dict("records")
        for top in range(0, len(records), lines):
            pdf.new_page()
            name = str(community_names.get(community_id, community_id))
            pdf.write(MARGIN, 16.0, f"{say('handout', language)}  {name}", size=14.0)
            pages = -(-len(records) // lines)
            leader = None if leaders is None else leaders.get(community_id)
            led = f"{say('leader', language)} {leader}   " if isinstance(leader, str) else ""
            pdf.write(A4[0] - MARGIN, 16.0, f"{led}{day}   {top // lines + 1}/{pages}", right=True)
            for x, word in ((18, "order"), (62, "name"), (86, "goods"), (166, "ordered"), (182, "given")):
                pdf.write(x, 25.0, say(word, language))
            pdf.line(MARGIN, 27.0, A4[0] - MARGIN, 27.0, width=0.8)
            before = ""
            for place, row in enumerate(records[top : top + lines]):
                y = 33.0 + place * 5.8
                pdf.box(MARGIN, y - 3.2, 3.6, 3.6)
                if row["order_id"] != before:
                    pdf.write(18, y, fitted(str(row["order_id"]), 42.0, 9.0))
                    pdf.write(62, y, fitted(str(row["name"]), 22.0, 9.0))
                    pdf.line(MARGIN, y - 4.2, A4[0] - MARGIN, y - 4.2, width=0.2)
                before = row["order_id"]
                pdf.write(86, y, fitted(str(sku_names.get(row["sku_id"], row["sku_id"])), 76.0, 9.0))
                pdf.write(176, y, number(row["ordered"]), right=True)
                missing = row["ordered"] - row["given"]
                mark = f" ({say('short', language)} {number(missing)})" if missing > 1e-9 else ""
                pdf.write(182, y, number(row["given"]) + mark)
    return pdf.data()
