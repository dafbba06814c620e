"""The sections of the settings, one per room."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator, model_validator

from contracts.clock import clock_minutes
from contracts.settings.field import Section, setting


class CitySettings(Section):
    """The city and its night."""

    name: str = setting("", unit="-", reason="Shown in headings; empty shows none.")
    timezone: str = setting("Asia/Shanghai", unit="IANA zone", reason="The wall clock of cutoffs and windows.")
    cutoff: str = setting("23:00-1", unit="clock", reason="截单: orders after it count for a later delivery date.")
    orders_open: str = setting("00:00-1", unit="clock", reason="Orders for a delivery date open at this moment.")
    cutoff_by_category: dict[str, str] = setting(
        {}, unit="clock by category_id", reason="Earlier cutoffs, e.g. fresh goods that close at 18:00-1."
    )
    cutoff_by_sku: dict[str, str] = setting(
        {}, unit="clock by sku_id", reason="Earlier cutoffs of single SKUs; they win over their category's."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError(f"{value!r} is no IANA time zone") from unknown
        return value

    @field_validator("cutoff", "orders_open")
    @classmethod
    def _clock(cls, value: str) -> str:
        clock_minutes(value)
        return value

    @model_validator(mode="after")
    def _last_cutoff(self) -> CitySettings:
        for name, clocks in (("category", self.cutoff_by_category), ("sku", self.cutoff_by_sku)):
            late = [key for key, value in clocks.items() if clock_minutes(value) > clock_minutes(self.cutoff)]
            if late:
                raise ValueError(
                    f"cutoff_by_{name} of {late[0]!r} lies after the city's cutoff {self.cutoff}: purchases wait for "
                    "the city's, so it must be the last one"
                )
        return self


class TravelSettings(Section):
    """Travel times where no travel matrix is given."""

    circuity: float = setting(
        1.35, unit="road m per great-circle m", reason="Urban road networks lie at 1.2-1.5.", ge=1
    )
    speed_kmh: float = setting(28.0, unit="km/h", reason="City van at night and early morning, lights included.", gt=0)


class SortingSettings(Section):
    """Sorting waves."""

    wave_minutes: int = setting(60, unit="minutes", reason="Zones are staffed by the hour.", ge=15, le=240)
    overtime_minutes: int = setting(
        120, unit="minutes", reason="Sorting may run on so long after closing; vans cannot wait longer.", ge=0, le=720
    )
    late_yuan_per_minute: float = setting(
        1.0,
        unit="yuan per destination and minute",
        reason="A van and its driver wait at about half of that; the rest is the leader's goodwill.",
        ge=0,
    )
    shortage_rule: Literal["proportional", "smallest_protected", "prepaid_first"] = setting(
        "proportional",
        unit="-",
        reason="How scarce goods are shared; the same share for everyone is easiest to defend. "
        "prepaid_first serves `prepaid_orders` first.",
    )
    packing: Literal["box", "parcel"] = setting(
        "box",
        unit="-",
        reason="One box per community, handed out by its leader; parcel: one per household order (一件代发).",
    )
    packing_by_community: dict[str, Literal["box", "parcel"]] = setting(
        {}, unit="packing by community_id", reason="Communities packed otherwise, e.g. stations without a leader."
    )
    whole_model_pairs: int = setting(
        1200,
        unit="destinations x waves",
        reason="Up to this size a zone's whole PuLP model is solved; above, its relaxation is solved and repaired.",
        ge=0,
    )


class SolveSettings(Section):
    """Effort per stage: deterministic work first, seconds as a guard."""

    seed: int = setting(0, unit="-", reason="Seed of every search.", ge=0)
    workers: int = setting(2, unit="processes", reason="The reference machine has two cores.", ge=1)
    purchase_seconds: float = setting(60.0, unit="s", reason="A planner waits a minute, not five.", gt=0)
    purchase_work: int | None = setting(
        None, unit="solver steps", reason="Set for identical plans on any machine.", ge=1
    )
    purchase_gap: float = setting(0.001, unit="fraction", reason="0.1 % of the night's spend.", ge=0, lt=1)
    sorting_seconds: float = setting(30.0, unit="s", reason="Waves are re-planned while people wait.", gt=0)
    sorting_work: int | None = setting(
        None, unit="solver steps", reason="Set for identical plans on any machine.", ge=1
    )
    routing_seconds: float = setting(
        60.0, unit="s", reason="Guard; the iteration limit normally ends the search.", gt=0
    )
    routing_work: int | None = setting(
        2000, unit="iterations", reason="Iterations, so that a plan can be repeated.", ge=1
    )


class StorageSettings(Section):
    """Where things are kept."""

    url: str = setting("sqlite:///data/tuancai.sqlite", unit="SQLAlchemy URL", reason="Embedded by default.")
    history: Path = setting(Path("data/history"), unit="path", reason="Order history in Parquet by delivery date.")
    models: Path = setting(Path("models"), unit="path", reason="MLflow's SQLite backend and artefacts.")
    tracking_uri: str = setting("", unit="URL", reason="MLflow server; empty uses the embedded backend in `models`.")
