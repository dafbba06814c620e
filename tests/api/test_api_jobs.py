"""Jobs: exactly once by idempotency key, ended states stay, progress is told, cancelling ends them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.jobs.work import CancelledJobError, Reporter
from api.records import Records
from api.records.jobs import JobState
from contracts.errors import ConflictError

ASKED = {"delivery_date": "2026-04-22", "as_of": "2026-04-21T10:00:00Z"}


def test_idempotency_key_gives_the_same_job(fresh: Any) -> None:
    """The same key and request is the same job however often sent; another request under it is 409."""
    headers = {"Idempotency-Key": "evening-1"}
    first = fresh.post("/v1/plans", json=ASKED, headers=headers)
    again = fresh.post("/v1/plans", json=ASKED, headers=headers)
    other = fresh.post("/v1/plans", json={**ASKED, "as_of": "2026-04-21T11:00:00Z"}, headers=headers)
    assert first.json()["job_id"] == again.json()["job_id"]
    assert other.status_code == 409
    assert fresh.get("/v1/jobs").json()["total"] == 1
    assert fresh.post("/v1/plans", json=ASKED).json()["job_id"] != first.json()["job_id"]


def test_idempotency_keys_are_per_caller(fresh: Any) -> None:
    """Two callers may use the same key for different things."""
    made = fresh.post("/v1/keys", json={"name": "p", "role": "planner"}).json()["key"]
    headers = {"Idempotency-Key": "same"}
    mine = fresh.post("/v1/plans", json=ASKED, headers=headers).json()["job_id"]
    theirs = type(fresh)(fresh.client, made).post("/v1/plans", json=ASKED, headers=headers).json()["job_id"]
    assert mine != theirs


def test_cancelled_job_never_starts(fresh: Any) -> None:
    """A queued job is cancelled once; a second time is 409, an unknown job 404."""
    job_id = fresh.post("/v1/plans", json=ASKED).json()["job_id"]
    assert fresh.post(f"/v1/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    assert fresh.post(f"/v1/jobs/{job_id}/cancel").status_code == 409
    assert fresh.post("/v1/jobs/none/cancel").status_code == 404
    assert not fresh.client.app.state.service.records.jobs.start(job_id)


def test_jobs_are_listed_by_kind_and_state(fresh: Any) -> None:
    """Filters and pages of the job list."""
    for _ in range(3):
        fresh.post("/v1/plans", json=ASKED)
    fresh.post("/v1/models/train", json={})
    assert fresh.get("/v1/jobs", params={"kind": "plan", "limit": 2}).json()["total"] == 3
    assert [job["kind"] for job in fresh.get("/v1/jobs", params={"kind": "train"}).json()["items"]] == ["train"]
    assert fresh.get("/v1/jobs", params={"state": "done"}).json()["total"] == 0
    assert fresh.get("/v1/jobs", params={"state": "sleeping"}).status_code == 422


def test_events_tell_every_change_until_the_end(admin: Any) -> None:
    """The stream ends with the job's end, versions rise, and fractions never fall."""
    job_id = admin.post("/v1/plans", json={**ASKED, "as_of": "2026-04-21T09:00:00Z"}).json()["job_id"]
    events = admin.get(f"/v1/jobs/{job_id}/events").text.strip().split("\n\n")
    told = [json.loads(e.split("data: ")[1]) for e in events if "data: " in e]
    assert told[-1]["state"] == "done"
    assert [j["version"] for j in told] == sorted({j["version"] for j in told})
    assert [j["fraction"] for j in told] == sorted(j["fraction"] for j in told)
    late = admin.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": str(told[-1]["version"])})
    assert late.text == ""


def test_ended_job_never_changes_again(fresh: Any) -> None:
    """Whatever comes after the end is refused by the book."""
    jobs = fresh.client.app.state.service.records.jobs
    job, new = jobs.ask("plan", {}, requested_by="k")
    assert new
    assert jobs.start(job.job_id)
    assert jobs.finish(job.job_id, {"plan_id": "P"})
    assert not any((jobs.fail(job.job_id, {}), jobs.cancel(job.job_id), jobs.report(job.job_id, "x", 0.1)))
    assert jobs.get(job.job_id).state is JobState.DONE


def test_reporter_stops_a_job_that_was_ended(fresh: Any) -> None:
    """A running job learns at its next report that it was cancelled."""
    records: Records = fresh.client.app.state.service.records
    job, _ = records.jobs.ask("plan", {}, requested_by="k")
    records.jobs.start(job.job_id)
    progress = Reporter(records, job.job_id)
    progress("forecast", 0.5)
    progress("order book", 0.1)
    assert records.jobs.get(job.job_id).fraction == 0.5
    records.jobs.cancel(job.job_id)
    with pytest.raises(CancelledJobError):
        progress("book", 0.0)


def test_book_refuses_another_request_under_the_key(fresh: Any) -> None:
    """The book compares what was asked, not what the service made of it."""
    jobs = fresh.client.app.state.service.records.jobs
    first, _ = jobs.ask("plan", {"after": "P1"}, requested_by="k", idempotency_key="a", asked={"after": None})
    again, new = jobs.ask("plan", {"after": "P2"}, requested_by="k", idempotency_key="a", asked={"after": None})
    assert (again.job_id, new, again.request) == (first.job_id, False, {"after": "P1"})
    with pytest.raises(ConflictError):
        jobs.ask("train", {"after": "P1"}, requested_by="k", idempotency_key="a", asked={"after": None})
