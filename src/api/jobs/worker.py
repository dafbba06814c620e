"""The worker: the process (or thread) that takes jobs from the queue and runs them, one at a time."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import FrameType

from dbos import DBOS, DBOSConfig

from api.jobs.queue import QUEUE, VERSION, JobQueue, jobs_url, prepare_queue
from api.jobs.work import Bench, set_bench
from api.records import Records
from api.records.roll_call import RollCall
from contracts.errors import DamagedFileError, TuancaiError
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
        self._silent: set[str] = set()

    def start(self, desk: PlanningDesk | None = None) -> None:
        """Open desk and records, take up own unfinished jobs, listen to the queue."""
        self._ended.clear()
        self._records = Records.open(self._settings.storage)
        prepare_queue(self._settings, self._records)
        bench = Bench(desk or PlanningDesk.open(self._settings), self._records, self._ended)
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
        self._pulse = threading.Thread(target=self._beat, args=(bench,), name="worker-pulse", daemon=True)
        self._pulse.start()
        _LOG.info("worker %s listens", self._settings.service.worker_id)

    def _beat(self, bench: Bench) -> None:
        """Do the worker's rounds until it ends. A duty that fails is told and done again in the next round."""
        queue, silence = JobQueue(self._settings, bench.records), self._settings.service.worker_silence_s
        duties: dict[str, Callable[[], None]] = {
            "call the roll": lambda: self._call_roll(bench.records.workers),
            "let book and queue agree": queue.catch_up,
            "ask for scheduled plans": lambda: self._ask_due(queue),
            "merge order files": lambda: self._tidy(bench),
        }
        while True:
            for name, duty in duties.items():
                try:
                    duty()
                except TuancaiError as hindered:
                    level = logging.ERROR if isinstance(hindered, DamagedFileError) else logging.WARNING
                    _LOG.log(level, "worker %s cannot %s: %s", self._settings.service.worker_id, name, hindered)
                except Exception:  # noqa: BLE001 - told with its trace; a pulse that stops would take all duties along
                    _LOG.exception("worker %s cannot %s", self._settings.service.worker_id, name)
            if self._ended.wait(silence / 5):
                queue.close()
                return

    def _call_roll(self, workers: RollCall) -> None:
        """Say on the roll that this worker lives, and take over the jobs of those who fell silent."""
        service = self._settings.service
        try:
            workers.present(service.worker_id)
            found = workers.take_off_silent(silence=timedelta(seconds=service.worker_silence_s), but=service.worker_id)
        except BaseException:
            workers.forget()  # what hinders this worker may hinder the others too: that is no silence
            raise
        self._silent.update(found)
        for silent in sorted(self._silent):  # each is told to one worker once: it stays here until its jobs are taken
            self._take_over(silent)
            self._silent.remove(silent)

    def _ask_due(self, queue: JobQueue) -> None:
        for job in queue.ask_due(self._settings, now=datetime.now(UTC)):
            _LOG.info("scheduled plan asked for: %s", job.request)

    def _tidy(self, bench: Bench) -> None:
        store = bench.desk.store
        if store.compact(least_files=self._settings.service.compact_files, most_days=1).days:
            store.sweep()

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
