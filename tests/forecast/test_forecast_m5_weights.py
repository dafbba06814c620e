"""Real input: the weights our M5 scores use are those the competition published."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast  # first: a benchmark beside `m5` has the package's name

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "datasets" / "m5"


@pytest.fixture
def m5_benchmark(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the benchmarks' own package within reach, behind everything else."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "benchmarks")])
    yield
    for name in [name for name in sys.modules if name == "m5" or name.startswith("m5.")]:
        del sys.modules[name]


def _named(ids: pd.DataFrame) -> list[str]:
    """Return one name per row, whichever order its columns have."""
    return [" ".join(sorted(map(str, row))) for row in ids.to_numpy().tolist()]


@pytest.mark.slow
@pytest.mark.datasets
def test_weights_are_the_official_ones(m5_benchmark: None) -> None:
    """All 42,840 weights of the twelve levels, for the 28 days after the last known one."""
    if not (DATA / "weights_evaluation.csv.gz").exists():
        pytest.skip(f"{DATA} is not there: put the M5 files beside the checkout")
    from m5.read import HORIZON, read_m5
    from m5.score import LEVELS, Scorer

    assert forecast.__file__ is not None
    panel = read_m5(DATA).panel(1941)
    recent = slice(panel.known - HORIZON, panel.known)
    sales = np.nansum(panel.quantity[recent].astype(np.float64) * panel.price[recent], axis=0)
    scorer = Scorer(panel.quantity[-60:], sales, panel.series)
    official = pd.read_csv(DATA / "weights_evaluation.csv.gz")
    total = 0
    for number, (name, keys) in enumerate(LEVELS.items(), start=1):
        table = official[official["Level_id"] == f"Level{number}"]
        first = np.unique(scorer.levels[name].group, return_index=True)[1]
        own = _named(panel.series.iloc[first][list(keys)])
        theirs = _named(table[["Agg_Level_1", "Agg_Level_2"]].iloc[:, : len(keys)])
        ours = pd.Series(scorer.weights(name), own).reindex(theirs)
        np.testing.assert_allclose(ours.to_numpy(), table["weight"].to_numpy(), rtol=2e-3, atol=1e-9)
        total += len(table)
    assert total == 42_840
