"""Who serves: fresher models on evidence or with a label, other settings after a contest, and pairs back as pairs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contracts.errors import ConflictError, ModelError, StoreError
from contracts.settings import Settings
from forecast import DemandModel
from forecast.registry import RunRecord
from forecast.registry.registry import CHALLENGER, CHAMPION, SERVED_WITH
from pipeline.desk import PlanningDesk
from pipeline.promotion import contest, listed_models


@pytest.fixture
def city(trained_city: Callable[..., Path], tmp_path: Path) -> PlanningDesk:
    """Return a desk of its own with demand model 1 and order book model 1 in service."""
    shutil.copytree(trained_city(), tmp_path / "city")
    folder = tmp_path / "city"
    storage = {"url": f"sqlite:///{folder / 'tuancai.sqlite'}", "history": folder / "history"}
    return PlanningDesk.open(Settings(storage=storage | {"models": folder / "models"}))  # type: ignore[arg-type]


def later(desk: PlanningDesk, *, days: int = 1, **changes: Any) -> str:
    """Log the champion once more as if trained so many days later, with an order book model; return its version."""
    one: DemandModel = desk.registries.demand.load("1").model
    fresh = replace(one, trained_until=one.trained_until + pd.Timedelta(days=days), **changes)
    version = desk.registries.demand.log(fresh)
    book = desk.registries.book.log(desk.registries.book.load("1").model, record=RunRecord())
    desk.registries.demand.tag(version, "trained_with", book)
    return version


def grown(promise: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Return day errors larger by a factor."""
    return promise.assign(absolute=promise["absolute"] * factor)


def test_a_fresher_training_takes_over_on_common_days_and_goes_back_as_a_pair(city: PlanningDesk) -> None:
    """Not worse: both models take over with who and figures on record; one call brings both back."""
    version = later(city)
    said = city.promote(by="key data")
    assert f"Demand model {version} serves now, with order book model 2" in said
    assert "not worse beyond noise on common days, warehouse WAPE" in said
    newest = city.registries.demand.versions()[0]
    assert newest["decision"].startswith("promoted: the champion's settings, learned until later")
    assert newest["decision"].endswith("(by key data)")
    assert [row["book_version"] for row in listed_models(city.registries)] == ["2", "1"]
    assert (city.registries.demand.champion().version, city.registries.book.champion().version) == ("2", "2")
    assert city.rollback(by="key data") == "Demand model 1 and order book model 1 serve again, as they did together."
    assert (city.registries.demand.champion().version, city.registries.book.champion().version) == ("1", "1")
    told = {row["version"]: row["decision"] for row in listed_models(city.registries)}
    assert told == {
        "2": "rolled back to version 1 (by key data)",
        "1": "serves again in place of version 2 (by key data)",
    }
    with pytest.raises(ConflictError, match="nothing to roll back to"):
        city.rollback()


def test_a_training_that_went_wrong_is_refused_with_figures(city: PlanningDesk) -> None:
    """Half as much error again on the common days is no noise; the refusal stays on record, the champion serves."""
    model: DemandModel = city.registries.demand.load("1").model
    version = later(city, promise=grown(model.promise, 1.5))
    with pytest.raises(ConflictError, match=r"worse beyond noise on common days.*standard error"):
        city.promote(by="key data")
    assert city.registries.demand.version_of(CHAMPION) == "1"
    assert city.registries.demand.tags(version)["decision"].startswith("not promoted: ")
    assert city.registries.book.version_of(CHAMPION) == "1"


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1, "learned until an earlier day"), (0, "learned until the same day")],
)
def test_no_fresher_data_is_no_reason(city: PlanningDesk, days: int, words: str) -> None:
    """The same settings on the same or fewer days: nothing speaks for it."""
    later(city, days=days)
    with pytest.raises(ConflictError, match=words):
        city.promote()


def test_without_common_windows_age_decides_and_says_so(city: PlanningDesk) -> None:
    """Ten days are too few, twenty-eight are enough, and the record says that no contest was held."""
    model: DemandModel = city.registries.demand.load("1").model
    moved = model.promise.assign(delivery_date=model.promise["delivery_date"] + pd.Timedelta(days=400))
    later(city, days=10, promise=moved)
    with pytest.raises(ConflictError, match="from 28 days on age decides"):
        city.promote()
    later(city, days=28, promise=moved)
    assert "without a contest: the champion's training is 28 days older" in city.promote()
    assert "without a contest" in city.registries.demand.versions()[0]["promoted_on"]


