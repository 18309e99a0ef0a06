"""The messages of a masked sum, typed and frozen, in the order in which they are sent (docs/masked-sums.md).

Clients send Advertisement, Sharing, Contribution, Confirmation and Reveal; the server answers each stage but the last
with Participants, Delivery, Survivors and Confirmations. Sharing and Delivery are in `boxes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

from crypto.kem import KEM_ALGORITHMS, KemAlgorithm
from crypto.masking.encoding import Reader, Writer, refuse_disorder
from crypto.masking.message import HEADER_BYTES, Message
from crypto.masking.terms import MaskingTerms
from crypto.sharing import VALUE_BYTES, Share
from crypto.signatures import ALGORITHMS

KEY_BYTES: Final = KEM_ALGORITHMS[KemAlgorithm.X_WING].public_key_bytes
DIGEST_BYTES: Final = 32
MAX_SIGNATURE_BYTES: Final = max(info.signature_bytes for info in ALGORITHMS.values())

_SIGNED: Final = 2 + MAX_SIGNATURE_BYTES
_ADVERTISEMENT: Final = 2 + 2 * KEY_BYTES + DIGEST_BYTES + _SIGNED


@dataclass(frozen=True, slots=True)
class Advertisement(Message):
    """A client's X-Wing keys for shares and for pair seeds, its commitment to its own mask, and its signature."""

    KIND = 1
    index: int
    shares_key: bytes = field(repr=False)
    pair_key: bytes = field(repr=False)
    commitment: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def _write(self, writer: Writer) -> None:
        writer.number(self.index, 2).raw(self.shares_key, self.pair_key, self.commitment).counted(self.signature)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        index, shares_key, pair_key = reader.index(terms.contributors), reader.raw(KEY_BYTES), reader.raw(KEY_BYTES)
        return cls(index, shares_key, pair_key, reader.raw(DIGEST_BYTES), reader.counted(MAX_SIGNATURE_BYTES))

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return _ADVERTISEMENT


@dataclass(frozen=True, slots=True)
class Participants(Message):
    """The advertisements of all who take part, by index: the list is final."""

    KIND = 2
    advertisements: tuple[Advertisement, ...]

    def _write(self, writer: Writer) -> None:
        writer.number(len(self.advertisements), 2)
        for advertised in self.advertisements:
            advertised._write(writer)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        count = reader.count(terms.contributors)
        found = tuple(Advertisement._read(reader, terms) for _ in range(count))
        refuse_disorder(advertised.index for advertised in found)
        return cls(found)

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return 2 + terms.contributors * _ADVERTISEMENT


@dataclass(frozen=True, slots=True)
class Contribution(Message):
    """A client's masked levels and its masked one: `terms.words` little-endian uint32, a view of what was received."""

    KIND = 5
    index: int
    masked: bytes | memoryview = field(repr=False)

    @classmethod
    def decode(cls, data: bytes, terms: MaskingTerms) -> Self:
        """Read one as every message is read, in one step: to add a short row takes less time than to take it apart."""
        if len(data) == HEADER_BYTES + 2 + 4 * terms.words and data.startswith(cls.header(terms)):
            index = int.from_bytes(data[HEADER_BYTES : HEADER_BYTES + 2])
            if 1 <= index <= terms.contributors:
                return cls(index, memoryview(data)[HEADER_BYTES + 2 :])
        return super(Contribution, cls).decode(data, terms)  # which says what is wrong

    def _write(self, writer: Writer) -> None:
        writer.number(self.index, 2).raw(self.masked)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        return cls(reader.index(terms.contributors), reader.view(4 * terms.words))

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return 2 + 4 * terms.words


@dataclass(frozen=True, slots=True)
class Survivors(Message):
    """The clients whose contributions are in the sum."""

    KIND = 6
    indices: tuple[int, ...]

    def _write(self, writer: Writer) -> None:
        writer.indices(self.indices)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        return cls(reader.indices(terms.contributors))

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return 2 + 2 * terms.contributors


@dataclass(frozen=True, slots=True)
class Confirmation(Message):
    """A client's signature over the members and the survivors that it was told of."""

    KIND = 7
    index: int
    signature: bytes = field(repr=False)

    def _write(self, writer: Writer) -> None:
        writer.number(self.index, 2).counted(self.signature)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        return cls(reader.index(terms.contributors), reader.counted(MAX_SIGNATURE_BYTES))

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return 2 + _SIGNED


@dataclass(frozen=True, slots=True)
class Confirmations(Message):
    """Everybody's confirmations, by index."""

    KIND = 8
    confirmations: tuple[Confirmation, ...]

    def _write(self, writer: Writer) -> None:
        writer.number(len(self.confirmations), 2)
        for confirmation in self.confirmations:
            confirmation._write(writer)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        count = reader.count(terms.contributors)
        found = tuple(Confirmation._read(reader, terms) for _ in range(count))
        refuse_disorder(confirmation.index for confirmation in found)
        return cls(found)

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return 2 + terms.contributors * (2 + _SIGNED)


@dataclass(frozen=True, slots=True)
class Reveal(Message):
    """A client's shares: of the mask of every survivor, of the root of every member that dropped out.

    Both map the index of a client to the share of its secret that this client holds.
    """

    KIND = 9
    index: int
    masks: tuple[tuple[int, Share], ...]
    roots: tuple[tuple[int, Share], ...]

    def _write(self, writer: Writer) -> None:
        writer.number(self.index, 2)
        for part in (self.masks, self.roots):
            writer.number(len(part), 2)
            for subject, share in part:
                writer.number(subject, 2).number(share.value, VALUE_BYTES)

    @classmethod
    def _read(cls, reader: Reader, terms: MaskingTerms) -> Self:
        index = reader.index(terms.contributors)
        masks, roots = (_read_shares(reader, terms, index) for _ in range(2))
        return cls(index, masks, roots)

    @classmethod
    def _most(cls, terms: MaskingTerms) -> int:
        return 6 + 2 * terms.contributors * (2 + VALUE_BYTES)


def _read_shares(reader: Reader, terms: MaskingTerms, index: int) -> tuple[tuple[int, Share], ...]:
    count = reader.count(terms.contributors)
    found = tuple((reader.index(terms.contributors), reader.share(index)) for _ in range(count))
    refuse_disorder(subject for subject, _ in found)
    return found
