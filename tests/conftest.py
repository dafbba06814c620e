"""What every test may lean on: the tiny world, a database, the data sets beside the repo, no telemetry."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from contracts.world import World

POSTGRES = os.environ.get("TUANCAI_TEST_POSTGRES", "")
"""URL of a PostgreSQL server whose role may create databases (`make test-postgres`); empty: SQLite in files."""
DATASETS = Path(__file__).parents[1].parent / "shared" / "datasets"


@pytest.fixture(scope="session")
def tiny() -> World:
    """Return the tiny world of seed 0."""
    from simulate import build_world

    return build_world("tiny", seed=0)


@pytest.fixture(scope="session")
def database_url() -> Callable[[Path], str]:
    """Return how a folder gets a database: SQLite in it, or one of its own on the PostgreSQL server."""
    return database_of


def database_of(folder: Path) -> str:
    """Return the database of a folder, made on first use."""
    if not POSTGRES:
        return f"sqlite:///{folder}/tuancai.sqlite"
    import sqlalchemy as sa

    name = f"tuancai_{zlib.crc32(str(folder).encode())}"
    server = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        if not connection.scalar(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    server.dispose()
    return sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Return the folder of public data sets, or skip the test that needs it."""
    if not DATASETS.is_dir():
        pytest.skip("needs ../shared/datasets, which is not beside this checkout")
    return DATASETS
