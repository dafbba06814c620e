"""All settings of an installation, and how they are read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from contracts.errors import SettingsError
from contracts.settings.book import BookSettings
from contracts.settings.forecast import ForecastSettings
from contracts.settings.purchase import PurchaseSettings
from contracts.settings.rooms import (
    CitySettings,
    SolveSettings,
    SortingSettings,
    StorageSettings,
    TravelSettings,
)
from contracts.settings.routing import RoutingSettings
from contracts.settings.service import ServiceSettings


class Settings(BaseSettings):
    """Every setting, by room."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="TUANCAI_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    city: CitySettings = CitySettings()
    travel: TravelSettings = TravelSettings()
    forecast: ForecastSettings = ForecastSettings()
    book: BookSettings = BookSettings()
    purchase: PurchaseSettings = PurchaseSettings()
    sorting: SortingSettings = SortingSettings()
    routing: RoutingSettings = RoutingSettings()
    solve: SolveSettings = SolveSettings()
    storage: StorageSettings = StorageSettings()
    service: ServiceSettings = ServiceSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over what the TOML file gave (which arrives as init arguments)."""
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings from the defaults, the TOML file if given, and the environment.

    Raises
    ------
    SettingsError
        The file cannot be read, or a name or value is wrong; the sentence names each.
    """
    given: dict[str, Any] = {}
    if path is not None:
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as unreadable:
            raise SettingsError(f"Settings file {path} cannot be read: {unreadable}") from unreadable
    try:
        return Settings(**given)
    except ValidationError as wrong:
        facts = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in wrong.errors())
        raise SettingsError(
            f"Settings are wrong - {facts}. See docs/settings.md for names, units and ranges."
        ) from wrong
