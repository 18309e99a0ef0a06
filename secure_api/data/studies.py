"""Queries on studies: who may know of which, and their states."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import BindParameter, Select, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import OrganizationRow, StudyInvitationRow, StudyRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import ScopedRepository, across_organizations
from secure_api.data.study_terms import read_terms, write_terms
from secure_api.domain.errors import Conflict, NotFound
from secure_api.domain.studies import ENDED, Study, StudyState


class StudyRepository(ScopedRepository):
    """The studies that the caller's organization created, or is invited to."""

    async def add(self, study: Study, invited: Sequence[str]) -> None:
        """Insert a study and whom it invites (identifiers of organizations)."""
        self._session.add(
            StudyRow(
                id=study.id,
                organization_id=self._caller.organization_id,
                client_id=study.client_id,
                name=study.name,
                method=study.terms.method.value,
                terms=write_terms(study.terms),
                deadline=study.terms.deadline,
                state=study.state.value,
                created=study.created,
                lease=0,
            )
        )
        await self._session.flush()
        self._session.add_all(StudyInvitationRow(study_id=study.id, organization_id=id) for id in invited)
        await self._session.flush()

    async def get(self, id: str, *, hold: bool = False) -> Study:
        """Find a study; with `hold`, nobody changes its state until the transaction ends.

        Raises:
            NotFound: there is none that the caller may know of.
        """
        row = await self._session.scalar(_one(hold), {"id": id, "organization_id": self._caller.organization_id})
        if row is None:
            raise NotFound("There is no such study.")
        return study_of(row)

    async def newest(self, limit: int, before: tuple[datetime, str] | None = None) -> list[Study]:
        """List studies, the newest first, behind `before` (time of creation and id) if that is given."""
        statement = _visible().order_by(StudyRow.created.desc(), StudyRow.id.desc()).limit(limit)
        if before is not None:
            created, id = before
            statement = statement.where(
                or_(StudyRow.created < created, (StudyRow.created == created) & (StudyRow.id < id))
            )
        own = {"organization_id": self._caller.organization_id}
        return [study_of(row) for row in await self._session.scalars(statement, own)]

    async def invited(self, id: str) -> bool:
        """Tell whether the caller's organization may contribute to a study."""
        statement = self.select_own(StudyInvitationRow).where(StudyInvitationRow.study_id == id)
        return await self._session.scalar(statement) is not None

    async def count_open(self) -> int:
        """Count the studies of the caller's organization that have not ended."""
        going_on = StudyRow.state.not_in([one.value for one in ENDED])
        return len(list(await self._session.scalars(self.select_own_columns(StudyRow, StudyRow.id).where(going_on))))


@cache
@across_organizations("a study is shared by its creator's organization and those that it invites: both are asked")
def _visible() -> Select[StudyRow]:
    """Select the studies that an organization (a parameter, without which the statement does not run) may know of."""
    organization_id: BindParameter[str] = bindparam("organization_id")
    invitations = select(StudyInvitationRow.study_id).where(StudyInvitationRow.organization_id == organization_id)
    return select(StudyRow).where(or_(StudyRow.organization_id == organization_id, StudyRow.id.in_(invitations)))


@cache
def _one(hold: bool) -> Select[StudyRow]:
    statement = _visible().where(StudyRow.id == bindparam("id"))
    return statement.with_for_update(of=StudyRow) if hold else statement


@across_organizations("an analyst invites organizations by name, as partners know each other")
async def organizations_named(session: AsyncSession, names: Sequence[str]) -> dict[str, str]:
    """Give the identifiers of organizations by name, of those that there are."""
    statement = select(OrganizationRow.name, OrganizationRow.id).where(OrganizationRow.name.in_(names))
    return {row.name: row.id for row in await session.execute(statement)}


@across_organizations("whoever may know of a study may know whom it invites")
async def organizations_invited(session: AsyncSession, study_id: str) -> list[str]:
    """List the names of the organizations that a study invites."""
    statement = (
        select(OrganizationRow.name)
        .join(StudyInvitationRow, StudyInvitationRow.organization_id == OrganizationRow.id)
        .where(StudyInvitationRow.study_id == study_id)
        .order_by(OrganizationRow.name)
    )
    return list(await session.scalars(statement))


@across_organizations("the server carries every study on, whosever it is")
async def studies_in(
    session: AsyncSession, state: StudyState, *, due: datetime | None = None, limit: int = 100
) -> list[Study]:
    """List studies in a state, those first that were not looked after for longest; with `due`, whose deadline came.

    Those that a worker has leased, or that wait, come last: none keeps others from their turn.
    """
    order = StudyRow.lease, StudyRow.deadline
    statement = select(StudyRow).where(StudyRow.state == state.value).order_by(*order).limit(limit)
    if due is not None:
        statement = statement.where(StudyRow.deadline <= due)
    return [study_of(row) for row in await session.scalars(statement)]


@across_organizations("the server carries every study on, whosever it is")
async def lock_study(session: AsyncSession, id: str) -> Study:
    """Read a study, and hold it against every other change until the transaction ends."""
    statement = select(StudyRow).where(StudyRow.id == id).with_for_update()
    # Anew: the session may know the row as it was before it was held.
    return study_of((await session.scalars(statement.execution_options(populate_existing=True))).one())


async def hold_computing(session: AsyncSession, id: str) -> None:
    """Hold a study that is computing, before something is kept for it: of one that has ended everything was forgotten.

    Raises:
        Conflict: it is not computing.
    """
    present = await lock_study(session, id)
    if present.state is not StudyState.COMPUTING:
        raise Conflict(f"The study is {present.state.value}.")


@across_organizations("of a study that the caller may change, or that the server carries on")
async def move_study(session: AsyncSession, study: Study, to: StudyState, now: datetime, reason: str | None) -> None:
    """Change the state of a study that is still in the state that was read.

    Raises:
        Conflict: it is in another state by now.
    """
    values: dict[str, object] = {"state": to.value, "reason": reason}
    if to in ENDED:
        values["ended"] = now
    if study.closed is None:
        values["closed"] = now
    statement = update(StudyRow).where(StudyRow.id == study.id, StudyRow.state == study.state.value).values(values)
    if not row_count(await session.execute(statement)):
        raise Conflict("The study is in another state by now.")


@across_organizations("the server carries every study on, whosever it is")
async def lease_study(session: AsyncSession, id: str, now: int, until: int) -> bool:
    """Take a study for this worker until `until` (POSIX seconds); False when another worker has it, or it waits."""
    statement = update(StudyRow).where(StudyRow.id == id, StudyRow.lease <= now).values(lease=until)
    return bool(row_count(await session.execute(statement)))


@across_organizations("of a study that this worker has leased")
async def set_lease(session: AsyncSession, id: str, held: int, until: int) -> bool:
    """Keep a study that this worker has until `held`, until `until`, or let any worker take it from then on.

    Returns False, and changes nothing, when the lease is another worker's by now.
    """
    statement = update(StudyRow).where(StudyRow.id == id, StudyRow.lease == held).values(lease=until)
    return bool(row_count(await session.execute(statement)))


def study_of(row: StudyRow) -> Study:
    """Give the study that a row holds."""
    return Study(
        id=row.id,
        organization_id=row.organization_id,
        client_id=row.client_id,
        name=row.name,
        terms=read_terms(row.method, row.terms, row.deadline),
        state=StudyState(row.state),
        reason=row.reason,
        created=row.created,
        closed=row.closed,
        ended=row.ended,
    )
