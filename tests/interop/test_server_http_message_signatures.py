"""A running server, our client, and the PyPI library `http-message-signatures`: each believes what the other signed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_message_signatures.algorithms import ED25519

from crypto import PrivateKey, Request, SignatureAlgorithm, sign_request
from secure_api.client import SignatureAuth
from tests.consortium import OPERATOR, admin_key, enrollment, make_home
from tests.installations import sqlite_template
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

__all__ = ["sqlite_template"]

COMPONENTS = ("@method", "@authority", "@path", "@query", "content-type", "content-digest")
RECORDS = "/v1/datasets/interop/records"
RECORD = b'{"time":"2026-11-22T09:30:00Z","attributes":{"pulse":61}}'
#: Methods, targets and bodies that look different on the wire; the server answers each with a success.
REQUESTS = [
    ("POST", RECORDS, RECORD, 201),
    ("POST", RECORDS, b"[" + RECORD + b"," + RECORD + b"]", 201),
    ("GET", RECORDS + "?limit=2&from=2026-01-01T00:00:00%2B01:00", b"", 200),
    ("GET", "/v1/datasets/inter%6Fp/records", b"", 200),
    ("GET", "/v1/clients/me?", b"", 200),
]


class MLDSA65(HTTPSignatureAlgorithm):
    """What a user of the library has to add: keys are 32-byte seeds and raw public keys."""

    algorithm_id = "ml-dsa-65"

    def __init__(self, public_key: Any = None, private_key: Any = None) -> None:
        self.public_key, self.private_key = public_key, private_key

    def sign(self, message: bytes) -> bytes:
        """Sign with the seed."""
        return mldsa.MLDSA65PrivateKey.from_seed_bytes(self.private_key).sign(message)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Verify with the raw public key."""
        mldsa.MLDSA65PublicKey.from_public_bytes(self.public_key).verify(signature, message)


ALGORITHMS: dict[SignatureAlgorithm, type[HTTPSignatureAlgorithm]] = {
    SignatureAlgorithm.ML_DSA_65: MLDSA65,
    SignatureAlgorithm.ED25519: ED25519,
}


class Keys(HTTPSignatureKeyResolver):
    """Finds our keys by keyid, in the forms that the library's algorithms take."""

    def __init__(self, *keys: PrivateKey) -> None:
        self._keys = {key.keyid: key for key in keys}

    def resolve_private_key(self, key_id: str) -> Any:
        """Give the private key."""
        key = self._keys[key_id]
        classical = key.algorithm is SignatureAlgorithm.ED25519
        return ed25519.Ed25519PrivateKey.from_private_bytes(key.seed) if classical else key.seed

    def resolve_public_key(self, key_id: str) -> Any:
        """Give the public key."""
        key = self._keys[key_id].public_key
        classical = key.algorithm is SignatureAlgorithm.ED25519
        return ed25519.Ed25519PublicKey.from_public_bytes(key.raw) if classical else key.raw


def sign_by_library(request: httpx.Request, *keys: PrivateKey) -> httpx.Request:
    """Sign a request as the profile demands, every line of it by the library."""
    now = datetime.now(UTC)
    for number, key in enumerate(keys, start=1):
        HTTPMessageSigner(signature_algorithm=ALGORITHMS[key.algorithm], key_resolver=Keys(key)).sign(
            request,
            key_id=key.keyid,
            created=now,
            expires=now + timedelta(seconds=60),
            nonce=secrets.token_urlsafe(16),
            label=f"lib{number}",
            tag="secure-api",
            covered_component_ids=COMPONENTS,
            append_if_signature_exists=number > 1,
            body=request.content,
            use_existing_digest=number > 1,
        )
    return request


def verify_by_library(request: httpx.Request, keys: Sequence[PrivateKey]) -> None:
    """Verify every signature of a request that was sent, its digest and its coverage, by the library."""
    for number, key in enumerate(keys, start=1):
        verifier = HTTPMessageVerifier(signature_algorithm=ALGORITHMS[key.algorithm], key_resolver=Keys(key))
        (result,) = verifier.verify(
            request,
            max_age=timedelta(seconds=60),
            expect_tag="secure-api",
            expect_label=f"sig{number}",
            require_components=COMPONENTS,
            body=request.content,
        )
        assert result.parameters["keyid"] == key.keyid
        assert result.parameters["alg"] == key.algorithm.value
        assert result.body == request.content


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, run_session_process: ProcessRunner
) -> SecureApiServer:
    """A running server."""
    template: Path = request.getfixturevalue("sqlite_template")
    home = make_home(tmp_path_factory.mktemp("interop") / "home", template)
    return start_secure_api(run_session_process, home, f"sqlite+aiosqlite:///{home / 'secure-api.db'}")


