"""Redis servers that cannot be reached, or must not be trusted; and the store of nonces when they fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_redis import RedisNonceStore
from secure_api.data.redis_connection import RedisServer as Described
from secure_api.domain.errors import ConfigurationError
from tests.services.fixtures.redis import RedisServer, redis
from tests.unit.secure_api.data.nonce_backends import ADMIN, NOW, OPENED, Backend, attempt, use
from tests.unit.secure_api.data.redis_place import PREFIX, backend, database_url, store
from tests.unit.secure_api.data.tls_front import tls_in_front_of, write_certificate

__all__ = ["backend", "database_url", "store"]

pytestmark = [pytest.mark.anyio, pytest.mark.services]

ROOT = Path(__file__).parents[4]
PASSWORD = "s3cr3t-of-somebody"


async def refused(backend: Backend, url: str, error: type[Exception], said: str) -> None:
    """Check that no store opens at a URL, and that nobody repeats its password."""
    store = RedisNonceStore(url, backend.database, prefix=PREFIX, timeout=0.2, clock_skew=0, pause=backend.pause)
    with pytest.raises(error, match=said) as refusal:
        await store.open(OPENED)
    await store.close()
    chain: BaseException | None = refusal.value
    while chain is not None:
        assert PASSWORD not in repr(chain)
        chain = chain.__cause__ or chain.__context__


async def test_a_server_that_is_not_there(backend: Backend) -> None:
    await refused(backend, f"redis://:{PASSWORD}@127.0.0.1:1/0", DatabaseUnavailable, "not available")
    await refused(backend, f"redis://:{PASSWORD}@unknown.invalid/0", DatabaseUnavailable, "not available")
    await refused(backend, f"unix://:{PASSWORD}@/nowhere/redis.sock", DatabaseUnavailable, "not available")


async def test_a_server_that_speaks_no_tls(backend: Backend, own_redis: RedisServer) -> None:
    url = f"rediss://:{PASSWORD}@127.0.0.1:{own_redis.port}/0"
    await refused(backend, url, DatabaseUnavailable, "not available")


async def test_a_server_behind_tls(backend: Backend, own_redis: RedisServer, tmp_path: Path) -> None:
    certificate = await asyncio.to_thread(write_certificate, tmp_path)
    async with tls_in_front_of(own_redis.port, certificate) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        async with replace(backend, redis_url=f"{url}?ssl_ca_certs={certificate}").opened() as store:
            assert await attempt(store, use("a"))
            assert not await attempt(store, use("a"))
        await refused(backend, url, DatabaseUnavailable, "not available")  # a certificate of nobody we know


async def test_a_server_with_another_password(backend: Backend) -> None:
    with redis(password="the right one") as server:
        for url in (f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0", f"redis://127.0.0.1:{server.port}/0"):
            await refused(backend, url, ConfigurationError, "does not let us in")


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
async def test_a_server_that_evicts(backend: Backend, own_redis: RedisServer, policy: str) -> None:
    own_redis.execute("CONFIG", "SET", "maxmemory-policy", policy)
    await refused(backend, own_redis.url, ConfigurationError, f"is {policy}: it could drop spent nonces")


async def test_a_cluster(backend: Backend, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, redis_mode="cluster")
    await refused(backend, own_redis.url, ConfigurationError, "not a Redis Cluster")


@pytest.mark.parametrize("version", ["6.0.16", "5.0.7", ""])
async def test_a_server_that_is_too_old(
    backend: Backend, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    told(monkeypatch, redis_version=version)
    await refused(backend, own_redis.url, ConfigurationError, "6.2 or newer")


def told(monkeypatch: pytest.MonkeyPatch, **instead: str | None) -> None:
    """Let Redis say something else of itself; None to say nothing."""
    from redis.asyncio import Redis

    info = Redis.info

    async def other(client: Redis, section: str) -> dict[str, object]:
        told = dict(await info(client, section))
        return {name: value for name, value in (told | instead).items() if value is not None}

    monkeypatch.setattr(Redis, "info", other)


async def test_a_server_that_keeps_its_policy_to_itself(
    backend: Backend, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many who rent out Redis forbid CONFIG."""
    told(monkeypatch, maxmemory_policy=None)
    async with backend.opened() as store:
        assert isinstance(store, RedisNonceStore)
        assert (await store.inspect()).eviction == "noeviction"
        own_redis.execute("ACL", "SETUSER", "default", "-config")
        with capture_logs() as logged:
            described = await store.inspect()
        assert described == Described(described.version, None)
        assert [entry["log_level"] for entry in logged] == ["warning"]
        own_redis.execute("ACL", "SETUSER", "default", "-info")
        with pytest.raises(ConfigurationError, match="may not run INFO"):
            await store.inspect()
        with pytest.raises(DatabaseUnavailable):
            await store.spend([use("a")], NOW)


