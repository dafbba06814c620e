"""What a night takes for granted, said before it is planned: stale history is refused, missing listings are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from contracts.clock import clock_instant
from contracts.errors import InputError, first_keys
from contracts.settings import Settings
from forecast.book import set_aside

if TYPE_CHECKING:
    from pipeline.night import NightInput


def check_premises(night: NightInput, settings: Settings) -> None:
    """Raise where planning would be a guess.

    Raises
    ------
    InputError
        The moment lies before orders open, the orders known end more than `forecast.base_days` before the delivery
        date (there is no recent demand to lean on), or a place that is delivered to has no position.
    """
    city = settings.city
    opening = clock_instant(city.orders_open, delivery_date=night.delivery_date, timezone=city.timezone)
    if night.as_of < opening:
        raise InputError(
            f"as_of {night.as_of} lies before {opening}, when orders open for {night.delivery_date.date()}. "
            "Plan that date later, or set city.orders_open earlier."
        )
    _refuse_nowhere(night, settings)
    last = _last_known(night)
    if last is not None and (night.delivery_date - last).days > settings.forecast.base_days:
        raise InputError(
            f"The orders known end on {last.date()}, {(night.delivery_date - last).days} days before "
            f"{night.delivery_date.date()}; at most {settings.forecast.base_days} are taken. Import newer orders."
        )


def _refuse_nowhere(night: NightInput, settings: Settings) -> None:
    """Refuse a night whose routes would fail after everything else was planned: places that were never put on a map."""
    reference = night.reference
    if len(reference.travel_matrix):
        return
    since = night.delivery_date - pd.Timedelta(days=settings.forecast.base_days)
    recent = night.history.loc[night.history["delivery_date"] >= since, "community_id"]
    served = {*recent, *night.order_lines["community_id"]}
    lost = [
        str(row[key])
        for table, key in (("warehouses", "warehouse_id"), ("depots", "depot_id"), ("communities", "community_id"))
        for row in getattr(reference, table).query("latitude == 0 and longitude == 0").to_dict("records")
        if table != "communities" or row[key] in served
    ]
    if lost:
        raise InputError(
            f"Latitude 0 and longitude 0 for {first_keys(lost)}: the position was never filled in, so no van can be "
            "sent there. Give the coordinates, or a travel matrix that holds these places."
        )


def premise_warnings(night: NightInput, settings: Settings) -> list[str]:
    """Return one sentence per thing the plan assumes because nobody said it."""
    said = []
    day, listings = night.delivery_date, night.reference.listings
    if not (listings["delivery_date"] == day).any():
        said.append(
            f"No listings for {day.date()}: what was on sale during the last {settings.forecast.listed_within_days} "
            "days is taken to be on sale, at the last prices."
        )
    last = _last_known(night)
    if last is None:
        said.append("No demand history: the forecast is the level the model was trained with.")
    elif (day - last).days > settings.forecast.horizon_days:
        said.append(
            f"The orders known end on {last.date()}, further from {day.date()} than the trained horizon of "
            f"{settings.forecast.horizon_days} days."
        )
    learned = night.models.demand.trained_until
    if learned >= day:
        said.append(
            f"The demand model has learned from {learned.date()}, so it has seen {day.date()}: hindsight, no test."
        )
    reference = night.reference
    lost = set_aside(night.order_lines, communities=reference.communities, city=settings.city, skus=reference.skus)
    for rule, count in lost.loc[lost["placed_at"] <= night.as_of, "rule"].value_counts().sort_index().items():
        said.append(f"{count} order lines do not count: {rule}.")
    if not len(night.reference.calendar[night.reference.calendar["day"] == day]):
        said.append(f"The calendar does not know {day.date()}: no holiday and no weather is assumed.")
    return said


def _last_known(night: NightInput) -> pd.Timestamp | None:
    past = night.history.loc[night.history["delivery_date"] < night.delivery_date, "delivery_date"]
    return None if past.empty else past.max()
