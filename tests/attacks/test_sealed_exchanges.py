"""What a sealed request may and may not do, and what its answer gives away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from crypto import PrivateKey, SealingPrivateKey, SignatureAlgorithm
from tests.attacks.forgery import Forgery
from tests.attacks.handshake import Held, open_session
from tests.attacks.scene import RECORDS, Scene
from tests.attacks.seal import fresh_reply_key, open_reply, open_within, published, seal_to, seal_within
from tests.attacks.stage import PROBLEM, enrollment_body
from tests.attacks.wire import Reply
from tests.consortium import Message

SPENT = "replayed-or-revoked"
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Sealed:
    """A sealed request, and what opens its answer."""

    request: Forgery
    opener: Held | SealingPrivateKey

    def message(self) -> Message:
        """The request, signed."""
        return self.request.message()

    def open(self, reply: Reply) -> Any:
        """The JSON of the answer."""
        if isinstance(self.opener, Held):
            return open_within(reply, self.request, self.opener)
        return open_reply(reply, self.request, self.opener)


def within(scene: Scene, inner: str = "application/json", **changes: Any) -> Sealed:
    """A request of the victim's sealed under its session's keys."""
    held = open_session(scene)
    return Sealed(seal_within(held.forge(**changes), held, inner=inner), held)


def to_server(scene: Scene, inner: str = "application/json", **changes: Any) -> Sealed:
    """A request of the victim's sealed to the server's key."""
    reply_key = fresh_reply_key()
    return Sealed(seal_to(scene.forge(**changes), published(scene), reply_key, inner=inner), reply_key)


SEALS: dict[str, Callable[..., Sealed]] = {"within a session": within, "to the server": to_server}


@pytest.fixture(params=SEALS)
def seal(request: pytest.FixtureRequest) -> Callable[..., Sealed]:
    """The two ways to seal."""
    return SEALS[request.param]


#: Bodies that are not JSON that both ends would read alike; they are refused by reason and place.
BODIES = {
    "a member twice": b'{"name":"a",\n "name":"b"}',
    "not UTF-8": b'{"name":"\xff"}',
    "a number beyond binary64": b'{"name":1e400}',
    "not a number": b'{"name":NaN}',
    "half a pair": b'{"name":"\\ud800"}',
    "zero character": b'{"name":"\\u0000"}',
    "text behind it": b'{"name":"a"} x',
    "cut": b'{"name":"a"',
    "nested too deep": b'{"name":' + b"[" * 65 + b"]" * 65 + b"}",
}


@pytest.mark.parametrize("name", BODIES)
def test_json_that_is_refused_is_refused_at_the_same_place_and_in_a_seal(
    scene: Scene, seal: Callable[..., Sealed], name: str
) -> None:
    clear = scene.refuse(scene.forge(body=BODIES[name]).message(), 400, "json-rejected", nonces=1)
    sealed = seal(scene, body=BODIES[name])
    before = scene.state()
    reply = scene.send(sealed.message())
    scene.assert_unchanged(before, nonces=1)
    assert reply.status == 400
    assert b"json-rejected" not in reply.body
    problem = sealed.open(reply)
    assert {**problem, "instance": ""} == {**clear.json, "instance": ""}


#: Requests that are refused when they have been opened, for reasons that the wire must not show.
REFUSALS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "no such dataset": (404, "not-found", {"method": "GET", "target": "/v1/datasets/none/records", "body": b""}),
    "no such route": (404, "not-found", {"target": "/v1/nowhere"}),
    "not allowed": (403, "forbidden", {"method": "GET", "target": "/v1/clients", "body": b""}),
    "no such method": (405, "method-not-allowed", {"method": "PUT"}),
    "there already": (409, "conflict", {"body": b'{"name":"vitals"}'}),
    "a member that nobody knows": (422, "validation-failed", {"body": b'{"name":"a","secret-member":1}'}),
    "no body": (422, "validation-failed", {"body": b""}),
    "a bad cursor": (400, "bad-cursor", {"method": "GET", "target": RECORDS + "?cursor=x", "body": b""}),
    "a type that is not JSON": (415, "unsupported-media-type", {"inner": "text/plain"}),
    "a type that is sealed": (415, "unsupported-media-type", {"inner": "application/vnd.secure-api.sealed"}),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_sealed(scene: Scene, seal: Callable[..., Sealed], name: str) -> None:
    status, slug, changes = REFUSALS[name]
    sealed = seal(scene, **changes)
    before = scene.state()
    reply = scene.send(sealed.message())
    scene.assert_unchanged(before, nonces=1)
    assert reply.status == status
    assert slug.encode() not in reply.body
    assert sealed.open(reply)["type"] == PROBLEM + slug


def test_the_wire_shows_neither_question_nor_answer(scene: Scene, seal: Callable[..., Sealed]) -> None:
    sealed = seal(
        scene, method="POST", body=b'{"name":"very-secret-%b"}' % fresh_reply_key().public_key.hex()[:16].encode()
    )
    message = sealed.message()
    reply = scene.accept(message)
    for text in (b"very-secret", b"name", b"created"):
        assert text not in message.body
        assert text not in reply.body
    assert "very-secret" not in str(reply.headers)
    assert sealed.open(reply)["name"].startswith("very-secret")


def test_two_answers_to_one_question_have_nothing_in_common(scene: Scene) -> None:
    held = open_session(scene)
    replies = []
    for _ in range(2):
        request = seal_within(held.forge(method="GET", body=b""), held)
        replies.append(scene.accept(request.message(), 200).body)
    assert replies[0][:12] != replies[1][:12], "a nonce of AES-GCM is used once"
    assert replies[0][12:] != replies[1][12:]


@pytest.mark.parametrize("size", [MEBIBYTE + 1, MEBIBYTE + 28, MEBIBYTE + 1_400])
def test_a_body_that_is_too_large_is_not_opened(scene: Scene, seal: Callable[..., Sealed], size: int) -> None:
    message = seal(scene, body=b" " * size).message()
    assert len(message.body) > MEBIBYTE
    scene.refuse(message, 413, "payload-too-large")


def test_the_limit_is_that_of_the_sealed_body(scene: Scene, seal: Callable[..., Sealed]) -> None:
    overhead = len(seal(scene, body=b"").message().body)
    scene.refuse(seal(scene, body=b" " * (MEBIBYTE - overhead + 1)).message(), 413, "payload-too-large")
    sealed = seal(scene, body=b" " * (MEBIBYTE - overhead))
    before = scene.state()
    reply = scene.send(sealed.message())
    scene.assert_unchanged(before, nonces=1)
    assert sealed.open(reply)["type"] == PROBLEM + "json-rejected"


def enrolling(scene: Scene, token: str, key: PrivateKey, **changes: Any) -> Sealed:
    """An enrollment that is sealed to the server's key."""
    changes = {"target": "/v1/clients", "body": enrollment_body(token, [key]), **changes}
    reply_key = fresh_reply_key()
    forgery = Forgery(key, scene.server.authority, **changes)
    return Sealed(seal_to(forgery, published(scene), reply_key), reply_key)


