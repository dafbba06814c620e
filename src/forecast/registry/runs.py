"""Runs in MLflow: one way to write a training or a backtest down, with its parameters, metrics, tables and pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from contracts.errors import NotFoundError
from contracts.settings import ForecastSettings, StorageSettings
from forecast.backtest_scores import BacktestScores
from forecast.registry.door import Door
from forecast.registry.record import RunRecord, flat

BACKTEST = "backtest"


def write_run(
    door: Door, client: Any, record: RunRecord, *, name: str, folder: str, files: Mapping[str, bytes] | None = None
) -> Any:
    """Write a run with its artefacts under a folder; return MLflow's run info.

    Parameters
    ----------
    files : mapping of file name to bytes, optional
        Further artefacts, e.g. the model.
    """
    run = client.create_run(door.experiment(client), run_name=name, tags={"kind": name}).info
    for key, text in record.params.items():
        client.log_param(run.run_id, key, text)
    for key, values in record.metrics.items():
        for window, value in enumerate(values):
            client.log_metric(run.run_id, key, value, step=window)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for file, content in {**(files or {}), **record.figures}.items():
            (place / file).write_bytes(content)
        for file, table in record.tables.items():
            table.to_csv(place / file, index=False)
        for file, words in record.texts.items():
            (place / file).write_text(words, encoding="utf-8")
        client.log_artifacts(run.run_id, str(place), folder)
    client.set_terminated(run.run_id)
    return run


def log_backtest(storage: StorageSettings, scores: BacktestScores) -> str:
    """Keep a backtest as a run; return the run's id.

    Raises
    ------
    RegistryDownError
        MLflow does not answer; nothing was kept.
    """
    door = Door(storage)
    with door.client() as client:
        return str(write_run(door, client, backtest_record(scores), name=BACKTEST, folder=BACKTEST).run_id)


def read_backtest(storage: StorageSettings, run_id: str, name: str) -> pd.DataFrame:
    """Return a table of a backtest that was kept; see `BacktestScores.tables` for the names.

    Raises
    ------
    NotFoundError
        The run keeps no such table.
    RegistryDownError
        MLflow does not answer, or does not know the run.
    """
    door, path = Door(storage), f"{BACKTEST}/{name}.csv"
    with door.client() as client, tempfile.TemporaryDirectory() as folder:
        if path not in {item.path for item in client.list_artifacts(run_id, BACKTEST)}:
            raise NotFoundError("backtest table", f"{name} of run {run_id}")
        return pd.read_csv(client.download_artifacts(run_id, path, folder), dtype={"group": "str"})


def backtest_record(scores: BacktestScores) -> RunRecord:
    """Return what a run keeps of a backtest: what was asked, scores per origin, every table and picture."""
    from forecast.registry.backtest_figures import backtest_figures  # matplotlib takes a moment, a night needs none

    origins = sorted({str(day.date()) for day in scores.scores["origin"]})
    params = {
        "data_fingerprint": scores.fingerprint,
        "models": ", ".join(sorted(scores.settings)),
        "origins": ", ".join(origins),
        "horizon_days": str(scores.horizon),
        **_common(scores.settings),
    }
    tables = {f"{name}.csv": table for name, table in scores.tables().items()}
    return RunRecord(params=params, metrics=metric_series(scores), tables=tables, figures=backtest_figures(scores))


def metric_series(scores: BacktestScores) -> dict[str, tuple[float, ...]]:
    """Return each model's metrics per level over the origins, oldest first, as a run keeps them."""
    whole = scores.scores[scores.scores["by"] == "all"].sort_values("origin")
    return {
        f"{model}.{level}.{metric}": tuple(float(value) for value in group[metric])
        for (model, level), group in whole.groupby(["model", "level"])
        for metric in ("wrmsse", "wape", "bias", "pinball")
        if pd.notna(group[metric]).all()
    }


def _common(settings: Mapping[str, ForecastSettings]) -> dict[str, str]:
    """Return the settings all models share."""
    told = [flat(own.model_dump()) for own in settings.values()]
    if not told:
        return {}
    shared = {name: value for name, value in told[0].items() if all(other.get(name) == value for other in told)}
    return {f"settings.{name}": str(value) for name, value in shared.items()}
