"""Key encapsulation by OpenSSL, through PyPI `cryptography`: the provider that is always there.

Every length, and the modulus check of ML-KEM public keys, is done before the library sees the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives.asymmetric import mlkem

from crypto.errors import KeyFormatError, ProviderUnavailable
from crypto.kem import KEM_ALGORITHMS, Decapsulator, Encapsulation, Encapsulator, KemAlgorithm
from crypto.providers.x_wing import XWingDecapsulator, XWingEncapsulator

_LOAD_PUBLIC: Final[Mapping[KemAlgorithm, Callable[[bytes], mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey]]] = (
    MappingProxyType(
        {
            KemAlgorithm.ML_KEM_768: mlkem.MLKEM768PublicKey.from_public_bytes,
            KemAlgorithm.ML_KEM_1024: mlkem.MLKEM1024PublicKey.from_public_bytes,
        }
    )
)
_LOAD_PRIVATE: Final[Mapping[KemAlgorithm, Callable[[bytes], mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey]]] = (
    MappingProxyType(
        {
            KemAlgorithm.ML_KEM_768: mlkem.MLKEM768PrivateKey.from_seed_bytes,
            KemAlgorithm.ML_KEM_1024: mlkem.MLKEM1024PrivateKey.from_seed_bytes,
        }
    )
)


class _MlKemEncapsulator:
    __slots__ = ("_key",)

    def __init__(self, algorithm: KemAlgorithm, public_key: bytes) -> None:
        KEM_ALGORITHMS[algorithm].check_public_key(public_key)
        try:
            self._key = _LOAD_PUBLIC[algorithm](public_key)
        except ValueError as error:
            raise KeyFormatError(f"not a public key of {algorithm}: {error}") from None
        except exceptions.UnsupportedAlgorithm as error:
            raise ProviderUnavailable(f"this build of cryptography has no {algorithm}") from error

    def encapsulate(self) -> Encapsulation:
        shared_secret, ciphertext = self._key.encapsulate()
        return Encapsulation(ciphertext, shared_secret)


class _MlKemDecapsulator:
    __slots__ = ("_info", "_key", "public_key")

    def __init__(self, algorithm: KemAlgorithm, seed: bytes) -> None:
        self._info = KEM_ALGORITHMS[algorithm]
        self._info.check_seed(seed)
        try:
            self._key = _LOAD_PRIVATE[algorithm](seed)
        except exceptions.UnsupportedAlgorithm as error:
            raise ProviderUnavailable(f"this build of cryptography has no {algorithm}") from error
        self.public_key = self._key.public_key().public_bytes_raw()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        self._info.check_ciphertext(ciphertext)
        return self._key.decapsulate(ciphertext)


class OpenSSLKemProvider:
    """ML-KEM and X-Wing by the OpenSSL that `cryptography` is linked to; the wheels carry all of `KemAlgorithm`."""

    name: Final = "openssl"

    def __init__(self) -> None:
        self.algorithms = frozenset(filter(self._carries, KemAlgorithm))

    def encapsulator(self, algorithm: KemAlgorithm, public_key: bytes) -> Encapsulator:
        """Return an encapsulator that keeps the parsed key. Raises KeyFormatError, ProviderUnavailable."""
        if algorithm is KemAlgorithm.X_WING:
            return XWingEncapsulator(public_key, partial(_MlKemEncapsulator, KemAlgorithm.ML_KEM_768))
        return _MlKemEncapsulator(algorithm, public_key)

    def decapsulator(self, algorithm: KemAlgorithm, seed: bytes) -> Decapsulator:
        """Return a decapsulator that keeps the expanded key. Raises KeyFormatError, ProviderUnavailable."""
        if algorithm is KemAlgorithm.X_WING:
            return XWingDecapsulator(seed, partial(_MlKemDecapsulator, KemAlgorithm.ML_KEM_768))
        return _MlKemDecapsulator(algorithm, seed)

    def _carries(self, algorithm: KemAlgorithm) -> bool:
        try:
            self.decapsulator(algorithm, bytes(KEM_ALGORITHMS[algorithm].seed_bytes))
        except ProviderUnavailable:
            return False
        return True
