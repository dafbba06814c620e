"""A backtest as files: every table in the format asked for, every picture as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from forecast import BacktestScores
from forecast.registry.backtest_figures import backtest_figures
from store import export_table


def write_backtest(scores: BacktestScores, folder: Path, *, form: Literal["csv", "parquet", "xlsx"]) -> list[Path]:
    """Write a backtest's tables and pictures to a folder; return the files.

    Raises
    ------
    StoreError
        The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in scores.tables().items():
        written.append(folder / f"{name}.{form}")
        export_table(table, written[-1])
    for name, picture in backtest_figures(scores).items():
        written.append(folder / name)
        written[-1].write_bytes(picture)
    return written
