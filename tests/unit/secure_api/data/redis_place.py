"""A Redis of one's own for tests of what it does to the store of nonces."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from secure_api.data.database import Database
from secure_api.data.nonce_redis import RedisNonceStore
from tests.services.fixtures.redis import RedisServer
from tests.unit.secure_api.data.nonce_backends import Backend

PREFIX = "test:"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The database of these tests."""
    return sqlite_url


@pytest.fixture
async def backend(database: Database, own_redis: RedisServer) -> Backend:
    """Stores on this database and this server."""
    return await Backend("redis", database, own_redis.url, PREFIX).prepare()


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[RedisNonceStore]:
    """One of them."""
    async with backend.opened() as store:
        assert isinstance(store, RedisNonceStore)
        yield store


def keys(server: RedisServer, kind: str) -> list[str]:
    """The names of the keys of one kind."""
    return [name for name in server.execute("KEYS", "*") if name.startswith(f"{PREFIX}{kind}")]
