"""Plans: asked for, waited for, read, compared, approved and published."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pandas as pd

from api.client.calls import Calls, ServiceProblemError, checked
from api.compare import PlanComparison
from api.routes.jobs import Job
from api.routes.plan_states import Standing
from api.routes.plans import PlanHead, PlanPage, PlanShown
from api.routes.purchase_questions import PurchaseExplained, WhatIfAnswer
from contracts.what_if import WhatIf


class PlanCalls(Calls):
    """Calls about plans and jobs."""

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
        return self._get(f"/v1/jobs/{job_id}", Job)

    def jobs(self, *, kind: str | None = None, state: str | None = None) -> pd.DataFrame:
        """Return the jobs, the newest first."""
        return self.rows("/v1/jobs", {"kind": kind, "state": state})

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
        """Return the latest thousand plans, the latest first."""
        asked = {"limit": 1000, "delivery_date": None if delivery_date is None else delivery_date.isoformat()}
        return self._get("/v1/plans", PlanPage, asked).items

    def plan(self, plan_id: str) -> PlanShown:
        """Return what a plan says of itself."""
        return self._get(f"/v1/plans/{plan_id}", PlanShown)

    def table(self, plan_id: str, name: str, **filters: str | int) -> pd.DataFrame:
        """Return a list of a plan, e.g. ``purchase-orders``, ``loads``, ``sorting`` or ``tables/trips``."""
        return self.rows(f"/v1/plans/{plan_id}/{name}", filters)

    def papers(self, plan_id: str) -> bytes:
        """Return all papers of a plan as a zip."""
        return checked(self.http.get(f"/v1/plans/{plan_id}/papers")).content

    def warehouse_papers(self, plan_id: str, warehouse_id: str | None = None) -> bytes:
        """Return the sorting and route papers of a warehouse as a zip; a warehouse lead need not say which."""
        asked = {} if warehouse_id is None else {"warehouse_id": warehouse_id}
        return checked(self.http.get(f"/v1/plans/{plan_id}/papers/warehouse", params=asked)).content

    def state(self, plan_id: str) -> Standing:
        """Return where a plan stands."""
        return self._get(f"/v1/plans/{plan_id}/state", Standing)

    def approve(self, plan_id: str) -> Standing:
        """Approve a plan."""
        return self._post(f"/v1/plans/{plan_id}/approve", Standing)

    def withdraw(self, plan_id: str) -> Standing:
        """Take an approval back."""
        return self._post(f"/v1/plans/{plan_id}/withdraw", Standing)

    def publish(self, plan_id: str) -> Standing:
        """Publish an approved plan."""
        return self._post(f"/v1/plans/{plan_id}/publish", Standing)

    def compare(self, before: str, after: str) -> PlanComparison:
        """Return how a plan differs from another."""
        return self._get(f"/v1/plans/{before}/compare/{after}", PlanComparison)

    def line_changes(self, before: str, after: str) -> pd.DataFrame:
        """Return the purchase lines that the other plan adds, removes or changes."""
        return self.rows(f"/v1/plans/{before}/compare/{after}/lines")

    def explain(self, plan_id: str) -> PurchaseExplained:
        """Return what stands behind a plan's purchase."""
        return self._get(f"/v1/plans/{plan_id}/explain", PurchaseExplained)

    def what_if(self, plan_id: str, **change: Any) -> WhatIfAnswer:
        """Plan a plan's purchase again under a change, e.g. ``without_suppliers=["S1"]`` or ``demand_factor=1.2``."""
        return self._post(f"/v1/plans/{plan_id}/what-if", WhatIfAnswer, change)
