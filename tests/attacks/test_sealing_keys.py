"""Sealing keys that nobody vouches for: our client seals to none of them, whatever a discovery document says."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from crypto import PrivateKey, SealingPrivateKey, SignatureAlgorithm, sealing_key_statement, sealing_kid
from secure_api.client import ServerUnusable
from tests.attacks.handshake import base64url, unbase64url
from tests.attacks.meddler import Answer, Change, Meddler, sealing
from tests.attacks.scene import Scene
from tests.consortium import server_key

ME = "/v1/clients/me"
OWN_KEY = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
OWN_SEED = secrets.token_bytes(32)

Entry = dict[str, Any]


def discovering(change: Change) -> Change:
    """Change discovery documents alone."""
    return lambda answer: change(answer) if answer.request.url.path.startswith("/.well-known") else answer


def publishing(change: Callable[[list[Entry]], Any]) -> Change:
    """A discovery document with other sealing keys; nobody signs it as a whole."""

    def publish(answer: Answer) -> Answer:
        document = json.loads(answer.body)
        document["sealing"]["keys"] = change(document["sealing"]["keys"])
        return answer.but(body=json.dumps(document).encode())

    return discovering(publish)


def each(**members: Any) -> Change:
    """A discovery document whose sealing keys have other members."""
    return publishing(lambda entries: [entry | members for entry in entries])


def vouched(
    raw: bytes, by: PrivateKey, *, retires: int = 3_600, named: str | None = None, changed: Entry | None = None
) -> Entry:
    """An entry whose statement a key signs; `retires` in seconds from now, `changed` after it was signed."""
    now = int(time.time())
    times = {"created": now, "retires": now + retires, "expires": now + 7_200}
    signature = by.sign(sealing_key_statement(raw, **times))
    entry = {
        "alg": "hpke-x-wing",
        "kid": sealing_kid(raw),
        "public_key": base64url(raw),
        **times,
        "signature": {"keyid": named or by.public_key.keyid, "value": base64url(signature)},
    }
    return entry | (changed or {})


def own() -> bytes:
    """A public key that the attacker can open with."""
    return SealingPrivateKey(OWN_SEED).public_key


def small_order() -> bytes:
    """A key to which nothing can be sealed."""
    return own()[:-32] + bytes(32)


def replaced(entry: Entry) -> Change:
    """A discovery document with one sealing key of the attacker's."""
    return publishing(lambda _: [entry])


def body(content: bytes, status: int = 200) -> Change:
    """Something else in the place of the discovery document."""
    return discovering(lambda answer: answer.but(body=content, status=status))


LIES: dict[str, Callable[[], Change]] = {
    "the attacker's key under the server's statement": lambda: each(public_key=base64url(own())),
    "the attacker's key and name under the server's statement": lambda: each(
        public_key=base64url(own()), kid=sealing_kid(own())
    ),
    "the attacker's key, signed by the attacker": lambda: replaced(vouched(own(), OWN_KEY)),
    "the attacker's key, signed by the attacker in the server's name": lambda: replaced(
        vouched(own(), OWN_KEY, named=server_key().keyid)
    ),
    "a client's key, signed by itself": lambda: replaced(vouched(own(), OWN_KEY, changed={"keyid": "x"})),
    "the server's statement, prolonged": lambda: replaced(
        vouched(own(), server_key(), retires=-10, changed={"retires": int(time.time()) + 3_600})
    ),
    "retired": lambda: replaced(vouched(own(), server_key(), retires=-10)),
    "born at another time": lambda: replaced(vouched(own(), server_key(), changed={"created": 1})),
    "expiring at another time": lambda: replaced(vouched(own(), server_key(), changed={"expires": 2**40})),
    "for another algorithm": lambda: replaced(vouched(own(), server_key(), changed={"alg": "hpke-x25519"})),
    "for no algorithm": lambda: replaced(vouched(own(), server_key(), changed={"alg": None})),
    "of small order, vouched for": lambda: replaced(vouched(small_order(), server_key())),
    "cut, vouched for": lambda: replaced(vouched(own()[:-1], server_key())),
    "not reduced, vouched for": lambda: replaced(vouched(b"\xff" * 3 + own()[3:], server_key())),
    "no signature": lambda: each(signature=None),
    "an empty signature": lambda: each(signature={"keyid": server_key().keyid, "value": ""}),
    "a signature that is no base64url": lambda: each(signature={"value": "A"}),
    "a signature of a number": lambda: each(signature={"value": 1}),
    "a signature of a megabyte": lambda: each(signature={"value": "A" * 200_000}),
    "the signature of another statement": lambda: each(
        signature={"value": base64url(server_key().sign(b"secure-api ledger head v1\n{}"))}
    ),
    "a key that is no base64url": lambda: each(public_key="A"),
    "a key of null": lambda: each(public_key=None),
    "times of text": lambda: each(created="x", retires="y", expires="z"),
    "times of infinity": lambda: each(retires=float("inf")),
    "times of nothing": lambda: each(retires=None),
    "no keys": lambda: publishing(lambda _: []),
    "keys that are null": lambda: publishing(lambda _: None),
    "keys that are an object": lambda: publishing(lambda entries: {"0": entries[0]}),
    "keys that are numbers": lambda: publishing(lambda _: [1, None, "x", [], True]),
    "a thousand forged keys before the right one": lambda: publishing(
        lambda entries: [vouched(own(), OWN_KEY)] * 1_000 + entries
    ),
    "nothing of sealing": lambda: body(b"{}"),
    "sealing that is text": lambda: body(b'{"sealing":"x"}'),
    "an array": lambda: body(b"[]"),
    "nothing": lambda: body(b""),
    "no JSON": lambda: body(b"<html>"),
    "nested too deep": lambda: body(b"[" * 100_000),
    "too much": lambda: body(b'{"sealing":"' + b"x" * (1 << 18) + b'"}'),
    "no UTF-8": lambda: body(b"\xff\xfe"),
    "not there": lambda: body(b"{}", 404),
    "elsewhere": lambda: body(b"{}", 302),
    "not now": lambda: body(b"{}", 503),
}


