"""Ways into the consortium without being let in."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Barrier

import pytest

from crypto import PrivateKey, SignatureAlgorithm
from tests.attacks import sql
from tests.attacks.scene import Scene
from tests.attacks.stage import Member, enrollment_body
from tests.attacks.wire import Reply, Wire
from tests.consortium import Message

ML_DSA_44, ED25519 = SignatureAlgorithm.ML_DSA_44, SignatureAlgorithm.ED25519
RACERS = 20
NEVER_ISSUED = "sat_" + "A" * 43


def enrolling(scene: Scene, token: str, *keys: PrivateKey, by: list[PrivateKey] | None = None) -> Message:
    """The request that enrolls keys, signed by them or by others."""
    return scene.sign(
        Member("", keys), "POST", "/v1/clients", enrollment_body(token, keys), keys=list(keys) if by is None else by
    )


def key(algorithm: SignatureAlgorithm = ML_DSA_44) -> PrivateKey:
    """A key that nobody knows yet."""
    return PrivateKey.generate(algorithm)


def test_a_token_used_twice(scene: Scene) -> None:
    token = scene.token("hospital", "contributor")
    scene.accept(enrolling(scene, token, key()))
    scene.disbelieve(enrolling(scene, token, key()), "enrollment-token")


def test_the_replay_of_an_enrollment(scene: Scene) -> None:
    message = enrolling(scene, scene.token("hospital", "contributor"), key())
    scene.accept(message)
    scene.disbelieve(message, "enrollment-token")


def test_twenty_enrollments_race_for_one_token(scene: Scene) -> None:
    token = scene.token("hospital", "contributor")
    messages = [enrolling(scene, token, key()) for _ in range(RACERS)]
    clients = scene.state().tables["clients"].rows
    barrier = Barrier(RACERS)

    def race(message: Message) -> Reply:
        with Wire(scene.server.port) as wire:
            barrier.wait()
            return wire.exchange(message)

    with ThreadPoolExecutor(RACERS) as pool:
        replies = list(pool.map(race, messages))
    assert sorted(reply.status for reply in replies) == [201] + [401] * (RACERS - 1)
    assert scene.state().tables["clients"].rows == clients + 1
    for reply in replies:
        if reply.status == 401:
            scene.assert_opaque(reply, "enrollment-token")


def test_a_token_never_issued(scene: Scene) -> None:
    scene.disbelieve(enrolling(scene, NEVER_ISSUED, key()), "enrollment-token")


def test_a_token_in_capitals(scene: Scene) -> None:
    scene.disbelieve(enrolling(scene, scene.token("hospital", "analyst").upper(), key()), "enrollment-token")


def test_what_the_database_keeps_of_a_token_is_no_token(scene: Scene) -> None:
    digest = sha256(scene.token("hospital", "contributor").encode()).hexdigest()
    assert digest in str(sql.read(scene.server.url)["enrollment_tokens"])
    scene.disbelieve(enrolling(scene, digest, key()), "enrollment-token")


def test_an_expired_token(scene: Scene) -> None:
    token = scene.token("hospital", "contributor")
    sql.execute(scene.server.url, "UPDATE enrollment_tokens SET expires = created WHERE used IS NULL")
    scene.disbelieve(enrolling(scene, token, key()), "enrollment-token")


def test_a_token_lets_in_where_and_as_what_it_was_issued(scene: Scene) -> None:
    """No member of the body can widen it: neither role nor organization is asked of the newcomer."""
    token = scene.token("rival", "analyst")
    mine = key()
    body = json.loads(enrollment_body(token, [mine]))
    for claim in ({"role": "admin"}, {"organization": "hospital"}):
        message = scene.sign(Member("", [mine]), "POST", "/v1/clients", json.dumps(body | claim).encode())
        scene.refuse(message, 422, "validation-failed")
    profile = scene.accept(enrolling(scene, token, mine)).json
    assert (profile["organization"], profile["role"]) == ("rival", "analyst")


def test_possession_not_proven(scene: Scene) -> None:
    """The body presents a key that is somebody else's; the request is signed by another one."""
    token = scene.token("hospital", "contributor")
    thiefs, others = key(), key()
    scene.disbelieve(enrolling(scene, token, others, by=[thiefs]), "signature-missing", "unknown-key")
    scene.accept(enrolling(scene, token, others))


@pytest.mark.parametrize("proven", [0, 1])
def test_possession_of_one_of_two_keys_proven(scene: Scene, proven: int) -> None:
    token = scene.token("hospital", "contributor")
    pair = [key(ML_DSA_44), key(ED25519)]
    scene.disbelieve(enrolling(scene, token, *pair, by=[pair[proven]]), "signature-missing")
    scene.accept(enrolling(scene, token, *pair))


def test_possession_claimed_for_another_key(scene: Scene) -> None:
    """The signature names the presented key, and another one made it."""
    token = scene.token("hospital", "contributor")
    presented, thiefs = key(), key()
    forgery = scene.forge(Member("", [thiefs]), target="/v1/clients", body=enrollment_body(token, [presented]))
    scene.disbelieve(forgery.giving(keyid=f'"{presented.keyid}"').message(), "invalid-signature")
    scene.accept(enrolling(scene, token, presented))


def test_two_keys_of_one_kind(scene: Scene) -> None:
    token = scene.token("hospital", "contributor")
    scene.refuse(enrolling(scene, token, key(), key()), 422, "validation-failed")
    scene.accept(enrolling(scene, token, key()))


def test_one_key_twice(scene: Scene) -> None:
    token, mine = scene.token("hospital", "contributor"), key()
    body = json.dumps({"token": token, "keys": [mine.public_key.jwk()] * 2}).encode()
    scene.refuse(scene.sign(Member("", [mine]), "POST", "/v1/clients", body), 422, "validation-failed")


@pytest.mark.parametrize("who", ["victim", "rival", "operator"])
def test_a_key_that_is_enrolled_already(scene: Scene, who: str) -> None:
    """The token stays good: nothing of the failed enrollment is kept."""
    token = scene.token("hospital", "admin")
    scene.refuse(enrolling(scene, token, getattr(scene, who).key), 409, "conflict")
    scene.accept(enrolling(scene, token, key()))


def test_a_revoked_key_does_not_come_back(scene: Scene) -> None:
    member = scene.enroll("hospital", "contributor", ML_DSA_44)
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    scene.refuse(enrolling(scene, scene.token("hospital", "contributor"), member.key), 409, "conflict")


def test_a_member_does_not_enroll_again(scene: Scene) -> None:
    """Signed by a known key and by the presented one: the caller is somebody already."""
    token, fresh = scene.token("hospital", "admin"), key()
    message = enrolling(scene, token, fresh, by=[scene.victim.key, fresh])
    before = scene.state()
    reply = scene.send(message)
    scene.assert_unchanged(before, nonces=1)
    scene.assert_opaque(reply, "enrollment-signed-by-a-client")
    scene.accept(enrolling(scene, token, key()))


def test_an_enrollment_at_an_encoded_path_does_not_skip_the_proof(scene: Scene) -> None:
    token, mine, others = scene.token("hospital", "contributor"), key(), key()
    message = scene.sign(Member("", [mine]), "POST", "/v1/%63lients", enrollment_body(token, [others]), keys=[mine])
    scene.disbelieve(message, "signature-missing", "unknown-key")
