"""Servers that are killed and asked to stop: each test has its own, on a database of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.consortium import make_home
from tests.durability.study_members import Crowd
from tests.installations import postgresql_template, sqlite_template
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

__all__ = ["postgresql_template", "sqlite_template"]

#: Kill servers at every point, and not at those alone that say most. It takes minutes.
EVERY_KILL = bool(os.environ.get("STUDY_KILLS"))
#: Starts the server with so many workers, the second time on the port of the first.
Start = Callable[..., SecureApiServer]


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> int:
    """How many workers a server has whose studies are killed: one; on PostgreSQL, with `STUDY_KILLS=1` alone, two."""
    if "postgresql" not in request.node.name:
        return 1
    if not EVERY_KILL:
        pytest.skip("STUDY_KILLS=1 kills at every point, and two workers on PostgreSQL, too")
    return 2


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """Clients of a server that is started again."""
    with ExitStack() as connections:
        yield Crowd(connections)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def start(request: pytest.FixtureRequest, tmp_path: Path, run_process: ProcessRunner) -> Start:
    """`start(workers=2) -> SecureApiServer`: a server on an initialized database."""
    folder = tmp_path / "durable"
    folder.mkdir()
    if request.param == "sqlite":
        home = make_home(folder / "home", request.getfixturevalue("sqlite_template"))
        url = f"sqlite+aiosqlite:///{home / 'secure-api.db'}"
    else:
        home, url = make_home(folder / "home", None), request.getfixturevalue("postgresql_database")
    environment = {
        "SECURE_API_LEDGER_HEAD_INTERVAL": "86400",  # heads are signed at shutdown alone
        "SECURE_API_STUDY_INTERVAL": "0.1",
        "SECURE_API_STUDY_LEASE": "2",  # what a killed worker held is free again after so many seconds
    }
    ports: list[int | None] = [None]

    def run(workers: int = 2) -> SecureApiServer:
        server = start_secure_api(run_process, home, url, workers=workers, port=ports[0], env=environment)
        ports[0] = server.port
        return server

    return run
