"""The servers that are attacked: on SQLite behind h11, as a lean install runs, and on PostgreSQL behind httptools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.scene import Scene, prepare
from tests.consortium import make_home
from tests.installations import postgresql_template, sqlite_template
from tests.services.fixtures.postgresql import PostgresqlServer
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import start_secure_api

__all__ = ["postgresql_template", "sqlite_template"]

#: Nothing but requests may change the database while snapshots are compared.
ENVIRONMENT = {"SECURE_API_LEDGER_HEAD_INTERVAL": "86400", "SECURE_API_NONCE_SWEEP_INTERVAL": "3600"}


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, run_session_process: ProcessRunner
) -> Scene:
    """Two workers, and a server of its own beside them on the same database."""
    folder = tmp_path_factory.mktemp("attacked")
    lean = request.param == "sqlite"
    if lean:
        template: Path = request.getfixturevalue("sqlite_template")
        home = make_home(folder / "home", template)
        url = f"sqlite+aiosqlite:///{home / 'secure-api.db'}"
    else:
        postgresql: PostgresqlServer = request.getfixturevalue("postgresql_server")
        home = make_home(folder / "home", None)
        url = postgresql.url(postgresql.create_database(request.getfixturevalue("postgresql_template")))
    server, other = (
        start_secure_api(run_session_process, home, url, workers=workers, lean=lean, env=ENVIRONMENT)
        for workers in (2, 1)
    )
    return prepare(server, other)
