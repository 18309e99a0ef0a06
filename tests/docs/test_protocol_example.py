"""The worked example of docs/protocol.md: page, file and code say the same, to the byte."""

from __future__ import annotations

import ast
import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag

from crypto import (
    InvalidSignature as Refused,
)
from crypto import (
    MacKey,
    Profile,
    PublicKey,
    Request,
    Response,
    SealingPrivateKey,
    VerificationKey,
    open_request,
    open_under,
    parse_signature_input,
    verify_request,
    verify_response,
)
from tests.docs import independent_example
from tests.docs.independent_example import Recomputed
from tests.docs.protocol_example import FILE, PAGE, Example, written
from tests.docs.protocol_section import page_with_section

DOCUMENT: dict[str, Any] = json.loads(FILE.read_text())
RANDOMIZED: dict[str, str] = DOCUMENT["randomized"]
EXCHANGES = list(DOCUMENT["given"]["exchanges"])
AGAIN = "run: python -m tests.docs.protocol_example"


def test_the_product_makes_the_same_file() -> None:
    """From the seeds and from what was drawn at random, of which it takes nothing that does not hold."""
    assert written(Example(RANDOMIZED).document()) == FILE.read_text(), AGAIN


def test_the_page_shows_the_file() -> None:
    page = PAGE.read_text()
    assert page == page_with_section(page, DOCUMENT), AGAIN
    assert re.findall(r"^### (\d)\. ", page, re.MULTILINE) == list("1234567")
    for value in DOCUMENT["handshake"]["keys_hex"].values():
        assert f"`{value}`" in page


def test_the_same_follows_without_the_product() -> None:
    recomputed = Recomputed(DOCUMENT["given"], RANDOMIZED)
    document = recomputed.document()
    told = ("about", "given", "randomized")
    assert document == {name: value for name, value in DOCUMENT.items() if name not in told}
    assert sorted(recomputed.used) == sorted(RANDOMIZED)


def test_without_the_product_means_without() -> None:
    source = Path(independent_example.__file__).read_text()
    modules = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert {name for name in modules if name and name.startswith("tests")} == {"tests.interop.second_client"}
    assert not re.search(r"^(from|import) (crypto|secure_api)\b", source, re.MULTILINE)


@pytest.mark.parametrize("name", RANDOMIZED)
def test_a_random_value_that_was_touched_is_noticed(name: str) -> None:
    touched = bytearray.fromhex(RANDOMIZED[name])
    touched[100] ^= 1
    others = RANDOMIZED | {name: touched.hex()}
    with pytest.raises((InvalidSignature, InvalidTag, AssertionError)):
        Recomputed(DOCUMENT["given"], others).document()
    assert Example(others).document()["randomized"][name] not in (touched.hex(), RANDOMIZED[name])


def test_the_short_example_has_the_digest_of_its_body() -> None:
    body = re.search(r"--json '(.*?)' --http", PAGE.read_text())
    digest = re.search(r'^"content-digest": (sha-256=:.*:)$', PAGE.read_text(), re.MULTILINE)
    assert body
    assert digest
    assert digest[1] == f"sha-256=:{b64encode(sha256(body[1].encode()).digest()).decode()}:"


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_product_believes_it(name: str) -> None:
    """The verifying side, which does not share the code that made the file."""
    given, exchange = DOCUMENT["given"], DOCUMENT[name]
    request, body = received(given["authority"], exchange["request"])
    signed = open_request(request, Profile(), given["created"] + 30)
    keys: dict[str, VerificationKey] = {
        key["keyid"]: PublicKey.from_jwk(key["jwk"]) for key in DOCUMENT["keys"].values()
    }
    session, macs = given["exchanges"]["handshake"]["session"], DOCUMENT["handshake"]["keys_hex"]
    keys[session] = MacKey(session, bytes.fromhex(macs["client mac"]))
    verify_request(signed, body, keys)
    answerer, key = DOCUMENT["keys"]["server ml-dsa-65"]["keyid"], keys[DOCUMENT["keys"]["server ml-dsa-65"]["keyid"]]
    if signed.labels[0].keyid == session:
        answerer, key = session, MacKey(session, bytes.fromhex(macs["server mac"]))
    inputs = list(parse_signature_input(exchange["request"]["fields"]["signature-input"].encode()).values())
    fields = tuple((name.encode(), value.encode()) for name, value in exchange["answer"]["fields"].items())
    answer = Response(exchange["answer"]["status"], fields, bytes_of(exchange["answer"]))
    verify_response(answer, request, inputs, key, keyid=answerer)
    with pytest.raises(Refused):
        verify_response(Response(answer.status + 1, answer.headers, answer.body), request, inputs, key, keyid=answerer)


def test_the_product_opens_what_is_sealed() -> None:
    inside = DOCUMENT["sealed_in_session"]
    for part, label in (("request", "client aead"), ("answer", "server aead")):
        key, message = bytes.fromhex(DOCUMENT["handshake"]["keys_hex"][label]), inside[part]
        assert open_under(key, bytes_of(message), message["bound_to"].encode()) == message["inside"].encode()
    seeds = {name: bytes.fromhex(seed) for name, seed in DOCUMENT["given"]["seeds"].items()}
    sealing, reply = (SealingPrivateKey(seeds[f"{name} x-wing"]) for name in ("sealing", "reply"))
    request, answer = DOCUMENT["sealed"]["request"], DOCUMENT["sealed"]["answer"]
    opened = sealing.open(bytes_of(request), request["bound_to"].encode())
    assert opened == reply.public_key + request["inside"].encode()
    assert reply.open(bytes_of(answer), answer["bound_to"].encode()) == answer["inside"].encode()


def received(authority: str, message: dict[str, Any]) -> tuple[Request, bytes]:
    headers = tuple((name.encode(), value.encode()) for name, value in message["fields"].items())
    return Request(message["method"], authority, message["path"], message["query"], headers), bytes_of(message)


def bytes_of(message: dict[str, Any]) -> bytes:
    return bytes.fromhex(message["body_hex"]) if "body_hex" in message else message["body"].encode()
