"""A request that `sign_request` signed, ways to change it, and what the verifier says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crypto import (
    PrivateKey,
    Profile,
    Request,
    SignatureAlgorithm,
    VerificationError,
    open_request,
    sign_request,
    verify_request,
)

NOW = 1_800_000_000
BODY = b'{"temperature": 21.5}'
ED25519 = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(range(32)))
ML_DSA = PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_44, bytes(range(32)))
KEYS = {key.keyid: key.public_key for key in (ED25519, ML_DSA)}
UNSIGNED = Request(
    method="POST",
    authority="api.example.com",
    path="/v1/datasets/weather/records",
    query="dry=1",
    headers=((b"host", b"api.example.com"), (b"content-type", b"application/json"), (b"accept", b"*/*")),
)


def with_field(request: Request, name: str, *values: str | bytes) -> Request:
    """The request with these lines of a field, and no others of that name."""
    kept = tuple(line for line in request.headers if line[0] != name.encode())
    lines = [(name.encode(), value.encode("latin-1") if isinstance(value, str) else value) for value in values]
    return replace(request, headers=(*kept, *lines))


def text(request: Request, name: str) -> str:
    """The value of a field that the request has."""
    value = request.field(name.encode())
    assert value is not None
    return value.decode("latin-1")


def signed(
    *keys: PrivateKey,
    request: Request = UNSIGNED,
    body: bytes = BODY,
    created: int = NOW,
    lifetime: int = 60,
    nonces: Sequence[str] = (),
    digest: str = "sha-256",
) -> Request:
    """The request with its signature fields: one label a key, Ed25519 if none is named."""
    keys = keys or (ED25519,)
    nonces = nonces or [f"nonce-{number:04d}" for number in range(len(keys))]
    fields = sign_request(request, body, keys, created=created, lifetime=lifetime, nonces=nonces, digest=digest)
    for name, value in fields:
        request = with_field(request, name, value)
    return request


def replaced(request: Request, name: str, old: str, new: str) -> Request:
    """The request with part of a field's value replaced; the part must be there."""
    value = text(request, name)
    assert old in value
    return with_field(request, name, value.replace(old, new))


def verdict(request: Request, body: bytes = BODY, *, now: int = NOW, profile: Profile | None = None) -> str:
    """`believed`, or the reason why not."""
    try:
        verify_request(open_request(request, profile or Profile(), now), body, KEYS)
    except VerificationError as error:
        return error.reason
    return "believed"
