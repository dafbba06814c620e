"""Logs as text for people or JSON lines for machines; the facts of a line travel beside its sentence."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Literal


class JsonLines(logging.Formatter):
    """One JSON object per line: at, level, logger, message, and the facts given with ``extra={"facts": {...}}``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """Lines for people; those of a request end their first line with its id."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        """Return the first line of a record."""
        request_id = getattr(record, "facts", {}).get("request_id")
        line = super().formatMessage(record)
        return f"{line} [{request_id}]" if request_id else line


def configure_logs(form: Literal["text", "json"]) -> None:
    """Send every log line of the process to standard error in one form."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "alembic", "mlflow", "dbos", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
