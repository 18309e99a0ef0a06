"""The same request in disguise: other spellings of method, path and authority, and fields that are there twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.attacks.attack import Attack, each
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.stage import dataset_body
from tests.attacks.wire import encode_head
from tests.consortium import Message


def creating(scene: Scene) -> Message:
    """The victim creates a dataset."""
    return scene.sign(scene.victim, "POST", "/v1/datasets", dataset_body())


def aimed(target: str) -> Attack:
    """The victim's request sent to another spelling of its path."""
    return Attack("invalid-signature", lambda scene: replace(creating(scene), target=target))


ATTACKS = {
    "percent-encoded letter": aimed("/v1/%64atasets"),
    "percent-encoded slash": aimed("/v1%2Fdatasets"),
    "percent-encoded twice": aimed("/v1/%2564atasets"),
    "trailing slash": aimed("/v1/datasets/"),
    "doubled slash": aimed("/v1//datasets"),
    "dot segment": aimed("/v1/./datasets"),
    "dot segments that come back": aimed("/v1/datasets/../datasets"),
    "dot segments from a public path": aimed("/healthz/../v1/datasets"),
    "path in capitals": aimed("/V1/DATASETS"),
    "path parameter": aimed("/v1/datasets;a=b"),
    "query": aimed("/v1/datasets?a"),
    "percent-encoded question mark": aimed("/v1/datasets%3F"),
    "percent-encoded NUL": aimed("/v1/datasets%00"),
    "another method in the query": aimed("/v1/datasets?_method=POST"),
    "content type twice, alike": Attack(
        "duplicate-field", lambda scene: repeated(creating(scene), "content-type", "application/json")
    ),
    "content type twice": Attack(
        "duplicate-field", lambda scene: repeated(creating(scene), "content-type", "text/plain")
    ),
    "digest twice, alike": Attack(
        "duplicate-field",
        lambda scene: repeated(creating(scene), "content-digest", creating(scene).header("content-digest")),
    ),
    "digest twice": Attack(
        "duplicate-field", lambda scene: repeated(creating(scene), "content-digest", "sha-256=:AAAA:")
    ),
    "digest on two lines, signed together": Attack(
        "duplicate-field",
        lambda scene: repeated(
            scene.forge(body=RECORD).message(), "content-digest", scene.forge(body=RECORD).digest or ""
        ),
    ),
}


def repeated(message: Message, name: str, value: str) -> Message:
    """The message with a field line more."""
    return replace(message, headers=(*message.headers, (name, value)))


@each(ATTACKS)
def test_is_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)


@pytest.mark.parametrize("header", ["x-http-method-override", "x-original-url", "x-rewrite-url", "x-forwarded-host"])
def test_fields_that_frameworks_obey_are_ignored(scene: Scene, header: str) -> None:
    """They are not signed: nothing may depend on them."""
    before = scene.state()
    reply = scene.send(repeated(scene.sign(scene.victim, "GET", "/v1/datasets"), header, "/v1/organizations"))
    scene.assert_unchanged(before, nonces=1)
    assert reply.status == 200
    assert {"name", "created"} == set(reply.json["datasets"][0])


#: Where parsers differ: h11 and httptools refuse some of it themselves, with a bare 400; nothing of it may be believed.
PARSED: dict[str, Callable[[Scene], Message]] = {
    "Host twice": lambda scene: repeated(creating(scene), "host", "evil.example"),
    "Host twice, the first one foreign": lambda scene: replace(
        creating(scene), headers=(("host", "evil.example"), *creating(scene).headers)
    ),
    "Host twice, alike": lambda scene: repeated(creating(scene), "Host", scene.server.authority),
    "Host missing": lambda scene: creating(scene).with_header("host", None),
    "method in lower case": lambda scene: replace(creating(scene), method="post"),
    "method of the signature only": lambda scene: replace(creating(scene), method="POST\t"),
    "target not ASCII": lambda scene: replace(creating(scene), target="/v1/datasets\xe9"),
    "target of an asterisk": lambda scene: replace(creating(scene), target="*"),
    "content type folded": lambda scene: creating(scene).with_header("content-type", "application/json\r\n ;a=b"),
    "space before the colon": lambda scene: repeated(creating(scene), "content-type ", "text/plain"),
    "NUL in a field": lambda scene: repeated(creating(scene), "x-note", "a\0b"),
    "two lengths": lambda scene: repeated(repeated(creating(scene), "content-length", "4"), "content-length", "5"),
    "negative length": lambda scene: repeated(creating(scene), "content-length", "-1"),
    "length with an underscore": lambda scene: repeated(creating(scene), "content-length", "1_0"),
}


@pytest.mark.parametrize("name", PARSED)
def test_what_parsers_disagree_on_changes_nothing(scene: Scene, name: str) -> None:
    message = PARSED[name](scene)
    before = scene.state()
    reply = scene.send(message)
    assert scene.state() == before
    assert reply.status in {400, 401}, reply


@pytest.mark.parametrize("target", ["http://evil.example/v1/datasets", "/v1/datasets#/healthz"])
def test_what_httptools_drops_from_a_target_has_no_effect(scene: Scene, target: str) -> None:
    """httptools hides a foreign authority and a fragment from the application; h11 hands them on, and they are refused.

    Either nothing happens, or exactly what was signed.
    """
    genuine = creating(scene)
    before = scene.state()
    reply = scene.send(replace(genuine, target=target))
    if reply.status == 201:
        assert reply.json["name"].encode() in genuine.body
        assert scene.state().tables["datasets"].rows == before.tables["datasets"].rows + 1
        scene.disbelieve(genuine, "replayed-or-revoked")
    else:
        assert scene.state() == before
        scene.assert_opaque(reply, "invalid-signature")


def test_a_second_request_in_the_body_is_no_request_of_the_signer(scene: Scene) -> None:
    """Request smuggling: a length and chunks at once, which two servers could read differently."""
    hidden = Message("POST", RECORDS, (("host", scene.server.authority), ("content-type", "application/json")), RECORD)
    message = replace(creating(scene), body=b"0\r\n\r\n" + encode_head(hidden) + hidden.body)
    message = repeated(repeated(message, "content-length", str(len(message.body))), "transfer-encoding", "chunked")
    before = scene.state()
    reply = scene.send(message)
    assert scene.state() == before
    assert reply.status in {400, 401}, reply
