"""After a plan is out: progress of the floor, a revision that can be published, people to book."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from api.jobs.late import late_changes
from api.paging import page_model
from api.routes.revisions import BookingShown, HomesShown, ShortageRow
from pipeline.revise import Revision

DAY = "2026-04-22"
KEY = ("warehouse_id", "temperature_zone", "wave", "station", "slot", "sku_id")


@pytest.fixture(scope="module")
def night(
    tmp_path_factory: Any, trained_folder: Any, settings_in: Any, service_on: Any, copied_city: Any
) -> Iterator[dict[str, Any]]:
    """Publish a plan, report its first wave with one damaged unit, revise it as of the end of that wave."""
    folder = tmp_path_factory.mktemp("revised") / "city"
    copied_city(trained_folder, folder)
    with service_on(settings_in(folder)) as admin:
        service = admin.client.app.state.service

        def revise(plan_id: str, asked: dict[str, Any]) -> Revision:
            """Ask for a revision as a client does, then do what a worker would."""
            job = admin.post(f"/v1/plans/{plan_id}/revisions", json=asked).json()
            late = late_changes(job["request"], service.store, service.records)
            moment = pd.Timestamp(job["request"]["as_of"]).tz_convert("UTC").as_unit("us")
            made: Revision = service.desk.revise(plan_id, late, as_of=moment)
            return made

        day, moment = pd.Timestamp(DAY).as_unit("us"), pd.Timestamp("2026-04-21 15:00", tz="UTC").as_unit("us")
        plan_id = service.desk.plan(day, moment).summary.plan_id
        for step in ("approve", "publish"):
            assert admin.post(f"/v1/plans/{plan_id}/{step}").status_code == 200
        tasks = admin.get(f"/v1/plans/{plan_id}/sorting", params={"limit": 1000}).json()["items"]
        end = min(task["ends_at"] for task in tasks)
        ended = [task for task in tasks if task["ends_at"] <= end]
        report = [{name: task[name] for name in KEY} | {"units_done": task["units"]} for task in ended]
        report[0] |= {"units_done": report[0]["units_done"] - 1.0, "damaged_units": 1.0}
        told = admin.post(f"/v1/plans/{plan_id}/sorting/progress", json={"tasks": report})
        gone = tasks[-1]["destination_id"]
        yield {
            "admin": admin,
            "plan": plan_id,
            "told": told,
            "report": report,
            "revise": revise,
            "made": revise(plan_id, {"as_of": end, "cancelled": [gone]}),
            "gone": gone,
            "end": end,
            "tasks": tasks,
        }


def test_short_damaged_and_over_are_kept(night: dict[str, Any]) -> None:
    """Each figure comes back as it was reported; a task cannot account for more than it has."""
    admin, path = night["admin"], f"/v1/plans/{night['plan']}/sorting/progress"
    assert night["told"].status_code == 200
    rows = {tuple(row[k] for k in KEY): row for row in admin.get(path).json()["tasks"]}
    first = night["report"][0]
    kept = rows[tuple(first[k] for k in KEY)]
    assert (kept["damaged_units"], kept["short_units"], kept["over_units"]) == (1.0, 0.0, 0.0)
    more = first | {"short_units": first["units_done"] + 1.0}
    answer = admin.post(path, json={"tasks": [more]})
    assert answer.status_code == 422
    assert answer.json()["failures"][0]["rule"] == "at most the task's units"


def test_a_revision_is_a_plan_that_can_be_published(night: dict[str, Any]) -> None:
    """It builds on the plan, the cancelled community is gone, stations pull only what changed."""
    admin, made = night["admin"], night["made"]
    revised = made.plan.summary.plan_id
    summary = admin.get(f"/v1/plans/{revised}").json()["summary"]
    assert summary["after"] == summary["revises"] == night["plan"]
    assert any("damaged" in sentence for sentence in made.said)
    stops = admin.get(f"/v1/plans/{revised}/stops", params={"limit": 1000}).json()["items"]
    assert night["gone"] not in {stop["community_id"] for stop in stops}
    for step in ("approve", "publish"):
        assert admin.post(f"/v1/plans/{revised}/{step}").status_code == 200
    params = {"delivery_date": DAY, "warehouse_id": "W1", "since": night["plan"]}
    pulled = admin.get("/v1/assignments", params=params).json()
    assert pulled["plan_id"] == revised
    assert len(pulled["tasks"]) < len(night["tasks"])


def test_a_revision_of_a_revision_does_not_count_damage_again(night: dict[str, Any]) -> None:
    """Progress posted on the first plan is known to the second and settled."""
    again = night["revise"](night["made"].plan.summary.plan_id, {"as_of": night["end"]})
    assert not any("damaged" in sentence for sentence in again.said)
    done = night["made"].plan.sorting_tasks["units"].sum()
    assert again.plan.sorting_tasks["units"].sum() == pytest.approx(done)


def test_a_revision_is_a_job(admin: Any, plan_id: str) -> None:
    """It ends in a plan that says what changed; an unknown plan is 404 at once, an unknown community fails the job."""
    asked = {"as_of": "2026-04-21T23:30:00+08:00"}
    assert admin.post("/v1/plans/none/revisions", json=asked).status_code == 404
    job = admin.job(admin.post(f"/v1/plans/{plan_id}/revisions", json=asked))
    assert job["state"] == "done", job
    summary = admin.get(job["links"]["plan"]).json()["summary"]
    assert summary["revises"] == plan_id
    assert job["outcome"]["said"][0] == f"Revises plan {plan_id}."
    strange = admin.job(admin.post(f"/v1/plans/{plan_id}/revisions", json=asked | {"cancelled": ["C99"]}))
    assert strange["state"] == "failed"
    assert "C99" in strange["problem"]["detail"]


def test_one_posted_line_does_not_open_the_others(night: dict[str, Any]) -> None:
    """The others of the wave count as sorted, or as open if the request says; nothing else can be said."""
    service = night["admin"].client.app.state.service
    asked = {"plan_id": night["plan"], "orders": [], "cancelled": [], "frozen": []}
    assert late_changes(asked, service.store, service.records).unreported == "sorted"
    assert late_changes(asked | {"unreported": "open"}, service.store, service.records).unreported == "open"
    wrong = {"as_of": night["end"], "unreported": "maybe"}
    assert night["admin"].post(f"/v1/plans/{night['plan']}/revisions", json=wrong).status_code == 422


def test_people_to_book_and_homes_are_told(keys: dict[str, Any], plan_id: str) -> None:
    """Both answers keep their documented form; a lead sees the own warehouse."""
    admin = keys["admin"]
    booking = BookingShown.model_validate_json(admin.get(f"/v1/plans/{plan_id}/people").content)
    assert {row["quantile"] for row in booking.floors} == {"q50", "q90"}
    homes = HomesShown.model_validate_json(admin.get(f"/v1/plans/{plan_id}/homes").content)
    assert homes.sentence
    own = keys["warehouse_lead"].get(f"/v1/plans/{plan_id}/people").json()["floors"]
    assert {row["warehouse_id"] for row in own} == {"W1"}


def test_shortages_are_told_per_community(admin: Any, plan_id: str) -> None:
    """One notice per community that misses goods, in both languages; the units are those of the allotments."""
    told = admin.get(f"/v1/plans/{plan_id}/shortages", params={"limit": 1000})
    page = page_model(ShortageRow).model_validate_json(told.content)
    rows = admin.get(f"/v1/plans/{plan_id}/tables/allotments", params={"limit": 10_000}).json()["items"]
    short = [row for row in rows if row["short_units"] > 0]
    assert {row["community_id"] for row in short} == {row["community_id"] for row in told.json()["items"]}
    assert sum(row["units"] for row in told.json()["items"]) == pytest.approx(sum(row["short_units"] for row in short))
    english = admin.get(f"/v1/plans/{plan_id}/shortages", params={"language": "en"}).json()["items"]
    assert all("Shortage notice" in row["text"] for row in english)
    assert page.total == len(told.json()["items"])  # type: ignore[attr-defined]


def test_a_lead_pulls_the_papers_of_the_own_warehouse(keys: dict[str, Any], plan_id: str) -> None:
    """Sorting and route papers only, without asking which; another warehouse is 403, none said by others 422."""
    path = f"/v1/plans/{plan_id}/papers/warehouse"
    answer = keys["warehouse_lead"].get(path, params={"language": "en"})
    assert answer.status_code == 200
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert "sorting/W1-sheets.pdf" in names
    assert {name.split("/")[0] for name in names} <= {"sorting", "routes"}
    assert keys["warehouse_lead"].get(path, params={"warehouse_id": "W2"}).status_code == 403
    assert keys["planner"].get(path).status_code == 422
    assert keys["planner"].get(path, params={"warehouse_id": "W9"}).status_code == 404
    assert keys["planner"].get(path, params={"warehouse_id": "W1"}).status_code == 200
    assert keys["warehouse_lead"].get(f"/v1/plans/{plan_id}/papers").status_code == 403


def test_papers_come_in_the_language_asked_for(admin: Any, plan_id: str) -> None:
    """English sheets differ from Chinese ones, the tables do not; a language nobody prints is refused."""
    packed = {}
    for language in ("zh", "en"):
        answer = admin.get(f"/v1/plans/{plan_id}/papers", params={"language": language})
        assert answer.status_code == 200
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        packed[language] = {name: archive.read(name) for name in archive.namelist()}
    assert packed["zh"].keys() == packed["en"].keys()
    differs = {name for name, content in packed["zh"].items() if content != packed["en"][name]}
    assert {name.rsplit("/", 1)[0] for name in differs} <= {"sorting", "routes"}
    assert any(name.endswith("-sheets.pdf") for name in differs)
    assert not any(name.startswith("tables/") for name in differs)
    assert admin.get(f"/v1/plans/{plan_id}/papers", params={"language": "fr"}).status_code == 422