def test_a_young_city_takes_the_fresher_model(city: PlanningDesk) -> None:
    """A champion without rolling origins gives way, labelled; one with them does not give way to one without."""
    none = city.registries.demand.load("1").model.promise.iloc[:0]
    later(city, promise=none, fallback="fallback: short")
    with pytest.raises(ConflictError, match="has no rolling origins"):
        city.promote()
    city.registries.demand.appoint(city.registries.demand.version_of(CHALLENGER), reason="the test is young")
    later(city, days=2)
    assert "has no rolling origins to hold it against (fallback: short" in city.promote()


def test_a_pair_nobody_wrote_down_is_said(city: PlanningDesk) -> None:
    """A registry of an older program: the demand model goes back, the order book model stays, in plain words."""
    later(city)
    city.promote()
    with city.registries.demand._door.client() as client:
        client.delete_model_version_tag("demand", "1", SERVED_WITH)
    assert "was not written down then: 2 stays" in city.rollback()
    assert city.registries.book.version_of(CHAMPION) == "2"


def test_a_broken_file_of_the_pair_leaves_both(city: PlanningDesk) -> None:
    """The former order book model cannot be opened: nothing is half rolled back."""
    later(city)
    city.promote()
    run = city.registries.book.versions()[-1]["run_id"]
    file = next(Path(city.settings.storage.models).glob(f"artifacts/{run}/**/model.pkl"), None)
    with city.registries.book._door.client() as client:
        client.set_model_version_tag("order-book", "1", "sha256", "0" * 64)
    assert file is None or file.exists()
    with pytest.raises(ModelError, match="corrupt"):
        city.rollback()
    assert [one.version_of(CHAMPION) for one in (city.registries.demand, city.registries.book)] == ["2", "2"]


@pytest.mark.parametrize("moved", [True, False])
def test_a_rollback_that_fails_leaves_a_pair(city: PlanningDesk, monkeypatch: pytest.MonkeyPatch, moved: bool) -> None:
    """MLflow fails after the demand model changed: both are back; before it changed: both stay."""
    later(city)
    city.promote()

    def refused(*_said: object, **_more: object) -> None:
        raise StoreError("The model registry does not answer.")

    monkeypatch.setattr(city.registries.demand, "decided" if moved else "restore", refused)
    with pytest.raises(StoreError, match="does not answer"):
        city.rollback()
    pair = [one.version_of(CHAMPION) for one in (city.registries.demand, city.registries.book)]
    assert pair == (["1", "1"] if moved else ["2", "2"])


def test_a_promotion_that_was_cut_off_is_completed_when_asked_again(city: PlanningDesk) -> None:
    """Only the demand model changed: asking again brings the order book model; then there is nothing to do."""
    version = later(city)
    city.registries.demand.appoint(version, reason="the test cuts off")
    assert f"Demand model {version} serves now, with order book model 2" in city.promote()
    assert city.registries.book.version_of(CHAMPION) == "2"
    with pytest.raises(ConflictError, match="serves already"):
        city.promote()


def test_a_contest_of_settings_shares_no_day(city: PlanningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of other settings lie at least a horizon apart; a short history is told instead of stretched."""
    asked: dict[str, Any] = {}

    def spy(
        store: object, models: object, *, origins: int, horizon: int, settings: Settings, progress: object
    ) -> object:
        asked.update(origins=origins, horizon=horizon, apart=settings.forecast.origin_spacing_days)
        raise InterruptedError

    monkeypatch.setattr("pipeline.promotion.backtest_models", spy)
    model: DemandModel = city.registries.demand.load("1").model
    other = replace(model, settings=model.settings.model_copy(update={"base_days": 14}))
    with pytest.raises(InterruptedError):
        contest(city.store, model, other, city.settings)
    assert asked["apart"] > asked["horizon"] == 7
    assert asked["apart"] % 7
    assert asked["origins"] >= 3
    wide = city.settings.forecast.model_copy(update={"horizon_days": 28})
    with pytest.raises(ConflictError, match="windows of 28 days that share none"):
        contest(city.store, model, other, city.settings.model_copy(update={"forecast": wide}))
