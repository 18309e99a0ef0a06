"""Queries on public keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import ClientRow, KeyRow, OrganizationRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import ScopedRepository, across_organizations
from secure_api.domain.errors import Conflict
from secure_api.domain.key_status import KeyStatus
from secure_api.domain.roles import Role


@dataclass(frozen=True, slots=True)
class EnrolledKey:
    """A public key and everything about its holder that never changes."""

    keyid: str
    algorithm: str
    public_key: bytes
    key_set: tuple[str, ...]  # keyids that must sign together, this one included
    client_id: str
    organization_id: str
    organization: str
    operator: bool
    role: Role


@dataclass(frozen=True, slots=True)
class KeySummary:
    """A key as its client sees it."""

    keyid: str
    client_id: str
    algorithm: str
    status: KeyStatus


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key about to be enrolled."""

    keyid: str
    algorithm: str
    public_key: bytes


async def add_keys(
    session: AsyncSession,
    keys: Sequence[NewKey],
    *,
    key_set: str,
    client_id: str,
    organization_id: str,
    created: datetime,
) -> None:
    """Enroll keys that will have to sign together.

    Raises:
        Conflict: a key is enrolled already, by anybody, ever: a keyid names one key for good.
    """
    try:
        async with session.begin_nested():
            session.add_all(
                KeyRow(
                    keyid=key.keyid,
                    organization_id=organization_id,
                    client_id=client_id,
                    key_set=key_set,
                    algorithm=key.algorithm,
                    public_key=key.public_key,
                    status=KeyStatus.ACTIVE.value,
                    created=created,
                    ended=None,
                )
                for key in keys
            )
    except IntegrityError as error:
        raise Conflict("One of the keys is enrolled already.") from error


@across_organizations("authentication asks who a keyid belongs to; the caller is its answer")
async def find_key(session: AsyncSession, keyid: str) -> EnrolledKey | None:
    """Find a key by its keyid, whatever its status; None when nobody ever enrolled it."""
    row = (
        await session.execute(
            select(KeyRow, ClientRow.role, OrganizationRow.name, OrganizationRow.operator)
            .join(ClientRow, ClientRow.id == KeyRow.client_id)
            .join(OrganizationRow, OrganizationRow.id == KeyRow.organization_id)
            .where(KeyRow.keyid == keyid)
        )
    ).one_or_none()
    if row is None:
        return None
    key, role, organization, operator = row
    members = await session.scalars(select(KeyRow.keyid).where(KeyRow.key_set == key.key_set).order_by(KeyRow.keyid))
    return EnrolledKey(
        keyid=key.keyid,
        algorithm=key.algorithm,
        public_key=key.public_key,
        key_set=tuple(members),
        client_id=key.client_id,
        organization_id=key.organization_id,
        organization=organization,
        operator=operator,
        role=Role(role),
    )


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """A public key, and the client whose it is."""

    keyid: str
    algorithm: str
    public_key: bytes
    client_id: str
    organization_id: str


@across_organizations("a study's roster names keys of several organizations; public keys are no secret of theirs")
async def find_owners(session: AsyncSession, keyids: Sequence[str]) -> dict[str, KeyOwner]:
    """Find keys by their keyids, whatever their status."""
    columns = KeyRow.keyid, KeyRow.algorithm, KeyRow.public_key, KeyRow.client_id, KeyRow.organization_id
    rows = await session.execute(select(*columns).where(KeyRow.keyid.in_(keyids)))
    return {row.keyid: KeyOwner(*row) for row in rows}


class KeyRepository(ScopedRepository):
    """The keys of the caller's organization."""

    async def all(self, client_id: str | None = None) -> list[KeySummary]:
        """List keys, newest first: of one client, or of the whole organization."""
        statement = self.select_own(KeyRow).order_by(KeyRow.created.desc(), KeyRow.keyid)
        if client_id is not None:
            statement = statement.where(KeyRow.client_id == client_id)
        return [_summary(row) for row in await self._session.scalars(statement)]

    async def get(self, keyid: str) -> KeySummary | None:
        """Find one key of the organization."""
        row = await self._session.scalar(self.select_own(KeyRow).where(KeyRow.keyid == keyid))
        return None if row is None else _summary(row)

    @across_organizations("an UPDATE by primary keys, with the caller's organization in its condition")
    async def end(self, keyids: Sequence[str], status: KeyStatus, moment: datetime) -> int:
        """Take active keys out of use; returns how many of them were active."""
        result = await self._session.execute(
            update(KeyRow)
            .where(
                KeyRow.keyid.in_(keyids),
                KeyRow.organization_id == self._caller.organization_id,
                KeyRow.status == KeyStatus.ACTIVE.value,
            )
            .values(status=status.value, ended=moment)
        )
        return row_count(result)


def _summary(row: KeyRow) -> KeySummary:
    return KeySummary(row.keyid, row.client_id, row.algorithm, KeyStatus(row.status))
