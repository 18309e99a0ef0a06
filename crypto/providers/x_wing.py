"""X-Wing (draft-connolly-cfrg-xwing-kem §5): ML-KEM-768 by whichever library, X25519 by OpenSSL, one hash over both.

Public keys and ciphertexts are those of ML-KEM with 32 bytes of X25519 behind them. One thing is stricter than in the
draft: an X25519 point of small order, which nobody honest sends and which makes the X25519 secret zero, is refused,
as DHKEM does (RFC 9180 §7.1.4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from crypto.errors import CiphertextError, KeyFormatError
from crypto.kem import KEM_ALGORITHMS, Decapsulator, Encapsulation, Encapsulator, KemAlgorithm

_INFO: Final = KEM_ALGORITHMS[KemAlgorithm.X_WING]
_ML_KEM: Final = KEM_ALGORITHMS[KemAlgorithm.ML_KEM_768]
_LABEL: Final = bytes.fromhex("5c2e2f2f5e5c")


def combine(ml_kem_secret: bytes, x25519_secret: bytes, x25519_ciphertext: bytes, x25519_public_key: bytes) -> bytes:
    """Return the shared secret (draft §5.3): SHA3-256 of the four and the label, in this order."""
    return hashlib.sha3_256(ml_kem_secret + x25519_secret + x25519_ciphertext + x25519_public_key + _LABEL).digest()


def expand_seed(seed: bytes) -> tuple[bytes, bytes]:
    """Return ML-KEM-768 seed (64 bytes) and X25519 key (32 bytes) of a seed (draft §5.2). Raises KeyFormatError."""
    _INFO.check_seed(seed)
    expanded = hashlib.shake_256(seed).digest(_ML_KEM.seed_bytes + 32)
    return expanded[: _ML_KEM.seed_bytes], expanded[_ML_KEM.seed_bytes :]


class XWingEncapsulator:
    """An X-Wing public key; `ml_kem` makes an encapsulator of its ML-KEM-768 part. Raises KeyFormatError."""

    __slots__ = ("_ml_kem", "_x25519")

    def __init__(self, public_key: bytes, ml_kem: Callable[[bytes], Encapsulator]) -> None:
        _INFO.check_public_key(public_key)
        self._ml_kem = ml_kem(public_key[: _ML_KEM.public_key_bytes])
        self._x25519 = X25519PublicKey.from_public_bytes(public_key[_ML_KEM.public_key_bytes :])

    def encapsulate(self) -> Encapsulation:
        """Return ciphertext and shared secret. Raises KeyFormatError if the X25519 part is of small order."""
        ephemeral = X25519PrivateKey.generate()
        try:
            x25519_secret = ephemeral.exchange(self._x25519)
        except ValueError:
            raise KeyFormatError("the X25519 part of the x-wing public key is a point of small order") from None
        x25519_ciphertext = ephemeral.public_key().public_bytes_raw()
        ml_kem_ciphertext, ml_kem_secret = self._ml_kem.encapsulate()
        shared = combine(ml_kem_secret, x25519_secret, x25519_ciphertext, self._x25519.public_bytes_raw())
        return Encapsulation(ml_kem_ciphertext + x25519_ciphertext, shared)


class XWingDecapsulator:
    """An X-Wing seed; `ml_kem` makes a decapsulator of the ML-KEM-768 seed in it. Raises KeyFormatError."""

    __slots__ = ("_ml_kem", "_x25519", "_x25519_public_key", "public_key")

    def __init__(self, seed: bytes, ml_kem: Callable[[bytes], Decapsulator]) -> None:
        ml_kem_seed, x25519_key = expand_seed(seed)
        self._ml_kem = ml_kem(ml_kem_seed)
        self._x25519 = X25519PrivateKey.from_private_bytes(x25519_key)
        self._x25519_public_key = self._x25519.public_key().public_bytes_raw()
        self.public_key = self._ml_kem.public_key + self._x25519_public_key

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the shared secret. Raises CiphertextError (length, or an X25519 point of small order)."""
        _INFO.check_ciphertext(ciphertext)
        ml_kem_ciphertext = ciphertext[: _ML_KEM.ciphertext_bytes]
        x25519_ciphertext = ciphertext[_ML_KEM.ciphertext_bytes :]
        try:
            x25519_secret = self._x25519.exchange(X25519PublicKey.from_public_bytes(x25519_ciphertext))
        except ValueError:
            raise CiphertextError("the X25519 part of the x-wing ciphertext is a point of small order") from None
        ml_kem_secret = self._ml_kem.decapsulate(ml_kem_ciphertext)
        return combine(ml_kem_secret, x25519_secret, x25519_ciphertext, self._x25519_public_key)
