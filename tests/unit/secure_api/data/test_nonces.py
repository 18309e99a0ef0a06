"""Spending nonces: the same promises in every place where it can be done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_file import SLOT, SWEEP_ROWS
from secure_api.data.nonces import NonceRefused, NonceStore
from tests.services.fixtures.redis import RedisServer
from tests.unit.secure_api.data.nonce_backends import ADMIN, NOW, SECOND, SESSION, Backend, attempt, use, within

pytestmark = pytest.mark.anyio


@pytest.fixture(
    params=[
        "file-sqlite",
        "table-sqlite",
        pytest.param("table-postgresql", marks=pytest.mark.services),
        pytest.param("redis-sqlite", marks=pytest.mark.services),
        pytest.param("redis-postgresql", marks=pytest.mark.services),
        "memory-sqlite",
        pytest.param("memory-postgresql", marks=pytest.mark.services),
    ]
)
def place(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def database_url(request: pytest.FixtureRequest, place: str) -> str:
    url: str = request.getfixturevalue(f"{place.partition('-')[2]}_url")
    return url


@pytest.fixture
async def backend(request: pytest.FixtureRequest, place: str, database: Database) -> Backend:
    kind = place.partition("-")[0]
    url = prefix = ""
    if kind == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        url, prefix = server.url, request.getfixturevalue("redis_prefix")
    return await Backend(kind, database, url, prefix).prepare()


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[NonceStore]:
    async with backend.opened() as store:
        yield store


async def test_a_nonce_is_spent_once(store: NonceStore) -> None:
    assert await attempt(store, use("first")) is True
    assert await attempt(store, use("first")) is False
    assert await attempt(store, use("first", expires=NOW + 300)) is False
    assert await attempt(store, use("First")) is True
    assert await attempt(store, use("first", SECOND)) is True


async def test_of_fifty_racing_spends_one_wins(store: NonceStore) -> None:
    outcomes = await asyncio.gather(*(attempt(store, use("raced")) for _ in range(50)))
    assert outcomes.count(True) == 1


async def test_of_fifty_racing_hybrid_spends_one_wins(store: NonceStore) -> None:
    pairs = [(use(f"a-{n % 2}"), use("b", SECOND)) for n in range(50)]
    outcomes = await asyncio.gather(*(attempt(store, *pair) for pair in pairs))
    assert outcomes.count(True) == 1


async def test_all_the_nonces_of_a_request_are_spent_or_none(store: NonceStore) -> None:
    assert await attempt(store, use("spent", SECOND)) is True
    assert await attempt(store, use("fresh"), use("spent", SECOND)) is False
    assert await attempt(store, use("spent", SECOND), use("fresh")) is False
    assert await attempt(store, use("same"), use("same")) is False
    assert await attempt(store, use("fresh"), use("unspent", SECOND)) is True
    assert await attempt(store, use("same")) is True


async def test_several_stores_in_one_place_agree(backend: Backend, store: NonceStore) -> None:
    if not backend.shared:
        pytest.skip("the memory of a process is its own")
    async with backend.opened(NOW) as other:
        assert await attempt(store, use("here")) is True
        assert await attempt(other, use("here")) is False
        assert await attempt(other, use("there", SECOND), within("there")) is True
        assert await attempt(store, within("there")) is False
        racing = (attempt((store, other)[n % 2], use("raced")) for n in range(50))
        assert (await asyncio.gather(*racing)).count(True) == 1


async def test_a_restart_lets_nothing_through_again(backend: Backend) -> None:
    async with backend.opened() as store:
        assert await attempt(store, use("before")) is True
    async with backend.opened(NOW) as store:
        assert await attempt(store, use("before")) is False
        assert await attempt(store, use("never sent")) is backend.shared, "the memory of a process begins anew"
        assert await attempt(store, use("after", created=NOW + 1)) is True


@pytest.mark.parametrize("status", ["rotated", "revoked"])
async def test_a_key_that_ended_spends_nothing_from_the_next_request_on(
    backend: Backend, store: NonceStore, status: str
) -> None:
    async with backend.opened() as other:
        assert await attempt(store, use("before")) is True
        assert await attempt(other, use("before too")) is True
        for teller in [store] if backend.shared else [store, other]:
            await backend.end(teller, ADMIN, f"UPDATE keys SET status = '{status}' WHERE keyid = '{ADMIN}'")
        for asked in (other, store):
            assert await attempt(asked, use("after")) is False
            assert await attempt(asked, use("with", SECOND), use("after")) is False
        assert await attempt(other, use("with", SECOND)) is True


async def test_a_key_is_good_until_the_transaction_that_ends_another_commits(
    backend: Backend, store: NonceStore
) -> None:
    async with backend.database.write():
        await store.forget([ADMIN], NOW)
        assert await attempt(store, use("not committed yet", SECOND)) is True


async def test_a_key_whose_end_was_rolled_back_is_good_again(backend: Backend, store: NonceStore) -> None:
    await store.forget([ADMIN], NOW - 60)
    assert await attempt(store, use("later")) is True


async def test_a_session_spends_until_it_expires(store: NonceStore) -> None:
    assert await attempt(store, within("in time"), now=NOW) is True
    assert await attempt(store, within("in time"), now=NOW) is False
    assert await attempt(store, within("the last second"), now=NOW + 10) is True
    assert await attempt(store, within("late"), now=NOW + 11) is False


@pytest.mark.parametrize(
    "change", ["status = 'revoked'", f"expires = {NOW - 1}", "status = 'ACTIVE'"], ids=["revoked", "retired", "unknown"]
)
async def test_a_session_that_ended_spends_nothing_from_the_next_request_on(
    backend: Backend, store: NonceStore, change: str
) -> None:
    async with backend.opened() as other:
        assert await attempt(store, within("before")) is True
        assert await attempt(other, within("before too")) is True
        for teller in [store] if backend.shared else [store, other]:
            await backend.end(teller, SESSION, f"UPDATE sessions SET {change} WHERE id = '{SESSION}'")
        assert await attempt(other, within("after")) is False
        assert await attempt(store, within("after"), use("with", SECOND)) is False
        assert await attempt(store, use("with", SECOND)) is True


async def test_what_nobody_enrolled_or_opened_spends_nothing(store: NonceStore) -> None:
    assert await attempt(store, use("a", "U" * 43)) is False
    assert await attempt(store, within("a", "u" * 32)) is False
    assert await attempt(store, use("a", SESSION)) is False
    assert await attempt(store, within("a", ADMIN)) is False


async def test_what_is_told_to_end_and_was_never_there_harms_nobody(store: NonceStore) -> None:
    await store.forget([], NOW)
    await store.forget(["U" * 43], NOW)
    assert await attempt(store, use("a")) is True


async def test_a_sweep_forgets_what_has_expired_and_nothing_else(backend: Backend, store: NonceStore) -> None:
    if backend.kind == "redis":
        pytest.skip("Redis forgets by itself")
    edge = (NOW // SLOT + 1) * SLOT  # the file forgets slot by slot
    now = edge - 60
    old = SWEEP_ROWS + 3 if backend.kind == "file" else 7
    for number in range(old):
        await store.spend([use(f"old {number}", expires=edge - 1)], now)
    await store.spend([use("due", expires=edge)], now)
    await store.spend([use("young", expires=edge + 1)], now)
    assert await store.sweep(edge) == old
    assert await store.sweep(edge) == 0
    for nonce in ("due", "young"):
        with pytest.raises(NonceRefused):
            await store.spend([use(nonce, expires=edge + 30)], edge)
    assert await store.sweep(edge + SLOT) == 2
    assert await attempt(store, use("young")) is True


async def test_a_database_that_fails_is_an_outage(backend: Backend, store: NonceStore) -> None:
    if backend.kind == "file":
        pytest.skip("test_nonce_file.py damages files")
    await backend.database.close()
    unreachable = Database("postgresql+asyncpg://postgres@127.0.0.1:1/none")
    async with Backend(backend.kind, unreachable, backend.redis_url, backend.prefix + "unreachable:").opened() as lost:
        with pytest.raises(DatabaseUnavailable):
            await lost.spend([use("a")], NOW)
    await unreachable.close()
