"""For each algorithm the fastest provider that is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crypto.errors import UnsupportedAlgorithm
from crypto.signatures import SignatureAlgorithm, SignatureProvider, Signer, Verifier


class FastestProvider:
    """Sends each algorithm to the first of `providers` that carries it; they are named from fast to slow.

    Its own name is that of the provider which verifies ML-DSA-65.
    """

    def __init__(self, providers: Sequence[SignatureProvider]) -> None:
        self.providers = tuple(providers)
        self._chosen = {
            algorithm: provider for provider in reversed(self.providers) for algorithm in provider.algorithms
        }
        self.algorithms = frozenset(self._chosen)
        self.name: Final = self._chosen.get(SignatureAlgorithm.ML_DSA_65, self.providers[0]).name

    def chosen(self, algorithm: SignatureAlgorithm) -> SignatureProvider:
        """Return the provider of an algorithm. Raises UnsupportedAlgorithm."""
        provider = self._chosen.get(algorithm)
        if provider is None:
            raise UnsupportedAlgorithm(f"no provider here has {algorithm}")
        return provider

    def verifier(self, algorithm: SignatureAlgorithm, public_key: bytes) -> Verifier:
        """Return a verifier. Raises UnsupportedAlgorithm, KeyFormatError."""
        return self.chosen(algorithm).verifier(algorithm, public_key)

    def signer(self, algorithm: SignatureAlgorithm, seed: bytes) -> Signer:
        """Return a signer. Raises UnsupportedAlgorithm."""
        return self.chosen(algorithm).signer(algorithm, seed)

    def generate_seed(self, algorithm: SignatureAlgorithm) -> bytes:
        """Return a fresh seed from the operating system. Raises UnsupportedAlgorithm."""
        return self.chosen(algorithm).generate_seed(algorithm)
