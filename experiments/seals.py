"""Ways to seal a body: the product's two, and the cipher alone."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto import (
    KEM_ALGORITHMS,
    NONCE_BYTES,
    KemAlgorithm,
    Request,
    SealedType,
    SealingAlgorithm,
    SealingPrivateKey,
    SealingPublicKey,
    UnsealingError,
    encode_base64url,
    open_under,
    request_context,
    seal_under,
    sealing_kid,
)

_X_WING: Final = KEM_ALGORITHMS[KemAlgorithm.X_WING]


@dataclass(frozen=True, slots=True)
class Seal:
    """One way to seal with its keys made: `open` raises a `refusal`; `wire` gives what goes over the wire.

    `reply_key_bytes` is what a sealed request holds beside its body: the key that its answer is sealed to.
    """

    seal: Callable[[bytes, bytes], Any]  # body, context
    open: Callable[[Any, bytes], bytes]  # sealed, context
    refusal: type[Exception]
    wire: Callable[[Any], bytes] = bytes
    from_wire: Callable[[bytes], Any] = bytes
    reply_key_bytes: int = 0


def hpke_x_wing() -> Seal:
    """HPKE to an X-Wing key, as the product seals a body that no session covers."""
    private_key = SealingPrivateKey(secrets.token_bytes(_X_WING.seed_bytes))
    public_key = SealingPublicKey(private_key.public_key)
    return Seal(public_key.seal, private_key.open, UnsealingError, reply_key_bytes=_X_WING.public_key_bytes)


def session() -> Seal:
    """AES-256-GCM as the product seals under a session's keys, with a random nonce in front."""
    key = AESGCM.generate_key(256)

    def seal(body: bytes, context: bytes) -> bytes:
        return seal_under(key, body, context, secrets.token_bytes(NONCE_BYTES))

    return Seal(seal, lambda sealed, context: open_under(key, sealed, context), UnsealingError)


def cipher() -> Seal:
    """AES-256-GCM of `cryptography` and nothing else: the cipher object is kept, the nonce stays beside."""
    aead = AESGCM(AESGCM.generate_key(256))

    def seal(body: bytes, context: bytes) -> tuple[bytes, bytes]:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce, aead.encrypt(nonce, body, context)

    def open_(sealed: tuple[bytes, bytes], context: bytes) -> bytes:
        nonce, ciphertext = sealed
        return aead.decrypt(nonce, ciphertext, context)

    return Seal(seal, open_, InvalidTag, b"".join, lambda wire: (wire[:NONCE_BYTES], wire[NONCE_BYTES:]))


#: By the name that the arms have.
SEALS: Final = {"hpke-x-wing": hpke_x_wing, "session": session, "cipher": cipher}


def context() -> bytes:
    """Give what a body is bound to: the context of a request such as clients send, with random key names and nonce."""
    kid = sealing_kid(secrets.token_bytes(_X_WING.public_key_bytes))
    request = Request(
        method="POST",
        authority="api.example",
        path="/v1/datasets/0b5c6a4e-9d1f-4a51-8b7e-2f1f0c1a9b11/records",
        query="",
        headers=(),
    )
    return request_context(
        request,
        content_type=SealedType(SealingAlgorithm.HPKE_X_WING, kid, "application/json").text,
        keyid=encode_base64url(secrets.token_bytes(32)),
        nonce=secrets.token_urlsafe(16),
    )
