"""Handshakes that somebody changed, repeated in their own name, or made of bad keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from crypto import KemAlgorithm, KemPrivateKey, SignatureAlgorithm
from tests.attacks import sql
from tests.attacks.attack import Attack, each
from tests.attacks.forgery import digest_of, joined
from tests.attacks.handshake import SESSIONS, Handshake, base64url, offer, offer_body, open_session, unbase64url
from tests.attacks.scene import Scene
from tests.consortium import Message

INVALID = "invalid-signature"
X_WING = KemAlgorithm.X_WING


def with_body(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Scene], Message]:
    """The victim's handshake with another body, and the digest to go with it."""

    def make(scene: Scene) -> Message:
        message = offer(scene).message()
        body = json.dumps(change(json.loads(message.body))).encode()
        return replace(message, body=body).with_header("content-digest", digest_of(body))

    return make


def own_key(suite: KemAlgorithm) -> dict[str, Any]:
    """An offer of the attacker's own."""
    offered: dict[str, Any] = json.loads(offer_body(KemPrivateKey.generate(suite)))
    return offered


CHANGES = {
    "another suite": Attack(INVALID, with_body(lambda body: body | {"suite": "ml-kem-768"})),
    "another suite, with the key cut to fit": Attack(
        INVALID,
        with_body(
            lambda body: {
                "suite": "ml-kem-768",
                "public_key": base64url(unbase64url(body["public_key"])[:1_184]),
            }
        ),
    ),
    "an older suite and a key of the attacker's": Attack(
        INVALID, with_body(lambda _: own_key(KemAlgorithm.ML_KEM_768))
    ),
    "the attacker's key": Attack(INVALID, with_body(lambda _: own_key(X_WING))),
    "a member more": Attack(INVALID, with_body(lambda body: body | {"expires": 0})),
    "the same body in other bytes": Attack(INVALID, with_body(lambda body: dict(reversed(body.items())))),
    "the body alone": Attack("digest-mismatch", lambda scene: replace(offer(scene).message(), body=b"{}")),
    "the path": Attack(INVALID, lambda scene: replace(offer(scene).message(), target="/v1/datasets")),
    "a query": Attack(INVALID, lambda scene: replace(offer(scene).message(), target=SESSIONS + "?suite=ml-kem-768")),
    "the authority": Attack(INVALID, lambda scene: offer(scene).message().with_header("host", "api.example.org")),
    "the signature of another handshake": Attack(
        INVALID,
        lambda scene: offer(scene).message().with_header("signature", offer(scene).message().header("signature")),
    ),
    "no signature": Attack("missing-signature", lambda scene: offer(scene).message().with_header("signature", None)),
    "one key of a hybrid client": Attack(
        "signature-missing", lambda scene: offer(scene, scene.hybrid).requests[0].message()
    ),
    "the other key of a hybrid client": Attack(
        "signature-missing", lambda scene: offer(scene, scene.hybrid).requests[1].message()
    ),
    "two clients at once": Attack(
        "several-clients",
        lambda scene: two_clients(scene),
    ),
}


def two_clients(scene: Scene) -> Message:
    """One offer that two clients sign: whose would the session be?"""
    first = offer(scene).requests[0]
    second = offer(scene, scene.analyst, body=first.body).requests[0].but(label="sig2")
    return joined(first.message(), second.message())


@each(CHANGES)
def test_changed_on_the_way(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)


@pytest.mark.parametrize("suite", list(KemAlgorithm))
@pytest.mark.parametrize("who", ["victim", "hybrid"])
def test_what_they_begin_with_opens_a_session(scene: Scene, suite: KemAlgorithm, who: str) -> None:
    held = open_session(scene, getattr(scene, who), suite)
    assert held.answer["suite"] == suite.value
    scene.accept(held.message())


