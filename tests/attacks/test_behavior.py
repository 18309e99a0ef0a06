"""Attackers of a server with two workers: what one sees, both act upon; a state that is none, the log tells of."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from crypto import SignatureAlgorithm
from secure_api.client import REPORT, Session, SignatureAuth
from tests.attacks.stage import Member, Stage
from tests.attacks.wire import Reply
from tests.consortium import make_home, server_key
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

ENFORCE = {"SECURE_API_BEHAVIOR": "enforce", "SECURE_API_BEHAVIOR_INTERVAL": "0.1"}
ED25519 = SignatureAlgorithm.ED25519


@pytest.fixture
def server(tmp_path: Path, sqlite_template: Path, run_process: ProcessRunner) -> SecureApiServer:
    home = make_home(tmp_path / "home", sqlite_template)
    return start_secure_api(run_process, home, f"sqlite+aiosqlite:///{home / 'secure-api.db'}", workers=2, env=ENFORCE)


def walk(stage: Stage, thief: Member, times: int = 20) -> list[int]:
    return [stage.send(stage.sign(thief, "GET", f"/v1/studies/{uuid4()}")).status for _ in range(times)]


def alerts(stage: Stage, admin: Member) -> list[dict[str, object]]:
    found: list[dict[str, object]] = stage.ok(admin, "GET", "/v1/alerts")["alerts"]
    return found


def answers_of_both(stage: Stage, member: Member) -> set[int]:
    """Ask until both workers have answered, each request over a connection of its own; returns the statuses."""
    statuses: set[int] = set()
    asked: set[int] = set()
    workers = set(stage.server.worker_pids())
    while asked < workers:
        with socket.create_connection(("127.0.0.1", stage.server.port)) as connection:
            message = stage.sign(member, "GET", "/v1/clients/me")
            head = "".join(f"{name}: {value}\r\n" for name, value in message.headers)
            connection.sendall(f"GET {message.target} HTTP/1.1\r\n{head}\r\n".encode())
            status = int(connection.recv(65_536).split()[1])
            asked.add(stage.server.worker_of(connection.getsockname()[1]))
        statuses.add(status)
    return statuses


def test_a_client_that_walks_foreign_objects_is_blocked_by_both_workers(server: SecureApiServer) -> None:
    stage = Stage(server, server)
    stage.ok(stage.operator, "POST", "/v1/organizations", b'{"name":"hospital"}')
    admin, thief, bystander = (stage.enroll("hospital", role, ED25519) for role in ("admin", "analyst", "analyst"))
    statuses = walk(stage, thief)
    assert set(statuses) <= {404, 401}
    while answers_of_both(stage, thief) != {401}:
        time.sleep(0.05)
    assert answers_of_both(stage, bystander) == {200}
    (alert,) = alerts(stage, admin)
    assert (alert["rule"], alert["action"]) == ("foreign objects", "block")
    reply: Reply = stage.send(stage.sign(thief, "GET", "/v1/clients/me"))
    stage.assert_opaque(reply, "blocked")
    stage.ok(admin, "PUT", f"/v1/alerts/{alert['id']}/label", b'{"label":"false"}')
    while answers_of_both(stage, thief) != {200}:
        time.sleep(0.05)
    server.process.stop()
    assert len(list(server.home.glob("behavior-*.state"))) == 2  # each worker's own


def test_a_session_signs_while_the_server_wants_it(server: SecureApiServer) -> None:
    """A neighbor sends one message twice; whose requests are in a session goes on, as its client signs them."""
    stage = Stage(server, server)
    stage.ok(stage.operator, "POST", "/v1/organizations", b'{"name":"hospital"}')
    member = stage.enroll("hospital", "contributor", ED25519)
    session = Session(SignatureAuth(*member.keys, server_key=server_key().public_key))
    with httpx.Client(base_url=server_url(server), auth=session, trust_env=False) as client:
        assert client.get("/v1/clients/me").extensions[REPORT].signed_by == named(session)
        message = stage.sign(member, "GET", "/v1/clients/me")
        assert [stage.send(message).status for _ in range(2)] == [200, 401]
        while True:
            answer = client.get("/v1/clients/me")
            assert answer.status_code == 200
            if answer.extensions[REPORT].signed_by == server_key().public_key.keyid:
                break
            time.sleep(0.05)


def server_url(server: SecureApiServer) -> str:
    return f"http://{server.authority}"


def named(session: Session) -> str:
    assert session.current is not None
    return session.current.id


@pytest.fixture
def spoilt(tmp_path: Path, sqlite_template: Path) -> Path:
    """A home whose saved state is none."""
    home = make_home(tmp_path / "spoilt", sqlite_template)
    (home / "behavior-0.state").write_bytes(b"SAPIBEHV" + b"\xff" * 5_000)
    return home


def test_a_corrupt_state_is_one_line_of_the_log(spoilt: Path, run_process: ProcessRunner) -> None:
    url = f"sqlite+aiosqlite:///{spoilt / 'secure-api.db'}"
    server = start_secure_api(run_process, spoilt, url, env=ENFORCE)
    (line,) = server.log("starts cold")
    assert (line["level"], line["reason"]) == ("warning", "The state has version 65535; this program reads 1.")
    stage = Stage(server, server)
    assert stage.ok(stage.operator, "GET", "/v1/clients/me")
