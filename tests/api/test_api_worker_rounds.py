"""The worker's rounds: what hinders one duty hinders no other, and nobody is taken for dead who was only hindered."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from api.jobs.queue import JobQueue
from api.jobs.work import Bench
from api.jobs.worker import Worker
from api.records.jobs import JobState
from contracts.errors import StoreError


@pytest.mark.parametrize(
    "failure",
    [FileNotFoundError(".a.parquet.part"), sa.exc.OperationalError("INSERT", {}, Exception("locked")), StoreError("x")],
    ids=["file", "sql", "store"],
)
@pytest.mark.parametrize("duty", ["compact", "catch_up", "ask_due", "take_off_silent"])
def test_a_duty_that_fails_takes_no_other_along(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, duty: str, failure: Exception
) -> None:
    """Whatever one duty of the pulse meets, it is logged and the others are done in every round."""
    done: dict[str, int] = dict.fromkeys(("compact", "catch_up", "ask_due", "take_off_silent"), 0)

    def doing(name: str, answer: Any) -> Callable[..., Any]:
        def act(*_given: Any, **_named: Any) -> Any:
            done[name] += 1
            if name == duty:
                raise failure
            return answer

        return act

    monkeypatch.setattr(type(bench.desk.store), "compact", doing("compact", SimpleNamespace(days=0)))
    monkeypatch.setattr(JobQueue, "catch_up", doing("catch_up", None))
    monkeypatch.setattr(JobQueue, "ask_due", doing("ask_due", []))
    monkeypatch.setattr(type(bench.records.workers), "take_off_silent", doing("take_off_silent", []))
    worker = Worker(bench.desk.settings)
    with caplog.at_level(logging.WARNING):
        pulse = threading.Thread(target=worker._beat, args=(bench,))
        started = datetime.now(UTC)
        pulse.start()
        until = time.monotonic() + 20
        while min(done.values()) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        worker._ended.set()
        pulse.join(10)
    assert min(done.values()) >= 2, done
    assert bench.records.workers.heard()[bench.desk.settings.service.worker_id] > started
    assert any(str(failure) in record.getMessage() or record.exc_info for record in caplog.records)


def test_a_round_that_failed_makes_nobody_silent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was away for everybody: who could not write that it lives is given the whole time again."""
    clock, workers = [0.0], bench.records.workers
    monkeypatch.setattr(workers, "_steady", lambda: clock[0])
    worker, taken = Worker(bench.desk.settings), list[str]()
    monkeypatch.setattr(worker, "_take_over", taken.append)
    workers.present("west")
    worker._call_roll(workers)
    clock[0] += 60

    def away(_worker: str) -> None:
        raise StoreError("The database is away.")

    with monkeypatch.context() as broken:
        broken.setattr(workers, "present", away)
        with pytest.raises(StoreError):
            worker._call_roll(workers)
    worker._call_roll(workers)
    assert taken == []
    clock[0] += 60
    worker._call_roll(workers)
    assert taken == ["west"]


def test_jobs_of_a_silent_worker_are_taken_though_the_queue_was_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is off the roll already and nobody else is told of it: its jobs are taken in the next round."""
    clock, workers = [0.0], bench.records.workers
    monkeypatch.setattr(workers, "_steady", lambda: clock[0])
    worker, taken = Worker(bench.desk.settings), list[str]()

    def away_once(name: str) -> None:
        taken.append(name)
        if len(taken) == 1:
            raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(worker, "_take_over", away_once)
    workers.present("west")
    worker._call_roll(workers)
    clock[0] += 60
    with pytest.raises(sa.exc.OperationalError):
        worker._call_roll(workers)
    for _ in range(2):
        worker._call_roll(workers)
    assert taken == ["west", "west"]


def test_book_and_queue_agree_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that never reached the queue is put there, one the queue gave up has failed, one under way stays."""
    names = ("PENDING", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED", "")
    *ids, lost = [bench.records.jobs.ask("plan", {}, requested_by="k")[0].job_id for _ in names]
    states, put = dict(zip(ids, names[:-1], strict=True)), list[str]()
    flows = [SimpleNamespace(workflow_id=job_id, status=state) for job_id, state in states.items()]
    queue = JobQueue(bench.desk.settings, bench.records)
    monkeypatch.setattr(queue, "_connected", lambda: SimpleNamespace(list_workflows=lambda **_named: flows))
    monkeypatch.setattr(queue, "_put", lambda job: put.append(job.job_id))
    queue.catch_up()
    told = {state: bench.records.jobs.get(job_id) for job_id, state in states.items()}
    assert put == [lost]
    assert [told[state].state for state in told] == [
        JobState.QUEUED,
        JobState.FAILED,
        JobState.FAILED,
        JobState.CANCELLED,
    ]
    assert "never written down" in (told["ERROR"].problem or {})["detail"]
