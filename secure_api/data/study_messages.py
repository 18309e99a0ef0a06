"""Messages of studies that have rounds: one of each client in each stage."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.insertion import insert_new
from secure_api.data.models import StudyMessageRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import ScopedRepository, across_organizations
from secure_api.domain.errors import Conflict
from secure_api.domain.studies import Participation


class StudyMessageRepository(ScopedRepository):
    """The messages of the calling client."""

    async def digest(self, study_id: str, stage: str) -> str | None:
        """Give the digest of what the calling client sent in a stage; None when it sent nothing."""
        found: str | None = await self._session.scalar(
            self.select_own_columns(StudyMessageRow, StudyMessageRow.digest).where(
                StudyMessageRow.study_id == study_id,
                StudyMessageRow.stage == stage,
                StudyMessageRow.client_id == self._caller.client_id,
            )
        )
        return found

    async def add(self, study_id: str, stage: str, digest: str, content: bytes, now: datetime) -> None:
        """Insert a message of the calling client's.

        Raises:
            Conflict: there is one of this stage already.
        """
        row = {
            "study_id": study_id,
            "stage": stage,
            "client_id": self._caller.client_id,
            "organization_id": self._caller.organization_id,
            "digest": digest,
            "content": content,
            "time": now,
        }
        if not row_count(await self._session.execute(insert_new(self._session, StudyMessageRow), row)):
            raise Conflict("This client has sent its message of this stage already.")


@across_organizations("the server passes on between clients what it cannot read")
async def messages_of(
    session: AsyncSession, study_id: str, stage: str, clients: Sequence[str] | None = None
) -> Mapping[str, bytes]:
    """Read the messages of a stage by client: of some clients, or of all."""
    statement = select(StudyMessageRow.client_id, StudyMessageRow.content).where(
        StudyMessageRow.study_id == study_id, StudyMessageRow.stage == stage
    )
    if clients is not None:
        statement = statement.where(StudyMessageRow.client_id.in_(clients))
    return {row.client_id: row.content for row in await session.execute(statement)}


@across_organizations("the server passes on between clients what it cannot read")
async def senders_of(session: AsyncSession, study_id: str, stage: str) -> set[str]:
    """Tell which clients sent a message of a stage."""
    statement = select(StudyMessageRow.client_id).where(
        StudyMessageRow.study_id == study_id, StudyMessageRow.stage == stage
    )
    return set(await session.scalars(statement))


@across_organizations("a study counts everybody who takes part; nothing of theirs is shown")
async def participation_in(session: AsyncSession, study_id: str, stage: str) -> Participation:
    """Count who sent a message of a stage."""
    clients, organizations = (
        await session.execute(
            select(func.count(StudyMessageRow.client_id), func.count(StudyMessageRow.organization_id.distinct())).where(
                StudyMessageRow.study_id == study_id, StudyMessageRow.stage == stage
            )
        )
    ).one()
    return Participation(clients, organizations)
