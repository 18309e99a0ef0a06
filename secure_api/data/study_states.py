"""Parts of a study's state by name: checkpoints of a method, the result."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import StudyMessageRow, StudyStateRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import across_organizations
from secure_api.domain.errors import Conflict

#: The part that a study releases.
RESULT = "result"


@dataclass(frozen=True, slots=True)
class StatePart:
    """One part, and how often it was changed before it was read; 0 and empty: it is not there yet."""

    content: bytes
    version: int


@across_organizations("of a study that the caller may know of, or that the server carries on")
async def read_state(session: AsyncSession, study_id: str, name: str) -> StatePart:
    """Read a part of a study's state."""
    row = await session.scalar(
        select(StudyStateRow).where(StudyStateRow.study_id == study_id, StudyStateRow.name == name)
    )
    return StatePart(b"", 0) if row is None else StatePart(row.content, row.version)


@across_organizations("of a study that the server carries on")
async def write_state(session: AsyncSession, study_id: str, name: str, content: bytes, seen: int) -> None:
    """Replace a part of a study's state, which must still be at the version that was read.

    Raises:
        Conflict: somebody else changed it meanwhile.
    """
    if seen == 0:
        try:
            async with session.begin_nested():
                session.add(StudyStateRow(study_id=study_id, name=name, content=content, version=1))
        except IntegrityError as error:
            raise Conflict("The study's state changed meanwhile.") from error
        return
    statement = (
        update(StudyStateRow)
        .where(StudyStateRow.study_id == study_id, StudyStateRow.name == name, StudyStateRow.version == seen)
        .values(content=content, version=seen + 1)
    )
    if not row_count(await session.execute(statement)):
        raise Conflict("The study's state changed meanwhile.")


@across_organizations("what a study kept on its way goes when it has ended")
async def forget_states(session: AsyncSession, study_id: str) -> None:
    """Delete every part of a study's state but its result, and empty the messages of its rounds; digests stay."""
    await session.execute(delete(StudyStateRow).where(StudyStateRow.study_id == study_id, StudyStateRow.name != RESULT))
    await session.execute(update(StudyMessageRow).where(StudyMessageRow.study_id == study_id).values(content=b""))
