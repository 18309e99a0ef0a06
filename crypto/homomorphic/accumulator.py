"""Adding ciphertexts without opening them: residue by residue, modulo the context's prime."""

from __future__ import annotations

from typing import Any

from crypto.homomorphic.facts import ContextFacts
from crypto.homomorphic.parameters import WHAT
from crypto.homomorphic.residues import check_residues
from crypto.libraries import library


class Accumulator:
    """The sum of contributions of `count` ciphertexts so far; its memory does not grow with their number.

    Sums of residues are reduced when the next one could pass 64 bits. Raises CiphertextRefused, LibraryMissing.
    """

    def __init__(self, facts: ContextFacts, count: int, sum_so_far: bytes | None = None) -> None:
        self._facts, self._count = facts, count
        numpy = library(WHAT, "numpy")
        # Below 2^61 each: seven and the sum itself stay below 2^64.
        self._room = (2**64 - 1) // facts.modulus - 1
        self._added = 0
        self._sum: Any
        if sum_so_far is None:
            self._sum = numpy.zeros(count * facts.parameters.residues, dtype=numpy.uint64)
        else:
            self._sum = check_residues(facts, sum_so_far, count).astype(numpy.uint64)

    def add(self, content: bytes) -> None:
        """Add one contribution. Raises CiphertextRefused; then the sum is what it was."""
        residues = check_residues(self._facts, content, self._count)
        self._sum += residues
        self._added += 1
        if self._added >= self._room:
            self._reduce()

    def to_bytes(self) -> bytes:
        """Return the sum, in the form of a contribution."""
        self._reduce()
        content: bytes = self._sum.astype("<u8").tobytes()
        return content

    def _reduce(self) -> None:
        self._sum %= self._facts.modulus
        self._added = 0
