"""Who signs nothing sees the public paths, and cannot tell which others there are."""

from __future__ import annotations

import pytest

from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.stage import PROBLEM
from tests.consortium import Message

PUBLIC = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/.well-known/secure-api"]
HIDDEN = [
    ("GET", "/v1/datasets"),
    ("GET", "/v1/clients/me"),
    ("GET", RECORDS),
    ("GET", "/v1/ledger"),
    ("POST", "/v1/clients"),
    ("POST", "/v1/clients/me/keys"),
    ("POST", RECORDS),
    ("DELETE", "/v1/keys/" + "A" * 43),
    ("OPTIONS", "/v1/datasets"),
    ("HEAD", "/v1/datasets"),
    ("GET", "/"),
    ("GET", "/nowhere"),
    ("GET", "/admin"),
    ("GET", "/healthz/"),
    ("GET", "//healthz"),
    ("GET", "/healthz/../v1/datasets"),
    ("GET", "/healthz%2f..%2fv1%2fdatasets"),
    ("GET", "/docs/oauth2-redirect"),
    ("GET", "/redoc"),
    ("GET", "/.well-known/secure-api/x"),
]


def unsigned(scene: Scene, method: str, target: str, body: bytes = b"") -> Message:
    """A request as anybody could send it."""
    return Message(method, target, (("host", scene.server.authority), ("content-type", "application/json")), body)


@pytest.mark.parametrize("path", PUBLIC)
def test_public_paths_are_open(scene: Scene, path: str) -> None:
    before = scene.state()
    reply = scene.send(unsigned(scene, "GET", path))
    assert reply.status == 200
    assert scene.state() == before


@pytest.mark.parametrize("path", PUBLIC)
def test_public_paths_take_nothing(scene: Scene, path: str) -> None:
    scene.refuse(unsigned(scene, "POST", path, RECORD), 405, "method-not-allowed")


@pytest.mark.parametrize(("method", "target"), HIDDEN)
def test_all_other_paths_look_alike(scene: Scene, method: str, target: str) -> None:
    before = scene.state()
    reply = scene.send(unsigned(scene, method, target, RECORD if method == "POST" else b""))
    assert scene.state() == before
    if method == "HEAD":
        assert (reply.status, reply.body) == (401, b"")
    else:
        scene.assert_opaque(reply, "missing-signature")


def test_a_member_learns_that_there_is_no_such_path(scene: Scene) -> None:
    scene.refuse(scene.sign(scene.victim, "GET", "/nowhere"), 404, "not-found", nonces=1)
    scene.refuse(scene.sign(scene.victim, "PURGE", "/v1/datasets"), 405, "method-not-allowed", nonces=1)


@pytest.mark.parametrize("path", ["/v1/ledger", "/healthz", "/"])
def test_websockets_are_refused(scene: Scene, path: str) -> None:
    upgrade = (
        ("host", scene.server.authority),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    )
    before = scene.state()
    reply = scene.send(Message("GET", path, upgrade, b""))
    assert scene.state() == before
    assert reply.status == (200 if path == "/healthz" else 401), reply  # an answer in HTTP, and no switch of protocols


def test_what_others_learn_of_a_refusal(scene: Scene) -> None:
    """The public metrics count refusals by reason, and name nobody."""
    scene.send(unsigned(scene, "GET", "/v1/datasets"))
    text = scene.send(unsigned(scene, "GET", "/metrics")).body.decode()
    names = {member.key.keyid for member in (scene.victim, scene.rival, scene.operator)} | {"vitals", "hospital"}
    assert not any(name in text for name in names)


def test_the_refusal_says_what_would_be_believed(scene: Scene) -> None:
    reply = scene.send(unsigned(scene, "GET", "/v1/datasets"))
    assert reply.json["type"] == PROBLEM + "authentication-failed"
    assert reply.header("www-authenticate") == "Signature"
    assert '"content-digest"' in reply.header("accept-signature")
