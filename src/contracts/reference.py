"""Reference data: who and what there is - places, goods, suppliers, vans, prices. Keys and units as in DESIGN 3."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd
import pandera.pandas as pa

from contracts.clock import clock_minutes
from contracts.columns import (
    DISCOUNT_KINDS,
    TEMPERATURE_ZONES,
    Day,
    Instant,
    amount,
    choice,
    clock,
    day,
    identifier,
    instant,
    row_rule,
    text,
)
from contracts.table import Table


def _ordered(opens: pd.Series, closes: pd.Series) -> pd.Series:
    """Return whether each window opens before it closes; rows whose text is no clock are judged by their own rule."""
    pairs = [(o, c) for o, c in zip(opens, closes, strict=True)]
    minutes = {text: clock_minutes(text) for pair in pairs for text in pair if _is_clock(text)}
    return pd.Series(
        [minutes.get(o, 0) < minutes.get(c, 1) if o in minutes and c in minutes else True for o, c in pairs],
        index=opens.index,
    )


def _is_clock(text: str) -> bool:
    try:
        clock_minutes(text)
    except ValueError:
        return False
    return True


class Warehouses(Table):
    """Sorting warehouses (中心仓): suppliers deliver here, goods are sorted per community here."""

    _key: ClassVar[tuple[str, ...]] = ("warehouse_id",)
    warehouse_id: str = identifier("Warehouse")
    name: str = text("Name people use")
    latitude: float = amount("Degrees north", ge=-90, le=90)
    longitude: float = amount("Degrees east", ge=-180, le=180)


class WarehouseZones(Table):
    """What a warehouse's temperature zone can take in and sort in one night."""

    _key: ClassVar[tuple[str, ...]] = ("warehouse_id", "temperature_zone")
    warehouse_id: str = identifier("Warehouse")
    temperature_zone: str = choice("Temperature zone", TEMPERATURE_ZONES)
    inbound_capacity_units: float = amount("Units the zone can receive in one night")
    stations: int = amount("Put-to-store stations", gt=0)
    slots_per_station: int = amount("Destinations a station serves at once", gt=0)
    units_per_worker_hour: float = amount("Units one worker sorts in an hour", gt=0)
    max_workers: int = amount("Workers that fit the zone at once", gt=0)
    worker_hour_yuan: float = amount("Yuan per worker hour")
    overtime_hour_yuan: float = amount("Yuan per worker hour after closing")
    opens_at: str = clock("Sorting may start")
    closes_at: str = clock("Regular hours end; later is overtime")

    @row_rule("opens before it closes")
    @classmethod
    def _window(cls, frame: pd.DataFrame) -> pd.Series:
        return _ordered(frame["opens_at"], frame["closes_at"])


class Depots(Table):
    """Grid depots (网格仓): a second echelon between a warehouse and its communities."""

    _key: ClassVar[tuple[str, ...]] = ("depot_id",)
    depot_id: str = identifier("Depot")
    warehouse_id: str = identifier("Warehouse that feeds it")
    name: str = text("Name people use")
    latitude: float = amount("Degrees north", ge=-90, le=90)
    longitude: float = amount("Degrees east", ge=-180, le=180)
    opens_at: str = clock("Linehaul may arrive")


class Communities(Table):
    """Communities (社区) with their leader's pickup point (自提点)."""

    _key: ClassVar[tuple[str, ...]] = ("community_id",)
    community_id: str = identifier("Community")
    name: str = text("Name people use")
    area_id: str = identifier("Price area")
    warehouse_id: str = identifier("Warehouse that sorts for it")
    depot_id: str = identifier("Depot that delivers to it, if any", nullable=True)
    latitude: float = amount("Degrees north", ge=-90, le=90)
    longitude: float = amount("Degrees east", ge=-180, le=180)
    window_start: str = clock("Earliest delivery")
    window_end: str = clock("Latest delivery")
    service_minutes: float = amount("Minutes a stop takes")
    leader_id: str = identifier("Group leader (团长)", nullable=True)
    opened_on: Day = day("First delivery date", nullable=True)
    closed_on: Day = day("Last delivery date", nullable=True)

    @row_rule("opens before it closes")
    @classmethod
    def _window(cls, frame: pd.DataFrame) -> pd.Series:
        return _ordered(frame["window_start"], frame["window_end"])


