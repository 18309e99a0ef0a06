"""The terms of a masked sum: what every client and the server agree on before anything is drawn or sent."""

from __future__ import annotations

import hashlib
import math
import re
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from crypto.errors import MaskingFormatError, MaskingTermsError, TooFewClients
from crypto.masking.encoding import Reader, Writer
from crypto.masking.quantization import Quantization

LABEL: Final = b"secure-api masked sum v1 "
MAX_CONTRIBUTORS: Final = 1_024
MAX_DIMENSION: Final = 2**26
MAX_ROUND: Final = 2**32 - 1

_STUDY: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True)
class MaskingTerms:
    """One masked sum: `round` of `study`, by at most `contributors` clients, with a recovery `threshold`.

    `colluding` clients may work together with a server that lies: that takes 2 * threshold > contributors + colluding,
    and no fewer than two honest clients in every sum. Of n clients with a threshold above two thirds, fewer than n / 3
    may collude. A round that is tried again needs another number. Raises MaskingTermsError.
    """

    study: str
    round: int
    dimension: int
    contributors: int
    threshold: int
    colluding: int
    quantization: Quantization

    def __post_init__(self) -> None:
        """Refuse terms that cannot be written down, that protect nobody, or whose sum could overflow."""
        if _STUDY.fullmatch(self.study) is None:
            raise MaskingTermsError("a study's name is 1 to 64 letters, digits and . _ : -")
        _within("the round", self.round, 0, MAX_ROUND)
        _within("the dimension", self.dimension, 1, MAX_DIMENSION)
        _within("contributors", self.contributors, 2, MAX_CONTRIBUTORS)
        _within("the threshold", self.threshold, 2, self.contributors)
        _within("colluding clients", self.colluding, 0, self.contributors)
        if 2 * self.threshold <= self.contributors + self.colluding:
            least = (self.contributors + self.colluding) // 2 + 1
            raise MaskingTermsError(
                f"a server that lies to {self.contributors} clients and has {self.colluding} of them on its side "
                f"takes a threshold of at least {least}, not {self.threshold}"
            )
        if self.threshold - self.colluding < 2:
            raise MaskingTermsError(
                f"{self.colluding} colluding clients know their own part of a sum of {self.threshold}, and so the rest"
            )
        self.quantization.check_contributors(self.contributors)

    @property
    def dropouts(self) -> int:
        """How many of `contributors` clients may drop out."""
        return self.contributors - self.threshold

    @property
    def words(self) -> int:
        """How many uint32 a contribution has: its values, and a one that counts."""
        return self.dimension + 1

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the label and the terms: it stands for this sum wherever something is signed, sealed or sent."""
        return hashlib.sha256(LABEL + b"terms\n" + self.to_bytes()).digest()

    def to_bytes(self) -> bytes:
        """Return the terms in their one form (docs/masked-sums.md)."""
        writer = Writer().counted(self.study.encode("ascii"), 1)
        writer.number(self.round, 4).number(self.dimension, 4)
        writer.number(self.contributors, 2).number(self.threshold, 2).number(self.colluding, 2)
        writer.raw(struct.pack(">d", self.quantization.step))
        return writer.number(self.quantization.levels, 4).done()

    @classmethod
    def from_bytes(cls, data: bytes) -> MaskingTerms:
        """Read what `to_bytes` wrote. Raises MaskingFormatError, MaskingTermsError."""
        reader = Reader(data)
        try:
            study = reader.counted(64, 1).decode("ascii")
        except UnicodeDecodeError:
            raise MaskingFormatError("a study's name is ASCII") from None
        number, dimension = reader.number(4), reader.number(4)
        contributors, threshold, colluding = reader.number(2), reader.number(2), reader.number(2)
        (step,) = struct.unpack(">d", reader.raw(8))
        levels = reader.number(4)
        reader.done()
        return cls(study, number, dimension, contributors, threshold, colluding, Quantization(step, levels))


def least_masking_threshold(contributors: int, colluding: int | None = None) -> int:
    """Return the smallest threshold that `MaskingTerms` takes; without a number, for any minority below one third."""
    if colluding is None:
        colluding = math.ceil(contributors / 3) - 1
    return max((contributors + colluding) // 2 + 1, colluding + 2)


def refuse_few(count: int, terms: MaskingTerms, what: str) -> None:
    """Refuse fewer clients than the threshold. Raises TooFewClients."""
    if count < terms.threshold:
        raise TooFewClients(f"{count} clients {what}: {terms.threshold} are needed")


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise MaskingTermsError(f"{name}: {least} to {most}, not {value}")
