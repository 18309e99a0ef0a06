"""Queries on restrictions: what every worker does about clients and networks for a while."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.database import WriteSession
from secure_api.data.models import RestrictionRow
from secure_api.data.scoping import across_organizations
from secure_api.domain.alerts import GRAVITY, LONGEST, Action, Restriction, Subject

MAX_RESTRICTIONS: Final = 10_000
#: Seconds that the clocks of two servers may differ.
MARGIN: Final = 60


@across_organizations("every worker heeds the restrictions of every organization")
async def restrictions(session: AsyncSession, now: int) -> Sequence[Restriction]:
    """List what holds at `now` (POSIX seconds), what ends last first; at most 10,000.

    What would hold for longer than any restriction does was written before the clock was set back, and is void.
    """
    rows = await session.scalars(
        select(RestrictionRow)
        .where(RestrictionRow.until > now, RestrictionRow.until <= now + LONGEST + MARGIN)
        .order_by(RestrictionRow.until.desc())
        .limit(MAX_RESTRICTIONS)
    )
    return [
        Restriction(Subject(row.subject), row.key, row.organization_id, Action(row.action), row.until, row.alert_id)
        for row in rows
    ]


@across_organizations("the server itself restricts; the row says whose alert it follows")
async def restrict(session: WriteSession, wanted: Restriction, now: int) -> bool:
    """Put a restriction into force, or prolong one; a graver one that holds stays. Returns whether a block is new."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    nothing = dialect.insert(RestrictionRow).values(
        subject=wanted.subject.value,
        key=wanted.key,
        organization_id=wanted.organization_id,
        action=Action.OBSERVE.value,
        until=0,
        alert_id=wanted.alert_id,
    )
    await session.execute(nothing.on_conflict_do_nothing())  # another worker may be about to
    row = await session.get_one(RestrictionRow, (wanted.subject.value, wanted.key), with_for_update=True)
    holds = Action(row.action) if now < row.until <= now + LONGEST + MARGIN else Action.OBSERVE
    if GRAVITY[wanted.action] < GRAVITY[holds]:
        return False
    row.organization_id, row.action, row.alert_id = wanted.organization_id, wanted.action.value, wanted.alert_id
    row.until = max(row.until, wanted.until) if holds is wanted.action else wanted.until
    await session.flush()
    return wanted.action is Action.BLOCK and holds is not Action.BLOCK


@across_organizations("the caller was checked to own the alert about this subject")
async def lift(session: WriteSession, subject: Subject, key: str) -> None:
    """End what is done about a client or network."""
    await session.execute(
        delete(RestrictionRow).where(RestrictionRow.subject == subject.value, RestrictionRow.key == key)
    )


@across_organizations("a network is nobody's: who shares it must sign afresh, and is let in")
async def ease(session: WriteSession, networks: Sequence[str]) -> None:
    """Make blocks of networks (by pseudonym) milder: their clients must sign, until when they would be blocked."""
    blocked = (RestrictionRow.subject == Subject.NETWORK.value, RestrictionRow.action == Action.BLOCK.value)
    await session.execute(
        update(RestrictionRow).where(*blocked, RestrictionRow.key.in_(networks)).values(action=Action.SIGN.value)
    )


@across_organizations("what is over is over for everybody")
async def sweep_restrictions(session: WriteSession, now: int) -> None:
    """Forget what ended before `now` (POSIX seconds), and what is void."""
    over = or_(RestrictionRow.until <= now, RestrictionRow.until > now + LONGEST + MARGIN)
    await session.execute(delete(RestrictionRow).where(over))
