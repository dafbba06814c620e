"""Plans on request: the job, the plan it leaves, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from api.routes.jobs import Job
from api.routes.plans import PlanPage, PlanShown

ASKED = {"delivery_date": "2026-04-22", "as_of": "2026-04-21T18:00:00+08:00"}


def test_plan_request_is_a_job_that_ends_in_a_plan(admin: Any) -> None:
    """202 with Location; the job reports stages and links to the plan when it is done."""
    answer = admin.post("/v1/plans", json=ASKED)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json()['job_id']}"
    job = Job.model_validate(admin.job(answer))
    assert (job.state, job.stage, job.fraction) == ("done", "done", 1.0)
    shown = PlanShown.model_validate(admin.get(job.links["plan"]).json())
    assert str(shown.summary.delivery_date) == "2026-04-22"
    assert [stage.stage for stage in shown.summary.stages] == ["purchase", "sorting", "routing"]


def test_the_same_request_gives_the_same_plan(admin: Any, plan_id: str) -> None:
    """Planning again from the same input ends in the same plan, not in a second one."""
    before = admin.get("/v1/plans").json()["total"]
    job = admin.job(admin.post("/v1/plans", json=ASKED))
    assert job["outcome"]["plan_id"] == plan_id
    assert admin.get("/v1/plans").json()["total"] == before


def test_plans_are_listed_by_date(admin: Any, plan_id: str) -> None:
    """The list shows the plan under its date and not under another."""
    page = PlanPage.model_validate(admin.get("/v1/plans", params={"delivery_date": "2026-04-22"}).json())
    assert plan_id in {plan.plan_id for plan in page.items}
    assert admin.get("/v1/plans", params={"delivery_date": "2026-04-21"}).json()["total"] == 0
    assert admin.get("/v1/plans", params={"limit": 1, "offset": 10_000}).json()["items"] == []


def test_links_of_a_plan_lead_somewhere(admin: Any, plan_id: str) -> None:
    """Every link in a plan answers."""
    for link in admin.get(f"/v1/plans/{plan_id}").json()["links"].values():
        assert admin.get(link).status_code == 200, link


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"delivery_date": "2026-02-30"}, "body.delivery_date"),
        ({"delivery_date": None}, "body.delivery_date"),
        ({"as_of": "2026-04-21T18:00:00"}, "body.as_of"),
        ({"as_of": "soon"}, "body.as_of"),
        ({"as_of": "9999-12-31T23:59:59+00:00"}, "body.as_of"),
        ({"after": "../etc"}, "body.after"),
        ({"whatever": 1}, "body.whatever"),
    ],
)
def test_plan_request_with_bad_fields_is_refused(admin: Any, change: dict[str, Any], field: str) -> None:
    """A bad date, a moment without a zone or an unknown field is 422 and named."""
    answer = admin.post("/v1/plans", json={**ASKED, **change})
    assert answer.status_code == 422
    assert field in {wrong["field"] for wrong in answer.json()["fields"]}


def test_unknown_plan_is_404(admin: Any) -> None:
    """Every path under an unknown plan is a 404 problem that names it."""
    for path in ("", "/loads", "/sorting", "/routes", "/suppliers", "/tables", "/tables/trips", "/state"):
        answer = admin.get(f"/v1/plans/20000101-none{path}")
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert "20000101-none" in answer.json()["detail"]
    assert admin.post("/v1/plans", json={**ASKED, "after": "20000101-none"}).status_code == 404


def test_as_of_before_orders_open_fails_with_its_reason(admin: Any) -> None:
    """A moment before orders open is an input problem of the job."""
    asked = {"delivery_date": "2026-04-22", "as_of": "2026-04-01T18:00:00+08:00"}
    job = admin.job(admin.post("/v1/plans", json=asked))
    assert job["state"] == "failed"
    assert "orders open" in job["problem"]["detail"]
