"""What a night takes for granted, said before it is planned: stale history is refused, missing listings are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from contracts.clock import clock_instant
from contracts.errors import InputError, first_keys
from contracts.flow import MOST_UNITS
from contracts.settings import Settings
from forecast.assortment import unlisted_areas
from forecast.book import set_aside
from optimize.routing.travel import given_travel

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
    served = _served(night, settings)
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


def _served(night: NightInput, settings: Settings) -> set[str]:
    """Return the communities open on the date that ordered of late or tonight, or have just opened."""
    day = night.delivery_date
    since = day - pd.Timedelta(days=settings.forecast.base_days)
    recent = night.history.loc[night.history["delivery_date"] >= since, "community_id"]
    tonight = night.order_lines.loc[night.order_lines["cancelled_at"].isna(), "community_id"]
    places = night.reference.communities
    open_now = ~(places["opened_on"] > day) & ~(places["closed_on"] < day)
    used = places["community_id"].isin({*recent, *tonight}) | (places["opened_on"] >= since)
    return set(places.loc[open_now & used, "community_id"])


def check_ways(night: NightInput, settings: Settings) -> None:
    """Refuse a travel matrix that lacks a way between places whose goods share vans.

    Raises
    ------
    InputError
        Names the ways; routing would find it out after everything else was planned.
    """
    reference = night.reference
    if not len(reference.travel_matrix):
        return
    served = _served(night, settings)
    homes = reference.communities[reference.communities["community_id"].isin(served)]
    direct, behind = homes[homes["depot_id"].isna()], homes[homes["depot_id"].notna()]
    used = reference.depots[reference.depots["depot_id"].isin(behind["depot_id"])]
    layers = [
        pd.concat(
            [_bases(reference.warehouses, "warehouse_id"), _bases(used, "depot_id"), _bases(direct, "community_id")]
        ),
        pd.concat([_bases(used, "depot_id", base="depot_id"), _bases(behind, "community_id", base="depot_id")]),
    ]
    matrix = reference.travel_matrix
    ways = matrix[matrix["from_id"] != matrix["to_id"]]
    for base_of in layers:
        start, end = ways["from_id"].map(base_of), ways["to_id"].map(base_of)
        known = start[start.notna() & (start == end)].value_counts()
        for base, places in base_of.groupby(base_of).groups.items():
            if known.get(base, 0) < len(places) * (len(places) - 1):
                given_travel([str(place) for place in places], matrix)  # names what is missing


def _bases(places: pd.DataFrame, key: str, *, base: str = "warehouse_id") -> pd.Series[str]:
    """Return which base each place is driven to from, by place."""
    return pd.Series(places[base].to_numpy(), index=places[key].to_numpy(), dtype="str")


def premise_warnings(night: NightInput, settings: Settings) -> list[str]:
    """Return one sentence per thing the plan assumes because nobody said it."""
    said = list(night.said)
    day, listings = night.delivery_date, night.reference.listings
    tonight = listings[listings["delivery_date"] == day]
    unlisted = unlisted_areas(night.reference.communities, tonight, day)
    if tonight.empty or unlisted:
        where = f", but for others, in area {first_keys(unlisted)}" if unlisted else ""
        said.append(
            f"No listings for {day.date()}{where}: what was on sale during the last "
            f"{settings.forecast.listed_within_days} days is taken to be on sale, at the last prices."
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
    return said + _typing_errors(night) + _unlearned_events(night)


def _typing_errors(night: NightInput) -> list[str]:
    """Return a sentence where the orders of the date add up to more than anybody can have meant."""
    lines = night.order_lines[night.order_lines["placed_at"] <= night.as_of]
    open_lines = lines[~(lines["cancelled_at"] <= night.as_of)]
    units = open_lines.groupby(["community_id", "sku_id"], observed=True)["quantity"].sum()
    beyond = units[units > MOST_UNITS]
    return [
        f"Orders for {row['quantity']:,.0f} units of SKU {row['sku_id']!r} in {row['community_id']!r}: more than "
        f"{MOST_UNITS:,.0f} of a community, SKU and day is a typing error; they are planned as they stand until the "
        "wrong lines are taken back."
        for row in beyond.reset_index().to_dict("records")
    ]


def _unlearned_events(night: NightInput) -> list[str]:
    """Return a sentence where a local event is on that the demand model has no day to know from."""
    model, events = night.models.demand, night.reference.area_events
    tonight, seen = events[events["day"] == night.delivery_date], model.context.area_events
    seen = seen[seen["day"] <= model.trained_until] if len(seen) else seen
    names = ["event", "area_id"] if model.settings.by_area else ["event"]  # by area, each area learns for itself
    known = {" in ".join(row) for row in seen[names].to_numpy().tolist()}
    fresh = sorted({" in ".join(row) for row in tonight[names].to_numpy().tolist()} - known)
    if not fresh:
        return []
    return [
        f"The demand model has learned no day of {first_keys(fresh)}, which is on {night.delivery_date.date()}: it is "
        "forecast as an ordinary day. Bring in past days of the event too (area_events), and train again."
    ]


def _last_known(night: NightInput) -> pd.Timestamp | None:
    past = night.history.loc[night.history["delivery_date"] < night.delivery_date, "delivery_date"]
    return None if past.empty else past.max()