class Skus(Table):
    """Goods as they are sold."""

    _key: ClassVar[tuple[str, ...]] = ("sku_id",)
    sku_id: str = identifier("Stock keeping unit")
    name: str = text("Name people use")
    category_id: str = identifier("Category")
    temperature_zone: str = choice("Temperature zone", TEMPERATURE_ZONES)
    unit: str = text("What one unit is, e.g. 500 g bag")
    weight_kg: float = amount("Kilograms per unit", gt=0)
    volume_l: float = amount("Litres per unit", gt=0)
    shelf_life_days: float = amount("Days a unit can still be sold", gt=0)
    salvage_yuan: float = amount("Yuan a left-over unit still brings (may be negative: disposal)", ge=None)
    shortage_penalty_yuan: float = amount(
        "Yuan lost per unit ordered and not delivered, on top of its saved cost: margin and goodwill"
    )


class Suppliers(Table):
    """Who can be bought from, and on what terms as a whole."""

    _key: ClassVar[tuple[str, ...]] = ("supplier_id",)
    supplier_id: str = identifier("Supplier")
    name: str = text("Name people use")
    order_cost_yuan: float = amount("Fixed cost of one order to this supplier on a night")
    min_order_yuan: float = amount("Minimum order value on a night, if ordered from at all")
    max_share: float = amount(
        "Largest share of a SKU x warehouse's units this supplier may get", gt=0, le=1, nullable=True
    )
    fill_rate: float = amount("Share of ordered units that arrives, expected", gt=0, le=1)
    lead_time_hours: float = amount("Hours from order to readiness at the supplier")
    order_deadline: str = clock("Orders at the normal price until then")


class Offers(Table):
    """What a supplier sells to a warehouse: case pack, limits and price."""

    _key: ClassVar[tuple[str, ...]] = ("supplier_id", "sku_id", "warehouse_id")
    supplier_id: str = identifier("Supplier")
    sku_id: str = identifier("SKU")
    warehouse_id: str = identifier("Warehouse it is delivered to")
    case_units: int = amount("Units per case (箱规)", gt=0)
    min_cases: int = amount("Minimum cases if bought at all (起订量, MOQ)")
    max_cases: int = amount("Most cases on a night")
    unit_price_yuan: float = amount("Yuan per unit below the first break", gt=0)
    discount_kind: str = choice("How price breaks apply", DISCOUNT_KINDS)
    late_price_yuan: float = amount("Yuan per unit after the deadline", gt=0, nullable=True)
    late_max_cases: float = amount("Most cases after the deadline", nullable=True)

    @row_rule("min_cases at most max_cases")
    @classmethod
    def _limits(cls, frame: pd.DataFrame) -> pd.Series:
        return frame["min_cases"] <= frame["max_cases"]


class PriceBreaks(Table):
    """Quantity price breaks of an offer: from so many cases, this price per unit."""

    _key: ClassVar[tuple[str, ...]] = ("supplier_id", "sku_id", "warehouse_id", "from_cases")
    supplier_id: str = identifier("Supplier")
    sku_id: str = identifier("SKU")
    warehouse_id: str = identifier("Warehouse")
    from_cases: int = amount("Cases from which the price holds", gt=1)
    unit_price_yuan: float = amount("Yuan per unit from there", gt=0)


class SpendRebates(Table):
    """All-units rebate on everything bought from a supplier on a night, from a spend on."""

    _key: ClassVar[tuple[str, ...]] = ("supplier_id", "from_yuan")
    supplier_id: str = identifier("Supplier")
    from_yuan: float = amount("Spend from which the rebate holds", gt=0)
    rebate_rate: float = amount("Share of the supplier's total paid back", gt=0, le=1)


class GroupThresholds(Table):
    """Campaigns that only form (成团) if the whole city orders enough by a deadline; else orders are refunded."""

    _key: ClassVar[tuple[str, ...]] = ("delivery_date", "sku_id")
    delivery_date: Day = day("Delivery date")
    sku_id: str = identifier("Campaign SKU")
    min_units: float = amount("Units that must be ordered by the deadline, all warehouses together", gt=0)
    deadline: str = clock("The campaign forms or not")
    refund_yuan: float = amount("Yuan a refunded unit costs beyond its price: voucher, goodwill")


