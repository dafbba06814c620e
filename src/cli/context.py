"""What every command gets: the settings, the planning desk once it is needed, and how people write days and moments."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
import typer

from contracts.clock import CLOCK_PATTERN, clock_instant
from contracts.errors import InputError
from contracts.settings import Settings

if TYPE_CHECKING:
    from pipeline.desk import PlanningDesk


class CityContext:
    """Settings, and the planning desk opened on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def desk(self) -> PlanningDesk:
        """Return the planning desk of the settings."""
        from pipeline.desk import PlanningDesk  # models and solvers take seconds to import: not for every command

        return PlanningDesk.open(self.settings)

    def moment(self, text: str, delivery_date: pd.Timestamp) -> pd.Timestamp:
        """Return the instant a person means.

        ``cutoff`` is the city's cutoff; ``18:00`` is 18:00 on the evening before delivery; ``23:30-1`` and ``06:00+0``
        are clock times relative to the delivery date; anything else must be a date with a time.
        """
        city = self.settings.city
        if text == "cutoff":
            return clock_instant(city.cutoff, delivery_date=delivery_date, timezone=city.timezone)
        clock = f"0{text}" if re.match(r"^\d:", text) else text
        same_day = clock.endswith("+0")
        clock = clock.removesuffix("+0")
        if re.match(CLOCK_PATTERN, clock):
            evening = clock if clock[5:] or same_day else f"{clock}-1"
            return clock_instant(evening, delivery_date=delivery_date, timezone=city.timezone)
        if not re.match(r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d", text):
            raise InputError(f"{text!r} is no moment: write cutoff, 18:00, or 2026-03-01T18:00.")
        try:
            instant = pd.Timestamp(text)
        except ValueError as unreadable:
            raise InputError(f"{text!r} is no moment: write cutoff, 18:00, or 2026-03-01T18:00.") from unreadable
        zoned = instant if instant.tzinfo else instant.tz_localize(city.timezone)
        return zoned.tz_convert("UTC").as_unit("us")


def city_of(context: typer.Context) -> CityContext:
    """Return the context object of the running command."""
    found = context.obj
    if not isinstance(found, CityContext):
        raise TypeError("the command was started without its context")
    return found


def day_of(text: str) -> pd.Timestamp:
    """Return the day a person wrote, as a midnight without a zone.

    Raises
    ------
    InputError
        The text is no date.
    """
    try:
        return pd.Timestamp(pd.to_datetime(text, format="%Y-%m-%d")).as_unit("us")
    except ValueError as unreadable:
        raise InputError(f"{text!r} is no date: write it as 2026-03-01.") from unreadable
