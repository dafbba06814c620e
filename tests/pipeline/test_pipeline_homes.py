"""What a free assignment of communities would save, for a night's goods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from contracts.solve import SolveStatus
from contracts.world import World
from pipeline.desk import PlanningDesk
from pipeline.homes import homes_of
from pipeline.plan import NightPlan
from pipeline.route_papers import write_route_papers


def _second_warehouse(world: World) -> World:
    """Return the world with a second warehouse ten kilometres north, with the first one's floors and vans."""
    reference = world.reference
    base = reference.warehouses.iloc[[0]]
    old = str(base["warehouse_id"].iloc[0])
    vans = reference.vehicle_types[reference.vehicle_types["base_id"] == old]
    zones = reference.warehouse_zones[reference.warehouse_zones["warehouse_id"] == old]
    return replace(
        world,
        reference=replace(
            reference,
            warehouses=pd.concat(
                [reference.warehouses, base.assign(warehouse_id="W9", name="W9", latitude=base["latitude"] + 0.09)],
                ignore_index=True,
            ),
            warehouse_zones=pd.concat([reference.warehouse_zones, zones.assign(warehouse_id="W9")], ignore_index=True),
            vehicle_types=pd.concat(
                [
                    reference.vehicle_types,
                    vans.assign(base_id="W9", vehicle_type_id="W9-" + vans["vehicle_type_id"]),
                ],
                ignore_index=True,
            ),
        ),
    )


def test_people_and_vans_are_weighed_and_the_paper_is_written(
    tiny: World, desk: PlanningDesk, cutoff_plan: NightPlan, tmp_path: Path
) -> None:
    """A far warehouse beside the present one: an answer with a bound, never dearer; a workbook and a load chart."""
    reference = _second_warehouse(tiny).reference
    found = homes_of(reference, cutoff_plan.allotments, desk.settings)
    assert found.report.status == SolveStatus.FEASIBLE
    assert found.costs_free["total"] <= found.costs_now["total"] + 1e-6
    assert found.report.bound_yuan == pytest.approx(found.costs_free["total"], rel=2e-3)
    served = set(cutoff_plan.allotments.loc[cutoff_plan.allotments["allotted_units"] > 0, "community_id"])
    assert set(found.homes["place_id"]) == served
    written = write_route_papers(cutoff_plan, reference, tmp_path, settings=desk.settings)
    names = {path.name for path in written}
    assert {"free_homes.xlsx", "load_chart.png", "map.png", "map.html", "routes.geojson"} <= names
