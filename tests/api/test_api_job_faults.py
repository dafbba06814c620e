"""A database or disk that is away for a while: a job ends as done or as failed with its cause, never not at all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import api.jobs.patience
import api.jobs.steps
from api.jobs import work
from api.jobs.patience import WorkerEndedError, insist
from api.jobs.shelf import Shelf
from api.jobs.work import Bench
from api.records.jobs import JobBook, JobRecord, JobState
from contracts.errors import ConflictError, NotFoundError, StorageFullError, StoreError
from pipeline.training import Training

ASKED = {"delivery_date": "2026-04-22", "as_of": "2026-04-21T15:00:00Z"}


def asked(bench: Bench) -> str:
    """Write a job down and return its id."""
    return bench.records.jobs.ask("plan", {}, requested_by="k")[0].job_id


def two_stages(bench: Bench, job: JobRecord) -> dict[str, Any]:
    """Do the work of a small job: report, two stages, an outcome."""
    step, progress = work._steps(bench, job), work.Reporter(bench.records, job.job_id)
    progress("input", 0.0)
    units = step("input", lambda: [1, 2, 3])
    progress("sum", 0.5)
    return {"plan_id": str(step("sum", lambda: sum(units)))}


@pytest.mark.skipif("TUANCAI_TEST_POSTGRES" in os.environ, reason="PostgreSQL has no lock on the whole database")
@pytest.mark.parametrize("moment", ["get", "start", "report", "finish"])
def test_a_database_locked_at_any_moment_of_a_job_delays_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Somebody holds the write lock as the job starts, reports or ends, for longer than a write waits: it is done."""
    job_id, real = asked(bench), getattr(JobBook, moment)
    locks: list[sqlite3.Connection] = []

    def locked_first(*given: Any, **named: Any) -> Any:
        if not locks:
            locks.append(sqlite3.connect(tmp_path / "tuancai.sqlite", isolation_level=None, check_same_thread=False))
            locks[0].execute("BEGIN IMMEDIATE")
            threading.Timer(0.3, lambda: locks[0].execute("ROLLBACK")).start()
        return real(*given, **named)

    monkeypatch.setattr(JobBook, moment, locked_first)
    assert work._run(job_id, two_stages) == "done"
    with closing(locks[0]):
        assert bench.records.jobs.get(job_id).outcome == {"plan_id": "6"}


@pytest.mark.parametrize("refusal", [StorageFullError("The disk is full."), StoreError("The server is gone.")])
@pytest.mark.parametrize("moment", ["get", "start", "report", "finish"])
def test_a_book_that_refuses_for_a_while_gets_every_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, moment: str, refusal: StoreError
) -> None:
    """A full disk or a lost server at any write of the book: the job is done once that is over."""
    job_id, real, calls = asked(bench), getattr(JobBook, moment), [0]

    def refused(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] <= 4:
            raise refusal
        return real(*given, **named)

    monkeypatch.setattr(JobBook, moment, refused)
    assert work._run(job_id, two_stages) == "done"


@pytest.mark.parametrize(("times", "state"), [(2, "done"), (99, "failed")])
@pytest.mark.parametrize("moment", ["work", "shelf"])
def test_a_stage_is_tried_again_and_then_fails_with_its_cause(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, moment: str, times: int, state: str
) -> None:
    """A disk that is full for a moment costs a moment; one that stays full is the job's problem, by name."""
    calls, worked, put = [0], [0], Shelf.put

    def full() -> None:
        calls[0] += 1
        if calls[0] <= times:
            raise StorageFullError("The disk is full: no room for a stage.")

    def stage() -> int:
        worked[0] += 1
        if moment == "work":
            full()
        return 7

    def shelve(self: Shelf, name: str, value: Any) -> str:
        if moment == "shelf":
            full()
        return put(self, name, value)

    monkeypatch.setattr(Shelf, "put", shelve)
    job_id = asked(bench)
    assert work._run(job_id, lambda b, job: {"plan_id": str(work._steps(b, job)("stage", stage))}) == state
    job = bench.records.jobs.get(job_id)
    if state == "failed":
        assert (job.problem or {})["type"].endswith("storage-full")
        assert "no room for a stage" in (job.problem or {})["detail"]
    if moment == "shelf":
        assert worked[0] == 1  # what was worked out is not worked out again because it was not kept


