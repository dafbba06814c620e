"""Models with their record: every training is a run, versions are registered, ``champion`` serves."""

from forecast.registry.door import RegistryDownError
from forecast.registry.evidence import LEAST_WINDOWS, Evidence, evidence_of, promise_evidence
from forecast.registry.record import RunRecord, record_of
from forecast.registry.registry import Registry, Served
from forecast.registry.runs import log_backtest, read_backtest

__all__ = [
    "LEAST_WINDOWS",
    "Evidence",
    "Registry",
    "RegistryDownError",
    "RunRecord",
    "Served",
    "evidence_of",
    "log_backtest",
    "promise_evidence",
    "read_backtest",
    "record_of",
]
