"""Keys that count no more, from the very next request on, in every worker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from crypto import PrivateKey, SignatureAlgorithm
from tests.attacks.scene import Scene
from tests.attacks.stage import Member, dataset_body
from tests.attacks.wire import Wire, encode_head
from tests.consortium import Message

ML_DSA_44, ED25519 = SignatureAlgorithm.ML_DSA_44, SignatureAlgorithm.ED25519
GONE = "replayed-or-revoked"


def newcomer(scene: Scene, *algorithms: SignatureAlgorithm) -> Member:
    """A member whose key both servers have seen at work, and keep in their caches."""
    member = scene.enroll("hospital", "contributor", *(algorithms or (ML_DSA_44,)))
    for server in (scene.server, scene.other):
        for _ in range(4):  # both workers, more likely than not
            message = scene.sign(member, "GET", "/v1/clients/me", authority=server.authority)
            scene.accept(message, 200, server)
    return member


def writing(scene: Scene, member: Member) -> Message:
    """A write of a member."""
    return scene.sign(member, "POST", "/v1/datasets", dataset_body())


def test_a_revoked_key(scene: Scene) -> None:
    member = newcomer(scene)
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    for _ in range(4):
        scene.disbelieve(writing(scene, member), GONE)


def test_a_key_revoked_at_one_server_is_refused_by_the_other_on_the_next_request(scene: Scene) -> None:
    member = newcomer(scene)
    ready = scene.sign(member, "POST", "/v1/datasets", dataset_body(), authority=scene.other.authority)
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
    scene.disbelieve(ready, GONE, server=scene.other)


def test_a_key_that_revoked_itself(scene: Scene) -> None:
    member = newcomer(scene)
    scene.ok(member, "DELETE", f"/v1/keys/{member.key.keyid}")
    scene.disbelieve(writing(scene, member), GONE)
    scene.disbelieve(scene.sign(member, "DELETE", f"/v1/keys/{member.key.keyid}"), GONE)


def test_a_revoked_key_is_not_revoked_again(scene: Scene) -> None:
    member = newcomer(scene)
    target = f"/v1/keys/{member.key.keyid}"
    scene.ok(scene.admin, "DELETE", target)
    scene.refuse(scene.sign(scene.admin, "DELETE", target), 409, "conflict", nonces=1)


def test_a_hybrid_client_of_which_one_key_is_revoked_is_not_left_with_the_other(scene: Scene) -> None:
    member = newcomer(scene, ML_DSA_44, ED25519)
    scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.keys[0].keyid}")
    scene.disbelieve(writing(scene, member), GONE)
    alone = Member(member.organization, member.keys[1:])
    scene.disbelieve(writing(scene, alone), "signature-missing")


def test_a_key_rotated_away(scene: Scene) -> None:
    member = newcomer(scene)
    fresh = PrivateKey.generate(ED25519)
    rotate = scene.sign(member, "POST", "/v1/clients/me/keys", rotation(fresh), keys=[member.key, fresh])
    scene.accept(rotate)
    scene.disbelieve(writing(scene, member), GONE)
    scene.disbelieve(writing(scene, Member("hospital", [member.key, fresh])), "signature-missing", GONE)
    scene.accept(writing(scene, Member("hospital", [fresh])))


def test_the_replay_of_a_rotation(scene: Scene) -> None:
    member = newcomer(scene)
    fresh = PrivateKey.generate(ML_DSA_44)
    rotate = scene.sign(member, "POST", "/v1/clients/me/keys", rotation(fresh), keys=[member.key, fresh])
    scene.accept(rotate)
    scene.disbelieve(rotate, GONE)
    scene.accept(writing(scene, Member("hospital", [fresh])))


def test_a_rotation_that_the_old_key_did_not_sign(scene: Scene) -> None:
    fresh = PrivateKey.generate(ML_DSA_44)
    message = scene.sign(scene.victim, "POST", "/v1/clients/me/keys", rotation(fresh), keys=[fresh])
    scene.disbelieve(message, *UNPROVEN)
    scene.accept(writing(scene, scene.victim))


def test_a_rotation_that_the_new_key_did_not_sign(scene: Scene) -> None:
    """A client cannot be made to hold a key that somebody else holds."""
    fresh = PrivateKey.generate(ML_DSA_44)
    message = scene.sign(scene.victim, "POST", "/v1/clients/me/keys", rotation(fresh))
    scene.disbelieve(message, "signature-missing")
    scene.accept(writing(scene, scene.victim))


def test_a_rotation_of_half_a_hybrid_client(scene: Scene) -> None:
    fresh = PrivateKey.generate(ML_DSA_44)
    half = [scene.hybrid.keys[0], fresh]
    message = scene.sign(scene.hybrid, "POST", "/v1/clients/me/keys", rotation(fresh), keys=half)
    scene.disbelieve(message, "signature-missing")


def test_a_rotation_to_the_key_of_a_colleague(scene: Scene) -> None:
    """Both signed, yet a keyid names one client for good."""
    taken = scene.analyst.key
    message = scene.sign(scene.victim, "POST", "/v1/clients/me/keys", rotation(taken), keys=[scene.victim.key, taken])
    scene.refuse(message, 409, "conflict", nonces=1)
    scene.accept(writing(scene, scene.victim))


def test_a_rotation_to_the_old_key(scene: Scene) -> None:
    message = scene.sign(scene.victim, "POST", "/v1/clients/me/keys", rotation(scene.victim.key))
    scene.disbelieve(message, *UNPROVEN)


def test_a_rotation_at_an_encoded_path_does_not_skip_the_proof(scene: Scene) -> None:
    """The router decodes the path; whoever looks for keys in the body has to look at the same one."""
    member = newcomer(scene)
    fresh = PrivateKey.generate(ML_DSA_44)
    target = "/v1/clients/me/%6beys"
    before = scene.state()
    reply = scene.send(scene.sign(member, "POST", target, rotation(fresh)))
    scene.assert_unchanged(before)
    scene.assert_opaque(reply, "signature-missing")
    scene.accept(writing(scene, member))


def test_two_rotations_prepared_at_once(scene: Scene) -> None:
    """The second one is signed by keys that the first one ended."""
    member = newcomer(scene)
    fresh = [PrivateKey.generate(ML_DSA_44) for _ in range(2)]
    messages = [
        scene.sign(member, "POST", "/v1/clients/me/keys", rotation(key), keys=[member.key, key]) for key in fresh
    ]
    scene.accept(messages[0])
    scene.disbelieve(messages[1], GONE)


def test_rotations_race(scene: Scene) -> None:
    """Of ten rotations of one client, one counts: it ends with one active key, whatever the workers had read."""
    member = newcomer(scene)
    fresh = [PrivateKey.generate(ML_DSA_44) for _ in range(10)]
    messages = [
        scene.sign(member, "POST", "/v1/clients/me/keys", rotation(key), keys=[member.key, key]) for key in fresh
    ]
    barrier = Barrier(len(messages))

    def send(message: Message) -> int:
        with Wire(scene.server.port) as wire:
            barrier.wait()
            return wire.exchange(message).status

    with ThreadPoolExecutor(len(messages)) as pool:
        statuses = list(pool.map(send, messages))
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 401, 409}
    winner = Member("hospital", [fresh[statuses.index(201)]])
    profile = scene.ok(winner, "GET", "/v1/clients/me")
    active = [key["keyid"] for key in profile["keys"] if key["status"] == "active"]
    assert active == [winner.key.keyid]
    assert len(profile["keys"]) == 2


def test_a_key_revoked_while_the_body_is_on_its_way(scene: Scene) -> None:
    member = newcomer(scene)
    message = writing(scene, member)
    with Wire(scene.server.port) as wire:
        wire.send(encode_head(replace(message, headers=(*message.headers, ("expect", "100-continue")))))
        wire.wait_for(b"100 Continue\r\n\r\n")
        scene.ok(scene.admin, "DELETE", f"/v1/keys/{member.key.keyid}")
        before = scene.state()
        wire.send(message.body)
        reply = wire.receive("POST")
    assert scene.state() == before
    scene.assert_opaque(reply, GONE)


def test_a_weak_key_is_not_enrolled(scene: Scene) -> None:
    """A point of small order verifies signatures that anybody can make (RFC 8032, RFC 7748 §6)."""
    token = scene.token("hospital", "contributor")
    jwk = '{"kty":"OKP","crv":"Ed25519","x":"' + "A" * 43 + '"}'
    body = f'{{"token":"{token}","keys":[{jwk}]}}'.encode()
    stranger = PrivateKey.generate(ED25519)
    message = scene.sign(Member("hospital", [stranger]), "POST", "/v1/clients", body)
    scene.refuse(message, 422, "validation-failed")


def test_a_private_key_sent_by_mistake_is_refused_and_not_repeated(scene: Scene) -> None:
    token = scene.token("hospital", "contributor")
    stranger = PrivateKey.generate(ED25519)
    public = ",".join(f'"{name}":"{value}"' for name, value in stranger.public_key.jwk().items())
    body = f'{{"token":"{token}","keys":[{{{public},"d":"c2VjcmV0LXNlZWQ"}}]}}'.encode()
    message = scene.sign(Member("hospital", [stranger]), "POST", "/v1/clients", body)
    reply = scene.refuse(message, 422, "validation-failed")
    assert b"c2VjcmV0LXNlZWQ" not in reply.body
    assert "c2VjcmV0LXNlZWQ" not in scene.server.process.output()
    assert token not in scene.server.process.output()


#: The key that signed alone proves itself, and no client.
UNPROVEN = ("not-enrolled", "signature-missing", "unknown-key")


def rotation(*keys: PrivateKey) -> bytes:
    """The body that presents new keys."""
    members = [
        "{" + ",".join(f'"{name}":"{value}"' for name, value in key.public_key.jwk().items()) + "}" for key in keys
    ]
    return f'{{"keys":[{",".join(members)}]}}'.encode()
