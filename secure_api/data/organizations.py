"""Queries on organizations."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import OrganizationRow
from secure_api.data.scoping import across_organizations
from secure_api.domain.errors import Conflict


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization."""

    id: str
    name: str
    operator: bool
    created: datetime


class OrganizationRepository:
    """Organizations as the operator's admins and enrollment see them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    @across_organizations("names are the consortium's: two that differ in case only would be mistaken for each other")
    async def add(self, organization: Organization) -> None:
        """Insert an organization.

        Raises:
            Conflict: the name is taken, whatever its case.
        """
        alike = select(OrganizationRow.id).where(func.lower(OrganizationRow.name) == organization.name.lower())
        if await self._session.scalar(alike) is not None:
            raise Conflict(f"An organization named {organization.name} exists already.")
        try:
            async with self._session.begin_nested():
                self._session.add(
                    OrganizationRow(
                        id=organization.id,
                        name=organization.name,
                        operator=organization.operator,
                        created=organization.created,
                    )
                )
        except IntegrityError as error:
            raise Conflict(f"An organization named {organization.name} exists already.") from error

    @across_organizations("only the operator's admins may list or name organizations")
    async def by_name(self, name: str) -> Organization | None:
        """Find an organization by its name."""
        row = await self._session.scalar(select(OrganizationRow).where(OrganizationRow.name == name))
        return None if row is None else _organization(row)

    @across_organizations("the operator's admins list the consortium's members")
    async def all(self) -> list[Organization]:
        """List every organization by name."""
        rows = await self._session.scalars(select(OrganizationRow).order_by(OrganizationRow.name))
        return [_organization(row) for row in rows]

    @across_organizations("asked once, before there is any caller")
    async def operator(self) -> Organization | None:
        """Find the operator's organization; None before `secure-api init`."""
        row = await self._session.scalar(select(OrganizationRow).where(OrganizationRow.operator))
        return None if row is None else _organization(row)


def _organization(row: OrganizationRow) -> Organization:
    return Organization(id=row.id, name=row.name, operator=row.operator, created=row.created)
