"""Sealed bodies that are malformed: their content type, their bytes, their keys. All of them are signed."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from crypto import SealingPrivateKey, SealingPublicKey, sealing_kid
from tests.attacks.forgery import Forgery
from tests.attacks.handshake import open_session
from tests.attacks.scene import Scene
from tests.attacks.seal import JSON, MEDIA_TYPE, Target, fresh_reply_key, published, seal_to, seal_within, sealed_type
from tests.attacks.stage import dataset_body

REJECTED = (400, "sealed-body-rejected")
GCM, HPKE = "aes-256-gcm", "hpke-x-wing"


def written(kid: str) -> dict[str, str]:
    """Other ways to write the content type of a body that is sealed under a session's keys."""
    return {
        "in capitals": f'{MEDIA_TYPE.upper()};alg={GCM};kid={kid};type="{JSON}"',
        "a space behind the semicolon": f'{MEDIA_TYPE}; alg={GCM}; kid={kid}; type="{JSON}"',
        "a space before the semicolon": f'{MEDIA_TYPE} ;alg={GCM};kid={kid};type="{JSON}"',
        "a tab": f'{MEDIA_TYPE};\talg={GCM};kid={kid};type="{JSON}"',
        "another order": f'{MEDIA_TYPE};kid={kid};alg={GCM};type="{JSON}"',
        "a parameter more": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="{JSON}";v=1',
        "a parameter more in front": f'{MEDIA_TYPE};v=1;alg={GCM};kid={kid};type="{JSON}"',
        "alg twice": f'{MEDIA_TYPE};alg={GCM};alg={GCM};kid={kid};type="{JSON}"',
        "kid twice": f'{MEDIA_TYPE};alg={GCM};kid={kid};kid={"A" * 32};type="{JSON}"',
        "type twice": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="{JSON}";type="text/plain"',
        "no alg": f'{MEDIA_TYPE};kid={kid};type="{JSON}"',
        "no kid": f'{MEDIA_TYPE};alg={GCM};type="{JSON}"',
        "no type": f"{MEDIA_TYPE};alg={GCM};kid={kid}",
        "no parameters": MEDIA_TYPE,
        "a semicolon and nothing": f"{MEDIA_TYPE};",
        "a semicolon at the end": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="{JSON}";',
        "type without quotes": f"{MEDIA_TYPE};alg={GCM};kid={kid};type={JSON}",
        "type in single quotes": f"{MEDIA_TYPE};alg={GCM};kid={kid};type='{JSON}'",
        "kid in quotes": f'{MEDIA_TYPE};alg={GCM};kid="{kid}";type="{JSON}"',
        "alg in capitals": f'{MEDIA_TYPE};alg={GCM.upper()};kid={kid};type="{JSON}"',
        "names in capitals": f'{MEDIA_TYPE};ALG={GCM};KID={kid};TYPE="{JSON}"',
        "alg of nothing": f'{MEDIA_TYPE};alg=;kid={kid};type="{JSON}"',
        "alg that is no sealing": f'{MEDIA_TYPE};alg=none;kid={kid};type="{JSON}"',
        "alg of another size": f'{MEDIA_TYPE};alg=aes-128-gcm;kid={kid};type="{JSON}"',
        "kid of nothing": f'{MEDIA_TYPE};alg={GCM};kid=;type="{JSON}"',
        "kid too long": f'{MEDIA_TYPE};alg={GCM};kid={"A" * 44};type="{JSON}"',
        "type of nothing": f'{MEDIA_TYPE};alg={GCM};kid={kid};type=""',
        "type too long": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="{"a" * 256}"',
        "type with a quote in it": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="application/\\"json"',
        "type with a backslash in it": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="application\\\\json"',
        "a type behind it": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="{JSON}", {JSON}',
        "text behind it": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="{JSON}" x',
        "eight thousand characters": f'{MEDIA_TYPE};alg={GCM};kid={kid};type="{"a" * 8_000}"',
    }


