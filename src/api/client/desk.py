"""The rest of the desk: sorting floor, models, keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from api.client.calls import Calls, checked, plain_rows
from api.routes.assignments import Assignments, ProgressShown, ProgressTaken
from api.routes.jobs import Job
from api.routes.keys import Key, MadeKey
from api.routes.model_scores import Drift, ModelVersion
from api.routes.models import ServingModel
from api.routes.system import Me


class DeskCalls(Calls):
    """Calls about assignments, models and keys."""

    def assignments(
        self, delivery_date: date, *, warehouse_id: str | None = None, since: str | None = None, **filters: str | int
    ) -> Assignments:
        """Return the published plan's tasks of a warehouse, or what changed since the plan a station has."""
        asked = {"delivery_date": delivery_date.isoformat(), "warehouse_id": warehouse_id, "since": since, **filters}
        return self._get("/v1/assignments", Assignments, asked)

    def report_progress(self, plan_id: str, tasks: pd.DataFrame) -> ProgressTaken:
        """Report how far tasks are; the latest report of a task stands."""
        return self._post(f"/v1/plans/{plan_id}/sorting/progress", ProgressTaken, {"tasks": plain_rows(tasks)})

    def progress(self, plan_id: str, *, since: int = 0) -> ProgressShown:
        """Return what was reported after a version."""
        return self._get(f"/v1/plans/{plan_id}/sorting/progress", ProgressShown, {"since": since})

    def train(self, *, until: date | None = None, idempotency_key: str | None = None) -> Job:
        """Ask for a training."""
        asked = {"until": None if until is None else until.isoformat()}
        return self._post("/v1/models/train", Job, asked, idempotency_key=idempotency_key)

    def backtest(
        self,
        models: Sequence[str] | None = None,
        *,
        origins: int = 4,
        horizon: int = 7,
        idempotency_key: str | None = None,
    ) -> Job:
        """Ask for a backtest; `wait` for the job, then read `backtest_table`."""
        asked = {"models": None if models is None else list(models), "origins": origins, "horizon": horizon}
        return self._post("/v1/models/backtests", Job, asked, idempotency_key=idempotency_key)

    def backtest_table(self, job_id: str, table: str = "summary") -> pd.DataFrame:
        """Return a table of a backtest that is done: summary, value_added, scores or coverage."""
        return self.rows(f"/v1/models/backtests/{job_id}/{table}")

    def promote(self, *, note: str = "", idempotency_key: str | None = None) -> Job:
        """Ask that the challenger serves; the job fails with the figures when rolling origins do not favour it."""
        return self._post("/v1/models/promote", Job, {"note": note}, idempotency_key=idempotency_key)

    def rollback(self, *, note: str = "", idempotency_key: str | None = None) -> Job:
        """Ask that the pair of models before this one serves again."""
        return self._post("/v1/models/rollback", Job, {"note": note}, idempotency_key=idempotency_key)

    def serving(self) -> str:
        """Return the version of the models that plans are made with."""
        return self._get("/v1/models/serving", ServingModel).version

    def models(self) -> list[ModelVersion]:
        """Return the registered demand models."""
        return [ModelVersion.model_validate(row) for row in checked(self.http.get("/v1/models")).json()]

    def drift(self, *, days: int = 14) -> Drift:
        """Hold the serving model's last weeks against its rolling origins."""
        return self._get("/v1/models/drift", Drift, {"days": days})

    def me(self) -> Me:
        """Return who the key stands for."""
        return self._get("/v1/me", Me)

    def keys(self) -> pd.DataFrame:
        """Return the keys that were made, never the keys themselves."""
        return self.rows("/v1/keys")

    def make_key(self, name: str, role: str, *, warehouse_id: str | None = None) -> MadeKey:
        """Make a key; it is shown this once."""
        return self._post("/v1/keys", MadeKey, {"name": name, "role": role, "warehouse_id": warehouse_id})

    def revoke_key(self, key_id: str) -> Key:
        """Let a key open nothing any more."""
        return Key.model_validate(checked(self.http.delete(f"/v1/keys/{key_id}")).json())

    def audit(self) -> pd.DataFrame:
        """Return the audit log, the newest first."""
        return self.rows("/v1/audit")

    def settings(self) -> dict[str, Any]:
        """Return the settings in force, without secrets."""
        return dict(checked(self.http.get("/v1/settings")).json())
