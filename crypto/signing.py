"""Signing a request with one key, or with several under one label each."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from crypto.content_digest import content_digest
from crypto.errors import SigningError, VerificationError
from crypto.macs import MacAlgorithm
from crypto.messages import Request
from crypto.profile import COMPONENTS, TAG
from crypto.signature_base import SignatureInput, signature_base
from crypto.signatures import SignatureAlgorithm


class SigningKey(Protocol):
    """A key that can sign a message: a `PrivateKey`, or a session's `MacKey`."""

    @property
    def keyid(self) -> str:
        """What the parameter `keyid` says."""

    @property
    def algorithm(self) -> SignatureAlgorithm | MacAlgorithm:
        """What the parameter `alg` says."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""


def sign_request(
    request: Request,
    body: bytes,
    keys: Sequence[SigningKey],
    *,
    created: int,
    lifetime: int = 60,
    nonces: Sequence[str],
    digest: str = "sha-256",
) -> list[tuple[str, str]]:
    """Return the fields to set on the request: content-digest, signature-input, signature, in lower case.

    One label a key (`sig1`, `sig2`, ...), each with its own nonce; `created` in seconds since the epoch,
    `lifetime` in seconds. Fields of these names that the request already carries are replaced. Raises
    SigningError, UnsupportedAlgorithm (of the digest).
    """
    if not keys or len(nonces) != len(keys):
        raise SigningError(f"as many nonces as keys, and at least one: {len(keys)} keys, {len(nonces)} nonces")
    if len({key.keyid for key in keys}) != len(keys):
        raise SigningError("the same key cannot sign twice")
    if lifetime < 1:
        raise SigningError(f"a signature must live for at least a second, not {lifetime}")
    for name in (b"content-type", b"host"):
        if len(request.field_lines(name)) > 1:
            raise SigningError(f"the request has several {name.decode()} fields")
    if not request.field_lines(b"content-type"):
        raise SigningError("the request needs a content-type: the signature covers it")
    digest_field = content_digest(body, digest)
    kept = tuple(line for line in request.headers if line[0].lower() != b"content-digest")
    digested = replace(request, headers=(*kept, (b"content-digest", digest_field.encode("ascii"))))
    inputs, signatures = [], []
    for number, (key, nonce) in enumerate(zip(keys, nonces, strict=True), start=1):
        label = f"sig{number}"
        try:
            entry = SignatureInput.compose(
                label,
                COMPONENTS,
                created=created,
                expires=created + lifetime,
                nonce=nonce,
                keyid=key.keyid,
                alg=key.algorithm.value,
                tag=TAG,
            )
            base = signature_base(digested, entry)
        except VerificationError as error:
            raise SigningError(error.detail) from None
        inputs.append(f"{label}={entry.text}")
        signatures.append(f"{label}=:{b64encode(key.sign(base)).decode('ascii')}:")
    return [
        ("content-digest", digest_field),
        ("signature-input", ", ".join(inputs)),
        ("signature", ", ".join(signatures)),
    ]
