"""What a client of a masked sum remembers between its steps. The bytes hold secrets: encrypt them where they lie."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from crypto.errors import MaskingFormatError
from crypto.masking.boxes import Sharing
from crypto.masking.circle import Held
from crypto.masking.encoding import Reader, Writer, refuse_disorder
from crypto.masking.masks import SEED_BYTES
from crypto.masking.terms import MaskingTerms
from crypto.sharing import VALUE_BYTES

MAGIC: Final = b"SAMC\x01"
DIGEST_BYTES: Final = 32

_MAX_TERMS: Final = 256


class MaskingClientStage(IntEnum):
    """What the client did last."""

    JOINED = 0
    SHARED = 1
    RECEIVED = 2
    CONTRIBUTED = 3
    CONFIRMED = 4


@dataclass(frozen=True, slots=True)
class ClientState:
    """The memory of one client in one sum. Secrets that no later step needs are empty.

    `participants` are all indices of the list that `circle` is the digest of. `held` begins with the client's own
    shares; once boxes were received, it has one entry a member, by index.
    """

    terms: MaskingTerms
    index: int
    stage: MaskingClientStage = MaskingClientStage.JOINED
    root: bytes = field(default=b"", repr=False)
    shares_seed: bytes = field(default=b"", repr=False)
    self_seed: bytes = field(default=b"", repr=False)
    circle: bytes = b""
    participants: tuple[int, ...] = ()
    sharing: bytes = field(default=b"", repr=False)
    held: tuple[Held, ...] = ()
    delivery: bytes = b""
    contribution: bytes = b""
    survivors: tuple[int, ...] = ()

    @property
    def members(self) -> tuple[int, ...]:
        """The clients whose boxes were received, and this one."""
        return tuple(held.subject for held in self.held)

    def to_bytes(self) -> bytes:
        """Return everything."""
        writer = Writer().raw(MAGIC).counted(self.terms.to_bytes()).number(self.index, 2).number(self.stage, 1)
        for secret in (self.root, self.shares_seed, self.self_seed):
            writer.counted(secret, 1)
        writer.counted(self.circle, 1).indices(self.participants).counted(self.sharing, 4)
        writer.number(len(self.held), 2)
        for held in self.held:
            writer.number(held.subject, 2).number(held.root.value, VALUE_BYTES).number(held.mask.value, VALUE_BYTES)
            writer.counted(held.seed, 1)
        return writer.counted(self.delivery, 1).counted(self.contribution, 1).indices(self.survivors).done()

    @classmethod
    def from_bytes(cls, data: bytes) -> ClientState:
        """Read what `to_bytes` wrote. Raises MaskingFormatError, MaskingTermsError."""
        reader = Reader(data)
        if reader.raw(len(MAGIC)) != MAGIC:
            raise MaskingFormatError("this is not the state of a masking client")
        terms = MaskingTerms.from_bytes(reader.counted(_MAX_TERMS))
        most = terms.contributors
        index, stage = reader.index(most), MaskingClientStage(reader.count(max(MaskingClientStage), 1))
        root, shares_seed, self_seed = (reader.counted(SEED_BYTES, 1) for _ in range(3))
        circle, participants = reader.counted(DIGEST_BYTES, 1), reader.indices(most)
        sharing = reader.counted(Sharing.most_bytes(terms), 4)
        held = tuple(_read_held(reader, index, most) for _ in range(reader.count(most)))
        refuse_disorder(entry.subject for entry in held)
        delivery, contribution = reader.counted(DIGEST_BYTES, 1), reader.counted(DIGEST_BYTES, 1)
        survivors = reader.indices(most)
        reader.done()
        state = cls(terms, index, stage, root, shares_seed, self_seed, circle, participants, sharing, held)
        return replace(state, delivery=delivery, contribution=contribution, survivors=survivors)


def _read_held(reader: Reader, index: int, most: int) -> Held:
    subject = reader.index(most)
    return Held(subject, reader.share(index), reader.share(index), reader.counted(SEED_BYTES, 1))
