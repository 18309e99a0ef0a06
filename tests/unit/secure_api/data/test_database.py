"""Transactions, and what the drivers' errors become."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from secure_api.data.database import Database, WriteSession
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.models import OrganizationRow
from secure_api.data.organizations import Organization, OrganizationRepository
from tests.services.fixtures.port import free_port
from tests.services.fixtures.postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Refusal(Exception):
    """Something that a service raises."""


async def add(session: WriteSession, name: str) -> None:
    await OrganizationRepository(session).add(Organization(name.ljust(36, "-"), name, operator=False, created=NOW))


async def names(database: Database) -> list[str]:
    async with database.read() as session:
        return [organization.name for organization in await OrganizationRepository(session).all()]


async def test_a_write_commits_when_its_block_ends(database: Database) -> None:
    async with database.write() as session:
        await add(session, "beta")
        assert await names(database) == ["operator"]
    assert await names(database) == ["beta", "operator"]


async def test_a_write_that_raises_leaves_nothing_and_the_next_one_works(database: Database) -> None:
    async def write(error: BaseException) -> None:
        async with database.write() as session:
            await add(session, "beta")
            raise error

    async def transaction() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("DELETE FROM ledger_heads"))
            raise Refusal

    for error in (Refusal(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            await write(error)
        assert await names(database) == ["operator"]
    with pytest.raises(Refusal):
        await transaction()
    async with database.write() as session:
        assert await session.scalar(text("SELECT count(*) FROM ledger_heads")) == 1
        await add(session, "gamma")
    assert await names(database) == ["gamma", "operator"]


async def test_readers_do_not_wait_for_the_writer(database: Database) -> None:
    async with database.write() as session:
        await add(session, "beta")
        await session.execute(text("UPDATE clients SET name = 'changed'"))
        reads = [names(database) for _ in range(20)]
        assert await asyncio.gather(*reads) == [["operator"]] * 20


async def test_writers_wait_for_one_another(database: Database) -> None:
    async def increment() -> None:
        async with database.write() as session:
            row = await session.scalar(select(OrganizationRow).with_for_update())
            assert row is not None
            count = int(row.name.removeprefix("operator") or 0)
            await asyncio.sleep(0)
            row.name = f"operator{count + 1}"

    await asyncio.gather(*(increment() for _ in range(20)))
    assert await names(database) == ["operator20"]


async def test_a_constraint_is_no_outage(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(OrganizationRow(id="1", name="operator", operator=False, created=NOW))
    with pytest.raises(IntegrityError):  # foreign keys count on SQLite too
        async with database.write() as session:
            await session.execute(text("UPDATE clients SET organization_id = 'nobody'"))


async def test_ping(database: Database) -> None:
    await database.ping()


@pytest.fixture
def impatient(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an SQLite database for which nobody waits long."""
    monkeypatch.setattr("secure_api.data.database.SQLITE_BUSY_TIMEOUT", 0.05)
    path = tmp_path / "secure-api.db"
    shutil.copy(sqlite_template, path)
    return path


async def test_a_locked_sqlite_is_unavailable_and_comes_back(impatient: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{impatient}")

    async def second() -> None:
        async with database.write() as session:
            await add(session, "beta")

    with closing(sqlite3.connect(impatient, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable):
            await second()
        assert await names(database) == ["operator"]
        other.execute("COMMIT")
    async with database.write() as session:
        await add(session, "gamma")
    assert await names(database) == ["gamma", "operator"]
    await database.close()


async def test_a_writer_who_waits_too_long_for_another_of_this_process_is_told(impatient: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{impatient}")

    async def second() -> None:
        async with database.write() as session:
            await add(session, "gamma")

    async with database.write() as session:
        await add(session, "beta")
        with pytest.raises(DatabaseUnavailable):
            await second()
    assert await names(database) == ["beta", "operator"]
    await database.close()


async def test_a_sqlite_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}")
    with pytest.raises(DatabaseUnavailable):
        await database.ping()
    await database.close()
    nowhere = Database(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'secure-api.db'}")
    with pytest.raises(DatabaseUnavailable):
        await nowhere.ping()
    await nowhere.close()


async def test_a_file_that_is_no_database_is_unavailable() -> None:
    database = Database(f"sqlite+aiosqlite:///{__file__}")
    with pytest.raises(DatabaseUnavailable):
        await database.ping()
    await database.close()


async def test_a_postgresql_that_does_not_let_us_in_is_unavailable(postgresql_server: PostgresqlServer) -> None:
    here = f"127.0.0.1:{postgresql_server.port}"
    for address in (
        f"postgres@127.0.0.1:{free_port()}/postgres",
        f"postgres@{here}/no_such_database",
        f"no_such_role@{here}/postgres",
    ):
        database = Database(f"postgresql+asyncpg://{address}")
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await database.ping()
        await database.close()


async def test_a_postgresql_connection_that_is_cut_is_unavailable_and_replaced(
    postgresql_server: PostgresqlServer, postgresql_database: str
) -> None:
    database = Database(postgresql_database, pool_size=2)

    async def cut(session: WriteSession) -> None:
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
        await asyncio.to_thread(postgresql_server.execute, f"SELECT pg_terminate_backend({pid})")

    async def between_statements() -> None:
        async with database.write() as session:
            await add(session, "beta")
            await cut(session)
            await session.execute(text("SELECT 1"))

    async def before_the_commit() -> None:
        async with database.write() as session:
            await add(session, "beta")
            await cut(session)

    async def in_a_statement() -> None:
        async with database.write() as session:
            await add(session, "beta")
            # Ends itself, so that the statement is surely at work.
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(600)"))

    for way in (between_statements, before_the_commit, in_a_statement):
        with pytest.raises(DatabaseUnavailable):
            await way()
    assert await names(database) == ["operator"]
    await database.close()


async def test_a_wrong_statement_is_a_defect_and_no_outage(database: Database) -> None:
    async def read() -> None:
        async with database.read() as session:
            await session.execute(text("SELECT no_such_column FROM clients"))

    with pytest.raises(DBAPIError, match="no_such_column"):
        await read()
