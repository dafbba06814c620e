"""Backtest, drift and outside estimates from a terminal, on the tiny world."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from api.records import Records
from cli.app import app
from contracts.errors import ConflictError, NotFoundError
from contracts.settings import load_settings
from contracts.world import World

pytestmark = pytest.mark.slow


class Terminal:
    """Runs `tuancai` with the settings of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "settings.toml"
        self.settings.write_text(
            f"[storage]\nurl = 'sqlite:///{folder / 'tuancai.sqlite'}'\n"
            f"history = '{folder / 'history'}'\nmodels = '{folder / 'models'}'\n"
            "[forecast]\nbacktest_origins = 3\n",
            encoding="utf-8",
        )

    def __call__(self, *words: str) -> Result:
        """Run a command; one of our errors is the result's exception."""
        return CliRunner().invoke(app, ["--settings", str(self.settings), *words])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, tiny: World) -> Terminal:
    """Return a terminal on the tiny world, its model trained three weeks ago."""
    from pipeline.desk import PlanningDesk

    made = Terminal(tmp_path_factory.mktemp("scores"))
    PlanningDesk.open(load_settings(made.settings)).import_world(tiny)
    done = made("train", "--until", "2026-03-31")
    assert done.exit_code == 0, done.output
    return made


def marketplace(tiny: World, path: Path) -> Path:
    """Write what a marketplace that knows a lot would send: 预估销量 per warehouse and SKU, two rows broken."""
    truth = tiny.true_demand
    home = tiny.reference.communities.set_index("community_id")["warehouse_id"]
    day = truth["delivery_date"]
    rows = truth.assign(仓库编码=truth["community_id"].map(home), 送达日期=day.dt.strftime("%Y-%m-%d"))
    rows = rows.groupby(["送达日期", "仓库编码", "sku_id"], as_index=False)["units"].sum()
    noise = np.random.default_rng(1).normal(1.0, 0.1, len(rows))
    given = pd.to_datetime(rows["送达日期"]) - pd.Timedelta(days=9)
    table = rows.assign(层级="中心仓", 预估日期=given.dt.strftime("%Y-%m-%d"), units=(rows["units"] * noise).round(2))
    table = table.rename(columns={"sku_id": "商品编码", "units": "预估销量"})
    broken = table.iloc[:2].assign(仓库编码=["W77", "W1"], 预估销量=[5.0, -1.0])
    pd.concat([table, broken]).to_csv(path, index=False, encoding="gbk")
    return path


def test_decisions_about_models_are_written_down(town: Terminal) -> None:
    """A refusal is in the audit log with who asked and why; the table of models has a column for it."""
    refused = town("promote")
    assert isinstance(refused.exception, ConflictError)
    records = Records.open(load_settings(town.settings).storage)
    entry = records.audit.entries(subject="models").iloc[0]
    records.close()
    assert entry["action"] == "refuse to promote models"
    assert entry["key_id"].startswith("terminal ")
    assert str(refused.exception) == entry["facts"]["sentence"]
    assert town("models").exit_code == 0


def test_an_outside_estimate_is_imported_scored_and_weighed(town: Terminal, tiny: World, tmp_path: Path) -> None:
    """From the marketplace's file to the combination: broken rows are named, its score stands beside ours."""
    done = town("import", "reference", "outside_estimates", str(marketplace(tiny, tmp_path / "预估.csv")))
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "2 rejected" in said
    assert "unknown warehouse: not in warehouses" in said
    out = tmp_path / "scores"
    done = town("backtest", "--origins", "2", "--horizon", "3", "--out", str(out), "--format", "parquet")
    assert done.exit_code == 0, done.output
    scores = pd.read_parquet(out / "summary.parquet").set_index(["level", "model"])["wrmsse"]
    assert scores["warehouse", "outside_estimate"] < scores["warehouse", "seasonal_naive"]
    added = pd.read_parquet(out / "value_added.parquet")
    assert set(added["baseline"]) == {"seasonal_naive", "daily_sales_x8"}
    assert all((out / f"{name}.png").stat().st_size > 5_000 for name in ("error_by_level", "error_by_lead", "coverage"))
    assert re.search(r"Kept as MLflow run [0-9a-f]{32}", done.output)
    assert town("train").exit_code == 0
    card = town("models", "--card", "2").output
    assert re.search(r"(?m)(0\.\d\d outside_estimate|: outside_estimate)", card), card


def test_drift_is_told_in_both_languages(town: Terminal, tmp_path: Path) -> None:
    """The model of three weeks ago is held against the days since; the weeks are written to a file."""
    out = tmp_path / "weeks.csv"
    done = town("drift", "--days", "14", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "learned until 2026-03-31" in done.output
    assert "需求模型学到 2026-03-31" in done.output
    assert set(pd.read_csv(out)["level"]) == {"community", "warehouse", "area"}
    checked = town("drift", "--check", "--language", "en")
    assert checked.exit_code == (3 if "The model has drifted" in checked.output else 0)


def test_a_backtest_without_a_registry_still_says_its_scores(town: Terminal, tmp_path: Path) -> None:
    """MLflow is away: the scores are on the screen, the exit is clean, and the lost record is named."""
    broken = tmp_path / "settings.toml"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mlflow.sqlite").write_bytes(b"this is no database" * 100)
    text = town.settings.read_text(encoding="utf-8")
    broken.write_text(text.replace(str(town.folder / "models"), str(tmp_path / "models")), encoding="utf-8")
    words = ["--settings", str(broken), "backtest", "moving_average", "seasonal_naive", "--origins", "1"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "Means over the origins" in done.output
    assert "Not kept as a run" in done.output


def test_drift_without_a_model_says_train_first(tmp_path: Path) -> None:
    """An empty store gives one of our errors that says what to do."""
    done = Terminal(tmp_path)("drift")
    assert isinstance(done.exception, NotFoundError)
    assert "Train one first" in str(done.exception)