def test_the_server_stores_nothing_but_the_session_and_its_entry(scene: Scene) -> None:
    before = scene.state()
    handshake = offer(scene)
    scene.accept(handshake.message())
    after = scene.state()
    changed = {name for name in after.tables if after.tables[name] != before.tables[name]}
    assert changed == {"sessions", "ledger_entries"}
    assert after.nonces.rows == before.nonces.rows + 1


#: One part of the transcript as the two ends could see it differently.
PARTS: dict[str, Callable[[Handshake, bytes], dict[str, Any]]] = {
    "the key that signs the answer": lambda it, _: {"server_keyid": it.member.key.keyid},
    "no key that signs the answer": lambda *_: {"server_keyid": ""},
    "the body of the request": lambda it, _: {"request_body": it.requests[0].body + b" "},
    "the body of the answer": lambda _, body: {"response_body": body.replace(b'"max_requests":', b'"max_requests": ')},
    "the limits in the answer": lambda _, body: {"response_body": body.replace(b'"max_bytes":', b'"max_bytes":9')},
    "the suite in the answer": lambda _, body: {"response_body": body.replace(b"x-wing", b"x-ping")},
    "both bodies as one": lambda it, body: {"request_body": it.requests[0].body + body, "response_body": b""},
    "the two bodies swapped": lambda it, body: {"request_body": body, "response_body": it.requests[0].body},
    "the nonce of the request": lambda it, _: {
        "request_bases": [request.giving(nonce='"another-nonce"').base() for request in it.requests]
    },
    "the time of the request": lambda it, _: {
        "request_bases": [request.giving(created="1").base() for request in it.requests]
    },
    "the path of the request": lambda it, _: {
        "request_bases": [request.but(target="/v1/other").base() for request in it.requests]
    },
    "the authority of the request": lambda it, _: {
        "request_bases": [request.but(authority="api.example.org").base() for request in it.requests]
    },
    "one signature less": lambda it, _: {"request_bases": [request.base() for request in it.requests[1:]]},
    "one signature more": lambda it, _: {
        "request_bases": [request.base() for request in (*it.requests, it.requests[0])]
    },
    "the signatures in another order": lambda it, _: {
        "request_bases": [request.base() for request in reversed(it.requests)]
    },
    "a secret of before": lambda *_: {"previous": bytes(32)},
}


@pytest.mark.parametrize("part", PARTS)
def test_ends_that_saw_different_handshakes_have_no_key_in_common(scene: Scene, part: str) -> None:
    handshake = offer(scene, scene.hybrid)
    reply = scene.accept(handshake.message())
    differing = handshake.finish(reply, **PARTS[part](handshake, reply.body))
    scene.disbelieve(differing.message(), INVALID)
    agreeing = handshake.finish(reply)
    own = {agreeing.secret, agreeing.keys.client_aead, agreeing.keys.server_aead, agreeing.keys.rekey}
    assert not own & {differing.secret, differing.keys.client_aead, differing.keys.server_aead, differing.keys.rekey}
    scene.accept(agreeing.message())


@pytest.mark.parametrize("thief", ["analyst", "rival"])
def test_an_offer_repeated_by_somebody_else(scene: Scene, thief: str) -> None:
    """They open a session of their own, without its keys; and the victim, who could, does not take it for its own."""
    genuine = offer(scene)
    stolen = offer(scene, getattr(scene, thief), body=genuine.requests[0].body)
    reply = scene.accept(stolen.message())
    scene.disbelieve(stolen.finish(reply).message(), INVALID)
    scene.disbelieve(genuine.finish(reply).message(), INVALID)
    held = genuine.finish(scene.accept(genuine.message()))
    scene.accept(held.message())
    owners = {row["id"]: row["client_id"] for row in sql.read(scene.server.url)["sessions"]}
    assert owners[reply.json["id"]] != owners[held.id]


def test_an_answer_from_another_handshake(scene: Scene) -> None:
    first, second = offer(scene), offer(scene)
    replies = [scene.accept(handshake.message()) for handshake in (first, second)]
    scene.disbelieve(first.finish(replies[1]).message(), INVALID)
    scene.disbelieve(second.finish(replies[0]).message(), INVALID)
    scene.accept(first.finish(replies[0]).message())


