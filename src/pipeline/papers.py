"""A plan's papers for the floor and the leaders: station sheets, slot labels, hand-out sheets, shortage notices."""

from __future__ import annotations

from pathlib import Path

from pandera.typing import DataFrame

from contracts.flow import OrderLines
from contracts.settings import SortingSettings
from contracts.world import Reference
from optimize.sorting.papers import (
    hand_out,
    hand_out_pdf,
    label_pdf,
    shortage_notices,
    slot_labels,
    station_pages,
    station_sheet_pdf,
)
from pipeline.filenames import file_names
from pipeline.plan import NightPlan
from store import export_table


def write_papers(
    plan: NightPlan,
    reference: Reference,
    folder: Path,
    *,
    timezone: str,
    orders: DataFrame[OrderLines] | None = None,
    packing: SortingSettings | None = None,
) -> list[Path]:
    """Write what is printed for a night: per warehouse sheets (A4) and labels (10 x 18 cm), and the notices.

    Parameters
    ----------
    orders : DataFrame[OrderLines], optional
        The delivery date's lines at the cutoff: with them there is a hand-out sheet for every leader.
    packing : SortingSettings, optional
        Which communities get parcels per household order instead of one box; before the cutoff all get boxes.
    """
    names = reference.communities.set_index("community_id")["name"]
    handed = hand_out(orders, plan.allotments) if orders is not None and len(orders) else None
    parcels = parcel_communities(reference, packing) if packing is not None and handed is not None else ()
    written = []
    for warehouse, file in file_names(sorted(plan.sorting_tasks["warehouse_id"].unique())).items():
        tasks = plan.sorting_tasks[plan.sorting_tasks["warehouse_id"] == warehouse]
        pages = station_pages(tasks, skus=reference.skus, names=names)
        written.append(_save(folder / f"{file}-sheets.pdf", station_sheet_pdf(pages, timezone=timezone)))
        labels = slot_labels(
            tasks, communities=reference.communities, skus=reference.skus, handed=handed, parcel_communities=parcels
        )
        written.append(_save(folder / f"{file}-labels.pdf", label_pdf(labels)))
    notices = shortage_notices(plan.allotments, communities=reference.communities, skus=reference.skus)
    if len(notices):
        written.append(export_table(notices, folder / "shortage_notices.csv", headers="both"))
    if handed is not None:
        sku_names = reference.skus.set_index("sku_id")["name"]
        sheets = hand_out_pdf(handed, community_names=names, sku_names=sku_names)
        written.append(_save(folder / "hand_out_sheets.pdf", sheets))
    return written


def parcel_communities(reference: Reference, packing: SortingSettings) -> tuple[str, ...]:
    """Return the communities whose goods are packed per household order (一件代发)."""
    ids = reference.communities["community_id"]
    return tuple(name for name in ids if packing.packing_by_community.get(name, packing.packing) == "parcel")


def _save(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
