"""Redis forgets: what was spent stays spent all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_redis import RedisNonceStore
from tests.services.fixtures.redis import RedisServer, redis
from tests.unit.secure_api.data.nonce_backends import NOW, Backend, attempt, use
from tests.unit.secure_api.data.redis_place import PREFIX, backend, database_url, keys, store

__all__ = ["backend", "database_url", "store"]

pytestmark = [pytest.mark.anyio, pytest.mark.services]

LOST = "redis may have lost spent nonces; requests signed before now are refused"


def restart(server: RedisServer) -> None:
    """End the server gently, and start it again."""
    server.stop()
    server.start()


def crash(server: RedisServer) -> None:
    """Kill the server, and start it again."""
    server.kill()
    server.start()


def flush(server: RedisServer) -> None:
    """Empty the server."""
    server.execute("FLUSHALL")


def flush_database(server: RedisServer) -> None:
    """Empty our database of it."""
    server.execute("FLUSHDB")


@pytest.mark.parametrize("loss", [restart, crash, flush, flush_database])
async def test_a_loss_lets_no_spent_nonce_through(
    store: RedisNonceStore, backend: Backend, own_redis: RedisServer, loss: Callable[[RedisServer], None]
) -> None:
    async with backend.opened() as other:
        assert await attempt(store, use("spent"))
        assert await attempt(other, use("spent too"))
        await asyncio.to_thread(loss, own_redis)
        with capture_logs() as logged:
            for each in (other, store):
                for nonce in ("spent", "spent too"):
                    assert not await attempt(each, use(nonce), now=NOW + 5)
        assert [entry["event"] for entry in logged] == [LOST] * 2
        assert not await attempt(store, use("never sent", created=NOW + 5), now=NOW + 5), "the same second"
        assert await attempt(store, use("young", created=NOW + 6), now=NOW + 6)
        assert not await attempt(other, use("young", created=NOW + 6), now=NOW + 6)
    async with backend.opened(NOW + 7) as third:
        assert not await attempt(third, use("spent"), now=NOW + 7)
        assert not await attempt(third, use("young", created=NOW + 6), now=NOW + 7)
        assert await attempt(third, use("younger", created=NOW + 7), now=NOW + 7)


async def test_a_client_whose_clock_is_ahead_gains_nothing_by_a_loss(backend: Backend, own_redis: RedisServer) -> None:
    waited = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    ahead = RedisNonceStore(own_redis.url, backend.database, prefix=PREFIX, timeout=5, clock_skew=5, pause=pause)
    await ahead.open(NOW - 50)
    assert waited == [6], "what a client whose clock is ahead may have sent before"
    assert await attempt(ahead, use("a", created=NOW + 5), now=NOW)
    flush(own_redis)
    assert not await attempt(ahead, use("a", created=NOW + 5), now=NOW)
    assert not await attempt(ahead, use("a", created=NOW + 5), now=NOW + 1)
    await ahead.close()


# Not `everysec`: while the disk is slow to take the last second's writes, Redis answers before it writes the next ones.
@pytest.mark.parametrize("options", [("--save", "3600", "1"), ("--appendonly", "yes", "--appendfsync", "always")])
async def test_what_was_loaded_from_disk_is_not_the_whole_memory(database: Database, options: tuple[str, ...]) -> None:
    with redis(*options) as server:
        backend = await Backend("redis", database, server.url, PREFIX).prepare()
        async with backend.opened() as store:
            assert await attempt(store, use("before the snapshot"))
            if options[0] == "--save":
                server.execute("SAVE")
            assert await attempt(store, use("after the snapshot"))
            await asyncio.to_thread(crash, server)
            assert keys(server, "origin")
            assert not await attempt(store, use("before the snapshot"))
            assert not await attempt(store, use("after the snapshot"))
            assert await attempt(store, use("young", created=NOW + 1))


def follow(replica: RedisServer, primary: RedisServer) -> None:
    """Make a server the replica of another one, and wait until it has everything."""
    replica.execute("REPLICAOF", "127.0.0.1", primary.port)
    while replica.execute("INFO", "replication")["master_link_status"] != "up":
        time.sleep(0.01)


async def test_a_replica_that_takes_over_begins_a_new_memory(
    store: RedisNonceStore, backend: Backend, own_redis: RedisServer
) -> None:
    """It may lag behind, and what it has not got, nobody misses."""
    assert await attempt(store, use("spent"))
    with redis() as replica:
        await asyncio.to_thread(follow, replica, own_redis)
        over = RedisNonceStore(
            replica.url, backend.database, prefix=PREFIX, timeout=5, clock_skew=0, pause=backend.pause
        )
        with pytest.raises(DatabaseUnavailable):
            await over.open(NOW)  # nobody may write to a replica
        replica.execute("REPLICAOF", "NO", "ONE")
        await over.open(NOW)
        assert keys(replica, "nonce:")
        for nonce in ("spent", "perhaps lost on the way"):
            assert not await attempt(over, use(nonce))
        assert await attempt(over, use("young", created=NOW + 1))
        await over.close()


async def test_a_primary_that_was_a_replica_for_a_while_begins_a_new_memory(
    store: RedisNonceStore, own_redis: RedisServer
) -> None:
    """The same process, the same origin: only the replication id tells that it threw away what it had."""
    assert await attempt(store, use("spent"))
    with redis() as other:
        await asyncio.to_thread(follow, other, own_redis)
        other.execute("REPLICAOF", "NO", "ONE")
        # The first replica ever gave the primary a new replication id, too: a false alarm.
        assert await attempt(store, use("lost", created=NOW + 1))
        await asyncio.to_thread(follow, own_redis, other)
        with pytest.raises(DatabaseUnavailable):
            await store.spend([use("to a replica", created=NOW + 1)], NOW)
        own_redis.execute("REPLICAOF", "NO", "ONE")
        assert not await attempt(store, use("lost", created=NOW + 1), now=NOW + 1)
        assert await attempt(store, use("young", created=NOW + 2), now=NOW + 2)
