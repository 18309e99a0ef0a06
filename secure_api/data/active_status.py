"""Until when keys and sessions are active: for stores of nonces that remember the answer for a while."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from secure_api.data.database import Database
from secure_api.data.models import KeyRow, SessionRow
from secure_api.data.nonces import NonceUse
from secure_api.data.scoping import across_organizations
from secure_api.domain.key_status import KeyStatus
from secure_api.domain.session_status import SessionStatus

#: The end of what has none: the last second of the year 9999.
NO_END: Final = 253_402_300_799


@across_organizations("authentication asks whether a key or session is active; the caller is its answer")
async def active_until(database: Database, uses: Sequence[NonceUse], now: int) -> list[int | None]:
    """Ask the database until when (POSIX seconds) the key or session of each use is active; None if it is not now.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    keyids = {use.keyid for use in uses if not use.session}
    sessions = {use.keyid for use in uses if use.session}
    ends: dict[tuple[str, bool], int] = {}
    async with database.read() as session:
        if keyids:
            keys = select(KeyRow.keyid).where(KeyRow.keyid.in_(keyids), KeyRow.status == KeyStatus.ACTIVE.value)
            ends |= {(keyid, False): NO_END for keyid in await session.scalars(keys)}
        if sessions:
            active = select(SessionRow.id, SessionRow.expires).where(
                SessionRow.id.in_(sessions),
                SessionRow.status == SessionStatus.ACTIVE.value,
                SessionRow.expires >= now,
            )
            ends |= {(id, True): expires for id, expires in await session.execute(active)}
    return [ends.get((use.keyid, use.session)) for use in uses]
