"""Queries on public contexts for homomorphic encryption."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.insertion import insert_new
from secure_api.data.models import ContextRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import ScopedRepository, across_organizations
from secure_api.domain.errors import NotFound


@dataclass(frozen=True, slots=True)
class StoredContext:
    """A context: its bytes, and what is known of it (JSON)."""

    fingerprint: str
    content: bytes
    facts: str


class ContextRepository(ScopedRepository):
    """The contexts of the caller's organization."""

    async def find(self, fingerprint: str) -> StoredContext | None:
        """Find a context."""
        row = await self._session.scalar(self.select_own(ContextRow).where(ContextRow.fingerprint == fingerprint))
        return None if row is None else StoredContext(row.fingerprint, row.content, row.facts)

    async def count(self) -> int:
        """Count the contexts."""
        return len(list(await self._session.scalars(self.select_own_columns(ContextRow, ContextRow.fingerprint))))

    async def add(self, context: StoredContext, now: datetime) -> bool:
        """Insert a context; False when it is there: somebody else has uploaded it in this moment."""
        row = {
            "fingerprint": context.fingerprint,
            "organization_id": self._caller.organization_id,
            "content": context.content,
            "facts": context.facts,
            "created": now,
        }
        return bool(row_count(await self._session.execute(insert_new(self._session, ContextRow), row)))


@across_organizations("of a study that the caller may know of, or that the server carries on")
async def context_of(session: AsyncSession, organization_id: str, fingerprint: str) -> StoredContext:
    """Find the context of a study of an organization.

    Raises:
        NotFound: it is not there.
    """
    row = await session.scalar(
        select(ContextRow).where(ContextRow.organization_id == organization_id, ContextRow.fingerprint == fingerprint)
    )
    if row is None:
        raise NotFound("There is no such context.")
    return StoredContext(row.fingerprint, row.content, row.facts)
