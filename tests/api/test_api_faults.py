"""What goes wrong at night: kill -9 at every moment of a job and of the service, models gone, clocks that jump."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from api.jobs.worker import run_worker
from api.records import Records
from api.records.progress import FIGURES, TASK_KEY
from api.records.roll_call import RollCall
from contracts.settings import Settings

ASKED = {"delivery_date": "2026-04-22", "as_of": "2026-04-21T15:00:00Z"}
WORKERS = [sys.executable, str(Path(__file__).with_name("dying_workers.py"))]
STAGES = ("input", "forecast", "book", "purchase", "sorting", "routing")


def until_ended(workers: list[str], asker: Any, job_id: str) -> dict[str, Any]:
    """Return a job after the workers have run it to its end."""
    done = subprocess.run(workers, capture_output=True, text=True, timeout=300, check=False)
    job: dict[str, Any] = asker.get(f"/v1/jobs/{job_id}").json()
    assert job["ended_at"], done.stderr[-2000:]
    return job


@pytest.mark.slow
def test_a_job_killed_at_every_moment_ends_with_one_plan(
    tmp_path: Path, trained_folder: Path, settings_in: Any, service_on: Any, copied_city: Any
) -> None:
    """kill -9 as each stage begins, after each result is on the shelf, and after the plan is saved: one plan, each
    stage done once, nothing left over. Then the models are damaged: the next job fails and says why."""
    folder, killed = tmp_path / "city", tmp_path / "killed"
    copied_city(trained_folder, folder)
    killed.write_text("")
    settings = settings_in(folder)
    workers = [*WORKERS, settings.model_dump_json(), str(killed)]
    with service_on(settings) as admin:
        service = admin.client.app.state.service
        lines = len(service.store.order_lines())
        job_id = admin.post("/v1/plans", json=ASKED).json()["job_id"]
        job = until_ended(workers, admin, job_id)
        assert job["state"] == "done", job
        moments = killed.read_text().split()
        assert {f"in-{stage}" for stage in STAGES} | {f"kept-{stage}" for stage in STAGES} <= set(moments)
        assert {"in-save", "saved"} <= set(moments)
        steps = service.queue.steps(job_id)
        assert [step for step, _ in steps] == list(STAGES)
        assert [at for _, at in steps] == sorted(at for _, at in steps)
        assert [plan["plan_id"] for plan in admin.get("/v1/plans").json()["items"]] == [job["outcome"]["plan_id"]]
        assert len(service.store.order_lines()) == lines
        assert not (folder / "work" / job_id).exists()
        shutil.rmtree(folder / "models")
        again = admin.post("/v1/plans", json=ASKED | {"as_of": "2026-04-21T14:00:00Z"}).json()["job_id"]
        failed = until_ended(workers, admin, again)
        assert (failed["state"], admin.get("/v1/plans").json()["total"]) == ("failed", 1)
        assert "tuancai train" in failed["problem"]["detail"]


@pytest.mark.slow
def test_a_revision_killed_at_every_moment_is_one_plan(
    tmp_path: Path, trained_folder: Path, settings_in: Any, service_on: Any, copied_city: Any
) -> None:
    """kill -9 before and after each step and after the plan is saved, when the floor has reported something new: the
    job ends as done, with the one plan that it began to make."""
    folder, killed = tmp_path / "city", tmp_path / "killed"
    copied_city(trained_folder, folder)
    killed.write_text("")
    settings = settings_in(folder)
    with service_on(settings) as admin:
        service = admin.client.app.state.service
        day, moment = pd.Timestamp("2026-04-22").as_unit("us"), pd.Timestamp(ASKED["as_of"]).as_unit("us")
        plan = service.desk.plan(day, moment)
        task = plan.sorting_tasks[list(TASK_KEY)].head(1).assign(**dict.fromkeys(FIGURES, 0.0), note="")
        news = {"plan_id": plan.summary.plan_id, "rows": task.to_dict("records")}
        workers = [*WORKERS, settings.model_dump_json(), str(killed)]
        asked = admin.post(f"/v1/plans/{plan.summary.plan_id}/revisions", json={"as_of": "2026-04-21T23:30:00+08:00"})
        job_id = asked.json()["job_id"]
        job = until_ended([*workers, json.dumps(news)], admin, job_id)
        assert job["state"] == "done", job
        plans = {one["plan_id"] for one in admin.get("/v1/plans").json()["items"]}
        assert plans == {plan.summary.plan_id, job["outcome"]["plan_id"]}
        moments = ["in-input", "kept-input", "in-revise", "kept-revise", "in-save", "saved"]
        assert killed.read_text().split() == moments
        assert [step for step, _ in service.queue.steps(job_id)] == ["input", "revise"]
        assert len(service.records.progress.since(plan.summary.plan_id, 0)) == 1
        assert job["outcome"]["said"][0] == f"Revises plan {plan.summary.plan_id}."
        assert not (folder / "work" / job_id).exists()


@pytest.mark.slow
@pytest.mark.postgres
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
        queue = admin.client.app.state.service.queue
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
            wait(lambda: admin.get(f"/v1/jobs/{job_id}").json()["stage"] not in ("", "input"))
            first = queue.runner(job_id)
            workers[first].kill()
            wait(lambda: admin.get(f"/v1/jobs/{job_id}").json()["ended_at"])
        finally:
            for worker in workers.values():
                worker.kill()
                worker.join()
        job = admin.get(f"/v1/jobs/{job_id}").json()
        assert job["state"] == "done", job
        assert queue.runner(job_id) == ({*names} - {first}).pop()
        assert admin.get("/v1/plans").json()["total"] == 1


def wait(condition: Callable[[], object], *, seconds: float = 180) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def served(settings: Settings) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Yield the process of a service that is ready, and a client of it."""
    code = "import sys; from api.app import run_server; from contracts.settings import Settings; "
    code += "run_server(Settings.model_validate_json(sys.argv[1]))"
    command = [sys.executable, "-c", code, settings.model_dump_json()]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    address = f"http://127.0.0.1:{settings.service.port}"
    try:
        with httpx.Client(base_url=address, timeout=30) as client:
            wait(lambda: answers(client), seconds=90)
            client.headers["Authorization"] = f"Bearer {settings.service.admin_key_file.read_text().strip()}"
            yield process, client
    finally:
        process.kill()
        process.wait()


