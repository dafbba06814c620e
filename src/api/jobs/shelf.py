"""Finished stages of a running job on disk, so that a job that comes back goes on from its last stage."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import uuid
from pathlib import Path
from typing import Any

from contracts.errors import StoreError
from store.disk import storing


class Shelf:
    """One directory per job, one file per finished stage; a file is there whole or not at all.

    Tables of a city are too large for the job database, so the database keeps only that a stage is done and the
    digest of its file. Files are written by this service into its own directory (mode 0700) and read back with
    pickle: whoever can write there can already run code as the service.
    """

    def __init__(self, root: Path, job_id: str) -> None:
        self._folder = root / job_id

    def put(self, stage: str, value: Any) -> str:
        """Keep a stage's result and return its digest.

        Raises
        ------
        StorageFullError
            The disk is full.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        target = self._folder / f"{stage}.stage"
        half = target.with_name(f".{stage}.{uuid.uuid4().hex}")
        with storing(target, clean=half):
            with half.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            half.replace(target)
        return hashlib.sha256(body).hexdigest()

    def take(self, stage: str, digest: str) -> Any:
        """Return a stage's result.

        Raises
        ------
        StoreError
            The file is gone or is not the one that was kept.
        """
        path = self._folder / f"{stage}.stage"
        body = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(body).hexdigest() != digest:
            raise StoreError(
                f"Stage {stage} of job {self._folder.name} is no longer in {self._folder} as it was kept: ask again."
            )
        return pickle.loads(body)

    def clear(self) -> None:
        """Remove everything of the job."""
        shutil.rmtree(self._folder, ignore_errors=True)
