"""Contracts and settings as Markdown pages: ``python -m contracts.describe data > docs/data.md``, or ``settings``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import ModuleType

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts import flow, planned, reference
from contracts.settings import Settings
from contracts.table import Table

_DATED = """Rows may hold for some delivery dates only: two more columns say which, `valid_from`? and `valid_until`?
(days, both included; left empty: always). They are in every import, export and change, and a plan sees the rows of its
delivery date in the columns below. `valid_from` is part of the key, so a price from Monday on is one more row.

- A row without an end stands until a later row of its key starts. A row with an end holds on exactly its dates, before
  whatever stands; two such rows of one key may not overlap.
- With a supplier that has no row on a date go its offers, lanes and rebates; with an offer its price breaks.
- Places and goods never vanish, because orders point to them: where none of their rows holds the nearest one does.
  Communities close by `closed_on`, SKUs leave by their listings.
- Tables kept by date (`Listings`, `Calendar`, `AreaEvents`, `OutsideEstimates`, `GroupThresholds`) have no such
  columns."""

PAGES: tuple[tuple[str, ModuleType], ...] = (
    ("Reference data", reference),
    ("Flow", flow),
    ("Decisions", planned),
)


def contract_tables(module: ModuleType) -> Iterator[type[Table]]:
    """Yield the contracts a module defines, in the order of the file."""
    for found in vars(module).values():
        if inspect.isclass(found) and issubclass(found, Table) and found.__module__ == module.__name__:
            yield found


def describe_data() -> str:
    """Return docs/data.md: every contract with its key, columns, types, null rule, meaning and rules."""
    parts = [
        "# Data contracts",
        "",
        "Generated from `src/contracts` by `python -m contracts.describe data`; a test keeps it true.",
        "Days are midnights without a zone, instants are UTC, clock times are text relative to the delivery date",
        "(`06:00`, `23:00-1` for the evening before). `?` marks a column that may be empty or absent.",
    ]
    for title, module in PAGES:
        parts += ["", f"## {title}"]
        parts += ["", *_DATED.splitlines()] if module is reference else []
        for table in contract_tables(module):
            parts += ["", f"### {table.__name__}", "", inspect.cleandoc(table.__doc__ or ""), ""]
            parts += [f"Key: {', '.join(f'`{column}`' for column in table.key())}", ""]
            parts += ["| column | type | meaning | rules |", "|---|---|---|---|"]
            for name, column in table.to_schema().columns.items():
                rules = "; ".join(str(check.error) for check in column.checks)
                mark = "?" if column.nullable else ""
                parts.append(
                    f"| `{name}`{mark} | {_plain_type(str(column.dtype))} | {column.description or ''} | {rules} |"
                )
            across = [str(check.name) for check in table.to_schema().checks]
            if across:
                parts += ["", f"Rules across columns: {'; '.join(across)}."]
    return "\n".join(parts) + "\n"


def _plain_type(dtype: str) -> str:
    if dtype.startswith("datetime64"):
        return "instant (UTC)" if "UTC" in dtype else "day"
    return {"int64": "whole number", "float64": "number", "bool": "true/false"}.get(dtype, "text")


def settings_of(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting of a section with its dotted name, those of sections inside it included."""
    for name, field in section.model_fields.items():
        if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            yield from settings_of(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def describe_settings() -> str:
    """Return docs/settings.md: every setting with its default, unit and reason."""
    parts = [
        "# Settings",
        "",
        "Generated from `src/contracts/settings` by `python -m contracts.describe settings`; a test keeps it true.",
        "Give a TOML file with one table per section (`tuancai --settings FILE ...`), or environment variables such as",
        "`TUANCAI_CITY__CUTOFF=22:30-1`. The environment wins over the file, the file over the defaults.",
    ]
    for section, field in Settings.model_fields.items():
        group = field.annotation
        if not (inspect.isclass(group) and issubclass(group, BaseModel)):
            continue
        parts += ["", f"## [{section}] - {inspect.cleandoc(group.__doc__ or '')}", ""]
        parts += ["| name | default | unit | reason |", "|---|---|---|---|"]
        for name, item in settings_of(group):
            extra = item.json_schema_extra if isinstance(item.json_schema_extra, dict) else {}
            default = "" if item.default is None else str(item.default)
            parts.append(f"| `{name}` | `{default}` | {extra.get('unit', '')} | {item.description} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write({"data": describe_data, "settings": describe_settings}[sys.argv[1]]())
