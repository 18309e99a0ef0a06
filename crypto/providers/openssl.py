"""Signatures by OpenSSL, through PyPI `cryptography`: the provider that is always there.

Keys are in seed form (FIPS 204 §3.6.3, RFC 9881 §6), signatures hedged, contexts empty. Every length is
checked here before the library sees the bytes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from cryptography import exceptions
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from crypto.errors import InvalidSignature, KeyFormatError, ProviderUnavailable, UnsupportedAlgorithm
from crypto.signatures import ALGORITHMS, SignatureAlgorithm, Signer, Verifier

NativePublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey | ed25519.Ed25519PublicKey
NativePrivateKey = (
    mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey | ed25519.Ed25519PrivateKey
)

_LOAD_PUBLIC: Final[Mapping[SignatureAlgorithm, Callable[[bytes], NativePublicKey]]] = MappingProxyType(
    {
        SignatureAlgorithm.ML_DSA_44: mldsa.MLDSA44PublicKey.from_public_bytes,
        SignatureAlgorithm.ML_DSA_65: mldsa.MLDSA65PublicKey.from_public_bytes,
        SignatureAlgorithm.ML_DSA_87: mldsa.MLDSA87PublicKey.from_public_bytes,
        SignatureAlgorithm.ED25519: ed25519.Ed25519PublicKey.from_public_bytes,
    }
)
_LOAD_PRIVATE: Final[Mapping[SignatureAlgorithm, Callable[[bytes], NativePrivateKey]]] = MappingProxyType(
    {
        SignatureAlgorithm.ML_DSA_44: mldsa.MLDSA44PrivateKey.from_seed_bytes,
        SignatureAlgorithm.ML_DSA_65: mldsa.MLDSA65PrivateKey.from_seed_bytes,
        SignatureAlgorithm.ML_DSA_87: mldsa.MLDSA87PrivateKey.from_seed_bytes,
        SignatureAlgorithm.ED25519: ed25519.Ed25519PrivateKey.from_private_bytes,
    }
)


class _NativeVerify(Protocol):
    def __call__(self, signature: bytes, data: bytes, /) -> None: ...


def native_public_key(algorithm: SignatureAlgorithm, raw: bytes) -> NativePublicKey:
    """Return the library's key object. Raises KeyFormatError, ProviderUnavailable."""
    expected = ALGORITHMS[algorithm].public_key_bytes
    if len(raw) != expected:
        raise KeyFormatError(f"a public key of {algorithm} has {expected} bytes, not {len(raw)}")
    try:
        return _LOAD_PUBLIC[algorithm](raw)
    except ValueError as error:
        raise KeyFormatError(f"not a public key of {algorithm}: {error}") from None
    except exceptions.UnsupportedAlgorithm as error:
        raise ProviderUnavailable(f"this build of cryptography has no {algorithm}") from error


def native_private_key(algorithm: SignatureAlgorithm, seed: bytes) -> NativePrivateKey:
    """Return the library's key object. Raises KeyFormatError, ProviderUnavailable."""
    expected = ALGORITHMS[algorithm].seed_bytes
    if len(seed) != expected:
        raise KeyFormatError(f"a seed of {algorithm} has {expected} bytes, not {len(seed)}")
    try:
        return _LOAD_PRIVATE[algorithm](seed)
    except exceptions.UnsupportedAlgorithm as error:
        raise ProviderUnavailable(f"this build of cryptography has no {algorithm}") from error


def derive_public_key(algorithm: SignatureAlgorithm, seed: bytes) -> bytes:
    """Return the raw public key that belongs to a seed. Raises KeyFormatError, ProviderUnavailable."""
    return native_private_key(algorithm, seed).public_key().public_bytes_raw()


def _carries(algorithm: SignatureAlgorithm) -> bool:
    try:
        native_private_key(algorithm, bytes(ALGORITHMS[algorithm].seed_bytes))
    except ProviderUnavailable:
        return False
    return True


class _OpenSSLVerifier:
    __slots__ = ("_length", "_verify")

    def __init__(self, algorithm: SignatureAlgorithm, public_key: bytes) -> None:
        self._length = ALGORITHMS[algorithm].signature_bytes
        self._verify: _NativeVerify = native_public_key(algorithm, public_key).verify

    def verify(self, signature: bytes, message: bytes) -> None:
        if len(signature) != self._length:
            raise InvalidSignature(detail=f"a signature has {self._length} bytes, not {len(signature)}")
        try:
            self._verify(signature, message)
        except exceptions.InvalidSignature:
            raise InvalidSignature from None


class _OpenSSLSigner:
    __slots__ = ("_key",)

    def __init__(self, algorithm: SignatureAlgorithm, seed: bytes) -> None:
        self._key = native_private_key(algorithm, seed)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class OpenSSLProvider:
    """ML-DSA and Ed25519 by the OpenSSL that `cryptography` is linked to.

    The wheels carry all of `SignatureAlgorithm`; a build against an older OpenSSL carries Ed25519 only.
    """

    name: Final = "openssl"

    def __init__(self) -> None:
        self.algorithms = frozenset(filter(_carries, SignatureAlgorithm))

    def verifier(self, algorithm: SignatureAlgorithm, public_key: bytes) -> Verifier:
        """Return a verifier that keeps the parsed key. Raises KeyFormatError, ProviderUnavailable."""
        return _OpenSSLVerifier(algorithm, public_key)

    def signer(self, algorithm: SignatureAlgorithm, seed: bytes) -> Signer:
        """Return a signer that keeps the expanded key. Raises ProviderUnavailable."""
        return _OpenSSLSigner(algorithm, seed)

    def generate_seed(self, algorithm: SignatureAlgorithm) -> bytes:
        """Return a fresh seed from the operating system. Raises UnsupportedAlgorithm."""
        if algorithm not in self.algorithms:
            raise UnsupportedAlgorithm(f"{self.name} has no {algorithm}")
        return secrets.token_bytes(ALGORITHMS[algorithm].seed_bytes)
