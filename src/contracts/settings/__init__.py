"""Settings: frozen, validated, each with its unit and its reason; from defaults, a TOML file and the environment.

Environment wins over the file, the file over the defaults. ``TUANCAI_CITY__TIMEZONE=Asia/Shanghai`` sets
``city.timezone``; a TOML file has one table per section (``[city]``).
"""

from contracts.settings.book import BookSettings
from contracts.settings.field import setting
from contracts.settings.forecast import BoostingSettings, ForecastSettings
from contracts.settings.purchase import PurchaseSettings
from contracts.settings.rooms import (
    CitySettings,
    SolveSettings,
    SortingSettings,
    StorageSettings,
    TravelSettings,
)
from contracts.settings.root import Settings, load_settings
from contracts.settings.routing import RoutingSettings
from contracts.settings.service import ServiceSettings

__all__ = [
    "BookSettings",
    "BoostingSettings",
    "CitySettings",
    "ForecastSettings",
    "PurchaseSettings",
    "RoutingSettings",
    "ServiceSettings",
    "Settings",
    "SolveSettings",
    "SortingSettings",
    "StorageSettings",
    "TravelSettings",
    "load_settings",
    "setting",
]
