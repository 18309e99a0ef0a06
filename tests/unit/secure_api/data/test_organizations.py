"""Organizations where requests cannot lead them: two transactions that do not see each other."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from secure_api.data.database import Database
from secure_api.data.organizations import Organization, OrganizationRepository
from secure_api.domain.errors import Conflict

pytestmark = pytest.mark.anyio


async def test_a_name_that_another_transaction_takes_meanwhile_is_taken(database: Database) -> None:
    added, commit = asyncio.Event(), asyncio.Event()

    async def add(identifier: str) -> None:
        async with database.write() as session:
            organization = Organization(identifier, "beta", operator=False, created=datetime.now(UTC))
            await OrganizationRepository(session).add(organization)
            added.set()
            await commit.wait()

    first = asyncio.create_task(add("1"))
    await added.wait()
    second = asyncio.create_task(add("2"))
    await asyncio.sleep(0.1)
    assert not second.done(), "it waits for the first one, whose row it cannot see"
    commit.set()
    await first
    with pytest.raises(Conflict, match="beta exists already"):
        await second
