"""Rekeys: of whose session, how often, when, and from which secret."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from crypto import KemAlgorithm, KemPrivateKey, SignatureAlgorithm
from tests.attacks import sql
from tests.attacks.handshake import SESSIONS, Held, offer, offer_body, open_session, rekey, rekeying
from tests.attacks.scene import Scene
from tests.attacks.wire import Wire
from tests.attacks.writers import held_up

REFUSED = ("replayed-or-revoked", "unknown-session")


def active(scene: Scene, held: Held) -> list[str]:
    """The names of the sessions that the database holds active for the session's client."""
    rows = sql.read(scene.server.url)["sessions"]
    client = next(row["client_id"] for row in rows if row["id"] == held.id)
    return [row["id"] for row in rows if row["client_id"] == client and row["status"] == "active"]


@pytest.mark.parametrize("suite", list(KemAlgorithm))
def test_of_ones_own(scene: Scene, suite: KemAlgorithm) -> None:
    first = open_session(scene, suite=suite)
    second = rekey(scene, first)
    scene.accept(second.message())
    assert second.id != first.id
    assert second.answer["expires"] == first.answer["expires"]
    scene.accept(first.message())  # requests that were on the way


@pytest.mark.parametrize("other", ["victim", "analyst", "rival", "rival_admin", "admin", "operator"])
def test_of_anothers(scene: Scene, other: str) -> None:
    held, theirs = open_session(scene), open_session(scene, getattr(scene, other))
    message = theirs.message(target=f"{SESSIONS}/{held.id}/rekey", body=rekeying(held).requests[0].body)
    scene.refuse(message, 404, "not-found", nonces=1)
    scene.accept(held.message())


def test_by_the_clients_key(scene: Scene) -> None:
    """It proves more than the session does, and yet is no part of it."""
    held = open_session(scene)
    message = offer(scene, target=f"{SESSIONS}/{held.id}/rekey").message()
    scene.refuse(message, 404, "not-found", nonces=1)


def test_of_no_session(scene: Scene) -> None:
    held = open_session(scene)
    body = rekeying(held).requests[0].body
    scene.refuse(held.message(target=f"{SESSIONS}/{'A' * 32}/rekey", body=body), 404, "not-found", nonces=1)
    scene.refuse(held.message(target=f"{SESSIONS}/{'A' * 33}/rekey", body=body), 422, "validation-failed", nonces=1)


def test_twice(scene: Scene) -> None:
    """An old session that takes what was on the way is no well of new ones."""
    held = open_session(scene)
    second = rekey(scene, held)
    known = active(scene, held)
    before = scene.state()
    reply = scene.send(rekeying(held).message())
    scene.assert_unchanged(before, nonces=1)
    assert (reply.status, reply.json["type"]) == (401, "urn:problem-type:secure-api:authentication-failed")
    assert scene.server.refusal(scene.request_id(reply)) == "session-replaced"
    assert active(scene, held) == known
    scene.accept(second.message())


def test_rekeys_race(scene: Scene) -> None:
    """Of ten rekeys of one session, one counts."""
    held = open_session(scene)
    messages = [rekeying(held).message() for _ in range(10)]
    barrier = Barrier(len(messages))

    def send(number: int) -> int:
        with Wire(scene.server.port) as wire:
            barrier.wait()
            return wire.exchange(messages[number]).status

    known = set(active(scene, held))
    with ThreadPoolExecutor(len(messages)) as pool:
        statuses = sorted(pool.map(send, range(len(messages))))
    assert statuses == [201] + [401] * 9
    assert len(set(active(scene, held)) - known) == 1


def test_after_the_end(scene: Scene) -> None:
    held = open_session(scene)
    ready = rekeying(held)
    scene.accept(held.message(method="DELETE", target=f"{SESSIONS}/{held.id}", body=b""), 204)
    scene.disbelieve(ready.message(), *REFUSED)


def test_to_keys_that_do_not_come_from_the_old_ones(scene: Scene) -> None:
    """Whoever breaks the second key exchange and not the first has nothing."""
    held = open_session(scene)
    handshake = rekeying(held)
    reply = scene.accept(handshake.message())
    for previous in (b"", bytes(32), held.secret):
        scene.disbelieve(handshake.finish(reply, previous=previous).message(), "invalid-signature")
    scene.accept(handshake.finish(reply).message())


def test_its_replay(scene: Scene) -> None:
    held = open_session(scene)
    message = rekeying(held).message()
    scene.accept(message)
    scene.disbelieve(message, *REFUSED)


def test_with_the_key_of_another_suite(scene: Scene) -> None:
    held = open_session(scene)
    body = offer_body(KemPrivateKey.generate(KemAlgorithm.ML_KEM_768), suite="x-wing")
    scene.refuse(rekeying(held, body=body).message(), 422, "validation-failed", nonces=1)
    scene.accept(held.message())


def test_while_the_key_is_revoked(scene: Scene) -> None:
    """A session that is made in that very moment ends with the others."""
    member = scene.enroll("hospital", "contributor", SignatureAlgorithm.ML_DSA_44)
    held = open_session(scene, member)
    scene.accept(held.message())
    handshake = rekeying(held)
    revoking = scene.sign(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    with ThreadPoolExecutor(2) as pool:
        with held_up(scene.server.url) as wait_for:
            rekeyed = pool.submit(scene.send, handshake.message())
            wait_for(1)
            revoked = pool.submit(scene.send, revoking)
            wait_for(2)
        assert revoked.result().status == 204
    assert active(scene, held) == []
    if rekeyed.result().status == 201:  # it came first
        scene.disbelieve(handshake.finish(rekeyed.result()).message(), *REFUSED)
