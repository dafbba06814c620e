"""What every test may lean on: the tiny world, a database, the data sets beside the repo, no telemetry."""

from __future__ import annotations

import fcntl
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
def trained_city(tmp_path_factory: pytest.TempPathFactory, tiny: World) -> Callable[..., Path]:
    """Return a folder with the tiny world imported and its models trained, by settings of the forecast.

    Its database (``tuancai.sqlite``, or one on the PostgreSQL server), ``history`` and ``models``; made once for all
    test processes. Copy it to change it.
    """
    from contracts.settings import Settings
    from pipeline.desk import PlanningDesk

    base = tmp_path_factory.getbasetemp()
    place = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def made(**forecast: int) -> Path:
        folder = place / "-".join(["trained", *(f"{name}={value}" for name, value in sorted(forecast.items()))])
        with (place / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "done").exists():
                storage = {"url": database_of(folder), "history": folder / "history", "models": folder / "models"}
                desk = PlanningDesk.open(Settings(storage=storage, forecast=forecast))
                desk.import_world(tiny)
                desk.train()
                desk.store.close()
                (folder / "done").touch()
        return folder

    return made


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
