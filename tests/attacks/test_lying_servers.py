"""Servers that lie to our client in a handshake, with the server's own signing key or without it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from crypto import KemAlgorithm, PrivateKey, SignatureAlgorithm
from secure_api.client import ClientError, ResponseRefused, ServerUnusable, Session
from tests.attacks.handshake import base64url
from tests.attacks.meddler import Answer, Change, Meddler, signing
from tests.attacks.scene import Scene
from tests.consortium import server_key

ME = "/v1/clients/me"
OWN_KEY = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)


def handshake(change: Change) -> Change:
    """Change answers to handshakes alone."""
    return lambda answer: change(answer) if answer.request.url.path == "/v1/sessions" else answer


def lying(members: Callable[[dict[str, Any]], Any]) -> Change:
    """Another answer than the one that the server gave, signed by the server's own key: the server itself lies."""
    return lambda answer: answer.but(body=json.dumps(members(json.loads(answer.body))).encode()).signed_by(server_key())


def saying(**members: Any) -> Change:
    """The server's answer with other members, signed by the server."""
    return lying(lambda answer: answer | members)


def lacking(name: str) -> Change:
    """The server's answer without a member, signed by the server."""
    return lying(lambda answer: {key: value for key, value in answer.items() if key != name})


def with_bytes(body: bytes) -> Change:
    """Another body, signed by the server."""
    return lambda answer: answer.but(body=body).signed_by(server_key())


def try_to_open(scene: Scene, change: Change, suite: KemAlgorithm = KemAlgorithm.X_WING) -> tuple[Session, Meddler]:
    """Send a request within a session whose handshake somebody changes; the client must not come to use it."""
    session, meddler = Session(signing(scene.victim), suite=suite), Meddler(handshake(change))
    with httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client:
        with pytest.raises(ClientError) as refused:
            client.get(ME, auth=session)
        assert isinstance(refused.value, ResponseRefused | ServerUnusable)
    assert session.current is None
    assert [answer.request.url.path for answer in meddler.seen] == ["/v1/sessions"], "nothing was sent under those keys"
    return session, meddler


def forged_elsewhere(answer: Answer) -> Answer:
    """The answer signed by the server for the same request with another nonce."""
    headers = dict(answer.request.headers)
    nonce = headers["signature-input"].partition(';nonce="')[2].partition('"')[0]
    headers["signature-input"] = headers["signature-input"].replace(nonce, "another-nonce")
    other = httpx.Request("POST", answer.request.url, headers=headers, content=answer.request.content)
    return answer.signed_by(server_key(), request=other)


