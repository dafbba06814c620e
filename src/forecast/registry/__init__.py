"""Models with their record: every training is a run, versions are registered, ``champion`` serves."""

from forecast.registry.evidence import Evidence, evidence_of
from forecast.registry.record import RunRecord, record_of
from forecast.registry.registry import Registry, Served

__all__ = ["Evidence", "Registry", "RunRecord", "Served", "evidence_of", "record_of"]
