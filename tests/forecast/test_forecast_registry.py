from __future__ import annotations

import copy
import doctest
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import forecast.registry.evidence
from contracts.errors import ConflictError, ModelError, NotFoundError
from contracts.settings import StorageSettings
from forecast import Evidence, Registry, predict
from forecast.registry import RunRecord, promise_evidence
from forecast.registry.door import RegistryDownError

BETTER = Evidence("wape", (0.7, 0.8, 0.75), (0.6, 0.7, 0.74))
WORSE = Evidence("wape", (0.6, 0.7, 0.74), (0.7, 0.8, 0.75))


@pytest.fixture(scope="module")
def storage(tmp_path_factory, backend) -> StorageSettings:
    folder = tmp_path_factory.mktemp("models")
    (folder / "mlflow.sqlite").write_bytes(backend)
    return StorageSettings(models=folder)


@pytest.fixture
def fresh(tmp_path, backend) -> Path:
    (tmp_path / "mlflow.sqlite").write_bytes(backend)
    return tmp_path


@pytest.fixture(scope="module")
def registry(storage, trained) -> Registry:
    """A registry with two versions of the trained model; the first is champion."""
    made = Registry(storage)
    assert [made.log(trained), made.log(trained)] == ["1", "2"]
    return made


def test_the_champion_comes_back_as_it_was_logged(registry, trained, history):
    """A model that went through the registry forecasts the same."""
    served = registry.champion()
    assert (served.version, served.label) == ("1", "")
    moment = history["delivery_date"].max().tz_localize("UTC")
    date = [history["delivery_date"].max() + pd.Timedelta(days=1)]
    one = predict(trained, history, delivery_dates=date, issued_at=moment)
    two = predict(served.model, history, delivery_dates=date, issued_at=moment)
    pd.testing.assert_frame_equal(one, two)


def test_promotion_needs_evidence_and_can_be_rolled_back(registry):
    """A worse challenger is refused, a better one serves, and one call brings the former champion back."""
    with pytest.raises(ConflictError, match="better in 0 of 3"):
        registry.promote("2", evidence=WORSE)
    assert registry.version_of("champion") == "1"
    registry.promote("2", evidence=BETTER)
    assert registry.champion().version == "2"
    assert "better in 3 of 3" in registry.versions()[0]["promoted_on"]
    assert registry.rollback() == "1"
    assert registry.champion().version == "1"


def test_two_windows_are_no_evidence():
    """Fewer than three windows never promote, nor do windows without a score."""
    assert not Evidence("wape", (0.7, 0.8), (0.1, 0.1)).verdict()[0]
    assert not Evidence("wape", (0.7, 0.8, 0.8), (0.1, 0.1, float("nan"))).verdict()[0]


def test_the_run_keeps_settings_fingerprint_and_card(registry, trained):
    """What was trained on what is readable in the run."""
    with registry._door.client() as client:
        run = client.get_run(registry.versions()[0]["run_id"])
        files = {item.path for item in client.list_artifacts(run.info.run_id, "model")}
    assert run.data.params["data_fingerprint"] == trained.fingerprint
    assert run.data.params["settings.boosting.trees"] == "10"
    kept = ("model.pkl", "model_card.md", "rolling_scores.csv", "rolling_scores.png")
    assert {f"model/{file}" for file in kept} <= files


def test_every_version_has_its_card(registry, trained):
    """The card says what was learned and who answers; an unknown version is named."""
    card = registry.card("2")
    assert f"data {trained.fingerprint[:12]}" in card
    assert trained.combination.label(0) in card
    assert f"log spread of {trained.unsure.goods:.2f}" in card
    assert "Bias of the newest forecasts" in card
    with pytest.raises(NotFoundError, match="demand 99"):
        registry.card("99")


def test_a_corrupt_model_file_is_refused(fresh, trained):
    """A file that is not the one logged is never opened."""
    own = Registry(StorageSettings(models=fresh))
    own.log(trained)
    file = next(fresh.glob("artifacts/**/model.pkl"))
    file.write_bytes(file.read_bytes()[:-10] + b"0123456789")
    with pytest.raises(ModelError, match="corrupt"):
        own.champion()


def test_an_empty_registry_says_train_first(fresh):
    """No model yet is told apart from a registry that is down."""
    with pytest.raises(NotFoundError, match="Train one first"):
        Registry(StorageSettings(models=fresh)).champion()