@pytest.mark.parametrize("name", written("kid"))
def test_a_content_type_has_one_form(scene: Scene, name: str) -> None:
    """What is bound byte for byte must not have two; the body is sealed for the one that is sent."""
    held = open_session(scene)
    content_type = written(held.id)[name]
    request = seal_within(held.forge(), held, content_type=content_type).but(content_type=content_type)
    scene.refuse(request.message(), *REJECTED, nonces=1)
    scene.accept(seal_within(held.forge(), held).message())


@pytest.mark.parametrize("content_type", [MEDIA_TYPE + "2", f"x/y, {MEDIA_TYPE}", "application/octet-stream", "sealed"])
def test_what_does_not_say_that_it_is_sealed_is_not_opened(scene: Scene, content_type: str) -> None:
    held = open_session(scene)
    request = seal_within(held.forge(), held, content_type=content_type).but(content_type=content_type)
    scene.refuse(request.message(), 415, "unsupported-media-type", nonces=1)


def test_a_sealed_body_inside_a_sealed_body(scene: Scene) -> None:
    """One layer is opened; what is in it is for the routes, none of which takes a sealed body."""
    held = open_session(scene)
    inner = seal_within(held.forge(), held)
    outer = seal_within(held.forge(body=inner.body), held, inner=MEDIA_TYPE)
    before = scene.state()
    reply = scene.send(outer.message())
    scene.assert_unchanged(before, nonces=1)
    assert reply.status == 415


#: What happened to the bytes of a sealed body; all but the first bytes belong to ciphertext and tag.
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "one byte": lambda body: body[:1],
    "the nonce alone": lambda body: body[:12],
    "a byte less than nonce and tag": lambda body: body[:27],
    "nonce and tag of nothing": lambda body: body[:28],
    "the last byte missing": lambda body: body[:-1],
    "the first byte missing": lambda body: body[1:],
    "a byte more": lambda body: body + b"\0",
    "a byte before": lambda body: b"\0" + body,
    "twice": lambda body: body * 2,
    "a bit of the first byte": lambda body: bytes([body[0] ^ 1]) + body[1:],
    "the highest bit of the first byte": lambda body: bytes([body[0] ^ 0x80]) + body[1:],
    "a bit of the middle": lambda body: body[:20] + bytes([body[20] ^ 1]) + body[21:],
    "a bit of the last byte": lambda body: body[:-1] + bytes([body[-1] ^ 1]),
    "the tag zeroed": lambda body: body[:-16] + bytes(16),
    "all zeros": lambda body: bytes(len(body)),
    "random bytes": lambda body: secrets.token_bytes(len(body)),
    "in the clear": lambda _: dataset_body(),
}


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("algorithm", [GCM, HPKE])
def test_the_bytes_of_a_sealed_body(scene: Scene, algorithm: str, name: str) -> None:
    request = sealed(scene, algorithm)
    scene.refuse(request.but(body=BYTES[name](request.body)).message(), *REJECTED, nonces=1)
    scene.accept(sealed(scene, algorithm).message())


def sealed(scene: Scene, algorithm: str) -> Forgery:
    """A genuine sealed request of the victim's."""
    if algorithm == HPKE:
        return seal_to(scene.forge(), published(scene), fresh_reply_key())
    held = open_session(scene)
    return seal_within(held.forge(), held)


@pytest.mark.parametrize("size", [1_119, 1_120, 1_135, 1_136, 1_136 + 1_215])
def test_the_lengths_of_a_body_that_is_sealed_to_the_server(scene: Scene, size: int) -> None:
    request = sealed(scene, HPKE)
    scene.refuse(request.but(body=request.body[:size]).message(), *REJECTED, nonces=1)


#: Names of keys that are not the victim's session's to use.
KIDS: dict[str, Callable[[Scene], str]] = {
    "a colleague's session": lambda scene: open_session(scene, scene.analyst).id,
    "a rival's session": lambda scene: open_session(scene, scene.rival).id,
    "another session of the client's": lambda scene: open_session(scene).id,
    "the server's sealing key": lambda scene: published(scene).kid,
    "the client's key": lambda scene: scene.victim.key.keyid,
    "the reply key": lambda _: "reply",
    "nothing": lambda _: secrets.token_urlsafe(24),
}


