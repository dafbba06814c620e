"""Who may do what: roles, the duties each has, and the one dependency that every endpoint states its duty with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import pandas as pd
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import ServiceError
from api.records.keys import KeyRecord

COOKIE = "tuancai_session"


class Role(StrEnum):
    """What a key's holder works as."""

    PLANNER = "planner"
    WAREHOUSE_LEAD = "warehouse_lead"
    DATA_SCIENTIST = "data_scientist"
    ADMIN = "admin"


class Duty(StrEnum):
    """What an endpoint lets one do."""

    READ_PLANS = "read plans, loads and routes"
    READ_SORTING = "read sorting assignments, loads and routes of a warehouse"
    READ_PRICES = "read purchase orders, coverage and every plan table"
    READ_DEMAND = "read orders, forecasts and the order book"
    READ_JOBS = "read jobs, settings and metrics"
    READ_SELF = "read who the own key stands for"
    PLAN = "ask for plans, approve and publish"
    CANCEL = "cancel jobs of the kind one may ask for"
    IMPORT = "bring in orders and reference data"
    TRAIN = "train, backtest, promote and roll back models, generate supply"
    REPORT_SORTING = "report sorting progress of a warehouse"
    ADMINISTER = "make and revoke keys, read the audit log"


_EVERYBODY = {Duty.READ_SELF, Duty.READ_PLANS, Duty.READ_SORTING}
_OFFICE = _EVERYBODY | {Duty.READ_JOBS, Duty.READ_PRICES, Duty.READ_DEMAND}
DUTIES: dict[Role, frozenset[Duty]] = {
    Role.WAREHOUSE_LEAD: frozenset(_EVERYBODY | {Duty.REPORT_SORTING}),
    Role.DATA_SCIENTIST: frozenset(_OFFICE | {Duty.TRAIN, Duty.CANCEL}),
    Role.PLANNER: frozenset(_OFFICE | {Duty.PLAN, Duty.CANCEL, Duty.IMPORT, Duty.REPORT_SORTING}),
    Role.ADMIN: frozenset(Duty),
}


@dataclass(frozen=True)
class Holder:
    """Who asks: the key's id, role and, for a warehouse lead, the warehouse."""

    key_id: str
    name: str
    role: Role
    warehouse_id: str | None = None

    def may(self, duty: Duty) -> bool:
        """Return whether the role has the duty."""
        return duty in DUTIES[self.role]

    def own_warehouse(self, asked: str | None) -> str | None:
        """Return the warehouse to show: what was asked for, or for a warehouse lead the own one.

        Raises
        ------
        ServiceError
            403, when a warehouse lead asks for another warehouse.
        """
        if self.role is not Role.WAREHOUSE_LEAD:
            return asked
        if asked not in (None, self.warehouse_id):
            raise ServiceError(
                403, "forbidden", f"This key is for warehouse {self.warehouse_id!r}; asked was {asked!r}."
            )
        return self.warehouse_id

    def own_bases(self, asked: str | None, depots: Callable[[], pd.DataFrame]) -> frozenset[str] | None:
        """Return the bases of vans to show, None for all: the one asked for, or for a warehouse lead the own ones.

        Parameters
        ----------
        depots : callable
            Gives the depots, ``depot_id`` and ``warehouse_id``; a warehouse's vans start from it and from its depots.

        Raises
        ------
        ServiceError
            403, when a warehouse lead asks for a base of another warehouse.
        """
        one = None if asked is None else frozenset({asked})
        if self.role is not Role.WAREHOUSE_LEAD:
            return one
        known = depots()
        own = frozenset({str(self.warehouse_id), *known.loc[known["warehouse_id"] == self.warehouse_id, "depot_id"]})
        if asked is not None and asked not in own:
            raise ServiceError(
                403, "forbidden", f"This key is for the bases {', '.join(sorted(own))}; asked was {asked!r}."
            )
        return one or own


_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key, `Authorization: Bearer tc_...`. `POST /v1/keys` makes one; the first is an admin's, "
    "written to a file beside the database when the service first starts.",
)


def holder_of(record: KeyRecord) -> Holder:
    """Return who a key record stands for."""
    return Holder(record.key_id, record.name, Role(record.role), record.warehouse_id)


def known_holder(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> Holder:
    """Return who asks, by bearer key, or by session cookie for reading.

    Raises
    ------
    ServiceError
        401, without a key that holds.
    """
    keys = request.app.state.service.records.keys
    record: KeyRecord | None = None
    if given is not None:
        record = keys.find(given.credentials)
    elif request.method in ("GET", "HEAD") and (cookie := request.cookies.get(COOKIE)):
        record = keys.session(cookie)  # reading only, so a page elsewhere cannot act through a planner's browser
    if record is None:
        raise ServiceError(
            401,
            "unauthorized",
            "A key is needed: send 'Authorization: Bearer tc_...'. The first admin key lies beside the database.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    holder = holder_of(record)
    request.state.holder = holder
    return holder


def require(duty: Duty) -> Any:
    """Return the dependency that lets only roles with a duty pass and hands over who asks.

    Raises
    ------
    ServiceError
        401 without a key, 403 when the role lacks the duty.
    """

    def allowed(holder: Annotated[Holder, Depends(known_holder)]) -> Holder:
        if not holder.may(duty):
            raise ServiceError(403, "forbidden", f"A {holder.role.value} may not {duty.value}.")
        return holder

    check: Callable[..., Holder] = allowed
    check.duty = duty  # type: ignore[attr-defined]  # read by the access matrix test
    return Depends(check)


PlanReader = Annotated[Holder, require(Duty.READ_PLANS)]
SortingReader = Annotated[Holder, require(Duty.READ_SORTING)]
PriceReader = Annotated[Holder, require(Duty.READ_PRICES)]
DemandReader = Annotated[Holder, require(Duty.READ_DEMAND)]
SelfReader = Annotated[Holder, require(Duty.READ_SELF)]
JobReader = Annotated[Holder, require(Duty.READ_JOBS)]
Planner = Annotated[Holder, require(Duty.PLAN)]
Canceller = Annotated[Holder, require(Duty.CANCEL)]
Importer = Annotated[Holder, require(Duty.IMPORT)]
Trainer = Annotated[Holder, require(Duty.TRAIN)]
SortingReporter = Annotated[Holder, require(Duty.REPORT_SORTING)]
Administrator = Annotated[Holder, require(Duty.ADMINISTER)]