async def test_a_user_with_the_rights_that_the_documentation_names(backend: Backend, own_redis: RedisServer) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    named = re.search(r"may be confined to the keys `(\S+)` and to (.*?)\. While", page, re.DOTALL)
    assert named is not None
    commands = [f"+{name.replace(' ', '|').lower()}" for name in re.findall("`([A-Z ]+)`", named[2])]
    assert len(commands) > 9
    pattern = named[1].replace("secure-api:", PREFIX)
    own_redis.execute("ACL", "SETUSER", "confined", "on", f">{PASSWORD}", f"~{pattern}", *commands)
    url = f"redis://confined:{PASSWORD}@127.0.0.1:{own_redis.port}/1"
    with capture_logs() as logged:
        async with replace(backend, redis_url=url).opened() as store:
            await store.ping()
            await store.forget([ADMIN], NOW)
            assert await attempt(store, use("a"))
            own_redis.execute("SCRIPT", "FLUSH")
            assert await attempt(store, use("b"))
            assert (await asyncio.gather(*(attempt(store, use("c")) for _ in range(3)))).count(True) == 1
    assert [entry for entry in logged if entry["log_level"] == "warning"] == []


async def outage(store: RedisNonceStore) -> None:
    """Check that everything that needs Redis is unavailable."""
    for action in (store.spend([use("during")], NOW), store.forget([ADMIN], NOW), store.ping()):
        with pytest.raises(DatabaseUnavailable):
            await action


@pytest.fixture
async def hasty(backend: Backend) -> AsyncIterator[RedisNonceStore]:
    store = RedisNonceStore(
        backend.redis_url, backend.database, prefix=PREFIX, timeout=0.2, clock_skew=0, pause=backend.pause
    )
    await store.open(OPENED)
    yield store
    await store.close()


async def test_an_outage_ends(hasty: RedisNonceStore, own_redis: RedisServer) -> None:
    await hasty.ping()
    assert await attempt(hasty, use("before"))
    await asyncio.to_thread(own_redis.stop)
    await outage(hasty)
    await asyncio.to_thread(own_redis.start)
    await hasty.ping()
    assert not await attempt(hasty, use("before"))
    assert await attempt(hasty, use("after", created=NOW + 1))


async def test_a_server_that_hangs_is_an_outage(hasty: RedisNonceStore, own_redis: RedisServer) -> None:
    with own_redis.frozen():
        await outage(hasty)
        waiting = [asyncio.create_task(hasty.spend([use(f"{number}")], NOW)) for number in range(40)]
        errors = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(error) for error in errors} == {DatabaseUnavailable}
        assert len({id(error) for error in errors}) == len(errors)
    assert await attempt(hasty, use("after"))
    assert not await attempt(hasty, use("after"))


async def test_who_stops_waiting_harms_nobody(store: RedisNonceStore) -> None:
    gone = [asyncio.create_task(attempt(store, use(f"{number}"))) for number in range(10)]
    stays = asyncio.create_task(attempt(store, use("stays")))
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    assert await stays
    assert await attempt(store, use("later"))


async def test_full_memory_is_an_outage_that_spends_nothing(store: RedisNonceStore, own_redis: RedisServer) -> None:
    assert await attempt(store, use("before"))
    own_redis.execute("CONFIG", "SET", "maxmemory", 1)
    for nonce in ("first", "second"):
        with pytest.raises(DatabaseUnavailable):
            await store.spend([use(nonce)], NOW)
    assert not await attempt(store, use("before"))
    own_redis.execute("CONFIG", "SET", "maxmemory", 0)
    assert await attempt(store, use("first"))


async def test_a_database_that_fails_ends_only_the_requests_that_ask_it(
    store: RedisNonceStore, backend: Backend, database: Database
) -> None:
    assert await attempt(store, use("known"))
    assert database.path is not None
    database.path.write_bytes(b"not a database" * 1_000)
    assert await attempt(store, use("known still"))
