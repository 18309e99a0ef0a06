"""Contributions as residues: nothing that a native library would have to parse.

A contribution, or a sum of them, is `count` ciphertexts one after the other; each is 2N residues of 64 bits,
little-endian, below the modulus. What SEAL writes around them is the same for all of a context and is left out.
"""

from __future__ import annotations

from typing import Any

from crypto.errors import CiphertextRefused
from crypto.homomorphic.facts import ContextFacts
from crypto.homomorphic.parameters import WHAT
from crypto.libraries import library


def contribution_bytes(facts: ContextFacts, count: int) -> int:
    """Tell how many bytes `count` ciphertexts of a context have."""
    return 8 * facts.parameters.residues * count


def check_residues(facts: ContextFacts, content: bytes, count: int) -> Any:
    """Read `count` ciphertexts: a read-only numpy array of uint64. Raises CiphertextRefused, LibraryMissing."""
    wanted = contribution_bytes(facts, count)
    if len(content) != wanted:
        raise CiphertextRefused(f"{count} ciphertexts of this context have {wanted} bytes, not {len(content)}")
    numpy = library(WHAT, "numpy")
    residues = numpy.frombuffer(content, dtype="<u8")
    if residues.max() >= facts.modulus:
        raise CiphertextRefused("a residue is not below the modulus of this context")
    return residues
