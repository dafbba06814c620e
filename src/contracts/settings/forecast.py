"""Settings of the demand forecast."""

from __future__ import annotations

import re

from pydantic import field_validator

from contracts.settings.field import Section, setting


class BoostingSettings(Section):
    """The global boosted model."""

    trees: int = setting(120, unit="trees", reason="With a scaled target the town world is flat from about 100.", ge=1)
    learning_rate: float = setting(
        0.06, unit="-", reason="120 trees at 0.06 end where 0.03 needs twice the time.", gt=0
    )
    leaves: int = setting(
        31,
        unit="leaves",
        reason="Deep enough for price x weekday x place; twice as many gained nothing on the town.",
        ge=2,
    )
    min_leaf_rows: int = setting(100, unit="rows", reason="A leaf must outlive the noise of zeros.", ge=1)
    feature_share: float = setting(
        0.6, unit="fraction", reason="Feature sampling per tree; also halves time.", gt=0, le=1
    )
    l2: float = setting(1.0, unit="-", reason="Mild shrinkage of leaf values.", ge=0)
    tweedie_power: float = setting(
        1.2, unit="-", reason="Between Poisson (1) and gamma (2): counts with many zeros.", gt=1, lt=2
    )
    max_rows: int = setting(
        300_000, unit="rows", reason="Training rows drawn at most; bounds memory and seconds.", ge=1_000
    )
    origin_stride_days: int = setting(
        3, unit="days", reason="No multiple of 7, so that every lead time meets every weekday.", ge=1
    )
    threads: int = setting(
        1, unit="threads", reason="A second thread gains little on a city and waits badly on a busy machine.", ge=1
    )


class ForecastSettings(Section):
    """Demand forecasting."""

    horizon_days: int = setting(7, unit="days", reason="Longest lead time of a fresh-goods order.", ge=1, le=60)
    seed: int = setting(0, unit="-", reason="Seed of every random choice in training.", ge=0)
    backtest_origins: int = setting(
        8, unit="origins", reason="A day's mood moves all totals at once: spread needs some forty days, not ten.", ge=1
    )
    origin_spacing_days: int = setting(
        5, unit="days", reason="No multiple of 7, so that a lead time meets several weekdays.", ge=1
    )
    train_days: int = setting(180, unit="days", reason="Half a year covers the weekly rhythm and one season.", ge=14)
    members: tuple[str, ...] = setting(
        ("lightgbm", "moving_average", "weekday_mean", "tsb"),
        unit="member names",
        reason="The first leads; the others join a volume band only where they cut its error on rolling origins.",
    )
    look_back_days: int = setting(
        400, unit="days", reason="Last year's same week lies this far before the training window.", ge=0
    )
    base_days: int = setting(
        28, unit="days", reason="Four whole weeks carry the recent level without weekday bias.", ge=7
    )
    prior_days: float = setting(
        3.0, unit="days", reason="A new series leans on its peers as if they were three days of its own.", gt=0
    )
    listed_within_days: int = setting(
        14, unit="days", reason="Without listings, a SKU seen in an area this recently counts as still on sale.", ge=1
    )
    volume_bands: tuple[float, ...] = setting(
        (0.25, 1.0, 4.0, 16.0, 64.0),
        unit="units per day",
        reason="Borders of the volume bands: each band quadruples the level, so noise per band is alike.",
    )
    by_area: str = setting(
        "",
        unit="place",
        reason="Empty: one model of all areas. here: one per area; local:2: the same on two Dask processes; or a "
        "scheduler's address. The place changes no figure.",
    )
    boosting: BoostingSettings = BoostingSettings()
    own_levels: tuple[str, ...] = setting(
        ("area_category",),
        unit="level names",
        reason="A category's total in an area has a course its thin series hide; weighed on rolling origins.",
    )
    own_train_days: int = setting(
        1_100, unit="days", reason="Sums are few and smooth: three years of them cost seconds and show the year.", ge=14
    )
    own_boosting: BoostingSettings = BoostingSettings(
        trees=150, learning_rate=0.05, min_leaf_rows=30, tweedie_power=1.5, max_rows=60_000
    )

    @field_validator("by_area")
    @classmethod
    def _place(cls, value: str) -> str:
        if not re.fullmatch(r"|here|local:[1-9]\d?|\w+://\S+:\d+", value):
            raise ValueError(f"{value!r} is no place: write here, local:2, or tcp://host:8786")
        return value
