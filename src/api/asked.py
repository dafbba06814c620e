"""What endpoints ask of a request: the running service, days and moments as the rooms below take them, audit facts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import Depends, Path, Query, Request
from pydantic import AwareDatetime

from api.access import Holder
from api.service import Service


def running_service(request: Request) -> Service:
    """Return the service behind the app."""
    service: Service = request.app.state.service
    return service


Running = Annotated[Service, Depends(running_service)]
DeliveryDate = Annotated[
    date, Query(description="Delivery date.", examples=["2026-03-02"], ge=date(2000, 1, 1), le=date(2200, 1, 1))
]
AsOf = Annotated[
    AwareDatetime,
    Query(description="Moment with its zone; orders up to it count.", examples=["2026-03-01T18:00:00+08:00"]),
]
TemperatureZone = Literal["ambient", "chilled", "frozen"]
PlanId = Annotated[str, Path(description="A plan's id.", examples=["20260302-0f3a9c1d2e"], pattern=r"^[\w-]{1,64}$")]


def own_bases(service: Service, holder: Holder, plan_id: str, asked: str | None = None) -> frozenset[str] | None:
    """Return the bases whose vans of a plan may be shown (`Holder.own_bases`), None for all."""
    return holder.own_bases(asked, lambda: service.reference_of(plan_id).depots)


def of_bases(frame: pd.DataFrame, bases: frozenset[str] | None) -> pd.DataFrame:
    """Return the rows whose ``base_id`` is one of some bases; None for all."""
    return frame if bases is None else frame[frame["base_id"].isin(bases)]


def as_day(day: date) -> pd.Timestamp:
    """Return a day as the tables hold it."""
    return pd.Timestamp(day).as_unit("us")


def as_instant(moment: datetime) -> pd.Timestamp:
    """Return a moment as the tables hold it."""
    return pd.Timestamp(moment).tz_convert("UTC").as_unit("us")


def note(request: Request, holder: Holder, action: str, subject: str, **facts: Any) -> None:
    """Write into the audit log what a key's holder did."""
    running_service(request).records.audit.write(
        holder.key_id, action, subject, request_id=str(getattr(request.state, "request_id", "")), facts=facts
    )
