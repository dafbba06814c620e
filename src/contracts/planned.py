"""What a night decides: purchase lines, coverage, allotments, sorting tasks, waves, route stops."""

from __future__ import annotations

from typing import ClassVar

import pandera.pandas as pa

from contracts.columns import (
    GROUP_DECISIONS,
    TEMPERATURE_ZONES,
    Day,
    Instant,
    amount,
    choice,
    day,
    identifier,
    instant,
    text,
)
from contracts.table import Table


class PurchaseLines(Table):
    """What to buy from whom: one line per supplier, SKU and warehouse."""

    _key: ClassVar[tuple[str, ...]] = ("supplier_id", "sku_id", "warehouse_id")
    supplier_id: str = identifier("Supplier")
    sku_id: str = identifier("SKU")
    warehouse_id: str = identifier("Warehouse")
    cases: int = amount("Cases ordered", gt=0)
    units: float = amount("Units ordered: cases x case pack", gt=0)
    unit_price_yuan: float = amount("Yuan per unit paid (average over tiers if incremental)", gt=0)
    amount_yuan: float = amount("Line amount, rounded half-up to 0.01")
    reason: str = text("Why this supplier and this quantity, in one sentence")
    locked: bool = pa.Field(description="Given (sent or fixed by a planner), not decided here.")


class Coverage(Table):
    """How each SKU x warehouse stands after the purchase."""

    _key: ClassVar[tuple[str, ...]] = ("warehouse_id", "sku_id")
    warehouse_id: str = identifier("Warehouse")
    sku_id: str = identifier("SKU")
    confirmed: float = amount("Units ordered so far")
    final_mean: float = amount("Units expected at the cutoff")
    q05: float = amount("5 % quantile of the final units")
    q10: float = amount("10 % quantile of the final units")
    q25: float = amount("25 % quantile of the final units")
    q50: float = amount("Median of the final units")
    q75: float = amount("75 % quantile of the final units")
    q90: float = amount("90 % quantile of the final units")
    q95: float = amount("95 % quantile of the final units")
    q99: float = amount("99 % quantile of the final units")
    available: float = amount("Units in stock and due in")
    bought: float = amount("Units ordered in this plan, locked lines included")
    expected_short: float = amount("Units expected to be missing at the cutoff, before late purchase")
    expected_surplus: float = amount("Units expected to be left over")
    short_yuan: float = amount("Expected cost of the missing units")
    surplus_yuan: float = amount("Expected cost of the left-over units", ge=None)
    late_slot: Instant = instant("Last supplier deadline that still helps", nullable=True)


class GroupDecisions(Table):
    """How each campaign with a group threshold (成团) stands: it goes, does not go, or is still open."""

    _key: ClassVar[tuple[str, ...]] = ("sku_id",)
    sku_id: str = identifier("Campaign SKU")
    decision: str = choice("Decision", GROUP_DECISIONS)
    min_units: float = amount("Units that must be ordered by the deadline", gt=0)
    deadline: Instant = instant("The campaign forms or not")
    ordered_units: float = amount("Units ordered so far, all warehouses together")
    expected_units: float = amount("Units expected at the cutoff if it forms")
    chance: float = amount("Chance that the threshold is reached", ge=0, le=1)
    refund_yuan: float = amount("Expected cost of refunds")
    reason: str = text("What stands behind the decision, in one sentence")


class Allotments(Table):
    """Units each community gets of a SKU when goods are shared out; whole sale units."""

    _key: ClassVar[tuple[str, ...]] = ("warehouse_id", "community_id", "sku_id")
    warehouse_id: str = identifier("Warehouse")
    community_id: str = identifier("Community")
    sku_id: str = identifier("SKU")
    ordered_units: float = amount("Units ordered or expected")
    allotted_units: float = amount("Units it gets")
    short_units: float = amount("ordered - allotted")


class Arrivals(Table):
    """Goods that come to a warehouse for the night, by where they come from."""

    _key: ClassVar[tuple[str, ...]] = ("warehouse_id", "sku_id", "supplier_id")
    warehouse_id: str = identifier("Warehouse")
    sku_id: str = identifier("SKU")
    supplier_id: str = identifier("Supplier, or 'stock' for goods already there or due in")
    units: float = amount("Units", gt=0)
    arrives_at: Instant = instant("Moment they can be sorted")


class SortingTasks(Table):
    """Put-to-store work: at this station, in this wave, put these units of this SKU into this slot."""

    _key: ClassVar[tuple[str, ...]] = (
        "warehouse_id",
        "temperature_zone",
        "wave",
        "station",
        "slot",
        "sku_id",
    )
    warehouse_id: str = identifier("Warehouse")
    temperature_zone: str = choice("Temperature zone", TEMPERATURE_ZONES)
    wave: int = amount("Wave, from 1", gt=0)
    station: int = amount("Station, from 1", gt=0)
    slot: int = amount("Slot at the station, from 1", gt=0)
    sku_id: str = identifier("SKU")
    destination_id: str = identifier("Community, depot or route the slot belongs to")
    units: float = amount("Units to put", gt=0)
    starts_at: Instant = instant("Wave start")
    ends_at: Instant = instant("Wave end")


