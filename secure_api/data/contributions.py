"""Queries on contributions to studies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.insertion import insert_new
from secure_api.data.models import StudyContributionRow, StudyInvitationRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import ScopedRepository, across_organizations
from secure_api.domain.errors import Conflict
from secure_api.domain.studies import Participation

NOTHING = b""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one client contributed: SHA-256 of the bytes (hexadecimal), the key that signed them, when."""

    client_id: str
    organization_id: str
    digest: str
    keyid: str
    size: int
    time: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a client stands to a study.

    Attributes:
        invited: whether its organization may contribute.
        digest: SHA-256 of what it contributed (hexadecimal); None before it did.
        clients: how many clients have contributed.
    """

    invited: bool
    digest: str | None
    clients: int


class ContributionRepository(ScopedRepository):
    """The contributions of the caller's organization."""

    async def standing(self, study_id: str) -> Standing:
        """Tell how the calling client stands to a study, in one statement."""
        who = {
            "study_id": study_id,
            "organization_id": self._caller.organization_id,
            "client_id": self._caller.client_id,
        }
        invited, digest, clients = (await self._session.execute(_standing(), who)).one()
        return Standing(bool(invited), digest, clients)

    async def any(self, study_id: str) -> bool:
        """Tell whether a client of the caller's organization has contributed to a study."""
        found = self.select_own(StudyContributionRow).where(StudyContributionRow.study_id == study_id).limit(1)
        return await self._session.scalar(found) is not None

    async def add(self, study_id: str, contribution: Contribution, content: bytes) -> None:
        """Insert the calling client's contribution.

        Raises:
            Conflict: it has contributed already.
        """
        row = {
            "study_id": study_id,
            "client_id": self._caller.client_id,
            "organization_id": self._caller.organization_id,
            "digest": contribution.digest,
            "keyid": contribution.keyid,
            "size": contribution.size,
            "content": content,
            "taken": False,
            "time": contribution.time,
        }
        if not row_count(await self._session.execute(insert_new(self._session, StudyContributionRow), row)):
            raise Conflict("This client has contributed to the study already.")


@cache
@across_organizations("a study counts everybody who contributed; whose digest is shown, the caller's parameters say")
def _standing() -> Select[bool, str | None, int]:
    invited = exists().where(
        StudyInvitationRow.study_id == bindparam("study_id"),
        StudyInvitationRow.organization_id == bindparam("organization_id"),
    )
    digest = select(StudyContributionRow.digest).where(
        StudyContributionRow.study_id == bindparam("study_id"),
        StudyContributionRow.client_id == bindparam("client_id"),
        StudyContributionRow.organization_id == bindparam("organization_id"),
    )
    clients = select(func.count(StudyContributionRow.client_id)).where(
        StudyContributionRow.study_id == bindparam("study_id")
    )
    return select(invited, digest.scalar_subquery(), clients.scalar_subquery())


@across_organizations("a study counts everybody who contributed; nothing of theirs is shown")
async def participation(session: AsyncSession, study_id: str) -> Participation:
    """Count who contributed to a study."""
    clients, organizations = (
        await session.execute(
            select(
                func.count(StudyContributionRow.client_id),
                func.count(StudyContributionRow.organization_id.distinct()),
            ).where(StudyContributionRow.study_id == study_id)
        )
    ).one()
    return Participation(clients, organizations)


@across_organizations("the server computes over everybody's contributions, which it cannot read")
async def contributions_to(session: AsyncSession, study_id: str) -> list[Contribution]:
    """List the contributions to a study, in the order of their clients' names, without their content."""
    columns = (
        StudyContributionRow.client_id,
        StudyContributionRow.organization_id,
        StudyContributionRow.digest,
        StudyContributionRow.keyid,
        StudyContributionRow.size,
        StudyContributionRow.time,
    )
    rows = await session.execute(
        select(*columns).where(StudyContributionRow.study_id == study_id).order_by(StudyContributionRow.client_id)
    )
    return [Contribution(*row) for row in rows]


@across_organizations("the server computes over everybody's contributions, which it cannot read")
async def content_of(session: AsyncSession, study_id: str, clients: Sequence[str]) -> dict[str, bytes]:
    """Read the content of some clients' contributions; empty where it has been taken."""
    rows = await session.execute(
        select(StudyContributionRow.client_id, StudyContributionRow.content).where(
            StudyContributionRow.study_id == study_id, StudyContributionRow.client_id.in_(clients)
        )
    )
    return {row.client_id: row.content for row in rows}


@across_organizations("the server computes over everybody's contributions, which it cannot read")
async def untaken(session: AsyncSession, study_id: str, limit: int) -> list[tuple[str, bytes]]:
    """Read clients and contents of contributions that are not yet part of the study's state, `limit` at most."""
    rows = await session.execute(
        select(StudyContributionRow.client_id, StudyContributionRow.content)
        .where(StudyContributionRow.study_id == study_id, StudyContributionRow.taken.is_(False))
        .order_by(StudyContributionRow.client_id)
        .limit(limit)
    )
    return [(client_id, content) for client_id, content in rows]


@across_organizations("the server computes over everybody's contributions, which it cannot read")
async def take(session: AsyncSession, study_id: str, clients: Sequence[str]) -> None:
    """Say that these contributions are part of the study's state now, and empty them."""
    await session.execute(
        update(StudyContributionRow)
        .where(StudyContributionRow.study_id == study_id, StudyContributionRow.client_id.in_(clients))
        .values(taken=True, content=NOTHING)
    )


@across_organizations("what a study was given goes when it has ended, whosever it was")
async def empty_contributions(session: AsyncSession, study_id: str) -> None:
    """Forget the content of every contribution to a study; digests stay."""
    await session.execute(
        update(StudyContributionRow).where(StudyContributionRow.study_id == study_id).values(content=NOTHING)
    )
