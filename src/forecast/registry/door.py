"""The one door to MLflow: imported when first used (it takes a second or more), telemetry off unless asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contracts.errors import StoreError
from contracts.settings import StorageSettings

EXPERIMENT = "tuancai"
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
"""What MLflow reads from the environment; a value already set there stays."""


class RegistryDownError(StoreError):
    """The model registry does not answer."""


class Door:
    """MLflow client on the embedded SQLite backend, or on the server the settings name."""

    def __init__(self, storage: StorageSettings) -> None:
        self._storage = storage
        self._client: Any = None

    @property
    def address(self) -> str:
        """Return where the records are."""
        return self._storage.tracking_uri or f"sqlite:///{(self._storage.models / 'mlflow.sqlite').resolve()}"

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Yield the client.

        Raises
        ------
        RegistryDownError
            The backend cannot be reached or refuses.
        """
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        import sqlalchemy.exc
        from mlflow.exceptions import MlflowException

        try:
            if self._client is None:
                self._client = self._connected()
            yield self._client
        except (MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError) as down:
            raise RegistryDownError(
                f"The model registry at {self.address} does not answer: {down}. Check storage.tracking_uri and "
                "storage.models."
            ) from down

    def experiment(self, client: Any) -> str:
        """Return the id of the experiment, made on first use."""
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        where = None if self._storage.tracking_uri else (self._storage.models / "artifacts").resolve().as_uri()
        return str(client.create_experiment(EXPERIMENT, artifact_location=where))

    def _connected(self) -> Any:
        import logging

        for noisy in ("mlflow", "alembic"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        from mlflow import MlflowClient

        if not self._storage.tracking_uri:
            self._storage.models.mkdir(parents=True, exist_ok=True)
        return MlflowClient(tracking_uri=self.address, registry_uri=self.address)
