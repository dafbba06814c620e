"""The one door to Dask: run a function over parts in worker processes, on this machine or on a cluster."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from contracts.errors import ModelError, SettingsError

log = logging.getLogger(__name__)
T = TypeVar("T")
HERE = "here"
_LOCAL = re.compile(r"^local:([1-9]\d?)$")
_ANSWER_WITHIN = "3s"
"""A scheduler on the same network answers in milliseconds; a night must not wait for one that is gone."""
_QUIET = {"logging": {"distributed": "critical"}}
"""Dask's own log tells of every connection; what matters to a night is told here."""
_ALIKE = ("lightgbm", "numpy", "pandas", "scipy", "scikit-learn", "statsmodels")
"""Packages whose version decides a figure: workers that have another would not give the same result."""


def run_parts(place: str, function: Callable[..., T], parts: Sequence[tuple[Any, ...]]) -> list[T]:
    """Return ``function(*part)`` of each part, in order, at a place.

    The function and its parts must be picklable, the function free of random state: the place then changes nothing but
    the time. A scheduler that does not answer is told in the log and the work is done in this process.

    Parameters
    ----------
    place : str
        ``here`` (or empty) is this process, ``local:2`` two worker processes of this machine, anything else the
        address of a Dask scheduler whose workers have this program installed.

    Raises
    ------
    SettingsError
        Dask is not installed, or the workers have other versions of the packages that decide a figure.
    ModelError
        The work on a part ended its worker.
    """
    if place not in ("", HERE):
        done = _on_cluster(place, function, parts)
        if done is not None:
            return done
    return [function(*part) for part in parts]


def _on_cluster(place: str, function: Callable[..., T], parts: Sequence[tuple[Any, ...]]) -> list[T] | None:
    """Return the answers of the cluster, or None where it is not there."""
    try:
        import dask

        dask.config.set(_QUIET)  # read when distributed is imported, here and in the workers
        from distributed import CancelledError, KilledWorker
    except ImportError as missing:
        raise SettingsError(
            f"forecast.by_area is {place!r}, which needs Dask: pip install 'tuancai[dask]', or set it to {HERE!r}."
        ) from missing
    try:
        client = _client(place)
        sent = [client.scatter(part, hash=False) for part in parts]
        tasks = [client.submit(_called, function, part, pure=False) for part in sent]
        return list(client.gather(tasks))
    except (OSError, CancelledError) as gone:
        log.warning("The Dask cluster %s does not answer (%s): the areas are worked on in this process", place, gone)
        close_clusters()
        return None
    except KilledWorker as killed:
        raise ModelError(
            f"The work on one area ended its Dask workers at {place}, most likely for want of memory ({killed}). "
            f"Give the workers more, or set forecast.by_area to {HERE!r}."
        ) from killed


def close_clusters() -> None:
    """Let go of every cluster this process opened; worker processes of this machine end."""
    while _OPEN:
        opened, cluster = _OPEN.pop()
        opened.close()
        if cluster is not None:
            cluster.close()
    _client.cache_clear()


def _called(function: Callable[..., T], part: tuple[Any, ...]) -> T:
    return function(*part)


_OPEN: list[tuple[Any, Any]] = []
"""Clients and clusters to close; starting worker processes takes seconds, so they are kept between calls."""


@functools.cache
def _client(place: str) -> Any:
    from distributed import Client, LocalCluster

    local = _LOCAL.match(place)
    if local is None:
        client, cluster = Client(place, timeout=_ANSWER_WITHIN, set_as_default=False), None
    else:
        cluster = LocalCluster(
            n_workers=int(local[1]), threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        )
        client = Client(cluster, set_as_default=False)
    _OPEN.append((client, cluster))
    _refuse_other_versions(client, place)
    log.info("dask: %d workers at %s", len(client.scheduler_info()["workers"]), place)
    return client


def _refuse_other_versions(client: Any, place: str) -> None:
    ours = _versions()
    other = {worker: found for worker, found in client.run(_versions).items() if found != ours}
    if other:
        worker, found = next(iter(other.items()))
        apart = {name: (found[name], ours[name]) for name in ours if found[name] != ours[name]}
        raise SettingsError(
            f"{len(other)} workers of {place} have other packages, e.g. {worker} (theirs, ours): {apart}. The same "
            "data would give other figures: install the same constraints.txt there."
        )


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "none"

    return {name: installed(name) for name in _ALIKE}
