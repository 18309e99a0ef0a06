"""What stands in the place of `pickle` in MPyC: vectors of field elements in one strict form, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.errors import MpcFormatError
from crypto.mpc.field import Field
from crypto.mpc.vectors import pack, unpack

if TYPE_CHECKING:
    from crypto.mpc.vectors import Vector


class VectorCodec:
    """Has the two functions that MPyC calls on the module `pickle`, by their names."""

    def __init__(self, field: Field) -> None:
        self._field = field

    def dumps(self, vector: Vector) -> bytes:
        """Return a vector as bytes. Raises MpcFormatError: it is another object."""
        if getattr(vector, "ndim", None) != 1:
            raise MpcFormatError(f"parties send vectors to each other, not {type(vector).__name__}")
        return pack(self._field, vector)

    def decode(self, data: bytes) -> Vector:
        """Return the vector that a party sent, as a link does. Raises MpcFormatError: a pickle, for instance."""
        return unpack(self._field, data).astype(object)

    def loads(self, vector: Vector) -> Vector:
        """Return a vector that a link decoded. Raises MpcFormatError: it is anything else, bytes above all."""
        if getattr(vector, "ndim", None) != 1:
            raise MpcFormatError("only what a link decoded is a vector")
        return vector
