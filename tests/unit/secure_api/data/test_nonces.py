"""Spending nonces: once, however often and by however many it is asked, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from secure_api.app import nonce_store
from secure_api.data.database import Database
from secure_api.data.keys import NewKey, add_keys
from secure_api.data.nonce_file import SLOT, SWEEP_ROWS
from secure_api.data.nonces import NonceRefused, NonceStore, NonceUse
from tests.consortium import admin_key

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000
ADMIN = admin_key().public_key.keyid
SECOND = "S" * 43


@pytest.fixture
async def store(database: Database) -> AsyncIterator[NonceStore]:
    """The store that a server on this database uses: a file beside SQLite, a table inside PostgreSQL."""
    store = nonce_store(database)
    await enroll_second_key(database)
    await store.open(NOW)
    yield store
    await store.close()


async def enroll_second_key(database: Database) -> None:
    async with database.write() as session:
        client, organization = (await session.execute(text("SELECT id, organization_id FROM clients"))).one()
        await add_keys(
            session,
            [NewKey(SECOND, "ed25519", b"")],
            key_set="pair",
            client_id=client,
            organization_id=organization,
            created=datetime.now(UTC),
        )


def use(nonce: str, keyid: str = ADMIN, *, created: int = NOW, expires: int = NOW + 65) -> NonceUse:
    return NonceUse(keyid, nonce, created, expires)


async def attempt(store: NonceStore, *uses: NonceUse) -> bool:
    try:
        await store.spend(uses, NOW)
    except NonceRefused:
        return False
    return True


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


@pytest.mark.parametrize("status", ["rotated", "revoked"])
async def test_a_key_that_is_not_active_spends_nothing_from_the_next_request_on(
    store: NonceStore, database: Database, status: str
) -> None:
    assert await attempt(store, use("before")) is True
    async with database.write() as session:
        await session.execute(
            text("UPDATE keys SET status = :status WHERE keyid = :keyid"), {"status": status, "keyid": ADMIN}
        )
        assert await attempt(store, use("not committed yet", SECOND)) is True
        await store.forget([ADMIN], NOW)
    await store.forget([ADMIN], NOW)
    assert await attempt(store, use("after")) is False
    assert await attempt(store, use("with", SECOND), use("after")) is False
    assert await attempt(store, use("with", SECOND)) is True


async def test_a_key_that_nobody_enrolled_spends_nothing(store: NonceStore) -> None:
    assert await attempt(store, use("unknown", "U" * 43)) is False


async def test_a_sweep_forgets_what_has_expired_and_nothing_else(store: NonceStore) -> None:
    edge = (NOW // SLOT + 1) * SLOT  # the file forgets slot by slot
    now = edge - 60
    for number in range(SWEEP_ROWS + 3):
        await store.spend([use(f"old {number}", expires=edge - 1)], now)
    await store.spend([use("due", expires=edge)], now)
    await store.spend([use("young", expires=edge + 1)], now)
    assert await store.sweep(edge) == SWEEP_ROWS + 3
    assert await store.sweep(edge) == 0
    for nonce in ("due", "young"):
        with pytest.raises(NonceRefused):
            await store.spend([use(nonce, expires=edge + 30)], edge)
    assert await store.sweep(edge + SLOT) == 2
    assert await attempt(store, use("young")) is True
