"""Building blocks of the table contracts: the quantile levels, the vocabularies and the column kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandera.pandas as pa
from pandera.engines.pandas_engine import DateTime

from contracts.clock import CLOCK_PATTERN

QUANTILES: tuple[float, ...] = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
QUANTILE_COLUMNS: tuple[str, ...] = ("q05", "q10", "q25", "q50", "q75", "q90", "q95", "q99")
TEMPERATURE_ZONES: tuple[str, ...] = ("ambient", "chilled", "frozen")
LEVELS: tuple[str, ...] = ("community", "warehouse", "area")
DISCOUNT_KINDS: tuple[str, ...] = ("all_units", "incremental")
GROUP_DECISIONS: tuple[str, ...] = ("go", "no_go", "open")

Day = DateTime
Instant = DateTime


def identifier(meaning: str, *, nullable: bool = False) -> Any:
    """Return a column of non-empty text ids."""
    return pa.Field(str_length={"min_value": 1}, nullable=nullable, description=meaning)


def text(meaning: str, *, nullable: bool = False) -> Any:
    """Return a column of free text."""
    return pa.Field(nullable=nullable, description=meaning)


def choice(meaning: str, values: Sequence[str]) -> Any:
    """Return a column that holds one of a fixed vocabulary."""
    return pa.Field(isin=list(values), description=f"{meaning}: {', '.join(values)}.")


def clock(meaning: str, *, nullable: bool = False) -> Any:
    """Return a column of clock times relative to the delivery date (see `contracts.clock`)."""
    return pa.Field(
        str_matches=CLOCK_PATTERN,
        nullable=nullable,
        description=f"{meaning} (HH:MM, HH:MM-1 the day before).",
    )


def amount(
    meaning: str,
    *,
    ge: float | None = 0,
    gt: float | None = None,
    le: float | None = None,
    nullable: bool = False,
) -> Any:
    """Return a column of finite numbers, by default not negative."""
    limits: dict[str, Any] = {"le": le}
    limits.update({"gt": gt} if gt is not None else {"ge": ge})
    return pa.Field(nullable=nullable, description=meaning, **{k: v for k, v in limits.items() if v is not None})


def day(meaning: str, *, nullable: bool = False) -> Any:
    """Return a column of calendar days: timestamps at midnight without a zone."""
    return pa.Field(nullable=nullable, dtype_kwargs={"unit": "us"}, description=meaning)


def instant(meaning: str, *, nullable: bool = False) -> Any:
    """Return a column of instants, stored in UTC with microseconds."""
    return pa.Field(nullable=nullable, dtype_kwargs={"unit": "us", "tz": "UTC"}, description=meaning)


def row_rule(name: str) -> Callable[[Any], Any]:
    """Name a rule over several columns of a contract.

    The name becomes the function's own: pandera forgets one that is given when a second contract is built on the first.
    """

    def named(method: Any) -> Any:
        method.__func__.__name__ = name
        return pa.dataframe_check(method)

    return named
