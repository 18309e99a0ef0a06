"""Queries on the ledger."""

from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.insertion import insert_into, insert_new
from secure_api.data.models import LedgerEntryRow, LedgerHeadRow
from secure_api.data.scoping import ScopedRepository, across_organizations
from secure_api.domain.errors import LedgerTampered

#: Key of the advisory lock that orders the appends of every worker on PostgreSQL ("sapi" in ASCII).
LEDGER_LOCK = 0x73617069

#: What a row raises whose time SQLite, which takes any text for one, cannot give back.
UNREADABLE = (ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class EntryFields:
    """One row of the ledger as it stands in the database, not yet believed. `payload` is canonical JSON text."""

    sequence: int
    previous_hash: str
    time: datetime
    kind: str
    organization_id: str | None
    actor: str | None
    payload: str
    hash: str


@dataclass(frozen=True, slots=True)
class HeadFields:
    """One signed head as it stands in the database, not yet believed."""

    sequence: int
    hash: str
    time: datetime
    keyid: str
    signature: bytes


@across_organizations("the chain is one for all organizations")
async def lock_tip(session: AsyncSession) -> tuple[int, str] | None:
    """Keep every other writer from appending until this transaction ends, and give the newest (sequence, hash).

    On SQLite the write transaction is that lock already.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})
    return await tip(session)


@across_organizations("the chain is one for all organizations")
async def tip(session: AsyncSession) -> tuple[int, str] | None:
    """Give the newest (sequence, hash); None when the ledger is empty."""
    row = (await session.execute(_tip())).one_or_none()
    return None if row is None else (row.sequence, row.hash)


@cache
@across_organizations("the chain is one for all organizations")
def _tip() -> Select[int, str]:
    return select(LedgerEntryRow.sequence, LedgerEntryRow.hash).order_by(LedgerEntryRow.sequence.desc()).limit(1)


async def add_entry(session: AsyncSession, entry: EntryFields) -> None:
    """Insert the next entry; the caller holds the lock of `lock_tip`."""
    await session.flush()  # what the entry vouches for comes first
    await session.execute(insert_into(LedgerEntryRow), asdict(entry))


@across_organizations("verification walks the whole chain")
async def entries(session: AsyncSession) -> AsyncGenerator[EntryFields]:
    """Stream every entry in the order of sequence.

    Raises:
        LedgerTampered: an entry's time is no time any more.
    """
    rows = await session.stream_scalars(
        select(LedgerEntryRow).order_by(LedgerEntryRow.sequence).execution_options(yield_per=500)
    )
    try:
        async for row in rows:
            yield _fields(row)
            session.expunge(row)
    except UNREADABLE:
        raise LedgerTampered(await _first_unreadable(session, LedgerEntryRow), "changed") from None
    finally:
        await rows.close()


@across_organizations("verification counts the whole chain")
async def count_entries(session: AsyncSession) -> int:
    """Count the entries."""
    return await session.scalar(select(func.count()).select_from(LedgerEntryRow)) or 0


@across_organizations("heads sign the chain of all organizations")
async def heads(session: AsyncSession) -> list[HeadFields]:
    """List every signed head in the order of sequence.

    Raises:
        LedgerTampered: a head's time is no time any more.
    """
    try:
        rows = (await session.scalars(select(LedgerHeadRow).order_by(LedgerHeadRow.sequence))).all()
    except UNREADABLE:
        sequence = await _first_unreadable(session, LedgerHeadRow)
        raise LedgerTampered(sequence, "changed", f"The signed head of ledger entry {sequence} was changed.") from None
    return [HeadFields(row.sequence, row.hash, row.time, row.keyid, row.signature) for row in rows]


@across_organizations("heads sign the chain of all organizations")
async def newest_head(session: AsyncSession) -> HeadFields | None:
    """Give the newest signed head."""
    row = await session.scalar(select(LedgerHeadRow).order_by(LedgerHeadRow.sequence.desc()).limit(1))
    return None if row is None else HeadFields(row.sequence, row.hash, row.time, row.keyid, row.signature)


async def add_head(session: AsyncSession, head: HeadFields) -> None:
    """Insert a signed head; another worker may have signed the same one, then nothing happens."""
    await session.execute(insert_new(session, LedgerHeadRow), asdict(head))


@across_organizations("verification names whichever row was touched")
async def _first_unreadable(session: AsyncSession, table: type[LedgerEntryRow] | type[LedgerHeadRow]) -> int:
    """Find, one row at a time, the least sequence whose row cannot be read; there is one."""
    sequences = (await session.scalars(select(table.sequence).order_by(table.sequence))).all()
    for sequence in sequences:
        try:
            (await session.scalars(select(table.time).where(table.sequence == sequence))).all()
        except UNREADABLE:
            return sequence
    return sequences[-1]


class LedgerRepository(ScopedRepository):
    """The ledger as a caller may see it: its own organization's entries, or all of them for the operator's."""

    @across_organizations("the operator's admins and auditors see the whole chain; others go through select_own")
    async def page(self, after: int, limit: int) -> list[EntryFields]:
        """Read up to `limit` entries whose sequence is greater than `after`."""
        statement = select(LedgerEntryRow) if self._caller.operator else self.select_own(LedgerEntryRow)
        rows = await self._session.scalars(
            statement.where(LedgerEntryRow.sequence > after).order_by(LedgerEntryRow.sequence).limit(limit)
        )
        return [_fields(row) for row in rows]


def _fields(row: LedgerEntryRow) -> EntryFields:
    return EntryFields(
        sequence=row.sequence,
        previous_hash=row.previous_hash,
        time=row.time,
        kind=row.kind,
        organization_id=row.organization_id,
        actor=row.actor,
        payload=row.payload,
        hash=row.hash,
    )
