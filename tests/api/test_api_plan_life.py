"""The life of a plan: approve, build on it, publish, supersede; pull what changed and post progress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from api.compare import PlanComparison
from api.routes.assignments import Assignments, ProgressShown
from contracts.errors import InputError
from contracts.what_if import WhatIf

DAY = "2026-04-22"


@pytest.fixture(scope="module")
def life(
    tmp_path_factory: Any, trained_folder: Any, settings_in: Any, service_on: Any, copied_city: Any
) -> Iterator[dict[str, Any]]:
    """Walk a plan and its successor through their states once; tests look at what happened."""
    folder = tmp_path_factory.mktemp("life") / "city"
    copied_city(trained_folder, folder)
    with service_on(settings_in(folder)) as admin:
        desk = admin.client.app.state.service.desk

        def plan(as_of: str) -> str:
            """Ask for a plan as a client does, then do what a worker would."""
            job = admin.post("/v1/plans", json={"delivery_date": DAY, "as_of": as_of}).json()
            day, moment = pd.Timestamp(DAY).as_unit("us"), pd.Timestamp(as_of).tz_convert("UTC").as_unit("us")
            return str(desk.plan(day, moment, after=job["request"]["after"]).summary.plan_id)

        seen: dict[str, Any] = {"admin": admin, "first": plan("2026-04-21T12:00:00+08:00")}
        seen["publish draft"] = admin.post(f"/v1/plans/{seen['first']}/publish")
        seen["approve"] = admin.post(f"/v1/plans/{seen['first']}/approve")
        seen["approve twice"] = admin.post(f"/v1/plans/{seen['first']}/approve")
        seen["publish"] = admin.post(f"/v1/plans/{seen['first']}/publish")
        seen["withdraw published"] = admin.post(f"/v1/plans/{seen['first']}/withdraw")
        params = {"delivery_date": DAY, "warehouse_id": "W1"}
        seen["pull"] = admin.get("/v1/assignments", params=params)
        seen["second"] = plan("2026-04-21T23:00:00+08:00")
        seen["second job"] = admin.get("/v1/jobs", params={"kind": "plan"}).json()["items"][0]
        seen["approve second"] = admin.post(f"/v1/plans/{seen['second']}/approve")
        seen["publish second"] = admin.post(f"/v1/plans/{seen['second']}/publish")
        yield seen


def test_states_follow_each_other(life: dict[str, Any]) -> None:
    """Draft, approved, published, superseded; a step that does not follow is 409."""
    admin = life["admin"]
    assert life["publish draft"].status_code == 409
    assert life["approve"].json()["state"] == "approved"
    assert life["approve twice"].status_code == 409
    assert life["publish"].json()["state"] == "published"
    assert life["withdraw published"].status_code == 409
    assert life["publish second"].json()["state"] == "published"
    first = admin.get(f"/v1/plans/{life['first']}/state").json()
    assert (first["state"], first["superseded_by"]) == ("superseded", life["second"])


def test_a_later_plan_builds_on_the_published_one(life: dict[str, Any]) -> None:
    """The second request named no plan to build on, but the published lines are locked in it."""
    admin = life["admin"]
    assert life["second job"]["request"]["after"] == life["first"]
    lines = [
        admin.get(f"/v1/plans/{life[p]}/purchase-orders", params={"limit": 1000}).json()["items"]
        for p in ("first", "second")
    ]
    sent, later = ({(r["supplier_id"], r["sku_id"]): r["cases"] for r in rows} for rows in lines)
    assert all(later[key] >= cases for key, cases in sent.items())


def test_another_plan_to_build_on_is_refused(life: dict[str, Any]) -> None:
    """While a plan binds the date, a request that builds on another one is 409."""
    asked = {"delivery_date": DAY, "as_of": "2026-04-21T23:00:00+08:00", "after": life["first"]}
    answer = life["admin"].post("/v1/plans", json=asked)
    assert answer.status_code == 409
    assert life["second"] in answer.json()["detail"]


def test_comparison_adds_up(life: dict[str, Any]) -> None:
    """Differences are after minus before, and the parts sum to the total."""
    answer = life["admin"].get(f"/v1/plans/{life['first']}/compare/{life['second']}")
    told = PlanComparison.model_validate_json(answer.content)
    parts = [v for k, v in told.costs_yuan.items() if k != "total"]
    assert sum(v[2] for v in parts) == pytest.approx(told.costs_yuan["total"][2], abs=1e-6)
    assert "order_lines" in told.inputs_changed
    changes = life["admin"].get(f"/v1/plans/{life['first']}/compare/{life['second']}/lines").json()
    assert changes["total"] == told.lines_added + told.lines_removed + told.lines_changed
    same = life["admin"].get(f"/v1/plans/{life['first']}/compare/{life['first']}").json()
    assert (same["lines_added"], same["lines_removed"], same["lines_changed"], same["inputs_changed"]) == (0, 0, 0, [])


def test_pull_gives_all_then_changes_then_nothing(life: dict[str, Any]) -> None:
    """What a station has plus the changes is what a station gets that asks for all; 304 when it is current."""
    admin, params = life["admin"], {"delivery_date": DAY, "warehouse_id": "W1"}
    had = Assignments.model_validate_json(life["pull"].content)
    assert (had.plan_id, had.since, had.removed) == (life["first"], None, [])
    answer = admin.get("/v1/assignments", params=params | {"since": had.plan_id})
    delta = answer.json()
    whole = admin.get("/v1/assignments", params=params).json()["tasks"]
    key = ("warehouse_id", "temperature_zone", "wave", "station", "slot", "sku_id")
    tasks = {tuple(t[k] for k in key): t for t in life["pull"].json()["tasks"]}
    for gone in delta["removed"]:
        del tasks[tuple(gone[k] for k in key)]
    tasks |= {tuple(t[k] for k in key): t for t in delta["tasks"]}
    assert tasks == {tuple(t[k] for k in key): t for t in whole}
    again = admin.get(
        "/v1/assignments", params=params | {"since": had.plan_id}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_progress_is_kept_per_task_and_told_since_a_version(life: dict[str, Any]) -> None:
    """The latest report of a task stands; a later version asks only for what came after it."""
    admin, path = life["admin"], f"/v1/plans/{life['second']}/sorting/progress"
    tasks = admin.get(f"/v1/plans/{life['second']}/sorting", params={"limit": 2}).json()["items"]
    key = ("warehouse_id", "temperature_zone", "wave", "station", "slot", "sku_id")
    done = [{k: t[k] for k in key} | {"units_done": t["units"]} for t in tasks]
    first = admin.post(path, json={"tasks": [done[0] | {"units_done": 0.0, "note": "damaged"}]}).json()["version"]
    second = admin.post(path, json={"tasks": done}).json()["version"]
    assert second == first + 1
    told = ProgressShown.model_validate_json(admin.get(path).content)
    assert [task.units_done for task in told.tasks] == [task["units_done"] for task in done]
    assert admin.get(path, params={"since": second}).json()["tasks"] == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"units_done": 1e9}, "at most the task's units"),
        ({"sku_id": "none"}, "a task of this plan"),
        ({"station": 999}, "a task of this plan"),
    ],
)
def test_progress_on_something_else_is_refused(life: dict[str, Any], change: dict[str, Any], rule: str) -> None:
    """Progress that fits no task is 422, and none of the report is kept."""
    admin, path = life["admin"], f"/v1/plans/{life['second']}/sorting/progress"
    task = admin.get(f"/v1/plans/{life['second']}/sorting", params={"limit": 1}).json()["items"][0]
    key = ("warehouse_id", "temperature_zone", "wave", "station", "slot", "sku_id")
    before = admin.get(path).json()["version"]
    answer = admin.post(path, json={"tasks": [{k: task[k] for k in key} | {"units_done": 1.0} | change]})
    assert answer.status_code == 422
    assert rule in {failure["rule"] for failure in answer.json()["failures"]}
    assert admin.get(path).json()["version"] == before


def test_a_plan_under_other_circumstances_is_labelled_and_never_approved(life: dict[str, Any]) -> None:
    """Its head says what was different; approving it is 409 and says why."""
    admin = life["admin"]
    asked = {"delivery_date": DAY, "as_of": "2026-04-21T20:00:00+08:00", "what_if": {"demand_factor": {"*": 1.2}}}
    job = admin.post("/v1/plans", json=asked).json()
    assert job["request"]["what_if"]["demand_factor"] == {"*": 1.2}
    desk = admin.client.app.state.service.desk
    moment = pd.Timestamp(asked["as_of"]).tz_convert("UTC").as_unit("us")
    change = WhatIf.model_validate(job["request"]["what_if"])
    made = desk.plan(pd.Timestamp(DAY).as_unit("us"), moment, after=job["request"]["after"], change=change)
    heads = admin.get("/v1/plans", params={"delivery_date": DAY}).json()["items"]
    assert {head["what_if"] for head in heads if head["plan_id"] == made.summary.plan_id} == {"demand * x 1.2"}
    refused = admin.post(f"/v1/plans/{made.summary.plan_id}/approve")
    assert refused.status_code == 409
    assert "other circumstances" in refused.json()["detail"]
    with pytest.raises(InputError, match="never sent"):
        desk.night_input(pd.Timestamp(DAY).as_unit("us"), moment, after=made.summary.plan_id)


def test_a_plan_can_begin_from_another_of_its_date(life: dict[str, Any]) -> None:
    """`previous` is named in the job; a plan of another date, or nothing to stay near, is refused."""
    admin = life["admin"]
    asked = {"delivery_date": DAY, "as_of": "2026-04-21T15:00:00+08:00", "begin": "previous", "stay_near": True}
    job = admin.post("/v1/plans", json=asked).json()
    assert (job["request"]["begin"], job["request"]["stay_near"]) == (life["first"], True)
    other = admin.post("/v1/plans", json=asked | {"delivery_date": "2026-04-21", "begin": life["first"]})
    first = admin.post("/v1/plans", json=asked | {"as_of": "2026-04-21T01:00:00+08:00"})
    nothing = admin.post("/v1/plans", json=asked | {"begin": None})
    assert (other.status_code, first.status_code, nothing.status_code) == (409, 404, 409)


def test_a_retry_is_the_same_job_whatever_has_become_of_the_plans(copied: Any) -> None:
    """After another plan was approved the request itself would be refused; under its key it is the job it was."""
    desk = copied.client.app.state.service.desk
    day = pd.Timestamp(DAY).as_unit("us")
    one, other = (
        desk.plan(day, pd.Timestamp(f"{DAY}T{hour}:00:00Z").as_unit("us") - pd.Timedelta(days=1)).summary.plan_id
        for hour in ("04", "06")
    )
    asked = {"delivery_date": DAY, "as_of": "2026-04-21T23:00:00+08:00", "after": one}
    headers = {"Idempotency-Key": "tonight"}
    first = copied.post("/v1/plans", json=asked, headers=headers)
    assert copied.post(f"/v1/plans/{other}/approve").status_code == 200
    assert copied.post("/v1/plans", json=asked).status_code == 409
    again = copied.post("/v1/plans", json=asked, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert (again.json()["job_id"], again.headers["Location"]) == (first.json()["job_id"], first.headers["Location"])
    assert again.json()["request"] == first.json()["request"]
    refused = copied.post("/v1/plans", json=asked | {"after": other}, headers=headers)
    assert refused.status_code == 409
    assert "Idempotency-Key" in refused.json()["detail"]
    assert copied.get("/v1/jobs").json()["total"] == 1
