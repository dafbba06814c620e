"""Forecasts are made once for what they depend on: orders, reference data, the serving model; also without MLflow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import api.demand_shelf
from api.demand_shelf import DemandShelf
from contracts.errors import NotFoundError, StoreError

DAY = pd.Timestamp("2026-04-22")


class Desk:
    """A desk whose marks and versions are set by hand; it counts its forecasts."""

    def __init__(self) -> None:
        self.orders, self.places, self.version, self.made = 1, 1, "1", 0
        self.store = SimpleNamespace(
            orders_mark=lambda _until: (self.orders, 0), reference_mark=lambda: (("skus", self.places),)
        )
        registry = SimpleNamespace(version_of=self._version_of)
        self.registries = SimpleNamespace(demand=registry, book=registry)

    def _version_of(self, _alias: str) -> str:
        if self.version == "away":
            raise StoreError("The model registry does not answer.")
        if not self.version:
            raise NotFoundError("model", "demand@champion")
        return self.version

    def forecast(self, _day: pd.Timestamp) -> pd.DataFrame:
        """Return a forecast that says which it is."""
        self.made += 1
        return pd.DataFrame({"mean": [float(self.made)], "model": [self.version]})

    def by_category(self, forecast: pd.DataFrame) -> pd.DataFrame:
        """Return the forecast with the model that gave the sums' errors."""
        return forecast.assign(errors=self.version)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a desk whose registry is asked every time."""
    monkeypatch.setattr(api.demand_shelf, "ASK_EVERY_S", -1.0)
    return Desk()


def test_forecast_is_kept_until_something_changes(desk: Any) -> None:
    """The same again costs nothing; new orders, changed reference data, another day or a promotion make it anew."""
    shelf = DemandShelf(lambda: desk)
    assert shelf.forecast(DAY) is shelf.forecast(DAY)
    for what in ("orders", "places"):
        setattr(desk, what, 2)
        shelf.forecast(DAY)
    assert desk.made == 3
    desk.version = "2"  # promoted while the service runs
    shelf.forecast(DAY)
    shelf.forecast(DAY + pd.Timedelta(days=1))
    assert desk.made == 5
    desk.version = "1"  # rolled back: what that model said of the same orders is still known
    assert float(shelf.forecast(DAY)["mean"].iloc[0]) == 3.0


def test_registry_that_is_away_stops_no_forecast(desk: Any) -> None:
    """Without MLflow the desk forecasts with its last good model; without any model the reader is told."""
    shelf = DemandShelf(lambda: desk)
    desk.version = "away"
    assert len(shelf.forecast(DAY)) == 1
    desk.version = ""
    with pytest.raises(NotFoundError, match="champion"):
        shelf.forecast(DAY)


def test_what_another_model_made_is_not_kept_under_the_first_ones_versions(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promotion that the shelf has not heard of, then a rollback: each model's forecasts are its own."""
    monkeypatch.setattr(api.demand_shelf, "ASK_EVERY_S", 3600.0)
    shelf = DemandShelf(lambda: desk)
    assert shelf.forecast(DAY)["model"].iloc[0] == "1"
    desk.version = "2"
    other = DAY + pd.Timedelta(days=1)
    assert shelf.forecast(other)["model"].iloc[0] == "2"
    desk.version = "1"
    monkeypatch.setattr(api.demand_shelf, "ASK_EVERY_S", -1.0)
    assert shelf.forecast(other)["model"].iloc[0] == "1"


def test_a_sum_takes_forecast_and_errors_from_one_model(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept forecast of the model before is not summed with the errors of the model that serves now."""
    monkeypatch.setattr(api.demand_shelf, "ASK_EVERY_S", 3600.0)
    shelf = DemandShelf(lambda: desk)
    shelf.forecast(DAY)
    desk.version = "2"
    row = shelf.categories(DAY).iloc[0]
    assert (row["model"], row["errors"]) == ("2", "2")


def test_nothing_is_kept_while_the_registry_is_away(desk: Any) -> None:
    """The last good model may be another one next time: it is asked each time."""
    shelf = DemandShelf(lambda: desk)
    desk.version = "away"
    shelf.forecast(DAY)
    shelf.forecast(DAY)
    assert desk.made == 2