class WaveLoads(Table):
    """Load and people per wave."""

    _key: ClassVar[tuple[str, ...]] = ("warehouse_id", "temperature_zone", "wave")
    warehouse_id: str = identifier("Warehouse")
    temperature_zone: str = choice("Temperature zone", TEMPERATURE_ZONES)
    wave: int = amount("Wave, from 1", gt=0)
    units: float = amount("Units sorted")
    workers: int = amount("Workers at once", gt=0)
    starts_at: Instant = instant("Wave start")
    ends_at: Instant = instant("Wave end")
    late_minutes: float = amount("Minutes the wave ends after its latest allowed end")


class Releases(Table):
    """When a destination's goods are all sorted and may leave: the earliest departure of its route."""

    _key: ClassVar[tuple[str, ...]] = ("warehouse_id", "destination_id")
    warehouse_id: str = identifier("Warehouse")
    destination_id: str = identifier("Community, depot or route")
    released_at: Instant = instant("End of the last wave that has goods for it")


class StopLoads(Table):
    """What a van must carry to a stop, per temperature zone."""

    _key: ClassVar[tuple[str, ...]] = ("destination_id", "temperature_zone")
    destination_id: str = identifier("Community or depot")
    temperature_zone: str = choice("Temperature zone", TEMPERATURE_ZONES)
    units: float = amount("Units", gt=0)
    load_kg: float = amount("Kilograms", gt=0)
    load_l: float = amount("Litres", gt=0)


class RouteStops(Table):
    """Stops of the routes, in order; one row per stop, the base itself is not a row."""

    _key: ClassVar[tuple[str, ...]] = ("route_id", "trip", "seq")
    route_id: str = identifier("Route: one van's duty")
    trip: int = amount("Trip of the route, from 1", gt=0)
    seq: int = amount("Stop of the trip, from 1", gt=0)
    base_id: str = identifier("Warehouse or depot the trip starts from")
    vehicle_type_id: str = identifier("Vehicle type")
    community_id: str = identifier("Community served", nullable=True)
    depot_id: str = identifier("Depot served (linehaul)", nullable=True)
    arrive_at: Instant = instant("Arrival")
    depart_at: Instant = instant("Departure after service")
    units: float = amount("Units handed over")
    load_kg: float = amount("Kilograms handed over")
    load_l: float = amount("Litres handed over")
    distance_m: float = amount("Metres from the previous place")
    wait_minutes: float = amount("Minutes waited for the window")
    late_minutes: float = amount("Minutes after the window")


class Unserved(Table):
    """Stops no van serves, with the reason and the cheapest relaxation that would."""

    _key: ClassVar[tuple[str, ...]] = ("destination_id",)
    destination_id: str = identifier("Community or depot")
    base_id: str = identifier("Warehouse or depot it would be served from")
    reason: str = text("Why it cannot be served")
    cure: str = text("Cheapest change that would serve it")
    cure_yuan: float = amount("What the cure costs, if known", nullable=True)


class Trips(Table):
    """One row per van trip: when it leaves and returns, how far, how full, what it costs."""

    _key: ClassVar[tuple[str, ...]] = ("route_id", "trip")
    route_id: str = identifier("Route")
    trip: int = amount("Trip, from 1", gt=0)
    base_id: str = identifier("Warehouse or depot")
    vehicle_type_id: str = identifier("Vehicle type")
    departs_at: Instant = instant("Leaves the base")
    returns_at: Instant = instant("Is back at the base")
    stops: int = amount("Stops", gt=0)
    distance_m: float = amount("Metres, return leg included")
    load_kg: float = amount("Kilograms at departure")
    load_l: float = amount("Litres at departure")
    cost_yuan: float = amount("Fixed (on the first trip), kilometre and hour cost")


class TrueDemand(Table):
    """Simulated truth beside the observed orders: what would have been ordered had nothing sold out."""

    _key: ClassVar[tuple[str, ...]] = ("delivery_date", "community_id", "sku_id")
    delivery_date: Day = day("Delivery date")
    community_id: str = identifier("Community")
    sku_id: str = identifier("SKU")
    expected_units: float = amount("Mean of the demand distribution")
    units: float = amount("Units wanted on the day, cancellations taken off")


class ArrivalCurve(Table):
    """Share of a day's orders that is usually placed by a minute of the order day."""

    _key: ClassVar[tuple[str, ...]] = ("weekday", "category_id", "minute")
    weekday: int = amount("Weekday of the order day, Monday 0", ge=0, le=6)
    category_id: str = identifier("Category")
    minute: int = amount("Minutes from midnight of the order day", ge=0, le=1440)
    share: float = amount("Share placed by then", ge=0, le=1)
