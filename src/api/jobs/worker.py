"""The worker: the process (or thread) that takes jobs from the queue and runs them, one at a time."""

from __future__ import annotations

import logging
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from types import FrameType

from dbos import DBOS, DBOSConfig

from api.jobs.queue import QUEUE, VERSION, JobQueue, jobs_url, prepare_queue
from api.jobs.work import Bench, set_bench
from api.records import Records
from contracts.errors import InputError, StoreError
from contracts.settings import Settings
from pipeline.desk import PlanningDesk

_LOG = logging.getLogger(__name__)
POLL_S = 0.2
"""How often the queue is looked at; a person does not notice less."""


class Worker:
    """Runs jobs in this process. At most one worker lives in a process (the workflow library allows one)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._records: Records | None = None
        self._ended = threading.Event()
        self._pulse: threading.Thread | None = None

    def start(self, desk: PlanningDesk | None = None) -> None:
        """Open desk and records, take up own unfinished jobs, listen to the queue."""
        self._records = Records.open(self._settings.storage)
        prepare_queue(self._settings, self._records)
        bench = Bench(desk or PlanningDesk.open(self._settings), self._records)
        set_bench(bench)
        DBOS(
            config=DBOSConfig(
                name="tuancai",
                system_database_url=jobs_url(self._settings),
                application_version=VERSION,  # not the hash of the code: a restart after an edit must find its jobs
                executor_id=self._settings.service.worker_id,
                log_level="WARNING",
                notification_listener_polling_interval_sec=POLL_S,
            )
        )
        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=POLL_S, on_conflict="always_update")
        self._ended.clear()
        self._pulse = threading.Thread(target=self._beat, args=(bench,), name="worker-pulse", daemon=True)
        self._pulse.start()
        _LOG.info("worker %s listens", self._settings.service.worker_id)

    def _beat(self, bench: Bench) -> None:
        """Say on the roll that this worker lives, ask for scheduled plans, take over silent workers' jobs, tidy up."""
        records = bench.records
        queue = JobQueue(self._settings, records)
        queue.open()
        service = self._settings.service
        silence = timedelta(seconds=service.worker_silence_s)
        while True:
            try:
                records.workers.present(service.worker_id)
                for job in queue.ask_due(self._settings, now=datetime.now(UTC)):
                    _LOG.info("scheduled plan asked for: %s", job.request)
                for silent in records.workers.take_off_silent(silence=silence, but=service.worker_id):
                    self._take_over(silent)
                if bench.desk.store.compact(least_files=service.compact_files, most_days=1).days:
                    bench.desk.store.sweep()
            except StoreError as away:
                _LOG.warning("worker %s cannot do its rounds: %s", service.worker_id, away)
            except InputError as damaged:  # a history file: whoever reads that date is told too
                _LOG.error("worker %s cannot merge order files: %s", service.worker_id, damaged)
            if self._ended.wait(service.worker_silence_s / 5):
                queue.close()
                return

    def _take_over(self, silent: str) -> None:
        jobs = DBOS.list_workflows(status="PENDING", executor_id=silent, load_input=False, load_output=False)
        for job in jobs:
            DBOS.resume_workflow(job.workflow_id, queue_name=QUEUE)
        _LOG.warning("worker %s fell silent; %d of its jobs are queued again", silent, len(jobs))

    def stop(self) -> None:
        """Stop listening; a job under way stays open and is taken up by the next start."""
        self._ended.set()
        if self._pulse is not None:
            self._pulse.join(5)
        DBOS.destroy(workflow_completion_timeout_sec=0)
        set_bench(None)
        if self._records is not None:
            self._records.close()
            self._records = None


def run_worker(settings: Settings, *, parent: int | None = None) -> None:
    """Run a worker until the process is told to end, or its parent is gone.

    Parameters
    ----------
    parent : int, optional
        Process id of the service that started this worker. When it dies, this worker ends too, so that two workers
        never run under one name.
    """
    told = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN if parent is not None else stop)
    worker = Worker(settings)
    worker.start()
    while not told.wait(0.5):
        if parent is not None and os.getppid() != parent:
            _LOG.warning("the service is gone; worker %s ends", settings.service.worker_id)
            os._exit(1)
    worker.stop()
    os._exit(0)  # a solver in a thread must not keep the process; its job goes on from its last stage