class Lanes(Table):
    """How a supplier's goods reach a warehouse, and when."""

    _key: ClassVar[tuple[str, ...]] = ("supplier_id", "warehouse_id")
    supplier_id: str = identifier("Supplier")
    warehouse_id: str = identifier("Warehouse")
    yuan_per_kg: float = amount("Freight per kilogram")
    truck_capacity_kg: float = amount("Kilograms per whole truck, if freight is by truck", gt=0, nullable=True)
    truck_yuan: float = amount("Yuan per whole truck", nullable=True)
    arrives_at: str = clock("Goods are at the warehouse")


class VehicleTypes(Table):
    """Vans of one kind at one base."""

    _key: ClassVar[tuple[str, ...]] = ("vehicle_type_id",)
    vehicle_type_id: str = identifier("Vehicle type at its base")
    base_id: str = identifier("Warehouse or depot it starts from")
    count: int = amount("Vans of this type", gt=0)
    capacity_kg: float = amount("Kilograms per trip", gt=0)
    capacity_l: float = amount("Litres per trip", gt=0)
    carries_chilled: bool = pa.Field(description="Carries chilled goods.")
    carries_frozen: bool = pa.Field(description="Carries frozen goods.")
    fixed_yuan: float = amount("Yuan per van used")
    yuan_per_km: float = amount("Yuan per kilometre")
    yuan_per_hour: float = amount("Yuan per hour on duty")
    shift_start: str = clock("Duty may start")
    shift_end: str = clock("Duty must end")
    max_trips: int = amount("Trips a van may make", gt=0)

    @row_rule("opens before it closes")
    @classmethod
    def _shift(cls, frame: pd.DataFrame) -> pd.Series:
        return _ordered(frame["shift_start"], frame["shift_end"])


class VehicleBans(Table):
    """Communities a kind of van must not serve: a low gate, a weight limit, a ban on lorries."""

    _key: ClassVar[tuple[str, ...]] = ("vehicle_type_id", "community_id")
    vehicle_type_id: str = identifier("Vehicle type at its base")
    community_id: str = identifier("Community it must not drive to")


class MasterRoutes(Table):
    """Routes the drivers know: tonight's keep to them unless leaving them pays. The route stops of a plan fit as is."""

    _key: ClassVar[tuple[str, ...]] = ("route_id", "trip", "seq")
    route_id: str = identifier("Route: one driver's round")
    trip: int = amount("Trip of the route, from 1", gt=0)
    seq: int = amount("Stop of the trip, from 1", gt=0)
    base_id: str = identifier("Warehouse or depot the trip starts from")
    vehicle_type_id: str = identifier("Vehicle type at its base")
    community_id: str = identifier("Community served", nullable=True)
    depot_id: str = identifier("Depot served (linehaul)", nullable=True)


class Listings(Table):
    """What was on sale where on which delivery date, at what price, and when it sold out."""

    _key: ClassVar[tuple[str, ...]] = ("delivery_date", "area_id", "sku_id")
    delivery_date: Day = day("Delivery date")
    area_id: str = identifier("Price area")
    sku_id: str = identifier("SKU")
    price_yuan: float = amount("Price asked", gt=0)
    list_price_yuan: float = amount("Price without promotion", gt=0)
    sold_out_at: Instant = instant(
        "Moment the listing closed because it sold out; sales until then are a lower bound of demand",
        nullable=True,
    )


class TravelMatrix(Table):
    """Road distances and times between places; both directions are rows of their own."""

    _key: ClassVar[tuple[str, ...]] = ("from_id", "to_id")
    from_id: str = identifier("Place")
    to_id: str = identifier("Place")
    distance_m: float = amount("Metres")
    duration_s: float = amount("Seconds")


class Calendar(Table):
    """Days with what is known of them beforehand: holidays, events, weather if given."""

    _key: ClassVar[tuple[str, ...]] = ("day",)
    day: Day = day("Calendar day")
    is_holiday: bool = pa.Field(description="Public holiday.")
    event: str = text("Name of the holiday or event", nullable=True)
    temperature_c: float = amount("Forecast mean temperature, degrees Celsius", ge=None, nullable=True)
    rain_mm: float = amount("Forecast rain, millimetres", nullable=True)


class AreaEvents(Table):
    """What is on in one price area on a day, known beforehand: a market day, a school's first day, a local campaign.

    Give past days as well as days to come: a model learns what an event does from the days it was on before.
    """

    _key: ClassVar[tuple[str, ...]] = ("day", "area_id", "event")
    day: Day = day("Delivery date it is on")
    area_id: str = identifier("Price area")
    event: str = identifier("Name of the event; the same name means the same kind of event")
