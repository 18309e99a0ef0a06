"""The ledger: append, sign heads, read, verify."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from crypto import PrivateKey, PublicKey, VerificationError
from secure_api.data import ledger as table
from secure_api.data.database import Database, ReadSession, WriteSession
from secure_api.data.ledger import EntryFields, HeadFields
from secure_api.data.records import first_without_entry, records_of_entry
from secure_api.domain import strict_json
from secure_api.domain.clock import Clock
from secure_api.domain.errors import LedgerTampered
from secure_api.domain.instant import format_instant
from secure_api.domain.ledger import (
    GENESIS_HASH,
    LedgerEntry,
    LedgerHead,
    LedgerVerifier,
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


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What `verify` found in order."""

    entries: int
    heads: int
    records: int
    last_hash: str
    unsigned: int  # entries after the newest signed head


async def verify(
    database: Database,
    server_keys: Mapping[str, PublicKey],
    *,
    with_records: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> LedgerReport:
    """Check every entry, every signed head and, unless told otherwise, every record that an entry vouches for.

    `server_keys` are the trusted keys by keyid; `progress` is told (entries done, entries in all).

    Raises:
        LedgerTampered: names the first entry that was changed, removed or reordered, or whose records were.
        DatabaseUnavailable: the database cannot be reached.
    """
    async with database.read() as session:
        total = await table.count_entries(session)
        heads = [_believed(head, server_keys) for head in await table.heads(session)]
        verifier = LedgerVerifier(heads=heads)
        done = records = 0
        # Closed here also when an entry is found touched: left to the event loop, its cursor would outlive the session.
        async with aclosing(table.entries(session)) as entries:
            async for entry in entries:
                verifier.feed(asdict(entry))
                if with_records and entry.kind == RECORDS_APPENDED:
                    records += await _check_records(database, entry)
                done += 1
                progress(done, total)
        verifier.finish()
        if with_records:
            await _check_strays(session)
    signed = heads[-1].sequence if heads else 0
    return LedgerReport(done, len(heads), records, verifier.hash, done - signed)


def _believed(head: HeadFields, server_keys: Mapping[str, PublicKey]) -> LedgerHead:
    """Check a stored head's signature.

    Raises:
        LedgerTampered: none of the trusted keys made it.
    """
    key = server_keys.get(head.keyid)
    try:
        if key is None:
            raise LedgerTampered(head.sequence, "changed", f"The head of entry {head.sequence} has an unknown key.")
        believed = LedgerHead.model_validate(asdict(head))
        key.verify(head.signature, believed.statement())
    except (VerificationError, ValidationError) as error:
        raise LedgerTampered(
            head.sequence, "changed", f"The signed head of ledger entry {head.sequence} was changed."
        ) from error
    return believed


async def _check_records(database: Database, entry: EntryFields) -> int:
    """Check the records that an entry vouches for; returns how many.

    Raises:
        LedgerTampered: they are not the ones that were appended.
    """
    payload: Any = strict_json.loads(entry.payload.encode())  # an object: the verifier has fed on it
    changed = LedgerTampered(
        entry.sequence, "changed", f"Records that ledger entry {entry.sequence} vouches for were changed."
    )
    async with database.read() as session:
        try:
            rows = [row async for row in records_of_entry(session, entry.sequence)]
        except table.UNREADABLE:
            raise changed from None
    if len(rows) != payload.get("count"):
        raise LedgerTampered(
            entry.sequence,
            "changed",
            f"Ledger entry {entry.sequence} vouches for {payload.get('count')} records; {len(rows)} are there.",
        )
    owner = (payload.get("dataset"), entry.organization_id, entry.actor)
    moved = any((row.dataset_id, row.organization_id, row.client_id) != owner for row in rows)
    if moved or records_digest((row.time, row.attributes) for row in rows) != payload.get("sha256"):
        raise changed
    return len(rows)


async def _check_strays(session: ReadSession) -> None:
    """Look for records that no entry vouches for.

    Raises:
        LedgerTampered: there are some; it names the entry that they refer to.
    """
    stray = await first_without_entry(session, RECORDS_APPENDED)
    if stray is not None:
        raise LedgerTampered(stray, "changed", f"Records refer to ledger entry {stray}, which vouches for no records.")


def records_digest(records: Iterable[tuple[datetime, str]]) -> str:
    """Give the SHA-256 (hexadecimal) that a ledger entry keeps of a batch.

    Each record counts as one line: its time, a space, the stored JSON text of its attributes, a line feed.
    """
    digest = hashlib.sha256()
    for time, attributes in records:
        digest.update(f"{format_instant(time)} {attributes}\n".encode())
    return digest.hexdigest()
