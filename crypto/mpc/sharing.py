"""Shamir's secret sharing (CACM 22, 1979, p. 612) of vectors, among three or five parties at the points 1 to m."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from crypto.errors import MpcFormatError, MpcTermsError
from crypto.libraries import require
from crypto.mpc.field import Field
from crypto.mpc.vectors import draw, pack, reduce_signed, signed, unpack

if TYPE_CHECKING:
    from crypto.mpc.vectors import Vector


def share(
    values: Vector, field: Field, parties: int, threshold: int, randomness: Callable[[int], bytes]
) -> list[bytes]:
    """Return one share vector a party (elements of `field.width` bytes, party 0 first) of signed integers.

    Any `threshold` parties learn nothing of the values, one more learn all. `randomness` gives as many bytes as it is
    asked for: `secrets.token_bytes`. Raises MpcTermsError.
    """
    require("multi-party studies", "numpy")
    import numpy

    if not 0 < threshold < parties <= 16:
        raise MpcTermsError(f"{parties} parties cannot have the threshold {threshold}")
    secret = reduce_signed(field, values)
    prime = numpy.uint64(field.prime) if field.width == 8 else field.prime
    coefficients = [draw(field, len(secret), randomness) for _ in range(threshold)]
    shares = []
    for party in range(parties):
        # In 64 bits: an element is below 2^61, and with another one added and times at most 5 below 2^64.
        point = numpy.uint64(party + 1) if field.width == 8 else party + 1
        total = coefficients[0] * point
        for coefficient in coefficients[1:]:
            total = ((total % prime + coefficient) % prime) * point
        shares.append(pack(field, (total % prime + secret) % prime))
    return shares


def combine(shares: Mapping[int, bytes], field: Field, threshold: int) -> list[int]:
    """Return the signed integers of at least threshold + 1 share vectors, by index of their party.

    Raises MpcFormatError: too few, not of one length, or not all on polynomials of degree `threshold`.
    """
    if len(shares) <= threshold:
        raise MpcFormatError(f"{threshold + 1} parties' shares make the values, not {len(shares)}")
    vectors = {index + 1: unpack(field, data).astype(object) for index, data in shares.items()}
    if len({len(vector) for vector in vectors.values()}) != 1:
        raise MpcFormatError("the shares are not of one length")
    used = sorted(vectors)[: threshold + 1]
    for point in sorted(vectors)[threshold + 1 :]:
        if (_interpolate(vectors, field, used, point) != vectors[point]).any():
            raise MpcFormatError("these shares are of no one secret")
    return signed(field, _interpolate(vectors, field, used, 0))


def _interpolate(vectors: Mapping[int, Vector], field: Field, used: list[int], point: int) -> Vector:
    weights = _weights(field, used, point)
    total = vectors[used[0]] * weights[used[0]]
    for index in used[1:]:
        total = total + vectors[index] * weights[index]
    reduced: Vector = total % field.prime
    return reduced


def _weights(field: Field, points: list[int], at: int) -> dict[int, int]:
    weights = {}
    for index in points:
        numerator = denominator = 1
        for other in points:
            if other != index:
                numerator = numerator * (at - other) % field.prime
                denominator = denominator * (index - other) % field.prime
        weights[index] = numerator * pow(denominator, -1, field.prime) % field.prime
    return weights
