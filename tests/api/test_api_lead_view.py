"""What a warehouse lead sees of a plan of several warehouses with depots: the own rows, no costs, no sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from contracts.what_if import WhatIf
from pipeline.desk import PlanningDesk
from pipeline.plan import NightPlan

BASES = {"W1": "W1", "D1": "W1", "W2": "W2", "D9": "W2"}
"""Base to the warehouse it belongs to."""
SECRET = "W2 buys S5 from supplier V2 at 20 yuan"


@pytest.fixture(scope="module")
def night(copied_once: Any) -> dict[str, Any]:
    """Give a plan whose vans start from two warehouses and two depots, and who asks about it."""
    service = copied_once.client.app.state.service
    desk: PlanningDesk = service.desk
    places = [{"warehouse_id": w, "name": w, "latitude": 30.0, "longitude": 120.0} for w in ("W1", "W2")]
    depots = [
        {"depot_id": depot, "warehouse_id": BASES[depot], "name": depot, "latitude": 30.0, "longitude": 120.05}
        | {"opens_at": "03:30"}
        for depot in ("D1", "D9")
    ]
    for table, rows in (("warehouses", places), ("depots", depots)):
        report = copied_once.post(f"/v1/reference/{table}", json={"rows": rows}).json()
        assert report["rows_accepted"] == 2, report
    day, evening = pd.Timestamp("2026-04-22").as_unit("us"), pd.Timestamp("2026-04-21T10:00Z").as_unit("us")
    plan = desk.plan(day, evening)
    summary = plan.summary.model_copy(
        update={
            "plan_id": "20260422-two",
            "warnings": (SECRET,),
            "fallbacks": (SECRET,),
            "what_if": WhatIf(without_suppliers=("V2",)),
            "stages": tuple(s.model_copy(update={"explanation": (SECRET,)}) for s in plan.summary.stages),
        }
    )
    desk.store.save_plan(summary.plan_id, summary, dict(spread(plan)))
    made = copied_once.post("/v1/keys", json={"name": "l", "role": "warehouse_lead", "warehouse_id": "W1"}).json()
    lead = type(copied_once)(copied_once.client, made["key"])
    return {"plan": summary.plan_id, "lead": lead, "admin": copied_once, "real": plan.summary.plan_id}


def spread(plan: NightPlan) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a plan's tables with its rows once per base, or per warehouse."""
    left_out = {"destination_id": list(BASES), "base_id": list(BASES), "reason": "no van", "cure": "one more"}
    for name, table in plan.tables():
        if name in ("trips", "route_stops"):
            parts = [table.assign(base_id=base, route_id=base + "-" + table["route_id"]) for base in BASES]
            yield name, pd.concat(parts, ignore_index=True)
        elif name in ("wave_loads", "sorting_tasks"):
            yield name, pd.concat([table.assign(warehouse_id=w) for w in ("W1", "W2")], ignore_index=True)
        elif name == "unserved":
            yield name, pd.DataFrame(left_out).assign(cure_yuan=1.0)
        else:
            yield name, table


@pytest.mark.parametrize("name", ["routes", "stops", "unserved"])
def test_the_lead_sees_the_own_warehouse_and_its_depots(night: dict[str, Any], name: str) -> None:
    """Trips, stops and places left out of W1 and D1, in every form; those of W2 and D9 never."""
    path = f"/v1/plans/{night['plan']}/{name}"
    assert {row["base_id"] for row in night["admin"].get(path).json()["items"]} == set(BASES)
    assert {row["base_id"] for row in night["lead"].get(path).json()["items"]} == {"W1", "D1"}
    text = night["lead"].get(f"{path}.csv").text
    assert "D1" in text
    assert "W2" not in text
    assert "D9" not in text


@pytest.mark.parametrize("name", ["routes", "stops"])
def test_a_base_can_be_asked_for(night: dict[str, Any], name: str) -> None:
    """An own depot is shown alone, another warehouse's is 403; others see what they ask for."""
    path = f"/v1/plans/{night['plan']}/{name}"
    for asker, allowed in ((night["lead"], {"W1", "D1"}), (night["admin"], set(BASES))):
        for base in BASES:
            answer = asker.get(path, params={"base_id": base})
            if base in allowed:
                assert {row["base_id"] for row in answer.json()["items"]} == {base}
            else:
                assert answer.status_code == 403


