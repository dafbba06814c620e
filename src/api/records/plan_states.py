"""Where each plan stands: draft, approved (its purchase lines are locked), published, superseded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

import sqlalchemy as sa

from api.records.schema import PLAN_STATES
from api.records.turns import one_at_a_time
from contracts.errors import ConflictError
from contracts.plan import PlanSummary
from store.database import Database


class PlanState(StrEnum):
    """Where a plan stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


BINDING = (PlanState.APPROVED, PlanState.PUBLISHED)
"""States in which a plan's purchase lines hold: later plans of the date build on them."""


@dataclass(frozen=True)
class PlanStanding:
    """A plan's state, and who put it there when."""

    plan_id: str
    state: PlanState
    changed_by: str | None = None
    changed_at: datetime | None = None
    superseded_by: str | None = None


class PlanStates:
    """States of plans; a plan without an entry is a draft. At most one plan of a date is approved, one published."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, plan_id: str) -> PlanStanding:
        """Return where a plan stands."""
        found = self._find(PLAN_STATES.c.plan_id == plan_id)
        return found[0] if found else PlanStanding(plan_id, PlanState.DRAFT)

    def binding(self, delivery_date: date) -> PlanStanding | None:
        """Return the plan of a date that later ones must build on: the approved one, else the published one."""
        found = self._find(PLAN_STATES.c.delivery_date == delivery_date.isoformat(), PLAN_STATES.c.state.in_(BINDING))
        return min(found, key=lambda s: BINDING.index(s.state), default=None)

    def published(self, delivery_date: date) -> PlanStanding | None:
        """Return the published plan of a date."""
        day, state = PLAN_STATES.c.delivery_date == delivery_date.isoformat(), PlanState.PUBLISHED
        return next(iter(self._find(day, PLAN_STATES.c.state == state)), None)

    def approve(self, plan: PlanSummary, *, by: str) -> PlanStanding:
        """Approve a draft: its purchase lines are locked from now on.

        Raises
        ------
        ConflictError
            The plan has no answer, is a what-if, is no draft, or does not build on the plan that binds the date.
        """
        if plan.what_if is not None:
            raise ConflictError(
                f"Plan {plan.plan_id} was planned under other circumstances ({plan.what_if.sentence}): it is to learn "
                "from. Change the reference data and plan again."
            )
        if not plan.status.has_plan:
            raise ConflictError(f"Plan {plan.plan_id} is {plan.status.value}: there is nothing to approve.")
        with self._database.writing() as connection:
            one_at_a_time(connection, f"plans of {plan.delivery_date}")
            now = self._in(connection, plan.plan_id)
            if now in BINDING:
                raise ConflictError(f"Plan {plan.plan_id} is {now} already.")
            if now == PlanState.SUPERSEDED:
                raise ConflictError(f"Plan {plan.plan_id} is superseded: approve a newer one.")
            others = connection.execute(
                sa.select(PLAN_STATES.c.plan_id, PLAN_STATES.c.state).where(
                    PLAN_STATES.c.delivery_date == plan.delivery_date.isoformat(), PLAN_STATES.c.state.in_(BINDING)
                )
            ).all()
            for other, state in others:
                if state == PlanState.APPROVED or other != plan.after:
                    raise ConflictError(
                        f"Plan {other} of {plan.delivery_date} is {state}: "
                        f"withdraw it first, or plan with after={other!r} so that its lines stay."
                    )
            self._set(connection, plan, PlanState.APPROVED, by)
        return self.standing(plan.plan_id)

    def withdraw(self, plan: PlanSummary, *, by: str) -> PlanStanding:
        """Take an approval back; a published plan cannot be taken back, only superseded.

        Raises
        ------
        ConflictError
            The plan is not approved.
        """
        with self._database.writing() as connection:
            one_at_a_time(connection, f"plans of {plan.delivery_date}")
            now = self._in(connection, plan.plan_id)
            if now != PlanState.APPROVED:
                raise ConflictError(f"Plan {plan.plan_id} is {now}, not approved: there is no approval to take back.")
            self._set(connection, plan, PlanState.DRAFT, by)
        return self.standing(plan.plan_id)

    def publish(self, plan: PlanSummary, *, by: str) -> PlanStanding:
        """Publish an approved plan: warehouses pull it from now on; the plan published before is superseded.

        Raises
        ------
        ConflictError
            The plan is not approved.
        """
        with self._database.writing() as connection:
            one_at_a_time(connection, f"plans of {plan.delivery_date}")
            now = self._in(connection, plan.plan_id)
            if now != PlanState.APPROVED:
                raise ConflictError(f"Plan {plan.plan_id} is {now}: approve it before it is published.")
            connection.execute(
                PLAN_STATES.update()
                .where(
                    PLAN_STATES.c.delivery_date == plan.delivery_date.isoformat(),
                    PLAN_STATES.c.state == PlanState.PUBLISHED,
                )
                .values(
                    state=PlanState.SUPERSEDED, superseded_by=plan.plan_id, changed_by=by, changed_at=datetime.now(UTC)
                )
            )
            self._set(connection, plan, PlanState.PUBLISHED, by)
        return self.standing(plan.plan_id)

    def _in(self, connection: sa.Connection, plan_id: str) -> PlanState:
        found = connection.execute(sa.select(PLAN_STATES.c.state).where(PLAN_STATES.c.plan_id == plan_id)).first()
        return PlanState.DRAFT if found is None else PlanState(found[0])

    def _set(self, connection: sa.Connection, plan: PlanSummary, state: PlanState, by: str) -> None:
        connection.execute(PLAN_STATES.delete().where(PLAN_STATES.c.plan_id == plan.plan_id))
        connection.execute(
            PLAN_STATES.insert().values(
                plan_id=plan.plan_id,
                state=state,
                delivery_date=plan.delivery_date.isoformat(),
                changed_by=by,
                changed_at=datetime.now(UTC),
            )
        )

    def _find(self, *conditions: sa.ColumnElement[bool]) -> list[PlanStanding]:
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(PLAN_STATES).where(*conditions)).mappings().all()
        return [
            PlanStanding(r["plan_id"], PlanState(r["state"]), r["changed_by"], r["changed_at"], r["superseded_by"])
            for r in rows
        ]
