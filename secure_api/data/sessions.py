"""Queries on sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import ClientRow, KeyRow, OrganizationRow, SessionRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import ScopedRepository, across_organizations
from secure_api.domain.caller import Caller
from secure_api.domain.key_status import KeyStatus
from secure_api.domain.roles import Role
from secure_api.domain.session_lease import LeaseTerms, SessionLease
from secure_api.domain.session_status import SessionStatus

ENDED_SECRET = b""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it was opened; times are POSIX seconds, `secret` is encrypted under the storage key."""

    id: str
    client_id: str
    key_set: str
    suite: str
    secret: bytes
    created: int
    expires: int
    idle_timeout: int
    max_requests: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session as its client sees it; times are POSIX seconds."""

    id: str
    client_id: str
    suite: str
    created: int
    expires: int
    last_used: int


@dataclass(frozen=True, slots=True)
class FoundSession:
    """What a worker must know to serve a session. Nothing of it ever changes."""

    caller: Caller
    secret: bytes


@across_organizations("authentication asks whose a session is; the caller is its answer")
async def find_session(session: AsyncSession, id: str) -> FoundSession | None:
    """Find an active session; None when there is none of that name, or it has ended."""
    row = (
        await session.execute(
            select(SessionRow, ClientRow.role, OrganizationRow.name, OrganizationRow.operator)
            .join(ClientRow, ClientRow.id == SessionRow.client_id)
            .join(OrganizationRow, OrganizationRow.id == SessionRow.organization_id)
            .where(SessionRow.id == id, SessionRow.status == SessionStatus.ACTIVE.value)
        )
    ).one_or_none()
    if row is None:
        return None
    found, role, organization, operator = row
    keyids = await session.scalars(select(KeyRow.keyid).where(KeyRow.key_set == found.key_set).order_by(KeyRow.keyid))
    return FoundSession(
        Caller(
            client_id=found.client_id,
            organization_id=found.organization_id,
            organization=organization,
            role=Role(role),
            operator=operator,
            keyids=tuple(keyids),
        ),
        found.secret,
    )


@across_organizations("authentication asks for its own caller's session")
async def lease_session(session: AsyncSession, id: str, terms: LeaseTerms) -> SessionLease | None:
    """Take a part of what a session has left, for one worker; None when it is over, idle or used up."""
    row = await session.scalar(
        select(SessionRow)
        .where(
            SessionRow.id == id,
            SessionRow.status == SessionStatus.ACTIVE.value,
            SessionRow.expires >= terms.now,
            SessionRow.last_used + SessionRow.idle_timeout >= terms.now,
        )
        .with_for_update()
    )
    if row is None:
        return None
    lease = terms.cut(row.requests_left, row.bytes_left, row.idle_timeout)
    if lease is None:
        return None
    row.requests_left += terms.unused_requests - lease.requests
    row.bytes_left += terms.unused_bytes - lease.bytes
    row.last_used = max(row.last_used, lease.until)
    await session.flush()
    return lease


@across_organizations("the operator asks whether the secrets on the machine fit, and learns nothing of whose they are")
async def session_secrets(session: AsyncSession, now: int) -> list[tuple[str, bytes]]:
    """List name and encrypted secret of every active session."""
    statement = select(SessionRow.id, SessionRow.secret).where(
        SessionRow.status == SessionStatus.ACTIVE.value, SessionRow.expires >= now
    )
    return [(row.id, row.secret) for row in await session.execute(statement)]


@across_organizations("a worker asks which of the sessions that it serves are over, whosever they are")
async def sessions_still_active(session: AsyncSession, ids: Sequence[str], now: int) -> set[str]:
    """Tell which of these sessions are active at `now` (POSIX seconds)."""
    statement = select(SessionRow.id).where(
        SessionRow.id.in_(ids), SessionRow.status == SessionStatus.ACTIVE.value, SessionRow.expires >= now
    )
    return set(await session.scalars(statement))


@across_organizations("expired sessions are nobody's")
async def sweep_sessions(session: AsyncSession, now: int) -> int:
    """Delete sessions that expired before `now` (POSIX seconds), and their secrets; returns how many there were."""
    return row_count(await session.execute(delete(SessionRow).where(SessionRow.expires < now)))


@across_organizations("follows the keys of the caller's organization, whose rows the caller has just ended")
async def end_sessions_of_keys(session: AsyncSession, keyids: Sequence[str]) -> list[str]:
    """End the active sessions that these keys opened, and empty their secrets; returns their names."""
    key_sets = select(KeyRow.key_set).where(KeyRow.keyid.in_(keyids))
    ended = (
        update(SessionRow)
        .where(SessionRow.key_set.in_(key_sets), SessionRow.status == SessionStatus.ACTIVE.value)
        .values(status=SessionStatus.REVOKED.value, secret=ENDED_SECRET)
        .returning(SessionRow.id)
    )
    return list(await session.scalars(ended))


class SessionRepository(ScopedRepository):
    """The sessions of the caller's organization."""

    async def lock_key_set(self) -> str | None:
        """Give the key set of the caller's keys and hold it against revocation; None when a key is not active."""
        rows = list(
            await self._session.scalars(
                self.select_own(KeyRow)
                .where(KeyRow.keyid.in_(self._caller.keyids), KeyRow.status == KeyStatus.ACTIVE.value)
                .with_for_update(read=True)
            )
        )
        return rows[0].key_set if len(rows) == len(self._caller.keyids) else None

    async def add(self, new: Session) -> None:
        """Insert an active session of the caller's."""
        self._session.add(
            SessionRow(
                id=new.id,
                organization_id=self._caller.organization_id,
                client_id=new.client_id,
                key_set=new.key_set,
                suite=new.suite,
                status=SessionStatus.ACTIVE.value,
                secret=new.secret,
                created=new.created,
                expires=new.expires,
                idle_timeout=new.idle_timeout,
                last_used=new.created,
                requests_left=new.max_requests,
                bytes_left=new.max_bytes,
            )
        )
        await self._session.flush()

    async def active(self, now: int, client_id: str | None = None) -> list[SessionSummary]:
        """List active sessions, newest first: of one client, or of the whole organization."""
        statement = (
            self.select_own(SessionRow)
            .where(SessionRow.status == SessionStatus.ACTIVE.value, SessionRow.expires >= now)
            .order_by(SessionRow.created.desc(), SessionRow.id)
        )
        if client_id is not None:
            statement = statement.where(SessionRow.client_id == client_id)
        return [
            SessionSummary(row.id, row.client_id, row.suite, row.created, row.expires, min(row.last_used, now))
            for row in await self._session.scalars(statement)
        ]

    async def lock(self, id: str, now: int) -> SessionRow | None:
        """Find an active session of the organization and hold it until the transaction ends."""
        row: SessionRow | None = await self._session.scalar(
            self.select_own(SessionRow)
            .where(SessionRow.id == id, SessionRow.status == SessionStatus.ACTIVE.value, SessionRow.expires >= now)
            .with_for_update()
        )
        return row

    async def end(self, row: SessionRow) -> None:
        """End a session that `lock` gave, and empty its secret."""
        row.status = SessionStatus.REVOKED.value
        row.secret = ENDED_SECRET
        await self._session.flush()

    async def retire(self, row: SessionRow, moment: int) -> None:
        """Let a session that `lock` gave expire at `moment` (POSIX seconds), if it does not do so sooner."""
        row.expires = min(row.expires, moment)
        await self._session.flush()
