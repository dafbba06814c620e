"""What goes wrong at night: a worker killed in a stage, a full disk, a torn stage, a job that missed the queue."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from api.jobs.shelf import Shelf
from api.jobs.worker import run_worker
from contracts.errors import StorageFullError, StoreError

ASKED = {"delivery_date": "2026-04-22", "as_of": "2026-04-21T15:00:00Z"}
STAGES = ("input", "forecast", "book", "purchase", "sorting", "routing", "save", "ended")


def wait_for(asker: Any, job_id: str, stage: str, *, seconds: float = 90) -> dict[str, Any]:
    """Return a job once it is at a stage or beyond."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        job: dict[str, Any] = asker.get(f"/v1/jobs/{job_id}").json()
        if job["ended_at"] or (job["stage"] and STAGES.index(job["stage"]) >= STAGES.index(stage)):
            return job
        time.sleep(0.02)
    raise AssertionError(f"{stage} not reached in {seconds} s: {job}")


@pytest.mark.slow
def test_killed_worker_finishes_the_job_from_its_last_stage(
    tmp_path: Path, trained_folder: Path, settings_in: Any, service_on: Any, copied_city: Any
) -> None:
    """kill -9 in the forecast and again in the routes: one plan comes out, and no finished stage is done again."""
    folder = tmp_path / "city"
    copied_city(trained_folder, folder)
    with service_on(settings_in(folder, worker="process")) as admin:
        service = admin.client.app.state.service
        job_id = admin.post("/v1/plans", json=ASKED).json()["job_id"]
        killed = []
        for stage in ("forecast", "routing"):
            job = wait_for(admin, job_id, stage)
            if job["ended_at"]:
                break
            pid = service.worker.pid
            os.kill(pid, signal.SIGKILL)
            killed.append(job["stage"])
            while service.worker.pid in (pid, None):
                time.sleep(0.02)
        job = wait_for(admin, job_id, "ended")
        assert job["state"] == "done", job
        assert killed
        steps = service.queue.steps(job_id)
        assert [step for step, _ in steps] == ["input", "forecast", "book", "purchase", "sorting", "routing"]
        assert [at for _, at in steps] == sorted(at for _, at in steps)
        assert admin.get("/v1/plans").json()["total"] == 1
        until = time.monotonic() + 10  # the shelf is cleared after the job is marked as done, never before
        while (folder / "work" / job_id).exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert not (folder / "work" / job_id).exists()


@pytest.mark.slow
@pytest.mark.skipif("TUANCAI_TEST_POSTGRES" not in os.environ, reason="two workers share a queue on PostgreSQL only")
def test_another_worker_takes_over_from_a_killed_one(
    tmp_path: Path, trained_folder: Path, settings_in: Any, service_on: Any, copied_city: Any
) -> None:
    """Two workers share the queue; one is killed in mid-plan and does not come back; the other ends the job."""
    folder = tmp_path / "city"
    copied_city(trained_folder, folder)
    spawn = multiprocessing.get_context("spawn")
    names = ("east", "west")
    with service_on(settings_in(folder)) as admin:
        workers = {
            name: spawn.Process(
                target=run_worker, args=(settings_in(folder, worker_id=name, worker_silence_s=2.0),), name=name
            )
            for name in names
        }
        for worker in workers.values():
            worker.start()
        try:
            job_id = admin.post("/v1/plans", json=ASKED).json()["job_id"]
            wait_for(admin, job_id, "forecast")
            first = admin.client.app.state.service.queue.runner(job_id)
            workers[first].kill()
            job = wait_for(admin, job_id, "ended", seconds=180)
        finally:
            for worker in workers.values():
                worker.kill()
                worker.join()
        assert job["state"] == "done", job
        assert admin.client.app.state.service.queue.runner(job_id) == ({*names} - {first}).pop()
        assert admin.get("/v1/plans").json()["total"] == 1


def test_job_written_down_but_never_queued_is_queued_at_the_next_start(
    tmp_path: Path, settings_in: Any, service_on: Any
) -> None:
    """A crash between the book and the queue loses no job."""
    settings = settings_in(tmp_path)
    with service_on(settings) as admin:
        service = admin.client.app.state.service
        job, _ = service.records.jobs.ask("plan", {**ASKED, "after": None}, requested_by="k")
        assert service.queue.queued(job.job_id) is False
    with service_on(settings) as admin:
        assert admin.client.app.state.service.queue.queued(job.job_id) is True


def test_stage_is_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was put is taken; a torn or missing file is told, a full disk leaves nothing."""
    shelf = Shelf(tmp_path, "job")
    digest = shelf.put("book", {"units": [1, 2, 3]})
    assert shelf.take("book", digest) == {"units": [1, 2, 3]}
    (tmp_path / "job" / "book.stage").write_bytes(b"torn")
    with pytest.raises(StoreError, match="book"):
        shelf.take("book", digest)

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFullError):
        shelf.put("purchase", "plan")
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["book.stage"]
    shelf.clear()
    assert not (tmp_path / "job").exists()


def test_full_disk_is_507_and_nothing_is_taken_in(copied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import on a full disk is a problem document with status 507."""
    store = copied.client.app.state.service.desk.store

    def full(*_given: object, **_named: object) -> None:
        raise StorageFullError("The disk is full; the write was taken back.")

    monkeypatch.setattr(type(store), "add_order_lines", full)
    answer = copied.post("/v1/orders", json={"lines": [{"order_id": "1"}]})
    assert answer.status_code == 507
    assert answer.json()["type"].endswith("storage-full")


def test_error_nobody_foresaw_is_told_without_its_inside(copied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is a 500 problem with the request id and no trace of the code."""

    def broken(*_given: object, **_named: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(type(copied.client.app.state.service.desk.store), "plan_summaries", broken)
    answer = copied.get("/v1/plans", headers={"X-Request-ID": "trace-1"})
    assert answer.status_code == 500
    assert answer.json()["request_id"] == "trace-1"
    assert "secret" not in answer.text
