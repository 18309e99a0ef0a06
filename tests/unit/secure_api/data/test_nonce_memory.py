"""Nonces in memory: what a start forgets, and readers that come too late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from secure_api.data import nonce_memory
from secure_api.data.active_status import active_until
from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_memory import TRUST, MemoryNonceStore
from secure_api.data.nonces import NonceUse
from tests.unit.secure_api.data.nonce_backends import ADMIN, NOW, OPENED, Backend, attempt, use

pytestmark = pytest.mark.anyio

REVOKE = f"UPDATE keys SET status = 'revoked' WHERE keyid = '{ADMIN}'"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def backend(database: Database) -> Backend:
    return await Backend("memory", database).prepare()


async def test_a_start_takes_as_long_as_a_clients_clock_may_be_ahead(backend: Backend) -> None:
    waited = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    store = MemoryNonceStore(backend.database, clock_skew=5, pause=pause)
    await store.open(NOW)
    assert waited == [6]
    assert not await attempt(store, use("sent before", created=NOW + 5), now=NOW + 6)
    assert await attempt(store, use("sent after", created=NOW + 6), now=NOW + 6)
    await store.ping()
    await store.close()


async def test_the_database_is_not_asked_again_for_a_while(backend: Backend) -> None:
    async with backend.opened() as store:
        assert await attempt(store, use("a"))
        await backend.execute(REVOKE)  # behind our back
        assert await attempt(store, use("b"), now=NOW + TRUST)
        assert not await attempt(store, use("c"), now=NOW + TRUST + 1)


async def test_a_slow_reader_does_not_bring_an_ended_key_back(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, arrives = asyncio.Event(), asyncio.Event()

    async def slow(database: Database, uses: Sequence[NonceUse], now: int) -> list[int | None]:
        answer = await active_until(database, uses, now)
        answered.set()
        await arrives.wait()
        return answer

    monkeypatch.setattr(nonce_memory, "active_until", slow)
    async with backend.opened(OPENED) as store:
        late = asyncio.create_task(attempt(store, use("late")))
        await answered.wait()
        await backend.end(store, ADMIN, REVOKE)
        arrives.set()
        assert await late is False
        assert not await attempt(store, use("later"))


async def test_who_is_told_to_look_anew_for_ever_gives_up(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    async with backend.opened() as store:

        async def unlucky(database: Database, uses: Sequence[NonceUse], now: int) -> list[int | None]:
            await store.forget(["U" * 43], now)
            return await active_until(database, uses, now)

        monkeypatch.setattr(nonce_memory, "active_until", unlucky)
        with pytest.raises(DatabaseUnavailable):
            await store.spend([use("a")], NOW)
        monkeypatch.undo()
        assert await attempt(store, use("a"))
