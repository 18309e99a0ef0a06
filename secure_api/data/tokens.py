"""Queries on enrollment tokens."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import EnrollmentTokenRow, OrganizationRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import across_organizations
from secure_api.domain.roles import Role


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a token gives whoever spends it."""

    id: str
    organization_id: str
    organization: str
    operator: bool
    role: Role


class TokenRepository:
    """Enrollment tokens; whoever holds one has no organization yet."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, *, id: str, organization_id: str, role: Role, digest: str, expires: datetime, created: datetime
    ) -> None:
        """Insert a token by its digest (hexadecimal SHA-256)."""
        self._session.add(
            EnrollmentTokenRow(
                id=id,
                organization_id=organization_id,
                role=role.value,
                digest=digest,
                expires=expires,
                used=None,
                created=created,
            )
        )
        await self._session.flush()

    @across_organizations("whoever spends a token belongs to no organization yet")
    async def spend(self, digest: str, moment: datetime) -> TokenGrant | None:
        """Spend an unused, unexpired token, atomically; None when there is none with that digest."""
        result = await self._session.execute(
            update(EnrollmentTokenRow)
            .where(
                EnrollmentTokenRow.digest == digest,
                EnrollmentTokenRow.used.is_(None),
                EnrollmentTokenRow.expires > moment,
            )
            .values(used=moment)
        )
        if row_count(result) != 1:
            return None
        token, name, operator = (
            await self._session.execute(
                select(EnrollmentTokenRow, OrganizationRow.name, OrganizationRow.operator)
                .join(OrganizationRow, OrganizationRow.id == EnrollmentTokenRow.organization_id)
                .where(EnrollmentTokenRow.digest == digest)
            )
        ).one()
        return TokenGrant(token.id, token.organization_id, name, operator, Role(token.role))