def test_a_ciphertext_with_a_bit_changed(scene: Scene) -> None:
    handshake = offer(scene)
    reply = scene.accept(handshake.message())
    answer = reply.json
    ciphertext = bytearray(unbase64url(answer["ciphertext"]))
    ciphertext[0] ^= 1
    changed = json.dumps(answer | {"ciphertext": base64url(bytes(ciphertext))}, separators=(",", ":")).encode()
    scene.disbelieve(handshake.finish(replace(reply, body=changed)).message(), INVALID)
    scene.disbelieve(handshake.finish(replace(reply, body=changed), response_body=reply.body).message(), INVALID)
    scene.accept(handshake.finish(reply).message())


def x_wing_key(change: Callable[[bytes], bytes], suite: str = "x-wing") -> bytes:
    """An offer whose key is a good one of X-Wing's, changed."""
    raw = change(KemPrivateKey.generate(X_WING).public_key.raw)
    return json.dumps({"suite": suite, "public_key": base64url(raw)}).encode()


#: Offers that no session can be made of.
OFFERS: dict[str, Callable[[], bytes]] = {
    "a key cut by a byte": lambda: x_wing_key(lambda key: key[:-1]),
    "a key with a byte more": lambda: x_wing_key(lambda key: key + b"\0"),
    "no key": lambda: x_wing_key(lambda _: b""),
    "a key that is not reduced": lambda: x_wing_key(lambda key: b"\xff" * 3 + key[3:]),
    "a key of ones": lambda: x_wing_key(lambda key: b"\xff" * len(key)),
    "a key of zeros": lambda: x_wing_key(lambda key: bytes(len(key))),
    "an X25519 part of zero": lambda: x_wing_key(lambda key: key[:-32] + bytes(32)),
    "an X25519 part of one": lambda: x_wing_key(lambda key: key[:-32] + b"\1" + bytes(31)),
    "an X25519 part of p": lambda: x_wing_key(lambda key: key[:-32] + bytes.fromhex("ed" + "ff" * 30 + "7f")),
    "the key of another suite": lambda: x_wing_key(lambda key: key, "ml-kem-768"),
    "the key of a smaller suite": lambda: offer_body(KemPrivateKey.generate(KemAlgorithm.ML_KEM_768), suite="x-wing"),
    "a suite that is not allowed": lambda: x_wing_key(lambda key: key[:800], "ml-kem-512"),
    "a suite of no post-quantum part": lambda: x_wing_key(lambda key: key[-32:], "x25519"),
    "a suite in capitals": lambda: x_wing_key(lambda key: key, "X-WING"),
    "no suite": lambda: x_wing_key(lambda key: key, ""),
    "a list of suites": lambda: b'{"suite":["x-wing"],"public_key":"AAAA"}',
    "a key with padding": lambda: b'{"suite":"x-wing","public_key":"AAAAAA=="}',
    "a key of other letters": lambda: b'{"suite":"x-wing","public_key":"++++////"}',
    "a member more": lambda: x_wing_key(lambda key: key)[:-1] + b',"lifetime":999999}',
    "an array": lambda: b"[]",
}


@pytest.mark.parametrize("name", OFFERS)
def test_an_offer_that_no_session_can_be_made_of(scene: Scene, name: str) -> None:
    scene.refuse(offer(scene, body=OFFERS[name]()).message(), 422, "validation-failed", nonces=1)


def test_a_client_without_any_session_is_not_disturbed_by_refused_offers(scene: Scene) -> None:
    member = scene.enroll("hospital", "contributor", SignatureAlgorithm.ML_DSA_44)
    scene.refuse(offer(scene, member, body=OFFERS["no key"]()).message(), 422, "validation-failed", nonces=1)
    assert scene.ok(member, "GET", SESSIONS) == {"sessions": []}
    scene.accept(open_session(scene, member).message())
