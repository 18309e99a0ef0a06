"""Databases, initialized, of both kinds."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from secure_api.data.database import Database
from tests.installations import anyio_backend, postgresql_template, sqlite_template

__all__ = ["anyio_backend", "postgresql_template", "sqlite_template"]


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The URL of an initialized SQLite database that only this test uses."""
    path = tmp_path / "secure-api.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_database: str) -> str:
    """The URL of an initialized PostgreSQL database that only this test uses."""
    return postgresql_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an initialized database that only this test uses: each test runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """That database, open."""
    database = Database(database_url, pool_size=5)
    yield database
    await database.close()
