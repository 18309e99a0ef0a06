"""The terms of one multi-party statistic: what contributors encode by, and parties compute by."""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from crypto.errors import MpcTermsError, PrivacyError
from crypto.mpc.field import Field, field_for
from crypto.privacy.noise import tail_of
from crypto.privacy.terms import PrivacyTerms

if TYPE_CHECKING:
    from crypto.mpc.programs.program import Program

LABEL: Final = b"secure-api mpc v1 "
PARTIES: Final = (3, 5)
MAX_DIMENSION: Final = 2**22
MAX_ELEMENTS: Final = 2**23
MAX_CONTRIBUTORS: Final = 2**20
MAX_FRACTION_BITS: Final = 32
DEFAULT_FRACTION_BITS: Final = 16
DEFAULT_CONTRIBUTORS: Final = 1_024
# Numbers are scaled and rounded as binary64: up to here every integer is one.
_EXACT_BITS: Final = 52
# Statistical distance of what a comparison opens from random: 2^-40, and two bits as MPyC counts.
SECURITY_BITS: Final = 40
_MASKING_BITS: Final = SECURITY_BITS + 2
_STUDY: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True)
class MpcTerms:
    """A statistic of `study` over contributions of `dimension` values in [low, high], computed by `parties`.

    Values are fixed-point numbers with `fraction_bits` binary places. `arguments` are the program's own (see
    `crypto.mpc.programs`). At most `contributors` may take part: the field is chosen for them. Parties compute
    nothing of fewer than `minimum`, whatever a server says: boxes open under these terms only. With `privacy` every
    contributor adds noise to its integers. Raises MpcTermsError.
    """

    study: str
    statistic: str
    dimension: int
    low: float
    high: float
    parties: int = 3
    contributors: int = DEFAULT_CONTRIBUTORS
    fraction_bits: int = DEFAULT_FRACTION_BITS
    arguments: Mapping[str, float] = dataclass_field(default_factory=dict)
    minimum: int = 1
    privacy: PrivacyTerms | None = None

    def __post_init__(self) -> None:
        """Refuse terms that make no sense, or whose numbers no field holds."""
        if _STUDY.fullmatch(self.study) is None:
            raise MpcTermsError("a study's name is 1 to 64 letters, digits and . _ : -")
        if self.parties not in PARTIES:
            raise MpcTermsError(f"three or five parties compute, not {self.parties}")
        for name, value, least, most in (
            ("the dimension", self.dimension, 1, MAX_DIMENSION),
            ("contributors", self.contributors, 1, MAX_CONTRIBUTORS),
            ("the minimum", self.minimum, 1, self.contributors),
            ("fraction_bits", self.fraction_bits, 0, MAX_FRACTION_BITS),
        ):
            if not least <= value <= most:
                raise MpcTermsError(f"{name}: {least} to {most}, not {value}")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise MpcTermsError(f"the bounds {self.low} and {self.high} hold no numbers")
        if max(abs(self.low), abs(self.high)) * 2.0**self.fraction_bits >= 2.0**_EXACT_BITS:
            raise MpcTermsError(f"bounds with {self.fraction_bits} binary places have more than {_EXACT_BITS} bits")
        if self.statistic != "histogram" and self.lowest == self.highest:  # a histogram counts values as they are
            raise MpcTermsError(
                f"with {self.fraction_bits} binary places all values between {self.low} and {self.high} are one "
                "number: take more fraction_bits, or another unit"
            )
        object.__setattr__(self, "arguments", MappingProxyType(self.program.arguments(self)))
        if not 1 <= self.length <= MAX_ELEMENTS:
            raise MpcTermsError(f"a contribution would have {self.length} elements: at most {MAX_ELEMENTS}")
        if self.privacy is not None and self.program.squared_distance(self) is None:
            raise MpcTermsError(f"no noise is added to {self.statistic}")
        _ = self.field

    @cached_property
    def variance(self) -> int:
        """The parameter sigma^2 of the discrete Gaussian that is added to each integer of a contribution; or 0."""
        distance = self.program.squared_distance(self)
        return 0 if self.privacy is None or distance is None else self.privacy.variance(distance)

    def noise(self, contributors: int) -> float:
        """Return the standard deviation of the noise of each released number."""
        step = 1.0 if self.statistic == "histogram" else 1.0 / self.scale
        return step * math.sqrt(self.variance * contributors) / (contributors if self.statistic == "mean" else 1)

    @property
    def threshold(self) -> int:
        """How many parties together learn nothing: one of three, two of five."""
        return (self.parties - 1) // 2

    @cached_property
    def program(self) -> Program:
        """What computes the statistic. Raises MpcTermsError: there is none of this name."""
        from crypto.mpc.programs import program_of

        return program_of(self.statistic)

    @cached_property
    def length(self) -> int:
        """How many elements a contribution has."""
        return self.program.length(self)

    @cached_property
    def field(self) -> Field:
        """The smallest field that holds every sum, and every comparison with its masking. Raises MpcTermsError."""
        try:
            noise = tail_of(self.variance) if self.variance else 0
        except PrivacyError as error:
            raise MpcTermsError(str(error)) from error
        sums = (self.contributors * (self.program.bound(self) + noise)).bit_length() + 1
        compared = self.program.compared_bits(self)
        return field_for(max(sums, compared + _MASKING_BITS if compared else 0))

    @property
    def scale(self) -> float:
        """By what a value is multiplied before it is rounded."""
        return 2.0**self.fraction_bits

    @property
    def lowest(self) -> int:
        """The smallest number that a value becomes."""
        return round(self.low * self.scale)

    @property
    def highest(self) -> int:
        """The largest number that a value becomes."""
        return round(self.high * self.scale)

    @property
    def magnitude(self) -> int:
        """The largest absolute number that a value becomes."""
        return max(abs(self.lowest), abs(self.highest))

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the label and the terms: it stands for them in boxes and transcripts."""
        return hashlib.sha256(LABEL + b"terms\n" + self.to_bytes()).digest()

    def to_bytes(self) -> bytes:
        """Return the terms in their one form (docs/multi-party.md)."""
        parts = [_counted(self.study), _counted(self.statistic)]
        parts.append(struct.pack(">BII", self.parties, self.dimension, self.contributors))
        parts.append(struct.pack(">IB", self.minimum, self.fraction_bits))
        parts.append(struct.pack(">dd", self.low, self.high))
        parts.append(struct.pack(">BB", self.field.bits, len(self.arguments)))
        for name in sorted(self.arguments):
            parts.append(_counted(name) + struct.pack(">d", self.arguments[name]))
        if self.variance:
            parts.append(self.variance.to_bytes(16, "big"))
        return b"".join(parts)


def _counted(text: str) -> bytes:
    data = text.encode("ascii")
    return bytes([len(data)]) + data
