"""A plan's papers for the floor and the leaders: sheets, labels, parcels, hand-out sheets, notices, progress forms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import OrderLines
from contracts.planned import Allotments
from contracts.settings import SortingSettings
from contracts.world import Reference
from optimize.sorting import TaskProgress
from optimize.sorting.papers import (
    Language,
    hand_out,
    hand_out_pdf,
    label_pdf,
    parcel_list,
    shortage_notices,
    slot_labels,
    station_pages,
    station_sheet_pdf,
)
from optimize.sorting.papers.words import number
from pipeline.filenames import file_names
from pipeline.goods import paid_by
from pipeline.plan import NightPlan
from store import export_table


@dataclass(frozen=True)
class PaperWishes:
    """How papers are printed.

    Attributes
    ----------
    language : {"zh", "en"}
        Of everything that is printed; heads of workbooks are in both.
    customers : DataFrame or None
        ``order_id`` and ``name``: printed masked on hand-out sheets, kept nowhere.
    """

    language: Language = "zh"
    customers: pd.DataFrame | None = None


PLAIN = PaperWishes()
"""Chinese, without names."""


def write_papers(
    plan: NightPlan,
    reference: Reference,
    folder: Path,
    *,
    timezone: str,
    orders: DataFrame[OrderLines] | None = None,
    packing: SortingSettings | None = None,
    wishes: PaperWishes = PLAIN,
) -> list[Path]:
    """Write what is printed for a night: per warehouse sheets (A4) and labels (10 x 18 cm), and the notices.

    Labels are there as XLSX and CSV too, for a label printer's own program. ``WAREHOUSE-progress.xlsx`` has a row per
    task to fill in what was sorted, short, damaged or over; it can be read back as it is
    (`pipeline.late.read_progress`). ``WAREHOUSE-parcels.xlsx`` counts the parcels of each order.

    Parameters
    ----------
    orders : DataFrame[OrderLines], optional
        The delivery date's lines at the cutoff (`pipeline.leaders`): with them every leader has a hand-out sheet.
    packing : SortingSettings, optional
        Which communities get parcels per household order instead of one box (before the cutoff all get boxes), and
        whether paid orders are served first.
    """
    names = reference.communities.set_index("community_id")["name"]
    language = wishes.language
    there = orders is not None and len(orders)
    paid = prepaid_orders(plan, reference, packing)
    handed = (
        hand_out(orders, plan.allotments, customers=wishes.customers, prepaid=paid)
        if orders is not None and there
        else None
    )
    parcels = parcel_communities(reference, packing) if packing is not None and handed is not None else ()
    vans = vans_of(plan)
    written = []
    for warehouse, file in file_names(sorted(plan.sorting_tasks["warehouse_id"].unique())).items():
        tasks = plan.sorting_tasks[plan.sorting_tasks["warehouse_id"] == warehouse]
        pages = station_pages(tasks, skus=reference.skus, names=names)
        written.append(
            _save(folder / f"{file}-sheets.pdf", station_sheet_pdf(pages, timezone=timezone, language=language))
        )
        labels = slot_labels(
            tasks,
            communities=reference.communities,
            skus=reference.skus,
            handed=handed,
            parcel_communities=parcels,
            vans=vans,
        )
        written.append(_save(folder / f"{file}-labels.pdf", label_pdf(labels, language=language)))
        plain = labels.assign(items=["; ".join(f"{n} {number(u)}" for n, u in items) for items in labels["items"]])
        written += [export_table(plain, folder / f"{file}-labels.{kind}", headers="both") for kind in ("xlsx", "csv")]
        form = tasks[list(TaskProgress.key())].assign(units=tasks["units"])
        form = form.assign(**dict.fromkeys(("sorted_units", "short_units", "damaged_units", "over_units"), np.nan))
        written.append(export_table(form, folder / f"{file}-progress.xlsx", headers="both"))
        if len(counted := parcel_list(labels)):
            written.append(export_table(counted, folder / f"{file}-parcels.xlsx", headers="both"))
    notices = notices_of(plan, reference, language=language)
    if len(notices):
        written.append(export_table(notices, folder / "shortage_notices.csv", headers="both"))
    if handed is not None and len(handed):
        sku_names = reference.skus.set_index("sku_id")["name"]
        sheets = hand_out_pdf(
            handed,
            community_names=names,
            sku_names=sku_names,
            leaders=reference.communities.set_index("community_id")["leader_id"],
            day=str(plan.summary.delivery_date),
            language=language,
        )
        written.append(_save(folder / "hand_out_sheets.pdf", sheets))
    return written


def notices_of(
    plan: NightPlan, reference: Reference, *, warehouse_id: str | None = None, language: Language = "zh"
) -> pd.DataFrame:
    """Return the shortage notice of each community that misses goods, of one warehouse if given."""
    rows = plan.allotments
    mine = rows if warehouse_id is None else Allotments.check(rows[rows["warehouse_id"] == warehouse_id])
    return shortage_notices(mine, communities=reference.communities, skus=reference.skus, language=language)


def prepaid_orders(plan: NightPlan, reference: Reference, packing: SortingSettings | None) -> frozenset[str]:
    """Return the orders that are served first within their community, as they were when goods were shared out."""
    if packing is None or packing.shortage_rule != "prepaid_first":
        return frozenset()
    return frozenset(paid_by(reference.prepaid_orders, pd.Timestamp(plan.summary.as_of)))


def vans_of(plan: NightPlan) -> pd.Series:
    """Return route, trip and stop of the van that brings a community its goods, as text by community."""
    stops = plan.route_stops.dropna(subset="community_id").drop_duplicates("community_id")
    texts = stops["route_id"] + " / " + stops["trip"].astype(str) + " / " + stops["seq"].astype(str)
    return pd.Series(texts.to_numpy(object), index=pd.Index(stops["community_id"]), dtype="str")


def parcel_communities(reference: Reference, packing: SortingSettings) -> tuple[str, ...]:
    """Return the communities whose goods are packed per household order (一件代发)."""
    ids = reference.communities["community_id"]
    return tuple(name for name in ids if packing.packing_by_community.get(name, packing.packing) == "parcel")


def _save(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
