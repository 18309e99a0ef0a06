"""Sessions that many hands use at once: a nonce counts once, and a limit is a limit, whichever server is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from crypto import SignatureAlgorithm
from tests.attacks import sql
from tests.attacks.handshake import SESSIONS, Held, offer, open_session
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.seal import fresh_reply_key, published, seal_to, seal_within
from tests.attacks.stage import dataset_body
from tests.attacks.test_replay import COPIES, race, records
from tests.attacks.wire import Reply, Wire
from tests.consortium import Message
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

SPENT, OVER = "replayed-or-revoked", "session-over"
MAX_REQUESTS, MAX_BYTES, MAX_SESSIONS = 24, 1 << 20, 2


def within(scene: Scene) -> Message:
    """A write within a session."""
    return open_session(scene).message(target=RECORDS, body=RECORD)


def sealed_within(scene: Scene) -> Message:
    """A write that is sealed under a session's keys."""
    held = open_session(scene)
    return seal_within(held.forge(target=RECORDS, body=RECORD), held).message()


def sealed_to_server(scene: Scene) -> Message:
    """A write that is sealed to the server's key."""
    return seal_to(scene.forge(target=RECORDS, body=RECORD), published(scene), fresh_reply_key()).message()


KINDS: dict[str, Callable[[Scene], Message]] = {
    "within a session": within,
    "sealed within a session": sealed_within,
    "sealed to the server": sealed_to_server,
}


@pytest.fixture(params=KINDS)
def writing(request: pytest.FixtureRequest, scene: Scene) -> Message:
    """A write that succeeds as often as it is believed, of each kind."""
    return KINDS[request.param](scene)


