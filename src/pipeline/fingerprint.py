"""Fingerprints: short hashes of what a plan was made from, so that a plan can be repeated and a change be seen."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version

import numpy as np
import pandas as pd
from pydantic import BaseModel

DECIDING_LIBRARIES = (
    "tuancai",
    "numpy",
    "pandas",
    "pulp",
    "highspy",
    "pyvrp",
    "lightgbm",
    "scikit-learn",
    "statsmodels",
)
"""Libraries whose version can change an answer."""


def table_fingerprint(frame: pd.DataFrame) -> str:
    """Return a hash of a table's content; the order of its rows does not matter, everything else does.

    Notes
    -----
    Each row is hashed over all columns (`pandas.util.hash_pandas_object`), the sorted row hashes and the column names
    are hashed with SHA-256. Two tables that differ in a value, a row or a column have different fingerprints up to
    the collision odds of 64-bit row hashes.
    """
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy(np.uint64)
    digest = hashlib.sha256("|".join(map(str, frame.columns)).encode())
    digest.update(np.sort(rows).tobytes())
    return digest.hexdigest()[:16]


def settings_fingerprint(settings: BaseModel) -> str:
    """Return a hash of every setting that can change an answer."""
    return hashlib.sha256(settings.model_dump_json(exclude={"storage", "service"}).encode()).hexdigest()[:16]


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that can change an answer."""
    return {"python": platform.python_version(), **{name: version(name) for name in DECIDING_LIBRARIES}}
