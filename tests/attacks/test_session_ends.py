"""Sessions that count no more, from the very next request on, in every worker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crypto import PrivateKey, SignatureAlgorithm
from tests.attacks import sql
from tests.attacks.forgery import Forgery
from tests.attacks.handshake import SESSIONS, Held, offer, open_session, rekey, rekeying
from tests.attacks.scene import Scene
from tests.attacks.stage import Member
from tests.attacks.test_keys import rotation
from tests.attacks.wire import Wire, encode_head
from tests.services.fixtures.secure_api_server import SecureApiServer

GONE = "replayed-or-revoked"
UNKNOWN = "unknown-session"
ML_DSA_44, ED25519 = SignatureAlgorithm.ML_DSA_44, SignatureAlgorithm.ED25519


def at(server: SecureApiServer, held: Held) -> Forgery:
    """A request within a session to one of the servers."""
    return held.forge(authority=server.authority)


def newcomer(scene: Scene, *algorithms: SignatureAlgorithm) -> tuple[Member, Held]:
    """A member and a session of its that every worker has seen at work, and keeps in its cache."""
    member = scene.enroll("hospital", "contributor", *(algorithms or (ML_DSA_44,)))
    held = open_session(scene, member)
    for server in (scene.server, scene.other):
        for _ in range(4):  # both workers, more likely than not
            scene.accept(at(server, held).message(), server=server)
    return member, held


def assert_over(scene: Scene, held: Held) -> None:
    """Check that no server takes a request within the session, nor a rekey of it."""
    for server in (scene.server, scene.other, scene.server):
        scene.disbelieve(at(server, held).message(), GONE, UNKNOWN, server=server)
    scene.disbelieve(rekeying(held).message(), GONE, UNKNOWN)


def secret_in_database(scene: Scene, held: Held) -> bytes:
    """What the database keeps of the session's secret."""
    secret: bytes = next(row["secret"] for row in sql.read(scene.server.url)["sessions"] if row["id"] == held.id)
    return secret


def test_the_client_ends_it(scene: Scene) -> None:
    _, held = newcomer(scene)
    assert len(secret_in_database(scene, held)) > 32
    scene.accept(held.message(method="DELETE", target=f"{SESSIONS}/{held.id}", body=b""), 204)
    assert_over(scene, held)
    assert secret_in_database(scene, held) == b""


def test_an_admin_ends_it_with_a_request_ready_for_the_other_server(scene: Scene) -> None:
    _, held = newcomer(scene)
    ready = at(scene.other, held).message()
    scene.ok(scene.admin, "DELETE", f"{SESSIONS}/{held.id}")
    scene.disbelieve(ready, GONE, server=scene.other)
    assert_over(scene, held)


def test_the_key_is_revoked_at_one_server_and_the_other_refuses_the_next_request(scene: Scene) -> None:
    member, held = newcomer(scene)
    ready = at(scene.other, held).message()
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    scene.disbelieve(ready, GONE, server=scene.other)
    assert_over(scene, held)
    assert secret_in_database(scene, held) == b""


def test_a_session_revokes_the_key_that_opened_it(scene: Scene) -> None:
    member, held = newcomer(scene)
    scene.accept(held.message(method="DELETE", target=f"/v1/keys/{member.key.keyid}", body=b""), 204)
    assert_over(scene, held)


@pytest.mark.parametrize("index", [0, 1])
def test_one_key_of_a_hybrid_client_is_revoked(scene: Scene, index: int) -> None:
    member, held = newcomer(scene, ML_DSA_44, ED25519)
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.keys[index].keyid}")
    assert_over(scene, held)


def test_the_key_is_rotated(scene: Scene) -> None:
    member, held = newcomer(scene)
    fresh = PrivateKey.generate(ML_DSA_44)
    scene.accept(scene.sign(member, "POST", "/v1/clients/me/keys", rotation(fresh), keys=[member.key, fresh]))
    assert_over(scene, held)
    scene.accept(open_session(scene, Member("hospital", [fresh])).message())


def test_a_rekeyed_session_ends_with_the_key_that_opened_the_first(scene: Scene) -> None:
    member, held = newcomer(scene)
    second = rekey(scene, rekey(scene, held))
    scene.accept(second.message())
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    for each in (held, second):
        assert_over(scene, each)


def test_other_sessions_and_clients_go_on(scene: Scene) -> None:
    """Who is ended is ended alone."""
    member, held = newcomer(scene)
    second, colleague = open_session(scene, member), open_session(scene)
    scene.ok(scene.admin, "DELETE", f"{SESSIONS}/{held.id}")
    scene.accept(second.message())
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    assert_over(scene, second)
    scene.accept(colleague.message())


def test_the_session_ends_while_the_body_is_on_its_way(scene: Scene) -> None:
    _, held = newcomer(scene)
    message = held.message()
    with Wire(scene.server.port) as wire:
        wire.send(encode_head(replace(message, headers=(*message.headers, ("expect", "100-continue")))))
        wire.wait_for(b"100 Continue\r\n\r\n")
        scene.ok(scene.admin, "DELETE", f"{SESSIONS}/{held.id}")
        before = scene.state()
        wire.send(message.body)
        reply = wire.receive("POST")
    assert scene.state() == before
    scene.assert_opaque(reply, GONE, UNKNOWN)


@pytest.mark.parametrize("change", ["status = 'ACTIVE'", "status = ''", "status = 'replaced'", "expires = created - 1"])
def test_what_is_not_active_now_is_over(scene: Scene, change: str) -> None:
    held, other = open_session(scene), open_session(scene)
    sql.execute(scene.server.url, f"UPDATE sessions SET {change} WHERE id = '{held.id}'")
    assert_over(scene, held)
    scene.accept(other.message())


def test_a_handshake_by_a_revoked_key(scene: Scene) -> None:
    member, _ = newcomer(scene)
    ready = offer(scene, member)
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    scene.disbelieve(ready.message(), GONE)


def test_an_ended_session_is_not_ended_again(scene: Scene) -> None:
    _, held = newcomer(scene)
    scene.ok(scene.admin, "DELETE", f"{SESSIONS}/{held.id}")
    scene.refuse(scene.sign(scene.admin, "DELETE", f"{SESSIONS}/{held.id}"), 404, "not-found", nonces=1)
