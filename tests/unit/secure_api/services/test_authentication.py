"""Authentication: what is remembered of keys, and that it is never more than allowed."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from crypto import PrivateKey, Profile, Request, SignatureAlgorithm
from secure_api.app import nonce_store
from secure_api.data.database import Database
from secure_api.data.keys import NewKey, add_keys
from secure_api.domain.clock import system_clock
from secure_api.domain.errors import AuthenticationFailed
from secure_api.domain.signature_policy import SignaturePolicy
from secure_api.services.authentication import Authenticator
from secure_api.services.session_keeper import SessionKeeper
from secure_api.settings import Settings
from tests.consortium import STORAGE_KEY, compose

pytestmark = pytest.mark.anyio


async def test_only_so_many_keys_are_remembered(database: Database) -> None:
    keys = [PrivateKey.generate(SignatureAlgorithm.ED25519) for _ in range(4)]
    async with database.write() as session:
        client, organization = (await session.execute(text("SELECT id, organization_id FROM clients"))).one()
        for key in keys:
            await add_keys(
                session,
                [NewKey(key.public_key.keyid, key.algorithm.value, key.public_key.raw)],
                key_set=key.public_key.keyid[:36],
                client_id=client,
                organization_id=organization,
                created=system_clock(),
            )
    nonces = nonce_store(Settings.load(), database)
    await nonces.open(int(system_clock().timestamp()))
    authenticator = Authenticator(
        database,
        nonces,
        SessionKeeper(database, STORAGE_KEY, clock=system_clock),
        profile=Profile(),
        policy=SignaturePolicy.ANY,
        algorithms=frozenset(SignatureAlgorithm),
        authorities=frozenset(),
        clock=system_clock,
        cache_size=2,
    )

    async def caller_of(key: PrivateKey) -> str:
        message = compose([key], "GET", "/v1/clients/me", now=system_clock())
        headers = tuple((name.lower().encode(), value.encode()) for name, value in message.headers)
        request = Request("GET", "testserver", "/v1/clients/me", "", headers, "http")
        authentication = await authenticator.authenticate(authenticator.open(request), message.body)
        assert authentication.caller is not None
        assert authentication.caller.keyids == (key.public_key.keyid,)
        return authentication.caller.client_id

    for key in [*keys, *keys[::-1]]:
        assert await caller_of(key) == client
        assert len(authenticator._cache) <= 2
    assert set(authenticator._cache) == {key.public_key.keyid for key in keys[:2]}
    async with database.write() as session:
        await session.execute(text("UPDATE keys SET status = 'revoked'"))
    await nonces.forget([key.public_key.keyid for key in keys], int(system_clock().timestamp()))
    for key in keys:  # those that are remembered and those that are not
        with pytest.raises(AuthenticationFailed) as refused:
            await caller_of(key)
        assert refused.value.reason == "replayed-or-revoked"
    await nonces.close()
