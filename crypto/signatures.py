"""The signature algorithms that secure-api allows, and what a provider of them must do.

Names are those of HTTP Message Signatures: `ed25519` from RFC 9421 §3.3.6, `ml-dsa-44|65|87` from C2SP
httpsig-pq v1.0.0 (pure ML-DSA of FIPS 204, empty context, no pre-hash). The set is an allow-list: a provider
may know more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from crypto.errors import UnsupportedAlgorithm


class SignatureAlgorithm(StrEnum):
    """An allowed algorithm; the value is its name in the `alg` parameter of RFC 9421."""

    ML_DSA_44 = "ml-dsa-44"
    ML_DSA_65 = "ml-dsa-65"
    ML_DSA_87 = "ml-dsa-87"
    ED25519 = "ed25519"

    @classmethod
    def named(cls, name: str) -> SignatureAlgorithm:
        """Return the algorithm with this `alg` name. Raises UnsupportedAlgorithm."""
        algorithm = _BY_NAME.get(name)
        if algorithm is None:
            raise UnsupportedAlgorithm(f"no such signature algorithm: {name!r} (one of {', '.join(cls)})")
        return algorithm


_BY_NAME: Final[Mapping[str, SignatureAlgorithm]] = MappingProxyType(
    {member.value: member for member in SignatureAlgorithm}
)


@dataclass(frozen=True, slots=True)
class AlgorithmInfo:
    """Facts about one algorithm; sizes in bytes, `security_level` a NIST category (0: not post-quantum)."""

    algorithm: SignatureAlgorithm
    jose: str
    kty: str
    public_key_bytes: int
    signature_bytes: int
    seed_bytes: int
    security_level: int
    standard: str
    post_quantum: bool


def _ml_dsa(algorithm: SignatureAlgorithm, jose: str, public_key: int, signature: int, level: int) -> AlgorithmInfo:
    return AlgorithmInfo(algorithm, jose, "AKP", public_key, signature, 32, level, "FIPS 204", True)


ALGORITHMS: Final[Mapping[SignatureAlgorithm, AlgorithmInfo]] = MappingProxyType(
    {
        info.algorithm: info
        for info in (
            _ml_dsa(SignatureAlgorithm.ML_DSA_44, "ML-DSA-44", 1312, 2420, 2),
            _ml_dsa(SignatureAlgorithm.ML_DSA_65, "ML-DSA-65", 1952, 3309, 3),
            _ml_dsa(SignatureAlgorithm.ML_DSA_87, "ML-DSA-87", 2592, 4627, 5),
            AlgorithmInfo(SignatureAlgorithm.ED25519, "EdDSA", "OKP", 32, 64, 32, 0, "RFC 8032", False),
        )
    }
)


class Verifier(Protocol):
    """One public key, ready to verify."""

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the signature is valid for the message. Raises InvalidSignature."""


class Signer(Protocol):
    """One private key, ready to sign."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""


class SignatureProvider(Protocol):
    """A native library behind the algorithms. Every provider gives the same verdicts."""

    @property
    def name(self) -> str:
        """Short name for `doctor`, logs and measurements."""

    @property
    def algorithms(self) -> frozenset[SignatureAlgorithm]:
        """The allowed algorithms that this library carries here."""

    def verifier(self, algorithm: SignatureAlgorithm, public_key: bytes) -> Verifier:
        """Return a verifier that keeps the parsed key. Raises UnsupportedAlgorithm, KeyFormatError."""

    def signer(self, algorithm: SignatureAlgorithm, seed: bytes) -> Signer:
        """Return a signer that keeps the expanded key. Raises UnsupportedAlgorithm."""

    def generate_seed(self, algorithm: SignatureAlgorithm) -> bytes:
        """Return a fresh seed of the algorithm's length from the operating system.

        Raises UnsupportedAlgorithm.
        """
