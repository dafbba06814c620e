"""What every test may lean on: the tiny world, the data sets beside the repo, no telemetry."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from contracts.world import World

DATASETS = Path(__file__).parents[1].parent / "shared" / "datasets"


@pytest.fixture(scope="session")
def tiny() -> World:
    """Return the tiny world of seed 0."""
    from simulate import build_world

    return build_world("tiny", seed=0)


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Return the folder of public data sets, or skip the test that needs it."""
    if not DATASETS.is_dir():
        pytest.skip("needs ../shared/datasets, which is not beside this checkout")
    return DATASETS