def answers(client: httpx.Client) -> bool:
    """Return whether a service answers that it is ready."""
    try:
        return client.get("/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_service_killed_while_orders_come_in(tmp_path: Path, settings_in: Any) -> None:
    """kill -9 in the middle of batches: every acknowledged line is there, none is twice when all are sent again.

    A torn upload before it leaves nothing behind and harms nobody.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings = settings_in(tmp_path, port=probe.getsockname()[1])
    batches = [batch_of(number) for number in range(400)]
    acknowledged: list[int] = []

    def send(client: httpx.Client) -> None:
        for number, batch in enumerate(batches):
            try:
                answer = client.post("/v1/orders", json={"lines": batch})
            except httpx.TransportError:
                return
            assert answer.json()["rows_accepted"] == len(batch)
            acknowledged.append(number)

    with served(settings) as (process, client):
        torn_upload(settings.service.port, client.headers["Authorization"])
        assert client.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == 0
        sender = threading.Thread(target=send, args=(client,))
        sender.start()
        wait(lambda: len(acknowledged) >= 5)
        process.send_signal(signal.SIGKILL)
        sender.join()
    assert 5 <= len(acknowledged) < len(batches)
    with served(settings) as (_, client):
        there = client.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"]
        assert there in (
            20 * len(acknowledged),
            20 * (len(acknowledged) + 1),
        )  # the one under way: all of it or nothing
        sent = batches[: len(acknowledged) + 3]
        for batch in sent:
            assert client.post("/v1/orders", json={"lines": batch}).json()["rows_accepted"] == len(batch)
        assert client.get("/v1/orders", params={"delivery_date": "2026-04-22"}).json()["total"] == 20 * len(sent)


def batch_of(number: int) -> list[dict[str, Any]]:
    """Return a batch of twenty order lines."""
    line = {
        "line_no": 1,
        "placed_at": "2026-04-21T02:00:00Z",
        "delivery_date": "2026-04-22",
        "community_id": "C1",
        "sku_id": "S1",
        "quantity": 2,
        "unit_price_yuan": 4.5,
    }
    return [line | {"order_id": f"k-{number}-{place}"} for place in range(20)]


def torn_upload(port: int, key: str) -> None:
    """Send half of a batch and hang up."""
    body = json.dumps({"lines": batch_of(0)}).encode()
    head = f"POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])


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


def test_a_wall_clock_that_jumps_makes_no_worker_dead(tmp_path: Path, settings_in: Any) -> None:
    """Silence is what the listener's steady clock says: an old entry that still changes is alive, one that does not
    is taken off once, by one listener."""
    records = Records.open(settings_in(tmp_path).storage)
    clock = [0.0]
    one, other = (RollCall(records.database, steady=lambda: clock[0]) for _ in range(2))
    silence = timedelta(seconds=30)
    one.present("west")
    for _ in range(4):  # an hour goes by in jumps, west says each time that it lives
        clock[0] += 20
        one.present("west")
        assert one.take_off_silent(silence=silence, but="east") == []
    clock[0] += 31
    assert other.take_off_silent(silence=silence, but="south") == []  # sees west for the first time
    assert one.take_off_silent(silence=silence, but="east") == ["west"]
    clock[0] += 31
    assert other.take_off_silent(silence=silence, but="south") == []
    records.close()
