"""Two servers on one PostgreSQL and one Redis: a message counts once, what ended has ended, whatever Redis forgets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.attacks import sql
from tests.attacks.conftest import ENVIRONMENT
from tests.attacks.handshake import SESSIONS, open_session
from tests.attacks.scene import Scene, prepare
from tests.attacks.stage import dataset_body
from tests.consortium import Message, make_home
from tests.services.fixtures.postgresql import PostgresqlServer
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.redis import RedisServer, redis
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

pytestmark = pytest.mark.services

SPENT = "replayed-or-revoked"
COPIES = 30
DATASETS = "/v1/datasets"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """The Redis of these servers."""
    with redis() as server:
        yield server


@pytest.fixture(scope="module")
def shared(
    server: RedisServer,
    postgresql_server: PostgresqlServer,
    postgresql_template: str,
    run_session_process: ProcessRunner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Scene:
    """Two workers, and a server of its own beside them; all at one Redis."""
    home = make_home(tmp_path_factory.mktemp("shared") / "home", None)
    url = postgresql_server.url(postgresql_server.create_database(postgresql_template))
    env = ENVIRONMENT | {
        "SECURE_API_NONCE_STORE": "redis",
        "SECURE_API_REDIS_URL": server.url,
        "SECURE_API_REDIS_TIMEOUT": "1",
        "SECURE_API_SIGNATURE_CLOCK_SKEW": "0",
    }
    first, other = (start_secure_api(run_session_process, home, url, workers=n, env=env) for n in (2, 1))
    return prepare(first, other)


def making(scene: Scene, at: SecureApiServer | None = None) -> Message:
    """A request of the victim that makes a dataset."""
    at = at or scene.server
    return scene.sign(scene.victim, "POST", DATASETS, dataset_body(), authority=at.authority)


def refused(scene: Scene, message: Message, at: SecureApiServer, *reasons: str) -> None:
    """Check that a server takes a message for a replay, or its key for ended."""
    scene.assert_opaque(scene.send(message, at), SPENT, *reasons)


def ready(at: SecureApiServer) -> int:
    """What `/readyz` answers."""
    connection = HTTPConnection("127.0.0.1", at.port)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    finally:
        connection.close()


def servers(scene: Scene) -> tuple[SecureApiServer, SecureApiServer, SecureApiServer]:
    """Every server, the one with two workers twice."""
    return scene.server, scene.other, scene.server


def test_a_message_counts_once_at_all_of_them(shared: Scene) -> None:
    for first, second in ((shared.server, shared.other), (shared.other, shared.server)):
        message = making(shared)
        shared.accept(message, server=first)
        for each in (second, *servers(shared)):
            refused(shared, message, each)


def test_of_copies_that_race_one_counts(shared: Scene) -> None:
    message = making(shared)
    with ThreadPoolExecutor(COPIES) as pool:
        replies = list(pool.map(lambda n: shared.send(message, servers(shared)[n % 3]), range(COPIES)))
    assert sorted(reply.status for reply in replies) == [201] + [401] * (COPIES - 1)


def test_the_database_holds_no_nonces(shared: Scene) -> None:
    shared.accept(making(shared))
    assert sql.read(shared.server.url)["nonces"] == []


def test_a_key_revoked_at_one_is_refused_by_the_other_on_the_next_request(shared: Scene) -> None:
    member = shared.enroll("hospital", "contributor", *(key.algorithm for key in shared.victim.keys))
    for each in servers(shared):
        shared.accept(shared.sign(member, "POST", DATASETS, dataset_body()), server=each)
    waiting = shared.sign(member, "POST", DATASETS, dataset_body())
    shared.ok(shared.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    for each in (shared.other, shared.server):
        refused(shared, waiting, each)


def test_a_session_ended_at_one_is_refused_by_the_other_on_the_next_request(shared: Scene) -> None:
    held = open_session(shared)
    for each in servers(shared):
        shared.accept(held.message(), server=each)
    shared.ok(shared.admin, "DELETE", f"{SESSIONS}/{held.id}")
    for each in (shared.other, shared.server):
        # A worker that never served the session does not find it any more; one that did is told by Redis.
        refused(shared, held.message(), each, "unknown-session")


@pytest.mark.parametrize("loss", ["flush", "restart", "crash"])
def test_whatever_redis_forgets_was_spent(shared: Scene, server: RedisServer, loss: str) -> None:
    message, never_sent = making(shared), making(shared)
    shared.accept(message)
    if loss == "flush":
        server.execute("FLUSHALL")
    else:
        (server.kill if loss == "crash" else server.stop)()
        server.start()
    for each in servers(shared):
        refused(shared, message, each)
    refused(shared, never_sent, shared.server)
    time.sleep(2)  # until what is signed is younger than the memory
    for each in servers(shared):
        shared.accept(making(shared), server=each)
        assert ready(each) == 200


def test_without_redis_nobody_is_believed_and_nothing_is_revoked(shared: Scene, server: RedisServer) -> None:
    member = shared.enroll("hospital", "contributor", *(key.algorithm for key in shared.victim.keys))
    message = shared.sign(member, "POST", DATASETS, dataset_body())
    server.stop()
    try:
        for each in servers(shared):
            assert ready(each) == 503
            for sent in (message, shared.sign(shared.admin, "DELETE", f"/v1/keys/{member.key.keyid}")):
                reply = shared.send(sent, each)
                assert (reply.status, reply.json["type"].rpartition(":")[2]) == (503, "database-unavailable")
                assert b"redis" not in reply.body.lower()
    finally:
        server.start()
    refused(shared, message, shared.server)  # it is older than the memory by now
    time.sleep(2)
    shared.accept(shared.sign(member, "POST", DATASETS, dataset_body()))


def test_a_revocation_that_redis_is_not_told_of_does_not_happen(shared: Scene, server: RedisServer) -> None:
    member = shared.enroll("hospital", "contributor", *(key.algorithm for key in shared.victim.keys))
    revocation = shared.sign(shared.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    server.execute("ACL", "SETUSER", "default", "-eval")  # nonces are spent by EVALSHA
    try:
        assert shared.send(revocation).status == 503
    finally:
        server.execute("ACL", "SETUSER", "default", "+eval")
    for each in servers(shared):
        shared.accept(shared.sign(member, "POST", DATASETS, dataset_body()), server=each)
    shared.ok(shared.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    refused(shared, shared.sign(member, "POST", DATASETS, dataset_body()), shared.other)


def test_servers_that_start_again_remember(shared: Scene, server: RedisServer, run_process: ProcessRunner) -> None:
    env = {"SECURE_API_NONCE_STORE": "redis", "SECURE_API_REDIS_URL": server.url}
    third = start_secure_api(run_process, shared.other.home, shared.other.url, env=ENVIRONMENT | env)
    message, never_sent = making(shared, third), making(shared, third)
    shared.accept(message, server=third)
    third.process.kill()
    again = start_secure_api(run_process, shared.other.home, shared.other.url, env=ENVIRONMENT | env, port=third.port)
    reply = shared.send(message, again)
    assert (reply.status, again.refusal(shared.request_id(reply))) == (401, SPENT)
    shared.accept(never_sent, server=again)
    assert Path(shared.other.home, "secure-api.nonces").exists() is False
