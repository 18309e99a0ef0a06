"""What all messages of a masked sum have in common: one header, one spelling, a length that is known to be possible.

The header is `SAMS`, the version (1), the kind, and the digest of the terms: 38 bytes. The fields are big-endian.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final, Self

from crypto.errors import MaskingFormatError
from crypto.masking.encoding import Reader, Writer
from crypto.masking.terms import MaskingTerms

MAGIC: Final = b"SAMS\x01"
HEADER_BYTES: Final = len(MAGIC) + 1 + 32


class Message:
    """A message of one kind; what is read and written again is the same bytes."""

    __slots__ = ()

    KIND: ClassVar[int]

    def encode(self, terms: MaskingTerms) -> bytes:
        """Return the message as bytes."""
        writer = Writer().raw(self.header(terms))
        self._write(writer)
        return writer.done()

    @classmethod
    def decode(cls, data: bytes, terms: MaskingTerms) -> Self:
        """Read a message of this kind, for this sum, from anybody's bytes. Raises MaskingFormatError."""
        most = cls.most_bytes(terms)
        if len(data) > most:
            raise MaskingFormatError(f"a {cls.__name__} has at most {most} bytes, not {len(data)}")
        if data[:HEADER_BYTES] != cls.header(terms):
            if data[: len(MAGIC) + 1] != MAGIC + bytes([cls.KIND]):
                raise MaskingFormatError(f"this is not a {cls.__name__}")
            raise MaskingFormatError("this belongs to another study, another round, or other terms")
        reader = Reader(data, HEADER_BYTES)
        message = cls._read(reader, terms)
        reader.done()
        return message

    @classmethod
    def most_bytes(cls, terms: MaskingTerms) -> int:
        """Return how long such a message can be, so that no more is taken in."""
        return HEADER_BYTES + cls._most(terms)

    @classmethod
    def header(cls, terms: MaskingTerms) -> bytes:
        """Return how such a message begins."""
        return MAGIC + bytes([cls.KIND]) + terms.digest

    @abstractmethod
    def _write(self, writer: Writer) -> None:
        """Add the fields."""

    @classmethod
    @abstractmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        """Take the fields."""

    @classmethod
    @abstractmethod
    def _most(cls, terms: MaskingTerms) -> int:
        """Return how many bytes the fields can have."""
