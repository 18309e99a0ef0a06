"""Migrations: from nothing to the models and back, on both databases."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

import secure_api
from secure_api.data.database import Database
from secure_api.data.migrations import migrate, schema_revisions
from secure_api.data.models import Model
from secure_api.domain.errors import ConfigurationError
from tests.services.fixtures.postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database without a table."""
    if request.param == "sqlite":
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'secure-api.db'}")
        yield database
        await database.close()
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.create_database()
    database = Database(server.url(name))
    yield database
    await database.close()
    server.drop_database(name)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Model.metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def downgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(secure_api.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


async def test_from_nothing_to_exactly_the_models(empty: Database) -> None:
    before, newest = await schema_revisions(empty)
    assert before is None
    assert newest is not None
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(differences) != []
    await migrate(empty)
    assert await schema_revisions(empty) == (newest, newest)
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(tables) == set(Model.metadata.tables)


async def test_a_second_time_changes_nothing(database: Database) -> None:
    async def clients() -> int:
        async with database.read() as session:
            count: int = await session.scalar(text("SELECT count(*) FROM clients")) or 0
            return count

    assert await clients() == 1
    await migrate(database)
    assert await clients() == 1


async def test_all_the_way_back_and_up_again(empty: Database) -> None:
    await migrate(empty)
    async with empty.engine.begin() as connection:
        await connection.run_sync(downgrade)
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(tables) == set()
    assert (await schema_revisions(empty))[0] is None
    await migrate(empty)
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_migration_that_fails_leaves_nothing(empty: Database) -> None:
    async with empty.write() as session:
        await session.execute(text("CREATE TABLE records (id integer)"))  # in the way of ours, which comes last
    with pytest.raises(ConfigurationError, match="records"):
        await migrate(empty)
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(tables) == {"records"}
    assert (await schema_revisions(empty))[0] is None


async def test_a_database_of_a_newer_version_is_told_and_left_alone(database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    found, newest = await schema_revisions(database)
    assert found == "9999"
    with pytest.raises(ConfigurationError, match=f"9999.*{newest}"):
        await migrate(database)
    assert await schema_revisions(database) == ("9999", newest)


async def test_a_new_migration_names_no_type_of_ours(database: Database, tmp_path: Path) -> None:
    """What is generated must still run when our types have changed or gone."""

    def generate(connection: Connection) -> None:
        folder = Path(secure_api.__file__).parent / "migrations"
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.set_main_option("version_locations", f"{folder / 'versions'}{os.pathsep}{tmp_path}")
        config.attributes["connection"] = connection
        command.revision(config, "put it back", autogenerate=True, version_path=str(tmp_path))

    async with database.write() as session:
        await session.execute(text("DROP TABLE records"))
    async with database.engine.connect() as connection:
        await connection.run_sync(generate)
    (path,) = await asyncio.to_thread(lambda: list(tmp_path.glob("*.py")))
    script = await asyncio.to_thread(path.read_text)
    assert 'op.create_table("records"' in script.replace("'", '"')
    assert "sa.DateTime(timezone=True)" in script
    assert "secure_api" not in script