@pytest.mark.parametrize("name", LIES)
def test_nothing_is_sealed_to_a_key_that_the_server_does_not_vouch_for(scene: Scene, name: str) -> None:
    meddler = Meddler(LIES[name]())
    with (
        httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client,
        pytest.raises(ServerUnusable),
    ):
        client.post("/v1/datasets", auth=sealing(scene.victim), json={"name": "never-sent"})
    assert {answer.request.url.path for answer in meddler.seen} == {"/.well-known/secure-api"}


JUNK: dict[str, Callable[[], Any]] = {
    "an empty one": dict,
    "one of an algorithm alone": lambda: {"alg": "hpke-x-wing"},
    "one of a key alone": lambda: {"public_key": "A"},
    "one that is no base64url": lambda: {"public_key": "A", "signature": {"value": "A"}, "alg": "hpke-x-wing"},
    "text": lambda: "hpke-x-wing",
    "null": lambda: None,
    "a forged one": lambda: vouched(own(), OWN_KEY),
    "one of small order": lambda: vouched(small_order(), server_key()),
    "a retired one": lambda: vouched(own(), server_key(), retires=-1),
}


@pytest.mark.parametrize("name", JUNK)
def test_a_key_before_the_right_one_is_passed_over(scene: Scene, name: str) -> None:
    meddler = Meddler(publishing(lambda entries: [JUNK[name](), *entries]))
    with httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client:
        response = client.get(ME, auth=sealing(scene.victim))
    assert response.status_code == 200
    assert response.json()["organization"] == "hospital"


def test_a_key_that_the_server_vouches_for_and_does_not_have(scene: Scene) -> None:
    """It says so, in the clear and signed: nobody else can make the client send its body again in another form."""
    meddler = Meddler(replaced(vouched(own(), server_key())))
    with httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client:
        response = client.post("/v1/datasets", auth=sealing(scene.victim), json={"name": "never-made"})
    assert response.status_code == 400
    assert response.json()["type"].endswith("sealed-body-rejected")
    assert all(b"never-made" not in answer.request.content for answer in meddler.seen)


def test_what_the_server_publishes_it_vouches_for(scene: Scene) -> None:
    with httpx.Client(base_url=f"http://{scene.server.authority}") as client:
        entries = client.get("/.well-known/secure-api").json()["sealing"]["keys"]
    assert entries
    for entry in entries:
        raw = unbase64url(entry["public_key"])
        statement = sealing_key_statement(
            raw, created=entry["created"], retires=entry["retires"], expires=entry["expires"]
        )
        server_key().public_key.verify(unbase64url(entry["signature"]["value"]), statement)
        assert entry["kid"] == sealing_kid(raw)
