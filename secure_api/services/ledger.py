"""The ledger: append, sign heads."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from crypto import PrivateKey
from secure_api.data import ledger as table
from secure_api.data.database import Database, WriteSession
from secure_api.data.ledger import EntryFields, HeadFields
from secure_api.domain.clock import Clock
from secure_api.domain.instant import format_instant
from secure_api.domain.ledger import (
    GENESIS_HASH,
    LedgerEntry,
    head_statement,
    next_entry,
)
from secure_api.domain.strict_json import JsonValue

#: The kind of entry that vouches for records.
RECORDS_APPENDED = "records.appended"


async def append(
    session: WriteSession,
    *,
    time: datetime,
    kind: str,
    organization_id: str | None,
    actor: str | None,
    payload: dict[str, JsonValue],
) -> LedgerEntry:
    """Append the next entry in the caller's transaction; other writers wait until it ends."""
    sequence, previous = await table.lock_tip(session) or (0, GENESIS_HASH)
    entry = next_entry(
        sequence,
        previous,
        time=time,
        kind=kind,
        organization_id=organization_id,
        actor=actor,
        payload=payload,
    )
    await table.add_entry(
        session,
        EntryFields(
            sequence=entry.sequence,
            previous_hash=entry.previous_hash,
            time=entry.time,
            kind=entry.kind,
            organization_id=entry.organization_id,
            actor=entry.actor,
            payload=entry.payload_json(),
            hash=entry.hash,
        ),
    )
    return entry


async def sign_head(database: Database, key: PrivateKey, clock: Clock) -> int | None:
    """Sign the newest entry's hash, unless it is signed already; returns the sequence signed, or None."""
    async with database.read() as session:
        newest = await table.tip(session)
        signed = await table.newest_head(session)
    if newest is None or (signed is not None and signed.sequence >= newest[0]):
        return None
    sequence, hash_ = newest
    time = clock()
    signature = key.sign(head_statement(sequence, hash_, time))
    async with database.write() as session:
        await table.add_head(session, HeadFields(sequence, hash_, time, key.public_key.keyid, signature))
    return sequence


def records_digest(records: Iterable[tuple[datetime, str]]) -> str:
    """Give the SHA-256 (hexadecimal) that a ledger entry keeps of a batch.

    Each record counts as one line: its time, a space, the stored JSON text of its attributes, a line feed.
    """
    digest = hashlib.sha256()
    for time, attributes in records:
        digest.update(f"{format_instant(time)} {attributes}\n".encode())
    return digest.hexdigest()