def test_an_end_the_book_never_takes_is_a_failure_with_its_cause(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome cannot be written however often it is tried: the job has failed, and why is there."""

    def never(*_given: object) -> bool:
        raise StoreError("The database failed: a character it does not take.")

    monkeypatch.setattr(JobBook, "finish", never)
    monkeypatch.setattr(work, "BOOK_TRIES", 3)
    job_id = asked(bench)
    assert work._run(job_id, two_stages) == "failed"
    assert "a character it does not take" in (bench.records.jobs.get(job_id).problem or {})["detail"]


def test_what_waiting_does_not_mend_comes_at_once() -> None:
    """A thing that is not there and a thing that is there with other content are told after one try."""
    tries = [0]

    def lost() -> None:
        tries[0] += 1
        raise NotFoundError("plan", "P")

    def other() -> None:
        tries[0] += 1
        raise ConflictError("The same key with other content.")

    for work_of in (lost, other):
        with pytest.raises(StoreError):
            insist(work_of, "it", tries=5, ended=threading.Event())
    assert tries[0] == 2


def test_a_worker_that_is_told_to_end_does_not_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job it waited with stays open for the next start: neither done nor failed."""

    def away(*_given: object) -> bool:
        raise StoreError("The database is away.")

    monkeypatch.setattr(api.jobs.patience, "FIRST_PAUSE_S", 60.0)
    monkeypatch.setattr(JobBook, "finish", away)
    job_id = asked(bench)
    threading.Timer(0.3, bench.ended.set).start()
    with pytest.raises(WorkerEndedError):
        work._run(job_id, two_stages)
    assert bench.records.jobs.get(job_id).state is JobState.RUNNING


_HURRIED = """
    import os, signal, sys
    import store.database.engine
    store.database.engine._BUSY_MILLISECONDS = 50
    from api.jobs import work, worker
    from contracts.settings import Settings

    def ended(job_id, task, run=work._run):
        state = run(job_id, task)
        os.kill(os.getpid(), signal.SIGTERM)
        return state

    work._run = ended
    worker.run_worker(Settings.model_validate_json(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.skipif("TUANCAI_TEST_POSTGRES" in os.environ, reason="PostgreSQL has no lock on the whole database")
def test_a_plan_is_made_though_the_database_is_locked_again_and_again(
    tmp_path: Path, trained_folder: Path, settings_in: Any, service_on: Any, copied_city: Any
) -> None:
    """Somebody holds the write lock half of the time, longer than a write waits: the job is done, once."""
    folder = tmp_path / "city"
    copied_city(trained_folder, folder)
    settings = settings_in(folder)
    with service_on(settings) as admin, closing(sqlite3.connect(folder / "tuancai.sqlite", timeout=30)) as other:
        other.isolation_level = None
        job_id = admin.post("/v1/plans", json=ASKED).json()["job_id"]
        worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(_HURRIED), settings.model_dump_json()])
        try:
            until, locks = time.monotonic() + 180, 0
            while not admin.get(f"/v1/jobs/{job_id}").json()["started_at"] and time.monotonic() < until:
                time.sleep(0.05)
            while worker.poll() is None and time.monotonic() < until:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(0.25)
                other.execute("ROLLBACK")
                locks += 1
                time.sleep(0.2)
        finally:
            worker.kill()
            worker.wait()
        job = admin.get(f"/v1/jobs/{job_id}").json()
        assert (job["state"], locks > 3) == ("done", True), job
        assert admin.get("/v1/plans").json()["total"] == 1


class Killed(BaseException):
    """The process is gone."""


def test_a_training_that_comes_back_does_not_learn_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it registers what it learned, a training goes on from there; what was learned is on the shelf."""
    recorded, done = dict[str, Any](), list[str]()

    def run_step(options: dict[str, str], step: Callable[[], Any]) -> Any:
        name = options["name"]
        recorded[name] = recorded[name] if name in recorded else step()
        return recorded[name]

    def fit(*_given: object, **_named: object) -> str:
        done.append("fit")
        return "both models"

    def register(_registries: object, fitted: str, *_given: object) -> Training:
        done.append(f"register {fitted}")
        if len(done) == 2:
            raise Killed
        day = pd.Timestamp("2026-03-01")
        return Training("3", "4", trained_until=day, scores=pd.DataFrame(), serves=True)

    monkeypatch.setattr(api.jobs.steps, "DBOS", SimpleNamespace(run_step=run_step))
    monkeypatch.setattr(work, "fit_models", fit)
    monkeypatch.setattr(work, "register_models", register)
    monkeypatch.setattr(bench.desk, "registries", None, raising=False)
    job_id = bench.records.jobs.ask("train", {"until": None}, requested_by="k")[0].job_id
    with pytest.raises(Killed):
        work._run(job_id, work._train)
    assert work._run(job_id, work._train) == "done"
    assert done == ["fit", "register both models", "register both models"]
    assert (bench.records.jobs.get(job_id).outcome or {})["demand_version"] == "3"
