"""Key encapsulation by liboqs: ML-KEM in less than half of OpenSSL's time, and without the GIL; X-Wing on top of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from crypto.errors import UnsupportedAlgorithm
from crypto.kem import KEM_ALGORITHMS, Decapsulator, Encapsulation, Encapsulator, KemAlgorithm
from crypto.providers import oqs_library
from crypto.providers.oqs_native_kem import NativeKem
from crypto.providers.x_wing import XWingDecapsulator, XWingEncapsulator

_NATIVE_NAMES: Final[Mapping[KemAlgorithm, str]] = MappingProxyType(
    {KemAlgorithm.ML_KEM_768: "ML-KEM-768", KemAlgorithm.ML_KEM_1024: "ML-KEM-1024"}
)


class _OqsEncapsulator:
    __slots__ = ("_key", "_native")

    def __init__(self, algorithm: KemAlgorithm, native: NativeKem, public_key: bytes) -> None:
        KEM_ALGORITHMS[algorithm].check_public_key(public_key)
        self._native = native
        self._key = bytes(public_key)

    def encapsulate(self) -> Encapsulation:
        return self._native.encapsulate(self._key)


class _OqsDecapsulator:
    __slots__ = ("_info", "_native", "_secret_key", "public_key")

    def __init__(self, algorithm: KemAlgorithm, native: NativeKem, seed: bytes) -> None:
        self._info = KEM_ALGORITHMS[algorithm]
        self._info.check_seed(seed)
        self._native = native
        self.public_key, self._secret_key = native.expand(bytes(seed))

    def decapsulate(self, ciphertext: bytes) -> bytes:
        self._info.check_ciphertext(ciphertext)
        return self._native.decapsulate(self._secret_key, ciphertext)


class OqsKemProvider:
    """ML-KEM by liboqs, from the same seeds as everywhere; X-Wing with the X25519 of OpenSSL, which liboqs has not.

    Raises ProviderUnavailable when liboqs or liboqs-python is not there.
    """

    name: Final = "oqs"

    def __init__(self) -> None:
        self.version: str = oqs_library.load().oqs_version()
        self._native = {algorithm: NativeKem(name) for algorithm, name in _NATIVE_NAMES.items()}
        for algorithm, native in self._native.items():
            info = KEM_ALGORITHMS[algorithm]
            sizes = native.public_key_bytes, native.ciphertext_bytes, native.shared_secret_bytes, native.seed_bytes
            if sizes != (info.public_key_bytes, info.ciphertext_bytes, info.shared_secret_bytes, info.seed_bytes):
                raise UnsupportedAlgorithm(f"liboqs has another {algorithm}: its sizes are {sizes}")
        self.algorithms = frozenset(KemAlgorithm)

    def encapsulator(self, algorithm: KemAlgorithm, public_key: bytes) -> Encapsulator:
        """Return an encapsulator that keeps the key. Raises KeyFormatError."""
        if algorithm is KemAlgorithm.X_WING:
            native = self._native[KemAlgorithm.ML_KEM_768]
            return XWingEncapsulator(public_key, partial(_OqsEncapsulator, KemAlgorithm.ML_KEM_768, native))
        return _OqsEncapsulator(algorithm, self._native[algorithm], public_key)

    def decapsulator(self, algorithm: KemAlgorithm, seed: bytes) -> Decapsulator:
        """Return a decapsulator that keeps the expanded key. Raises KeyFormatError."""
        if algorithm is KemAlgorithm.X_WING:
            native = self._native[KemAlgorithm.ML_KEM_768]
            return XWingDecapsulator(seed, partial(_OqsDecapsulator, KemAlgorithm.ML_KEM_768, native))
        return _OqsDecapsulator(algorithm, self._native[algorithm], seed)
