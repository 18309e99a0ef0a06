"""The sessions that a worker keeps in memory: gone once they are over, whoever ended them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from crypto import StorageKey
from secure_api.data.database import Database
from secure_api.domain.errors import AuthenticationFailed
from secure_api.services import session_keeper
from secure_api.services.session_keeper import SessionKeeper, secret_purpose
from tests.consortium import admin_key

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = StorageKey(bytes(range(32)))


class Steered:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


async def open_session(database: Database, lasts: int = 600) -> str:
    """Insert an active session of the installation's administrator, as a handshake would."""
    id = secrets.token_urlsafe(16)
    created = int(NOW.timestamp())
    async with database.write() as session:
        client = (await session.execute(text("SELECT id, organization_id FROM clients"))).one()
        key_set = await session.scalar(
            text("SELECT key_set FROM keys WHERE keyid = :keyid"), {"keyid": admin_key().keyid}
        )
        await session.execute(
            text(
                "INSERT INTO sessions (id, organization_id, client_id, key_set, suite, status, secret, created,"
                " expires, idle_timeout, last_used, requests_left, bytes_left)"
                " VALUES (:id, :organization, :client, :key_set,"
                " 'x-wing', 'active', :secret, :created, :expires, 600, :created, 100, 100000)"
            ),
            {
                "id": id,
                "organization": client.organization_id,
                "client": client.id,
                "key_set": key_set,
                "secret": KEY.encrypt(bytes(32), secret_purpose(id)),
                "created": created,
                "expires": created + lasts,
            },
        )
    return id


async def test_a_sweep_drops_what_has_ended_or_expired_and_nothing_else(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_keeper, "SWEPT_AT_ONCE", 2)
    clock = Steered()
    keeper = SessionKeeper(database, KEY, clock=clock)
    lasting, ended, expiring = (
        await open_session(database),
        await open_session(database),
        await open_session(database, lasts=30),
    )
    kept = {id: await keeper.find(id) for id in (lasting, ended, expiring)}
    assert await keeper.sweep() == 0
    async with database.write() as session:
        await session.execute(text("UPDATE sessions SET status = 'revoked' WHERE id = :id"), {"id": ended})
    clock.now += timedelta(seconds=31)
    assert await keeper.sweep() == 2
    assert await keeper.find(lasting) is kept[lasting]
    with pytest.raises(AuthenticationFailed) as refused:
        await keeper.find(ended)
    assert refused.value.reason == "unknown-session"
    assert await keeper.find(expiring) is not kept[expiring]  # read anew: it was dropped
