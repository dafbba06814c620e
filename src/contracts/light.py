"""Importing pandera without Dask: where Dask is installed pandera loads it for type names nobody here uses.

That is a quarter of the service's start and of every command's. Dask stays importable for those who use it.
"""

from __future__ import annotations

import importlib
import sys


def import_without(module: str, *, absent: str) -> None:
    """Import a module that does without the package `absent`, as if that were not installed; nothing if it is loaded.

    Examples
    --------
    >>> import_without("json", absent="no_such_package")
    """
    if absent in sys.modules:
        return
    sys.modules[absent] = None  # type: ignore[assignment]  # an import then raises ModuleNotFoundError
    try:
        importlib.import_module(module)
    finally:
        del sys.modules[absent]
