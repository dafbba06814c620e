"""Boxes per community or parcels per household order, by setting."""

from __future__ import annotations

from pathlib import Path

from contracts.settings import SortingSettings
from contracts.world import World
from pipeline import papers
from pipeline.desk import PlanningDesk
from pipeline.papers import parcel_communities, write_papers
from pipeline.plan import NightPlan


def test_a_setting_per_community_and_one_for_all(tiny: World) -> None:
    """Boxes for all but two; parcels for all but one; nobody unless asked."""
    ids = tiny.reference.communities["community_id"].tolist()
    assert parcel_communities(tiny.reference, SortingSettings()) == ()
    some = SortingSettings(packing_by_community={ids[0]: "parcel", ids[2]: "parcel"})
    assert parcel_communities(tiny.reference, some) == (ids[0], ids[2])
    most = SortingSettings(packing="parcel", packing_by_community={ids[1]: "box"})
    assert parcel_communities(tiny.reference, most) == tuple(name for name in ids if name != ids[1])


def test_parcels_have_a_label_per_household_order(
    tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan, tmp_path: Path, monkeypatch: object
) -> None:
    """With the orders at the cutoff every parcel community has labels by order; before it everybody has boxes."""
    day = cutoff_plan.summary.delivery_date
    orders = tiny.order_lines[tiny.order_lines["delivery_date"].dt.date == day]
    packing = SortingSettings(packing="parcel")
    seen: list[int] = []
    kept = papers.slot_labels

    def counted(*given: object, **named: object) -> object:
        table = kept(*given, **named)  # type: ignore[arg-type]
        seen.append(int((table["order_id"] != "").sum()))
        return table

    monkeypatch.setattr(papers, "slot_labels", counted)  # type: ignore[attr-defined]
    zone = desk.settings.city.timezone
    write_papers(cutoff_plan, tiny.reference, tmp_path / "a", timezone=zone, orders=orders, packing=packing)
    write_papers(cutoff_plan, tiny.reference, tmp_path / "b", timezone=zone, packing=packing)
    assert seen[0] > 0
    assert seen[1] == 0
