"""Settings of the order book."""

from __future__ import annotations

from contracts.settings.field import Section, setting


class BookSettings(Section):
    """The order book."""

    curve_days: int = setting(56, unit="days", reason="Eight weeks give each weekday eight days of arrivals.", ge=7)
    slot_minutes: int = setting(
        15, unit="minutes", reason="Arrivals change little within a quarter of an hour.", ge=1, le=60
    )
    snapshot_minutes: int = setting(
        60, unit="minutes", reason="Planners look at the book every hour; between two it is interpolated.", ge=15, le=240
    )
    half_life_days: float = setting(
        21.0, unit="days", reason="Habits of ordering change slowly; a month-old day still counts a third.", gt=0
    )
    curve_shrink_lines: float = setting(
        60.0, unit="order lines", reason="A SKU's own curve and its category's weigh the same at this many lines.", gt=0
    )
    usual_shrink_days: float = setting(
        4.0, unit="days", reason="A SKU's own volume and its category's weigh the same at this many days.", gt=0
    )
    band_rows: int = setting(
        400, unit="snapshot rows", reason="A 99 % quantile rests on at least four rows.", ge=50
    )
    max_series: int = setting(
        6000, unit="SKU x place", reason="Bounds the memory of past snapshots: 56 days x 24 hours x 6,000 = 32 MB.", ge=100
    )
    count_dispersion: float = setting(
        2.0, unit="-", reason="Gamma shape of demand where nothing is learned yet: variance = r + r^2 / 2.", gt=0
    )
    unknown_units: float = setting(
        1.0, unit="units per day", reason="Expected of a SKU at a community before anything is known of either.", gt=0
    )
    seed: int = setting(0, unit="-", reason="Seed of the sample of series that is learned from.", ge=0)
