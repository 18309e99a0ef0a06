"""The ledger."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query

from secure_api.api.dependencies import ViewDependency
from secure_api.api.json_route import JsonRoute
from secure_api.api.wire import Instant, Wire
from secure_api.domain import strict_json
from secure_api.services.ledger_page import page_ledger as read_page

router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["ledger"])

MAX_SEQUENCE = 2**63 - 1


class EntryOut(Wire):
    """One ledger entry; docs/protocol.md tells how its hash is computed."""

    sequence: int
    previous_hash: str
    time: Instant
    kind: str
    organization_id: str | None
    actor: str | None
    payload: Any
    hash: str


class HeadOut(Wire):
    """The server's signature over the newest hash at one moment; `signature` is base64."""

    sequence: int
    hash: str
    time: Instant
    keyid: str
    signature: str


class LedgerOut(Wire):
    """A page of the ledger; `next` goes into `after` for the following page."""

    entries: list[EntryOut]
    next: int | None
    head: HeadOut | None


@router.get("/ledger")
async def page_ledger(
    view: ViewDependency,
    after: Annotated[int, Query(ge=0, le=MAX_SEQUENCE)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> LedgerOut:
    """Read the entries of the caller's organization (admins, auditors); the operator's see all."""
    page = await read_page(view, after, limit)
    return LedgerOut(
        entries=[
            EntryOut(
                sequence=entry.sequence,
                previous_hash=entry.previous_hash,
                time=entry.time,
                kind=entry.kind,
                organization_id=entry.organization_id,
                actor=entry.actor,
                payload=strict_json.loads(entry.payload.encode()),
                hash=entry.hash,
            )
            for entry in page.entries
        ],
        next=page.next,
        head=None
        if page.head is None
        else HeadOut(
            sequence=page.head.sequence,
            hash=page.head.hash,
            time=page.head.time,
            keyid=page.head.keyid,
            signature=base64.b64encode(page.head.signature).decode("ascii"),
        ),
    )
