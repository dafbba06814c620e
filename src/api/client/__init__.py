"""A typed client of the service, for notebooks and other programs: lists come as data frames, problems as errors."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from api.client.calls import ListChangedError, ServiceProblemError
from api.client.data import DataCalls
from api.client.desk import DeskCalls
from api.client.plans import PlanCalls

__all__ = ["Client", "ListChangedError", "ServiceProblemError"]


@dataclass(frozen=True)
class Client(PlanCalls, DataCalls, DeskCalls):
    """Calls the service with one key.

    Examples
    --------
    ::

        with Client.to("http://127.0.0.1:8000", key) as service:
            job = service.wait(service.ask_plan(date(2026, 3, 2), as_of))
            service.table(job.outcome["plan_id"], "purchase-orders")
    """

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
