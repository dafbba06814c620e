"""Plans in SQL: the summary and all tables of a plan in one transaction, tables as Parquet bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from contracts.errors import ConflictError, NotFoundError, StoreError
from contracts.plan import PlanSummary
from store.database.engine import Database
from store.database.schema import plan_tables, plans
from store.parquet import frame_from_bytes, parquet_bytes


class Plans:
    """Reads and writes plans; a plan that was saved is never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, plan_id: str, summary: PlanSummary, tables: Mapping[str, pd.DataFrame], *, at: datetime) -> bool:
        """Save a plan; return False when it was there already with the same content.

        Raises
        ------
        ConflictError
            The plan is there with other content; how long its stages took does not count as content.
        """
        packed = {name: parquet_bytes(frame) for name, frame in tables.items()}
        try:
            with self._database.writing() as connection:
                connection.execute(
                    sa.insert(plans).values(
                        plan_id=plan_id,
                        delivery_date=summary.delivery_date,
                        as_of=summary.as_of,
                        status=str(summary.status),
                        saved_at=at,
                        summary=summary.model_dump_json(),
                    )
                )
                rows = [
                    {"plan_id": plan_id, "name": name, "rows": len(tables[name]), "data": data}
                    for name, data in packed.items()
                ]
                if rows:
                    connection.execute(sa.insert(plan_tables), rows)
        except sa.exc.IntegrityError as clash:
            if not self._holds(plan_id):
                raise StoreError(f"Plan {plan_id!r} was not saved: {clash.orig}.") from clash
            self._same_or_raise(plan_id, summary, tables)
            return False
        return True

    def _holds(self, plan_id: str) -> bool:
        with self._database.reading() as connection:
            return connection.execute(sa.select(plans.c.plan_id).where(plans.c.plan_id == plan_id)).first() is not None

    def _same_or_raise(self, plan_id: str, summary: PlanSummary, tables: Mapping[str, pd.DataFrame]) -> None:
        kept = self.table_names(plan_id)
        differing = sorted(set(kept) ^ set(tables))
        for name in sorted(set(kept) & set(tables)):
            if not self.table(plan_id, name).equals(frame_from_bytes(parquet_bytes(tables[name]))):
                differing.append(name)
        if _content(self.summary(plan_id)) != _content(summary):
            differing.append("summary")
        if differing:
            raise ConflictError(
                f"Plan {plan_id!r} is there with other content: {', '.join(differing)}. The first one stays; "
                "the same inputs, seed and work limits should have given the same plan."
            )

    def summaries(self) -> list[PlanSummary]:
        """Return the summaries of all plans, the latest delivery date and moment first."""
        with self._database.reading() as connection:
            return [PlanSummary.model_validate_json(text) for (text,) in connection.execute(_latest_first())]

    def page(self, *, limit: int, offset: int, delivery_date: date | None) -> tuple[list[PlanSummary], int]:
        """Return some summaries, the latest first, of one delivery date if given, and how many there are in all."""
        of_day = () if delivery_date is None else (plans.c.delivery_date == delivery_date,)
        with self._database.reading() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(plans).where(*of_day)).scalar_one()
            rows = connection.execute(_latest_first().where(*of_day).limit(limit).offset(offset))
            return [PlanSummary.model_validate_json(text) for (text,) in rows], int(total)

    def summary(self, plan_id: str) -> PlanSummary:
        """Return the summary of a plan.

        Raises
        ------
        NotFoundError
            There is no such plan.
        """
        with self._database.reading() as connection:
            found = connection.execute(sa.select(plans.c.summary).where(plans.c.plan_id == plan_id)).first()
        if found is None:
            raise NotFoundError("plan", plan_id, hint="List them with `tuancai plans`.")
        return PlanSummary.model_validate_json(found[0])

    def table_names(self, plan_id: str) -> list[str]:
        """Return the names of a plan's tables."""
        query = sa.select(plan_tables.c.name).where(plan_tables.c.plan_id == plan_id).order_by(plan_tables.c.name)
        with self._database.reading() as connection:
            return [name for (name,) in connection.execute(query)]

    def table(self, plan_id: str, name: str) -> pd.DataFrame:
        """Return one table of a plan, exactly as it was saved.

        Raises
        ------
        NotFoundError
            There is no such plan, or it has no such table.
        """
        query = sa.select(plan_tables.c.data).where(plan_tables.c.plan_id == plan_id, plan_tables.c.name == name)
        with self._database.reading() as connection:
            found = connection.execute(query).first()
        if found is None:
            self.summary(plan_id)
            raise NotFoundError(
                "plan table", name, hint=f"Plan {plan_id!r} has {', '.join(self.table_names(plan_id))}."
            )
        return frame_from_bytes(found[0])


def _latest_first() -> sa.Select[str]:
    return sa.select(plans.c.summary).order_by(
        plans.c.delivery_date.desc(), plans.c.as_of.desc(), plans.c.saved_at.desc(), plans.c.plan_id
    )


def _content(summary: PlanSummary) -> dict[str, object]:
    """Return a summary without the seconds its stages took: they differ from run to run."""
    plain = summary.model_dump(mode="json")
    for stage in plain["stages"]:
        stage.pop("seconds", None)
    return plain
