"""Keys and the audit log: an admin's part."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.access import Administrator, Role
from api.asked import Running, note
from api.paging import Page, list_answer, list_responses, whole_list
from api.problems import PROBLEM_RESPONSES
from api.records.keys import KeyRecord

router = APIRouter(prefix="/v1", tags=["administration"], responses=PROBLEM_RESPONSES)


class NewKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Who it is for.", examples=["planner Wang"], min_length=1, max_length=200)
    role: Role = Field(examples=["planner"])
    warehouse_id: str | None = Field(
        default=None, description="Needed for, and only for, a warehouse lead.", examples=[None]
    )

    @model_validator(mode="after")
    def _warehouse(self) -> NewKey:
        if (self.role is Role.WAREHOUSE_LEAD) != bool(self.warehouse_id):
            raise ValueError("a warehouse lead needs a warehouse_id, other roles have none")
        return self


class Key(BaseModel):
    """A key as it is known; the key itself is shown once, when it is made."""

    key_id: str = Field(examples=["9f1c2ab03d4e"])
    name: str = Field(examples=["planner Wang"])
    role: Role = Field(examples=["planner"])
    warehouse_id: str | None = Field(default=None, examples=["W1"])
    created_at: datetime = Field(examples=["2026-03-01T08:00:00Z"])
    revoked_at: datetime | None = Field(default=None, examples=["2026-03-09T08:00:00Z"])


class MadeKey(Key):
    """A key just made."""

    key: str = Field(
        description="The key itself; it is not kept and cannot be shown again.", examples=["tc_9f1c2ab03d4e_..."]
    )


class AuditEntry(BaseModel):
    """Who did what, when."""

    entry: int = Field(examples=[41])
    at: datetime = Field(examples=["2026-03-01T10:00:01Z"])
    key_id: str = Field(examples=["9f1c2ab03d4e"])
    action: str = Field(examples=["ask for plan"])
    subject: str = Field(examples=["4b0f5d0c9e7a4c1f8d2b6a3e5c7f9d10"])
    request_id: str = Field(examples=["5f0c9a1e6b2d4c7f"])
    facts: dict[str, object] = Field(examples=[{"delivery_date": "2026-03-02"}])


@router.get("/keys", summary="Keys that were made", responses=list_responses(Key))
def list_keys(request: Request, _holder: Administrator, service: Running, page: Page) -> Response:
    """Return every key's record, revoked ones too; never a key itself."""
    return whole_list(request, [_shown(record) for record in service.records.keys.all()], page, name="keys")


@router.post("/keys", summary="Make a key", status_code=status.HTTP_201_CREATED)
def make_key(request: Request, response: Response, asked: NewKey, holder: Administrator, service: Running) -> MadeKey:
    """Make a key and show it this once."""
    record, secret = service.records.keys.make(asked.name, asked.role.value, warehouse_id=asked.warehouse_id)
    note(request, holder, "make key", record.key_id, role=record.role, warehouse_id=record.warehouse_id)
    return MadeKey(key=secret, **_shown(record).model_dump())


@router.delete("/keys/{key_id}", summary="Revoke a key")
def revoke_key(
    request: Request,
    key_id: Annotated[str, Path(examples=["9f1c2ab03d4e"], pattern=r"^\w{1,32}$")],
    holder: Administrator,
    service: Running,
) -> Key:
    """Make a key worthless from now on; its sessions end."""
    record = service.records.keys.revoke(key_id)
    note(request, holder, "revoke key", key_id)
    return _shown(record)


@router.get("/audit", summary="The audit log, the newest first", responses=list_responses(AuditEntry))
def list_audit(request: Request, _holder: Administrator, service: Running, page: Page) -> Response:
    """Return who did what and when."""
    return list_answer(request, service.records.audit.entries(), page, name="audit")


def _shown(record: KeyRecord) -> Key:
    return Key(**vars(record))
