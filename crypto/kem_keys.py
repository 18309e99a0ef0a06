"""Encapsulation keys: public keys compared by value, private keys that hide their seed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import NoReturn

from crypto.kem import KEM_ALGORITHMS, Encapsulation, Encapsulator, KemAlgorithm
from crypto.providers.kem_selection import default_kem_provider


@dataclass(frozen=True, slots=True)
class KemPublicKey:
    """A public key by value: algorithm and raw bytes, checked (FIPS 203 §7.2) and parsed. Raises KeyFormatError."""

    algorithm: KemAlgorithm
    raw: bytes = field(repr=False)
    _encapsulator: Encapsulator = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check and parse the key."""
        object.__setattr__(self, "raw", bytes(self.raw))
        object.__setattr__(self, "_encapsulator", default_kem_provider().encapsulator(self.algorithm, self.raw))

    def encapsulate(self) -> Encapsulation:
        """Return (ciphertext, shared_secret): what to send to the key's holder, and what both then know.

        Raises KeyFormatError when the X25519 part of an X-Wing key is a point of small order.
        """
        return self._encapsulator.encapsulate()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy by value; the parsed form is made anew."""
        return KemPublicKey, (self.algorithm, self.raw)


class KemPrivateKey:
    """A private key as its seed. It is never pickled or copied, and its repr shows the algorithm only."""

    __slots__ = ("_algorithm", "_decapsulator", "_public_key", "_seed")

    def __init__(self, algorithm: KemAlgorithm, seed: bytes) -> None:
        self._algorithm = algorithm
        self._seed = bytes(seed)
        self._decapsulator = default_kem_provider().decapsulator(algorithm, self._seed)
        self._public_key: KemPublicKey | None = None

    @classmethod
    def generate(cls, algorithm: KemAlgorithm) -> KemPrivateKey:
        """Return a fresh key from the operating system's random numbers."""
        return cls(algorithm, secrets.token_bytes(KEM_ALGORITHMS[algorithm].seed_bytes))

    @classmethod
    def from_seed(cls, algorithm: KemAlgorithm, seed: bytes) -> KemPrivateKey:
        """Return the key of a seed: 64 bytes for ML-KEM (d and z of FIPS 203), 32 for X-Wing. Raises KeyFormatError."""
        return cls(algorithm, seed)

    @property
    def algorithm(self) -> KemAlgorithm:
        """The mechanism it belongs to."""
        return self._algorithm

    @property
    def public_key(self) -> KemPublicKey:
        """The public key that belongs to the seed; parsed when it is first asked for."""
        if self._public_key is None:
            self._public_key = KemPublicKey(self._algorithm, self._decapsulator.public_key)
        return self._public_key

    @property
    def seed(self) -> bytes:
        """The secret itself, for encrypted storage."""
        return self._seed

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the shared secret that the ciphertext carries. Raises CiphertextError.

        A ciphertext that was made for another key, or changed, gives another secret, not an error.
        """
        return self._decapsulator.decapsulate(ciphertext)

    def __repr__(self) -> str:
        """Name the algorithm, never the seed."""
        return f"KemPrivateKey({self._algorithm})"

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the seed in clear."""
        raise TypeError("a KemPrivateKey is not pickled or copied")
