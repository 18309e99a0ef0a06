"""The application in this process, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from secure_api.settings import Settings
from tests.api.running import started
from tests.consortium import Consortium, make_home
from tests.installations import anyio_backend, postgresql_template, sqlite_template

__all__ = ["anyio_backend", "postgresql_template", "sqlite_template"]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a server whose database is initialized: each test that asks for them runs on both databases."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        return Settings(home=make_home(home, request.getfixturevalue("sqlite_template")), study_interval=0.2)
    url = request.getfixturevalue("postgresql_database")
    return Settings(home=make_home(home, None), database_url=SecretStr(url), database_pool=4, study_interval=0.2)


@pytest.fixture
async def consortium(settings: Settings) -> AsyncIterator[Consortium]:
    """The application, started and ready."""
    async with started(settings) as consortium:
        yield consortium


@pytest.fixture
def embedded(tmp_path: Path, sqlite_template: Path) -> Settings:
    """Settings of a server on SQLite alone, for what no database has a part in."""
    return Settings(home=make_home(tmp_path / "home", sqlite_template))