def test_registry_down_serves_the_last_good_model_labelled(fresh, trained):
    """With the backend gone, the champion handed out before answers and says so; without one, a ModelError."""
    own = Registry(StorageSettings(models=fresh))
    own.log(trained)
    own.champion()
    (fresh / "mlflow.sqlite").write_bytes(b"this is no database" * 100)
    served = Registry(StorageSettings(models=fresh)).champion()
    assert served.label.startswith("fallback: last good model (version 1)")
    assert served.model.fingerprint == trained.fingerprint
    with pytest.raises(ModelError, match="No earlier champion"):
        Registry(StorageSettings(models=fresh), name="other").champion()
    with pytest.raises(RegistryDownError):
        Registry(StorageSettings(models=fresh)).log(trained)


def test_a_model_of_an_older_program_is_a_model_error_that_says_what_to_do(fresh, trained):
    """A field that did not exist then, and trees of another feature table: told when opened, not by LightGBM later."""
    own = Registry(StorageSettings(models=fresh))
    older = copy.copy(trained)
    object.__delattr__(older, "promise")
    with pytest.raises(ModelError, match=r"DemandModel lacks promise.*tuancai train"):
        own.load(own.log(older, record=RunRecord()))
    leading = trained.members["lightgbm"]
    shorter = replace(leading, spec=replace(leading.spec, pools=leading.spec.pools[:-1]))
    other = replace(trained, members={**trained.members, "lightgbm": shorter})
    with pytest.raises(ModelError, match=r"learned from \d+ features, \d+ are built now.*tuancai rollback"):
        own.load(own.log(other, record=RunRecord()))
    forgetful = trained.settings.model_copy()
    del forgetful.__dict__["by_area"]
    with pytest.raises(ModelError, match="ForecastSettings lacks by_area"):
        own.load(own.log(replace(trained, settings=forgetful), record=RunRecord()))


def test_a_model_trained_by_another_program_serves_labelled(fresh, trained, monkeypatch):
    """It fits, so the night goes on; but its figures come from changed code, and that is said."""
    own = Registry(StorageSettings(models=fresh))
    own.log(trained)
    assert own.champion().label == ""
    monkeypatch.setattr("forecast.registry.registry.method_digest", lambda: "another")
    assert own.champion().label == "trained by another version of the program"


def test_a_pickle_that_needs_code_that_is_gone_is_a_model_error(fresh):
    """A class that no longer exists is told as an old model, not as an ImportError."""
    own = Registry(StorageSettings(models=fresh))
    version = own.log(Gone(), record=RunRecord())
    del globals()["Gone"]
    with pytest.raises(ModelError, match="cannot be opened with this version"):
        own.load(version)


class Gone:
    """A model class of an earlier program."""


def day_errors(days: range, absolute: float, *, lead: int = 1, level: str = "warehouse") -> pd.DataFrame:
    """Return day errors of a model that misses `absolute` of 10 units a day."""
    dates = pd.Timestamp("2026-03-01") + pd.to_timedelta(list(days), unit="D")
    return pd.DataFrame(
        {"level": level, "lead": lead, "delivery_date": dates, "units": 10.0, "absolute": absolute, "signed": 0.0}
    )


def test_common_days_are_cut_into_windows_that_share_none():
    """Twenty-one common days are three windows, however often each day was forecast; other levels do not count."""
    one = pd.concat(
        [day_errors(range(30), 2.0), day_errors(range(30), 4.0, lead=6), day_errors(range(30), 9.0, level="area")]
    )
    two = day_errors(range(9, 50), 3.0, lead=2)
    evidence = promise_evidence(one, two, window_days=7)
    assert evidence.champion == pytest.approx((0.3, 0.3, 0.3))
    assert evidence.challenger == pytest.approx((0.3, 0.3, 0.3))
    assert evidence.not_worse()[0]
    assert promise_evidence(one, day_errors(range(60, 70), 1.0), window_days=7).champion == ()
    assert not promise_evidence(one, day_errors(range(60, 70), 1.0), window_days=7).not_worse()[0]


def test_worse_beyond_noise_is_worse():
    """A constant loss is no noise; a loss within two standard errors is."""
    assert not Evidence("WAPE", (0.2, 0.3, 0.2), (0.21, 0.31, 0.21)).not_worse()[0]
    assert Evidence("WAPE", (0.2, 0.3, 0.2), (0.26, 0.28, 0.22)).not_worse()[0]
    assert not Evidence("WAPE", (0.2, 0.3, float("nan")), (0.1, 0.1, 0.1)).not_worse()[0]
    assert doctest.testmod(forecast.registry.evidence).failed == 0
