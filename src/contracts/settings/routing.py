"""The settings of delivery routes."""

from __future__ import annotations

from contracts.settings.field import Section, setting


class RoutingSettings(Section):
    """Delivery routes."""

    unserved_yuan: float = setting(
        2000.0,
        unit="yuan per stop",
        reason="Far above any detour: a stop is dropped only when it cannot be served.",
        gt=0,
    )
    loading_minutes: float = setting(
        20.0, unit="minutes per trip", reason="Crates of one van are rolled in at the base before each trip.", ge=0
    )
    depot_unloading_minutes: float = setting(
        30.0, unit="minutes per linehaul stop", reason="A truck's cages are unloaded at the depot's dock.", ge=0
    )
    depot_handling_minutes: float = setting(
        20.0, unit="minutes", reason="From the truck's unloading until vans of the depot may load.", ge=0
    )
    linehaul_slack_minutes: float = setting(
        60.0,
        unit="minutes",
        reason="Linehaul first aims to reach a depot this long after a direct truck could, or by the vans' shift.",
        ge=0,
    )
    seconds_per_unit: float = setting(
        0.0, unit="s per unit", reason="Handing over, beyond the community's service_minutes; 0: included there.", ge=0
    )
    moved_stop_yuan: float = setting(
        3.0,
        unit="yuan per stop",
        reason="A driver new to a stop loses some minutes finding its pickup point; counted against `master_routes`, "
        "or against the plan that is revised.",
        ge=0,
    )
    crate_l: float = setting(
        45.0, unit="litres", reason="Turnover crate 600 x 400 x 230 mm; one crate holds one zone of one stop.", gt=0
    )
    whole_stops: int = setting(
        150, unit="stops", reason="Up to here one search of the whole beats searches of its parts.", ge=20
    )
    part_stops: int = setting(
        200,
        unit="stops",
        reason="Larger territories are searched in parts of so many.",
        ge=20,
    )
    part_iterations_per_stop: float = setting(
        10.0,
        unit="iterations per stop",
        reason="Work on a part until boundaries move.",
        gt=0,
    )
    late_yuan_per_minute: float = setting(
        1.0,
        unit="yuan per minute",
        reason="Compares cures only: a window, release or shift moved by a minute against the cost of another van.",
        gt=0,
    )
    tour_share: float = setting(
        0.5,
        unit="share of the window",
        reason="Before routes are known, half a delivery window is kept for the stops a van makes before this one.",
        ge=0,
        le=1,
    )
    joint_rounds: int = setting(
        2,
        unit="rounds",
        reason="Waves and routes are planned for each other so often; a third round has not paid yet. 0: one pass.",
        ge=0,
        le=10,
    )
    joint_share: float = setting(
        0.5,
        unit="share of the routing effort",
        reason="Kept for the rounds, which search on from the first pass: little is lost when they change nothing.",
        gt=0,
        lt=1,
    )
