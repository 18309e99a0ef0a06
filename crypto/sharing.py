"""Shamir's secret sharing (Communications of the ACM 22, 1979, p. 612) of secrets of 32 bytes.

The field is that of the integers modulo the prime of NIST's curve P-384 (SP 800-186), a well-known prime of 48 bytes.
It is 2^128 times larger than the set of secrets. That leaves room for a check: shares that were changed at random, or
that belong to different secrets, give a random element of the field, which is the number of no secret but with
probability 2^-128. Who knows which shares are used can still move the secret by an amount of his choice: commit to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from crypto.errors import SharingError

PRIME: Final = 2**384 - 2**128 - 2**96 + 2**32 - 1
SECRET_BYTES: Final = 32
VALUE_BYTES: Final = 48
SHARE_BYTES: Final = 2 + VALUE_BYTES
MAX_INDEX: Final = 2**16 - 1

# Bytes from which one element is drawn: taken modulo the prime, it is uniform up to 2^-128.
_DRAWN_BYTES: Final = VALUE_BYTES + 16


@dataclass(frozen=True, slots=True)
class Share:
    """The sharing polynomial's value at `index` (1 to 65,535); its repr hides the value. Raises SharingError."""

    index: int
    value: int = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse an index or a value that no share has."""
        if not 1 <= self.index <= MAX_INDEX:
            raise SharingError(f"the index of a share is from 1 to {MAX_INDEX}, not {self.index}")
        if not 0 <= self.value < PRIME:
            raise SharingError("the value of a share is not in the field")

    def to_bytes(self) -> bytes:
        """Return index (2 bytes) and value (48 bytes), big-endian."""
        return self.index.to_bytes(2) + self.value.to_bytes(VALUE_BYTES)

    @classmethod
    def from_bytes(cls, data: bytes) -> Share:
        """Read what `to_bytes` wrote. Raises SharingError."""
        if len(data) != SHARE_BYTES:
            raise SharingError(f"a share has {SHARE_BYTES} bytes, not {len(data)}")
        return cls(int.from_bytes(data[:2]), int.from_bytes(data[2:]))


def split(
    secret: bytes, threshold: int, indices: Sequence[int], randomness: Callable[[int], bytes]
) -> tuple[Share, ...]:
    """Return a share of the secret for each index: any `threshold` of them give it, fewer say nothing of it.

    `randomness` gives as many bytes as it is asked for: `secrets.token_bytes`. Called again for the same secret, it
    has to make another polynomial; never hand out shares of both. Raises SharingError.
    """
    if len(secret) != SECRET_BYTES:
        raise SharingError(f"a secret has {SECRET_BYTES} bytes, not {len(secret)}")
    if not 1 <= threshold <= len(indices):
        raise SharingError(f"of {len(indices)} shares a threshold of 1 to {len(indices)} can be asked, not {threshold}")
    _refuse_duplicates(indices)
    coefficients = [int.from_bytes(secret), *(_draw(randomness) for _ in range(threshold - 1))]
    return tuple(Share(index, _evaluate(coefficients, index)) for index in indices)


def combine(shares: Sequence[Share], threshold: int) -> bytes:
    """Return the secret (32 bytes) of exactly `threshold` shares.

    Raises SharingError: another number of shares, an index twice, or shares that are of no one secret.
    """
    if threshold < 1 or len(shares) != threshold:
        raise SharingError(f"{threshold} shares make the secret, not {len(shares)}")
    indices = tuple(share.index for share in shares)
    _refuse_duplicates(indices)
    weighted = (weight * share.value for weight, share in zip(_weights(indices), shares, strict=True))
    secret = sum(weighted) % PRIME
    if secret >> (8 * SECRET_BYTES):
        raise SharingError("these shares are of no one secret: one of them is false, or of something else")
    return secret.to_bytes(SECRET_BYTES)


def _refuse_duplicates(indices: Iterable[int]) -> None:
    seen: set[int] = set()
    for index in indices:
        if index in seen:
            raise SharingError(f"the index {index} is there twice")
        seen.add(index)


def _draw(randomness: Callable[[int], bytes]) -> int:
    drawn = randomness(_DRAWN_BYTES)
    if len(drawn) != _DRAWN_BYTES:
        raise SharingError(f"the randomness gave {len(drawn)} bytes in the place of {_DRAWN_BYTES}")
    return int.from_bytes(drawn) % PRIME


def _evaluate(coefficients: Sequence[int], index: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * index + coefficient) % PRIME
    return value


@lru_cache(maxsize=64)
def _weights(indices: tuple[int, ...]) -> tuple[int, ...]:
    """Lagrange's weights at zero; the indices are public, and the same for every secret of an unmasking."""
    weights = []
    for index in indices:
        numerator = denominator = 1
        for other in indices:
            if other != index:
                numerator = numerator * other % PRIME
                denominator = denominator * (other - index) % PRIME
        weights.append(numerator * pow(denominator, -1, PRIME) % PRIME)
    return tuple(weights)
