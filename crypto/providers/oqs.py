"""ML-DSA by liboqs, through liboqs-python: about five times faster at verifying than OpenSSL's.

liboqs takes pointers and believes that the bytes behind them are long enough, so every length is checked here. It has
no way to sign from a seed, the form in which keys are kept, so signatures are made by OpenSSL.
"""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import c_char_p, c_int, c_size_t, c_void_p, cast
from types import MappingProxyType
from typing import Any, Final

from crypto.errors import InvalidSignature, KeyFormatError, UnsupportedAlgorithm
from crypto.providers import oqs_library
from crypto.providers.openssl import OpenSSLProvider
from crypto.signatures import ALGORITHMS, SignatureAlgorithm, Signer, Verifier

_NATIVE_NAMES: Final[Mapping[SignatureAlgorithm, str]] = MappingProxyType(
    {
        SignatureAlgorithm.ML_DSA_44: "ML-DSA-44",
        SignatureAlgorithm.ML_DSA_65: "ML-DSA-65",
        SignatureAlgorithm.ML_DSA_87: "ML-DSA-87",
    }
)
_SUCCESS: Final = 0
# OQS_SIG_verify(sig, message, message_len, signature, signature_len, public_key)
_VERIFY_ARGUMENTS: Final = (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_char_p)


class _OqsVerifier:
    __slots__ = ("_key", "_length", "_mechanism", "_verify")

    def __init__(self, algorithm: SignatureAlgorithm, public_key: bytes, mechanism: Any, verify: Any) -> None:
        expected = ALGORITHMS[algorithm].public_key_bytes
        if len(public_key) != expected:
            raise KeyFormatError(f"a public key of {algorithm} has {expected} bytes, not {len(public_key)}")
        self._key = public_key
        self._length = ALGORITHMS[algorithm].signature_bytes
        self._mechanism = mechanism
        self._verify = verify

    def verify(self, signature: bytes, message: bytes) -> None:
        if len(signature) != self._length:
            raise InvalidSignature(detail=f"a signature has {self._length} bytes, not {len(signature)}")
        verdict = self._verify(self._mechanism, message, len(message), signature, self._length, self._key)
        if verdict != _SUCCESS:
            raise InvalidSignature


class OqsProvider:
    """ML-DSA verification by liboqs; signing and key generation by OpenSSL, from the same key files.

    Raises ProviderUnavailable when liboqs or liboqs-python is not there.
    """

    name: Final = "oqs"

    def __init__(self) -> None:
        self._oqs = oqs_library.load()
        self._openssl = OpenSSLProvider()
        # Handles live as long as the provider: verifiers point into them.
        self._handles = {
            algorithm: self._oqs.Signature(name)
            for algorithm, name in _NATIVE_NAMES.items()
            if self._oqs.is_sig_enabled(name)
        }
        for algorithm, handle in self._handles.items():
            info, details = ALGORITHMS[algorithm], handle.details
            sizes = details["length_public_key"], details["length_signature"]
            if sizes != (info.public_key_bytes, info.signature_bytes):
                raise UnsupportedAlgorithm(f"liboqs has another {algorithm}: its sizes are {sizes}")
        # By subscript: a function object of our own, whose argument types liboqs-python does not share.
        self._verify = self._oqs.native()["OQS_SIG_verify"]
        self._verify.argtypes = _VERIFY_ARGUMENTS
        self._verify.restype = c_int
        self.algorithms = frozenset(self._handles)
        self.version: str = self._oqs.oqs_version()

    def verifier(self, algorithm: SignatureAlgorithm, public_key: bytes) -> Verifier:
        """Return a verifier by liboqs. Raises UnsupportedAlgorithm, KeyFormatError."""
        handle = self._handles.get(algorithm)
        if handle is None:
            raise UnsupportedAlgorithm(f"{self.name} has no {algorithm}")
        return _OqsVerifier(algorithm, public_key, cast(handle._sig, c_void_p), self._verify)

    def signer(self, algorithm: SignatureAlgorithm, seed: bytes) -> Signer:
        """Return a signer by OpenSSL: liboqs cannot sign from a seed. Raises UnsupportedAlgorithm."""
        if algorithm not in self.algorithms:
            raise UnsupportedAlgorithm(f"{self.name} has no {algorithm}")
        return self._openssl.signer(algorithm, seed)

    def generate_seed(self, algorithm: SignatureAlgorithm) -> bytes:
        """Return a fresh seed from the operating system. Raises UnsupportedAlgorithm."""
        if algorithm not in self.algorithms:
            raise UnsupportedAlgorithm(f"{self.name} has no {algorithm}")
        return self._openssl.generate_seed(algorithm)
