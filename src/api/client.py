"""A typed client of the service, for notebooks and other programs: lists come as data frames, problems as errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import pandas as pd
from pydantic import BaseModel

from api.compare import PlanComparison
from api.problems import Problem
from api.reports import ImportResult
from api.routes.jobs import Job
from api.routes.plan_states import Standing
from api.routes.plans import PlanHead, PlanPage, PlanShown
from api.rows import wire_frame
from contracts.errors import TuancaiError
from contracts.what_if import WhatIf

M = TypeVar("M", bound=BaseModel)
PAGE_ROWS = 10_000
BATCH_LINES = 500


class ServiceProblemError(TuancaiError):
    """The service answered with a problem; `problem` is its document."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")


@dataclass(frozen=True)
class Client:
    """Calls the service with one key.

    Examples
    --------
    ::

        with Client.to("http://127.0.0.1:8000", key) as service:
            job = service.wait(service.ask_plan(date(2026, 3, 2), as_of))
            service.table(job.outcome["plan_id"], "purchase-orders")
    """

    http: httpx.Client

    @classmethod
    def to(cls, address: str, key: str, *, timeout_s: float = 60.0) -> Client:
        """Return a client of a service at an address."""
        headers = {"Authorization": f"Bearer {key}"}
        return cls(httpx.Client(base_url=address, headers=headers, timeout=timeout_s))

    def __enter__(self) -> Self:
        """Use the client and close it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.http.close()

    def add_orders(self, lines: pd.DataFrame, *, source: str = "client") -> list[ImportResult]:
        """Send order lines in batches; sending them again changes nothing. Returns the books of each batch."""
        rows = wire_frame(lines)
        rows = rows.astype(object).where(rows.notna(), None)
        batches = [rows.iloc[at : at + BATCH_LINES] for at in range(0, len(rows), BATCH_LINES)]
        return [
            self._post("/v1/orders", ImportResult, {"source": source, "lines": batch.to_dict("records")})
            for batch in batches
        ]

    def import_orders(self, path: Path, *, mapping: str = "default", mapping_rules: str | None = None) -> ImportResult:
        """Send a file of order lines."""
        fields = {"mapping": mapping} | ({} if mapping_rules is None else {"mapping_rules": mapping_rules})
        with path.open("rb") as file:
            answer = self.http.post("/v1/orders/file", files={"file": (path.name, file)}, data=fields)
        return ImportResult.model_validate(_checked(answer).json())

    def generate_supply(self, *, seed: int = 0) -> None:
        """Generate a supply side for the orders that are there."""
        _checked(self.http.post("/v1/reference", json={"seed": seed}))

    def train(self, *, until: date | None = None, idempotency_key: str | None = None) -> Job:
        """Ask for a training."""
        asked = {"until": None if until is None else until.isoformat()}
        return self._post("/v1/models/train", Job, asked, idempotency_key=idempotency_key)

    def ask_plan(
        self,
        delivery_date: date,
        as_of: datetime,
        *,
        after: str | None = None,
        begin: str | None = None,
        stay_near: bool = False,
        what_if: WhatIf | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Ask for a plan; `wait` for the job. See `PlanAsked` for what the parts mean."""
        asked = {
            "delivery_date": delivery_date.isoformat(),
            "as_of": as_of.isoformat(),
            "after": after,
            "begin": begin,
            "stay_near": stay_near,
            "what_if": None if what_if is None else what_if.model_dump(mode="json"),
        }
        return self._post("/v1/plans", Job, asked, idempotency_key=idempotency_key)

    def job(self, job_id: str) -> Job:
        """Return how far a job is."""
        return Job.model_validate(_checked(self.http.get(f"/v1/jobs/{job_id}")).json())

    def wait(
        self, job: Job, *, seconds: float = 3600.0, every_s: float = 0.5, told: Callable[[Job], None] | None = None
    ) -> Job:
        """Return a job once it is done.

        Parameters
        ----------
        told
            Called with the job each time it is looked at, e.g. to move a progress bar.

        Raises
        ------
        ServiceProblemError
            The job failed.
        TimeoutError
            It has not ended in time, or it was cancelled.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            job = self.job(job.job_id)
            if told is not None:
                told(job)
            if job.problem is not None:
                raise ServiceProblemError(job.problem)
            if job.ended_at is not None:
                if job.outcome is None:
                    raise TimeoutError(f"job {job.job_id} was cancelled")
                return job
            time.sleep(every_s)
        raise TimeoutError(f"job {job.job_id} has not ended after {seconds:.0f} s: {job.stage}, {job.fraction:.0%}")

    def cancel(self, job_id: str) -> Job:
        """End a job."""
        return self._post(f"/v1/jobs/{job_id}/cancel", Job)

    def plans(self, *, delivery_date: date | None = None) -> list[PlanHead]:
        """Return the plans, the latest first."""
        asked = {"limit": "1000"} | ({} if delivery_date is None else {"delivery_date": delivery_date.isoformat()})
        return PlanPage.model_validate(_checked(self.http.get("/v1/plans", params=asked)).json()).items

    def plan(self, plan_id: str) -> PlanShown:
        """Return what a plan says of itself."""
        return PlanShown.model_validate(_checked(self.http.get(f"/v1/plans/{plan_id}")).json())

    def table(self, plan_id: str, name: str, **filters: str | int) -> pd.DataFrame:
        """Return a list of a plan, e.g. ``purchase-orders``, ``loads``, ``sorting`` or ``tables/trips``."""
        return self.rows(f"/v1/plans/{plan_id}/{name}", filters)

    def forecast(self, delivery_date: date, **filters: str) -> pd.DataFrame:
        """Return the forecast of a delivery date."""
        return self.rows("/v1/forecasts", {"delivery_date": delivery_date.isoformat(), **filters})

    def order_book(self, delivery_date: date, as_of: datetime, **filters: str) -> pd.DataFrame:
        """Return the order book as of a moment."""
        asked = {"delivery_date": delivery_date.isoformat(), "as_of": as_of.isoformat(), **filters}
        return self.rows("/v1/order-book", asked)

    def approve(self, plan_id: str) -> Standing:
        """Approve a plan."""
        return self._post(f"/v1/plans/{plan_id}/approve", Standing)

    def publish(self, plan_id: str) -> Standing:
        """Publish an approved plan."""
        return self._post(f"/v1/plans/{plan_id}/publish", Standing)

    def compare(self, before: str, after: str) -> PlanComparison:
        """Return how a plan differs from another."""
        return PlanComparison.model_validate(_checked(self.http.get(f"/v1/plans/{before}/compare/{after}")).json())

    def rows(self, path: str, asked: Mapping[str, str | int] | None = None) -> pd.DataFrame:
        """Return every row of a list, page by page; moments and days come as timestamps."""
        return _typed([row for page in self._pages(path, dict(asked or {})) for row in page])

    def _pages(self, path: str, asked: dict[str, str | int]) -> Iterator[Sequence[dict[str, Any]]]:
        offset = 0
        while True:
            page = _checked(self.http.get(path, params={**asked, "limit": PAGE_ROWS, "offset": offset})).json()
            yield page["items"]
            offset += len(page["items"])
            if not page["items"] or offset >= page["total"]:
                return

    def _post(
        self, path: str, model: type[M], body: dict[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> M:
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return model.model_validate(_checked(self.http.post(path, json=body, headers=headers)).json())


def _checked(answer: httpx.Response) -> httpx.Response:
    """Return a good answer, or raise its problem."""
    if answer.is_success:
        return answer
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        raise ServiceProblemError(Problem.model_validate(answer.json()))
    answer.raise_for_status()
    return answer


def _typed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        if name.endswith("_at") or name == "as_of":
            moments = pd.to_datetime(frame[name], utc=True, errors="coerce", format="ISO8601")
            if moments.notna().any() or frame[name].isna().all():  # arrives_at of purchase orders is a clock time
                frame[name] = moments
        elif name in ("delivery_date", "expires_on", "day", "opened_on", "closed_on"):
            frame[name] = pd.to_datetime(frame[name])
    return frame