@pytest.mark.parametrize("name", ["loads", "sorting"])
def test_floors_are_the_own_warehouses(night: dict[str, Any], name: str) -> None:
    """Loads and assignments of W1 only, although W2 has as many."""
    path = f"/v1/plans/{night['plan']}/{name}"
    own, every = (night[who].get(path, params={"limit": 10_000}).json()["items"] for who in ("lead", "admin"))
    assert {row["warehouse_id"] for row in own} == {"W1"}
    assert len(every) == 2 * len(own)


def test_the_plan_itself_tells_the_lead_no_costs_and_no_sentences(night: dict[str, Any]) -> None:
    """Status and seconds stay; yuan, units of the city, warnings, explanations and what-ifs are left out."""
    path = f"/v1/plans/{night['plan']}"
    told, shown = night["admin"].get(path).json(), night["lead"].get(path).json()
    assert told["summary"]["costs_yuan"]["total"] > 0
    summary = shown["summary"]
    assert (summary["costs_yuan"], summary["demand_units"]) == ({}, {})
    assert (summary["warnings"], summary["fallbacks"]) == ([], [])
    assert {stage["cost_yuan"] for stage in summary["stages"]} == {None}
    assert [s["status"] for s in summary["stages"]] == [s["status"] for s in told["summary"]["stages"]]
    text = night["lead"].get(path).text
    assert "supplier V2" not in text
    assert '"V2"' not in text
    for link in shown["links"].values():
        if not link.endswith("/people"):  # W2 of this made-up plan has no floor to book people for
            assert night["lead"].get(link).status_code == 200, link


def test_the_list_of_plans_tells_the_lead_no_costs(night: dict[str, Any]) -> None:
    """Null in JSON, nothing in the export; that a plan is a what-if is told, not which."""
    head = next(p for p in night["lead"].get("/v1/plans").json()["items"] if p["plan_id"] == night["plan"])
    assert (head["total_yuan"], head["final_units"], head["warnings"]) == (None, None, None)
    assert head["what_if"] == "other circumstances"
    whole = next(p for p in night["admin"].get("/v1/plans").json()["items"] if p["plan_id"] == night["plan"])
    assert whole["total_yuan"] > 0
    assert "V2" in whole["what_if"]
    assert str(whole["total_yuan"]) not in night["lead"].get("/v1/plans.csv").text


def test_people_to_book_are_the_own_ones(night: dict[str, Any]) -> None:
    """Floors of W1 and vans of its bases, and the sentences about these: what others lack is not the lead's."""
    city = night["admin"].get(f"/v1/plans/{night['real']}/people").json()
    shown = night["lead"].get(f"/v1/plans/{night['real']}/people").json()
    assert {row["warehouse_id"] for row in shown["floors"]} == {"W1"}
    assert {row["base_id"] for row in shown["vans"]} <= {"W1", "D1"}
    assert shown["warnings"] == [told for told in city["warnings"] if " W1 " in told or " D1 " in told]
    assert not [told for told in shown["warnings"] if "W2" in told or "D2" in told]


def test_pages_tell_the_lead_no_costs(night: dict[str, Any]) -> None:
    """The list has no totals and no jobs; the plan has no warnings, and the own routes only."""
    client = TestClient(night["admin"].client.app)
    client.post("/login", data={"key": night["lead"].key})
    listed, page = client.get("/").text, client.get(f"/plans/{night['plan']}").text
    assert night["plan"] in listed
    for words in ("total, yuan", "Latest jobs", "expected units"):
        assert words not in listed
        assert words in admin_page(night)
    assert SECRET not in page
    assert "D1-" in page
    assert "D9-" not in page
    assert "W2-" not in page


def admin_page(night: dict[str, Any]) -> str:
    """Return the list of plans as the admin sees it."""
    client = TestClient(night["admin"].client.app)
    client.post("/login", data={"key": night["admin"].key})
    return client.get("/").text