def test_a_token_is_sealed_and_works_once(scene: Scene) -> None:
    token, key = scene.token("hospital", "contributor"), PrivateKey.generate(SignatureAlgorithm.ML_DSA_44)
    sealed = enrolling(scene, token, key)
    assert token.encode() not in sealed.message().body
    assert sealed.open(scene.accept(sealed.message()))["organization"] == "hospital"
    second = enrolling(scene, token, PrivateKey.generate(SignatureAlgorithm.ML_DSA_44))
    before = scene.state()
    reply = scene.send(second.message())
    assert scene.state() == before
    assert reply.status == 401
    assert second.open(reply)["type"] == PROBLEM + "authentication-failed"


def test_an_enrollment_sealed_for_another_key(scene: Scene) -> None:
    """Whoever records a sealed enrollment cannot enroll in its place: the key that signs is bound, too."""
    token, key = scene.token("hospital", "contributor"), PrivateKey.generate(SignatureAlgorithm.ML_DSA_44)
    genuine = enrolling(scene, token, key)
    own = PrivateKey.generate(SignatureAlgorithm.ML_DSA_44)
    stolen = Forgery(
        own,
        scene.server.authority,
        target="/v1/clients",
        body=genuine.request.body,
        content_type=genuine.request.content_type,
    )
    scene.refuse(stolen.message(), 400, "sealed-body-rejected")
    genuine.open(scene.accept(genuine.message()))


def test_a_malformed_enrollment_is_answered_before_anybody_is_believed_and_repeats_nothing(scene: Scene) -> None:
    token, key = scene.token("hospital", "contributor"), PrivateKey.generate(SignatureAlgorithm.ML_DSA_44)
    doubled = enrollment_body(token, [key]).replace(b'"keys"', b'"token": "another", "keys"')
    sealed = enrolling(scene, token, key, body=doubled)
    reply = scene.refuse(sealed.message(), 400, "json-rejected")
    assert token.encode() not in reply.body
    assert b"another" not in reply.body


def test_an_enrollment_sealed_under_a_sessions_keys(scene: Scene) -> None:
    held = open_session(scene)
    key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_44)
    body = enrollment_body(scene.token("hospital", "contributor"), [key])
    by_its_own_key = Forgery(key, scene.server.authority).but(target="/v1/clients", body=body)
    scene.refuse(seal_within(by_its_own_key, held).message(), 400, "sealed-body-rejected")
    within = seal_within(held.forge().but(target="/v1/clients", body=body), held)
    problem = open_within(scene.send(within.message()), within, held)
    assert (problem["status"], problem["type"]) == (403, "urn:problem-type:secure-api:forbidden")
