"""The application in this process, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from secure_api.app import create_app
from secure_api.settings import Settings
from tests.consortium import AUTHORITY, Consortium, SteeredClock, install, make_home
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


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a server whose database is initialized: each test that asks for them runs on both databases."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        return Settings(home=make_home(home, request.getfixturevalue("sqlite_template")))
    url = request.getfixturevalue("postgresql_database")
    return Settings(home=make_home(home, None), database_url=SecretStr(url), database_pool=4)


@pytest.fixture
async def consortium(settings: Settings) -> AsyncIterator[Consortium]:
    """The application, started and ready."""
    clock = SteeredClock()
    app = create_app(settings, clock=clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{AUTHORITY}") as http,
    ):
        yield Consortium(app, http, clock, settings)
