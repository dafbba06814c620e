"""Workers that die by kill -9 once at each moment of a job: children of one process that has imported everything.

dying_workers.py SETTINGS KILLED [REPORTED ...]: settings as JSON; the file that keeps the moments of death; what the
floor reports, as JSON, between the save of a plan and the death that follows.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm  # noqa: F401 - imported once, for all the children
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
import pandas as pd
import pulp  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pyvrp  # noqa: F401

from api.jobs import shelf, work, worker
from api.records import Records
from contracts.flow import OrderLines
from contracts.settings import Settings
from store import Store


def main(settings: Settings, killed: Path, reported: list[dict[str, Any]]) -> None:
    """Run one worker after the other until one of them ends a job."""

    def moment(name: str) -> None:
        if name in killed.read_text().split():
            return
        for told in reported if name == "saved" else []:
            Records.open(settings.storage).progress.report(told["plan_id"], pd.DataFrame(told["rows"]), by="k")
        with killed.open("a") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.kill(os.getpid(), signal.SIGKILL)

    OrderLines.empty()  # pandera imports the greater part of itself with its first check
    while True:
        child = os.fork()
        if not child:
            before(work.Reporter, "__call__", lambda given: moment("in-" + given[0]))
            after(shelf.Shelf, "put", lambda given: moment("kept-" + given[0]))
            after(Store, "save_plan", lambda _given: moment("saved"))
            work._run = ended
            worker.run_worker(settings)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            break


def before(owner: Any, method: str, act: Callable[[tuple[Any, ...]], None]) -> None:
    """Act before each call of a method."""
    real = getattr(owner, method)
    setattr(owner, method, lambda self, *given: (act(given), real(self, *given))[1])


def after(owner: Any, method: str, act: Callable[[tuple[Any, ...]], None]) -> None:
    """Act after each call of a method."""
    real = getattr(owner, method)

    def stand_in(self: Any, *given: Any) -> Any:
        result = real(self, *given)
        act(given)
        return result

    setattr(owner, method, stand_in)


def ended(job_id: str, task: Any, run: Any = work._run) -> str:
    """Run a job, then end the worker."""
    state: str = run(job_id, task)
    os.kill(os.getpid(), signal.SIGTERM)
    return state


if __name__ == "__main__":
    main(Settings.model_validate_json(sys.argv[1]), Path(sys.argv[2]), [json.loads(told) for told in sys.argv[3:]])