#: What somebody without the server's key makes of its answer.
FORGERIES: dict[str, Change] = {
    "unsigned": lambda answer: answer.without("signature", "signature-input"),
    "signed by another key": lambda answer: answer.signed_by(OWN_KEY),
    "signed by the client's own key": lambda answer: answer.signed_by(OWN_KEY).edited(
        "signature-input", OWN_KEY.keyid, server_key().keyid
    ),
    "bound to another request": forged_elsewhere,
    "another label": lambda answer: answer.signed_by(server_key(), label="sig2"),
    "another suite": lambda answer: answer.but(body=answer.body.replace(b"x-wing", b"ml-kem-768")),
    "another name": lambda answer: answer.but(body=answer.body.replace(b'"id":"', b'"id":"A', 1)),
    "wider limits": lambda answer: answer.but(body=answer.body.replace(b'"max_requests":', b'"max_requests":9')),
    "a status that is unsigned": lambda answer: answer.but(status=503).without("signature", "signature-input"),
    "a refusal": lambda answer: Answer(answer.request, 401, ((b"content-type", b"application/problem+json"),), b"{}"),
    "a refusal that is nonsense": lambda answer: Answer(answer.request, 500, (), b"\xff\x00" * 500),
    "a redirect": lambda answer: Answer(answer.request, 307, ((b"location", b"http://api.example.org/"),), b""),
    "two content types": lambda answer: answer.adding("content-type", "text/plain"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_somebody_between_forges_the_answer(scene: Scene, name: str) -> None:
    try_to_open(scene, FORGERIES[name])


LIMITS = ("created", "expires", "idle_timeout", "max_requests", "max_bytes")
NONSENSE: dict[str, Any] = {
    "text": "100",
    "null": None,
    "true": True,
    "a fraction": 99.5,
    "an array": [100],
    "an object": {},
    "less than nothing": -1,
    "infinity": float("inf"),
    "not a number": float("nan"),
    "more than any double": 10**400,
}


@pytest.mark.parametrize("value", NONSENSE)
@pytest.mark.parametrize("limit", LIMITS)
def test_the_server_says_a_limit_that_is_none(scene: Scene, limit: str, value: str) -> None:
    try_to_open(scene, saying(**{limit: NONSENSE[value]}))


#: What a server that has its own key makes of its own answer.
LIES: dict[str, Change] = {
    "a weaker suite": saying(suite="ml-kem-768"),
    "a suite that does not exist": saying(suite="none"),
    "a suite in capitals": saying(suite="X-WING"),
    "no suite": saying(suite=None),
    "two suites": saying(suite=["x-wing"]),
    "no name": saying(id=""),
    "a name of other letters": saying(id="?" * 32),
    "a name with a quote": saying(id='"' + "A" * 31),
    "a name with a line break": saying(id="A" * 31 + "\n"),
    "a name that is a keyid": saying(id="A" * 43),
    "a name of a megabyte": saying(id="A" * 1_000_000),
    "a name that is a number": saying(id=7),
    "a name that is an array": saying(id=["A" * 32]),
    "no ciphertext": saying(ciphertext=""),
    "a ciphertext of another suite": saying(ciphertext=base64url(bytes(1_088))),
    "a ciphertext with a byte more": saying(ciphertext=base64url(bytes(1_121))),
    "a ciphertext of zeros": saying(ciphertext=base64url(bytes(1_120))),
    "a ciphertext that is no base64url": saying(ciphertext="A"),
    "a ciphertext in other letters": saying(ciphertext="é" * 1_494),
    "a ciphertext that is null": saying(ciphertext=None),
    "a ciphertext that is a number": saying(ciphertext=1),
    **{f"no {name}": lacking(name) for name in ("id", "suite", "ciphertext", *LIMITS)},
    "an array": with_bytes(b"[]"),
    "text": with_bytes(b'"session"'),
    "null": with_bytes(b"null"),
    "nothing": with_bytes(b""),
    "no JSON": with_bytes(b"<html>"),
    "JSON cut": with_bytes(b'{"id":'),
    "JSON nested too deep": with_bytes(b"[" * 100_000),
    "no UTF-8": with_bytes(b'{"id":"\xff"}'),
    "another status": lambda answer: answer.but(status=200).signed_by(server_key()),
    "accepted and not done": lambda answer: answer.but(status=202).signed_by(server_key()),
    "sealed": lambda answer: answer.having(
        "content-type", 'application/vnd.secure-api.sealed;alg=hpke-x-wing;kid=reply;type="application/json"'
    ).signed_by(server_key()),
}


@pytest.mark.parametrize("name", LIES)
def test_the_server_lies_itself(scene: Scene, name: str) -> None:
    try_to_open(scene, LIES[name])


@pytest.mark.parametrize("asked", list(KemAlgorithm))
@pytest.mark.parametrize("answered", list(KemAlgorithm))
def test_a_suite_that_was_not_asked_for(scene: Scene, asked: KemAlgorithm, answered: KemAlgorithm) -> None:
    if asked is not answered:
        try_to_open(scene, saying(suite=answered.value), asked)
        return
    session, meddler = Session(signing(scene.victim), suite=asked), Meddler(lambda answer: answer)
    with httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client:
        assert client.get(ME, auth=session).status_code == 200
    assert session.current is not None


def test_a_lying_server_that_says_the_truth_is_believed(scene: Scene) -> None:
    """So what is refused above is refused for the lie."""
    session, meddler = Session(signing(scene.victim)), Meddler(handshake(lambda answer: answer.signed_by(server_key())))
    with httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client:
        assert client.get(ME, auth=session).status_code == 200


def test_other_limits_make_other_keys(scene: Scene) -> None:
    """A server that tells client and session two things shares no key with the client: nothing it says is believed."""
    session, meddler = Session(signing(scene.victim)), Meddler(handshake(saying(max_requests=10**9)))
    with httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client:
        response = client.post("/v1/datasets", auth=session, json={"name": "never-made"})
    assert response.status_code == 401
    assert session.current is None
    names = [entry["name"] for entry in scene.ok(scene.victim, "GET", "/v1/datasets")["datasets"]]
    assert "never-made" not in names
