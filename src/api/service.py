"""The running service as one value: the desk, its records, the queue and, if it keeps one, its worker."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from dbos import DBOS

from api.access import Role
from api.jobs.queue import JobQueue, jobs_url
from api.jobs.worker import Worker, WorkerProcess
from api.reading import PlanTables, ReferenceTables
from api.records import Records
from contracts.settings import Settings
from pipeline.desk import PlanningDesk

_LOG = logging.getLogger(__name__)


@dataclass
class Service:
    """What the endpoints work with."""

    settings: Settings
    desk: PlanningDesk
    records: Records
    queue: JobQueue
    plans: PlanTables
    tables: ReferenceTables
    worker: Worker | WorkerProcess | None = None

    @classmethod
    def open(cls, settings: Settings, *, desk: PlanningDesk | None = None) -> Service:
        """Open everything, see that there is a first key, and start the worker that the settings ask for."""
        records = Records.open(settings.storage)
        first_admin_key(records, settings.service.admin_key_file)
        DBOS.migrate(jobs_url(settings))
        opened = desk or PlanningDesk.open(settings)
        shelves = PlanTables(opened.store), ReferenceTables(opened.store, records.database)
        service = cls(settings, opened, records, JobQueue(settings, records), *shelves)
        service.queue.open()
        if settings.service.worker == "process":
            service.worker = WorkerProcess(settings)
            service.worker.start()
        elif settings.service.worker == "thread":
            service.worker = Worker(settings)
            service.worker.start(service.desk)
        return service

    def close(self) -> None:
        """End the worker and close the connections; unfinished jobs wait for the next start."""
        if self.worker is not None:
            self.worker.stop()
        self.queue.close()
        self.records.close()


def first_admin_key(records: Records, path: Path) -> bool:
    """Make the first admin key when there is no key at all, into a file only its owner can read; say whether it did.

    The key is never logged. Whoever can read the file can read the database too.
    """
    made = records.keys.make_first("first admin", Role.ADMIN.value)
    if made is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(made[1] + "\n")
    records.audit.write(made[0].key_id, "make first admin key", str(path))
    _LOG.warning("the first admin key %s was written to %s", made[0].key_id, path)
    return True
