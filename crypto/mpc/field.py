"""The fields of shares: integers modulo a Mersenne prime, in words of 8 or 16 bytes.

2^61 - 1 is what a machine word adds without overflow; 2^127 - 1 is for larger sums and for comparisons, which need 42
bits above the numbers that they compare. Both are 3 modulo 4, where square roots are one exponentiation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crypto.errors import MpcTermsError


@dataclass(frozen=True, slots=True)
class Field:
    """The integers modulo 2^bits - 1, each written as `width` bytes, little-endian."""

    bits: int
    width: int

    @property
    def prime(self) -> int:
        """The modulus."""
        return (1 << self.bits) - 1


FIELDS: Final = (Field(61, 8), Field(127, 16))


def field_for(bits: int) -> Field:
    """Return the smallest field whose elements tell signed numbers of this many bits apart. Raises MpcTermsError."""
    for field in FIELDS:
        if bits < field.bits:
            return field
    raise MpcTermsError(f"the field of 2^127 - 1 does not hold numbers of {bits} bits: narrow the bounds or the sum")
