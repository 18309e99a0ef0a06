"""Too much of everything: refused before it is decoded, with the status that says what was too much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.wire import Wire, encode_head
from tests.consortium import Message
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import start_secure_api

MEBIBYTE = 1 << 20


def padded(message: Message, name: str, size: int) -> Message:
    """The message with a field of so many bytes more."""
    return replace(message, headers=(*message.headers, (name, "x" * size)))


def crowded(message: Message, size: int) -> Message:
    """The message with so many fields more."""
    return replace(message, headers=(*message.headers, *((f"x-{number}", "y" * 20) for number in range(size))))


HEADERS: dict[str, Callable[[Scene], Message]] = {
    "one large field": lambda scene: padded(scene.forge().message(), "x-large", 33_000),
    "many small fields": lambda scene: crowded(scene.forge().message(), 1_500),
    "Signature": lambda scene: scene.forge().message(b"s" * 13_000),
    "Signature-Input": lambda scene: scene.forge(components=("@method",) * 1_900).message(),
    "Signature-Input on two lines": lambda scene: padded(
        padded(scene.forge().message(), "signature-input", 9_000), "signature-input", 9_000
    ),
    "Content-Digest": lambda scene: scene.forge(digest="sha-256=:" + "A" * 17_000 + ":").message(),
    "path": lambda scene: scene.sign(scene.victim, "GET", "/v1/" + "d" * 2_048),
    "query": lambda scene: scene.sign(scene.victim, "GET", "/v1/datasets?" + "q" * 2_048),
}


@pytest.mark.parametrize("name", HEADERS)
def test_oversized_headers(scene: Scene, name: str) -> None:
    scene.refuse(HEADERS[name](scene), 431, "header-fields-too-large")


BODIES: dict[str, Callable[[Scene], Message]] = {
    "declared": lambda scene: scene.sign(scene.victim, "POST", RECORDS, b" " * (MEBIBYTE + 1)),
    "declared by a stranger": lambda scene: Message(
        "POST", RECORDS, (("host", scene.server.authority), ("content-length", str(MEBIBYTE + 1))), b""
    ),
    "declared with 18 digits": lambda scene: replace(
        scene.forge().message(), headers=(*scene.forge().message().headers, ("content-length", "9" * 18))
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_oversized_bodies(scene: Scene, name: str) -> None:
    scene.refuse(BODIES[name](scene), 413, "payload-too-large")


ENDLESS = {
    "fields": b"x-note: " + b"a" * 8_000 + b"\r\n",
    "one field": b"a" * 8_000,
    "the path": b"a" * 8_000,
    "a chunk's extension": b"a" * 8_000,
    "trailers": b"x-note: " + b"a" * 8_000 + b"\r\n",
}
BEGINNINGS = {
    "fields": b"GET /healthz HTTP/1.1\r\nhost: a\r\n",
    "one field": b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-note: ",
    "the path": b"GET /healthz",
    "a chunk's extension": b"POST /healthz HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5;ext=",
    "trailers": b"POST /healthz HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_cut_off(scene: Scene, name: str) -> None:
    """A stranger who goes on and on does not fill the server's memory."""
    with Wire(scene.server.port) as wire:
        wire.send(BEGINNINGS[name])
        assert wire.is_cut_off(ENDLESS[name], 2 * MEBIBYTE)


def test_a_body_in_chunks_is_cut_off_at_the_limit(scene: Scene) -> None:
    """No length is declared: the server has to count."""
    message = scene.sign(scene.victim, "POST", RECORDS, b" " * (MEBIBYTE + 65_536))
    message = replace(message, headers=(*message.headers, ("transfer-encoding", "chunked")))
    before = scene.state()
    with Wire(scene.server.port) as wire:
        wire.send(encode_head(message))
        for start in range(0, len(message.body), 65_536):
            wire.send(b"10000\r\n" + message.body[start : start + 65_536] + b"\r\n")
        reply = wire.receive("POST")
    scene.assert_unchanged(before)
    assert (reply.status, reply.json["type"].rpartition(":")[2]) == (413, "payload-too-large")


def test_a_stranger_cannot_make_the_server_read_a_body(scene: Scene) -> None:
    """The refusal comes while the body is still on its way: it is not waited for."""
    message = scene.forge().between(-120, -60).message()
    message = replace(message, headers=(*message.headers, ("content-length", "1000")))
    before = scene.state()
    with Wire(scene.server.port) as wire:
        wire.send(encode_head(message))
        reply = wire.receive("POST")
    assert scene.state() == before
    scene.assert_opaque(reply, "expired")


def test_a_body_that_does_not_come_is_given_up(scene: Scene, run_process: ProcessRunner) -> None:
    impatient = start_secure_api(run_process, scene.other.home, scene.other.url, env={"SECURE_API_BODY_TIMEOUT": "0.2"})
    message = scene.forge(authority=impatient.authority).message()
    before = scene.state()
    with Wire(impatient.port) as wire:
        wire.send(encode_head(message))
        reply = wire.receive("POST")
    scene.assert_unchanged(before)
    assert (reply.status, reply.json["type"].rpartition(":")[2]) == (408, "request-timeout")


def test_a_body_cut_off_is_no_body(scene: Scene) -> None:
    message = scene.forge().message()
    before = scene.state()
    with Wire(scene.server.port) as wire:
        wire.send(encode_head(message) + message.body[:-1])
    assert scene.state() == before
    scene.accept(message)


def test_too_many_records_in_one_request(scene: Scene) -> None:
    batch = b"[" + b",".join([RECORD] * 1_001) + b"]"
    scene.refuse(scene.sign(scene.victim, "POST", RECORDS, batch), 413, "payload-too-large", nonces=1)


def test_one_bad_record_among_many_stores_none(scene: Scene) -> None:
    batch = b"[" + b",".join([RECORD] * 99 + [RECORD.replace(b"2026-11-22", b"2026-13-22")]) + b"]"
    scene.refuse(scene.sign(scene.victim, "POST", RECORDS, batch), 422, "validation-failed", nonces=1)
