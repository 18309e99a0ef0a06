"""The parameters that an analyst may choose from; there are no others.

N = 8192 with a modulus of 120 bits: the standard of HomomorphicEncryption.org allows 218 bits for 128 bits of security
against classical attacks with ternary secrets, and 152 bits for 192.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

#: What needs the libraries, in a message that one is missing.
WHAT: Final = "encrypted sums"
#: What a canary slot holds in each contribution, before it is scaled.
CANARY: Final = 1
MAX_CONTRIBUTORS: Final = 1_024


class Scheme(StrEnum):
    """How numbers become ciphertexts: CKKS approximately, BFV exactly."""

    CKKS = "ckks"
    BFV = "bfv"


@dataclass(frozen=True, slots=True)
class HomomorphicParameters:
    """One set of parameters. `slots` is how many numbers one ciphertext holds, the canary among them.

    The second prime of `coefficient_bits` is for encryption alone (SEAL's special prime): ciphertexts have one residue
    a coefficient. `scale_bits` is CKKS's, `plain_bits` is BFV's.
    """

    name: str
    scheme: Scheme
    degree: int
    coefficient_bits: tuple[int, ...]
    scale_bits: int = 0
    plain_modulus: int = 0

    @property
    def slots(self) -> int:
        """How many numbers a ciphertext holds: N/2 in CKKS, N in BFV."""
        return self.degree // 2 if self.scheme is Scheme.CKKS else self.degree

    @property
    def residues(self) -> int:
        """How many residues of 64 bits a ciphertext has: two polynomials modulo one prime."""
        return 2 * self.degree


# The largest prime below 2^34 that is 1 modulo 2N: batching needs that.
_PLAIN: Final = 17_179_754_497

#: By name, as `secure-api study key` takes it.
HOMOMORPHIC_PARAMETERS: Final[Mapping[str, HomomorphicParameters]] = MappingProxyType(
    {
        parameters.name: parameters
        for parameters in (
            HomomorphicParameters("ckks-8192", Scheme.CKKS, 8_192, (60, 60), scale_bits=48),
            HomomorphicParameters("bfv-8192", Scheme.BFV, 8_192, (60, 60), plain_modulus=_PLAIN),
        )
    }
)
