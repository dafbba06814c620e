"""A backtest kept as a run: parameters, a metric per origin, tables and pictures."""

from __future__ import annotations

import pandas as pd
import pytest

from contracts.settings import StorageSettings
from forecast import BacktestScores, backtest
from forecast.registry import RegistryDownError, log_backtest
from forecast.registry.door import Door
from forecast.registry.runs import backtest_record

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def scores(history, context, settings) -> BacktestScores:
    own = settings.model_copy(update={"backtest_origins": 1})
    models = ["moving_average", "seasonal_naive", "daily_sales_x8"]
    return backtest(history, models=models, origins=2, horizon=3, context=context, settings=own)


def test_the_record_holds_every_table_picture_and_origin(scores):
    """Tables can be read back, pictures are PNG, each metric has one value per origin."""
    record = backtest_record(scores)
    assert set(record.tables) == {"summary.csv", "value_added.csv", "scores.csv", "coverage.csv"}
    assert all(picture.startswith(PNG) and len(picture) > 5_000 for picture in record.figures.values())
    assert {len(values) for values in record.metrics.values()} == {2}
    assert record.params["data_fingerprint"] == scores.fingerprint
    assert record.params["origins"] == "2026-05-02, 2026-05-07"


def test_value_is_added_over_the_naive_and_over_the_rule(scores):
    """Each model stands against both baselines; a baseline is not shown against itself."""
    table = scores.value_over_baselines()
    assert set(table["baseline"]) == {"seasonal_naive", "daily_sales_x8"}
    assert (table["model"] != table["baseline"]).all()
    ours = table[(table["model"] == "moving_average") & (table["level"] == "community")]
    assert (ours["wrmsse"] > 0).all()


def test_coverage_is_told_by_band_and_by_lead(scores):
    """Rows by lead time sum to the rows by band: both cut the same cells."""
    one = scores.coverage[(scores.coverage["quantile"] == "q50") & (scores.coverage["model"] == "moving_average")]
    rows = one.pivot_table(index="level", columns="by", values="rows", aggfunc="sum")
    assert (rows["band"] == rows["lead"]).all()
    assert set(one.loc[one["by"] == "lead", "group"]) == {"1", "2", "3"}


def test_a_baseline_alone_is_nothing_but_the_baseline(history, context, settings):
    """The naive of a backtest is last week's day itself, whatever the boosted model knows of sums."""
    own = settings.model_copy(update={"backtest_origins": 1, "own_levels": ("area_category",)})
    alone = backtest(history, models=["seasonal_naive"], origins=1, horizon=1, context=context, settings=own)
    day = history["delivery_date"].max()
    sold = history.set_index("delivery_date").groupby(["community_id", "sku_id"])["quantity"]
    error = (sold.apply(lambda units: units.get(day - pd.Timedelta(days=7)) - units.get(day))).abs().sum()
    row = alone.scores[(alone.scores["by"] == "all") & (alone.scores["level"] == "community")].iloc[0]
    assert row["wape"] == pytest.approx(error / history.loc[history["delivery_date"] == day, "quantity"].sum())


def test_a_run_is_written_or_the_registry_is_named(scores, tmp_path, backend):
    """The run can be found with its artefacts; with MLflow's database broken the error says where it looked."""
    (tmp_path / "mlflow.sqlite").write_bytes(backend)
    storage = StorageSettings(models=tmp_path)
    run_id = log_backtest(storage, scores)
    with Door(storage).client() as client:
        run = client.get_run(run_id)
        files = {item.path for item in client.list_artifacts(run_id, "backtest")}
        content = client.download_artifacts(run_id, "backtest/summary.csv")
    assert run.data.tags["kind"] == "backtest"
    assert "moving_average.community.wape" in run.data.metrics
    assert {"backtest/coverage.png", "backtest/scores.csv"} <= files
    pd.testing.assert_frame_equal(pd.read_csv(content), scores.summary(), check_dtype=False)
    (tmp_path / "mlflow.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(RegistryDownError, match=r"mlflow\.sqlite"):
        log_backtest(storage, scores)
