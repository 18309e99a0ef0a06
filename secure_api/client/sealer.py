"""Sealing on the client's side: to the server's published key, or under a session's keys."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from crypto import (
    KEM_ALGORITHMS,
    NONCE_BYTES,
    REPLY_KID,
    CryptoError,
    InvalidSignature,
    KemAlgorithm,
    PublicKey,
    SealedType,
    SealingAlgorithm,
    SealingPrivateKey,
    SealingPublicKey,
    SessionKeys,
    UnsealingError,
    decode_base64url,
    open_under,
    seal_under,
    sealing_key_statement,
    sealing_kid,
)
from secure_api.client.errors import SealingKeyRefused, ServerUnusable

MAX_KEYS = 16


class Sealer(Protocol):
    """Seals one request and opens the answer to it."""

    def sealed_type(self, content_type: str) -> SealedType:
        """Give the content type of the sealed body."""

    def seal(self, body: bytes, context: bytes) -> bytes:
        """Seal the request's body."""

    def open(self, sealed_type: SealedType, body: bytes, context: bytes) -> bytes:
        """Open the answer's body. Raises UnsealingError."""


@dataclass(frozen=True, slots=True)
class SealingTarget:
    """A sealing key that the server published and vouches for; times in seconds since the epoch."""

    key: SealingPublicKey
    kid: str
    retires: int

    @classmethod
    def choose(cls, discovery: Mapping[str, Any], server_key: PublicKey, now: float) -> Self:
        """Choose the newest key of a discovery document that the server's signing key vouches for.

        Raises:
            ServerUnusable: there is none.
            SealingKeyRefused: there are others, with signatures that are not that key's.
        """
        refused = False
        published = discovery.get("sealing")
        entries = published.get("keys") if isinstance(published, dict) else None
        for entry in entries[:MAX_KEYS] if isinstance(entries, list) else []:
            try:
                raw, signature = decode_base64url(entry["public_key"]), decode_base64url(entry["signature"]["value"])
                times = {name: int(entry[name]) for name in ("created", "retires", "expires")}
                if entry["alg"] != SealingAlgorithm.HPKE_X_WING or times["retires"] < now:
                    continue
                server_key.verify(signature, sealing_key_statement(raw, **times))
                return cls(SealingPublicKey(raw), sealing_kid(raw), times["retires"])
            except InvalidSignature:
                refused = True
            except (CryptoError, KeyError, TypeError, ValueError, OverflowError):
                continue
        unusable = SealingKeyRefused if refused else ServerUnusable
        raise unusable("the server publishes no sealing key that its signing key vouches for")


class HpkeSealer:
    """HPKE to the server's key; the answer comes to a key that is made for this one request."""

    def __init__(self, target: SealingTarget) -> None:
        self._target = target
        self._reply = SealingPrivateKey(secrets.token_bytes(KEM_ALGORITHMS[KemAlgorithm.X_WING].seed_bytes))

    def sealed_type(self, content_type: str) -> SealedType:
        """Give the content type of the sealed body."""
        return SealedType(SealingAlgorithm.HPKE_X_WING, self._target.kid, content_type)

    def seal(self, body: bytes, context: bytes) -> bytes:
        """Seal the reply key and, behind it, the request's body."""
        return self._target.key.seal(self._reply.public_key + body, context)

    def open(self, sealed_type: SealedType, body: bytes, context: bytes) -> bytes:
        """Open the answer's body. Raises UnsealingError."""
        if sealed_type.algorithm is not SealingAlgorithm.HPKE_X_WING or sealed_type.kid != REPLY_KID:
            raise UnsealingError("the answer is sealed to another key")
        return self._reply.open(body, context)


class SessionSealer:
    """AES-256-GCM under a session's keys, one a direction."""

    def __init__(self, keys: SessionKeys) -> None:
        self._keys = keys

    def sealed_type(self, content_type: str) -> SealedType:
        """Give the content type of the sealed body."""
        return SealedType(SealingAlgorithm.AES_256_GCM, self._keys.session, content_type)

    def seal(self, body: bytes, context: bytes) -> bytes:
        """Seal the request's body."""
        return seal_under(self._keys.client_aead, body, context, secrets.token_bytes(NONCE_BYTES))

    def open(self, sealed_type: SealedType, body: bytes, context: bytes) -> bytes:
        """Open the answer's body. Raises UnsealingError."""
        if sealed_type.algorithm is not SealingAlgorithm.AES_256_GCM or sealed_type.kid != self._keys.session:
            raise UnsealingError("the answer is sealed under another key")
        return open_under(self._keys.server_aead, body, context)
