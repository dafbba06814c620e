"""The worker as a process beside the API, started again when it dies. The API imports nothing of what it does."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time

from contracts.settings import Settings

HEAD_START_S = 0.5
"""Seconds the API has to begin answering before its worker starts to import what plans and trains."""
_LOG = logging.getLogger(__name__)


def work(settings: Settings, parent: int) -> None:
    """Run a worker in this process: what planning needs is imported here, in the child."""
    os.nice(settings.service.worker_nice)
    from api.jobs.worker import run_worker
    from api.logs import configure_logs

    configure_logs(settings.service.log_format)
    run_worker(settings, parent=parent)


class WorkerProcess:
    """A worker in a process of its own, started again when it dies."""

    def __init__(self, settings: Settings, *, rest_s: float = 1.0) -> None:
        self._settings = settings
        self._rest_s = rest_s
        self._ended = threading.Event()
        self._watch: threading.Thread | None = None
        self._process: multiprocessing.process.BaseProcess | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None when it is not running."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def start(self) -> None:
        """Start the worker and watch it; the API answers first, for its own start needs the cores as well."""
        self._ended.clear()
        self._watch = threading.Thread(target=self._keep, name="worker-watch", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """End the worker; an unfinished job waits for the next start."""
        self._ended.set()
        if self._watch is not None:
            self._watch.join()
        process = self._process
        if process is not None and process.is_alive():
            process.terminate()
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()

    def _launch(self) -> None:
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=work, args=(self._settings, os.getpid()), name="tuancai-worker")
        try:
            process.start()
        except OSError:  # no memory or no process to be had now
            _LOG.exception("the worker could not be started")
            self._process = None
        else:
            self._process = process

    def _keep(self) -> None:
        if self._ended.wait(HEAD_START_S):
            return
        self._launch()
        while not self._ended.wait(0.2):
            if self._process is None or not self._process.is_alive():
                code = "unknown" if self._process is None else self._process.exitcode
                _LOG.error("no worker (exit code %s); starting it again", code)
                time.sleep(self._rest_s)
                if not self._ended.is_set():
                    self._launch()
