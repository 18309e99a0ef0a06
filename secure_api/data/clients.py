"""Queries on clients."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import ClientRow
from secure_api.data.scoping import ScopedRepository
from secure_api.domain.roles import Role


@dataclass(frozen=True, slots=True)
class Client:
    """One client of an organization."""

    id: str
    organization_id: str
    name: str | None
    role: Role
    created: datetime


async def add_client(session: AsyncSession, client: Client) -> None:
    """Insert a client; enrollment has no caller yet."""
    session.add(
        ClientRow(
            id=client.id,
            organization_id=client.organization_id,
            name=client.name,
            role=client.role.value,
            created=client.created,
        )
    )
    await session.flush()


class ClientRepository(ScopedRepository):
    """The clients of the caller's organization."""

    async def all(self) -> list[Client]:
        """List the organization's clients, oldest first."""
        rows = await self._session.scalars(self.select_own(ClientRow).order_by(ClientRow.created, ClientRow.id))
        return [Client(row.id, row.organization_id, row.name, Role(row.role), row.created) for row in rows]
