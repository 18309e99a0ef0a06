"""The first state of a server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from secure_api.data.database import Database
from secure_api.domain.errors import Conflict
from secure_api.services.installation import initialize
from secure_api.services.ledger_verification import verify
from tests.consortium import admin_key, server_key

pytestmark = pytest.mark.anyio


async def count(database: Database, table: str) -> int:
    async with database.read() as session:
        return await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0


async def test_it_is_made_once(database: Database) -> None:
    tables = ("organizations", "clients", "keys", "ledger_entries", "ledger_heads")
    assert [await count(database, table) for table in tables] == [1] * 5
    with pytest.raises(Conflict, match="initialized already"):
        await initialize(database, operator="other", admin_key=admin_key().public_key, server_key=server_key())
    assert [await count(database, table) for table in tables] == [1] * 5


async def test_it_names_what_it_made_and_signs_the_first_head(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("new") / "secure-api.db"
    database = Database(f"sqlite+aiosqlite:///{path}")
    key = server_key()
    made = await initialize(
        database,
        operator="hub",
        admin_key=admin_key().public_key,
        server_key=key,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert made.organization == "hub"
    assert made.admin_keyid == admin_key().public_key.keyid
    report = await verify(database, {key.public_key.keyid: key.public_key})
    assert (report.entries, report.heads, report.unsigned) == (1, 1, 0)
    await database.close()
