"""The running service as one value: store, records, queue, the desk once it is needed and, if it keeps one, its worker.

The process that answers must be up in seconds, so what plans and trains (forecasting, optimisers, MLflow) is imported
when a request first needs it, not before.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from api.access import Role
from api.demand_shelf import DemandShelf
from api.jobs.process import WorkerProcess
from api.jobs.queue import JobQueue
from api.reading import PlanTables, ReferenceTables
from api.records import Records
from api.serving import ServingModel
from contracts.errors import StoreError
from contracts.settings import Settings
from store import Store

if TYPE_CHECKING:
    from api.jobs.worker import Worker
    from contracts.world import Reference
    from pipeline.desk import PlanningDesk

_LOG = logging.getLogger(__name__)


@dataclass
class Service:
    """What the endpoints work with."""

    settings: Settings
    store: Store
    records: Records
    queue: JobQueue
    plans: PlanTables
    tables: ReferenceTables
    serving: ServingModel
    demand: DemandShelf = field(init=False, repr=False)
    worker: Worker | WorkerProcess | None = None
    _desk: PlanningDesk | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        """Shelve what is read of demand; the desk behind it opens with the first reader."""
        self.demand = DemandShelf(lambda: self.desk)

    @classmethod
    def open(cls, settings: Settings, *, desk: PlanningDesk | None = None) -> Service:
        """Open everything, see that there is a first key, and start the worker that the settings ask for."""
        records = Records.open(settings.storage)
        first_admin_key(records, settings.service.admin_key_file)
        store = Store.open(settings.storage, city=settings.city) if desk is None else desk.store
        shelves = PlanTables(store), ReferenceTables(store)
        queue = JobQueue(settings, records)
        service = cls(settings, store, records, queue, *shelves, ServingModel(), _desk=desk)
        queue.catch_up()
        if settings.service.worker == "process":
            service.worker = WorkerProcess(settings)
            service.worker.start()
        elif settings.service.worker == "thread":
            from api.jobs.worker import Worker

            service.worker = Worker(settings)
            service.worker.start(service.desk)
        return service

    @property
    def desk(self) -> PlanningDesk:
        """Return the planning desk over the same store, opened when it is first needed."""
        with self._opening:
            if self._desk is None:
                from pipeline.desk import PlanningDesk

                self._desk = PlanningDesk.open(self.settings, store=self.store)
            return self._desk

    def reference_of(self, plan_id: str) -> Reference:
        """Return the reference data of a plan's delivery date, or raise `NotFoundError`."""
        return self.tables.reference(self.plans.day(plan_id))

    def close(self) -> None:
        """End the worker and close the connections; unfinished jobs wait for the next start."""
        if self.worker is not None:
            self.worker.stop()
        self.queue.close()
        self.records.close()


def first_admin_key(records: Records, path: Path) -> bool:
    """Make the first admin key when there is no key at all, into a file only its owner can read; say whether it did.

    The key is never logged. Whoever can read the file can read the database too.

    Raises
    ------
    StoreError
        The file cannot be written; then there is no key either, and the next start makes one.
    """

    def keep(secret: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(secret + "\n")
        except OSError as unwritable:
            raise StoreError(
                f"The first admin key cannot be written to {path} ({unwritable}), so none was made. Make the folder "
                "writable, or name another file in service.admin_key_file."
            ) from unwritable

    made = records.keys.make_first("first admin", Role.ADMIN.value, keep=keep)
    if made is None:
        return False
    records.audit.write(made.key_id, "make first admin key", str(path))
    _LOG.warning("the first admin key %s was written to %s", made.key_id, path)
    return True
