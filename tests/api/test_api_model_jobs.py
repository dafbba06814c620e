"""Backtests, promotions and rollbacks as jobs: results as lists, a change made once, who may, what is written down."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from api.jobs import model_work
from contracts.errors import ConflictError
from forecast.registry import RunRecord
from pipeline.desk import PlanningDesk
from pipeline.progress import silent

SMALL = {"models": ["seasonal_naive", "moving_average"], "origins": 2, "horizon": 3}


def later(desk: PlanningDesk, *, days: int) -> str:
    """Register the champion once more as if learned so many days later, with an order book model."""
    one = desk.registries.demand.load("1").model
    version = desk.registries.demand.log(replace(one, trained_until=one.trained_until + pd.Timedelta(days=days)))
    book = desk.registries.book.log(desk.registries.book.load("1").model, record=RunRecord())
    desk.registries.demand.tag(version, "trained_with", book)
    return version


class Steps:
    """Steps of a job that are kept, as the durable queue keeps them."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def __call__(self, name: str, work: Any) -> Any:
        """Do a step once."""
        if name not in self.kept:
            self.kept[name] = work()
        return self.kept[name]


def test_a_backtest_is_asked_for_watched_and_read(keys: dict[str, Any]) -> None:
    """A data scientist gets a job, its tables as JSON and CSV; a planner may read them; a lead may not."""
    scientist = keys["data_scientist"]
    job = scientist.job(scientist.post("/v1/models/backtests", json=SMALL), seconds=300)
    assert job["state"] == "done", job
    summary = scientist.get(job["links"]["summary"]).json()
    assert {row["model"] for row in summary["items"]} == set(SMALL["models"])
    place = f"/v1/models/backtests/{job['job_id']}"
    assert {row["by"] for row in keys["planner"].get(f"{place}/scores", params={"limit": 1000}).json()["items"]} == {
        "all",
        "category",
        "band",
        "lead",
    }
    assert scientist.get(f"{place}/coverage.csv").text.lstrip("\ufeff").startswith("model,level,by,group,quantile")
    assert keys["warehouse_lead"].get(f"{place}/summary").status_code == 403
    assert scientist.get(f"{place}/nothing").status_code == 422
    assert scientist.get("/v1/models/backtests/none/summary").status_code == 404


def test_a_backtest_of_an_unknown_member_fails_with_its_name(keys: dict[str, Any]) -> None:
    """The job ends with a problem that says which members there are."""
    scientist = keys["data_scientist"]
    job = scientist.job(scientist.post("/v1/models/backtests", json=SMALL | {"models": ["crystal_ball"]}), seconds=120)
    assert job["state"] == "failed"
    assert "crystal_ball" in job["problem"]["detail"]
    assert scientist.get(f"/v1/models/backtests/{job['job_id']}/summary").status_code == 409
    for wrong in ({"origins": 0}, {"horizon": 61}, {"models": []}, {"models": ["A B"]}, {"days": 3}):
        assert scientist.post("/v1/models/backtests", json=SMALL | wrong).status_code == 422


def test_who_ends_which_job(copied: Any) -> None:
    """A data scientist ends jobs about models and no plan; a planner ends both; a lead none."""
    made = {
        role: type(copied)(copied.client, copied.post("/v1/keys", json={"name": role, "role": role}).json()["key"])
        for role in ("planner", "data_scientist")
    }
    scientist = made["data_scientist"]
    asked = {"delivery_date": "2026-04-22", "as_of": "2026-04-21T10:00:00Z"}
    plan = copied.post("/v1/plans", json=asked).json()["job_id"]
    jobs = [scientist.post("/v1/models/backtests", json=SMALL).json()["job_id"] for _ in range(2)]
    assert scientist.post(f"/v1/jobs/{plan}/cancel").status_code == 403
    assert scientist.post(f"/v1/jobs/{jobs[0]}/cancel").json()["state"] == "cancelled"
    assert made["planner"].post(f"/v1/jobs/{jobs[1]}/cancel").json()["state"] == "cancelled"
    headers = {"Idempotency-Key": "once"}
    twice = [scientist.post("/v1/models/rollback", json={}, headers=headers).json()["job_id"] for _ in range(2)]
    assert len(set(twice)) == 1
    assert made["planner"].post("/v1/models/rollback", json={}).status_code == 403


