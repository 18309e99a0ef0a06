"""Queries on records."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import LedgerEntryRow, RecordRow
from secure_api.data.scoping import ScopedRepository, across_organizations


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as stored: `attributes` is the JSON text that the gate accepted."""

    id: int
    time: datetime
    attributes: str


@dataclass(frozen=True, slots=True)
class RecordPosition:
    """A place in a dataset's order of (time, id)."""

    time: datetime
    id: int


class RecordRepository(ScopedRepository):
    """The records of the caller's organization."""

    async def add(self, dataset_id: str, records: Sequence[tuple[datetime, str]], ledger_sequence: int) -> None:
        """Insert records (time, JSON text of the attributes) that one ledger entry vouches for."""
        await self._session.execute(
            insert(RecordRow),
            [
                {
                    "organization_id": self._caller.organization_id,
                    "dataset_id": dataset_id,
                    "ledger_sequence": ledger_sequence,
                    "time": time,
                    "attributes": attributes,
                    "client_id": self._caller.client_id,
                }
                for time, attributes in records
            ],
        )

    async def page(
        self,
        dataset_id: str,
        *,
        start: datetime | None,
        end: datetime | None,
        after: RecordPosition | None,
        limit: int,
    ) -> list[StoredRecord]:
        """Read up to `limit` records in the order of (time, id), from `start` (included) to `end` (excluded)."""
        statement = self.select_own_columns(RecordRow, RecordRow.id, RecordRow.time, RecordRow.attributes).where(
            RecordRow.dataset_id == dataset_id
        )
        if start is not None:
            statement = statement.where(RecordRow.time >= start)
        if end is not None:
            statement = statement.where(RecordRow.time < end)
        if after is not None:
            statement = statement.where(tuple_(RecordRow.time, RecordRow.id) > (after.time, after.id))
        rows = await self._session.execute(statement.order_by(RecordRow.time, RecordRow.id).limit(limit))
        return [StoredRecord(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class VouchedRecord:
    """One record as verification sees it: everything that its ledger entry tells of it."""

    time: datetime
    attributes: str
    dataset_id: str
    organization_id: str
    client_id: str


@across_organizations("the operator checks every organization's records against the ledger")
async def records_of_entry(session: AsyncSession, ledger_sequence: int) -> AsyncIterator[VouchedRecord]:
    """Stream the records that one ledger entry vouches for, in the order of their arrival."""
    rows = await session.stream(
        select(
            RecordRow.time, RecordRow.attributes, RecordRow.dataset_id, RecordRow.organization_id, RecordRow.client_id
        )
        .where(RecordRow.ledger_sequence == ledger_sequence)
        .order_by(RecordRow.id)
    )
    async for row in rows:
        yield VouchedRecord(*row)


@across_organizations("the operator checks every organization's records against the ledger")
async def first_without_entry(session: AsyncSession, kind: str) -> int | None:
    """Give the least sequence that records refer to and that is no ledger entry of that kind; None: there is none."""
    vouching = select(LedgerEntryRow.sequence).where(
        LedgerEntryRow.sequence == RecordRow.ledger_sequence, LedgerEntryRow.kind == kind
    )
    sequence: int | None = await session.scalar(select(func.min(RecordRow.ledger_sequence)).where(~vouching.exists()))
    return sequence
