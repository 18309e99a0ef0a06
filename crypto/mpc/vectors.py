"""Vectors over a field as bytes and as arrays: numpy's uint64 below 2^61 - 1, Python's integers below 2^127 - 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from crypto.errors import MpcFormatError
from crypto.libraries import require
from crypto.mpc.field import Field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[Any]

_WORD: Final = "<u8"
_MASK: Final = (1 << 64) - 1
_ADDITIONS: Final = 7  # eight elements of the small field fit in 64 bits


def pack(field: Field, values: Vector) -> bytes:
    """Return the elements of a vector, each below the prime, in their one form."""
    require("multi-party studies", "numpy")
    import numpy

    if field.width == 8:
        return values.astype(_WORD).tobytes()
    words = numpy.empty((values.size, 2), dtype=_WORD)
    words[:, 0] = values & _MASK
    words[:, 1] = values >> 64
    return words.tobytes()


def unpack(field: Field, data: bytes, length: int | None = None) -> Vector:
    """Read what `pack` wrote; `length` is how many elements there must be.

    Raises MpcFormatError: another length, or an element that is not below the prime.
    """
    require("multi-party studies", "numpy")
    import numpy

    if len(data) % field.width or (length is not None and len(data) != length * field.width):
        raise MpcFormatError(f"{len(data)} bytes are not the vector of elements of {field.width} bytes that is due")
    words = numpy.frombuffer(data, dtype=_WORD)
    if field.width == 8:
        if words.size and int(words.max()) >= field.prime:
            raise MpcFormatError("an element is not below the prime")
        return words.astype(numpy.uint64)
    low, high = words[0::2], words[1::2]
    if high.size and (int(high.max()) >> 63 or bool(((high == _MASK >> 1) & (low == _MASK)).any())):
        raise MpcFormatError("an element is not below the prime")
    vector: Vector = (high.astype(object) << 64) | low.astype(object)
    return vector


def reduce_signed(field: Field, values: Vector) -> Vector:
    """Return signed numbers as elements: -1 is the prime less one."""
    import numpy

    if field.width == 8:
        numbers = values.astype(numpy.int64)
        return numpy.where(numbers < 0, numbers + field.prime, numbers).astype(numpy.uint64)
    return values.astype(object) % field.prime


def signed(field: Field, values: Iterable[int]) -> list[int]:
    """Return the numbers that elements stand for, the upper half of the field being negative."""
    half, prime = field.prime >> 1, field.prime
    return [value - prime if value > half else value for value in map(int, values)]


def add(field: Field, vectors: Iterable[Vector]) -> Vector:
    """Return the sum of at least one vector. Raises MpcFormatError without any."""
    import numpy

    total: Vector | None = None
    pending = 0
    for vector in vectors:
        if total is None:
            total = vector.copy()
            continue
        total += vector
        pending += 1
        if pending == _ADDITIONS:
            total %= numpy.uint64(field.prime) if field.width == 8 else field.prime
            pending = 0
    if total is None:
        raise MpcFormatError("there is no vector to add")
    return total % (numpy.uint64(field.prime) if field.width == 8 else field.prime)


def draw(field: Field, count: int, randomness: Callable[[int], bytes]) -> Vector:
    """Return uniformly random elements: as many bits as the prime has, and again where they are the prime itself."""
    import numpy

    words = numpy.frombuffer(randomness(count * field.width), dtype=_WORD).copy()
    if field.width == 8:
        words &= numpy.uint64(field.prime)
        vector: Vector = words.astype(numpy.uint64)
    else:
        words[1::2] &= numpy.uint64(_MASK >> 1)
        vector = (words[1::2].astype(object) << 64) | words[0::2].astype(object)
    while (refused := vector == field.prime).any():
        vector[refused] = draw(field, int(refused.sum()), randomness)
    return vector
