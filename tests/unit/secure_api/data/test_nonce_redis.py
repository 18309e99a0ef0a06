"""What Redis remembers of keys and sessions, and how slow readers of the database are kept from spoiling it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from secure_api.data import nonce_redis
from secure_api.data.active_status import active_until
from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_redis import RedisNonceStore
from secure_api.data.nonce_script import ANSWER_AGE, BARRIER, TRUST
from secure_api.data.nonces import NONCE_AFTERLIFE, NonceUse
from tests.services.fixtures.redis import RedisServer
from tests.unit.secure_api.data.nonce_backends import ADMIN, NOW, SESSION, Backend, attempt, use, within
from tests.unit.secure_api.data.redis_place import PREFIX, backend, database_url, keys, store

__all__ = ["backend", "database_url", "store"]

pytestmark = [pytest.mark.anyio, pytest.mark.services]

REVOKE = f"UPDATE keys SET status = 'revoked' WHERE keyid = '{ADMIN}'"


async def test_nonces_expire_by_themselves_and_not_before(store: RedisNonceStore, own_redis: RedisServer) -> None:
    await store.spend([use("long", expires=NOW + 305)], NOW)
    (name,) = keys(own_redis, "nonce:")
    assert 305 + NONCE_AFTERLIFE - 5 <= own_redis.execute("TTL", name) <= 305 + NONCE_AFTERLIFE
    assert len(name) == len(PREFIX) + len("nonce:") + 32
    await store.spend([use("short", expires=NOW)], NOW)
    (short,) = set(keys(own_redis, "nonce:")) - {name}
    assert NONCE_AFTERLIFE - 5 <= own_redis.execute("TTL", short) <= NONCE_AFTERLIFE
    own_redis.execute("PEXPIRE", name, 1)
    await asyncio.sleep(0.01)
    assert await attempt(store, use("long", expires=NOW + 305)), "its message expired a minute ago"
    assert await store.sweep(NOW) == 0


async def test_the_database_is_not_asked_again_for_a_while(
    store: RedisNonceStore, backend: Backend, own_redis: RedisServer
) -> None:
    assert await attempt(store, use("first"), within("first"))
    await backend.execute("UPDATE keys SET status = 'revoked'")  # behind our back
    await backend.execute("UPDATE sessions SET status = 'revoked'")
    assert await attempt(store, use("second"), within("second"))
    for name in (f"{PREFIX}key:{ADMIN}", f"{PREFIX}session:{SESSION}"):
        assert TRUST - 5 <= own_redis.execute("TTL", name) <= TRUST
        own_redis.execute("PEXPIRE", name, 1)
    await asyncio.sleep(0.01)
    assert not await attempt(store, use("third"))
    assert not await attempt(store, within("third"))


@dataclass
class SlowReader:
    """The database answers, and the first answer does not arrive before it is let through."""

    asked: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    arrives: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, database: Database, uses: Sequence[NonceUse], now: int) -> list[int | None]:
        self.asked += 1
        first = self.asked == 1
        answer = await active_until(database, uses, now)
        if first:
            self.answered.set()
            await self.arrives.wait()
        return answer


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> SlowReader:
    reader = SlowReader()
    monkeypatch.setattr(nonce_redis, "active_until", reader)
    return reader


@pytest.mark.parametrize("again", [False, True])
async def test_a_slow_reader_does_not_bring_an_ended_key_back(
    store: RedisNonceStore, backend: Backend, reader: SlowReader, again: bool
) -> None:
    """It read that the key is active before the commit, and says so after."""
    async with backend.opened() as other:
        if again:
            await other.forget([ADMIN], NOW)
        slow = asyncio.create_task(attempt(store, use("slow")))
        await reader.answered.wait()
        await backend.end(other, ADMIN, REVOKE)
        reader.arrives.set()
        assert await slow is False
        assert reader.asked == 2, "told to look anew"
        for each in (store, other):
            assert not await attempt(each, use("later"))


async def test_between_the_two_tombstones_nothing_is_remembered(
    store: RedisNonceStore, backend: Backend, own_redis: RedisServer
) -> None:
    """Its transaction has not committed yet: the key is good, and must not be believed to be so a moment later."""
    await store.forget([ADMIN, SESSION], NOW)
    for nonce in ("a", "b"):
        assert await attempt(store, use(nonce), within(nonce))
    tombstones = {own_redis.execute("GET", f"{PREFIX}{name}") for name in (f"key:{ADMIN}", f"session:{SESSION}")}
    assert len(tombstones) == 1
    assert tombstones.pop().startswith("ask:")
    assert BARRIER - 5 <= own_redis.execute("TTL", f"{PREFIX}key:{ADMIN}") <= BARRIER
    await backend.execute(REVOKE)  # and then the process dies
    assert not await attempt(store, use("c"))


async def test_an_answer_that_is_too_old_is_not_believed(
    store: RedisNonceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of Redis, whatever held the command up."""
    run = store._run

    async def later(uses: list[NonceUse], now: int, answers: nonce_redis._Answers) -> list[bytes]:
        if answers.asked_at:
            answers = replace(answers, asked_at=str(int(answers.asked_at) - ANSWER_AGE - 1).encode())
        return await run(uses, now, answers)

    monkeypatch.setattr(store, "_run", later)
    with pytest.raises(DatabaseUnavailable):
        await store.spend([use("a")], NOW)
    monkeypatch.undo()
    assert await attempt(store, use("a"))


async def test_an_answer_from_before_a_loss_is_not_believed(
    store: RedisNonceStore, backend: Backend, own_redis: RedisServer, reader: SlowReader
) -> None:
    """The tombstone is lost with the rest, between the answer and its use."""
    slow = asyncio.create_task(attempt(store, use("young", created=NOW + 1)))
    await reader.answered.wait()
    await backend.end(store, ADMIN, REVOKE)
    own_redis.execute("FLUSHALL")
    reader.arrives.set()
    assert await slow is False
    assert reader.asked == 2


async def test_a_state_from_before_a_loss_is_not_believed(
    store: RedisNonceStore, backend: Backend, own_redis: RedisServer
) -> None:
    """A snapshot brought it back, which was made before the key ended."""
    assert await attempt(store, use("a"))
    remembered = own_redis.execute("GET", f"{PREFIX}key:{ADMIN}")
    await backend.end(store, ADMIN, REVOKE)
    await asyncio.to_thread(own_redis.stop)
    await asyncio.to_thread(own_redis.start)
    own_redis.execute("SET", f"{PREFIX}key:{ADMIN}", remembered)
    assert not await attempt(store, use("b", created=NOW + 1))


async def test_two_deployments_share_a_server(backend: Backend, own_redis: RedisServer) -> None:
    async with backend.opened() as store, replace_prefix(backend).opened() as other:
        assert await attempt(store, use("a"))
        assert await attempt(other, use("a"))
        await other.forget([ADMIN], NOW)
        assert own_redis.execute("GET", f"{PREFIX}key:{ADMIN}").startswith("active:")


def replace_prefix(backend: Backend) -> Backend:
    """Another deployment."""
    return replace(backend, prefix="other:")