@pytest.mark.parametrize("name", KIDS)
def test_a_body_under_the_sessions_key_that_names_another(scene: Scene, name: str) -> None:
    held = open_session(scene)
    content_type = sealed_type(GCM, KIDS[name](scene))
    request = seal_within(held.forge(), held, content_type=content_type).but(content_type=content_type)
    scene.refuse(request.message(), *REJECTED, nonces=1)


@pytest.mark.parametrize("name", [name for name in KIDS if name != "the server's sealing key"])
def test_a_body_to_the_servers_key_that_names_another(scene: Scene, name: str) -> None:
    target = published(scene)
    named = Target(KIDS[name](scene), target.key)
    scene.refuse(seal_to(scene.forge(), named, fresh_reply_key()).message(), *REJECTED, nonces=1)
    scene.accept(seal_to(scene.forge(), target, fresh_reply_key()).message())


def test_a_body_to_a_key_of_the_attackers_own(scene: Scene) -> None:
    """Whoever is given a forged key seals to the forger: the server must not take part in it."""
    own = SealingPrivateKey(secrets.token_bytes(32)).public_key
    for kid in (published(scene).kid, sealing_kid(own)):
        forged = Target(kid, SealingPublicKey(own))
        scene.refuse(seal_to(scene.forge(), forged, fresh_reply_key()).message(), *REJECTED, nonces=1)


def test_a_body_under_a_sessions_key_outside_the_session(scene: Scene) -> None:
    """The client's own key signs, and the body is sealed under the keys of its session."""
    held = open_session(scene)
    scene.refuse(seal_within(scene.forge(), held).message(), *REJECTED, nonces=1)
    scene.accept(seal_within(held.forge(), held).message())


def test_a_body_to_the_servers_key_within_a_session(scene: Scene) -> None:
    """Within a session there is one way to seal."""
    held = open_session(scene)
    scene.refuse(seal_to(held.forge(), published(scene), fresh_reply_key()).message(), *REJECTED, nonces=1)


@pytest.mark.parametrize("key", ["server_aead", "rekey"])
def test_a_body_under_another_of_the_sessions_keys(scene: Scene, key: str) -> None:
    held = open_session(scene)
    request = seal_within(held.forge(), held, key=getattr(held.keys, key))
    scene.refuse(request.message(), *REJECTED, nonces=1)


def test_a_body_that_the_server_sealed_comes_back(scene: Scene) -> None:
    """An answer within a session is no request within it."""
    held = open_session(scene)
    answer = scene.accept(seal_within(held.forge(), held).message())
    request = held.forge(body=answer.body, content_type=answer.header("content-type"))
    scene.refuse(request.message(), *REJECTED, nonces=1)


#: Keys for the answer that nothing can be sealed to.
REPLY_KEYS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "a byte less": lambda key: key[:0],
    "its ML-KEM part not reduced": lambda key: b"\xff" * 3 + key[3:],
    "its X25519 part zero": lambda key: key[:-32] + bytes(32),
    "its X25519 part one": lambda key: key[:-32] + b"\1" + bytes(31),
    "its X25519 part of order eight": lambda key: (
        key[:-32] + bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
    ),
    "its X25519 part p": lambda key: key[:-32] + bytes.fromhex("ed" + "ff" * 30 + "7f"),
    "all of it zero": lambda key: bytes(len(key)),
    "all of it ones": lambda key: b"\xff" * len(key),
}


@pytest.mark.parametrize("name", REPLY_KEYS)
def test_a_key_for_the_answer_that_cannot_be_used(scene: Scene, name: str) -> None:
    """It is refused before anything is done: an answer that cannot be sealed would otherwise be too late."""
    reply_key = REPLY_KEYS[name](fresh_reply_key().public_key)
    scene.refuse(seal_to(scene.forge(), published(scene), reply_key).message(), *REJECTED, nonces=1)
