"""From the stages' decisions to one plan: statuses, costs that add up, fingerprints, warnings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import Forecast, OrderBook
from contracts.plan import PlanSummary
from contracts.planned import (
    Allotments,
    Arrivals,
    Releases,
    RouteStops,
    SortingTasks,
    Trips,
    Unserved,
    WaveLoads,
)
from contracts.settings import Settings
from optimize.purchase import PurchasePlan
from optimize.routing import RoutePlan
from optimize.sorting import SortingPlan
from pipeline.fingerprint import library_versions, settings_fingerprint, table_fingerprint
from pipeline.plan import NightPlan
from pipeline.premises import premise_warnings

if TYPE_CHECKING:
    from pipeline.night import NightInput


@dataclass(frozen=True)
class Decisions:
    """What the stages of a night decided; None where an earlier stage had no plan."""

    forecast: DataFrame[Forecast]
    book: DataFrame[OrderBook]
    purchase: PurchasePlan
    arrivals: DataFrame[Arrivals]
    allotments: DataFrame[Allotments]
    sorting: SortingPlan | None
    routing: RoutePlan | None


def summarise(night: NightInput, settings: Settings, made: Decisions) -> NightPlan:
    """Return the plan of a night with its summary."""
    planned = [stage for stage in (made.purchase, made.sorting, made.routing) if stage is not None]
    costs = {
        f"{stage.report.stage}.{part}": yuan + 0.0  # never -0.0
        for stage in planned
        for part, yuan in stage.costs.items()
        if part != "total"
    }
    city = made.book[made.book["level"] == "warehouse"]
    inputs = input_fingerprints(night)
    marks = settings_fingerprint(settings)
    summary = PlanSummary(
        plan_id=_plan_id(night, inputs, marks),
        delivery_date=night.delivery_date.date(),
        as_of=night.as_of.to_pydatetime(),
        after=night.after,
        begun_from=None if night.before is None else night.before.plan_id,
        stays_near=night.before is not None and night.before.stay_near,
        what_if=night.change,
        stages=tuple(stage.report for stage in planned),
        costs_yuan={**costs, "total": sum(costs.values())},
        demand_units={
            "confirmed": float(city["confirmed"].sum()),
            "remaining": float(city["remaining_mean"].sum()),
            "final": float(city["final_mean"].sum()),
        },
        settings_fingerprint=marks,
        input_fingerprints=inputs,
        model_version=night.models.version,
        versions=library_versions(),
        seed=settings.solve.seed,
        warnings=(
            *([] if night.change is None else [f"Planned under other circumstances: {night.change.sentence}."]),
            *premise_warnings(night, settings),
            *(warning for stage in planned for warning in stage.warnings),
        ),
        fallbacks=_fallbacks(made),
        synthetic=night.reference.synthetic,
    )
    return NightPlan(
        summary=summary,
        forecast=made.forecast,
        order_book=made.book,
        purchase_lines=made.purchase.lines,
        coverage=made.purchase.coverage,
        group_decisions=made.purchase.groups,
        allotments=made.allotments,
        arrivals=made.arrivals,
        sorting_tasks=made.sorting.tasks if made.sorting else SortingTasks.empty(),
        wave_loads=made.sorting.waves if made.sorting else WaveLoads.empty(),
        releases=made.sorting.releases if made.sorting else Releases.empty(),
        route_stops=made.routing.stops if made.routing else RouteStops.empty(),
        trips=made.routing.trips if made.routing else Trips.empty(),
        unserved=made.routing.unserved if made.routing else Unserved.empty(),
    )


def input_fingerprints(night: NightInput) -> dict[str, str]:
    """Return the content hash of every table the night was planned from."""
    tables: dict[str, pd.DataFrame] = dict(night.reference.tables())
    tables |= {
        "history": night.history[night.history["delivery_date"] < night.delivery_date],
        "order_lines": _as_known(night.order_lines, night.as_of),
    }
    if night.locked is not None:
        tables["locked"] = night.locked
    if night.before is not None:
        tables["near" if night.before.stay_near else "begun_from"] = night.before.lines
    return {name: table_fingerprint(frame) for name, frame in tables.items()}


def _as_known(lines: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the lines as they were at a moment: later ones are not there, later cancellations had not happened."""
    placed = lines[lines["placed_at"] <= as_of]
    return placed.assign(cancelled_at=placed["cancelled_at"].where(placed["cancelled_at"] <= as_of))


def _plan_id(night: NightInput, inputs: dict[str, str], settings: str) -> str:
    made_with: list[object] = [night.models.version, library_versions()]
    made_with += [] if night.change is None else [night.change.model_dump(mode="json")]
    identity = json.dumps([inputs, settings, made_with, night.as_of.isoformat()], sort_keys=True)
    return f"{night.delivery_date:%Y%m%d}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"


def _fallbacks(made: Decisions) -> tuple[str, ...]:
    """Return one sentence per kind of fallback that answered instead of a model, with the rows it stands for."""
    counts = pd.concat(
        [
            made.forecast.loc[made.forecast["source"].str.startswith("fallback"), "source"],
            made.book.loc[made.book["source"].str.startswith("fallback"), "source"],
        ]
    ).value_counts()
    return tuple(f"{source} ({rows} rows)" for source, rows in counts.sort_index().items())
