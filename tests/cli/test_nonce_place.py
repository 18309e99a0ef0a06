"""Where nonces are spent, as `serve` and `doctor` see it."""

from __future__ import annotations

import sys

import pytest

from secure_api.cli.exit_codes import ExitCode
from tests.cli.program import Outcome, Program
from tests.cli.serving import serving
from tests.services.fixtures.redis import RedisServer, redis

WRONG = "s3cr3t-of-somebody"


def nonces(outcome: Outcome) -> tuple[str, str]:
    """State and detail of what `doctor --json` says of nonces."""
    return next((item["state"], item["detail"]) for item in outcome.json() if item["what"] == "nonces")


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("auto", "file beside the database"),
        ("file", "file beside the database"),
        ("database", "table of the database"),
        ("memory", "memory of the process: one worker only"),
    ],
)
def test_doctor_names_the_place(installed: Program, store: str, said: str) -> None:
    outcome = installed("doctor", "--json", env={"SECURE_API_NONCE_STORE": store}).ok()
    assert nonces(outcome) == ("ok", said)


def test_doctor_asks_redis(installed: Program, redis_server: RedisServer) -> None:
    env = {"SECURE_API_NONCE_STORE": "redis", "SECURE_API_REDIS_URL": redis_server.url}
    state, said = nonces(installed("doctor", "--json", env=env).ok())
    assert (state, said.partition(" ")[0]) == ("ok", "redis")
    assert said.endswith(", eviction policy noeviction")


def refused(program: Program, env: dict[str, str], *words: str) -> None:
    """Check that the server does not start, that `doctor` knows why, and that neither repeats the password."""
    env = {"SECURE_API_NONCE_STORE": "redis", **env}
    outcome = program("serve", "--port", "0", env=env).failed(ExitCode.FAILURE, *words)
    assert outcome.stdout == b""
    doctor = program("doctor", "--json", env=env)
    assert doctor.status == ExitCode.FAILURE
    state, said = nonces(doctor)
    assert state == "problem"
    assert [word for word in words if word not in said] == []
    assert WRONG not in doctor.out + doctor.said + outcome.said


def test_a_redis_that_nobody_runs(installed: Program) -> None:
    url = f"redis://:{WRONG}@127.0.0.1:1/0"
    refused(installed, {"SECURE_API_REDIS_URL": url}, "127.0.0.1:1", "is SECURE_API_REDIS_URL right?")


def test_a_wrong_password(installed: Program) -> None:
    with redis(password="the right one") as server:
        url = f"redis://:{WRONG}@127.0.0.1:{server.port}/0"
        refused(installed, {"SECURE_API_REDIS_URL": url}, "does not let us in")
        refused(installed, {"SECURE_API_REDIS_URL": f"redis://127.0.0.1:{server.port}/0"}, "does not let us in")


def test_a_redis_that_would_forget(installed: Program, own_redis: RedisServer) -> None:
    own_redis.execute("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    refused(installed, {"SECURE_API_REDIS_URL": own_redis.url}, "maxmemory-policy", "allkeys-lru")


def test_a_url_that_is_none(installed: Program) -> None:
    url = f"redis://:{WRONG}@127.0.0.1:port/0"
    refused(installed, {"SECURE_API_REDIS_URL": url}, "well-formed")


def test_an_extra_that_is_not_there(installed: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "secure_api.data.redis_connection", raising=False)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    refused(installed, {"SECURE_API_REDIS_URL": "redis://127.0.0.1:1"}, "secure-api[redis]")


def test_one_worker_serves_with_nonces_in_memory(installed: Program) -> None:
    env = {"SECURE_API_NONCE_STORE": "memory", "SECURE_API_SIGNATURE_CLOCK_SKEW": "0"}
    with serving(installed, env=env) as server:
        installed("organizations", "create", "clinic").ok()
        assert '"seconds": 1' in server.log(), "it waits until no message can be older than its memory"
    assert list(installed.home.glob("*.nonces*")) == []


def test_memory_is_for_one_worker(installed: Program) -> None:
    env = {"SECURE_API_NONCE_STORE": "memory"}
    outcome = installed("serve", "--port", "0", "--workers", "2", env=env)
    outcome.failed(ExitCode.USAGE, "nonces in memory are for one worker", "SECURE_API_NONCE_STORE")
