"""Mapping files: how somebody's table becomes a contract table. TOML, parsed into frozen models, every rule stated."""

from __future__ import annotations

import hashlib
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from contracts.clock import clock_minutes
from contracts.errors import MappingError, first_keys
from store.csv_file import is_code_page
from store.pattern import Pattern
from store.source_file import FileFormat

Scale = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Part(BaseModel):
    """A frozen part of a mapping; unknown names are refused, so a misspelt rule never goes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FilePart(_Part):
    """How the file is read; what is left out is found out (see `store.source_file.FileFormat`)."""

    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1, le=10_000)

    @field_validator("encoding")
    @classmethod
    def _code_page(cls, value: str | None) -> str | None:
        if value is not None and not is_code_page(value):
            raise ValueError(f"{value!r} is no code page that is known; use utf-8, gb18030, utf-16 or another")
        return value

    @field_validator("separator")
    @classmethod
    def _visible(cls, value: str | None) -> str | None:
        if value is not None and (value == '"' or not (value == "\t" or value.isprintable())):
            raise ValueError(f"{value!r} separates no cells; use a comma, a semicolon, a tab or another sign")
        return value

    def file_format(self) -> FileFormat:
        """Return the part as the reader takes it."""
        return FileFormat(**self.model_dump())


class TimePart(_Part):
    """How dates and times are read."""

    timezone: str = Field(default="", description="Zone of times without one; empty: the city's.")
    formats: tuple[str, ...] = Field(
        default=(), max_length=50, description="strptime formats tried first; needed for 03/04/2026."
    )

    @field_validator("formats")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for form in value:
            try:
                pd.to_datetime(pd.Series(["x"], dtype="str"), format=form, errors="coerce")
            except (ValueError, re.error) as broken:
                raise ValueError(f"{form!r} is no format of dates: {broken}") from broken
        return value

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        if value:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:  # OSError: a folder, or far too long
                raise ValueError(f"{value!r} is no IANA time zone") from unknown
        return value


class ColumnPart(_Part):
    """Where a contract column comes from, and how its cells are read."""

    source: tuple[str, ...] = Field(default=(), alias="from", description="Header names; the first one found is taken.")
    unit: str | None = Field(
        default=None, description="Unit of bare numbers, e.g. 斤; for quantity also the sale unit."
    )
    units: dict[str, Scale] = Field(default_factory=dict, description="More unit words and what one is, e.g. 箱 = 12.")
    factor: Scale = Field(default=1.0, description="Multiplies every number, e.g. a rate of exchange.")
    decimals: int | None = Field(default=None, ge=0, le=9, description="Round half-even after the factor.")
    case: Literal["upper", "lower"] | None = Field(default=None, description="Write ids in one case.")
    blank: str | None = Field(default=None, description="Taken where the cell is empty.")

    @field_validator("source", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Condition(_Part):
    """A test on one column of the file (or a contract column); all given tests must hold."""

    column: str
    matches: Pattern | None = Field(default=None, description="Regular expression that fits the whole cell text.")
    equals: str | float | None = None
    below: float | None = None
    above: float | None = None
    missing: bool | None = None

    @model_validator(mode="after")
    def _tests_something(self) -> Condition:
        if all(v is None for v in (self.matches, self.equals, self.below, self.above, self.missing)):
            raise ValueError(
                f"condition on {self.column!r} tests nothing: give matches, equals, below, above or missing"
            )
        return self


class Reject(_Part):
    """Rows that are not order lines or goods: rejected with a reason when all conditions hold."""

    reason: str = Field(min_length=1)
    when: tuple[Condition, ...] = Field(min_length=1)


class Bucket(_Part):
    """A place from a hash: ``prefix + crc32(text of the columns, UTF-8) mod buckets``, the same for ever."""

    rule: Literal["bucket"]
    of: tuple[str, ...] = Field(min_length=1)
    buckets: int = Field(gt=0)
    prefix: str = ""
    otherwise: Bucket | None = Field(default=None, description="Where a cell of `of` is empty.")


class Join(_Part):
    """Texts of several columns joined, e.g. goods and pack size to one SKU."""

    rule: Literal["join"]
    of: tuple[str, ...] = Field(min_length=1)
    separator: str = " "


class Number(_Part):
    """Rows numbered 1, 2, 3 within a column, in file order; rejected rows keep their number."""

    rule: Literal["number"]
    within: str = "order_id"


class DeliveryDay(_Part):
    """First delivery date whose cutoff is not before the order, plus extra days."""

    rule: Literal["delivery_day"]
    cutoff: str = "23:00-1"
    extra_days: int = Field(default=0, ge=0, le=60)

    @field_validator("cutoff")
    @classmethod
    def _clock(cls, value: str) -> str:
        clock_minutes(value)
        return value


Derivation = Annotated[Bucket | Join | Number | DeliveryDay, Field(discriminator="rule")]


class Cancellations(_Part):
    """Rows that take back earlier ones: matched to the latest earlier line with enough open quantity."""

    order_id_matches: Pattern | None = Field(default=None, description="Regular expression on the order id, e.g. ^C.")
    negative_quantity: bool = Field(default=False, description="A quantity below zero is a cancellation.")
    match: tuple[str, ...] = Field(min_length=1, description="Columns a cancellation shares with its order.")

    @model_validator(mode="after")
    def _tests_something(self) -> Cancellations:
        if self.order_id_matches is None and not self.negative_quantity:
            raise ValueError("cancellations need order_id_matches or negative_quantity")
        return self


class Mapping(_Part):
    """How a file becomes a contract table. An empty mapping relies on the built-in aliases and units."""

    name: str = Field(default="default", max_length=200, pattern=r"^[^\x00-\x1f]*$")
    about: str = ""
    file: FilePart = FilePart()
    time: TimePart = TimePart()
    columns: dict[str, ColumnPart] = Field(default_factory=dict)
    constants: dict[str, str | int | float | bool] = Field(default_factory=dict)
    derive: dict[str, Derivation] = Field(default_factory=dict)
    reject: tuple[Reject, ...] = ()
    cancellations: Cancellations | None = None

    @field_validator("columns", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """Read ``sku_id = "商品"`` as ``sku_id = {from = ["商品"]}``."""
        if not isinstance(value, dict):
            return value
        return {name: {"from": part} if isinstance(part, (str, list)) else part for name, part in value.items()}

    @model_validator(mode="after")
    def _one_origin(self) -> Mapping:
        given = {name for name, part in self.columns.items() if part.source}
        twice = sorted(
            (given & set(self.constants)) | (given & set(self.derive)) | set(self.constants) & set(self.derive)
        )
        if twice:
            raise ValueError(f"column(s) {first_keys(twice)} have two origins: keep one of columns, constants, derive")
        return self

    @property
    def fingerprint(self) -> str:
        """Return a short hash of all rules."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def load_mapping(name: str | Path = "default") -> Mapping:
    """Return a mapping by path, or a shipped one by name (`shipped_mappings`).

    Raises
    ------
    MappingError
        There is no such mapping, or a rule in it is wrong; the sentence names each.
    """
    path = Path(name)
    if path.suffix.lower() == ".toml":
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as unreadable:
            raise MappingError(f"Mapping file {path} cannot be read: {unreadable}") from unreadable
    elif str(name) in shipped_mappings():
        text = resources.files("store.mappings").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    else:
        raise MappingError(
            f"There is no mapping {str(name)!r}; shipped are {first_keys(shipped_mappings())}, or give a .toml file."
        )
    try:
        given = tomllib.loads(text)
        return Mapping.model_validate({"name": path.stem, **given})
    except tomllib.TOMLDecodeError as broken:
        raise MappingError(f"Mapping {name} is no TOML: {broken}") from broken
    except ValidationError as wrong:
        facts = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors())
        raise MappingError(f"Mapping {name} is wrong - {facts}. See docs/tutorial-own-data.md.") from wrong


def shipped_mappings() -> tuple[str, ...]:
    """Return the names of the mappings that come with the package."""
    entries = resources.files("store.mappings").iterdir()
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml")))
