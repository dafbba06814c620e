"""A running service on the tiny world: trained and planned once, and copies for tests that change it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

import api.jobs.patience
import api.jobs.steps
import store.database.engine
from api.app import create_app
from api.jobs import work
from api.records import Records
from contracts.settings import Settings
from store import Store

POSTGRES = os.environ.get("TUANCAI_TEST_POSTGRES", "")
DAY = "2026-04-22"
EVENING = "2026-04-21T18:00:00+08:00"
CUTOFF = "2026-04-21T23:00:00+08:00"


@dataclass(frozen=True)
class Asker:
    """A client that sends one key."""

    client: TestClient
    key: str

    def __call__(self, method: str, path: str, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", **given.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **given)

    def get(self, path: str, **given: Any) -> Any:
        return self("GET", path, **given)

    def post(self, path: str, **given: Any) -> Any:
        return self("POST", path, **given)

    def job(self, answer: Any, *, seconds: float = 60) -> dict[str, Any]:
        """Return the job of a 202 answer once it has ended."""
        assert answer.status_code == 202, answer.text
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            job: dict[str, Any] = self.get(answer.headers["Location"]).json()
            if job["ended_at"] is not None:
                return job
            time.sleep(0.05)
        raise AssertionError(f"job has not ended after {seconds} s: {job}")


@pytest.fixture(scope="session")
def copied_city(database_url: Callable[[Path], str]) -> Callable[[Path, Path], None]:
    """Return how a city is copied with its database."""

    def copy(source: Path, target: Path) -> None:
        shutil.copytree(source, target)
        if POSTGRES:
            names = [sa.make_url(database_url(folder)).database for folder in (source, target)]
            server = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
            with server.connect() as connection:
                connection.execute(sa.text(f"DROP DATABASE {names[1]}"))
                connection.execute(sa.text(f"CREATE DATABASE {names[1]} TEMPLATE {names[0]}"))
            server.dispose()

    return copy


@pytest.fixture(scope="session")
def settings_in(database_url: Callable[[Path], str]) -> Callable[..., Settings]:
    """Return how settings are made that keep everything in one folder and search briefly."""

    def make(folder: Path, **service: Any) -> Settings:
        return Settings(
            storage={"url": database_url(folder), "history": folder / "history", "models": folder / "models"},
            service={
                "worker": "none",
                "work": folder / "work",
                "admin_key_file": folder / "admin.key",
                "requests_per_minute": 100_000,
                **service,
            },
            solve={"routing_work": 100, "purchase_seconds": 20, "sorting_seconds": 20, "workers": 1},
            forecast={"backtest_origins": 1},
        )

    return make


@pytest.fixture(scope="session")
def trained_folder(trained_city: Callable[..., Path]) -> Path:
    """Return a folder with the tiny world imported and its models trained; tests copy it."""
    return trained_city(backtest_origins=1)


@pytest.fixture(scope="session")
def admin(
    tmp_path_factory: pytest.TempPathFactory,
    trained_folder: Path,
    settings_in: Callable[..., Settings],
    copied_city: Callable[[Path, Path], None],
) -> Iterator[Asker]:
    """Return an admin on a running service with a worker; tests share it and leave the tables as they are."""
    folder = tmp_path_factory.mktemp("served") / "city"
    copied_city(trained_folder, folder)
    with running(settings_in(folder, worker="thread")) as asker:
        yield asker


@pytest.fixture(scope="session")
def keys(admin: Asker) -> dict[str, Asker]:
    """Return an asker per role; the warehouse lead is of W1."""
    made = {"admin": admin}
    for role in ("planner", "warehouse_lead", "data_scientist"):
        asked = {"name": role, "role": role, "warehouse_id": "W1" if role == "warehouse_lead" else None}
        made[role] = Asker(admin.client, admin.post("/v1/keys", json=asked).json()["key"])
    return made


@pytest.fixture(scope="session")
def plan_id(admin: Asker) -> str:
    """Return a plan of the tiny world's last day as of 18:00."""
    job = admin.job(admin.post("/v1/plans", json={"delivery_date": DAY, "as_of": EVENING}))
    assert job["state"] == "done", job
    return str(job["outcome"]["plan_id"])


@contextmanager
def running(settings: Settings) -> Iterator[Asker]:
    """Yield the admin of a service while it runs."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield Asker(client, settings.service.admin_key_file.read_text().strip())


@pytest.fixture(scope="session")
def service_on() -> Callable[[Settings], AbstractContextManager[Asker]]:
    """Return how a service is run on settings."""
    return running


@pytest.fixture
def fresh(tmp_path: Path, settings_in: Callable[..., Settings]) -> Iterator[Asker]:
    """Return an admin on an empty service without a worker."""
    with running(settings_in(tmp_path)) as asker:
        yield asker


@pytest.fixture
def copied(
    tmp_path: Path,
    trained_folder: Path,
    settings_in: Callable[..., Settings],
    copied_city: Callable[[Path, Path], None],
) -> Iterator[Asker]:
    """Return an admin on a copy of the trained city, without a worker."""
    folder = tmp_path / "city"
    copied_city(trained_folder, folder)
    with running(settings_in(folder)) as asker:
        yield asker


@pytest.fixture(scope="module")
def copied_once(
    tmp_path_factory: pytest.TempPathFactory,
    trained_folder: Path,
    settings_in: Callable[..., Settings],
    copied_city: Callable[[Path, Path], None],
) -> Iterator[Asker]:
    """Return an admin on a copy of the trained city that the tests of a module share and may fill with anything."""
    folder = tmp_path_factory.mktemp("shared") / "city"
    copied_city(trained_folder, folder)
    with running(settings_in(folder)) as asker:
        yield asker


class PassingSteps:
    """Steps of a job that are done and not kept."""

    @staticmethod
    def run_step(_options: object, step: Callable[[], Any]) -> Any:
        """Do a step."""
        return step()


@pytest.fixture
def bench(
    tmp_path: Path, settings_in: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Iterator[work.Bench]:
    """Give a worker's bench without a durable queue, with short pauses and a database that soon says it is locked."""
    monkeypatch.setattr(store.database.engine, "_BUSY_MILLISECONDS", 20)
    monkeypatch.setattr(api.jobs.patience, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(api.jobs.patience, "LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr(api.jobs.steps, "DBOS", PassingSteps)
    settings = settings_in(tmp_path, worker_silence_s=1.0, plan_at=("23:00-1",))
    records, kept = Records.open(settings.storage), Store.open(settings.storage)
    before, made = work._BENCH[:], work.Bench(SimpleNamespace(settings=settings, store=kept), records)  # type: ignore
    work.set_bench(made)
    yield made
    work.set_bench(before[0] if before else None)  # of the worker in this process that other tests share
    kept.close()
    records.close()
