"""Every place where nonces can be spent, made ready for a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import text

from secure_api.data.database import Database
from secure_api.data.keys import NewKey, add_keys
from secure_api.data.nonce_file import FileNonceStore
from secure_api.data.nonce_memory import MemoryNonceStore
from secure_api.data.nonce_redis import RedisNonceStore
from secure_api.data.nonce_table import DatabaseNonceStore
from secure_api.data.nonces import NonceRefused, NonceStore, NonceUse
from tests.consortium import admin_key

NOW = 1_800_000_000
OPENED = NOW - 100  # stores are opened a while before, so that everything made now is younger than their memory
ADMIN = admin_key().public_key.keyid
SECOND = "S" * 43
SESSION = "s" * 32


@dataclass(frozen=True)
class Backend:
    """One kind of store on one database; `store` makes one more of its kind, as another worker has it."""

    kind: str
    database: Database
    redis_url: str = ""
    prefix: str = ""

    @property
    def shared(self) -> bool:
        """Whether several stores know of each other."""
        return self.kind != "memory"

    def store(self, database: Database | None = None) -> NonceStore:
        """One more store."""
        database = database or self.database
        if self.kind == "file":
            assert database.path is not None
            return FileNonceStore(database.path.with_suffix(".nonces"), database.path)
        if self.kind == "memory":
            return MemoryNonceStore(database, clock_skew=0, pause=self.pause)
        if self.kind == "redis":
            return RedisNonceStore(
                self.redis_url, database, prefix=self.prefix, timeout=5, clock_skew=0, pause=self.pause
            )
        return DatabaseNonceStore(database)

    @asynccontextmanager
    async def opened(self, now: int = OPENED, database: Database | None = None) -> AsyncIterator[NonceStore]:
        """One more store, open."""
        store = self.store(database)
        await store.open(now)
        try:
            yield store
        finally:
            await store.close()

    async def pause(self, seconds: float) -> None:
        """Wait in no time: the clock of these tests stands still."""
        assert seconds == 1
        await asyncio.sleep(0)

    async def execute(self, statement: str) -> None:
        """Change the database."""
        async with self.database.write() as session:
            await session.execute(text(statement))

    async def end(self, store: NonceStore, name: str, statement: str) -> None:
        """End a key or session as services do."""
        async with self.database.write() as session:
            await session.execute(text(statement))
            await store.forget([name], NOW)
        await store.forget([name], NOW)

    async def prepare(self) -> Backend:
        """Enroll a second key of the admin, and open a session that lives for ten seconds."""
        async with self.database.write() as session:
            client, organization = (await session.execute(text("SELECT id, organization_id FROM clients"))).one()
            await add_keys(
                session,
                [NewKey(SECOND, "ed25519", b"")],
                key_set="pair",
                client_id=client,
                organization_id=organization,
                created=datetime.now(UTC),
            )
            await session.execute(
                text(
                    "INSERT INTO sessions (id, organization_id, client_id, key_set, suite, status, secret, created,"
                    " expires, idle_timeout, last_used, requests_left, bytes_left) VALUES"
                    " (:id, :organization, :client, 'pair', 'x-wing', 'active', :secret, :now, :end, 60, :now, 9, 9)"
                ),
                {
                    "id": SESSION,
                    "organization": organization,
                    "client": client,
                    "secret": b"",
                    "now": NOW,
                    "end": NOW + 10,
                },
            )
        return self


def use(nonce: str, keyid: str = ADMIN, *, created: int = NOW, expires: int = NOW + 65) -> NonceUse:
    """A nonce of a key."""
    return NonceUse(keyid, nonce, created, expires)


def within(nonce: str, session: str = SESSION) -> NonceUse:
    """A nonce of a session."""
    return replace(use(nonce, session), session=True)


async def attempt(store: NonceStore, *uses: NonceUse, now: int = NOW) -> bool:
    """Spend; tells whether that was allowed."""
    try:
        await store.spend(uses, now)
    except NonceRefused:
        return False
    return True
