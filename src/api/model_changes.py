"""Which models serve is changed here, for terminal and jobs alike: each change and each refusal is in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.records.audit import AuditLog
from contracts.errors import ConflictError

if TYPE_CHECKING:
    from pipeline.desk import PlanningDesk
    from pipeline.progress import Progress
    from pipeline.promotion import Asked

MODELS = "models"
PROMOTED, REFUSED, ROLLED_BACK = "promote models", "refuse to promote models", "roll back models"
"""Subject and actions of the audit log."""


def promote(desk: PlanningDesk, audit: AuditLog, *, by: str, progress: Progress, asked: Asked | None = None) -> str:
    """Let the challenger serve if it earned it; return why.

    Raises
    ------
    ConflictError
        It did not; that is in the audit log too.
    """
    try:
        sentence = desk.promote(by=by, asked=asked, progress=progress)
    except ConflictError as refused:
        audit.write(by, REFUSED, MODELS, facts={"sentence": str(refused)})
        raise
    audit.write(by, PROMOTED, MODELS, facts={"sentence": sentence})
    return sentence


def complete(desk: PlanningDesk, audit: AuditLog, *, by: str, asked: Asked) -> str:
    """Finish a promotion that was cut off after the demand model had changed; return what happened."""
    sentence = desk.complete_promotion(by=by, asked=asked)
    audit.write(by, PROMOTED, MODELS, facts={"sentence": sentence})
    return sentence


def roll_back(desk: PlanningDesk, audit: AuditLog, *, by: str, asked: Asked | None = None) -> str:
    """Let the pair of models before this one serve again; return what happened."""
    sentence = desk.rollback(by=by, asked=asked)
    audit.write(by, ROLLED_BACK, MODELS, facts={"sentence": sentence})
    return sentence


def complete_roll_back(desk: PlanningDesk, audit: AuditLog, *, by: str, asked: Asked) -> str:
    """Finish a rollback that was cut off after the demand model had changed; return what happened."""
    sentence = desk.complete_rollback(by=by, asked=asked)
    audit.write(by, ROLLED_BACK, MODELS, facts={"sentence": sentence})
    return sentence
