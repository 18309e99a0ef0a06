"""Boxes: what clients seal for each other, and the two messages that carry them by way of the server."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final, Self

from crypto.errors import MaskingFormatError, MaskingOrderError
from crypto.kem import KEM_ALGORITHMS, KemAlgorithm
from crypto.masking.encoding import Reader, Writer, refuse_disorder
from crypto.masking.masks import SEED_BYTES
from crypto.masking.message import Message
from crypto.masking.messages import MAX_SIGNATURE_BYTES
from crypto.masking.terms import MaskingTerms
from crypto.sealing import TAG_BYTES
from crypto.sharing import VALUE_BYTES

_SEAL_BYTES: Final = KEM_ALGORITHMS[KemAlgorithm.X_WING].ciphertext_bytes + TAG_BYTES
SEALED_SHARES_BYTES: Final = _SEAL_BYTES + 2 * VALUE_BYTES
SEALED_SEED_BYTES: Final = _SEAL_BYTES + SEED_BYTES
_BOX: Final = 2 + SEALED_SHARES_BYTES + SEALED_SEED_BYTES + 2 + MAX_SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class Box:
    """What one client sealed for another: shares for each, and a pair seed (`pair`) from the lower to the higher."""

    sender: int
    recipient: int
    shares: bytes = field(repr=False)
    pair: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def write(self, writer: Writer, other: int) -> None:
        """Add the box, with the index of the end that the message does not name."""
        writer.number(other, 2).raw(self.shares, self.pair).counted(self.signature)

    @classmethod
    def read(cls, reader: Reader, sender: int, recipient: int) -> Box:
        """Take the rest of a box, whose ends are known. Raises MaskingFormatError."""
        if sender == recipient:
            raise MaskingFormatError(f"a box of client {sender} for itself")
        shares = reader.raw(SEALED_SHARES_BYTES)
        pair = reader.raw(SEALED_SEED_BYTES) if sender < recipient else b""
        return cls(sender, recipient, shares, pair, reader.counted(MAX_SIGNATURE_BYTES))


@dataclass(frozen=True, slots=True)
class Sharing(Message):
    """A client's boxes for all other participants, by recipient."""

    KIND = 3
    sender: int
    boxes: tuple[Box, ...]

    def box_for(self, recipient: int) -> Box:
        """Return the box for another participant, of which there is one. Raises MaskingOrderError."""
        place = bisect_left(self.boxes, recipient, key=lambda box: box.recipient)
        if place == len(self.boxes) or self.boxes[place].recipient != recipient:
            raise MaskingOrderError(f"client {self.sender} has no box for client {recipient}")
        return self.boxes[place]

    def _write(self, writer: Writer) -> None:
        writer.number(self.sender, 2).number(len(self.boxes), 2)
        for box in self.boxes:
            box.write(writer, box.recipient)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        sender, count = reader.index(terms.contributors), reader.count(terms.contributors)
        found = tuple(Box.read(reader, sender, reader.index(terms.contributors)) for _ in range(count))
        refuse_disorder(box.recipient for box in found)
        return cls(sender, found)

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return 4 + terms.contributors * _BOX


@dataclass(frozen=True, slots=True)
class Delivery(Message):
    """The boxes for one client, by sender: the senders, and the client itself, are the members from here on."""

    KIND = 4
    recipient: int
    boxes: tuple[Box, ...]

    def _write(self, writer: Writer) -> None:
        writer.number(self.recipient, 2).number(len(self.boxes), 2)
        for box in self.boxes:
            box.write(writer, box.sender)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        recipient, count = reader.index(terms.contributors), reader.count(terms.contributors)
        found = tuple(Box.read(reader, reader.index(terms.contributors), recipient) for _ in range(count))
        refuse_disorder(box.sender for box in found)
        return cls(recipient, found)

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return 4 + terms.contributors * _BOX