@pytest.fixture(scope="module")
def http(server: SecureApiServer) -> Iterator[httpx.Client]:
    """Connections to it."""
    with httpx.Client(base_url=f"http://{server.authority}") as client:
        client.post("/v1/datasets", json={"name": "interop"}, auth=SignatureAuth(admin_key())).raise_for_status()
        yield client


@pytest.fixture(
    scope="module",
    params=[["ml-dsa-65"], ["ed25519"], ["ml-dsa-65", "ed25519"]],
    ids=lambda algorithms: "+".join(algorithms),
)
def keys(request: pytest.FixtureRequest, http: httpx.Client) -> list[PrivateKey]:
    """The keys of a client that the library enrolled: its first request is the proof of possession."""
    keys = [PrivateKey.generate(SignatureAlgorithm(name)) for name in request.param]
    token = http.post(
        "/v1/tokens", json={"organization": OPERATOR, "role": "contributor"}, auth=SignatureAuth(admin_key())
    ).json()["token"]
    enrolling = http.build_request("POST", "/v1/clients", json=enrollment(token, keys))
    reply = http.send(sign_by_library(enrolling, *keys))
    assert reply.status_code == 201, reply.text
    return keys


@pytest.fixture(params=REQUESTS, ids=lambda request: f"{request[0]} {request[1]} {len(request[2])} bytes")
def unsigned(request: pytest.FixtureRequest, http: httpx.Client) -> tuple[httpx.Request, int]:
    """A request, and the status of its success."""
    method, target, body, status = request.param
    url = http.base_url.copy_with(raw_path=target.encode())
    headers = {"content-type": "application/json"}
    return http.build_request(method, url, content=body, headers=headers), status


def test_the_server_believes_what_the_library_signed(
    http: httpx.Client, keys: list[PrivateKey], unsigned: tuple[httpx.Request, int]
) -> None:
    request, status = unsigned
    reply = http.send(sign_by_library(request, *keys))
    assert reply.status_code == status, reply.text


def test_the_server_refuses_what_was_changed_after_the_library_signed(
    http: httpx.Client, keys: list[PrivateKey]
) -> None:
    url, headers = str(http.base_url.join(RECORDS)), {"content-type": "application/json"}
    signed = sign_by_library(httpx.Request("POST", url, content=RECORD, headers=headers), *keys)
    changed = httpx.Request("POST", url, content=RECORD.replace(b"61", b"16"), headers=signed.headers)
    assert http.send(changed).status_code == 401
    assert http.send(signed).status_code == 201
    assert http.send(signed).status_code == 401


def test_the_library_believes_what_our_client_sent(
    http: httpx.Client, keys: list[PrivateKey], unsigned: tuple[httpx.Request, int]
) -> None:
    request, status = unsigned
    reply = http.send(request, auth=SignatureAuth(*keys))
    assert reply.status_code == status, reply.text
    verify_by_library(reply.request, keys)
    assert reply.request.url.raw_path == request.url.raw_path


def test_the_library_believes_what_our_signer_signed(
    http: httpx.Client, keys: list[PrivateKey], unsigned: tuple[httpx.Request, int]
) -> None:
    request, status = unsigned
    path, _, query = request.url.raw_path.decode().partition("?")
    signable = Request(
        method=request.method,
        scheme="http",
        authority=request.headers["host"],
        path=path,
        query=query,
        headers=tuple((name.lower(), value) for name, value in request.headers.raw),
    )
    fields = sign_request(
        signable,
        request.content,
        keys,
        created=int(datetime.now(UTC).timestamp()),
        nonces=[secrets.token_urlsafe(16) for _ in keys],
        digest="sha-512",
    )
    request.headers.update(fields)
    reply = http.send(request)
    assert reply.status_code == status, reply.text
    verify_by_library(reply.request, keys)


def test_the_library_refuses_what_was_changed_after_our_client_signed(
    http: httpx.Client, keys: list[PrivateKey]
) -> None:
    sent = http.post(RECORDS, content=RECORD, headers={"content-type": "application/json"}, auth=SignatureAuth(*keys))
    assert sent.status_code == 201
    changed = httpx.Request("PUT", sent.request.url, content=RECORD, headers=sent.request.headers)
    with pytest.raises(InvalidSignature):
        verify_by_library(changed, keys)
