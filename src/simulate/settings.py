"""Settings of a simulated world and the presets: tiny, town, city and city_direct."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import model_validator

from contracts.clock import clock_minutes
from contracts.errors import SettingsError
from contracts.settings import CitySettings
from contracts.settings.field import Section, setting
from simulate.catalogue import CATEGORIES, Category
from simulate.demand_settings import (
    ArrivalSettings,
    CalendarSettings,
    DemandSettings,
    LeaderSettings,
    RangeSettings,
)
from simulate.supply_settings import FleetSettings, FloorSettings, OfferSettings, StockSettings, SupplySettings


class SizeSettings(Section):
    """How many of everything."""

    communities: int = setting(60, unit="communities", reason="A town two warehouses serve.", ge=1)
    skus: int = setting(120, unit="SKUs", reason="What one chat group can take in.", ge=1)
    warehouses: int = setting(2, unit="warehouses", reason="North and south of a town.", ge=1)
    depots: int = setting(0, unit="grid depots", reason="A town is served from its warehouses.", ge=0)
    areas: int = setting(3, unit="price areas", reason="Centre and two suburbs.", ge=1)
    radius_km: float = setting(9.0, unit="km", reason="Most communities lie within it.", gt=0)
    latitude: float = setting(30.25, unit="degrees north", reason="Lower Yangtze.", ge=-60, le=60)
    longitude: float = setting(120.17, unit="degrees east", reason="Lower Yangtze.", ge=-179, le=179)


class WorldSettings(Section):
    """A simulated city; `build_world` makes it."""

    name: str = setting("town", unit="-", reason="Shown in headings and logs.")
    plan: Literal["generated", "tiny"] = setting(
        "generated", unit="-", reason="tiny takes its places, goods and supply from the written-down `simulate.tiny`."
    )
    days: int = setting(180, unit="delivery dates", reason="Half a year holds a season and the Lunar New Year.", ge=1)
    last_delivery_date: date = setting(
        date(2026, 4, 22),
        unit="date",
        reason="A plain Wednesday: 180 days back include Lunar New Year 2026-02-17, the last weeks hold no feast.",
    )
    truth_days: int | None = setting(
        None, unit="delivery dates", reason="True demand is kept for the last so many days; None keeps all.", ge=1
    )
    line_days: int | None = setting(
        None, unit="delivery dates", reason="Order lines are made for the last so many days; None makes all.", ge=1
    )
    city: CitySettings = setting(CitySettings(), unit="-", reason="Wall clock and cutoff.")
    size: SizeSettings = setting(SizeSettings(), unit="-", reason="How many of everything.")
    categories: tuple[Category, ...] = setting(CATEGORIES, unit="-", reason="What is sold.", min_length=1)
    demand: DemandSettings = setting(DemandSettings(), unit="-", reason="How much is wanted.")
    range: RangeSettings = setting(RangeSettings(), unit="-", reason="What is listed and at what price.")
    leaders: LeaderSettings = setting(LeaderSettings(), unit="-", reason="Who joins and leaves.")
    calendar: CalendarSettings = setting(CalendarSettings(), unit="-", reason="Holidays and weather.")
    arrivals: ArrivalSettings = setting(ArrivalSettings(), unit="-", reason="When orders come.")
    supply: SupplySettings = setting(SupplySettings(), unit="-", reason="Who delivers, sorts and drives.")

    @model_validator(mode="after")
    def _one_order_day(self) -> WorldSettings:
        opens, cutoff = clock_minutes(self.city.orders_open), clock_minutes(self.city.cutoff)
        if not -1440 <= opens < cutoff <= 0:
            raise ValueError(
                f"orders_open {self.city.orders_open} and cutoff {self.city.cutoff} must lie on the day before delivery"
            )
        if not len(self.arrivals.peaks) == len(self.arrivals.sigmas) == len(self.arrivals.weights):
            raise ValueError("arrivals: peaks, sigmas and weights must be equally many")
        return self


_CITY_SUPPLY = SupplySettings(
    offers=OfferSettings(suppliers=120), floor=FloorSettings(slots_per_station=24, sorting_hours=3.0)
)

PRESETS: dict[str, WorldSettings] = {
    "tiny": WorldSettings(
        name="tiny",
        plan="tiny",
        days=60,
        size=SizeSettings(communities=6, skus=5, warehouses=1, areas=1, radius_km=4.0),
        demand=DemandSettings(lines_per_community=12.0, community_sigma=0.0, taste_sigma=0.0, pair_sigma=0.0),
        range=RangeSettings(
            new_share=0.0, delisted_share=0.0, rotating_share=0.0, area_gap_share=0.0, area_price_sigma=0.0,
            price_step_sigma=0.0, promotion_depth=(0.2, 0.2),
        ),
        leaders=LeaderSettings(join_share=0.0, leave_share=0.0),
        supply=SupplySettings(offers=OfferSettings(suppliers=2)),
    ),
    "town": WorldSettings(calendar=CalendarSettings(new_year_closed_days=1)),
    "city": WorldSettings(
        name="city",
        days=28,
        truth_days=1,
        size=SizeSettings(communities=4000, skus=1500, warehouses=3, depots=40, areas=12, radius_km=22.0),
        demand=DemandSettings(lines_per_community=78.0),
        supply=_CITY_SUPPLY,
    ),
    "city_direct": WorldSettings(
        name="city_direct",
        days=28,
        truth_days=1,
        size=SizeSettings(communities=4000, skus=1500, warehouses=3, areas=12, radius_km=22.0),
        demand=DemandSettings(lines_per_community=78.0),
        supply=_CITY_SUPPLY,
    ),
}  # fmt: skip
"""Preset name to settings. Change one with ``PRESETS["city"].model_copy(update={"days": 7})``."""


def preset_settings(name: str) -> WorldSettings:
    """Return the settings of a preset.

    Raises
    ------
    SettingsError
        There is no such preset.
    """
    if name not in PRESETS:
        raise SettingsError(f"There is no world {name!r}; there are {', '.join(PRESETS)}, or give WorldSettings.")
    return PRESETS[name]


__all__ = [
    "PRESETS",
    "FleetSettings",
    "FloorSettings",
    "OfferSettings",
    "SizeSettings",
    "StockSettings",
    "SupplySettings",
    "WorldSettings",
    "preset_settings",
]
