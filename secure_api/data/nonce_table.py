"""Nonces in the database: shared by every worker of every host."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from secure_api.data.database import Database
from secure_api.data.models import KeyRow, NonceRow
from secure_api.data.nonces import NonceRefused, NonceUse
from secure_api.data.row_count import row_count
from secure_api.data.scoping import across_organizations
from secure_api.domain.key_status import KeyStatus


class DatabaseNonceStore:
    """Nonces in a table of the database: what PostgreSQL uses.

    One statement both spends the nonce and asks whether the key is still active, so a revocation takes effect on the
    next request of every worker, and an authenticated request costs one round trip.
    """

    @across_organizations("authentication asks whether a key is active; the caller is its answer")
    def __init__(self, database: Database) -> None:
        self._database = database
        dialect: Any = sqlite if database.dialect == "sqlite" else postgresql
        self._spend = (
            dialect.insert(NonceRow.__table__)
            .from_select(
                ["keyid", "nonce", "expires"],
                select(
                    KeyRow.keyid,
                    bindparam("spent_nonce", type_=String),
                    bindparam("spent_until", type_=BigInteger),
                ).where(KeyRow.keyid == bindparam("spent_keyid"), KeyRow.status == literal(KeyStatus.ACTIVE.value)),
            )
            .on_conflict_do_nothing()
        )

    async def open(self, now: int) -> None:
        """Do nothing: the database is open."""

    async def spend(self, uses: Sequence[NonceUse]) -> None:
        """Spend all the nonces of one request, or none.

        Raises:
            NonceRefused: one was spent before, or its key is no longer active.
            DatabaseUnavailable: the database cannot be reached.
        """
        async with self._database.transaction() as connection:
            for use in uses:
                result = await connection.execute(
                    self._spend,
                    {"spent_keyid": use.keyid, "spent_nonce": use.nonce, "spent_until": use.expires},
                )
                if row_count(result) != 1:
                    raise NonceRefused

    @across_organizations("expired nonces are nobody's")
    async def sweep(self, now: int) -> int:
        """Forget nonces that expired before `now` (POSIX seconds); returns how many there were."""
        async with self._database.write() as session:
            result = await session.execute(delete(NonceRow).where(NonceRow.expires < now))
            return row_count(result)

    async def close(self) -> None:
        """Do nothing: the database is closed by whoever opened it."""
