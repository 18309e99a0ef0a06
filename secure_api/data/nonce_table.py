"""Nonces in the database: shared by every worker of every host."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from secure_api.data.database import Database
from secure_api.data.models import KeyRow, NonceRow, SessionRow
from secure_api.data.nonces import NonceRefused, NonceUse
from secure_api.data.row_count import row_count
from secure_api.data.scoping import across_organizations
from secure_api.domain.key_status import KeyStatus
from secure_api.domain.session_status import SessionStatus


class DatabaseNonceStore:
    """Nonces in a table of the database: what PostgreSQL uses.

    One statement both spends the nonce and asks whether the key or session is still active: a revocation takes effect
    on the next request of every worker, and an authenticated request costs one round trip.
    """

    @across_organizations("authentication asks whether a key or session is active; the caller is its answer")
    def __init__(self, database: Database) -> None:
        self._database = database
        dialect: Any = sqlite if database.dialect == "sqlite" else postgresql
        insert = dialect.insert(NonceRow.__table__)
        nonce = (bindparam("spent_nonce", type_=String), bindparam("spent_until", type_=BigInteger))
        holder = bindparam("spent_keyid", type_=String)
        columns = ["keyid", "nonce", "expires"]
        self._spend_of_key = insert.from_select(
            columns,
            select(KeyRow.keyid, *nonce).where(
                KeyRow.keyid == holder, KeyRow.status == literal(KeyStatus.ACTIVE.value)
            ),
        ).on_conflict_do_nothing()
        self._spend_of_session = insert.from_select(
            columns,
            select(SessionRow.id, *nonce).where(
                SessionRow.id == holder,
                SessionRow.status == literal(SessionStatus.ACTIVE.value),
                SessionRow.expires >= bindparam("spent_now", type_=BigInteger),
            ),
        ).on_conflict_do_nothing()

    async def open(self, now: int) -> None:
        """Do nothing: the database is open."""

    async def ping(self) -> None:
        """Do nothing: the database answers for itself."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        """Spend all the nonces of one request, or none; `now` in POSIX seconds.

        Raises:
            NonceRefused: one was spent before, or its key or session is no longer active.
            DatabaseUnavailable: the database cannot be reached.
        """
        one = len(uses) == 1
        async with self._database.statement() if one else self._database.transaction() as connection:
            for use in uses:
                values = {"spent_keyid": use.keyid, "spent_nonce": use.nonce, "spent_until": use.expires}
                if use.session:
                    result = await connection.execute(self._spend_of_session, values | {"spent_now": now})
                else:
                    result = await connection.execute(self._spend_of_key, values)
                if row_count(result) != 1:
                    raise NonceRefused

    async def forget(self, keyids: Sequence[str], now: int) -> None:
        """Do nothing: the store asks the database each time."""

    @across_organizations("expired nonces are nobody's")
    async def sweep(self, now: int) -> int:
        """Forget nonces that expired before `now` (POSIX seconds); returns how many there were."""
        async with self._database.write() as session:
            result = await session.execute(delete(NonceRow).where(NonceRow.expires < now))
            return row_count(result)

    async def close(self) -> None:
        """Do nothing: the database is closed by whoever opened it."""
