"""What the server of a masked sum remembers: the messages it took, and one row of uint32 that contributions add to."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, TypeVar

from crypto.errors import MaskingFormatError, MaskingOrderError
from crypto.masking.arrays import WORD, require_numpy
from crypto.masking.boxes import Sharing
from crypto.masking.encoding import Reader, Writer
from crypto.masking.message import Message
from crypto.masking.messages import Advertisement, Confirmation, Reveal
from crypto.masking.terms import MaskingTerms

if TYPE_CHECKING:
    from numpy import uint32
    from numpy.typing import NDArray

MAGIC: Final = b"SAMV\x01"

_MAX_TERMS: Final = 256
_AnyMessage = TypeVar("_AnyMessage", bound=Message)


class MaskingServerStage(IntEnum):
    """What the server waits for."""

    SETUP = 0
    SHARING = 1
    COLLECTING = 2
    CONFIRMING = 3
    REVEALING = 4


@dataclass(slots=True)
class ServerState:
    """Messages by the index of their sender; `contributed` are the clients whose values are in `total`."""

    terms: MaskingTerms
    stage: MaskingServerStage = MaskingServerStage.SETUP
    advertised: dict[int, Advertisement] = field(default_factory=dict)
    sharings: dict[int, Sharing] = field(default_factory=dict)
    contributed: set[int] = field(default_factory=set)
    confirmations: dict[int, Confirmation] = field(default_factory=dict)
    reveals: dict[int, Reveal] = field(default_factory=dict)
    total: NDArray[uint32] | None = None

    @property
    def heard(self) -> tuple[int, ...]:
        """The clients that did their part of the present stage, by index; so are all that follow."""
        parts = (self.advertised, self.sharings, self.contributed, self.confirmations, self.reveals)
        return tuple(sorted(parts[self.stage]))

    @property
    def listed(self) -> tuple[Advertisement, ...]:
        """The participants' advertisements."""
        return tuple(entry for _, entry in sorted(self.advertised.items()))

    @property
    def members(self) -> tuple[int, ...]:
        """The clients that handed out boxes."""
        return tuple(sorted(self.sharings))

    @property
    def survivors(self) -> tuple[int, ...]:
        """The clients whose contributions are in the sum."""
        return tuple(sorted(self.contributed))

    @property
    def dropped(self) -> tuple[int, ...]:
        """The members that did not contribute."""
        return tuple(sorted(self.sharings.keys() - self.contributed))

    @property
    def sum(self) -> NDArray[uint32]:
        """The sum of the contributions, masks included. Raises MaskingOrderError before the first."""
        if self.total is None:
            raise MaskingOrderError("nobody has contributed")
        return self.total

    def expect(self, stage: MaskingServerStage) -> None:
        """Refuse what does not belong to the present stage. Raises MaskingOrderError."""
        if self.stage is not stage:
            raise MaskingOrderError(f"this belongs to the stage {stage.name.lower()}, not to {self.stage.name.lower()}")

    def expect_after(self, stage: MaskingServerStage) -> None:
        """Refuse what is not known before a stage is closed. Raises MaskingOrderError."""
        if self.stage <= stage:
            raise MaskingOrderError(f"this is known when the stage {stage.name.lower()} is closed")

    def expect_among(self, index: int, clients: Container[int], lack: str) -> None:
        """Refuse a client that has no part in something. Raises MaskingOrderError."""
        if index not in clients:
            raise MaskingOrderError(f"client {index} {lack}")

    def to_bytes(self) -> bytes:
        """Return everything."""
        writer = Writer().raw(MAGIC).counted(self.terms.to_bytes()).number(self.stage, 1)
        stages: tuple[Iterable[Message], ...] = (
            self.advertised.values(),
            self.sharings.values(),
            self.confirmations.values(),
            self.reveals.values(),
        )
        for messages in stages:
            encoded = [message.encode(self.terms) for message in messages]
            writer.number(len(encoded), 2)
            for message in encoded:
                writer.counted(message, 4)
        writer.indices(sorted(self.contributed))
        return writer.raw(b"" if self.total is None else self.total.tobytes()).done()

    @classmethod
    def from_bytes(cls, data: bytes) -> ServerState:
        """Read what `to_bytes` wrote. Raises MaskingFormatError, MaskingTermsError, LibraryMissing."""
        reader = Reader(data)
        if reader.raw(len(MAGIC)) != MAGIC:
            raise MaskingFormatError("this is not the state of a masking server")
        terms = MaskingTerms.from_bytes(reader.counted(_MAX_TERMS))
        stage = MaskingServerStage(reader.count(max(MaskingServerStage), 1))
        advertised = {entry.index: entry for entry in _read(reader, Advertisement, terms)}
        sharings = {entry.sender: entry for entry in _read(reader, Sharing, terms)}
        confirmations = {entry.index: entry for entry in _read(reader, Confirmation, terms)}
        reveals = {entry.index: entry for entry in _read(reader, Reveal, terms)}
        contributed = set(reader.indices(terms.contributors))
        total = _read_total(reader, terms) if contributed else None
        reader.done()
        return cls(terms, stage, advertised, sharings, contributed, confirmations, reveals, total)


def _read(reader: Reader, kind: type[_AnyMessage], terms: MaskingTerms) -> list[_AnyMessage]:
    count = reader.count(terms.contributors)
    return [kind.decode(reader.counted(kind.most_bytes(terms), 4), terms) for _ in range(count)]


def _read_total(reader: Reader, terms: MaskingTerms) -> NDArray[uint32]:
    require_numpy()
    import numpy

    return numpy.frombuffer(reader.view(4 * terms.words), WORD).copy()
