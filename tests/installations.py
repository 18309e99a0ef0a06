"""Initialized databases, made once a test process and copied for every test: fixtures for a conftest to import."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.consortium import install
from tests.services.fixtures.postgresql import PostgresqlServer


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialized SQLite database, to be copied."""
    path = tmp_path_factory.mktemp("template") / "secure-api.db"
    asyncio.run(install(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: PostgresqlServer) -> str:
    """An initialized PostgreSQL database, to be copied."""
    name = postgresql_server.create_database()
    asyncio.run(install(postgresql_server.url(name)))
    return name