def test_fifty_copies_race_over_three_workers(scene: Scene, writing: Message) -> None:
    count = records(scene)
    wires = [Wire(server.port) for server in (scene.server, scene.other) for _ in range(COPIES // 2)]
    try:
        replies = race(wires, writing)
    finally:
        for wire in wires:
            wire.close()
    assert sorted(reply.status for reply in replies) == [201] + [401] * (COPIES - 1)
    assert records(scene) == count + 1
    for reply in replies:
        if reply.status == 401:
            scene.assert_opaque(reply, SPENT)


def test_a_copy_to_the_other_server(scene: Scene, writing: Message) -> None:
    scene.accept(writing)
    scene.disbelieve(writing, SPENT, server=scene.other)
    scene.disbelieve(writing, SPENT)


def test_the_copy_of_a_handshake(scene: Scene) -> None:
    """A handshake that is sent again opens nothing: the session that it would open would be of an old key."""
    message = offer(scene).message()
    scene.accept(message)
    scene.disbelieve(message, SPENT)
    scene.disbelieve(message, SPENT, server=scene.other)


def test_a_nonce_of_one_session_in_another(scene: Scene) -> None:
    """A nonce belongs to the name beside it: nobody can spend those of others."""
    nonce = '"one-nonce-for-all-of-us"'
    held, other = open_session(scene), open_session(scene, scene.rival)
    scene.accept(held.forge().giving(nonce=nonce).message())
    scene.accept(other.forge().giving(nonce=nonce).message())
    scene.accept(open_session(scene).forge().giving(nonce=nonce).message())
    scene.disbelieve(held.forge().giving(nonce=nonce).message(), SPENT)


def test_a_nonce_spent_by_the_key_is_fresh_within_the_session(scene: Scene) -> None:
    nonce = '"key-and-session-' + dataset_body().hex()[:16] + '"'
    held = open_session(scene)
    scene.accept(scene.forge().giving(nonce=nonce).message())
    scene.accept(held.forge().giving(nonce=nonce).message())


@pytest.fixture
def strict(scene: Scene, run_process: ProcessRunner) -> SecureApiServer:
    """A server on the same database that grants little."""
    environment = {
        "SECURE_API_SESSION_MAX_REQUESTS": str(MAX_REQUESTS),
        "SECURE_API_SESSION_MAX_BYTES": str(MAX_BYTES),
        "SECURE_API_SESSION_MAX_PER_CLIENT": str(MAX_SESSIONS),
    }
    return start_secure_api(run_process, scene.other.home, scene.other.url, env=environment)


def poor(scene: Scene, strict: SecureApiServer) -> Held:
    """A session of a new member on the terms of the strict server."""
    return open_session(scene, scene.enroll("hospital", "contributor", SignatureAlgorithm.ML_DSA_44), server=strict)


def send_at_once(servers: Sequence[SecureApiServer], messages: Sequence[Message]) -> list[Reply]:
    """Send messages, each over a connection of its own, to servers in turn."""
    barrier = Barrier(len(messages))

    def send(number: int) -> Reply:
        with Wire(servers[number % len(servers)].port) as wire:
            barrier.wait()
            return wire.exchange(messages[number])

    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(send, range(len(messages))))


def assert_used_up(scene: Scene, message: Message, server: SecureApiServer) -> None:
    """Check that a request is refused because the session has nothing left."""
    before = scene.state()
    reply = scene.send(message, server)
    scene.assert_unchanged(before, nonces=1)
    assert reply.status == 401
    assert server.refusal(scene.request_id(reply)) == OVER


def test_the_limit_of_requests_is_one_for_all_servers(scene: Scene, strict: SecureApiServer) -> None:
    """However the servers share a session, they never take more of it than there is."""
    held = poor(scene, strict)
    servers = [scene.server, scene.other, strict]
    count = scene.state().tables["datasets"].rows
    accepted = 0
    for _ in range(3):
        replies = send_at_once(servers, [held.message() for _ in range(2 * MAX_REQUESTS)])
        assert {reply.status for reply in replies} <= {201, 401}
        accepted += sum(reply.status == 201 for reply in replies)
    assert 1 <= accepted <= MAX_REQUESTS
    assert scene.state().tables["datasets"].rows == count + accepted
    for server in servers:
        assert_used_up(scene, held.message(), server)


def test_the_limit_of_requests_can_be_used_up_at_one_server(scene: Scene, strict: SecureApiServer) -> None:
    held = poor(scene, strict)
    for _ in range(MAX_REQUESTS):
        scene.accept(held.message(), server=strict)
    assert_used_up(scene, held.message(), strict)
    row = next(row for row in sql.read(scene.server.url)["sessions"] if row["id"] == held.id)
    assert row["requests_left"] == 0


def test_the_limit_of_bytes_is_one_for_all_servers(scene: Scene, strict: SecureApiServer) -> None:
    held = poor(scene, strict)
    body = b'{"time":"2026-11-22T09:30:00Z","attributes":{"note":"%b"}}' % (b"x" * 120_000)
    messages = [held.message(target=RECORDS, body=body) for _ in range(2 * MAX_REQUESTS)]
    replies = send_at_once([scene.server, scene.other, strict], messages)
    accepted = sum(reply.status == 201 for reply in replies)
    assert 1 <= accepted <= MAX_BYTES // len(body)
    assert {reply.status for reply in replies} == {201, 401}


def test_refused_requests_are_paid_for(scene: Scene, strict: SecureApiServer) -> None:
    """Else a session could try for ever."""
    held = poor(scene, strict)
    for _ in range(MAX_REQUESTS):
        reply = scene.send(held.message(method="GET", target="/v1/datasets/none/records", body=b""), strict)
        assert reply.status == 404
    assert_used_up(scene, held.message(), strict)


def test_requests_that_are_not_believed_are_not_paid_for(scene: Scene, strict: SecureApiServer) -> None:
    """Else anybody could use up a session whose name they have seen."""
    held = poor(scene, strict)
    for _ in range(MAX_REQUESTS + 1):
        forged = held.forge()
        assert scene.send(forged.message(bytes(32)), strict).status == 401
    scene.accept(held.message(), server=strict)


def test_the_oldest_session_makes_room(scene: Scene, strict: SecureApiServer) -> None:
    member = scene.enroll("hospital", "contributor", SignatureAlgorithm.ML_DSA_44)
    others = [open_session(scene), open_session(scene, scene.rival)]
    sessions = [open_session(scene, member, server=strict) for _ in range(MAX_SESSIONS + 1)]
    rows = sql.read(scene.server.url)["sessions"]
    active = {row["id"] for row in rows if row["status"] == "active"}
    assert len(active & {held.id for held in sessions}) == MAX_SESSIONS
    assert sessions[-1].id in active
    for held in others:
        scene.accept(held.message())
    listed = scene.ok(member, "GET", SESSIONS)["sessions"]
    assert len(listed) == MAX_SESSIONS
