"""Rotation where the API cannot lead it: keys that went out of use meanwhile, and no new key at all."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.data.database import Database
from secure_api.data.nonce_table import DatabaseNonceStore
from secure_api.domain.caller import Caller
from secure_api.domain.clock import system_clock
from secure_api.domain.errors import AuthenticationFailed, Conflict
from secure_api.domain.limits import Limits
from secure_api.domain.roles import Role
from secure_api.services import enrollment
from secure_api.services.work import Work
from tests.consortium import admin_key

pytestmark = pytest.mark.anyio


async def rotate(database: Database, keys: list[PrivateKey]) -> None:
    async with database.write() as session:
        client, organization = (await session.execute(text("SELECT id, organization_id FROM clients"))).one()
        caller = Caller(client, organization, "operator", Role.ADMIN, True, (admin_key().public_key.keyid,))
        work = Work(session, caller, system_clock, Limits(), DatabaseNonceStore(database))
        await enrollment.rotate(work, [key.public_key for key in keys])


async def statuses(database: Database) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(text("SELECT status FROM keys ORDER BY created, status")))


async def test_a_rotation_to_no_key_leaves_the_old_one(database: Database) -> None:
    with pytest.raises(AuthenticationFailed):
        await rotate(database, [])
    assert await statuses(database) == ["active"]


async def test_of_two_rotations_that_were_both_let_in_the_second_finds_the_keys_ended(database: Database) -> None:
    await rotate(database, [PrivateKey.generate(SignatureAlgorithm.ED25519)])
    assert await statuses(database) == ["rotated", "active"]
    with pytest.raises(Conflict, match="not active any more"):
        await rotate(database, [PrivateKey.generate(SignatureAlgorithm.ED25519)])
    assert await statuses(database) == ["rotated", "active"]
