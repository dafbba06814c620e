"""The nightly schedule: which plans are due at which moments of which delivery date, each asked for exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from contracts.clock import clock_instant
from contracts.settings import Settings

CATCH_UP = timedelta(hours=2)
"""A plan that was due while no worker lived is still made within this time; later it would help nobody."""
ASKED_BY = "schedule"


@dataclass(frozen=True)
class DuePlan:
    """A plan that is due."""

    delivery_date: date
    clock: str
    as_of: datetime

    @property
    def request(self) -> dict[str, str | None]:
        """Return the request as a planner would send it: the search begins from last hour's plan, if there is one."""
        moment = {"delivery_date": self.delivery_date.isoformat(), "as_of": self.as_of.isoformat()}
        return {**moment, "after": None, "begin": "previous"}

    @property
    def key(self) -> str:
        """Return the idempotency key: however many workers ask, the plan is made once."""
        return f"{self.delivery_date.isoformat()} {self.clock}"


def due_plans(settings: Settings, *, now: datetime) -> list[DuePlan]:
    """Return the plans whose moment has come and is not longer gone than `CATCH_UP`, the oldest first.

    Examples
    --------
    >>> from datetime import UTC
    >>> evening = Settings(service={"plan_at": ("18:00-1", "23:00-1")})
    >>> [plan.key for plan in due_plans(evening, now=datetime(2026, 3, 1, 10, 5, tzinfo=UTC))]
    ['2026-03-02 18:00-1']
    """
    zone = settings.city.timezone
    today = pd.Timestamp(now).tz_convert(zone).date()
    found = []
    for ahead in range(-2, 4):
        day = today + timedelta(days=ahead)
        for clock in settings.service.plan_at:
            moment = clock_instant(clock, delivery_date=day, timezone=zone).to_pydatetime()
            if moment <= now < moment + CATCH_UP:
                found.append(DuePlan(day, clock, moment))
    return sorted(found, key=lambda plan: plan.as_of)
