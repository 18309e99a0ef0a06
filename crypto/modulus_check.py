"""The modulus check of ML-KEM public keys (FIPS 203 §7.2): every coefficient is below 3329.

A key is `rank` polynomials of 256 coefficients of 12 bits, little-endian, and a 32-byte seed that is not looked at.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from crypto.errors import KeyFormatError

MODULUS: Final = 3329
POLYNOMIAL_BYTES: Final = 384


def refuse_unreduced(public_key: bytes, rank: int) -> None:
    """Refuse a key whose first `rank` polynomials have a coefficient of 3329 or more. Raises KeyFormatError."""
    low, headroom, carry = _lanes(rank)
    vector = int.from_bytes(public_key[: rank * POLYNOMIAL_BYTES], "little")
    # Two coefficients in 24 bits: each half gets 12 bits of room, and carries out of its own 12 when it is too large.
    if (((vector & low) + headroom) | (((vector >> 12) & low) + headroom)) & carry:
        raise KeyFormatError("a coefficient of the ML-KEM public key is not reduced modulo 3329")


@cache
def _lanes(rank: int) -> tuple[int, int, int]:
    """Return 0xFFF, 4096 - 3329 and 0x1000, each repeated every 24 bits."""
    pairs = rank * POLYNOMIAL_BYTES // 3

    def repeated(value: int) -> int:
        return int.from_bytes(value.to_bytes(3, "little") * pairs, "little")

    return repeated(0xFFF), repeated(0x1000 - MODULUS), repeated(0x1000)
