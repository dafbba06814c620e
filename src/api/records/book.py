"""The service's records as one value: keys, jobs, audit - each a small book over the same database."""

from __future__ import annotations

from dataclasses import dataclass

from api.records.audit import AuditLog
from api.records.jobs import JobBook
from api.records.keys import KeyBook
from api.records.migrate import migrate
from api.records.plan_states import PlanStates
from api.records.progress import SortingProgress
from api.records.roll_call import RollCall
from contracts.settings import StorageSettings
from store.database import Database


@dataclass(frozen=True)
class Records:
    """Everything the service remembers of itself."""

    database: Database
    keys: KeyBook
    jobs: JobBook
    audit: AuditLog
    plan_states: PlanStates
    progress: SortingProgress
    workers: RollCall

    @classmethod
    def open(cls, storage: StorageSettings) -> Records:
        """Open the records in the database of the settings."""
        database = Database.open(storage.url)
        migrate(database)
        return cls(
            database,
            KeyBook(database),
            JobBook(database),
            AuditLog(database),
            PlanStates(database),
            SortingProgress(database),
            RollCall(database),
        )

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
