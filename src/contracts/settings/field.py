"""One setting: a default with its unit and the reason it is what it is."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A frozen group of settings; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def setting(default: Any, *, unit: str, reason: str, **rules: Any) -> Any:
    """Declare a setting.

    Parameters
    ----------
    default
        Value used unless a file or the environment gives another.
    unit : str
        Unit, or ``"-"`` for a pure number or a name.
    reason : str
        Why this default; read by people, checked to be present by the tests.
    **rules
        pydantic validation rules such as ``ge`` and ``le``.
    """
    return Field(default=default, description=reason, json_schema_extra={"unit": unit}, **rules)