def test_promote_and_roll_back_once_however_often_the_job_runs(copied: Any) -> None:
    """The pair changes, is listed and written down; a job cut off after its change neither repeats nor reverses it."""
    service = copied.client.app.state.service
    desk: PlanningDesk = service.desk
    later(desk, days=30)
    audit = service.records.audit
    job: Any = SimpleNamespace(job_id="j1", requested_by="k1", request={"note": "spring"})
    done = model_work.promote(desk, audit, job, Steps(), silent)
    assert "without a contest: the champion's training is 30 days older" in done["sentence"]
    assert done["serving"] == "demand 2, book 2"
    assert copied.get("/v1/models/serving").json()["version"] == "demand 2, book 2"
    newest = copied.get("/v1/models").json()[0]
    assert newest["book_version"] == "2"
    assert newest["decision"].endswith("(by k1, who says: spring)")

    cut = Steps()
    cut.kept["input"] = {"champion": "1", "challenger": "2"}
    desk.registries.book.appoint("1", reason="the test cuts off")  # cut off between the two
    again = model_work.promote(desk, audit, job, cut, silent)
    assert again["serving"] == "demand 2, book 2"

    steps = Steps()
    back = model_work.roll_back(desk, audit, job, steps, silent)
    assert back["serving"] == "demand 1, book 1"
    del steps.kept["rollback"]  # cut off before the step was kept
    desk.registries.book.appoint("2", reason="the test cuts off")  # the pair is split, too
    told = len(audit.entries(actions=("roll back models",)))
    assert model_work.roll_back(desk, audit, job, steps, silent)["serving"] == "demand 1, book 1"
    assert len(audit.entries(actions=("roll back models",))) == told + 1
    actions = copied.get("/v1/audit").json()["items"]
    assert {"promote models", "roll back models"} <= {row["action"] for row in actions if row["subject"] == "models"}


def test_a_job_that_comes_back_leaves_what_people_decided_since(copied: Any) -> None:
    """A person changed the models since its change, or trained another one: the job acts no second time."""
    service = copied.client.app.state.service
    desk: PlanningDesk = service.desk
    audit = service.records.audit
    later(desk, days=30)
    job: Any = SimpleNamespace(job_id="j1", requested_by="k1", request={})
    steps = Steps()
    model_work.promote(desk, audit, job, steps, silent)
    del steps.kept["promote"]
    desk.rollback(by="a person")
    with pytest.raises(ConflictError, match="somebody let 1 serve"):
        model_work.promote(desk, audit, job, steps, silent)
    desk.promote(by="a person")
    back: Any = SimpleNamespace(job_id="j2", requested_by="k1", request={})
    steps = Steps()
    model_work.roll_back(desk, audit, back, steps, silent)
    del steps.kept["rollback"]
    desk.promote(by="a person")
    with pytest.raises(ConflictError, match="somebody let 2 serve"):
        model_work.roll_back(desk, audit, back, steps, silent)
    new: Any = SimpleNamespace(job_id="j3", requested_by="k1", request={})
    steps = Steps()
    steps.kept["input"] = {"champion": "1", "challenger": "3"}
    later(desk, days=60)
    later(desk, days=90)
    with pytest.raises(ConflictError, match=r"3 was the challenger.*now 4 is"):
        model_work.promote(desk, audit, new, steps, silent)
    assert [one.version_of("champion") for one in (desk.registries.demand, desk.registries.book)] == ["2", "2"]


def test_a_refused_promotion_is_a_failed_job_with_the_figures(admin: Any) -> None:
    """The newest model serves already: the job fails, says so, and so does the audit log."""
    job = admin.job(admin.post("/v1/models/promote", json={"note": "try"}), seconds=60)
    assert job["state"] == "failed"
    assert "serves already" in job["problem"]["detail"]
    entry = next(row for row in admin.get("/v1/audit").json()["items"] if row["action"] == "refuse to promote models")
    assert "serves already" in str(entry["facts"])
    back = admin.job(admin.post("/v1/models/rollback", json={}), seconds=60)
    assert back["state"] == "failed"
    assert "nothing to roll back to" in back["problem"]["detail"]
