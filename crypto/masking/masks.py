"""Masks: a seed of 32 bytes becomes as many uint32 values as are asked for.

The values are the AES-256-CTR key stream (NIST SP 800-38A) under the seed as key, counter from zero, read as
little-endian words. A seed makes one mask and nothing else, so no key stream is used twice. Sums wrap modulo 2^32: that
is what makes a masked value uniform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto.errors import MaskingError
from crypto.masking.arrays import WORD, require_numpy

if TYPE_CHECKING:
    from numpy import uint32
    from numpy.typing import NDArray

SEED_BYTES: Final = 32

_COUNTER: Final = modes.CTR(bytes(16))
_CHUNK: Final = 65_536  # words: a chunk stays in the processor's cache between encryption and addition
_ZEROS: Final = memoryview(bytes(4 * _CHUNK))


def expand(seed: bytes, count: int) -> NDArray[uint32]:
    """Return the mask of a seed as a new array of `count` values. Raises MaskingError, LibraryMissing."""
    require_numpy()
    import numpy

    mask = numpy.zeros(count, WORD)
    add_mask(mask, seed)
    return mask


def add_mask(values: NDArray[uint32], seed: bytes) -> None:
    """Add the mask of a seed to a one-dimensional array, in place, modulo 2^32. Raises MaskingError, LibraryMissing."""
    _apply(values, seed, adding=True)


def subtract_mask(values: NDArray[uint32], seed: bytes) -> None:
    """Take the mask of a seed away again, as `add_mask` added it. Raises MaskingError, LibraryMissing."""
    _apply(values, seed, adding=False)


def _apply(values: NDArray[uint32], seed: bytes, *, adding: bool) -> None:
    require_numpy()
    import numpy

    # AES would take shorter seeds, and be AES-128; another type of words would have another sum.
    if len(seed) != SEED_BYTES:
        raise MaskingError(f"the seed of a mask has {SEED_BYTES} bytes, not {len(seed)}")
    if values.dtype != WORD or values.ndim != 1:
        raise MaskingError(f"what is masked is a row of uint32, not {values.ndim} dimensions of {values.dtype}")
    operation = numpy.add if adding else numpy.subtract
    encrypt = Cipher(algorithms.AES(seed), _COUNTER).encryptor().update_into
    count = len(values)
    stream = numpy.empty(min(count, _CHUNK), WORD)
    room = stream.view(numpy.uint8).data
    for start in range(0, count, _CHUNK):
        part = values[start : start + _CHUNK]
        size = len(part)
        encrypt(_ZEROS[: 4 * size], room[: 4 * size])
        operation(part, stream[:size], out=part)
