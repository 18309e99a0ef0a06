"""The Redis of the tests: what the fixtures promise to every other test."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError, ConnectionError

from tests.services.fixtures.redis import RedisServer, redis

ROOT = Path(__file__).parents[2]


def test_the_server_keeps_everything_in_memory(redis_server: RedisServer) -> None:
    assert redis_server.execute("CONFIG", "GET", "save")["save"] == ""
    assert redis_server.execute("CONFIG", "GET", "appendonly")["appendonly"] == "no"
    major, minor, *_ = redis_server.execute("INFO", "server")["redis_version"].split(".")
    assert (int(major), int(minor)) >= (6, 2)


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_a_server_that_is_started_again_is_empty_and_has_its_port(own_redis: RedisServer, ending: str) -> None:
    own_redis.execute("SET", "key", "value")
    port = own_redis.port
    getattr(own_redis, ending)()
    with pytest.raises(ConnectionError):
        own_redis.execute("PING")
    own_redis.start()
    assert own_redis.port == port
    assert own_redis.execute("GET", "key") is None


def test_a_server_that_saves_remembers() -> None:
    with redis("--save", "3600", "1") as server:
        server.execute("SET", "key", "value")
        server.stop()
        server.start()
        assert server.execute("GET", "key") == "value"


def test_a_password_is_asked_for() -> None:
    with redis(password="open sesame") as server:
        assert server.execute("PING") is True
        server._password = "closed sesame"
        with pytest.raises(AuthenticationError):
            server.execute("PING")


def test_the_server_ends_with_the_process_that_started_it() -> None:
    """Even when that process is killed: then nobody runs a finalizer."""
    script = (
        "import os, signal\n"
        "from tests.services.fixtures.redis import redis\n"
        "running = redis()\n"
        "server = running.__enter__()\n"
        "print(server._folder, server.execute('INFO', 'server')['process_id'], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True)
    folder, pid = killed.stdout.split()
    assert killed.returncode == -signal.SIGKILL
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.01)
    while Path(folder).exists():
        time.sleep(0.01)


def test_a_missing_component_fails_where_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="redis-server on PATH"), redis():
        pytest.fail("a server without its program")
    monkeypatch.delenv("REQUIRE_SERVICES")
    with pytest.raises(pytest.skip.Exception, match="redis-server on PATH"), redis():
        pytest.fail("a server without its program")
