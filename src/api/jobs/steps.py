"""The stages of a job as durable steps: each result is kept on the shelf, progress is reported between them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from dbos import DBOS

from api.jobs.patience import STAGE_TRIES, insist
from api.jobs.shelf import Shelf
from api.problems import problem_of
from api.records import Records
from contracts.errors import StoreError, TuancaiError

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
REPORT_EVERY_S = 0.2
"""Progress is written at most so often; the first report of a stage always."""


class CancelledJobError(TuancaiError):
    """Somebody ended the job from outside."""


class RefusedStageError(TuancaiError):
    """A stage ended with a problem; `problem` is its document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        super().__init__(problem["detail"])


class Reporter:
    """Writes a job's progress into the job book, and stops the job when it was ended from outside."""

    def __init__(self, records: Records, job_id: str) -> None:
        self._records = records
        self._job_id = job_id
        self._last = ("", 0.0)
        self._reached = 0.0

    def __call__(self, step: str, fraction: float) -> None:
        """Report that the job is at `step` and has done `fraction` of all its work; the fraction never falls.

        A report the book cannot take just now is left out: the next one says more, and no work is lost for it.
        """
        if step == "done":
            return  # the job is done when the plan is saved
        stage, at = self._last
        now = time.monotonic()
        if step == stage and now - at < REPORT_EVERY_S:
            return
        self._last = (step, now)
        self._reached = max(self._reached, fraction)
        try:
            going = self._records.jobs.report(self._job_id, step, self._reached)
        except StoreError as away:
            _LOG.warning("job %s goes on, its progress was not written: %s", self._job_id, away)
            return
        if not going:
            raise CancelledJobError(f"Job {self._job_id} was ended from outside.")


class Steps:
    """Runs stages of a job, each done once: a job that comes back takes the result from the shelf."""

    def __init__(self, shelf: Shelf, *, instance: str, ended: threading.Event) -> None:
        self._shelf = shelf
        self._instance = instance
        self._ended = ended

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        """Return what a stage's work returns, now or when it was done before.

        Raises
        ------
        RefusedStageError
            The stage ended with a problem, also when the store refused it after several tries. The problem is kept: the
            job ends the same way when it comes back.
        """
        fresh: list[T] = []

        def keep() -> dict[str, Any]:
            try:
                fresh.append(self._insist(work, f"stage {name}"))
                return {"digest": self._insist(lambda: self._shelf.put(name, fresh[0]), f"keeping stage {name}")}
            except CancelledJobError:
                raise
            except TuancaiError as error:
                problem = problem_of(error, instance=self._instance)
                return {"problem": problem.model_dump(mode="json", exclude_none=True)}

        kept = DBOS.run_step({"name": name}, keep)
        if "problem" in kept:
            raise RefusedStageError(kept["problem"])
        if fresh:
            return fresh[0]
        before: T = self._shelf.take(name, kept["digest"])
        return before

    def _insist(self, work: Callable[[], T], what: str) -> T:
        return insist(work, f"{self._instance}: {what}", tries=STAGE_TRIES, ended=self._ended)
