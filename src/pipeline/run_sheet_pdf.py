"""What hangs in the van and at the dock, as PDF: a run sheet and a load list per trip, A4, a tick box per stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from contracts.columns import TEMPERATURE_ZONES
from optimize.sorting.papers.pages import A4, MARGIN
from optimize.sorting.papers.pdf import Pdf, fitted
from optimize.sorting.papers.words import Language, number, say

ROW, LINES = 8.0, 29
RIGHT = A4[0] - MARGIN
Columns = tuple[tuple[str, float, bool], ...]
"""Heading, x in millimetres, set to the right of it."""


def run_sheets_pdf(
    sheet: pd.DataFrame, listed: pd.DataFrame, trips: pd.DataFrame, *, timezone: str, language: Language = "zh"
) -> bytes:
    """Return the papers of a base's trips: for each trip its run sheet in driving order, then its load list.

    Parameters
    ----------
    sheet : DataFrame
        `run_sheet` of the trips.
    listed : DataFrame
        `load_list` of the same trips.
    trips : DataFrame
        Rows of `Trips`.
    """
    pdf = Pdf(*A4, title=say("run sheet", language))
    for trip in trips.sort_values(["route_id", "trip"]).to_dict("records"):
        stops, crates = (
            table[(table["route_id"] == trip["route_id"]) & (table["trip"] == trip["trip"])]
            for table in (sheet, listed)
        )
        heads = (("run sheet", stops, _driver, _DRIVER), ("load list", crates, _loader, _LOADER))
        for title, rows, write, columns in heads:
            _pages(pdf, (title, trip, columns), rows.to_dict("records"), write, timezone, language)
    return pdf.data()


_DRIVER: Columns = (
    ("no", 22, True),
    ("arrive", 25, False),
    ("window", 38, False),
    ("stop", 62, False),
    ("leader", 106, False),
    *((zone, 134.0 + 11.0 * place, True) for place, zone in enumerate(TEMPERATURE_ZONES)),
    ("units", 168, True),
    ("note", 171, False),
)
_LOADER: Columns = (
    ("no", 22, True),
    ("stop", 26, False),
    ("van", 96, False),
    *((zone, 140.0 + 12.0 * place, True) for place, zone in enumerate(TEMPERATURE_ZONES)),
    ("crates", 178, True),
    ("units", 196, True),
)


def _pages(
    pdf: Pdf,
    head: tuple[str, dict[Any, Any], Columns],
    rows: list[dict[Any, Any]],
    write: Callable[[Pdf, dict[Any, Any], float], None],
    timezone: str,
    language: Language,
) -> None:
    """Write a trip's list, as many pages as it takes."""
    title, trip, columns = head
    count = max(-(-len(rows) // LINES), 1)
    for page in range(count):
        pdf.new_page()
        _trip_head(pdf, title, trip, f"{page + 1}/{count}", timezone, language)
        for word, x, right in columns:
            pdf.write(x, 38.0, say(word, language), size=8.0, right=right)
        pdf.line(MARGIN, 40.0, RIGHT, 40.0, width=0.8)
        for place, row in enumerate(rows[page * LINES : (page + 1) * LINES]):
            y = 46.0 + place * ROW
            pdf.box(MARGIN, y - 3.6, 4.2, 4.2)
            write(pdf, row, y)
            pdf.line(MARGIN, y + 2.4, RIGHT, y + 2.4, width=0.2)


def _trip_head(pdf: Pdf, title: str, trip: dict[Any, Any], page: str, timezone: str, language: Language) -> None:
    leaves, returns = (trip[at].tz_convert(timezone) for at in ("departs_at", "returns_at"))
    pdf.write(MARGIN, 16.0, f"{say(title, language)}  {trip['route_id']}", size=16.0)
    pdf.write(RIGHT, 16.0, f"{say('trip', language)} {trip['trip']}   {page}", size=11.0, right=True)
    said = (
        f"{say('from', language)} {trip['base_id']}   {trip['vehicle_type_id']}   "
        f"{say('leaves', language)} {leaves:%m-%d %H:%M}   {say('returns', language)} {returns:%H:%M}"
    )
    pdf.write(MARGIN, 24.0, fitted(said, RIGHT - MARGIN, 11.0), size=11.0)
    load = (
        f"{say('stops', language)} {trip['stops']}   {trip['load_kg']:.0f} kg   {trip['load_l']:.0f} L   "
        f"{trip['distance_m'] / 1000.0:.1f} km"
    )
    pdf.write(MARGIN, 31.0, load, size=11.0)


def _driver(pdf: Pdf, row: dict[Any, Any], y: float) -> None:
    pdf.write(22, y, str(row["seq"]), size=10.0, right=True)
    pdf.write(25, y, str(row["arrive"]), size=10.0)
    pdf.write(38, y, str(row["window"]), size=8.0)
    pdf.write(62, y, fitted(_named(row), 42.0, 9.0), size=9.0)
    leader = row["leader_id"]
    pdf.write(106, y, fitted(leader if isinstance(leader, str) else "-", 19.0, 9.0), size=9.0)
    for place, zone in enumerate(TEMPERATURE_ZONES):
        if row[f"crates_{zone}"]:
            pdf.write(134.0 + 11.0 * place, y, str(row[f"crates_{zone}"]), size=11.0, right=True)
    pdf.write(168, y, number(row["units"]), size=9.0, right=True)
    pdf.write(171, y, fitted(str(row["note"]), RIGHT - 171.0, 6.5), size=6.5)


def _loader(pdf: Pdf, row: dict[Any, Any], y: float) -> None:
    pdf.write(22, y, str(row["order"]), size=10.0, right=True)
    pdf.write(26, y, fitted(_named(row), 68.0, 9.0), size=9.0)
    pdf.write(96, y, fitted(str(row["van"]), 32.0, 8.0), size=8.0)
    for place, zone in enumerate(TEMPERATURE_ZONES):
        if row[f"crates_{zone}"]:
            pdf.write(140.0 + 12.0 * place, y, str(row[f"crates_{zone}"]), size=11.0, right=True)
    pdf.write(178, y, str(row["crates"]), size=11.0, right=True)
    pdf.write(196, y, number(row["units"]), size=9.0, right=True)


def _named(row: dict[Any, Any]) -> str:
    return f"{row['place_id']} {row['name']}" if row["name"] != row["place_id"] else str(row["place_id"])
