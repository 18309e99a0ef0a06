"""The key encapsulation mechanisms that the server allows, and what a provider of them must do.

ML-KEM is that of FIPS 203, X-Wing that of draft-connolly-cfrg-xwing-kem: ML-KEM-768 and X25519 together, the
KEM 0x647a of HPKE. Keys are kept as seeds. The set is an allow-list: what else liboqs knows is in
`crypto.research`, and never for the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from crypto.errors import CiphertextError, KeyFormatError, UnsupportedAlgorithm
from crypto.modulus_check import refuse_unreduced
from crypto.status import Status


class KemAlgorithm(StrEnum):
    """An allowed mechanism, by the name of its suite in the protocol."""

    ML_KEM_768 = "ml-kem-768"
    ML_KEM_1024 = "ml-kem-1024"
    X_WING = "x-wing"

    @classmethod
    def named(cls, name: str) -> KemAlgorithm:
        """Return the mechanism with this name. Raises UnsupportedAlgorithm."""
        algorithm = _BY_NAME.get(name)
        if algorithm is None:
            raise UnsupportedAlgorithm(f"no such key encapsulation: {name!r} (one of {', '.join(cls)})")
        return algorithm


_BY_NAME: Final[Mapping[str, KemAlgorithm]] = MappingProxyType({member.value: member for member in KemAlgorithm})


@dataclass(frozen=True, slots=True)
class KemInfo:
    """Facts about one mechanism; sizes in bytes, `security_level` the NIST category that its standard claims.

    `rank` is the k of ML-KEM: how many polynomials its public key has.
    """

    algorithm: KemAlgorithm
    public_key_bytes: int
    ciphertext_bytes: int
    shared_secret_bytes: int
    seed_bytes: int
    rank: int
    security_level: int
    standard: str
    status: Status
    hybrid: bool

    def check_public_key(self, raw: bytes) -> None:
        """Refuse a public key of another length, or one that is not reduced (FIPS 203 §7.2). Raises KeyFormatError."""
        if len(raw) != self.public_key_bytes:
            expected = self.public_key_bytes
            raise KeyFormatError(f"a public key of {self.algorithm} has {expected} bytes, not {len(raw)}")
        refuse_unreduced(raw, self.rank)

    def check_seed(self, seed: bytes) -> None:
        """Refuse a seed of another length. Raises KeyFormatError."""
        if len(seed) != self.seed_bytes:
            raise KeyFormatError(f"a seed of {self.algorithm} has {self.seed_bytes} bytes, not {len(seed)}")

    def check_ciphertext(self, ciphertext: bytes) -> None:
        """Refuse a ciphertext of another length (FIPS 203 §7.3). Raises CiphertextError."""
        if len(ciphertext) != self.ciphertext_bytes:
            expected = self.ciphertext_bytes
            raise CiphertextError(f"a ciphertext of {self.algorithm} has {expected} bytes, not {len(ciphertext)}")


KEM_ALGORITHMS: Final[Mapping[KemAlgorithm, KemInfo]] = MappingProxyType(
    {
        info.algorithm: info
        for info in (
            KemInfo(KemAlgorithm.ML_KEM_768, 1184, 1088, 32, 64, 3, 3, "FIPS 203", Status.FINAL, False),
            KemInfo(KemAlgorithm.ML_KEM_1024, 1568, 1568, 32, 64, 4, 5, "FIPS 203", Status.FINAL, False),
            # The draft claims category 1, and takes ML-KEM-768 to have a margin above it.
            KemInfo(KemAlgorithm.X_WING, 1216, 1120, 32, 32, 3, 1, "draft-connolly-cfrg-xwing-kem", Status.DRAFT, True),
        )
    }
)


class Encapsulation(NamedTuple):
    """What encapsulating gives, always in this order: the ciphertext to send, the secret to keep."""

    ciphertext: bytes
    shared_secret: bytes

    def __repr__(self) -> str:
        """Say how long the ciphertext is, never what the secret is."""
        return f"Encapsulation({len(self.ciphertext)} bytes)"


class Encapsulator(Protocol):
    """One public key, ready to encapsulate to."""

    def encapsulate(self) -> Encapsulation:
        """Return a fresh shared secret and the ciphertext that carries it. Raises KeyFormatError."""


class Decapsulator(Protocol):
    """One private key, expanded from its seed and ready to decapsulate."""

    @property
    def public_key(self) -> bytes:
        """The raw public key that belongs to the seed."""

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the shared secret that the ciphertext carries. Raises CiphertextError.

        A ciphertext that was made for another key, or changed, gives another secret, not an error (FIPS 203 §6.3).
        """


class KemProvider(Protocol):
    """A native library behind the mechanisms. Every provider gives the same secrets and refuses the same bytes."""

    @property
    def name(self) -> str:
        """Short name for `doctor`, logs and measurements."""

    @property
    def algorithms(self) -> frozenset[KemAlgorithm]:
        """The allowed mechanisms that this library carries here."""

    def encapsulator(self, algorithm: KemAlgorithm, public_key: bytes) -> Encapsulator:
        """Return an encapsulator that keeps the parsed key. Raises UnsupportedAlgorithm, KeyFormatError."""

    def decapsulator(self, algorithm: KemAlgorithm, seed: bytes) -> Decapsulator:
        """Return a decapsulator that keeps the expanded key. Raises UnsupportedAlgorithm, KeyFormatError."""
