"""Servers that are killed and asked to stop: each test has its own, on a database of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.consortium import make_home
from tests.installations import postgresql_template, sqlite_template
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

__all__ = ["postgresql_template", "sqlite_template"]

#: Starts the server, the second time on the port of the first.
Start = Callable[[], SecureApiServer]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def start(request: pytest.FixtureRequest, tmp_path: Path, run_process: ProcessRunner) -> Start:
    """`start() -> SecureApiServer`: two workers on an initialized database."""
    folder = tmp_path / "durable"
    folder.mkdir()
    if request.param == "sqlite":
        home = make_home(folder / "home", request.getfixturevalue("sqlite_template"))
        url = f"sqlite+aiosqlite:///{home / 'secure-api.db'}"
    else:
        home, url = make_home(folder / "home", None), request.getfixturevalue("postgresql_database")
    environment = {"SECURE_API_LEDGER_HEAD_INTERVAL": "86400"}  # heads are signed at shutdown alone
    ports: list[int | None] = [None]

    def run() -> SecureApiServer:
        server = start_secure_api(run_process, home, url, workers=2, port=ports[0], env=environment)
        ports[0] = server.port
        return server

    return run
